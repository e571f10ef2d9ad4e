/* Counting signals by channel, asset and day. */
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

/*
 * PostgreSQL. Each day is a range of an index, so there is nothing to sort and the planner knows how few groups a day has; a GROUP BY
 * over an expression of ts would make it expect one for each row. What comes out is added up again for each of the three.
 */
#define GROUPS_POSTGRES(where)                                                                             \
    "SELECT grouping(channel, asset, day)::bigint, channel_id, channel, asset, sum(messages)::bigint, "    \
    "sum(buy)::bigint, sum(sell)::bigint, sum(complete)::bigint, max(last_ts)"                             \
    " FROM (SELECT d.n AS day, c.* FROM unnest($10::timestamptz[], $11::timestamptz[]) WITH ORDINALITY d " \
    "(first, next, n)"                                                                                     \
    " CROSS JOIN LATERAL (SELECT s.channel_id, s.channel, s.asset, count(*) AS messages,"                  \
    " count(*) FILTER (WHERE s.signal_type = 'BUY') AS buy,"                                               \
    " count(*) FILTER (WHERE s.signal_type = 'SELL') AS sell,"                                             \
    " count(*) FILTER (WHERE s.complete) AS complete, max(s.ts) AS last_ts"                                \
    " FROM tp_capital_signals s" where " AND s.ts >= d.first AND s.ts < d.next"                            \
    " GROUP BY s.channel_id, s.channel, s.asset) c) g"                                                     \
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

int store_count_groups(struct ts_db *db, const struct store_filter *filter, const int64_t *days,
                       size_t n_days, store_count_fn fn, void *ctx)
{
    static const struct ts_sql sql[] = {
        [STORE_BY_TIME] = {.text = GROUPS_POSTGRES(STORE_WHERE_POSTGRES STORE_BY_TIME_POSTGRES),
                           .sqlite = ROWS_SQLITE(STORE_WHERE_SQLITE STORE_BY_TIME_SQLITE)},
        [STORE_BY_ASSET] = {.text = GROUPS_POSTGRES(STORE_WHERE_POSTGRES STORE_BY_ASSET_POSTGRES),
                            .sqlite = ROWS_SQLITE(STORE_WHERE_SQLITE STORE_BY_ASSET_SQLITE)},
        [STORE_BY_CHANNEL] = {.text = GROUPS_POSTGRES(STORE_WHERE_POSTGRES STORE_BY_CHANNEL_POSTGRES),
                              .sqlite = ROWS_SQLITE(STORE_WHERE_SQLITE STORE_BY_CHANNEL_SQLITE)},
    };
    struct sink sink = {.fn = fn, .ctx = ctx};
    struct ts_db_value params[STORE_FILTERS + 2];
    size_t n = STORE_FILTERS;

    store_put_filters(params, filter);
    if (ts_db_dialect(db) == TS_POSTGRES) {
        params[n++] = (struct ts_db_value){.type = TS_DB_TIME_ARRAY, .array = {.i64 = days, .n = n_days}};
        params[n++] = (struct ts_db_value){.type = TS_DB_TIME_ARRAY, .array = {.i64 = days + 1, .n = n_days}};
    }
    return (int)TS_MIN(ts_db_run(db, &sql[store_path_of(filter)], params, n, on_group, &sink), 0);
}
