/* Reading signals, their versions and their changes. */
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static int64_t price_or_zero(const struct ts_row *row, int column)
{
    return ts_row_is_null(row, column) ? 0 : ts_row_price(row, column);
}

static int64_t int_or_zero(const struct ts_row *row, int column)
{
    return ts_row_is_null(row, column) ? 0 : ts_row_int(row, column);
}

struct store_signal store_read_signal(const struct ts_row *row, int c)
{
    return (struct store_signal){
        .id = ts_row_int(row, c),
        .seq = ts_row_int(row, c + 1),
        .revision = ts_row_int(row, c + 2),
        .ts_us = ts_row_time(row, c + 3),
        .ingested_at_us = ts_row_time(row, c + 4),
        .has_channel_id = !ts_row_is_null(row, c + 5),
        .channel_id = int_or_zero(row, c + 5),
        .has_message_id = !ts_row_is_null(row, c + 6),
        .message_id = int_or_zero(row, c + 6),
        .channel = ts_row_text(row, c + 7),
        .asset = ts_row_text(row, c + 8),
        .signal_type = ts_row_text(row, c + 9),
        .trade_type = ts_row_text(row, c + 10),
        .raw_message = ts_row_text(row, c + 11),
        .source = ts_row_text(row, c + 12),
        .take_profit = ts_row_text(row, c + 13),
        .buy_min_e6 = price_or_zero(row, c + 14),
        .buy_max_e6 = price_or_zero(row, c + 15),
        .target_1_e6 = price_or_zero(row, c + 16),
        .target_2_e6 = price_or_zero(row, c + 17),
        .target_final_e6 = price_or_zero(row, c + 18),
        .stop_e6 = price_or_zero(row, c + 19),
        .complete = ts_row_bool(row, c + 20),
        .deleted = ts_row_bool(row, c + 21),
    };
}

struct sink {
    store_signal_fn fn;
    void *ctx;
    int first_column;
    struct store_head *head; /* NULL = the statement has none */
};

static void read_head(const struct ts_row *row, struct store_head *head)
{
    ts_str id = ts_utf8_truncate(ts_row_text(row, 1), STORE_ID_SIZE - 1);
    head->last_seq = ts_row_int(row, 0);
    memcpy(head->store_id, id.ptr, id.len);
    head->store_id[id.len] = '\0';
    head->reset_seq = 0;
}

static int on_signal(const struct ts_row *row, void *ctx)
{
    struct sink *sink = ctx;
    if (sink->head)
        read_head(row, sink->head);
    if (ts_row_is_null(row, sink->first_column)) /* the head alone: an empty page */
        return 0;
    struct store_signal signal = store_read_signal(row, sink->first_column);
    return sink->fn(&signal, sink->ctx);
}

static int run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params, size_t n,
               ts_row_fn fn, void *ctx)
{
    return (int)TS_MIN(ts_db_run(db, sql, params, n, fn, ctx), 0);
}

static int on_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

/* --- the page ----------------------------------------------------------------------------------------------------------- */

#define PAGE(columns, where)                                                       \
    " " columns " FROM tp_capital_signals s" where " AND (s.ts, s.id) < ($9, $10)" \
    " ORDER BY s.ts DESC, s.id DESC LIMIT $11 OFFSET $12"

/* The page, each row with the head of the same snapshot: read in order from the index, neither sorted nor copied aside. */
#define PAGE_WITH_HEAD(columns, where) \
    "SELECT (SELECT last_seq FROM change_seq), (SELECT store_id FROM change_seq)," PAGE(columns, where)

/* The same and at least one row, so that an empty page has its head too; slower, because of the join. */
#define HEAD_WITH_PAGE(columns, where)                                             \
    "SELECT h.last_seq, h.store_id, s.* FROM change_seq h LEFT JOIN (SELECT" PAGE( \
        columns, where) ") s ON 1 = 1"                                             \
                        " ORDER BY s.ts DESC, s.id DESC"
