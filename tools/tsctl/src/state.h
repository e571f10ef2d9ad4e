/*
 * What lies under .run/: the lock, one record a service, logs, the supervisor's socket. All paths are relative to the root of the tree,
 * where every command begins by going.
 * Thread rule: main thread.
 */
#ifndef TSCTL_STATE_H
#define TSCTL_STATE_H

#include "base/arena.h"
#include "process.h"

#define STATE_SOCKET         ".run/supervisor.sock"
#define STATE_SUPERVISOR_ID  "supervisor" /* its own record stands beside the services' */
#define STATE_SUPERVISOR_LOG ".run/logs/supervisor.log"

enum service_state {
    STATE_STOPPED,
    STATE_RUNNING,
    STATE_WAITING /* for its restart */,
    STATE_FAILED /* given up */
};
extern const char *const state_names[]; /* "stopped", "running", "waiting", "failed" */

struct record {
    struct process process; /* the last one, which may have ended */
    enum service_state state;
    int restarts; /* since `start` */
    bool demonstration;
};

/* Makes .run and its folders, mode 700. */
TS_MUST_CHECK int state_prepare(void);

/* What is known of a service; a record that says "running" of a process that is no more is read as STATE_STOPPED. */
struct record state_read(const char *id, struct ts_arena *arena);
TS_MUST_CHECK int state_write(const char *id, const struct record *record);
void state_forget(const char *id);

/* `.run/logs/<id>.log`, rotated when it is over 10 MB: three older ones stay. Opened for appending; a descriptor or -errno. */
TS_MUST_CHECK int state_open_log(const char *id);

/* The last lines of a service's log that are not empty, at most `max_bytes`, in the arena. */
ts_str state_log_tail(const char *id, size_t max_bytes, struct ts_arena *arena);

/*
 * One command changes things at a time. 0 with the descriptor that holds the lock; -EWOULDBLOCK when another has it, whose "pid N: verb" is
 * then in *ret_holder.
 */
TS_MUST_CHECK int state_lock(const char *verb, struct ts_arena *arena, int *ret_fd, ts_str *ret_holder);

#endif
