/*
 * Processes of this machine, as /proc tells: who a pid is, what it uses, who listens on a port.
 *
 * A pid alone names nobody: it may have been given to another process since. So a process is known by its pid, the moment it started
 * and the boot it started in, and nothing is ever sent to one that is not the same by all three.
 * Thread rule: main thread.
 */
#ifndef TSCTL_PROCESS_H
#define TSCTL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct process {
    pid_t pid;            /* 0 = none */
    uint64_t start_ticks; /* clock ticks since boot */
    char boot[40];        /* the kernel's random id of this boot */
};

/* 0, or -ESRCH when there is no such process (a zombie is none). */
TS_MUST_CHECK int process_identify(pid_t pid, struct process *ret);

/* Is it still the same, and alive? */
bool process_lives(const struct process *process);

struct process_usage {
    int64_t rss_bytes;
    int64_t age_us;
    int cpu_permille; /* of one core, mean since its start */
};
TS_MUST_CHECK int process_usage(const struct process *process, struct process_usage *ret);

/* Its command line, arguments separated by blanks, cut to fit; "?" when it can't be read. */
#define COMMAND_SIZE 160
const char *process_command(pid_t pid, char out[COMMAND_SIZE]);

/*
 * True when something listens on 127.0.0.1 or any address at that TCP port; *ret_pid is who, 0 when it can't be seen (another user's).
 */
bool process_listens(int port, pid_t *ret_pid);

/* Does any process belong to this process group? Zombies don't count. */
bool process_group_exists(pid_t group);

/*
 * Ends a process that is the leader of its group, and the whole group: SIGTERM, after `timeout_ms` SIGKILL; returns when none of them
 * is left. True when SIGKILL was needed. Someone else under the same pid is left alone.
 */
bool process_end(const struct process *process, int timeout_ms);

#endif
