/*
 * Database connection: SQLite and PostgreSQL (TimescaleDB) behind one interface.
 *
 * SQL is the same text wherever the dialects agree (`$1`, ON CONFLICT, RETURNING); a statement that must
 * differ has two texts. Statements are prepared once per connection and found again by their address, so
 * `static const struct ts_sql` is the way to write them. Values are typed; a time is microseconds UTC
 * (SQLite: INTEGER, PostgreSQL: TIMESTAMPTZ), a price is fixed point 1e-6 (SQLite: INTEGER of 1e-6,
 * PostgreSQL: NUMERIC(18,6)), so a program never sees which.
 *
 * A program names its driver (&ts_db_sqlite, &ts_db_postgres), and only what it names is linked: the gateway
 * has no libpq.
 *
 * Calls block, but not for ever: a connection has 2 s, a PostgreSQL call the statement timeout and 1 s more
 * (then the connection is closed: a frozen server holds nobody), and ts_db_set_deadline() cuts both. Only
 * writer and reader threads (db/writer.h, db/reader.h), migrations and tests make them. One connection
 * belongs to one thread at a time.
 *
 * Errors are classes of what may be done about them:
 *   TS_E_DB_CONNECTION  lost, refused, out of connections (08, 57P01-03, 53300); the connection reconnects by
 * itself at its next use TS_E_DB_DEADLOCK    40P01, 40001 TS_E_DB_TIMEOUT     statement or lock timeout
 * (57014, 55P03), SQLITE_BUSY TS_E_DB_READ_ONLY   25006, SQLITE_READONLY TS_E_DB_FULL        53100,
 * SQLITE_FULL, ENOSPC TS_E_DB_CONSTRAINT  class 23, SQLITE_CONSTRAINT TS_E_DB_DATA        class 22,
 * SQLITE_TOOBIG, SQLITE_MISMATCH TS_E_DB_SYNC        a sync failed (SQLITE_IOERR_FSYNC and kin): never
 * retried; log and exit, the restart recovers TS_E_DB_QUERY       anything else ts_db_error() tells the
 * details of the last failure, for one log line.
 */
#ifndef TS_DB_DB_H
#define TS_DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/secret.h"
#include "base/str.h"

struct ts_db;

enum ts_dialect { TS_SQLITE, TS_POSTGRES };

struct ts_db_error {
    int error;         /* TS_E_DB_* */
    char sqlstate[6];  /* PostgreSQL; "" otherwise */
    int sqlite_code;   /* extended result code; 0 otherwise */
    char message[256]; /* the engine's words; no parameter values */
};

struct ts_db_driver;
extern const struct ts_db_driver ts_db_sqlite;
extern const struct ts_db_driver ts_db_postgres;

/* Strings are copied by whoever keeps them. */
struct ts_db_options {
    const struct ts_db_driver *driver;
    /* SQLite */
    const char *path; /* created with mode 0600 when missing */
    bool read_only;   /* query_only, wal_autocheckpoint=0 */
    const char *vfs;  /* NULL = the default; tests name theirs */
    /* PostgreSQL */
    const char *url;    /* postgres://… or key=value; may hold a password: never logged */
    const char *schema; /* search_path; NULL = leave */
    const char *application_name;
    int64_t connect_timeout_us; /* 0 = 2 s */
    int64_t
        statement_timeout_us; /* 0 = 2 s; also lock_timeout (SQLite: busy_timeout); idle in transaction 3 s */
    /* Both; may be NULL. */
    struct ts_db_error *ret_error; /* set when ts_db_open fails */
};

/*
 * SQLite: opens the file; WAL, synchronous=FULL. PostgreSQL: synchronous_commit=on, UTC; connects at the
 * first use, so a program starts while its server is away (TS_E_INVALID for a URL that libpq can't read). 0,
 * -ENOMEM or an error of the classes above.
 */
TS_MUST_CHECK int ts_db_open(const struct ts_db_options *options, struct ts_db **ret);
struct ts_db *ts_db_close(struct ts_db *db);
TS_DEFINE_CLEANUP(struct ts_db *, ts_db_close)

enum ts_dialect ts_db_dialect(const struct ts_db *db);

/*
 * From now on no call lasts beyond this moment (monotonic; 0 = none): PostgreSQL closes the connection then,
 * TS_E_DB_CONNECTION; SQLite ends a wait for a lock or a long query, TS_E_DB_TIMEOUT, but never a commit.
 */
void ts_db_set_deadline(struct ts_db *db, int64_t deadline_us);

const struct ts_db_error *ts_db_error(const struct ts_db *db);

/* --- statements --- */

struct ts_sql {
    const char *text;   /* both dialects, or PostgreSQL's when `sqlite` is given */
    const char *sqlite; /* NULL = text */
};

