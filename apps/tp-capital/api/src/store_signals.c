/* Reading signals, their versions and their changes. */
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

/* --- rows --------------------------------------------------------------------------------------------------------------- */

/* In the order of read_signal(). take_profit is the text '{32.1,33}' in both dialects. */
#define COLUMNS(take_profit)                                                                         \
    "s.id, s.seq, s.revision, s.ts, s.ingested_at, s.channel_id, s.message_id, s.channel, s.asset, " \
    "s.signal_type, s.trade_type,"                                                                   \
    " s.raw_message, s.source, " take_profit ", s.buy_min, s.buy_max, s.target_1, s.target_2, "      \
    "s.target_final, s.stop, s.complete, s.deleted_at IS NOT NULL"
#define COLUMNS_POSTGRES COLUMNS("s.take_profit::text")
#define COLUMNS_SQLITE   COLUMNS("s.take_profit")

static int64_t price_or_zero(const struct ts_row *row, int column)
{
    return ts_row_is_null(row, column) ? 0 : ts_row_price(row, column);
}

static int64_t int_or_zero(const struct ts_row *row, int column)
{
    return ts_row_is_null(row, column) ? 0 : ts_row_int(row, column);
}

/* c: the first of COLUMNS. */
static struct store_signal read_signal(const struct ts_row *row, int c)
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
    struct store_signal signal = read_signal(row, sink->first_column);
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

/*
 * Three statements, one for each index that a page can be read from in order: by time, by asset, by channel. All other filters are
 * asked of each row on the way; one that is not wanted is NULL. Bounds that are not wanted are the ends of time, so that the planner
 * always sees a range. Case-insensitive search is SQL's lower(): all letters on PostgreSQL (by the database's locale), ASCII on SQLite.
 */
#define ANY(n, type, condition) " AND ($" n type " IS NULL OR " condition ")"
#define WHERE_COMMON(text, bool, find)                                                           \
    " WHERE s.deleted_at IS NULL AND s.ts >= $1 AND s.ts <= $2" ANY("3", text, "s.channel = $3") \
        ANY("4", text, "s.signal_type = $4") ANY("5", text, "s.trade_type = $5")                 \
            ANY("6", bool, "s.complete = $6") ANY("7", text, find)
#define WHERE_POSTGRES                  \
    WHERE_COMMON("::text", "::boolean", \
                 "strpos(lower(s.raw_message), lower($7)) > 0 OR strpos(lower(s.asset), lower($7)) > 0")
#define WHERE_SQLITE \
    WHERE_COMMON("", "", "instr(lower(s.raw_message), lower($7)) > 0 OR instr(lower(s.asset), lower($7)) > 0")

#define BY_TIME_POSTGRES    ANY("8", "::text", "s.asset = $8") ANY("9", "::bigint", "s.channel_id = $9")
#define BY_TIME_SQLITE      ANY("8", "", "s.asset = $8") ANY("9", "", "s.channel_id = $9")
#define BY_ASSET_POSTGRES   " AND s.asset = $8" ANY("9", "::bigint", "s.channel_id = $9")
#define BY_ASSET_SQLITE     " AND s.asset = $8" ANY("9", "", "s.channel_id = $9")
#define BY_CHANNEL_POSTGRES " AND s.channel_id = $9" ANY("8", "::text", "s.asset = $8")
#define BY_CHANNEL_SQLITE   " AND s.channel_id = $9" ANY("8", "", "s.asset = $8")

#define PAGE(columns, where)                                                        \
    " " columns " FROM tp_capital_signals s" where " AND (s.ts, s.id) < ($10, $11)" \
    " ORDER BY s.ts DESC, s.id DESC LIMIT $12 OFFSET $13"

/* The page, each row with the head of the same snapshot: read in order from the index, neither sorted nor copied aside. */
#define PAGE_WITH_HEAD(columns, where) \
    "SELECT (SELECT last_seq FROM change_seq), (SELECT store_id FROM change_seq)," PAGE(columns, where)

/* The same and at least one row, so that an empty page has its head too; slower, because of the join. */
#define HEAD_WITH_PAGE(columns, where)                                             \
    "SELECT h.last_seq, h.store_id, s.* FROM change_seq h LEFT JOIN (SELECT" PAGE( \
        columns, where) ") s ON 1 = 1"                                             \
                        " ORDER BY s.ts DESC, s.id DESC"
#define COUNT(where) "SELECT count(*) FROM (SELECT 1 FROM tp_capital_signals s" where " LIMIT $10) s"

enum { BY_TIME, BY_ASSET, BY_CHANNEL };

static const struct ts_sql page_sql[] = {
    [BY_TIME] = {.text = PAGE_WITH_HEAD(COLUMNS_POSTGRES, WHERE_POSTGRES BY_TIME_POSTGRES),
                 .sqlite = PAGE_WITH_HEAD(COLUMNS_SQLITE, WHERE_SQLITE BY_TIME_SQLITE)},
    [BY_ASSET] = {.text = PAGE_WITH_HEAD(COLUMNS_POSTGRES, WHERE_POSTGRES BY_ASSET_POSTGRES),
                  .sqlite = PAGE_WITH_HEAD(COLUMNS_SQLITE, WHERE_SQLITE BY_ASSET_SQLITE)},
    [BY_CHANNEL] = {.text = PAGE_WITH_HEAD(COLUMNS_POSTGRES, WHERE_POSTGRES BY_CHANNEL_POSTGRES),
                    .sqlite = PAGE_WITH_HEAD(COLUMNS_SQLITE, WHERE_SQLITE BY_CHANNEL_SQLITE)},
};

