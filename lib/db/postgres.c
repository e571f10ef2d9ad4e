/*
 * PostgreSQL driver. Every request is one pipeline: prepare what is new, execute, sync; a transaction brings begin and commit along. The socket
 * never blocks: waiting is poll() with a time limit of ours, because a server that is frozen keeps its connections open and says nothing.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "db/db_internal.h"
#include "db/pg_codec.h"
#include "db/pg_connect.h"

#define ANSWER_GRACE_US (1 * TS_US_PER_S) /* beyond the server's own statement timeout */
#define SCRIPT_LIMIT_US (INT64_C(3600) * TS_US_PER_S)
#define MAX_PARAM_BYTES (64u * 1024 * 1024)
#define BINARY          1

struct statement {
    unsigned id;       /* its name on the server is s<id> */
    uint64_t exchange; /* the one that prepares it */
    bool is_prepared;  /* the server said so */
    size_t n_types;
    Oid types[TS_DB_MAX_PARAMS];
};

struct pg_db {
    struct ts_db base;
    struct ts_pg_target target;
    int64_t connect_timeout_us, statement_timeout_us;
    PGconn *conn;        /* NULL = not connected */
    bool in_transaction; /* between begin and its end: then a lost connection is not replaced in silence */
    uint64_t exchanges;
    unsigned last_statement_id;
    struct ts_statements statements;
    struct ts_buf params; /* of the statement being sent */
};

struct pg_row {
    struct ts_row base;
    const PGresult *result;
    int row;
};

static struct pg_db *self(struct ts_db *base)
{
    return TS_CONTAINER_OF(base, struct pg_db, base);
}

/* --- connection --- */

static void release_statement(void *statement)
{
    free(statement);
}

static void disconnect(struct pg_db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    ts_statements_clear(&db->statements, release_statement);
}

static int lost(struct pg_db *db)
{
    ts_pg_describe_connection(db->conn, &db->base.error);
    disconnect(db);
    return TS_E_DB_CONNECTION;
}

static int gave_up(struct pg_db *db, const char *what)
{
    ts_db_fail(&db->base.error, TS_E_DB_CONNECTION, what);
    disconnect(db);
    return TS_E_DB_CONNECTION;
}

/* The moment that ends a call of at most `limit_us`. */
static int64_t until_of(const struct pg_db *db, int64_t limit_us)
{
    const int64_t until = ts_clock_mono_us() + limit_us;

    return db->base.deadline_us ? TS_MIN(until, db->base.deadline_us) : until;
}

/* The events that came, or 0 when the time is over. */
static short wait_socket(const struct pg_db *db, short events, int64_t until_us)
{
    struct pollfd fd = {.fd = PQsocket(db->conn), .events = events};

    for (;;) {
        const int64_t left_us = until_us - ts_clock_mono_us();
        if (left_us <= 0)
            return 0;
        int n = poll(&fd, 1, (int)TS_MIN(left_us / TS_US_PER_MS + 1, 60000));
        if (n > 0)
            return fd.revents;
        if (n < 0 && errno != EINTR)
            return POLLERR;
    }
}

static int connect_now(struct pg_db *db)
{
    const int64_t until_us = until_of(db, db->connect_timeout_us);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    db->conn = ts_pg_connect_start(&db->target, NULL);
    if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD)
        return lost(db);
    while (status != PGRES_POLLING_OK) {
        if (wait_socket(db, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us) == 0)
            return gave_up(db, "no connection within the time limit");
        status = PQconnectPoll(db->conn);
        if (status == PGRES_POLLING_FAILED)
            return lost(db);
    }
    return PQsetnonblocking(db->conn, 1) == 0 ? 0 : lost(db);
}

/* False when the server closed the connection since its last use: found now, it costs nobody a failed request. */
static bool is_alive(struct pg_db *db)
{
    struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN | POLLRDHUP};

    if (PQstatus(db->conn) != CONNECTION_OK)
        return false;
    if (poll(&fd, 1, 0) <= 0)
        return true;
    if (fd.revents & (POLLRDHUP | POLLHUP | POLLERR))
        return false;
    return PQconsumeInput(db->conn) == 1 && PQisBusy(db->conn) == 0; /* a notice, a changed setting */
}

