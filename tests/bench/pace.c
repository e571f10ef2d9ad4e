/*
 * pace URL TOKEN RATE SECONDS: posts RATE messages a second, evenly, and prints the latency as `p50 p95 p99 max` in milliseconds.
 *
 * Open loop: a message is due at its time whether or not earlier ones were answered, and its latency counts from then, so a
 * stall is seen in every message that it delayed. exit 1 when an answer was not 200.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"

#define CONNECTIONS 64
#define TICK_MS     1

struct pace {
    struct ts_http_client *client;
    const char *url, *token;
    int64_t rate, total, sent, answered, failed;
    int64_t begin_us, first_id;
    int64_t *latencies_us;
    uv_timer_t tick;
};

struct call {
    struct pace *pace;
    int64_t due_us;
};

static void on_reply(const struct ts_http_client_reply *reply, void *ctx)
{
    struct call *call = ctx;
    struct pace *pace = call->pace;

    if (reply->error < 0 || reply->status != 200)
        pace->failed++;
    pace->latencies_us[pace->answered++] = ts_clock_mono_us() - call->due_us;
    free(call);
    if (pace->answered == pace->total)
        uv_stop(pace->tick.loop);
}

static void send_one(struct pace *pace, int64_t due_us)
{
    char body[512];
    struct call *call = malloc(sizeof(*call));
    const struct ts_http_header headers[] = {{TS_STR("Content-Type"), TS_STR("application/json")},
                                             {TS_STR("X-Gateway-Token"), ts_str_from(pace->token)}};
    int len = snprintf(body, sizeof(body),
                       "{\"channelId\":\"-1001000000002\",\"messageId\":%" PRId64
                       ",\"text\":\"COMPRA VALE3 @ 61,20\\nAlvo 1: 62,40\\nAlvo 2: 63,90\\nStop: 60,10\","
                       "\"timestamp\":\"2026-11-03T13:00:00Z\",\"channelName\":\"Canal de Ritmo\"}",
                       pace->first_id + pace->sent);

    if (!call)
        exit(1);
    *call = (struct call){pace, due_us};
    const struct ts_http_client_request request = {.method = "POST",
                                                   .url = pace->url,
                                                   .headers = headers,
                                                   .n_headers = TS_ARRAY_LEN(headers),
                                                   .body = {body, (size_t)len}};
    if (ts_http_client_send(pace->client, &request, on_reply, call, NULL) < 0)
        exit(1);
    pace->sent++;
}

static void on_tick(uv_timer_t *timer)
{
    struct pace *pace = timer->data;
    const int64_t now_us = ts_clock_mono_us();

    while (pace->sent < pace->total) {
        int64_t due_us = pace->begin_us + pace->sent * TS_US_PER_S / pace->rate;

        if (due_us > now_us)
            return;
        send_one(pace, due_us);
    }
    uv_timer_stop(timer);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double percentile_ms(const struct pace *pace, int64_t percent)
{
    const int64_t rank = (pace->answered - 1) * percent / 100;

    return (double)pace->latencies_us[rank] / 1000.0;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: pace URL TOKEN RATE SECONDS\n");
        return 64;
    }
    uv_loop_t *loop = uv_default_loop();
    struct pace pace = {.url = argv[1], .token = argv[2], .rate = atol(argv[3])};

    pace.total = pace.rate * atol(argv[4]);
    pace.first_id = ts_clock_wall_us();
    pace.latencies_us = calloc((size_t)pace.total, sizeof(int64_t));
    if (pace.total <= 0 || !pace.latencies_us || ts_http_client_new(loop, CONNECTIONS, &pace.client) < 0) {
        free(pace.latencies_us);
        return 1;
    }
    pace.begin_us = ts_clock_mono_us();
    pace.tick.data = &pace;
    uv_timer_init(loop, &pace.tick);
    uv_timer_start(&pace.tick, on_tick, 0, TICK_MS);
    uv_run(loop, UV_RUN_DEFAULT);

    qsort(pace.latencies_us, (size_t)pace.answered, sizeof(int64_t), by_value);
    printf("%.2f %.2f %.2f %.2f\n", percentile_ms(&pace, 50), percentile_ms(&pace, 95),
           percentile_ms(&pace, 99), percentile_ms(&pace, 100));
    if (pace.failed > 0)
        fprintf(stderr, "pace: %" PRId64 " answers were not 200\n", pace.failed);
    free(pace.latencies_us);
    return pace.failed > 0;
}
