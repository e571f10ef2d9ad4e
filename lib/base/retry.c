#include "base/retry.h"

#include "base/secret.h"

struct ts_retry ts_retry_begin(const struct ts_retry_policy *policy, int64_t deadline_us)
{
    return (struct ts_retry){.policy = policy, .deadline_us = deadline_us};
}

void ts_retry_attempt(struct ts_retry *retry)
{
    retry->attempts++;
}

/* first * factor^(attempts - 1), stopped at the cap before it can overflow. */
static int64_t plain_wait(const struct ts_retry_policy *policy, int attempts)
{
    int64_t cap = policy->max_wait_us > 0 ? policy->max_wait_us : INT64_MAX;
    int64_t wait = policy->first_wait_us;

    if (policy->factor > 1)
        for (int i = 1; i < attempts && wait > 0 && wait < cap; i++)
            wait = wait > cap / policy->factor ? cap : wait * policy->factor;
    return wait < cap ? wait : cap;
}

static int64_t jittered(int64_t wait, int percent)
{
    int64_t span = wait / 100 * percent;
    uint64_t random;

    if (span <= 0)
        return wait;
    ts_random_bytes(&random, sizeof(random));
    return wait - (int64_t)(random % ((uint64_t)span + 1));
}

bool ts_retry_next(const struct ts_retry *retry, int64_t now_us, int64_t *ret_wait_us)
{
    const struct ts_retry_policy *policy = retry->policy;

    if (policy->max_attempts > 0 && retry->attempts >= policy->max_attempts)
        return false;
    int64_t wait = jittered(plain_wait(policy, retry->attempts), policy->jitter_percent);
    if (retry->deadline_us > 0 && wait >= retry->deadline_us - now_us)
        return false;
    *ret_wait_us = wait;
    return true;
}
