#include "ingest.h"

#include <stdio.h>

#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/guard.h"
#include "http/json.h"
#include "parser.h"
#include "routes.h"
#include "validate.h"

#define LOG_TEXT_BYTES 100

static void count(struct app *app, enum ingest_status status)
{
    ts_counter_add(app->metrics.ingest[status], 1);
}

/* --- before the body ---------------------------------------------------------------------------------------------------- */

bool ingest_accepts_json(struct ts_http_request *req)
{
    ts_str type = ts_http_header(req, "Content-Type"), rest = type, piece;
    bool ok = ts_str_split(&rest, ';', &piece) && ts_str_eq_nocase(piece, TS_STR("application/json"));
    while (ok && ts_str_split(&rest, ';', &piece))
        ok = piece.len == 0 || ts_str_eq_nocase(piece, TS_STR("charset=utf-8")) ||
             ts_str_eq_nocase(piece, TS_STR("charset=\"utf-8\""));
    if (!ok)
        ts_http_reply_error(req, 415, "Content-Type must be application/json", NULL, NULL);
    return ok;
}

static bool token_is_right(const struct api_config *config, ts_str token)
{
    bool current = ts_secret_equals(&config->gateway_token, token);
    bool previous = ts_secret_equals(&config->gateway_token_previous, token);
    return current || previous;
}

/* Rows 2 and 3. A stranger's requests count for the rate limit, the gateway's don't. */
static bool authenticate(struct app *app, struct ts_http_request *req)
{
    ts_str token = ts_http_header(req, "X-Gateway-Token");
    if (token_is_right(app->config, token))
        return true;
    count(app, INGEST_AUTH_ERROR);
    ts_http_guard_auth_failed(app->service->guard, req, token);
    if (ts_http_guard_rate_limit(app->service->guard, req))
        ts_http_reply_error(req, 401,
                            token.len == 0 ? "Missing X-Gateway-Token header" : "Invalid gateway token", NULL,
                            NULL);
    return false;
}

void ingest_check_headers(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    if (!authenticate(app, req) || !ts_http_guard_origin(app->service->guard, req))
        return;
    if (!ingest_accepts_json(req))
        count(app, INGEST_VALIDATION_ERROR);
}

/* --- the body ----------------------------------------------------------------------------------------------------------- */

static void refuse(struct app *app, struct ts_http_request *req, const struct validate_result *result)
{
    char text[64];
    if (result->problem == VALIDATE_NO_MEMORY) {
        count(app, INGEST_DB_ERROR);
        ts_http_reply(req, &app_unavailable);
        return;
    }
    count(app, INGEST_VALIDATION_ERROR);
    snprintf(text, sizeof(text), "%s: %s",
             result->problem == VALIDATE_MISSING ? "Missing required field" : "Invalid field", result->field);
    ts_http_reply_error(req, 400, text, NULL, result->field);
}

/* The whole message, ready to be stored; NULL when the request was answered. */
static struct store_ingest *read_request(struct app *app, struct ts_http_request *req)
{
    _cleanup_(ts_json_freep) json_t *body = NULL;
    int64_t now_us = ts_clock_wall_us() / TS_US_PER_MS * TS_US_PER_MS;
    struct message message;
    struct signal signal;
    char traceparent[TS_TRACEPARENT_SIZE];

