/* GET /forwarded-messages: what was passed on to other channels, newest first, page by page. */
#include "base/error.h"
#include "base/number.h"
#include "http/query.h"
#include "list.h"
#include "page.h"
#include "routes.h"
#include "signals_query.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000
#define SEARCH_MAX    100

/* --- rows --------------------------------------------------------------------------------------------------------------- */

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
    struct page *page = ctx;
    struct ts_jsonw *w = page->w;
    if (!page_takes(page, ts_row_time(row, 1), ts_row_int(row, 0)))
        return 0;
    ts_jsonw_object(w);
    ts_jsonw_key_id(w, "id", ts_row_int(row, 0));
    ts_jsonw_key_time(w, "ts", ts_row_time(row, 1));
    list_put_id(w, "source_channel_id", ts_row_int(row, 2));
    ts_jsonw_key_str(w, "source_channel_name", ts_row_text(row, 3));
    ts_jsonw_key_id(w, "message_id", ts_row_int(row, 4));
    ts_jsonw_key_str(w, "message_text", ts_row_text(row, 5));
    ts_jsonw_key_str(w, "image_url", ts_row_text(row, 6));
    put_int_or_null(w, "image_width", row, 7);
    put_int_or_null(w, "image_height", row, 8);
    ts_jsonw_key_time(w, "forwarded_at", ts_row_time(row, 9));
    list_put_id(w, "destination_channel_id", ts_row_int(row, 10));
    ts_jsonw_key_str(w, "forward_method", ts_row_text(row, 11));
    ts_jsonw_end(w);
    return ts_buf_error(w->buf);
}

/* What a reader thread gets a copy of. */
struct forwarded_query {
    struct store_forwarded_filter filter; /* its `search` is this one's */
    char search[SEARCH_MAX];
};

static int put_list(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    const struct forwarded_query *query = args;
    struct store_forwarded_filter filter = query->filter;
    struct page page = {.w = w, .limit = filter.limit};

    filter.limit++;
    if (!ts_str_is_none(filter.search))
        filter.search.ptr = query->search;
    ts_jsonw_key(w, "data");
    ts_jsonw_array(w);
    int r = store_list_forwarded(db, &filter, on_forwarded, &page);
    ts_jsonw_end(w);
    page_put_cursor(&page);
    return r;
}

/* --- parameters --------------------------------------------------------------------------------------------------------- */

static int set_limit(ts_str value, struct forwarded_query *q)
{
    return ts_parse_i64(value, 1, LIMIT_MAX, &q->filter.limit);
}

static int set_channel(ts_str value, struct forwarded_query *q)
{
    q->filter.has_channel_id = true;
    return ts_parse_i64(value, INT64_MIN, INT64_MAX, &q->filter.channel_id);
}

static int set_from(ts_str value, struct forwarded_query *q)
{
    return signals_query_instant(value, false, &q->filter.from_us);
}

static int set_to(ts_str value, struct forwarded_query *q)
{
    return signals_query_instant(value, true, &q->filter.to_us);
}

static int set_search(ts_str value, struct forwarded_query *q)
{
    if (value.len < 1 || value.len > SEARCH_MAX)
        return TS_E_INVALID;
    memcpy(q->search, value.ptr, value.len);
    q->filter.search = (ts_str){q->search, value.len};
    return 0;
}

static int set_media(ts_str value, struct forwarded_query *q)
{
    q->filter.media = ts_str_eq(value, TS_STR("true"));
    return q->filter.media || ts_str_eq(value, TS_STR("false")) ? 0 : TS_E_INVALID;
}

static int set_method(ts_str value, struct forwarded_query *q)
{
    q->filter.method = ts_str_eq(value, TS_STR("forward")) ? TS_STR("forward") : TS_STR("copy");
    return ts_str_eq(value, q->filter.method) ? 0 : TS_E_INVALID;
}

static int set_cursor(ts_str value, struct forwarded_query *q)
{
    return signals_cursor_parse(value, &q->filter.before_ts_us, &q->filter.before_id);
}

static const struct {
    const char *name;
    int (*set)(ts_str value, struct forwarded_query *q);
} parameters[] = {
    {"limit", set_limit},   {"channelId", set_channel}, {"from", set_from},     {"to", set_to},
    {"search", set_search}, {"media", set_media},       {"method", set_method}, {"cursor", set_cursor},
};

/* The name of the first parameter that breaks its rule; NONE when none does. */
static ts_str read_query(const struct ts_query *query, struct forwarded_query *ret)
{
    for (size_t i = 0; i < TS_ARRAY_LEN(parameters); i++) {
        ts_str value = ts_query_get(query, parameters[i].name);
        if (!ts_str_is_none(value) && parameters[i].set(value, ret) < 0)
            return ts_str_from(parameters[i].name);
    }
    return TS_STR_NONE;
}

void forwarded_list(struct ts_http_request *req, void *ctx)
{
    struct forwarded_query wanted = {.filter = STORE_FORWARDED_ANY};
    struct ts_query query;
    ts_str field = TS_STR_NONE;

    wanted.filter.limit = LIMIT_DEFAULT;
    int r = ts_query_parse(req->query, req->arena, &query, &field);
    if (r == 0)
        field = read_query(&query, &wanted);
    if (r == 0 && ts_str_is_none(field))
        list_start(req, app_of(ctx), put_list, &wanted, sizeof(wanted));
    else
        list_refuse_parameter(req, field);
}
