#include "delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/json.h"
#include "message.h"

enum { MAX_REPLY_BYTES = 64 * 1024, MAX_URL_BYTES = 2048 };

struct delivery {
    struct delivery_options options;
};

struct sending {
    struct delivery *delivery;
    struct ts_arena *arena;
    struct delivery_letter letter;
    size_t endpoint;
    int64_t started_us;
    struct delivery_result best;
    delivery_done done;
    void *ctx;
};

/* --- reading a reply ------------------------------------------------------------------------------------------------------- */

static void keep_text(char *out, size_t size, ts_str text)
{
    text = ts_utf8_truncate(text, size - 1);
    memcpy(out, text.ptr ? text.ptr : "", text.len);
    out[text.len] = '\0';
}

/* A 200 counts only with {"status":"ok"}: a captive portal or a foreign service answers 200 too. */
static bool read_body(ts_str body, struct delivery_result *result)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    if (ts_json_parse_object(body, TS_MAX_JSON_DEPTH, &json) != 0)
        return false;
    result->skipped = json_is_true(json_object_get(json, "skipped"));
    keep_text(result->detail, sizeof result->detail, ts_json_get_str(json, "error"));
    return ts_str_eq(ts_json_get_str(json, "status"), TS_STR("ok"));
}

static struct delivery_result read_reply(const struct ts_http_client_reply *reply)
{
    struct delivery_result result = {.status = reply->status, .retry_after_us = reply->retry_after_us};
    bool valid = false;
    if (reply->error == 0)
        valid = read_body(reply->body, &result);
    else
        keep_text(result.detail, sizeof result.detail, ts_str_from(reply->error_text));
    if (reply->status == 200 && !valid)
        keep_text(result.detail, sizeof result.detail, TS_STR("Invalid reply"));
    result.attempt = outbox_classify(reply->error, reply->status, valid);
    return result;
}

/* --- sending --------------------------------------------------------------------------------------------------------------- */

static void sending_free(struct sending *sending)
{
    ts_arena_free(sending->arena);
    free(sending);
}

static int post(struct sending *sending);

static void on_reply(const struct ts_http_client_reply *reply, void *ctx)
{
    struct sending *sending = ctx;
    const struct delivery *delivery = sending->delivery;
    struct delivery_result result = read_reply(reply);
    if (sending->endpoint == 0 || result.attempt > sending->best.attempt)
        sending->best = result;
    if (result.attempt != ATTEMPT_STORED && reply->error != TS_E_CLOSED &&
        ++sending->endpoint < delivery->options.endpoints->n && post(sending) == 0)
        return;
    sending->best.duration_us = ts_clock_mono_us() - sending->started_us;
    sending->done(&sending->best, sending->ctx);
    sending_free(sending);
}

static int post(struct sending *sending)
{
    const struct delivery_options *options = &sending->delivery->options;
    const struct ts_http_header headers[] = {
        {TS_STR("Content-Type"), TS_STR("application/json")},
        {TS_STR("X-Gateway-Token"), {options->token->value, options->token->len}},
        {TS_STR("X-Request-Id"), sending->letter.request_id},
        {TS_STR("traceparent"), sending->letter.traceparent},
    };
    const struct ts_http_client_request request = {
        .method = "POST",
        .url = options->endpoints->items[sending->endpoint].ptr,
        .headers = headers,
        .n_headers = TS_ARRAY_LEN(headers),
        .body = sending->letter.body,
        .timeout_us = options->timeout_us,
        .max_reply_bytes = MAX_REPLY_BYTES,
    };
    return ts_http_client_send(options->http, &request, on_reply, sending, NULL);
}

static int keep_letter(struct sending *sending, const struct delivery_letter *letter)
{
    if (!(sending->arena = ts_arena_new(MESSAGE_MAX_JSON_BYTES + 4096)) ||
        ts_arena_dup(sending->arena, letter->body, &sending->letter.body) != 0 ||
        ts_arena_dup(sending->arena, letter->request_id, &sending->letter.request_id) != 0 ||
        ts_arena_dup(sending->arena, letter->traceparent, &sending->letter.traceparent) != 0)
        return -ENOMEM;
    return 0;
}

int delivery_send(struct delivery *delivery, const struct delivery_letter *letter, delivery_done done,
                  void *ctx)
{
    struct sending *sending = calloc(1, sizeof *sending);
    int r;
    if (!sending)
        return -ENOMEM;
    sending->delivery = delivery;
    sending->done = done;
    sending->ctx = ctx;
    sending->started_us = ts_clock_mono_us();
    r = keep_letter(sending, letter);
    if (r == 0)
        r = post(sending);
    if (r != 0)
        sending_free(sending);
    return r;
}

/* --- the API's version ----------------------------------------------------------------------------------------------------- */

struct asking {
    delivery_version done;
    void *ctx;
};

static void on_health(const struct ts_http_client_reply *reply, void *ctx)
{
    struct asking *asking = ctx;
    _cleanup_(ts_json_freep) json_t *json = NULL;
    ts_str version = TS_STR("");
    if (reply->error == 0 && ts_json_parse_object(reply->body, TS_MAX_JSON_DEPTH, &json) == 0 &&
        !ts_str_is_none(ts_json_get_str(json, "version")))
        version = ts_json_get_str(json, "version");
    asking->done(version, asking->ctx);
    free(asking);
}

/* The endpoint with /health in place of its last segment: …/ingest becomes …/health. */
static bool health_url(ts_str endpoint, char *out, size_t size)
{
    const char *slash = memrchr(endpoint.ptr, '/', endpoint.len);
    if (!slash)
        return false;
    return snprintf(out, size, "%.*s/health", (int)(slash - endpoint.ptr), endpoint.ptr) < (int)size;
}

int delivery_ask_version(struct delivery *delivery, delivery_version done, void *ctx)
{
    char url[MAX_URL_BYTES];
    const struct ts_http_client_request request = {
        .url = url, .timeout_us = delivery->options.timeout_us, .max_reply_bytes = MAX_REPLY_BYTES};
    struct asking *asking;
    int r;
    if (!health_url(delivery->options.endpoints->items[0], url, sizeof url))
        return TS_E_INVALID;
    if (!(asking = calloc(1, sizeof *asking)))
        return -ENOMEM;
    *asking = (struct asking){done, ctx};
    if ((r = ts_http_client_send(delivery->options.http, &request, on_health, asking, NULL)) != 0)
        free(asking);
    return r;
}

struct delivery *delivery_new(const struct delivery_options *options)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery)
        delivery->options = *options;
    return delivery;
}

struct delivery *delivery_free(struct delivery *delivery)
{
    free(delivery);
    return NULL;
}
