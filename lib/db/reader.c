/*
 * Readers: a queue of jobs, some threads, a list of finished jobs. A job belongs to exactly one of them at a time.
 *
 * Jobs are taken in the order of their submission and a thread's call ends at its job's deadline, so with equal time limits none waits
 * beyond its own.
 */
#include "db/reader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "db/db_internal.h"

#define MAX_THREADS         8
#define DEFAULT_THREADS     2
#define DEFAULT_DEADLINE_US (2 * TS_US_PER_S)

struct job_list {
    struct ts_read_job *first, *last;
    size_t n;
};

struct worker {
    struct ts_reader *reader;
    struct ts_db *db;
    pthread_t thread;
};

struct ts_reader {
    size_t max_queue;
    struct worker workers[MAX_THREADS];
    int n_workers; /* started */

    /* The loop's. */
    uv_async_t wake_loop;
    bool is_stopping, is_closed;
    void (*stopped)(void *ctx);
    void *stopped_ctx;

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job_list queue, finished;
    int active, ended;
    bool stop;
};

static void append(struct job_list *list, struct ts_read_job *job)
{
    job->next_ = NULL;
    if (list->last)
        list->last->next_ = job;
    else
        list->first = job;
    list->last = job;
    list->n++;
}

static struct ts_read_job *pop(struct job_list *list)
{
    struct ts_read_job *job = list->first;

    if (job) {
        list->first = job->next_;
        if (!list->first)
            list->last = NULL;
        list->n--;
    }
    return job;
}

/* --- the threads --- */

static int run_job(struct ts_db *db, struct ts_read_job *job)
{
    if (ts_clock_mono_us() >= job->deadline_us)
        return ts_db_fail(&job->error_detail, TS_E_TIMEOUT, "waited too long for a read connection");
    ts_db_set_deadline(db, job->deadline_us);
    int result = job->run(job, db);
    if (result == 0)
        return 0;
    if (ts_db_error(db)->error == result)
        job->error_detail = *ts_db_error(db);
    else
        ts_db_fail(&job->error_detail, result, ts_error_text(result));
    ts_db_rollback(db);
    return result;
}

/* NULL: there is no job and never will be. */
static struct ts_read_job *take_job(struct ts_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    while (reader->queue.n == 0 && !reader->stop)
        pthread_cond_wait(&reader->work, &reader->lock);
    struct ts_read_job *job = pop(&reader->queue);
    if (job)
        reader->active++;
    else
        reader->ended++;
    pthread_mutex_unlock(&reader->lock);
    return job;
}

static void give_back(struct ts_reader *reader, struct ts_read_job *job)
{
    pthread_mutex_lock(&reader->lock);
    append(&reader->finished, job);
    reader->active--;
    pthread_mutex_unlock(&reader->lock);
    uv_async_send(&reader->wake_loop);
}

static void *reader_main(void *arg)
{
    struct worker *worker = arg;
    struct ts_read_job *job;

    while ((job = take_job(worker->reader)) != NULL) {
        job->result_ = run_job(worker->db, job);
        give_back(worker->reader, job);
    }
    uv_async_send(&worker->reader->wake_loop);
    return NULL;
}

/* --- the loop --- */

static struct ts_reader *dispose(struct ts_reader *reader)
{
    if (!reader)
        return NULL;
    for (int i = 0; i < MAX_THREADS; i++)
        ts_db_close(reader->workers[i].db);
    pthread_cond_destroy(&reader->work);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
    return NULL;
}
TS_DEFINE_CLEANUP(struct ts_reader *, dispose)

static void join_all(struct ts_reader *reader)
{
    for (int i = 0; i < reader->n_workers; i++)
        pthread_join(reader->workers[i].thread, NULL);
}

static void on_closed(uv_handle_t *handle)
{
    struct ts_reader *reader = handle->data;

    reader->is_closed = true;
    if (reader->stopped)
        reader->stopped(reader->stopped_ctx);
}

