/*
 * Writer: the loop's side and the thread's side of one queue.
 *
 * An operation belongs to exactly one place at a time: the queue (under the lock), the batch (the thread's
 * alone), or the list of finished ones (under the lock) until the loop calls `done`. So nothing is ever
 * copied or counted, and nothing can be answered twice.
 *
 * How an answer keeps its deadline while the database hangs: operations in the queue are swept by a timer of
 * the loop; those in a batch are in calls that end at the batch's earliest deadline (ts_db_set_deadline), and
 * no attempt or wait starts that would pass an operation's own.
 */
#include "db/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/retry.h"
#include "db/db_internal.h"

#define SWEEP_MS       100
#define MIN_ATTEMPT_US (100 * TS_US_PER_MS) /* an operation with less time left is not tried once more */

/* tp-capital 3.4 */
static const struct ts_retry_policy connection_policy = {
    .max_attempts = 3, .first_wait_us = 2 * TS_US_PER_S, .factor = 1};
static const struct ts_retry_policy deadlock_policy = {
    .max_attempts = 5, .first_wait_us = 1 * TS_US_PER_S, .factor = 1};

struct op_list {
    struct ts_writer_op *first, *last;
    size_t n;
};

/* What the thread tells the loop besides results. */
struct report {
    enum { REPORT_BATCH, REPORT_ERROR } type;
    struct ts_db_error error;
    int attempt;
    int64_t wait_us;
    size_t ops;
    int64_t duration_us;
    struct report *next;
};

struct ts_writer {
    struct ts_writer_options options;
    struct ts_db *db; /* the thread's, from its start to its end */
    pthread_t thread;

    /* The loop's. */
    uv_async_t wake_loop;
    uv_timer_t sweep;
    size_t pending;
    bool is_stopping, fatal_told;
    int open_handles;
    void (*stopped)(void *ctx);
    void *stopped_ctx;

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct op_list queue, finished;
    struct report *reports, **last_report;
    bool stop, thread_ended;
    bool
        is_fatal; /* `fatal` is set; here and not among the reports, because it must be told even without memory */
    struct ts_db_error fatal;

    /* The thread's. */
    struct ts_retry connection_retry, deadlock_retry; /* of the present batch */
    struct ts_writer_op **batch;
};

/* --- both sides --- */

static void append(struct op_list *list, struct ts_writer_op *op)
{
    op->next_ = NULL;
    if (list->last)
        list->last->next_ = op;
    else
        list->first = op;
    list->last = op;
    list->n++;
}

static struct ts_writer_op *pop(struct op_list *list)
{
    struct ts_writer_op *op = list->first;

    if (op) {
        list->first = op->next_;
        if (!list->first)
            list->last = NULL;
        list->n--;
    }
    return op;
}

/* --- the thread --- */

static void give_back(struct ts_writer *writer, struct ts_writer_op *const *ops, size_t n, int result)
{
    if (n == 0)
        return;
    pthread_mutex_lock(&writer->lock);
    for (size_t i = 0; i < n; i++) {
        ops[i]->result_ = result;
        append(&writer->finished, ops[i]);
    }
    pthread_mutex_unlock(&writer->lock);
    uv_async_send(&writer->wake_loop);
}

/* A report is for logs and metrics: without memory it is left out. The loop is woken by the results that
 * follow. */
static void post(struct ts_writer *writer, struct report report)
{
    struct report *copy = malloc(sizeof(*copy));

    if (!copy)
        return;
    *copy = report;
    copy->next = NULL;
    pthread_mutex_lock(&writer->lock);
    *writer->last_report = copy;
    writer->last_report = &copy->next;
    pthread_mutex_unlock(&writer->lock);
    uv_async_send(&writer->wake_loop);
}

static void post_fatal(struct ts_writer *writer, const struct ts_db_error *error)
{
    pthread_mutex_lock(&writer->lock);
    if (!writer->is_fatal)
        writer->fatal = *error;
    writer->is_fatal = true;
    pthread_mutex_unlock(&writer->lock);
    uv_async_send(&writer->wake_loop);
}