#define COUNT(where) "SELECT count(*) FROM (SELECT 1 FROM tp_capital_signals s" where " LIMIT $9) s"

#define PAGES(path, postgres, sqlite_)                                                       \
    [path] = {.text = PAGE_WITH_HEAD(STORE_COLUMNS_POSTGRES, STORE_WHERE_POSTGRES postgres), \
              .sqlite = PAGE_WITH_HEAD(STORE_COLUMNS_SQLITE, STORE_WHERE_SQLITE sqlite_)},
#define EMPTY_PAGES(path, postgres, sqlite_)                                                 \
    [path] = {.text = HEAD_WITH_PAGE(STORE_COLUMNS_POSTGRES, STORE_WHERE_POSTGRES postgres), \
              .sqlite = HEAD_WITH_PAGE(STORE_COLUMNS_SQLITE, STORE_WHERE_SQLITE sqlite_)},
#define COUNTS(path, postgres, sqlite_) \
    [path] = {.text = COUNT(STORE_WHERE_POSTGRES postgres), .sqlite = COUNT(STORE_WHERE_SQLITE sqlite_)},

static const struct ts_sql page_sql[] = {STORE_PATHS(PAGES)};
static const struct ts_sql empty_page_sql[] = {STORE_PATHS(EMPTY_PAGES)};
static const struct ts_sql count_sql[] = {STORE_PATHS(COUNTS)};

/* A signal is complete or a message UNKNOWN: what is asked for is neither, so there are few. */
static bool is_odd(const struct store_filter *f)
{
    bool unknown = ts_str_eq(f->signal_type, TS_STR("UNKNOWN"));
    bool signal = !unknown && (!ts_str_is_none(f->signal_type) || !ts_str_is_none(f->trade_type));
    return (unknown && f->complete == 1) || (signal && f->complete == 0);
}

int store_path_of(const struct store_filter *f)
{
    if (is_odd(f))
        return STORE_BY_ODD;
    if (!ts_str_is_none(f->asset))
        return STORE_BY_ASSET;
    if (!ts_str_is_none(f->trade_type) && !ts_str_eq(f->trade_type, TS_STR(STORE_USUAL_TRADE)) &&
        !ts_str_eq(f->trade_type, TS_STR(STORE_NEXT_USUAL_TRADE)))
        return STORE_BY_TRADE;
    return f->has_channel_id ? STORE_BY_CHANNEL : STORE_BY_TIME;
}

void store_put_filters(struct ts_db_value out[STORE_N_FILTERS], const struct store_filter *f)
{
    out[0] = store_time_within(f->from_us);
    out[2] = ts_db_text(f->channel);
    out[3] = ts_db_text(f->signal_type);
    out[4] = ts_db_text(f->trade_type);
    out[5] = f->complete < 0 ? ts_db_null() : ts_db_bool(f->complete);
    out[6] = ts_db_text(f->asset);
    out[7] = f->has_channel_id ? ts_db_int(f->channel_id) : ts_db_null();
    /* Equal upper bounds: PostgreSQL begins to read at the cursor, SQLite at `to`, even when the other one is years before. */
    out[1] = out[8] = store_time_within(TS_MIN(f->before_ts_us, f->to_us));
    out[9] = ts_db_int(f->before_ts_us > f->to_us ? INT64_MAX : f->before_id);
}

struct channel_ids {
    int64_t n, id;
};

static int on_channel_id(const struct ts_row *row, void *ctx)
{
    struct channel_ids *ids = ctx;
    ids->n++;
    ids->id = int_or_zero(row, 0);
    return 0;
}

/* A name that one channel alone ever had is that channel: its index serves. Rows without an id, of an older system, have only names. */
int store_find_channel(struct ts_db *db, struct store_filter *f)
{
    static const struct ts_sql sql = {
        .text =
            "SELECT channel_id FROM channel_stats WHERE channel = $1 UNION ALL"
            " SELECT * FROM (SELECT channel_id FROM tp_capital_signals WHERE channel_id IS NULL LIMIT 1) s"
            " LIMIT 2"};
    struct channel_ids ids = {0};
    if (ts_str_is_none(f->channel) || f->has_channel_id)
        return 0;
    struct ts_db_value name = ts_db_text(f->channel);
    int r = run(db, &sql, &name, 1, on_channel_id, &ids);
    f->has_channel_id = r == 0 && ids.n == 1 && ids.id != 0;
    f->channel_id = ids.id;
    return r;
}