static int ensure_connected(struct pg_db *db)
{
    if (db->conn && is_alive(db))
        return 0;
    if (db->in_transaction)
        return db->conn ? lost(db) : gave_up(db, "the connection was lost within the transaction");
    disconnect(db);
    return connect_now(db);
}

static int pg_open(const struct ts_db_options *options, struct ts_db **ret)
{
    struct pg_db *db = calloc(1, sizeof(*db));

    if (!db)
        return -ENOMEM;
    *db = (struct pg_db){
        .base.driver = &ts_db_postgres,
        .connect_timeout_us =
            options->connect_timeout_us ? options->connect_timeout_us : TS_DB_DEFAULT_TIMEOUT_US,
        .statement_timeout_us =
            options->statement_timeout_us ? options->statement_timeout_us : TS_DB_DEFAULT_TIMEOUT_US,
        .params = TS_BUF_INIT(MAX_PARAM_BYTES),
    };
    int r = ts_pg_target_init(&db->target, options);
    if (r < 0) {
        if (options->ret_error)
            ts_db_fail(options->ret_error, r, "the database's URL or schema can't be read");
        free(db);
        return r;
    }
    *ret = &db->base;
    return 0;
}

static void pg_close(struct ts_db *base)
{
    struct pg_db *db = self(base);

    disconnect(db);
    ts_pg_target_done(&db->target);
    ts_buf_done(&db->params);
    free(db);
}

/* --- sending --- */

static bool fits(const struct statement *statement, const struct ts_db_value *params, size_t n)
{
    if (statement->n_types != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        Oid type = ts_pg_type_of(params[i].type);
        if (type != 0 && type != statement->types[i])
            return false;
    }
    return true;
}

/*
 * The parameters' types are fixed when a statement is prepared. A NULL has none and leaves it to the server; when a value comes later
 * whose type the server may have chosen differently, the statement is prepared once more.
 */
static struct statement *new_statement(struct pg_db *db, const struct ts_db_step *step,
                                       const struct statement *old)
{
    struct statement *statement = calloc(1, sizeof(*statement));

    if (!statement)
        return NULL;
    statement->id = ++db->last_statement_id;
    statement->exchange = db->exchanges;
    statement->n_types = step->n_params;
    for (size_t i = 0; i < step->n_params; i++) {
        Oid type = ts_pg_type_of(step->params[i].type);
        statement->types[i] = type == 0 && old && i < old->n_types ? old->types[i] : type;
    }
    return statement;
}

struct packed {
    const char *values[TS_DB_MAX_PARAMS];
    int lengths[TS_DB_MAX_PARAMS], formats[TS_DB_MAX_PARAMS];
};

static int pack(struct pg_db *db, const struct ts_db_value *params, size_t n, struct packed *out)
{
    size_t starts[TS_DB_MAX_PARAMS];

    ts_buf_clear(&db->params);
    for (size_t i = 0; i < n; i++) {
        starts[i] = db->params.len;
        if (params[i].type != TS_DB_NULL && params[i].type != TS_DB_TEXT)
            ts_pg_encode(&db->params, &params[i]);
        out->lengths[i] = (int)(db->params.len - starts[i]);
        out->formats[i] = BINARY;
    }
    if (ts_buf_error(&db->params))
        return ts_db_fail(&db->base.error, TS_E_DB_DATA, "the parameters are too large");
    for (size_t i = 0; i < n; i++) { /* only now the buffer stays where it is */
        out->values[i] = params[i].type == TS_DB_NULL ? NULL : db->params.data + starts[i];
        if (params[i].type == TS_DB_TEXT) {
            out->values[i] = params[i].str.ptr;
            out->lengths[i] = (int)TS_MIN(params[i].str.len, (size_t)MAX_PARAM_BYTES);
        }
    }
    return 0;
}

