/*
 * Readers: 2 to 4 threads, each with a read connection of its own. A job runs on one of them and comes back
 * to the loop. Read transactions are short: one page of rows a job. Thread rule: submit and `done` on the
 * loop's thread, `run` on a reader thread.
 */
#ifndef TS_DB_READER_H
#define TS_DB_READER_H

#include <uv.h>

#include "db/db.h"

struct ts_reader;

/* Embed it first in a struct of your own. */
struct ts_read_job {
    int (*run)(struct ts_read_job *job, struct ts_db *db); /* 0 or an error */
    void (*done)(struct ts_read_job *job, int result);     /* exactly once; the job is the callee's again */
    /* Monotonic, waiting included; past it: done with TS_E_TIMEOUT, never run. 0: submit sets it to 2 s. */
    int64_t deadline_us;
    int result_;
    struct ts_db_error error_detail; /* filled when run failed */
    struct ts_read_job *next_;
};

struct ts_reader_options {
    struct ts_db_options db; /* read_only is set by the pool */
    int threads;             /* 0 = 2; at most 8 */
    size_t max_queue;        /* 0 = TS_MAX_READER_QUEUE */
};

TS_MUST_CHECK int ts_reader_new(uv_loop_t *loop, const struct ts_reader_options *options,
                                struct ts_reader **ret);
TS_MUST_CHECK int ts_reader_submit(struct ts_reader *reader,
                                   struct ts_read_job *job); /* TS_E_OVERLOADED, TS_E_CLOSED */

struct ts_reader_stats {
    int active, idle;
    size_t waiting;
};
struct ts_reader_stats ts_reader_stats(const struct ts_reader *reader);

/* Finishes what is queued, stops the threads, then calls `stopped` on the loop's thread; then free. */
void ts_reader_stop(struct ts_reader *reader, void (*stopped)(void *ctx), void *ctx);
struct ts_reader *ts_reader_free(struct ts_reader *reader);

#endif
