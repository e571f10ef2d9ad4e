/*
 * The command line of every verb (workspace-status-dashboard 5.1 to 5.4). An option that a verb does not have is wrong usage.
 * Thread rule: main thread.
 */
#ifndef TSCTL_OPTIONS_H
#define TSCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes of all verbs. */
enum exit_code {
    EXIT_DONE = 0,         /* everything asked for is done, or healthy */
    EXIT_PARTLY = 1,       /* something that is not critical failed or was skipped */
    EXIT_CRITICAL = 2,     /* something critical failed */
    EXIT_USAGE = 64,       /* wrong usage */
    EXIT_UNAVAILABLE = 69, /* a required thing is missing, or an environment file is invalid */
    EXIT_LOCKED = 75,      /* another command holds the lock */
};

struct options {
    const char *verb;      /* "start" */
    const char *catalogue; /* relative to the root, or absolute */
    bool json;
    bool quiet;
    bool no_color;
    bool dry_run; /* start */
    bool no_wait; /* start */
    bool watch;   /* status */
    int wait_s;   /* start: until all are healthy */
    int timeout_s; /* start: each service until healthy, 0 = what the catalogue says; stop: until SIGKILL; status: each probe */
    int watch_s;
    char **names; /* services or groups */
    size_t n_names;
};

/*
 * 0 and *ret; or, after it has printed help or what is wrong, -1 with the exit code in *ret_exit. `argv` is kept.
 */
int options_parse(int argc, char **argv, struct options *ret, int *ret_exit);

#endif