static const char *name_of(const struct statement *statement, char out[16])
{
    snprintf(out, 16, "s%u", statement->id);
    return out;
}

/* *ret_prepares: an answer about the preparation will come before the statement's own. */
static int send_step(struct pg_db *db, const struct ts_db_step *step, bool *ret_prepares)
{
    struct statement *statement = ts_statements_find(&db->statements, step->sql);
    struct packed packed;
    char name[16];

    int r = pack(db, step->params, step->n_params, &packed);
    if (r < 0)
        return r;
    bool known = statement && (statement->is_prepared || statement->exchange == db->exchanges);
    *ret_prepares = !known || !fits(statement, step->params, step->n_params);
    if (*ret_prepares) {
        statement = new_statement(db, step, statement);
        if (!statement)
            return ts_db_fail(&db->base.error, TS_E_DB_QUERY, "out of memory");
        ts_statements_put(&db->statements, step->sql, statement, release_statement);
        if (!PQsendPrepare(db->conn, name_of(statement, name), step->sql->text, (int)statement->n_types,
                           statement->types))
            return lost(db);
    }
    if (!PQsendQueryPrepared(db->conn, name_of(statement, name), (int)step->n_params, packed.values,
                             packed.lengths, packed.formats, BINARY))
        return lost(db);
    return 0;
}

/* --- receiving --- */

/* Sends what is left and waits for the next result. *ret is NULL at the end of one statement's results. */
static int next_result(struct pg_db *db, int64_t until_us, PGresult **ret)
{
    while (PQisBusy(db->conn)) {
        int unsent = PQflush(db->conn);
        if (unsent < 0)
            return lost(db);
        short events = wait_socket(db, (short)(unsent ? POLLIN | POLLOUT : POLLIN), until_us);
        if (events == 0)
            return gave_up(db, "no answer within the time limit");
        if ((events & ~POLLOUT) && !PQconsumeInput(db->conn))
            return lost(db);
    }
    *ret = PQgetResult(db->conn);
    return 0;
}

static int failed(struct pg_db *db, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    int error = ts_pg_class_of(sqlstate);

    if (!sqlstate)
        return ts_pg_describe_connection(db->conn, &db->base.error);
    /* "invalid input syntax for type …" quotes the value: not for a log. */
    ts_db_fail(&db->base.error, error,
               error == TS_E_DB_DATA ? "a value was refused"
               : message             ? message
                                     : "");
    snprintf(db->base.error.sqlstate, sizeof(db->base.error.sqlstate), "%.5s", sqlstate);
    return error;
}

static const struct ts_sql sql_begin = {"BEGIN", NULL};
static const struct ts_sql sql_commit = {"COMMIT", NULL};
static const struct ts_sql sql_rollback = {"ROLLBACK", NULL};

static int deliver_rows(const PGresult *result, const struct ts_db_step *step)
{
    struct pg_row row = {.base.driver = &ts_db_postgres, .result = result};
    const int n = PQntuples(result);

    for (row.row = 0; step->on_row && row.row < n; row.row++) {
        int r = step->on_row(&row.base, step->ctx);
        if (r != 0)
            return r;
    }
    return 0;
}

/* What went wrong first, in an exchange whose every answer must be read all the same. */
struct outcome {
    int error;
    int stopped; /* by a row's call-back */
};

static void take_result(struct pg_db *db, PGresult *result, struct ts_db_step *step, struct outcome *outcome)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        step->changed = PQntuples(result);
        if (outcome->stopped == 0)
            outcome->stopped = deliver_rows(result, step);
        break;
    case PGRES_COMMAND_OK:
        step->changed = strtoll(PQcmdTuples(result), NULL, 10);
        /* A commit of a transaction that has failed succeeds as a rollback. */
        if (step->sql == &sql_commit && strcmp(PQcmdStatus(result), "COMMIT") != 0 && outcome->error == 0)
            outcome->error =
                ts_db_fail(&db->base.error, TS_E_DB_QUERY, "the transaction had failed before its commit");
        break;
    case PGRES_PIPELINE_ABORTED: /* skipped after another's failure */
        break;
    default:
        if (outcome->error == 0)
            outcome->error = failed(db, result);
        break;
    }
}