/* Gives back the operations whose deadline comes before `until_us` and keeps the others, in their order. */
static size_t give_back_late(struct ts_writer *writer, struct ts_writer_op **ops, size_t n, int64_t until_us)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (ops[i]->deadline_us != 0 && ops[i]->deadline_us < until_us)
            give_back(writer, &ops[i], 1, TS_E_TIMEOUT);
        else
            ops[kept++] = ops[i];
    }
    return kept;
}

static int64_t earliest_deadline(struct ts_writer_op *const *ops, size_t n)
{
    int64_t earliest = 0;

    for (size_t i = 0; i < n; i++)
        if (ops[i]->deadline_us != 0 && (earliest == 0 || ops[i]->deadline_us < earliest))
            earliest = ops[i]->deadline_us;
    return earliest;
}

static struct ts_retry *retry_for(struct ts_writer *writer, int error)
{
    switch (error) {
    case TS_E_DB_CONNECTION:
    case TS_E_DB_TIMEOUT: /* whoever holds the lock is cut off by the server within 3 s */
        return &writer->connection_retry;
    case TS_E_DB_DEADLOCK:
        return &writer->deadlock_retry;
    default:
        return NULL;
    }
}

static int attempt(struct ts_writer *writer, struct ts_writer_op *const *ops, size_t n)
{
    int64_t started_us = ts_clock_mono_us();

    ts_db_set_deadline(writer->db, earliest_deadline(ops, n));
    int result = ops[0]->kind->apply(writer->options.store, writer->db, ops, n);
    if (result == 0)
        post(writer,
             (struct report){.type = REPORT_BATCH, .ops = n, .duration_us = ts_clock_mono_us() - started_us});
    else
        ts_db_rollback(
            writer->db); /* nothing may leak from an apply that failed half-way into the next transaction */
    return result;
}

/* Notes a failed attempt; returns how long to wait for the next one, or a negative number when there is none.
 */
static int64_t plan_next(struct ts_writer *writer, int error)
{
    struct ts_retry *retry = retry_for(writer, error);
    struct report report = {
        .type = REPORT_ERROR, .error = *ts_db_error(writer->db), .attempt = 1, .wait_us = -1};

    if (report.error.error != error) /* apply's own, not the database's */
        ts_db_fail(&report.error, error, ts_error_text(error));
    if (retry) {
        int64_t wait_us;
        ts_retry_attempt(retry);
        report.attempt = retry->attempts;
        if (ts_retry_next(retry, ts_clock_mono_us(), &wait_us))
            report.wait_us = wait_us;
    }
    post(writer, report);
    if (error == TS_E_DB_SYNC)
        post_fatal(writer, &report.error);
    return report.wait_us;
}

static void wait_for(int64_t us)
{
    struct timespec rest = {.tv_sec = us / TS_US_PER_S, .tv_nsec = us % TS_US_PER_S * 1000};

    while (nanosleep(&rest, &rest) != 0)
        ;
}

/* Makes operations of one kind durable, all together if possible. Recursion halves, so it is log2(batch)
 * deep. */
static void commit_run(struct ts_writer *writer, struct ts_writer_op **ops, size_t n)
{
    for (;;) {
        n = give_back_late(writer, ops, n, ts_clock_mono_us() + MIN_ATTEMPT_US);
        if (n == 0)
            return;
        int result = attempt(writer, ops, n);
        if (result == 0) {
            give_back(writer, ops, n, 0);
            return;
        }
        int64_t wait_us = plan_next(writer, result);
        if ((result == TS_E_DB_CONSTRAINT || result == TS_E_DB_DATA) && n > 1) {
            commit_run(writer, ops, n / 2);
            commit_run(writer, ops + n / 2, n - n / 2);
            return;
        }
        if (wait_us < 0) {
            give_back(writer, ops, n, result);
            return;
        }
        n = give_back_late(writer, ops, n, ts_clock_mono_us() + wait_us + MIN_ATTEMPT_US);
        if (n > 0)
            wait_for(wait_us);
    }
}

