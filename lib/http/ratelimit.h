/*
 * Fixed-window counters by address: the rate limit of tp-capital 4.5, and the watch on failed authentications of 3.5.
 * The table has a fixed number of slots; a newcomer takes a free one of the eight its address may have, or the oldest. Thread rule: the loop's thread.
 */
#ifndef TS_HTTP_RATELIMIT_H
#define TS_HTTP_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct ts_ratelimit;

struct ts_ratelimit_state {
    int64_t limit, remaining;
    int64_t reset_s; /* seconds until the window ends, at least 1 */
    bool exceeded;
};

TS_MUST_CHECK int ts_ratelimit_new(int64_t max, int64_t window_us, size_t slots, struct ts_ratelimit **ret);
struct ts_ratelimit *ts_ratelimit_free(struct ts_ratelimit *limit);
TS_DEFINE_CLEANUP(struct ts_ratelimit *, ts_ratelimit_free)

/* Counts one event of `key` (an address, cut to 46 bytes) at monotonic now_us. max 0 never exceeds. */
struct ts_ratelimit_state ts_ratelimit_hit(struct ts_ratelimit *limit, ts_str key, int64_t now_us);

/*
 * The watch of 3.5: true exactly when this failure makes `threshold` of the key within the sliding window and no alarm was
 * given for the key during the last window.
 */
struct ts_failure_watch;
TS_MUST_CHECK int ts_failure_watch_new(int threshold, int64_t window_us, size_t slots,
                                       struct ts_failure_watch **ret);
struct ts_failure_watch *ts_failure_watch_free(struct ts_failure_watch *watch);
TS_DEFINE_CLEANUP(struct ts_failure_watch *, ts_failure_watch_free)
bool ts_failure_watch_hit(struct ts_failure_watch *watch, ts_str key, int64_t now_us);

#endif