enum ts_db_type {
    TS_DB_NULL,
    TS_DB_INT,
    TS_DB_BOOL,
    TS_DB_TEXT,
    TS_DB_TIME,
    TS_DB_PRICE,
    /* Arrays of n items with an optional null flag each, sent as one parameter: PostgreSQL only (unnest). */
    TS_DB_INT_ARRAY,
    TS_DB_BOOL_ARRAY,
    TS_DB_TEXT_ARRAY,
    TS_DB_TIME_ARRAY,
    TS_DB_PRICE_ARRAY,
};

struct ts_db_value {
    enum ts_db_type type;
    union {
        int64_t i64; /* INT, BOOL, TIME, PRICE */
        ts_str str;  /* TEXT */
        struct {
            union {
                const int64_t *i64;
                const ts_str *str;
            };
            const bool *nulls; /* NULL = none is null; a TS_STR_NONE text is null too */
            size_t n;
        } array;
    };
};

static inline struct ts_db_value ts_db_null(void)
{
    return (struct ts_db_value){.type = TS_DB_NULL};
}
static inline struct ts_db_value ts_db_int(int64_t v)
{
    return (struct ts_db_value){.type = TS_DB_INT, .i64 = v};
}
static inline struct ts_db_value ts_db_bool(bool v)
{
    return (struct ts_db_value){.type = TS_DB_BOOL, .i64 = v};
}
static inline struct ts_db_value ts_db_text(ts_str v) /* TS_STR_NONE is NULL */
{
    return (struct ts_db_value){.type = v.ptr ? TS_DB_TEXT : TS_DB_NULL, .str = v};
}
static inline struct ts_db_value ts_db_time(int64_t us)
{
    return (struct ts_db_value){.type = TS_DB_TIME, .i64 = us};
}
static inline struct ts_db_value ts_db_price(int64_t e6)
{
    return (struct ts_db_value){.type = TS_DB_PRICE, .i64 = e6};
}

/*
 * One row during its call-back; texts are borrowed until it returns. Asking for the wrong type is a defect
 * (assertion). A NULL is 0 or false; a price beyond int64 (or NaN) is the nearest number (or 0), decimals
 * beyond the sixth are cut.
 */
struct ts_row;
bool ts_row_is_null(const struct ts_row *row, int column);
int64_t ts_row_int(const struct ts_row *row, int column);
bool ts_row_bool(const struct ts_row *row, int column);
ts_str ts_row_text(const struct ts_row *row, int column); /* NULL is TS_STR_NONE */
int64_t ts_row_time(const struct ts_row *row, int column);
int64_t ts_row_price(const struct ts_row *row, int column);

/* 0 to go on; anything else ends the query and is returned by it. It must not use the connection. */
typedef int (*ts_row_fn)(const struct ts_row *row, void *ctx);

/* At most TS_DB_MAX_PARAMS. PostgreSQL wants exactly as many as the text names; SQLite's text may leave some
 * out. */
#define TS_DB_MAX_PARAMS 64

/* Runs one statement. on_row may be NULL. Returns the number of rows changed or read, or an error. */
TS_MUST_CHECK int64_t ts_db_run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params,
                                size_t n_params, ts_row_fn on_row, void *ctx);

/* Several statements in one text, without parameters or rows: migrations. */
TS_MUST_CHECK int ts_db_script(struct ts_db *db, const char *script);

TS_MUST_CHECK int ts_db_begin(struct ts_db *db); /* SQLite: BEGIN IMMEDIATE */
TS_MUST_CHECK int ts_db_commit(
    struct ts_db *db);                 /* 0 = durable; else rolled back (connection lost: unknown) */
void ts_db_rollback(struct ts_db *db); /* also when none is open; never fails */

/*
 * A transaction whose statements are known beforehand: PostgreSQL gets begin, all statements and commit as
 * ONE pipeline (one round trip, so that a frozen client never sits on a lock); SQLite runs them in turn. 0 =
 * all applied and durable; otherwise none is (but when the connection was lost while the commit was under
 * way, nobody knows: what is sent again must be idempotent).
 *
 * Rows come before the outcome is known: on_row may note what it sees but can't stop the transaction, and
 * what it noted counts only after 0. At most TS_DB_MAX_STEPS.
 */
#define TS_DB_MAX_STEPS 32
struct ts_db_step {
    const struct ts_sql *sql;
    const struct ts_db_value *params;
    size_t n_params;
    ts_row_fn on_row;
    void *ctx;
    int64_t changed; /* set: rows changed or read */
};
TS_MUST_CHECK int ts_db_transaction(struct ts_db *db, struct ts_db_step *steps, size_t n);

#endif