/*
 * Waits for work and takes the first run of operations of one kind; 0 when there is none and never will be. What is of another kind stays in
 * the queue, where the loop can answer it.
 */
static size_t take_batch(struct ts_writer *writer)
{
    size_t n = 0, max = writer->options.max_batch;

    pthread_mutex_lock(&writer->lock);
    while (writer->queue.n == 0 && !writer->stop)
        pthread_cond_wait(&writer->work, &writer->lock);
    if (writer->queue.n > 0 && writer->queue.first->kind->max_batch > 0)
        max = TS_MIN(max, writer->queue.first->kind->max_batch);
    while (n < max && writer->queue.n > 0 && (n == 0 || writer->queue.first->kind == writer->batch[0]->kind))
        writer->batch[n++] = pop(&writer->queue);
    pthread_mutex_unlock(&writer->lock);
    return n;
}

static void *writer_main(void *arg)
{
    struct ts_writer *writer = arg;
    size_t n;

    while ((n = take_batch(writer)) > 0) {
        writer->connection_retry = ts_retry_begin(&connection_policy, 0);
        writer->deadlock_retry = ts_retry_begin(&deadlock_policy, 0);
        commit_run(writer, writer->batch, n);
    }
    pthread_mutex_lock(&writer->lock);
    writer->thread_ended = true;
    pthread_mutex_unlock(&writer->lock);
    uv_async_send(&writer->wake_loop);
    return NULL;
}

/* --- the loop --- */

static void deliver_reports(struct ts_writer *writer, struct report *report)
{
    const struct ts_writer_options *options = &writer->options;

    while (report) {
        struct report *next = report->next;
        if (report->type == REPORT_BATCH && options->on_batch)
            options->on_batch(report->ops, report->duration_us, options->ctx);
        else if (report->type == REPORT_ERROR && options->on_error)
            options->on_error(&report->error, report->attempt, report->wait_us, options->ctx);
        free(report);
        report = next;
    }
}

/* Once. What was set is never changed again, so it can be read without the lock. */
static void deliver_fatal(struct ts_writer *writer)
{
    const struct ts_writer_options *options = &writer->options;

    if (!writer->fatal_told && options->on_fatal)
        options->on_fatal(&writer->fatal, options->ctx);
    writer->fatal_told = true;
}

static void deliver_results(struct ts_writer *writer, struct op_list *finished)
{
    struct ts_writer_op *op;

    while ((op = pop(finished)) != NULL) {
        writer->pending--;
        op->kind->done(op, op->result_);
    }
    if (writer->pending == 0)
        uv_timer_stop(&writer->sweep);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct ts_writer *writer = handle->data;

    if (--writer->open_handles == 0 && writer->stopped)
        writer->stopped(writer->stopped_ctx);
}

static void finish_stop(struct ts_writer *writer)
{
    pthread_join(writer->thread, NULL);
    writer->db = ts_db_close(writer->db);
    uv_close((uv_handle_t *)&writer->wake_loop, on_handle_closed);
    uv_close((uv_handle_t *)&writer->sweep, on_handle_closed);
}

static void on_wake(uv_async_t *async)
{
    struct ts_writer *writer = async->data;

    pthread_mutex_lock(&writer->lock);
    struct op_list finished = writer->finished;
    struct report *reports = writer->reports;
    bool thread_ended = writer->thread_ended, is_fatal = writer->is_fatal;
    writer->finished = (struct op_list){0};
    writer->reports = NULL;
    writer->last_report = &writer->reports;
    pthread_mutex_unlock(&writer->lock);

    deliver_reports(writer, reports);
    if (is_fatal)
        deliver_fatal(writer);
    deliver_results(writer, &finished);
    if (thread_ended && !uv_is_closing((uv_handle_t *)async))
        finish_stop(writer);
}

