/*
 * Retry schedule: how often, how long in between, and until when at the latest. Pure bookkeeping, no
 * sleeping. Thread rule: one thread at a time.
 */
#ifndef TS_BASE_RETRY_H
#define TS_BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct ts_retry_policy {
    int max_attempts;      /* in all, the first included; 0 = without end */
    int64_t first_wait_us; /* before the second attempt */
    int64_t max_wait_us;   /* cap; 0 = none */
    int factor;            /* of each further wait: 1 constant, 2 doubling */
    int jitter_percent;    /* 0..100: up to that much is taken off a wait */
};

struct ts_retry {
    const struct ts_retry_policy *policy;
    int64_t deadline_us; /* monotonic; 0 = none */
    int attempts;        /* started so far */
};

struct ts_retry ts_retry_begin(const struct ts_retry_policy *policy, int64_t deadline_us);

/* To be called when an attempt starts. */
void ts_retry_attempt(struct ts_retry *retry);

/*
 * After a failed attempt: true and the wait when another may start; false when attempts are used up or the
 * next one could not start before the deadline.
 */
bool ts_retry_next(const struct ts_retry *retry, int64_t now_us, int64_t *ret_wait_us);

#endif
