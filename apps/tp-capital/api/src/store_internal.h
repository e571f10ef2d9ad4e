/* What the store's own files share; nobody else includes it. */
#ifndef TP_CAPITAL_STORE_INTERNAL_H
#define TP_CAPITAL_STORE_INTERNAL_H

#include "store.h"

/* The channel of a message that came without a name, from a channel nobody registered. */
#define STORE_UNKNOWN_CHANNEL "Desconhecido"

/* SQLITE_CONSTRAINT_UNIQUE and _PRIMARYKEY, without its header. */
#define STORE_SQLITE_UNIQUE      2067
#define STORE_SQLITE_PRIMARY_KEY 1555

/* Years 1 to 9999: what both databases can compare with. */
#define STORE_TIME_MIN_US INT64_C(-62135596800000000)
#define STORE_TIME_MAX_US INT64_C(253402300799999999)
static inline struct ts_db_value store_time_within(int64_t time_us)
{
    return ts_db_time(TS_MIN(TS_MAX(time_us, STORE_TIME_MIN_US), STORE_TIME_MAX_US));
}

/* --- filters --- */

/*
 * What a filter asks of a row `s`, for statements in three forms, one for each index that rows can be read from in order: by time, by
 * asset, by channel. All other filters are asked of each row on the way; one that is not wanted is NULL. Bounds that are not wanted are
 * the ends of time, so that the planner always sees a range. Case-insensitive search is SQL's lower(): all letters on PostgreSQL (by the database's locale), ASCII on SQLite.
 */
#define STORE_ANY(n, type, condition) " AND ($" n type " IS NULL OR " condition ")"
#define STORE_WHERE_COMMON(text, bool, find)                                                           \
    " WHERE s.deleted_at IS NULL AND s.ts >= $1 AND s.ts <= $2" STORE_ANY("3", text, "s.channel = $3") \
        STORE_ANY("4", text, "s.signal_type = $4") STORE_ANY("5", text, "s.trade_type = $5")           \
            STORE_ANY("6", bool, "s.complete = $6") STORE_ANY("7", text, find)
#define STORE_WHERE_POSTGRES   \
    STORE_WHERE_COMMON(        \
        "::text", "::boolean", \
        "strpos(lower(s.raw_message), lower($7)) > 0 OR strpos(lower(s.asset), lower($7)) > 0")
#define STORE_WHERE_SQLITE     \
    STORE_WHERE_COMMON("", "", \
                       "instr(lower(s.raw_message), lower($7)) > 0 OR instr(lower(s.asset), lower($7)) > 0")

#define STORE_BY_TIME_POSTGRES \
    STORE_ANY("8", "::text", "s.asset = $8") STORE_ANY("9", "::bigint", "s.channel_id = $9")
#define STORE_BY_TIME_SQLITE      STORE_ANY("8", "", "s.asset = $8") STORE_ANY("9", "", "s.channel_id = $9")
#define STORE_BY_ASSET_POSTGRES   " AND s.asset = $8" STORE_ANY("9", "::bigint", "s.channel_id = $9")
#define STORE_BY_ASSET_SQLITE     " AND s.asset = $8" STORE_ANY("9", "", "s.channel_id = $9")
#define STORE_BY_CHANNEL_POSTGRES " AND s.channel_id = $9" STORE_ANY("8", "::text", "s.asset = $8")
#define STORE_BY_CHANNEL_SQLITE   " AND s.channel_id = $9" STORE_ANY("8", "", "s.asset = $8")

enum store_path { STORE_BY_TIME, STORE_BY_ASSET, STORE_BY_CHANNEL };
enum store_path store_path_of(const struct store_filter *filter);

/* $1 to $9. */
enum { STORE_FILTERS = 9 };
void store_put_filters(struct ts_db_value out[STORE_FILTERS], const struct store_filter *filter);

/* --- writing --- */

/* PostgreSQL: one batch at a time, over all replicas, so that numbers are drawn in commit order. */
extern const struct ts_sql store_sql_lock;

/* What stores a batch there, in one transaction after the lock (store_batch.c, store_tx.c); `make bench` measures them by themselves. */
extern const struct ts_sql store_sql_insert_batch, store_sql_trim, store_sql_notify;

/* channel_id, channel, how many more (or fewer), the last one's time or null: what GET /channels counts (store_ingest.c). */
extern const struct ts_sql store_sql_count_channel;

/* A statement whose rows, if it has any, nobody wants. 0 or an error. */
static inline int store_run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params,
                            size_t n)
{
    return (int)TS_MIN(ts_db_run(db, sql, params, n, NULL, NULL), 0);
}

/* The columns that an edit replaces: asset, signal_type, trade_type, buy_min (also price), buy_max, target_1, target_2, target_final,
 * take_profit, stop, complete, raw_message. */
enum { STORE_READING_COLUMNS = 12 };
void store_put_reading(struct ts_db_value out[STORE_READING_COLUMNS], const struct store_ingest *in);

/* MESSAGE_NO_TIME is null. */
struct ts_db_value store_time_or_null(int64_t time_us);

/*
 * After a batch failed with `result`: a single message that a unique key refused is stored once more by itself. Is its version there by
 * now, another writer was faster: 0 and STORE_DUPLICATE_RACE. Otherwise some other key refuses it (numbers that lag behind the rows,
 * say): it is not stored, and the error stays one, so that its sender keeps it. Any other failure is returned as it is.
 */
int store_settle(struct ts_db *db, struct ts_writer_op *const *ops, size_t n, int result);

#endif