/* Answers queued operations whose deadline has come, also while the thread hangs in a call. */
static void on_sweep(uv_timer_t *timer)
{
    struct ts_writer *writer = timer->data;
    struct op_list late = {0}, kept = {0};
    struct ts_writer_op *op;
    int64_t now_us = ts_clock_mono_us();

    pthread_mutex_lock(&writer->lock);
    while ((op = pop(&writer->queue)) != NULL) {
        bool is_late = op->deadline_us != 0 && op->deadline_us <= now_us;
        op->result_ = TS_E_TIMEOUT;
        append(is_late ? &late : &kept, op);
    }
    writer->queue = kept;
    pthread_mutex_unlock(&writer->lock);
    deliver_results(writer, &late);
}

static int start_thread(struct ts_writer *writer)
{
    sigset_t all, before;

    /* Signals are the loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = -pthread_create(&writer->thread, NULL, writer_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static struct ts_writer *dispose(struct ts_writer *writer)
{
    if (!writer)
        return NULL;
    ts_db_close(writer->db);
    pthread_cond_destroy(&writer->work);
    pthread_mutex_destroy(&writer->lock);
    free(writer->batch);
    free(writer);
    return NULL;
}
TS_DEFINE_CLEANUP(struct ts_writer *, dispose)

static struct ts_writer *make(const struct ts_writer_options *options)
{
    struct ts_writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return NULL;
    writer->options = *options;
    writer->options.db = (struct ts_db_options){0}; /* its strings are borrowed for the opening only */
    if (writer->options.max_queue == 0)
        writer->options.max_queue = TS_MAX_WRITER_QUEUE;
    if (writer->options.max_batch == 0)
        writer->options.max_batch = TS_MAX_WRITER_BATCH;
    writer->last_report = &writer->reports;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->work, NULL);
    writer->batch = calloc(writer->options.max_batch, sizeof(struct ts_writer_op *));
    return writer->batch ? writer : dispose(writer);
}

static void on_failed_closed(uv_handle_t *handle)
{
    dispose(handle->data);
}

int ts_writer_new(uv_loop_t *loop, const struct ts_writer_options *options, struct ts_writer **ret)
{
    _cleanup_(disposep) struct ts_writer *writer = make(options);

    if (!writer)
        return -ENOMEM;
    int r = ts_db_open(&options->db, &writer->db);
    if (r < 0)
        return r;
    r = uv_async_init(loop, &writer->wake_loop, on_wake);
    if (r < 0)
        return r;
    writer->wake_loop.data = writer;
    r = start_thread(writer);
    if (r < 0) { /* the loop knows the handle already: it frees the writer in its next turn */
        uv_close((uv_handle_t *)&writer->wake_loop, on_failed_closed);
        writer = NULL;
        return r;
    }
    uv_timer_init(loop, &writer->sweep);
    writer->sweep.data = writer;
    writer->open_handles = 2;
    *ret = TS_TAKE(writer);
    return 0;
}

int ts_writer_submit(struct ts_writer *writer, struct ts_writer_op *op)
{
    if (writer->is_stopping)
        return TS_E_CLOSED;
    if (ts_writer_is_full(writer))
        return TS_E_OVERLOADED;
    writer->pending++;
    pthread_mutex_lock(&writer->lock);
    append(&writer->queue, op);
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    if (!uv_is_active((uv_handle_t *)&writer->sweep))
        uv_timer_start(&writer->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return 0;
}

bool ts_writer_is_full(const struct ts_writer *writer)
{
    return writer->pending >= writer->options.max_queue;
}

size_t ts_writer_pending(const struct ts_writer *writer)
{
    return writer->pending;
}

void ts_writer_stop(struct ts_writer *writer, void (*stopped)(void *ctx), void *ctx)
{
    assert(!writer->is_stopping);
    writer->is_stopping = true;
    writer->stopped = stopped;
    writer->stopped_ctx = ctx;
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
}

struct ts_writer *ts_writer_free(struct ts_writer *writer)
{
    assert(!writer || (writer->is_stopping && writer->open_handles == 0));
    return dispose(writer);
}
