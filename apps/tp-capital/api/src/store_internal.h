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

/* PostgreSQL: one batch at a time, over all replicas, so that numbers are drawn in commit order. */
extern const struct ts_sql store_sql_lock;

/* What stores a batch there, in one transaction after the lock (store_batch.c, store_changes.c); `make bench` measures them by themselves. */
extern const struct ts_sql store_sql_insert_batch, store_sql_trim, store_sql_notify;

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
