/*
 * Reads back what the API stored, as a client sees it and as it lies in the database, and judges it by the ledger. Each prints its line.
 *
 * Every function returns what it counted, also when that is bad; a store that can't be read ends the test program. Thread rule: main thread.
 */
#ifndef FAULT_STORED_H
#define FAULT_STORED_H

#include "ledger.h"

/* GET /signals page by page, by cursor, from a running API. Order is not judged. */
struct ledger_count stored_by_api(struct ledger *ledger, int port);

/* The signals, in the order in which they were stored, then the keys; of a database file that nobody writes, or of a server. */
struct ledger_count stored_signals_sqlite(struct ledger *ledger, const char *path, bool ordered);
struct ledger_count stored_keys_sqlite(struct ledger *ledger, const char *path);
struct ledger_count stored_signals_postgres(struct ledger *ledger, const char *url, bool ordered);
struct ledger_count stored_keys_postgres(struct ledger *ledger, const char *url);

/* Calls fn with the number of each change that is in the table of signals, ascending; returns how many there are. */
size_t stored_seqs_postgres(const char *url, void (*fn)(int64_t seq, void *ctx), void *ctx);

#endif
