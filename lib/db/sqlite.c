/*
 * SQLite driver: WAL, synchronous=FULL. The writing connection also checkpoints, in its own commit hook,
 * because SQLite's own hook swallows a failed sync of the database file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "db/db_internal.h"

#define CHECKPOINT_PAGES 1000
#define MAX_WAL_BYTES    "67108864" /* what a reset WAL keeps on disk */
#define PROGRESS_STEPS   20000      /* virtual machine steps between two looks at the clock */

struct sqlite_db {
    struct ts_db base;
    sqlite3 *handle;
    int64_t timeout_us;
    int64_t query_until_us; /* monotonic; 0 = nothing runs that may be interrupted */
    bool sync_failed;
    struct ts_statements statements;
};

struct sqlite_row {
    struct ts_row base;
    sqlite3_stmt *stmt;
};

static struct sqlite_db *self(struct ts_db *db)
{
    return TS_CONTAINER_OF(db, struct sqlite_db, base);
}

/* --- errors --- */

static int class_of(int code, int system_errno)
{
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        return TS_E_DB_SYNC;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return TS_E_DB_TIMEOUT;
    case SQLITE_READONLY:
        return TS_E_DB_READ_ONLY;
    case SQLITE_FULL:
        return TS_E_DB_FULL;
    case SQLITE_CONSTRAINT:
        return TS_E_DB_CONSTRAINT;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return TS_E_DB_DATA;
    case SQLITE_IOERR:
        return system_errno == ENOSPC || system_errno == EDQUOT ? TS_E_DB_FULL : TS_E_DB_QUERY;
    default:
        return TS_E_DB_QUERY;
    }
}