static int list_page(struct ts_db *db, const struct store_filter *f, struct sink *sink)
{
    struct ts_db_value params[STORE_N_FILTERS + 2];
    store_put_filters(params, f);
    params[STORE_N_FILTERS] = ts_db_int(f->limit);
    params[STORE_N_FILTERS + 1] = ts_db_int(f->offset);
    int path = store_path_of(f);
    int64_t n = ts_db_run(db, &page_sql[path], params, TS_ARRAY_LEN(params), on_signal, sink);
    if (n < 0)
        return (int)n;
    if (n != 0 || !sink->head)
        return 0;
    return run(db, &empty_page_sql[path], params, TS_ARRAY_LEN(params), on_signal, sink);
}

int store_walk_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn, void *ctx)
{
    struct sink sink = {.fn = fn, .ctx = ctx, .first_column = 2};
    return list_page(db, filter, &sink);
}

int store_list_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn, void *ctx,
                       struct store_head *ret_head)
{
    struct store_filter own = *filter;
    int r = store_find_channel(db, &own);
    if (r < 0)
        return r;
    if (!ts_str_is_none(own.search))
        return store_search_signals(db, &own, fn, ctx, ret_head);
    struct sink sink = {.fn = fn, .ctx = ctx, .first_column = 2, .head = ret_head};
    return list_page(db, &own, &sink);
}

int store_count_signals(struct ts_db *db, const struct store_filter *filter, int64_t max, int64_t *ret)
{
    struct store_filter own = *filter;
    int r = store_find_channel(db, &own);
    if (r < 0)
        return r;
    if (!ts_str_is_none(own.search))
        return store_count_found(db, &own, max, ret);
    struct ts_db_value params[STORE_N_FILTERS];
    store_put_filters(params, &own);
    params[STORE_N_FILTERS - 2] = ts_db_int(max + 1);
    return run(db, &count_sql[store_path_of(&own)], params, STORE_N_FILTERS - 1, on_int, ret);
}

/* --- one signal --------------------------------------------------------------------------------------------------------- */

#define ONE(columns) "SELECT " columns " FROM tp_capital_signals s WHERE s.id = $1 AND s.deleted_at IS NULL"

int store_get_signal(struct ts_db *db, int64_t id, store_signal_fn fn, void *ctx)
{
    static const struct ts_sql sql = {.text = ONE(STORE_COLUMNS_POSTGRES),
                                      .sqlite = ONE(STORE_COLUMNS_SQLITE)};
    struct sink sink = {.fn = fn, .ctx = ctx};
    struct ts_db_value param = ts_db_int(id);
    int64_t n = ts_db_run(db, &sql, &param, 1, on_signal, &sink);
    return n < 0 ? (int)n : n == 0 ? TS_E_NOT_FOUND : 0;
}

/* --- reading again ------------------------------------------------------------------------------------------------------ */

#define SCAN(columns, any_channel)                                                                         \
    "SELECT " columns " FROM tp_capital_signals s WHERE s.id > $1 AND s.deleted_at IS NULL AND s.ts >= $2" \
    " AND s.ts <= $3 AND (" any_channel " IS NULL OR s.channel_id = $4) ORDER BY s.id LIMIT $5"

