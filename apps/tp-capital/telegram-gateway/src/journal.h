/*
 * Journal: the outbox at run time. It owns the writer and reader threads of the outbox's file, the lock that keeps a second gateway out, the
 * reserve, and the books (how many rows, how many bytes).
 *
 * An operation given to it is carried out, sooner or later: while the disk is full or the file refuses writes, appends wait here in their
 * order, `accepting` turns false and the transport must be paused; marks (acknowledgements, failures) go on in the space of the reserve. So what may
 * wait here is bounded by what a transport had under way (transport.h).
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_JOURNAL_H
#define GATEWAY_JOURNAL_H

#include <uv.h>

#include "db/reader.h"
#include "metrics.h"
#include "store.h"

struct journal;

struct journal_options {
    uv_loop_t *loop;
    const char *path;  /* of the outbox; its folder is made */
    int64_t max_bytes; /* payload not acknowledged: at it, reception stops */
    const char *vfs;   /* tests; NULL */
    const struct metrics *metrics;
    /* With the file open and locked, before the threads start: imports, first readings. May be NULL. An error ends journal_open. */
    int (*at_start)(void *ctx, struct ts_db *db);
    void (*accepting)(void *ctx, bool accepting); /* at each change; true at first */
    void (*fatal)(void *ctx);                     /* a sync failed: stop the process, its restart recovers */
    void *ctx;
};

/*
 * Blocking, at start. 0; -EWOULDBLOCK: another gateway has the file; -errno or TS_E_DB_*. A full disk is no error: the journal starts without
 * its reserve and not accepting, if the file can be opened at all.
 */
TS_MUST_CHECK int journal_open(const struct journal_options *options, struct journal **ret);

/* Carries out what it has, except appends that wait for room (they were never confirmed), then calls `closed`, then journal_free. */
void journal_close(struct journal *journal, void (*closed)(void *ctx), void *ctx);
struct journal *journal_free(struct journal *journal);

/* The connection the commands and the start use: opened, migrated. The caller holds the lock if it means to write. */
TS_MUST_CHECK int journal_open_db(const char *path, const char *vfs, struct ts_db **ret);
TS_MUST_CHECK int journal_lock(const char *path, int *ret_fd);

/* --- writing --------------------------------------------------------------------------------------------------------------- */

/*
 * Makes a message durable: `done` with result 0 (op->append.duplicate tells whether it was there already), or with an error that no waiting
 * would mend (the message itself can't be stored), or TS_E_CLOSED. The message is copied. 0 or -ENOMEM and no call-back.
 */
typedef void (*journal_done)(struct store_op *op, int result, void *ctx);
TS_MUST_CHECK int journal_append(struct journal *journal, const struct message *message, journal_done done,
                                 void *ctx);

/* `done` may be NULL. 0 or -ENOMEM. */
TS_MUST_CHECK int journal_send_as(struct journal *journal, const struct store_send_as *mark,
                                  journal_done done, void *ctx);
TS_MUST_CHECK int journal_acknowledge(struct journal *journal, struct store_ref ref, journal_done done,
                                      void *ctx);
TS_MUST_CHECK int journal_fail(struct journal *journal, const struct store_fail *fail, journal_done done,
                               void *ctx);
TS_MUST_CHECK int journal_prune(struct journal *journal, const struct store_prune *prune, journal_done done,
                                void *ctx);

/* --- reading --------------------------------------------------------------------------------------------------------------- */

TS_MUST_CHECK int journal_read(struct journal *journal, struct ts_read_job *job);

/* --- how it is ------------------------------------------------------------------------------------------------------------- */

bool journal_is_accepting(const struct journal *journal);
const char *journal_trouble(const struct journal *journal); /* for /health: "Disk full: <path>"; NULL: none */
struct outbox_usage journal_usage(const struct journal *journal);
size_t journal_marks_waiting(const struct journal *journal); /* given to it, not durable yet */

#endif