static void on_wake(uv_async_t *async)
{
    struct ts_reader *reader = async->data;
    struct ts_read_job *job;

    pthread_mutex_lock(&reader->lock);
    struct job_list finished = reader->finished;
    bool ended = reader->ended == reader->n_workers;
    reader->finished = (struct job_list){0};
    pthread_mutex_unlock(&reader->lock);

    while ((job = pop(&finished)) != NULL)
        job->done(job, job->result_);
    if (ended && !uv_is_closing((uv_handle_t *)async)) {
        join_all(reader);
        uv_close((uv_handle_t *)async, on_closed);
    }
}

static int open_connections(struct ts_reader *reader, const struct ts_reader_options *options, int threads)
{
    struct ts_db_options db = options->db;

    db.read_only = true;
    for (int i = 0; i < threads; i++) {
        reader->workers[i].reader = reader;
        int r = ts_db_open(&db, &reader->workers[i].db);
        if (r < 0)
            return r;
    }
    return 0;
}

static int start_threads(struct ts_reader *reader, int threads)
{
    sigset_t all, before;
    int r = 0;

    /* Signals are the loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (r == 0 && reader->n_workers < threads) {
        struct worker *worker = &reader->workers[reader->n_workers];
        r = -pthread_create(&worker->thread, NULL, reader_main, worker);
        if (r == 0)
            reader->n_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static void end_threads(struct ts_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    reader->stop = true;
    pthread_cond_broadcast(&reader->work);
    pthread_mutex_unlock(&reader->lock);
}

static void on_failed_closed(uv_handle_t *handle)
{
    dispose(handle->data);
}

int ts_reader_new(uv_loop_t *loop, const struct ts_reader_options *options, struct ts_reader **ret)
{
    const int threads = options->threads ? TS_MIN(options->threads, MAX_THREADS) : DEFAULT_THREADS;
    _cleanup_(disposep) struct ts_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return -ENOMEM;
    reader->max_queue = options->max_queue ? options->max_queue : TS_MAX_READER_QUEUE;
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->work, NULL);
    int r = open_connections(reader, options, threads);
    if (r == 0)
        r = uv_async_init(loop, &reader->wake_loop, on_wake);
    if (r < 0)
        return r;
    reader->wake_loop.data = reader;
    r = start_threads(reader, threads);
    if (r < 0) { /* the loop knows the handle already: it frees the pool in its next turn */
        end_threads(reader);
        join_all(reader);
        uv_close((uv_handle_t *)&reader->wake_loop, on_failed_closed);
        reader = NULL;
        return r;
    }
    *ret = TS_TAKE(reader);
    return 0;
}

int ts_reader_submit(struct ts_reader *reader, struct ts_read_job *job)
{
    if (reader->is_stopping)
        return TS_E_CLOSED;
    if (job->deadline_us == 0)
        job->deadline_us = ts_clock_mono_us() + DEFAULT_DEADLINE_US;
    pthread_mutex_lock(&reader->lock);
    bool is_full = reader->queue.n >= reader->max_queue;
    if (!is_full) {
        append(&reader->queue, job);
        pthread_cond_signal(&reader->work);
    }
    pthread_mutex_unlock(&reader->lock);
    return is_full ? TS_E_OVERLOADED : 0;
}

struct ts_reader_stats ts_reader_stats(const struct ts_reader *reader)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&reader->lock;

    pthread_mutex_lock(lock);
    struct ts_reader_stats stats = {
        .active = reader->active, .idle = reader->n_workers - reader->active, .waiting = reader->queue.n};
    pthread_mutex_unlock(lock);
    return stats;
}

void ts_reader_stop(struct ts_reader *reader, void (*stopped)(void *ctx), void *ctx)
{
    assert(!reader->is_stopping);
    reader->is_stopping = true;
    reader->stopped = stopped;
    reader->stopped_ctx = ctx;
    end_threads(reader);
}

struct ts_reader *ts_reader_free(struct ts_reader *reader)
{
    assert(!reader || reader->is_closed);
    return dispose(reader);
}