    if (ts_json_parse_object(req->body, TS_MAX_JSON_DEPTH, &body) < 0) {
        count(app, INGEST_VALIDATION_ERROR);
        ts_http_reply_error(req, 400, "Invalid JSON", NULL, NULL);
        return NULL;
    }
    struct validate_result result = validate_message(body, now_us, req->arena, &message);
    if (result.problem != VALIDATE_OK) {
        refuse(app, req, &result);
        return NULL;
    }
    if (message.channel_id > 0 || message.channel_id / INT64_C(1000000000000) != -1)
        ts_log_debug("Channel id is not in the -100 form", TS_F_I64("channelId", message.channel_id));
    struct store_ingest *ingest = NULL;
    if (signal_parse(message.text, &signal, NULL) == 0)
        ingest = store_ingest_new(&message, &signal, req->request_id,
                                  ts_trace_format(&req->trace, traceparent), now_us);
    if (!ingest) {
        count(app, INGEST_DB_ERROR);
        ts_http_reply(req, &app_unavailable);
    }
    return ingest;
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static void log_stored(const struct store_ingest *in)
{
    if (in->signal.signal_type == SIGNAL_UNKNOWN && in->message.revision != MESSAGE_DELETED) {
        char text[LOG_TEXT_BYTES];
        ts_str cut = ts_utf8_truncate(in->message.text, sizeof(text));
        for (size_t i = 0; i < cut.len; i++)
            text[i] = (unsigned char)cut.ptr[i] < ' ' || cut.ptr[i] == 127 ? ' ' : cut.ptr[i];
        ts_log_info("Unable to parse signal", TS_F_I64("messageId", in->message.message_id),
                    TS_F_STR("text", ((ts_str){text, cut.len})), TS_F_STR("requestId", in->request_id));
        return;
    }
    bool edit = in->message.revision != MESSAGE_ORIGINAL, deletion = in->message.revision == MESSAGE_DELETED;
    ts_log_info(deletion ? "Signal deleted successfully"
                : edit   ? "Signal updated successfully"
                         : "Signal inserted successfully",
                TS_F_I64("id", in->signal_id), TS_F_CSTR("asset", in->signal.asset),
                TS_F_CSTR("signal_type", signal_type_name(in->signal.signal_type)),
                TS_F_STR("requestId", in->request_id));
}

static void log_duplicate(const struct store_ingest *in, const char *text)
{
    ts_log_info(text, TS_F_I64("channelId", in->message.channel_id),
                TS_F_I64("messageId", in->message.message_id), TS_F_STR("requestId", in->request_id));
}

static enum ingest_status status_of(const struct store_ingest *in, int result)
{
    if (result == 0)
        return in->outcome == STORE_STORED      ? INGEST_SUCCESS
               : in->outcome == STORE_DUPLICATE ? INGEST_DUPLICATE
                                                : INGEST_DUPLICATE_DB;
    return app_is_defect(result) ? INGEST_ERROR : INGEST_DB_ERROR;
}

static void answer(struct app *app, const struct store_ingest *in, enum ingest_status status)
{
    struct ts_http_server *server = app->service->server;
    struct ts_http_response response = {.body = TS_STR("{\"status\":\"ok\"}")};

    if (status == INGEST_ERROR) {
        ts_http_answer_error(server, in->ticket, 500, "Internal server error", NULL, NULL);
        return;
    }
    if (status == INGEST_DUPLICATE || status == INGEST_DUPLICATE_DB)
        response.body = TS_STR("{\"status\":\"ok\",\"skipped\":true}");
    if (status == INGEST_DB_ERROR)
        response = app_unavailable;
    ts_http_answer(server, in->ticket,
                   &response); /* a client that has left asks again and is told `skipped` */
}

static void log_outcome(const struct store_ingest *in, enum ingest_status status, int result)
{
    switch (status) {
    case INGEST_SUCCESS:
        log_stored(in);
        break;
    case INGEST_DUPLICATE:
        log_duplicate(in, "Duplicate message skipped (idempotent)");
        break;
    case INGEST_DUPLICATE_DB:
        log_duplicate(in, "Duplicate signal caught by database constraint");
        break;
    default:
        ts_log_error("Message not stored", TS_F_I64("channelId", in->message.channel_id),
                     TS_F_I64("messageId", in->message.message_id), TS_F_ERR(result),
                     TS_F_STR("requestId", in->request_id));
    }
}

static void on_done(struct ts_writer_op *op, int result);

/* On PostgreSQL an edit takes several round trips, all under the lock that every replica waits for: a few at a time. */
#define MAX_EDITS_PER_COMMIT 16

static const struct ts_writer_kind each_kind = {.name = "ingest", .apply = store_apply_each, .done = on_done};
static const struct ts_writer_kind edit_kind = {
    .name = "ingest edits", .apply = store_apply_each, .done = on_done, .max_batch = MAX_EDITS_PER_COMMIT};
static const struct ts_writer_kind batch_kind = {
    .name = "ingest batch", .apply = store_apply_batch, .done = on_done};

static void on_done(struct ts_writer_op *op, int result)
{
    struct store_ingest *in = TS_CONTAINER_OF(op, struct store_ingest, op);
    struct app *app = in->app;
    enum ingest_status status = status_of(in, result);

    app->pending_bytes -= in->size_bytes;
    count(app, status);
    if (status == INGEST_SUCCESS && in->seq > 0 && in->seq == in->signal_id)
        ts_counter_add(app->metrics.inserted[in->signal.signal_type], 1);
    answer(app, in, status);
    log_outcome(in, status, result);
    if (in->seq > 0 && result == 0)
        app_seq_advanced(app, in->seq);
    store_ingest_free(in);
}

static const struct ts_writer_kind *kind_of(const struct app *app, const struct store_ingest *in)
{
    if (app_is_sqlite(app))
        return &each_kind;
    return store_ingest_is_plain(in) ? &batch_kind : &edit_kind;
}

void ingest_post(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    if (app_is_overloaded(app)) {
        count(app, INGEST_DB_ERROR);
        ts_http_reply(req, &app_unavailable);
        return;
    }
    _cleanup_(store_ingest_freep) struct store_ingest *in = read_request(app, req);
    if (!in)
        return;
    in->app = app;
    in->op.kind = kind_of(app, in);
    in->op.deadline_us = req->received_us + INGEST_DEADLINE_US;
    if (ts_writer_submit(app->writer, &in->op) < 0) {
        count(app, INGEST_DB_ERROR);
        ts_http_reply(req, &app_unavailable);
        return;
    }
    app->pending_bytes += in->size_bytes;
    TS_TAKE(in)->ticket = ts_http_park(req);
}
