#include "outbox.h"

#include "base/error.h"

static const char *const reason_names[REASON_COUNT] = {
    [REASON_NONE] = "",
    [REASON_AUTH] = "auth",
    [REASON_TIMEOUT] = "timeout",
    [REASON_SERVER_ERROR] = "server_error",
    [REASON_REJECTED] = "rejected",
};

const char *outbox_reason_name(enum outbox_reason reason)
{
    return reason_names[reason];
}

enum outbox_reason outbox_reason_parse(ts_str name)
{
    for (int reason = REASON_AUTH; reason < REASON_COUNT; reason++) {
        if (ts_str_eq(name, ts_str_from(reason_names[reason])))
            return (enum outbox_reason)reason;
    }
    return REASON_NONE;
}

static enum attempt classify_status(int status, bool valid_body)
{
    switch (status) {
    case 200:
        return valid_body ? ATTEMPT_STORED : ATTEMPT_SERVER;
    case 401:
    case 403:
        return ATTEMPT_AUTH;
    case 429:
        return ATTEMPT_THROTTLED;
    case 408: /* the server's timeout, not a word about the message */
    case 421: /* a wrong host name in a configuration */
    case 425:
        return ATTEMPT_SERVER;
    default:
        return status >= 400 && status < 500 ? ATTEMPT_REJECTED : ATTEMPT_SERVER;
    }
}

enum attempt outbox_classify(int error, int status, bool valid_body)
{
    if (error == TS_E_TIMEOUT)
        return ATTEMPT_TIMEOUT;
    return error != 0 ? ATTEMPT_SERVER : classify_status(status, valid_body);
}

enum outbox_reason outbox_reason_of(enum attempt attempt)
{
    switch (attempt) {
    case ATTEMPT_REJECTED:
        return REASON_REJECTED;
    case ATTEMPT_AUTH:
        return REASON_AUTH;
    case ATTEMPT_TIMEOUT:
        return REASON_TIMEOUT;
    case ATTEMPT_SERVER:
    case ATTEMPT_THROTTLED:
        return REASON_SERVER_ERROR;
    case ATTEMPT_STORED:
        break;
    }
    return REASON_NONE;
}

static struct outbox_verdict fail(enum attempt attempt)
{
    return (struct outbox_verdict){.what = VERDICT_FAIL, .reason = outbox_reason_of(attempt)};
}

static struct outbox_verdict judge_throttled(const struct outbox_policy *policy, struct outbox_cycle *cycle,
                                             int64_t retry_after_us)
{
    if (++cycle->throttled > OUTBOX_MAX_THROTTLED)
        return fail(ATTEMPT_THROTTLED);
    return (struct outbox_verdict){
        .what = VERDICT_RETRY,
        .wait_us = retry_after_us >= 0 ? retry_after_us : policy->first_delay_us,
    };
}

struct outbox_verdict outbox_judge(const struct outbox_policy *policy, struct outbox_cycle *cycle,
                                   enum attempt attempt, int64_t retry_after_us)
{
    if (attempt == ATTEMPT_STORED)
        return (struct outbox_verdict){.what = VERDICT_ACKNOWLEDGE};
    if (attempt == ATTEMPT_THROTTLED)
        return judge_throttled(policy, cycle, retry_after_us);
    cycle->attempts++;
    if (attempt == ATTEMPT_AUTH || attempt == ATTEMPT_REJECTED || cycle->attempts > policy->max_retries)
        return fail(attempt);
    return (struct outbox_verdict){
        .what = VERDICT_RETRY,
        .wait_us = policy->first_delay_us << (cycle->attempts - 1),
        .retry_number = cycle->attempts,
    };
}

enum outbox_level outbox_level(int64_t bytes, int64_t max_bytes)
{
    if (bytes >= max_bytes)
        return LEVEL_FULL;
    return bytes >= max_bytes / 2 ? LEVEL_HALF : LEVEL_ROOM;
}
