/* The small lists of tp-capital 4.4: root, channels, bots, forwarded messages, logs. */
#include <stdio.h>
#include <stdlib.h>

#include "answers.h"
#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/number.h"
#include "http/query.h"
#include "routes.h"
#include "signals_query.h"
#include "store_internal.h"

void reading_root(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req,
                  &(struct ts_http_response){
                      .body = TS_STR("{\"status\":\"ok\",\"message\":\"TP Capital ingestion API\","
                                     "\"endpoints\":[\"/health\",\"/signals\",\"/logs\",\"/metrics\"]}")});
}

/* --- a list that is read in one go -------------------------------------------------------------------------------------- */

struct list {
    struct ts_read_job job;
    struct app *app;
    ts_http_ticket ticket;
    int (*put)(struct list *list, struct ts_db *db); /* the whole answer, on a reader thread */
    struct store_forwarded_filter forwarded;
    struct ts_buf body;
    struct ts_jsonw w;
};

static int run_list(struct ts_read_job *job, struct ts_db *db)
{
    struct list *list = TS_CONTAINER_OF(job, struct list, job);
    ts_buf_clear(&list->body);
    list->w = ts_jsonw_begin(&list->body);
    ts_jsonw_object(&list->w);
    int r = list->put(list, db);
    ts_jsonw_end(&list->w);
    return r < 0 ? r : ts_buf_error(&list->body);
}

static void on_listed(struct ts_read_job *job, int result)
{
    struct list *list = TS_CONTAINER_OF(job, struct list, job);
    struct ts_http_server *server = list->app->service->server;
    if (result < 0) {
        ts_log_error("Failed to read a list", TS_F_ERR(result),
                     TS_F_CSTR("detail", job->error_detail.message));
        ts_http_answer(server, list->ticket, &answer_unavailable);
    } else {
        ts_http_answer(server, list->ticket, &(struct ts_http_response){.body_take = &list->body});
    }
    ts_buf_done(&list->body);
    free(list);
}

static void start_list(struct ts_http_request *req, struct app *app,
                       int (*put)(struct list *, struct ts_db *),
                       const struct store_forwarded_filter *forwarded)
{
    struct list *list = app->ready ? calloc(1, sizeof(*list)) : NULL;
    if (!list) {
        ts_http_reply(req, &answer_unavailable);
        return;
    }
    list->job = (struct ts_read_job){.run = run_list, .done = on_listed};
    list->app = app;
    list->put = put;
    list->body.max_bytes = 3 * TS_MAX_RESPONSE_BYTES;
    if (forwarded)
        list->forwarded = *forwarded;
    if (ts_reader_submit(app->readers, &list->job) < 0) {
        free(list);
        ts_http_reply(req, &answer_unavailable);
        return;
    }
    list->ticket = ts_http_park(req);
}

static void put_now(struct ts_jsonw *w)
{
    ts_jsonw_key_time(w, "timestamp", ts_clock_wall_us());
}

static void put_id_text(struct ts_jsonw *w, const char *key, int64_t id)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%lld", (long long)id);
    ts_jsonw_key_str(w, key, ts_str_from(digits));
}

/* --- channels ----------------------------------------------------------------------------------------------------------- */

static int on_channel(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "channel", ts_row_text(row, 0));
    put_id_text(w, "channel_id", ts_row_int(row, 1));
    ts_jsonw_key_i64(w, "signal_count", ts_row_int(row, 2));
    ts_jsonw_key(w, "last_signal");
    if (ts_row_is_null(row, 3))
        ts_jsonw_null(w);
    else
        ts_jsonw_time(w, ts_row_time(row, 3));
    ts_jsonw_end(w);
    return 0;
}

static int put_channels(struct list *list, struct ts_db *db)
{
    ts_jsonw_key(&list->w, "data");
    ts_jsonw_array(&list->w);
    int r = store_list_channels(db, on_channel, &list->w);
    ts_jsonw_end(&list->w);
    ts_jsonw_key_str(&list->w, "source", TS_STR("timescale"));
    put_now(&list->w);
    return r;
}

void reading_channels(struct ts_http_request *req, void *ctx)
{
    start_list(req, app_of(ctx), put_channels, NULL);
}

static int on_configured_channel(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    put_id_text(w, "channelId", ts_row_int(row, 0));
    ts_jsonw_key_str(w, "type", ts_row_text(row, 1));
    ts_jsonw_end(w);
    return 0;
}

static int put_configured_channels(struct list *list, struct ts_db *db)
{
    ts_jsonw_key(&list->w, "data");
    ts_jsonw_array(&list->w);
    int r = store_list_configured_channels(db, on_configured_channel, &list->w);
    ts_jsonw_end(&list->w);
    put_now(&list->w);
    return r;
}

void reading_configured_channels(struct ts_http_request *req, void *ctx)
{
    start_list(req, app_of(ctx), put_configured_channels, NULL);
}

/* --- bots --------------------------------------------------------------------------------------------------------------- */

static int put_bots(struct list *list, struct ts_db *db)
{
    bool configured = false;
    int r = store_has_bot(db, &configured);
    ts_jsonw_key(&list->w, "data");
    ts_jsonw_object(&list->w);
    ts_jsonw_key_bool(&list->w, "configured", configured);
    ts_jsonw_key_str(&list->w, "mode", TS_STR("gateway"));
    ts_jsonw_key_str(&list->w, "webhook", TS_STR_NONE);
    ts_jsonw_key_str(&list->w, "status", TS_STR("running"));
    put_now(&list->w);
    ts_jsonw_end(&list->w);
    return r;
}