/* All results of one statement; 0 or the end of the connection. */
static int take_results(struct pg_db *db, struct ts_db_step *step, int64_t until_us, struct outcome *outcome)
{
    PGresult *result;

    for (;;) {
        int r = next_result(db, until_us, &result);
        if (r < 0)
            return r;
        if (!result)
            return PQstatus(db->conn) == CONNECTION_OK ? 0 : lost(db);
        take_result(db, result, step, outcome);
        PQclear(result);
        if (outcome->error == TS_E_DB_CONNECTION) { /* the server said good-bye; nothing more will come */
            disconnect(db);
            return TS_E_DB_CONNECTION;
        }
    }
}

static int take_preparation(struct pg_db *db, const struct ts_sql *sql, int64_t until_us,
                            struct outcome *outcome)
{
    struct ts_db_step ignored = {0};
    struct statement *statement = ts_statements_find(&db->statements, sql);
    const int error_before = outcome->error;

    int r = take_results(db, &ignored, until_us, outcome);
    if (r == 0 && error_before == 0 && outcome->error == 0)
        statement->is_prepared = true;
    return r;
}

static int take_sync(struct pg_db *db, int64_t until_us)
{
    PGresult *result;
    int r = next_result(db, until_us, &result);

    if (r < 0)
        return r;
    const bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    return is_sync && PQexitPipelineMode(db->conn) ? 0 : lost(db);
}

static int send_all(struct pg_db *db, struct ts_db_step *const *steps, bool *prepares, size_t n)
{
    int r = 0;

    if (!PQenterPipelineMode(db->conn))
        return lost(db);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = send_step(db, steps[i], &prepares[i]);
    if (r == 0 && !PQpipelineSync(db->conn))
        r = lost(db);
    if (r < 0) /* half a pipeline can't be taken back */
        disconnect(db);
    return r;
}

static int make_room(struct pg_db *db, size_t n);

/* One round trip. 0 or the error of the first statement that failed; *ret_stopped: what a row's call-back said. */
static int exchange(struct pg_db *db, struct ts_db_step *const *steps, size_t n, int *ret_stopped)
{
    bool prepares[TS_DB_MAX_STEPS + 2] = {0};
    struct outcome outcome = {0};

    int r = ensure_connected(db);
    if (r == 0)
        r = make_room(db, n);
    if (r < 0)
        return r;
    const int64_t until_us = until_of(db, db->statement_timeout_us + ANSWER_GRACE_US);
    db->exchanges++;
    r = send_all(db, steps, prepares, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (prepares[i])
            r = take_preparation(db, steps[i]->sql, until_us, &outcome);
        if (r == 0)
            r = take_results(db, steps[i], until_us, &outcome);
    }
    if (r == 0)
        r = take_sync(db, until_us);
    if (r < 0)
        return r;
    *ret_stopped = outcome.stopped;
    return outcome.error;
}

/* --- the driver --- */

static int64_t pg_run(struct ts_db *base, const struct ts_sql *sql, const struct ts_db_value *params,
                      size_t n_params, ts_row_fn on_row, void *ctx)
{
    struct ts_db_step step = {
        .sql = sql, .params = params, .n_params = n_params, .on_row = on_row, .ctx = ctx};
    struct ts_db_step *const steps[] = {&step};
    int stopped = 0;
    int r = exchange(self(base), steps, 1, &stopped);

    if (r < 0)
        return r;
    return stopped != 0 ? stopped : step.changed;
}

