/* The interface: hands every call to the connection's driver. */
#include "db/db.h"

#include <stdio.h>

#include "db/db_internal.h"

int ts_db_open(const struct ts_db_options *options, struct ts_db **ret)
{
    assert(options->driver);
    return options->driver->open(options, ret);
}

struct ts_db *ts_db_close(struct ts_db *db)
{
    if (db)
        db->driver->close(db);
    return NULL;
}

enum ts_dialect ts_db_dialect(const struct ts_db *db)
{
    return db->driver->dialect;
}

void ts_db_set_deadline(struct ts_db *db, int64_t deadline_us)
{
    db->deadline_us = deadline_us;
}

const struct ts_db_error *ts_db_error(const struct ts_db *db)
{
    return &db->error;
}

int ts_db_fail(struct ts_db_error *out, int error, const char *message)
{
    *out = (struct ts_db_error){.error = error};
    snprintf(out->message, sizeof(out->message), "%s", message);
    return error;
}

int64_t ts_db_run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params,
                  size_t n_params, ts_row_fn on_row, void *ctx)
{
    assert(n_params <= TS_DB_MAX_PARAMS);
    return db->driver->run(db, sql, params, n_params, on_row, ctx);
}

int ts_db_script(struct ts_db *db, const char *script)
{
    return db->driver->script(db, script);
}

int ts_db_begin(struct ts_db *db)
{
    return db->driver->begin(db);
}

int ts_db_commit(struct ts_db *db)
{
    return db->driver->commit(db);
}

void ts_db_rollback(struct ts_db *db)
{
    db->driver->rollback(db);
}

int ts_db_transaction(struct ts_db *db, struct ts_db_step *steps, size_t n)
{
    assert(n <= TS_DB_MAX_STEPS);
    return db->driver->transaction(db, steps, n);
}

bool ts_row_is_null(const struct ts_row *row, int column)
{
    return row->driver->row_is_null(row, column);
}

int64_t ts_row_int(const struct ts_row *row, int column)
{
    return row->driver->row_number(row, column, TS_DB_INT);
}

bool ts_row_bool(const struct ts_row *row, int column)
{
    return row->driver->row_number(row, column, TS_DB_BOOL) != 0;
}

int64_t ts_row_time(const struct ts_row *row, int column)
{
    return row->driver->row_number(row, column, TS_DB_TIME);
}

int64_t ts_row_price(const struct ts_row *row, int column)
{
    return row->driver->row_number(row, column, TS_DB_PRICE);
}

ts_str ts_row_text(const struct ts_row *row, int column)
{
    return row->driver->row_text(row, column);
}
