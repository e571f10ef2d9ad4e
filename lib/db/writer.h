/*
 * Writer: one thread that owns the write connection and makes many waiting operations durable with one commit
 * (group commit).
 *
 * The loop submits self-contained operations; the thread takes those of one kind that wait first (at most
 * TS_MAX_WRITER_BATCH, no artificial delay), hands them to the kind's `apply`, and gives each back to the loop
 * with its result only after the commit. So: result 0 = on disk. The order is that of submission.
 *
 * `apply` is one whole transaction over n operations: it returns 0 after the commit, or an error after which
 * nothing of it is stored (an open transaction is rolled back for it). It must be idempotent: a commit whose
 * answer was lost with the connection is tried again, and an operation that was answered TS_E_TIMEOUT or
 * TS_E_DB_CONNECTION may yet be on disk (its sender sends again and finds it there).
 *   - TS_E_DB_CONSTRAINT, TS_E_DB_DATA: one item may be at fault: the batch is halved until the item stands
 *     alone and fails by itself.
 *   - CONNECTION and DB_TIMEOUT (3 attempts, 2 s apart), DEADLOCK (5, 1 s): the whole batch is tried again,
 *     but no attempt or wait starts that would pass an operation's deadline; operations past theirs are
 *     answered with TS_E_TIMEOUT (tp-capital 3.4).
 *   - TS_E_DB_SYNC: never retried: the batch fails, `on_fatal` is called (log, exit: the restart recovers).
 *   - anything else: the batch fails with that error.
 *
 * An operation is answered at its deadline (give or take 0.1 s) also while the database hangs.
 *
 * Thread rule: submit and all call-backs on the loop's thread, except `apply` (writer thread; it may touch
 * the operation and `store` only).
 */
#ifndef TS_DB_WRITER_H
#define TS_DB_WRITER_H

#include <uv.h>

#include "db/db.h"

struct ts_writer;
struct ts_writer_op;

struct ts_writer_kind {
    const char *name; /* for logs and metrics */
    /* On the writer's thread. ts_db_set_deadline() is set to the batch's earliest deadline. */
    int (*apply)(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);
    /* On the loop's thread, exactly once; the operation is the callee's again. result: 0 or the error. */
    void (*done)(struct ts_writer_op *op, int result);
    size_t max_batch; /* operations of this kind in one apply; 0 = the writer's own maximum */
};

/* The head of an operation; embed it first in a struct of your own (copied bytes, own arena). */
struct ts_writer_op {
    const struct ts_writer_kind *kind;
    int64_t deadline_us; /* monotonic; 0 = none */
    int result_;
    struct ts_writer_op *next_;
};

struct ts_writer_options {
    struct ts_db_options db;
    void *store;      /* given to apply */
    size_t max_queue; /* 0 = TS_MAX_WRITER_QUEUE */
    size_t max_batch; /* 0 = TS_MAX_WRITER_BATCH */
    /* Each failed attempt, on the loop's thread: metrics, logs. `attempt` counts from 1; wait_us < 0: given
     * up or halved. May be NULL. */
    void (*on_error)(const struct ts_db_error *error, int attempt, int64_t wait_us, void *ctx);
    void (*on_batch)(size_t ops, int64_t duration_us, void *ctx); /* after a commit; may be NULL */
    void (*on_fatal)(const struct ts_db_error *error, void *ctx);
    void *ctx;
};

/* Opens the connection (db.h: PostgreSQL connects later) and starts the thread. Errors of ts_db_open; strings
 * are copied. */
TS_MUST_CHECK int ts_writer_new(uv_loop_t *loop, const struct ts_writer_options *options,
                                struct ts_writer **ret);

/* Queues an operation. TS_E_OVERLOADED when the queue is full, TS_E_CLOSED while stopping: then it stays the
 * caller's. */
TS_MUST_CHECK int ts_writer_submit(struct ts_writer *writer, struct ts_writer_op *op);

/* True when a submit would be refused: asked before a body is parsed. */
bool ts_writer_is_full(const struct ts_writer *writer);
size_t ts_writer_pending(const struct ts_writer *writer);

/* Finishes what is queued, stops the thread, then calls `stopped` on the loop's thread. */
void ts_writer_stop(struct ts_writer *writer, void (*stopped)(void *ctx), void *ctx);
struct ts_writer *ts_writer_free(struct ts_writer *writer); /* after `stopped`; takes NULL */

#endif