static int run_script(struct pg_db *db, const char *script)
{
    const int64_t until_us = until_of(db, SCRIPT_LIMIT_US);
    struct ts_db_step ignored = {0};
    struct outcome outcome = {0};

    if (!PQsendQuery(db->conn, script))
        return lost(db);
    int r = take_results(db, &ignored, until_us, &outcome);
    return r < 0 ? r : outcome.error;
}

static int pg_script(struct ts_db *base, const char *script)
{
    struct pg_db *db = self(base);
    int r = ensure_connected(db);

    return r < 0 ? r : run_script(db, script);
}

static int make_room(struct pg_db *db, size_t n)
{
    if (db->statements.n + n <= TS_DB_MAX_STATEMENTS)
        return 0;
    ts_statements_clear(&db->statements, release_statement);
    return run_script(db, "DEALLOCATE ALL");
}

static int pg_begin(struct ts_db *base)
{
    int64_t r = pg_run(base, &sql_begin, NULL, 0, NULL, NULL);

    self(base)->in_transaction = r == 0;
    return (int)r;
}

static void pg_rollback(struct ts_db *base)
{
    struct pg_db *db = self(base);
    const struct ts_db_error error = db->base.error; /* what led here stays the last failure */

    db->in_transaction = false;
    if (db->conn && PQtransactionStatus(db->conn) != PQTRANS_IDLE &&
        pg_run(base, &sql_rollback, NULL, 0, NULL, NULL) < 0 && db->conn)
        disconnect(db); /* then the server rolls back */
    db->base.error = error;
}

static int pg_commit(struct ts_db *base)
{
    int64_t r = pg_run(base, &sql_commit, NULL, 0, NULL, NULL);

    self(base)->in_transaction = false;
    if (r < 0)
        pg_rollback(base);
    return (int)r;
}

static int pg_transaction(struct ts_db *base, struct ts_db_step *steps, size_t n)
{
    struct ts_db_step begin = {.sql = &sql_begin}, commit = {.sql = &sql_commit};
    struct ts_db_step *all[TS_DB_MAX_STEPS + 2];
    size_t count = 0;
    int ignored; /* rows can't stop what is on its way */

    assert(!self(base)->in_transaction);
    all[count++] = &begin;
    for (size_t i = 0; i < n; i++)
        all[count++] = &steps[i];
    all[count++] = &commit;
    int r = exchange(self(base), all, count, &ignored);
    if (r < 0)
        pg_rollback(base);
    return r;
}

/* --- rows --- */

static const struct pg_row *row_of(const struct ts_row *row, int column)
{
    const struct pg_row *pg = TS_CONTAINER_OF(row, const struct pg_row, base);

    assert(column >= 0 && column < PQnfields(pg->result));
    return pg;
}

static bool pg_row_is_null(const struct ts_row *row, int column)
{
    const struct pg_row *pg = row_of(row, column);

    return PQgetisnull(pg->result, pg->row, column) != 0;
}

static int64_t pg_row_number(const struct ts_row *row, int column, enum ts_db_type type)
{
    const struct pg_row *pg = row_of(row, column);

    if (PQgetisnull(pg->result, pg->row, column))
        return 0;
    return ts_pg_decode_number(PQftype(pg->result, column), PQgetvalue(pg->result, pg->row, column),
                               (size_t)PQgetlength(pg->result, pg->row, column), type);
}

static ts_str pg_row_text(const struct ts_row *row, int column)
{
    const struct pg_row *pg = row_of(row, column);

    if (PQgetisnull(pg->result, pg->row, column))
        return TS_STR_NONE;
    assert(ts_pg_is_text(PQftype(pg->result, column)));
    return (ts_str){PQgetvalue(pg->result, pg->row, column),
                    (size_t)PQgetlength(pg->result, pg->row, column)};
}

const struct ts_db_driver ts_db_postgres = {
    .dialect = TS_POSTGRES,
    .open = pg_open,
    .close = pg_close,
    .run = pg_run,
    .script = pg_script,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .transaction = pg_transaction,
    .row_is_null = pg_row_is_null,
    .row_number = pg_row_number,
    .row_text = pg_row_text,
};
