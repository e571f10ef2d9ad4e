#include "mutation.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"

#define MAX_PER_COMMIT 16 /* each takes a few round trips under the lock that every replica waits for */
#define ANSWER_BYTES   (64 * 1024)

/* --- on the writer's thread --------------------------------------------------------------------------------------------- */

/* Not found where it was found before: the attempt whose outcome was unknown did it. */
static int run_one(struct mutation *m, struct store_tx *tx)
{
    int64_t seq_before = tx->seq;
    int r = m->kind->run(m, tx);
    if (r == TS_E_NOT_FOUND && m->may_be_there)
        r = 0;
    m->seq = tx->seq > seq_before ? tx->seq : 0;
    m->outcome = r;
    return r == TS_E_NOT_FOUND || r == TS_E_CONFLICT ? 0 : r;
}

static struct mutation *of_op(struct ts_writer_op *op)
{
    return TS_CONTAINER_OF(op, struct mutation, op);
}

static int apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    struct store_tx tx;
    (void)store;
    int r = store_tx_begin(db, &tx);
    for (size_t i = 0; i < n && r == 0; i++)
        r = run_one(of_op(ops[i]), &tx);
    for (size_t i = 0; i < n && r == 0; i++)
        of_op(ops[i])->may_be_there |= of_op(ops[i])->outcome == 0;
    if (r == 0)
        r = store_tx_commit(&tx);
    if (r < 0)
        ts_db_rollback(db);
    return r;
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static void answer_done(const struct mutation *m)
{
    struct ts_buf body = TS_BUF_INIT(ANSWER_BYTES);
    struct ts_jsonw w = ts_jsonw_begin(&body);
    ts_jsonw_object(&w);
    m->kind->put_answer(m, &w);
    ts_jsonw_end(&w);
    ts_http_answer(m->app->service->server, m->ticket,
                   &(struct ts_http_response){.status = m->kind->status, .body_take = &body});
}

static void answer(const struct mutation *m, int result)
{
    struct ts_http_server *server = m->app->service->server;
    if (app_is_defect(result))
        ts_http_answer_error(server, m->ticket, 500, "Internal server error", NULL, NULL);
    else if (result < 0)
        ts_http_answer(server, m->ticket, &app_unavailable);
    else if (m->outcome == TS_E_NOT_FOUND)
        ts_http_answer_error(server, m->ticket, 404, m->kind->not_found, NULL, NULL);
    else if (m->outcome == TS_E_CONFLICT)
        ts_http_answer_error(server, m->ticket, 409, m->kind->conflict, NULL, NULL);
    else
        answer_done(m);
}

static void log_outcome(const struct mutation *m, int result)
{
    if (result < 0)
        ts_log_error("Change not stored", TS_F_CSTR("change", m->kind->msg), TS_F_STR("id", m->subject),
                     TS_F_ERR(result), TS_F_STR("requestId", m->request_id));
    else if (m->outcome == 0)
        ts_log_info(m->kind->msg, TS_F_STR("id", m->subject), TS_F_I64("rows", m->rows),
                    TS_F_STR("requestId", m->request_id));
}

static void on_done(struct ts_writer_op *op, int result)
{
    struct mutation *m = of_op(op);
    m->app->pending_bytes -= MUTATION_BYTES;
    if (result == TS_E_DB_CONSTRAINT && m->kind->conflict) { /* somebody without our lock was faster */
        m->outcome = TS_E_CONFLICT;
        result = 0;
    }
    answer(m, result);
    log_outcome(m, result);
    if (result == 0 && m->seq > 0)
        app_seq_advanced(m->app, m->seq);
    mutation_free(m);
}

/* --- the handler's side ------------------------------------------------------------------------------------------------- */

static const struct ts_writer_kind writer_kind = {
    .name = "mutations", .apply = apply, .done = on_done, .max_batch = MAX_PER_COMMIT};

struct mutation *mutation_new(struct ts_http_request *req, struct app *app, const struct mutation_kind *kind,
                              size_t size)
{
    struct ts_arena *arena = app_is_overloaded(app) ? NULL : ts_arena_new(MUTATION_BYTES);
    struct mutation *m = arena ? ts_arena_alloc(arena, size) : NULL;
    if (!m || ts_arena_dup(arena, req->request_id, &m->request_id) < 0) {
        ts_arena_free(arena);
        ts_http_reply(req, &app_unavailable);
        return NULL;
    }
    m->kind = kind;
    m->app = app;
    m->arena = arena;
    m->op.kind = &writer_kind;
    m->op.deadline_us = req->received_us + INGEST_DEADLINE_US;
    m->now_us = ts_clock_wall_us() / TS_US_PER_MS * TS_US_PER_MS;
    return m;
}

struct mutation *mutation_free(struct mutation *m)
{
    if (m)
        ts_arena_free(m->arena);
    return NULL;
}

void mutation_submit(struct mutation *m, struct ts_http_request *req)
{
    if (ts_writer_submit(m->app->writer, &m->op) < 0) {
        mutation_free(m);
        ts_http_reply(req, &app_unavailable);
        return;
    }
    m->app->pending_bytes += MUTATION_BYTES;
    m->ticket = ts_http_park(req);
}

json_t *mutation_body(struct ts_http_request *req)
{
    json_t *body = NULL;
    if (ts_json_parse_object(req->body, TS_MAX_JSON_DEPTH, &body) < 0)
        ts_http_reply_error(req, 400, "Invalid JSON", NULL, NULL);
    return body;
}

void mutation_refuse(struct ts_http_request *req, const struct validate_result *result, const char *missing,
                     const char *missing_field)
{
    char text[64];
    if (result->problem == VALIDATE_NO_MEMORY) {
        ts_http_reply(req, &app_unavailable);
    } else if (result->problem == VALIDATE_MISSING) {
        ts_http_reply_error(req, 400, missing, NULL, missing_field);
    } else {
        snprintf(text, sizeof(text), "Invalid field: %s", result->field);
        ts_http_reply_error(req, 400, text, NULL, result->field);
    }
}