void reading_bots(struct ts_http_request *req, void *ctx)
{
    start_list(req, app_of(ctx), put_bots, NULL);
}

/* --- forwarded messages ------------------------------------------------------------------------------------------------- */

static void put_int_or_null(struct ts_jsonw *w, const char *key, const struct ts_row *row, int column)
{
    ts_jsonw_key(w, key);
    if (ts_row_is_null(row, column))
        ts_jsonw_null(w);
    else
        ts_jsonw_i64(w, ts_row_int(row, column));
}

static int on_forwarded(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    ts_jsonw_key_id(w, "id", ts_row_int(row, 0));
    ts_jsonw_key_time(w, "ts", ts_row_time(row, 1));
    put_id_text(w, "source_channel_id", ts_row_int(row, 2));
    ts_jsonw_key_str(w, "source_channel_name", ts_row_text(row, 3));
    ts_jsonw_key_id(w, "message_id", ts_row_int(row, 4));
    ts_jsonw_key_str(w, "message_text", ts_row_text(row, 5));
    ts_jsonw_key_str(w, "image_url", ts_row_text(row, 6));
    put_int_or_null(w, "image_width", row, 7);
    put_int_or_null(w, "image_height", row, 8);
    ts_jsonw_key_time(w, "forwarded_at", ts_row_time(row, 9));
    put_id_text(w, "destination_channel_id", ts_row_int(row, 10));
    ts_jsonw_key_str(w, "forward_method", ts_row_text(row, 11));
    ts_jsonw_end(w);
    return 0;
}

static int put_forwarded(struct list *list, struct ts_db *db)
{
    ts_jsonw_key(&list->w, "data");
    ts_jsonw_array(&list->w);
    int r = store_list_forwarded(db, &list->forwarded, on_forwarded, &list->w);
    ts_jsonw_end(&list->w);
    return r;
}

/* The name of the first parameter that breaks its rule; NONE when none does. */
static ts_str read_forwarded_filter(const struct ts_query *query, struct store_forwarded_filter *f)
{
    ts_str limit = ts_query_get(query, "limit"), channel = ts_query_get(query, "channelId");
    ts_str from = ts_query_get(query, "from"), to = ts_query_get(query, "to");

    f->has_channel_id = !ts_str_is_none(channel);
    if (!ts_str_is_none(limit) && ts_parse_i64(limit, 1, 1000, &f->limit) < 0)
        return TS_STR("limit");
    if (f->has_channel_id && ts_parse_i64(channel, INT64_MIN, INT64_MAX, &f->channel_id) < 0)
        return TS_STR("channelId");
    if (!ts_str_is_none(from) && signals_query_instant(from, false, &f->from_us) < 0)
        return TS_STR("from");
    if (!ts_str_is_none(to) && signals_query_instant(to, true, &f->to_us) < 0)
        return TS_STR("to");
    return TS_STR_NONE;
}

void reading_forwarded(struct ts_http_request *req, void *ctx)
{
    struct store_forwarded_filter filter = {
        .from_us = STORE_TIME_MIN_US, .to_us = STORE_TIME_MAX_US, .limit = 100};
    struct ts_query query;
    ts_str field = TS_STR_NONE;

    if (ts_query_parse(req->query, req->arena, &query, &field) == 0) {
        field = read_forwarded_filter(&query, &filter);
        if (ts_str_is_none(field)) {
            start_list(req, app_of(ctx), put_forwarded, &filter);
            return;
        }
    }
    answer_bad_parameter(req, field);
}

/* --- logs --------------------------------------------------------------------------------------------------------------- */

/* At least this level, as for LOG_LEVEL; trace is all, fatal the errors. */
static int parse_level(ts_str name, enum ts_log_level *ret)
{
    if (ts_str_eq(name, TS_STR("trace")))
        *ret = TS_LOG_DEBUG;
    else if (ts_str_eq(name, TS_STR("fatal")))
        *ret = TS_LOG_ERROR;
    else
        return ts_log_level_parse(name, ret);
    return 0;
}

void reading_logs(struct ts_http_request *req, void *ctx)
{
    struct ts_query query;
    int64_t limit = 100;
    enum ts_log_level level = TS_LOG_DEBUG;
    ts_str field = TS_STR_NONE;

    (void)ctx;
    if (ts_query_parse(req->query, req->arena, &query, &field) < 0) {
        answer_bad_parameter(req, field);
        return;
    }
    ts_str limit_text = ts_query_get(&query, "limit"), level_text = ts_query_get(&query, "level");
    if (!ts_str_is_none(limit_text) && ts_parse_i64(limit_text, 1, 200, &limit) < 0) {
        answer_bad_parameter(req, TS_STR("limit"));
        return;
    }
    if (!ts_str_is_none(level_text) && parse_level(level_text, &level) < 0) {
        answer_bad_parameter(req, TS_STR("level"));
        return;
    }
    struct ts_buf body = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES);
    struct ts_jsonw w = ts_jsonw_begin(&body);
    ts_jsonw_object(&w);
    ts_jsonw_key(&w, "data");
    ts_jsonw_array(&w);
    ts_log_history(&w, (size_t)limit, level);
    ts_jsonw_end(&w);
    ts_jsonw_end(&w);
    ts_http_reply(req, &(struct ts_http_response){.body_take = &body});
}
