/* The small lists of tp-capital 4.4: root, channels that sent something, logs. */
#include "base/limits.h"
#include "base/log.h"
#include "base/number.h"
#include "http/query.h"
#include "list.h"
#include "routes.h"

void reading_root(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req,
                  &(struct ts_http_response){
                      .body = TS_STR("{\"status\":\"ok\",\"message\":\"TP Capital ingestion API\","
                                     "\"endpoints\":[\"/health\",\"/signals\",\"/logs\",\"/metrics\"]}")});
}

/* --- channels ----------------------------------------------------------------------------------------------------------- */

static int on_channel(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "channel", ts_row_text(row, 0));
    list_put_id(w, "channel_id", ts_row_int(row, 1));
    ts_jsonw_key_i64(w, "signal_count", ts_row_int(row, 2));
    list_put_time(w, "last_signal", row, 3);
    ts_jsonw_end(w);
    return 0;
}

static int put_channels(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    (void)args;
    ts_jsonw_key(w, "data");
    ts_jsonw_array(w);
    int r = store_list_channels(db, on_channel, w);
    ts_jsonw_end(w);
    ts_jsonw_key_str(w, "source", TS_STR("timescale"));
    list_put_now(w);
    return r;
}

void reading_channels(struct ts_http_request *req, void *ctx)
{
    list_start(req, app_of(ctx), put_channels, NULL, 0);
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
        list_refuse_parameter(req, field);
        return;
    }
    ts_str limit_text = ts_query_get(&query, "limit"), level_text = ts_query_get(&query, "level");
    if (!ts_str_is_none(limit_text) && ts_parse_i64(limit_text, 1, 200, &limit) < 0) {
        list_refuse_parameter(req, TS_STR("limit"));
        return;
    }
    if (!ts_str_is_none(level_text) && parse_level(level_text, &level) < 0) {
        list_refuse_parameter(req, TS_STR("level"));
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
