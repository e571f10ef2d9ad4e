#include "load.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "storm.h"

#define REST_MS         10 /* before a message is posted again */
#define MAX_BAD_PRINTED 5
#define RETRY_AFTER_US  5000000 /* tp-capital 3.2 */

static void post(struct load_lane *lane);

static void take_next(struct load_lane *lane)
{
    struct load *load = lane->load;

    if (!load->finishing) {
        lane->n = ledger_send(load->ledger);
        lane->attempts = 0;
        post(lane);
        return;
    }
    lane->idle = true;
    for (int i = 0; i < LOAD_LANES; i++)
        if (!load->lanes[i].idle)
            return;
    load->on_idle(load->ctx);
}

static void on_paused(uv_timer_t *timer)
{
    take_next(timer->data);
}

static void on_rested(uv_timer_t *timer)
{
    post(timer->data);
}

static void bad_answer(struct load_lane *lane, const struct ts_http_client_reply *reply)
{
    if (lane->load->bad++ < MAX_BAD_PRINTED)
        fprintf(stderr, "message %zu, attempt %d: status %d, error %d, %.*s\n", lane->n, lane->attempts,
                reply->status, reply->error, TS_STR_ARG(reply->body));
}

static void acknowledged(struct load_lane *lane, const struct ts_http_client_reply *reply)
{
    bool skipped = ts_str_eq(reply->body, TS_STR("{\"status\":\"ok\",\"skipped\":true}"));

    /* Skipped at the first post too: libcurl repeats by itself what it sent on a kept connection that died unanswered. */
    if (!skipped && !ts_str_eq(reply->body, TS_STR("{\"status\":\"ok\"}")))
        bad_answer(lane, reply);
    lane->load->skipped += skipped;
    ledger_acknowledge(lane->load->ledger, lane->n);
    lane->load->on_acknowledged(lane->load->ctx);
    if (lane->load->pause_ms > 0)
        uv_timer_start(&lane->rest, on_paused, (uint64_t)lane->load->pause_ms, 0);
    else
        take_next(lane);
}

static bool is_unavailable(const struct ts_http_client_reply *reply)
{
    return reply->error == 0 && reply->status == 503 && reply->retry_after_us == RETRY_AFTER_US &&
           ts_str_eq(reply->body, TS_STR("{\"error\":\"Database unavailable, please retry\"}"));
}

/* A dead, dying or frozen API closes, refuses, says 503 in its own words or nothing; whatever else it says is wrong. */
static bool is_explained(const struct ts_http_client_reply *reply)
{
    return reply->error == 0 ? is_unavailable(reply)
                             : reply->error != TS_E_PROTOCOL && reply->error != TS_E_LIMIT;
}

static void on_reply(const struct ts_http_client_reply *reply, void *ctx)
{
    struct load_lane *lane = ctx;

    if (reply->error == 0 && reply->status == 200) {
        acknowledged(lane, reply);
        return;
    }
    lane->load->unavailable += is_unavailable(reply);
    if (!is_explained(reply))
        bad_answer(lane, reply);
    uv_timer_start(&lane->rest, on_rested, REST_MS, 0);
}

static void post(struct load_lane *lane)
{
    const struct ts_http_header headers[] = {{TS_STR("Content-Type"), TS_STR("application/json")},
                                             {TS_STR("X-Gateway-Token"), TS_STR(STORM_TOKEN)}};
    char text[LEDGER_TEXT_SIZE], body[512];
    int len = snprintf(body, sizeof(body),
                       "{\"channelId\":\"%" PRId64 "\",\"messageId\":%" PRId64 ",\"text\":\"%s\","
                       "\"timestamp\":\"2025-11-03T13:00:00Z\",\"channelName\":\"Canal de Prova\"}",
                       ledger_channel_id(lane->load->ledger, lane->n),
                       ledger_message_id(lane->load->ledger, lane->n), ledger_text(lane->n, text));
    const struct ts_http_client_request request = {.method = "POST",
                                                   .url = lane->load->url,
                                                   .headers = headers,
                                                   .n_headers = TS_ARRAY_LEN(headers),
                                                   .body = {body, (size_t)len}};

    lane->load->repeated += lane->attempts > 0;
    lane->attempts++;
    if (ts_http_client_send(lane->load->client, &request, on_reply, lane, NULL) < 0)
        ts_test_die("the client can't send");
}

void load_start(struct load *load, uv_loop_t *loop, int port, struct ledger *ledger)
{
    load->ledger = ledger;
    snprintf(load->url, sizeof(load->url), "http://127.0.0.1:%d/ingest", port);
    if (ts_http_client_new(loop, LOAD_LANES, &load->client) < 0)
        ts_test_die("no HTTP client");
    for (int i = 0; i < LOAD_LANES; i++) {
        struct load_lane *lane = &load->lanes[i];
        *lane = (struct load_lane){.load = load};
        uv_timer_init(loop, &lane->rest);
        lane->rest.data = lane;
        take_next(lane);
    }
}

void load_finish(struct load *load)
{
    load->finishing = true;
}

void load_done(struct load *load)
{
    for (int i = 0; i < LOAD_LANES; i++)
        uv_close((uv_handle_t *)&load->lanes[i].rest, NULL);
    load->client = ts_http_client_free(load->client);
}
