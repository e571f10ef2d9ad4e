/*
 * Asks services whether they are well: HTTP GET on this machine, all at once, within one time limit.
 * Thread rule: main thread; blocks for at most that time.
 */
#ifndef TSCTL_PROBE_H
#define TSCTL_PROBE_H

#include <stddef.h>
#include <stdint.h>

struct probe {
    const char *url; /* http://127.0.0.1:PORT/PATH or http://localhost:…; NULL = not asked */
    int status;      /* of the answer; 0 = none */
    int64_t took_us;
};

void probe_all(struct probe *probes, size_t n, int timeout_ms);

#endif
