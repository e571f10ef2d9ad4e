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

/* --- reading signals ------------------------------------------------------------------------------------------------------- */

/* In the order of store_read_signal(). take_profit is the text '{32.1,33}' in both dialects. */
#define STORE_COLUMNS(take_profit)                                                                   \
    "s.id, s.seq, s.revision, s.ts, s.ingested_at, s.channel_id, s.message_id, s.channel, s.asset, " \
    "s.signal_type, s.trade_type,"                                                                   \
    " s.raw_message, s.source, " take_profit ", s.buy_min, s.buy_max, s.target_1, s.target_2, "      \
    "s.target_final, s.stop, s.complete, s.deleted_at IS NOT NULL"
#define STORE_COLUMNS_POSTGRES STORE_COLUMNS("s.take_profit::text")
#define STORE_COLUMNS_SQLITE   STORE_COLUMNS("s.take_profit")

/* c: where the STORE_COLUMNS begin. */
struct store_signal store_read_signal(const struct ts_row *row, int c);

/*
 * One statement for each index that a page can be read from in order: by time, asset, channel, unusual trade type, unusual completeness. All
 * other filters are asked of each row on the way; one that is not wanted is NULL. Bounds that are not wanted are the ends of time, so that
 * the planner always sees a range.
 */
#define STORE_USUAL_TRADE             "Swing Trade"
#define STORE_NEXT_USUAL_TRADE        "Day Trade"
#define STORE_ANY(n, type, condition) " AND ($" n type " IS NULL OR " condition ")"
#define STORE_CONDITIONS(text, bool)                                                            \
    "s.deleted_at IS NULL AND s.ts >= $1 AND s.ts <= $2" STORE_ANY("3", text, "s.channel = $3") \
        STORE_ANY("4", text, "s.signal_type = $4") STORE_ANY("5", text, "s.trade_type = $5")    \
            STORE_ANY("6", bool, "s.complete = $6")
#define STORE_WHERE_POSTGRES " WHERE " STORE_CONDITIONS("::text", "::boolean")
#define STORE_WHERE_SQLITE   " WHERE " STORE_CONDITIONS("", "")

#define STORE_ASSET(text)     STORE_ANY("7", text, "s.asset = $7")
#define STORE_CHANNEL(bigint) STORE_ANY("8", bigint, "s.channel_id = $8")
#define STORE_ALL_POSTGRES    STORE_ASSET("::text") STORE_CHANNEL("::bigint")
#define STORE_ALL_SQLITE      STORE_ASSET("") STORE_CHANNEL("")
#define STORE_TRADE                                                          \
    " AND s.trade_type = $5 AND s.trade_type <> '" STORE_USUAL_TRADE "' AND" \
    " s.trade_type <> '" STORE_NEXT_USUAL_TRADE "'"
#define STORE_ODD " AND s.complete = (s.signal_type = 'UNKNOWN')"

enum { STORE_BY_TIME, STORE_BY_ASSET, STORE_BY_CHANNEL, STORE_BY_TRADE, STORE_BY_ODD };
#define STORE_PATHS(each)                                                                          \
    each(STORE_BY_TIME, STORE_ALL_POSTGRES, STORE_ALL_SQLITE)                                      \
        each(STORE_BY_ASSET, " AND s.asset = $7" STORE_CHANNEL("::bigint"),                        \
             " AND s.asset = $7" STORE_CHANNEL(""))                                                \
            each(STORE_BY_CHANNEL, " AND s.channel_id = $8" STORE_ASSET("::text"),                 \
                 " AND s.channel_id = $8" STORE_ASSET(""))                                         \
                each(STORE_BY_TRADE, STORE_TRADE STORE_ALL_POSTGRES, STORE_TRADE STORE_ALL_SQLITE) \
                    each(STORE_BY_ODD, STORE_ODD STORE_ALL_POSTGRES, STORE_ODD STORE_ALL_SQLITE)
int store_path_of(const struct store_filter *filter);

/* $1 to $8 of the above, and the cursor, $9 and $10. */
enum { STORE_N_FILTERS = 10 };
void store_put_filters(struct ts_db_value out[STORE_N_FILTERS], const struct store_filter *filter);

/* The page by every filter but `search`, without a head. fn may end it by a positive number, which is returned. */
int store_walk_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn, void *ctx);

/* A channel that is asked for by a name which it alone ever had is asked for by its id, too: its index serves. */
int store_find_channel(struct ts_db *db, struct store_filter *filter);

/* store_list_signals() and store_count_signals() with a search (store_search.c). */
int store_search_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn, void *ctx,
                         struct store_head *ret_head);
/* PostgreSQL: is there a trigram index? */
#define STORE_HAS_TRIGRAMS                                                                           \
    "EXISTS (SELECT FROM pg_catalog.pg_indexes WHERE schemaname = current_schema() AND indexname = " \
    "'signal_search_trigrams')"
int store_count_found(struct ts_db *db, const struct store_filter *filter, int64_t max, int64_t *ret);

/* --- writing --------------------------------------------------------------------------------------------------------------- */

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
