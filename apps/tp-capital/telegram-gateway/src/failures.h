/*
 * Failures: tries the messages with a failure mark again (tp-capital 7.5), in rounds: at start, each interval, and when a person asks.
 *
 * A round goes through the failed rows oldest first, one attempt each, one at a time. The first is the probe: a wrong token ends the round, and so do
 * FAILURES_MAX_IN_A_ROW faults of the server one after the other. What failed again goes to the back. Rejected messages are only taken when the API's
 * version differs from the one that rejected them, hourly when it said `Invalid field: timestamp` (a clock can be put right), or when asked for.
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_FAILURES_H
#define GATEWAY_FAILURES_H

#include "delivery.h"
#include "journal.h"
#include "metrics.h"

enum { FAILURES_MAX_IN_A_ROW = 3, FAILURES_PAGE_ROWS = 32 };

struct failures;

struct failures_options {
    uv_loop_t *loop;
    struct journal *journal;
    struct delivery *delivery;
    const struct metrics *metrics;
    int64_t interval_us; /* 0: only when asked */
    void (*published)(void *ctx, struct message_key key);
    void *ctx;
};

struct failures_outcome {
    int64_t recovered, failed;
    int error; /* that ended the round before its time, such as an outbox that can't be read; 0: none */
};
typedef void (*failures_done)(const struct failures_outcome *outcome, void *ctx);

TS_MUST_CHECK int failures_new(const struct failures_options *options, struct failures **ret);
void failures_start(struct failures *failures);

/*
 * A round now. -EBUSY: one is running; TS_E_CLOSED: stopping; no call-back then.
 */
TS_MUST_CHECK int failures_recover(struct failures *failures, bool include_rejected, failures_done done,
                                   void *ctx);

/* `stopped` once the attempt under way has its answer. */
void failures_stop(struct failures *failures, void (*stopped)(void *ctx), void *ctx);
struct failures *failures_free(struct failures *failures); /* the loop must run once more */

#endif
