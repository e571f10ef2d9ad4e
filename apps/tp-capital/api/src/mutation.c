#include "mutation.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "registry.h"

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

int mutation_apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
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

static struct mutation *mutation_free(struct mutation *m)
{
    if (m)
        ts_arena_free(m->arena);
    return NULL;
}
TS_DEFINE_CLEANUP(struct mutation *, mutation_free)

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
    .name = "mutations", .apply = mutation_apply, .done = on_done, .max_batch = MAX_PER_COMMIT};

/* The new id, or that of the path. 0 or -ENOMEM. */
static int choose_subject(struct mutation *m, const struct ts_http_request *req)
{
    char id[REGISTRY_NEW_ID_SIZE];
    ts_str subject = m->kind->new_id ? registry_new_id(m->kind->new_id, id) : req->params[0];
    return ts_arena_dup(m->arena, subject, &m->subject);
}

/* NULL when 503 was answered, which is before the body is parsed. */
static struct mutation *mutation_new(struct ts_http_request *req, struct app *app,
                                     const struct mutation_kind *kind)
{
    struct ts_arena *arena = app_is_overloaded(app) ? NULL : ts_arena_new(MUTATION_BYTES);
    _cleanup_(mutation_freep) struct mutation *m = arena ? ts_arena_alloc(arena, kind->size) : NULL;
    if (m) {
        m->kind = kind;
        m->app = app;
        m->arena = arena;
        m->op.kind = &writer_kind;
        m->op.deadline_us = req->received_us + INGEST_DEADLINE_US;
        m->now_us = ts_clock_wall_us() / TS_US_PER_MS * TS_US_PER_MS;
        m->rows = 1;
        if (ts_arena_dup(arena, req->request_id, &m->request_id) == 0 && choose_subject(m, req) == 0)
            return TS_TAKE(m);
    } else {
        ts_arena_free(arena);
    }
    ts_http_reply(req, &app_unavailable);
    return NULL;
}

static void refuse(struct ts_http_request *req, const struct mutation_kind *kind,
                   const struct validate_result *result)
{
    char text[64];
    if (result->problem == VALIDATE_NO_MEMORY) {
        ts_http_reply(req, &app_unavailable);
    } else if (result->problem == VALIDATE_MISSING) {
        ts_http_reply_error(req, 400, kind->missing, NULL, kind->missing_field);
    } else {
        snprintf(text, sizeof(text), "Invalid field: %s", result->field);
        ts_http_reply_error(req, 400, text, NULL, result->field);
    }
}

/* False when the request was answered. */
static bool read_body(struct mutation *m, struct ts_http_request *req)
{
    _cleanup_(ts_json_freep) json_t *body = NULL;
    if (!m->kind->read)
        return true;
    if (ts_json_parse_object(req->body, TS_MAX_JSON_DEPTH, &body) < 0) {
        ts_http_reply_error(req, 400, "Invalid JSON", NULL, NULL);
        return false;
    }
    struct validate_result result = m->kind->read(m, body);
    if (result.problem != VALIDATE_OK)
        refuse(req, m->kind, &result);
    return result.problem == VALIDATE_OK;
}

void mutation_handle(struct ts_http_request *req, struct app *app, const struct mutation_kind *kind)
{
    if (req->params[0].len > REGISTRY_ID_MAX) { /* none of ours is that long */
        ts_http_reply_error(req, 404, kind->not_found, NULL, NULL);
        return;
    }
    _cleanup_(mutation_freep) struct mutation *m = mutation_new(req, app, kind);
    if (!m || !read_body(m, req))
        return;
    if (ts_writer_submit(app->writer, &m->op) < 0) {
        ts_http_reply(req, &app_unavailable);
        return;
    }
    app->pending_bytes += MUTATION_BYTES;
    TS_TAKE(m)->ticket = ts_http_park(req);
}

/* --- answers ------------------------------------------------------------------------------------------------------------ */

void mutation_put_ok(const struct mutation *m, struct ts_jsonw *w)
{
    (void)m;
    ts_jsonw_key_str(w, "status", TS_STR("ok"));
}

void mutation_put_id(const struct mutation *m, struct ts_jsonw *w)
{
    mutation_put_ok(m, w);
    ts_jsonw_key_str(w, "id", m->subject);
}