int store_scan_signals(struct ts_db *db, const struct store_scan *scan, store_signal_fn fn, void *ctx)
{
    static const struct ts_sql sql = {.text = SCAN(STORE_COLUMNS_POSTGRES, "$4::bigint"),
                                      .sqlite = SCAN(STORE_COLUMNS_SQLITE, "$4")};
    const struct ts_db_value params[] = {
        ts_db_int(scan->after_id),      store_time_within(scan->from_us),
        store_time_within(scan->to_us), scan->has_channel_id ? ts_db_int(scan->channel_id) : ts_db_null(),
        ts_db_int(scan->limit),
    };
    struct sink sink = {.fn = fn, .ctx = ctx};
    return run(db, &sql, params, TS_ARRAY_LEN(params), on_signal, &sink);
}

/* --- versions ----------------------------------------------------------------------------------------------------------- */

struct version_sink {
    store_version_fn fn;
    void *ctx;
};

static int64_t time_or_none(const struct ts_row *row, int column)
{
    return ts_row_is_null(row, column) ? MESSAGE_NO_TIME : ts_row_time(row, column);
}

static int on_version(const struct ts_row *row, void *ctx)
{
    struct version_sink *sink = ctx;
    const struct store_version version = {
        .revision = ts_row_int(row, 0),
        .ts_us = ts_row_time(row, 1),
        .ingested_at_us = ts_row_time(row, 2),
        .edited_at_us = time_or_none(row, 3),
        .received_at_us = time_or_none(row, 4),
        .text = ts_row_text(row, 5),
        .media_type = ts_row_text(row, 6),
        .request_id = ts_row_text(row, 7),
    };
    return sink->fn(&version, sink->ctx);
}

int store_list_versions(struct ts_db *db, int64_t channel_id, int64_t message_id, store_version_fn fn,
                        void *ctx)
{
    static const struct ts_sql sql = {.text = "SELECT revision, ts, ingested_at, edited_at, received_at, "
                                              "raw_message, media_type, request_id FROM ingested_messages"
                                              " WHERE channel_id = $1 AND message_id = $2 ORDER BY revision"};
    struct version_sink sink = {.fn = fn, .ctx = ctx};
    const struct ts_db_value key[] = {ts_db_int(channel_id), ts_db_int(message_id)};
    return run(db, &sql, key, TS_ARRAY_LEN(key), on_version, &sink);
}

/* --- changes ------------------------------------------------------------------------------------------------------------ */

/* Never beyond the last number, whatever somebody wrote there by hand: a reader that was reset knows all there is. */
static int on_head(const struct ts_row *row, void *ctx)
{
    struct store_head *head = ctx;
    read_head(row, head);
    head->reset_seq = TS_MIN(ts_row_int(row, 2), head->last_seq);
    return 0;
}

int store_read_head(struct ts_db *db, struct store_head *ret)
{
    static const struct ts_sql sql = {.text = "SELECT last_seq, store_id, reset_seq FROM change_seq"};
    return run(db, &sql, NULL, 0, on_head, ret);
}

#define CHANGES(columns) \
    "SELECT " columns " FROM tp_capital_signals s WHERE s.seq > $1 AND s.seq <= $2 ORDER BY s.seq LIMIT $3"

int store_list_changes(struct ts_db *db, int64_t since, int64_t upto, int64_t limit, store_signal_fn fn,
                       void *ctx)
{
    static const struct ts_sql sql = {.text = CHANGES(STORE_COLUMNS_POSTGRES),
                                      .sqlite = CHANGES(STORE_COLUMNS_SQLITE)};
    struct sink sink = {.fn = fn, .ctx = ctx};
    const struct ts_db_value params[] = {ts_db_int(since), ts_db_int(upto), ts_db_int(limit)};
    return run(db, &sql, params, TS_ARRAY_LEN(params), on_signal, &sink);
}

int store_count_changes(struct ts_db *db, int64_t since, int64_t max, int64_t *ret)
{
    static const struct ts_sql sql = {
        .text = "SELECT count(*) FROM (SELECT 1 FROM tp_capital_signals WHERE seq > $1 LIMIT $2) s"};
    const struct ts_db_value params[] = {ts_db_int(since), ts_db_int(max + 1)};
    return run(db, &sql, params, TS_ARRAY_LEN(params), on_int, ret);
}
