/* The numbers of change, for what changes many rows at once (store_ingest.c and store_batch.c draw their own, one a row). */
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

int store_lock_changes(struct ts_db *db)
{
    if (ts_db_dialect(db) != TS_POSTGRES)
        return 0; /* the transaction is the lock */
    return (int)TS_MIN(ts_db_run(db, &store_sql_lock, NULL, 0, NULL, NULL), 0);
}

static int on_first(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

int store_draw_reset(struct ts_db *db, int64_t n, int64_t *ret_first)
{
    static const struct ts_sql draw = {
        .text = "UPDATE change_seq SET first_seq = last_seq + 1, last_seq = last_seq + $1,"
                " reset_seq = last_seq + $1 RETURNING first_seq"};
    const struct ts_db_value count = ts_db_int(n);
    int64_t first = 0;

    int64_t r = ts_db_run(db, &draw, &count, 1, on_first, &first);
    if (r >= 0 && ts_db_dialect(db) == TS_POSTGRES)
        r = ts_db_run(db, &store_sql_notify, NULL, 0, NULL, NULL);
    if (r < 0)
        return (int)r;
    *ret_first = first;
    return 0;
}
