/* Begin and end of what changes something. */
#include "store.h"
#include "store_internal.h"

static int on_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

int store_tx_begin(struct ts_db *db, struct store_tx *ret)
{
    static const struct ts_sql head = {.text = "SELECT last_seq FROM change_seq"};

    *ret = (struct store_tx){.db = db};
    int r = ts_db_begin(db);
    if (r == 0)
        r = store_lock_changes(db);
    if (r == 0)
        r = (int)TS_MIN(ts_db_run(db, &head, NULL, 0, on_int, &ret->seq_before), 0);
    ret->seq = ret->seq_before;
    return r;
}

int store_tx_commit(struct store_tx *tx)
{
    static const struct ts_sql head = {.text = "UPDATE change_seq SET first_seq = $1, last_seq = $2"};

    if (tx->seq > tx->seq_before) {
        const struct ts_db_value numbers[] = {ts_db_int(tx->seq_before + 1), ts_db_int(tx->seq)};
        int r = store_run(tx->db, &head, numbers, TS_ARRAY_LEN(numbers));
        if (r == 0 && ts_db_dialect(tx->db) == TS_POSTGRES)
            r = store_run(tx->db, &store_sql_notify, NULL, 0);
        if (r < 0)
            return r;
    }
    return ts_db_commit(tx->db);
}
