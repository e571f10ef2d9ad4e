/* Counting signals by channel, asset and day. */
#include "base/clock.h"
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

/*
 * PostgreSQL. Each day is a range of an index, so there is nothing to sort and the planner knows how few groups a day has; a GROUP BY
 * over an expression of ts would make it expect one for each row. What comes out is added up again for each of the three.
 */
#define GROUPS_POSTGRES(where)                                                                            \
    "SELECT grouping(channel, asset, day)::bigint, channel_id, channel, asset, sum(messages)::bigint, "   \
    "sum(buy)::bigint, sum(sell)::bigint, sum(complete)::bigint, max(last_ts)"                            \
    " FROM (SELECT d.n AS day, c.* FROM unnest($9::timestamptz[], $10::timestamptz[]) WITH ORDINALITY d " \
    "(first, next, n)"                                                                                    \
    " CROSS JOIN LATERAL (SELECT s.channel_id, s.channel, s.asset, count(*) AS messages,"                 \
    " count(*) FILTER (WHERE s.signal_type = 'BUY') AS buy,"                                              \
    " count(*) FILTER (WHERE s.signal_type = 'SELL') AS sell,"                                            \
    " count(*) FILTER (WHERE s.complete) AS complete, max(s.ts) AS last_ts"                               \
    " FROM tp_capital_signals s" where " AND s.ts >= d.first AND s.ts < d.next"                           \
    " GROUP BY s.channel_id, s.channel, s.asset) c) g"                                                    \
    " GROUP BY GROUPING SETS ((channel_id, channel), (asset), (day))"

/* SQLite: see struct store_count. */
#define ROWS_SQLITE(where)                                                                           \
    "SELECT 0, s.channel_id, s.channel, s.asset, 1, s.signal_type = 'BUY', s.signal_type = 'SELL', " \
    "s.complete, s.ts FROM tp_capital_signals s" where

/* The bits of grouping(): set for what a group is not of. */
enum { NOT_OF_DAY = 1, NOT_OF_ASSET = 2, NOT_OF_CHANNEL = 4 };

struct sink {
    store_count_fn fn;
    void *ctx;
};

static int on_group(const struct ts_row *row, void *ctx)
{
    const struct sink *sink = ctx;
    const int64_t not_of = ts_row_int(row, 0);
    const struct store_count count = {
        .of_channel = !(not_of & NOT_OF_CHANNEL),
        .of_asset = !(not_of & NOT_OF_ASSET),
        .of_day = !(not_of & NOT_OF_DAY),
        .has_channel_id = !ts_row_is_null(row, 1),
        .channel_id = ts_row_is_null(row, 1) ? 0 : ts_row_int(row, 1),
        .channel = ts_row_text(row, 2),
        .asset = ts_row_text(row, 3),
        .messages = ts_row_int(row, 4),
        .buy = ts_row_int(row, 5),
        .sell = ts_row_int(row, 6),
        .complete = ts_row_int(row, 7),
        .last_us = ts_row_time(row, 8),
    };
    return sink->fn(&count, sink->ctx);
}

/* --- with a search ------------------------------------------------------------------------------------------------------ */

/* A search is many statements; together they have the time that one has. */
#define SEARCH_US (2 * TS_US_PER_S)

struct found_sink {
    store_count_fn fn;
    void *ctx;
    int64_t until_us;
};

static int on_found(const struct store_signal *row, void *ctx)
{
    const struct found_sink *sink = ctx;
    const struct store_count count = {
        .of_channel = true,
        .of_asset = true,
        .of_day = true,
        .has_channel_id = row->has_channel_id,
        .channel_id = row->channel_id,
        .channel = row->channel,
        .asset = row->asset,
        .messages = 1,
        .buy = ts_str_eq(row->signal_type, TS_STR("BUY")),
        .sell = ts_str_eq(row->signal_type, TS_STR("SELL")),
        .complete = row->complete,
        .last_us = row->ts_us,
    };
    return ts_clock_mono_us() > sink->until_us ? TS_E_DB_TIMEOUT : sink->fn(&count, sink->ctx);
}

static int count_found(struct ts_db *db, const struct store_filter *filter, store_count_fn fn, void *ctx)
{
    struct found_sink sink = {.fn = fn, .ctx = ctx, .until_us = ts_clock_mono_us() + SEARCH_US};
    struct store_filter all = *filter;
    struct store_head head;

    all.before_ts_us = all.before_id = INT64_MAX;
    all.offset = 0;
    all.limit = INT64_MAX;
    return store_search_signals(db, &all, on_found, &sink, &head);
}

/* --- counting ----------------------------------------------------------------------------------------------------------- */

#define COUNTS(path, postgres, sqlite_)                               \
    [path] = {.text = GROUPS_POSTGRES(STORE_WHERE_POSTGRES postgres), \
              .sqlite = ROWS_SQLITE(STORE_WHERE_SQLITE sqlite_)},

int store_count_groups(struct ts_db *db, const struct store_filter *filter, const int64_t *days,
                       size_t n_days, store_count_fn fn, void *ctx)
{
    static const struct ts_sql sql[] = {STORE_PATHS(COUNTS)};
    struct sink sink = {.fn = fn, .ctx = ctx};
    struct store_filter own = *filter;
    struct ts_db_value params[STORE_N_FILTERS];
    size_t n = STORE_N_FILTERS - 2; /* without a cursor */

    int r = store_find_channel(db, &own);
    if (r < 0)
        return r;
    if (!ts_str_is_none(own.search))
        return count_found(db, &own, fn, ctx);
    own.before_ts_us = own.before_id = INT64_MAX;
    store_put_filters(params, &own);
    if (ts_db_dialect(db) == TS_POSTGRES) {
        params[n++] = (struct ts_db_value){.type = TS_DB_TIME_ARRAY, .array = {.i64 = days, .n = n_days}};
        params[n++] = (struct ts_db_value){.type = TS_DB_TIME_ARRAY, .array = {.i64 = days + 1, .n = n_days}};
    }
    return (int)TS_MIN(ts_db_run(db, &sql[store_path_of(&own)], params, n, on_group, &sink), 0);
}
