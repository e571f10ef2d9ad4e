/*
 * Store: rows moving in and out (transfer.h says what they are). Thread rule: one thread, which owns the connection.
 */
#ifndef TP_CAPITAL_STORE_TRANSFER_H
#define TP_CAPITAL_STORE_TRANSFER_H

#include "store.h"
#include "transfer.h"

/*
 * Stores a row of the layout's table unless it is there: a signal by its message, or without one by time, channel and text; a forwarded
 * message by time, source, message, destination and method; a channel or bot by id, or by what is registered once. A signal draws a
 * number, its message becomes known, and its channel counts it; store_tx_commit_reset() ends the transaction.
 */
TS_MUST_CHECK int store_import_row(struct store_tx *tx, const struct transfer_layout *layout,
                                   const struct ts_db_value *row, bool *ret_stored);

/* The first `limit` rows after this id (NULL value: from the start), by id, with the columns of the layout but those of import. */
TS_MUST_CHECK int store_export_rows(struct ts_db *db, const struct transfer_layout *layout,
                                    const struct ts_db_value *after, int64_t limit, store_row_fn fn,
                                    void *ctx);

#endif
