/*
 * Inside lib/db: what a driver is. Tests make drivers of their own from it (one that fails, one that
 * acknowledges too early). A driver's connection embeds struct ts_db first, its row struct ts_row.
 */
#ifndef TS_DB_DB_INTERNAL_H
#define TS_DB_DB_INTERNAL_H

#include <assert.h>

#include "base/error.h"
#include "db/db.h"

struct ts_db_driver {
    enum ts_dialect dialect;
    int (*open)(const struct ts_db_options *options, struct ts_db **ret);
    void (*close)(struct ts_db *db);
    int64_t (*run)(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params,
                   size_t n_params, ts_row_fn on_row, void *ctx);
    int (*script)(struct ts_db *db, const char *script);
    int (*begin)(struct ts_db *db);
    int (*commit)(struct ts_db *db);
    void (*rollback)(struct ts_db *db);
    int (*transaction)(struct ts_db *db, struct ts_db_step *steps, size_t n);
    bool (*row_is_null)(const struct ts_row *row, int column);
    int64_t (*row_number)(const struct ts_row *row, int column,
                          enum ts_db_type type); /* INT, BOOL, TIME or PRICE */
    ts_str (*row_text)(const struct ts_row *row, int column);
};

struct ts_db {
    const struct ts_db_driver *driver;
    int64_t deadline_us; /* monotonic; 0 = none */
    struct ts_db_error error;
};

struct ts_row {
    const struct ts_db_driver *driver;
};

#define TS_DB_DEFAULT_TIMEOUT_US INT64_C(2000000)

/* Notes a failure that the engine did not put into words itself; returns `error`. */
int ts_db_fail(struct ts_db_error *out, int error, const char *message);

/*
 * Prepared statements of one connection, found by the address of their ts_sql. Born with its maximum: at the
 * end of the room everything is released and preparing begins anew (programs have some dozens of statements).
 */
#define TS_DB_MAX_STATEMENTS 256

struct ts_statements {
    struct ts_statement_slot {
        const struct ts_sql *sql; /* NULL = free */
        void *prepared;
    } slots[2 * TS_DB_MAX_STATEMENTS];
    size_t n;
};

void *ts_statements_find(const struct ts_statements *statements,
                         const struct ts_sql *sql); /* NULL when absent */
/* Adds or replaces; the old one is released. */
void ts_statements_put(struct ts_statements *statements, const struct ts_sql *sql, void *prepared,
                       void (*release)(void *prepared));
void ts_statements_clear(struct ts_statements *statements, void (*release)(void *prepared));

#endif