static const struct ts_sql empty_page_sql[] = {
    [BY_TIME] = {.text = HEAD_WITH_PAGE(COLUMNS_POSTGRES, WHERE_POSTGRES BY_TIME_POSTGRES),
                 .sqlite = HEAD_WITH_PAGE(COLUMNS_SQLITE, WHERE_SQLITE BY_TIME_SQLITE)},
    [BY_ASSET] = {.text = HEAD_WITH_PAGE(COLUMNS_POSTGRES, WHERE_POSTGRES BY_ASSET_POSTGRES),
                  .sqlite = HEAD_WITH_PAGE(COLUMNS_SQLITE, WHERE_SQLITE BY_ASSET_SQLITE)},
    [BY_CHANNEL] = {.text = HEAD_WITH_PAGE(COLUMNS_POSTGRES, WHERE_POSTGRES BY_CHANNEL_POSTGRES),
                    .sqlite = HEAD_WITH_PAGE(COLUMNS_SQLITE, WHERE_SQLITE BY_CHANNEL_SQLITE)},
};

static const struct ts_sql count_sql[] = {
    [BY_TIME] = {.text = COUNT(WHERE_POSTGRES BY_TIME_POSTGRES),
                 .sqlite = COUNT(WHERE_SQLITE BY_TIME_SQLITE)},
    [BY_ASSET] = {.text = COUNT(WHERE_POSTGRES BY_ASSET_POSTGRES),
                  .sqlite = COUNT(WHERE_SQLITE BY_ASSET_SQLITE)},
    [BY_CHANNEL] = {.text = COUNT(WHERE_POSTGRES BY_CHANNEL_POSTGRES),
                    .sqlite = COUNT(WHERE_SQLITE BY_CHANNEL_SQLITE)},
};

static int path_of(const struct store_filter *filter)
{
    if (!ts_str_is_none(filter->asset))
        return BY_ASSET;
    return filter->has_channel_id ? BY_CHANNEL : BY_TIME;
}

/* Years 1 to 9999: what both databases can compare with. */
static struct ts_db_value time_within(int64_t time_us)
{
    return ts_db_time(TS_MIN(TS_MAX(time_us, STORE_TIME_MIN_US), STORE_TIME_MAX_US));
}

enum { N_FILTERS = 9 };
static void put_filters(struct ts_db_value out[N_FILTERS], const struct store_filter *f)
{
    out[0] = time_within(f->from_us);
    out[1] = time_within(f->to_us);
    out[2] = ts_db_text(f->channel);
    out[3] = ts_db_text(f->signal_type);
    out[4] = ts_db_text(f->trade_type);
    out[5] = f->complete < 0 ? ts_db_null() : ts_db_bool(f->complete);
    out[6] = ts_db_text(f->search);
    out[7] = ts_db_text(f->asset);
    out[8] = f->has_channel_id ? ts_db_int(f->channel_id) : ts_db_null();
}

int store_list_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn, void *ctx,
                       struct store_head *ret_head)
{
    struct ts_db_value params[N_FILTERS + 4];
    put_filters(params, filter);
    params[N_FILTERS] = time_within(filter->before_ts_us);
    params[N_FILTERS + 1] = ts_db_int(filter->before_id);
    params[N_FILTERS + 2] = ts_db_int(filter->limit);
    params[N_FILTERS + 3] = ts_db_int(filter->offset);
    struct sink sink = {.fn = fn, .ctx = ctx, .first_column = 2, .head = ret_head};
    int path = path_of(filter);
    int64_t n = ts_db_run(db, &page_sql[path], params, TS_ARRAY_LEN(params), on_signal, &sink);
    if (n != 0)
        return (int)TS_MIN(n, 0);
    return run(db, &empty_page_sql[path], params, TS_ARRAY_LEN(params), on_signal, &sink);
}

int store_count_signals(struct ts_db *db, const struct store_filter *filter, int64_t max, int64_t *ret)
{
    struct ts_db_value params[N_FILTERS + 1];
    put_filters(params, filter);
    params[N_FILTERS] = ts_db_int(max + 1);
    return run(db, &count_sql[path_of(filter)], params, TS_ARRAY_LEN(params), on_int, ret);
}

/* --- one signal --------------------------------------------------------------------------------------------------------- */

#define ONE(columns) "SELECT " columns " FROM tp_capital_signals s WHERE s.id = $1 AND s.deleted_at IS NULL"

int store_get_signal(struct ts_db *db, int64_t id, store_signal_fn fn, void *ctx)
{
    static const struct ts_sql sql = {.text = ONE(COLUMNS_POSTGRES), .sqlite = ONE(COLUMNS_SQLITE)};
    struct sink sink = {.fn = fn, .ctx = ctx};
    struct ts_db_value param = ts_db_int(id);
    int64_t n = ts_db_run(db, &sql, &param, 1, on_signal, &sink);
    return n < 0 ? (int)n : n == 0 ? TS_E_NOT_FOUND : 0;
}

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
    static const struct ts_sql sql = {.text = CHANGES(COLUMNS_POSTGRES), .sqlite = CHANGES(COLUMNS_SQLITE)};
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