static int describe(sqlite3 *handle, int code, struct ts_db_error *out)
{
    ts_db_fail(out, class_of(code, handle ? sqlite3_system_errno(handle) : 0),
               handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
    out->sqlite_code = code;
    return out->error;
}

static int failed(struct sqlite_db *db)
{
    int error = describe(db->handle, sqlite3_extended_errcode(db->handle), &db->base.error);

    if (error == TS_E_DB_SYNC)
        db->sync_failed = true;
    return error;
}

/* After a failed sync nobody knows what is on disk (the kernel may have dropped the pages): only a restart
 * may go on. */
static int usable(struct sqlite_db *db)
{
    if (!db->sync_failed)
        return 0;
    db->base.error.error = TS_E_DB_SYNC;
    return TS_E_DB_SYNC;
}

/* --- open and close --- */

/* The commit is durable already; a failure here must not fail it, but it ends the connection. */
static int checkpoint(void *ctx, sqlite3 *handle, const char *schema, int pages)
{
    struct sqlite_db *db = ctx;

    if (pages >= CHECKPOINT_PAGES) {
        int rc = sqlite3_wal_checkpoint_v2(handle, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        if (rc != SQLITE_OK && class_of(rc, 0) == TS_E_DB_SYNC) {
            describe(handle, rc, &db->base.error);
            db->sync_failed = true;
        }
    }
    return SQLITE_OK;
}

static int is_over(void *ctx)
{
    struct sqlite_db *db = ctx;

    return db->query_until_us != 0 && ts_clock_mono_us() >= db->query_until_us;
}

/* A wait of at most 10 ms between two tries: whoever holds the lock is another process, and soon done. */
static int on_busy(void *ctx, int tries)
{
    struct sqlite_db *db = ctx;

    if (ts_clock_mono_us() >= db->query_until_us)
        return 0;
    sqlite3_sleep(TS_MIN(tries + 1, 10));
    return 1;
}

/* SQLite would create it with the process's umask; its -wal and -shm files take their mode from it. */
static int create_private(const char *path)
{
    _cleanup_(ts_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : 0;
}

static void arm(struct sqlite_db *db)
{
    int64_t until = ts_clock_mono_us() + db->timeout_us;

    db->query_until_us = db->base.deadline_us ? TS_MIN(until, db->base.deadline_us) : until;
}

static int note_wal(void *ctx, int n, char **values, char **names)
{
    (void)names;
    *(bool *)ctx = n == 1 && values[0] && strcmp(values[0], "wal") == 0;
    return 0;
}

static int set_pragmas(struct sqlite_db *db, bool read_only)
{
    /* Rows are added at the ends of their indexes: a few pages are in use, and the system keeps the others. */
    static const char *const writing =
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;"
        "PRAGMA journal_size_limit = " MAX_WAL_BYTES;
    static const char *const reading = "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0";

    if (sqlite3_exec(db->handle, read_only ? reading : writing, NULL, NULL, NULL) != SQLITE_OK)
        return failed(db);
    if (read_only)
        return 0;
    bool is_wal = false;
    if (sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", note_wal, &is_wal, NULL) != SQLITE_OK)
        return failed(db);
    return is_wal ? 0 : ts_db_fail(&db->base.error, TS_E_DB_QUERY, "the file does not take journal_mode=WAL");
}

static int configure(struct sqlite_db *db, const struct ts_db_options *options)
{

    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_handler(db->handle, on_busy, db);
    sqlite3_progress_handler(db->handle, PROGRESS_STEPS, is_over, db);
    arm(db);
    int r = set_pragmas(db, options->read_only);
    db->query_until_us = 0;
    if (r == 0 && !options->read_only)
        sqlite3_wal_hook(db->handle, checkpoint, db);
    return r;
}

static void sqlite_close(struct ts_db *base);

static void release_statement(void *stmt)
{
    sqlite3_finalize(stmt);
}

static int connect_file(struct sqlite_db *db, const struct ts_db_options *options)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

    if (!options->read_only && !options->vfs) {
        int r = create_private(options->path);
        if (r < 0)
            return ts_db_fail(&db->base.error, r == -ENOSPC ? TS_E_DB_FULL : TS_E_DB_QUERY, ts_error_text(r));
    }
    int rc = sqlite3_open_v2(options->path, &db->handle,
                             options->read_only ? flags : flags | SQLITE_OPEN_CREATE, options->vfs);
    if (rc != SQLITE_OK)
        return describe(db->handle, rc, &db->base.error);
    return configure(db, options);
}

static int sqlite_open(const struct ts_db_options *options, struct ts_db **ret)
{
    struct sqlite_db *db = calloc(1, sizeof(*db));

    if (!db)
        return -ENOMEM;
    db->base.driver = &ts_db_sqlite;
    db->timeout_us = options->statement_timeout_us ? options->statement_timeout_us : TS_DB_DEFAULT_TIMEOUT_US;
    int r = connect_file(db, options);
    if (r < 0) {
        if (options->ret_error)
            *options->ret_error = db->base.error;
        sqlite_close(&db->base);
        return r;
    }
    *ret = &db->base;
    return 0;
}

static void sqlite_close(struct ts_db *base)
{
    struct sqlite_db *db = self(base);

    ts_statements_clear(&db->statements, release_statement);
    /* Closing checkpoints: after a failed sync that would sync again, so the file is left as it is and the
     * restart recovers it. */
    if (db->sync_failed)
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(db->handle);
    free(db);
}

/* --- statements --- */

static int prepare(struct sqlite_db *db, const struct ts_sql *sql, sqlite3_stmt **ret)
{
    sqlite3_stmt *stmt = ts_statements_find(&db->statements, sql);

    if (!stmt) {
        int rc = sqlite3_prepare_v3(db->handle, sql->sqlite ? sql->sqlite : sql->text, -1,
                                    SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
        if (rc != SQLITE_OK)
            return failed(db);
        ts_statements_put(&db->statements, sql, stmt, release_statement);
    }
    *ret = stmt;
    return 0;
}

static int bind_value(sqlite3_stmt *stmt, int index, const struct ts_db_value *value)
{
    switch (value->type) {
    case TS_DB_NULL:
        return sqlite3_bind_null(stmt, index);
    case TS_DB_INT:
    case TS_DB_BOOL:
    case TS_DB_TIME:
    case TS_DB_PRICE:
        return sqlite3_bind_int64(stmt, index, value->i64);
    case TS_DB_TEXT:
        return sqlite3_bind_text64(stmt, index, value->str.ptr, value->str.len, SQLITE_STATIC, SQLITE_UTF8);
    default:
        return SQLITE_MISUSE; /* arrays are PostgreSQL's */
    }
}

/* To SQLite `$2` is a name, numbered by its first appearance; to us it is the second parameter, wherever and
 * however often it stands. */
static int bind_all(struct sqlite_db *db, sqlite3_stmt *stmt, const struct ts_db_value *params,
                    size_t n_params)
{
    int count = sqlite3_bind_parameter_count(stmt);

    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        size_t number = name ? strtoul(name + 1, NULL, 10) : 0;

        if (number < 1 || number > n_params)
            return ts_db_fail(&db->base.error, TS_E_DB_QUERY,
                              "the statement names a parameter that was not given");
        int rc = bind_value(stmt, i, &params[number - 1]);
        if (rc == SQLITE_MISUSE)
            return ts_db_fail(&db->base.error, TS_E_DB_QUERY, "SQLite takes no arrays");
        if (rc != SQLITE_OK)
            return failed(db);
    }
    return 0;
}

/* *ret_stopped: what a row's call-back said when it was not 0. */
static int64_t step_all(struct sqlite_db *db, sqlite3_stmt *stmt, ts_row_fn on_row, void *ctx,
                        int *ret_stopped)
{
    const struct sqlite_row row = {.base.driver = &ts_db_sqlite, .stmt = stmt};
    const bool has_rows = sqlite3_column_count(stmt) > 0;
    const sqlite3_int64 changes_before = sqlite3_total_changes64(db->handle);
    int64_t rows = 0;
    int rc;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        rows++;
        *ret_stopped = on_row ? on_row(&row.base, ctx) : 0;
        if (*ret_stopped != 0)
            return rows;
    }
    if (rc != SQLITE_DONE)
        return failed(db);
    if (has_rows)
        return rows;
    /* sqlite3_changes() alone would repeat the count of an earlier statement after one that changes nothing,
     * a CREATE for example. */
    return sqlite3_total_changes64(db->handle) == changes_before ? 0 : sqlite3_changes64(db->handle);
}

static int64_t run_step(struct sqlite_db *db, const struct ts_db_step *step, int *ret_stopped)
{
    sqlite3_stmt *stmt = NULL;

    int r = usable(db);
    if (r < 0)
        return r;
    arm(db);
    r = prepare(db, step->sql, &stmt);
    if (r < 0)
        return r;
    int64_t result = bind_all(db, stmt, step->params, step->n_params);
    if (result == 0)
        result = step_all(db, stmt, step->on_row, step->ctx, ret_stopped);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt); /* the texts are the caller's */
    db->query_until_us = 0;
    return result;
}

static int64_t sqlite_run(struct ts_db *base, const struct ts_sql *sql, const struct ts_db_value *params,
                          size_t n_params, ts_row_fn on_row, void *ctx)
{
    const struct ts_db_step step = {
        .sql = sql, .params = params, .n_params = n_params, .on_row = on_row, .ctx = ctx};
    int stopped = 0;
    int64_t result = run_step(self(base), &step, &stopped);

    return stopped != 0 ? stopped : result;
}

static int execute(struct sqlite_db *db, const char *text)
{
    int r = usable(db);

    if (r < 0)
        return r;
    return sqlite3_exec(db->handle, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db);
}

static int sqlite_script(struct ts_db *base, const char *script)
{
    return execute(self(base), script);
}

/* --- transactions --- */

static const struct ts_sql sql_begin = {"BEGIN IMMEDIATE", NULL};
static const struct ts_sql sql_commit = {"COMMIT", NULL};

static int sqlite_begin(struct ts_db *base)
{
    return (int)sqlite_run(base, &sql_begin, NULL, 0, NULL, NULL);
}

static void sqlite_rollback(struct ts_db *base)
{
    struct sqlite_db *db = self(base);

    /* Some errors (full, I/O, out of memory) have rolled back already. */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static int sqlite_commit(struct ts_db *base)
{
    struct sqlite_db *db = self(base);
    sqlite3_stmt *stmt = NULL;

    int r = usable(db);
    if (r < 0)
        return r;
    r = prepare(db, &sql_commit, &stmt);
    if (r < 0)
        return r;
    int64_t result = step_all(db, stmt, NULL, NULL, &(int){0}); /* no clock: a commit is never interrupted */
    sqlite3_reset(stmt);
    if (result < 0)
        sqlite_rollback(base);
    return (int)result;
}

static int run_steps(struct ts_db *base, struct ts_db_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int ignored; /* as in PostgreSQL, where rows can't stop what is on its way */
        int64_t changed = run_step(self(base), &steps[i], &ignored);
        if (changed < 0)
            return (int)changed;
        steps[i].changed = changed;
    }
    return 0;
}

static int sqlite_transaction(struct ts_db *base, struct ts_db_step *steps, size_t n)
{
    int r = sqlite_begin(base);

    if (r < 0)
        return r;
    r = run_steps(base, steps, n);
    if (r == 0)
        r = sqlite_commit(base);
    if (r != 0)
        sqlite_rollback(base);
    return r;
}

/* --- rows --- */

static sqlite3_stmt *row_of(const struct ts_row *row, int column)
{
    sqlite3_stmt *stmt = TS_CONTAINER_OF(row, const struct sqlite_row, base)->stmt;

    assert(column >= 0 && column < sqlite3_column_count(stmt));
    return stmt;
}

static bool sqlite_row_is_null(const struct ts_row *row, int column)
{
    return sqlite3_column_type(row_of(row, column), column) == SQLITE_NULL;
}

static int64_t sqlite_row_number(const struct ts_row *row, int column, enum ts_db_type type)
{
    sqlite3_stmt *stmt = row_of(row, column);
    int stored = sqlite3_column_type(stmt, column);

    (void)type; /* all of them are integers here */
    assert(stored == SQLITE_INTEGER || stored == SQLITE_NULL);
    return stored == SQLITE_NULL ? 0 : sqlite3_column_int64(stmt, column);
}

static ts_str sqlite_row_text(const struct ts_row *row, int column)
{
    sqlite3_stmt *stmt = row_of(row, column);
    int stored = sqlite3_column_type(stmt, column);

    assert(stored == SQLITE_TEXT || stored == SQLITE_NULL);
    if (stored == SQLITE_NULL)
        return TS_STR_NONE;
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? (ts_str){text, (size_t)sqlite3_column_bytes(stmt, column)} : TS_STR_NONE;
}

const struct ts_db_driver ts_db_sqlite = {
    .dialect = TS_SQLITE,
    .open = sqlite_open,
    .close = sqlite_close,
    .run = sqlite_run,
    .script = sqlite_script,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .transaction = sqlite_transaction,
    .row_is_null = sqlite_row_is_null,
    .row_number = sqlite_row_number,
    .row_text = sqlite_row_text,
};
