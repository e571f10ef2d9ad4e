/*
 * The supervisor: one process that owns the services which `start` started, for as long as there are any. It outlives the terminal,
 * starts a service again when it ends by itself (after 1, 2, 4 … 30 s; the fifth time within 5 minutes it gives up), and ends services
 * when asked: SIGTERM to the whole process group, SIGKILL to what is left of it after the time.
 *
 * It knows no catalogue: each request brings all there is to know. SIGTERM or SIGINT: it ends every service, then itself.
 * Thread rule: main thread, its own loop.
 */
#ifndef TSCTL_SUPERVISOR_H
#define TSCTL_SUPERVISOR_H

/* All of `tsctl supervise`: returns the exit code. TSCTL_BACKOFF_MS changes the first wait (tests). */
int supervise(void);

#endif
