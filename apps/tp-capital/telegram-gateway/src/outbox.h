/*
 * Outbox, the rules: what states a message passes through, what each result of publishing means, when it is tried again (tp-capital 7.5, 10).
 * Pure: no clock, no disk, no network. (Its rows are store.h, its life at run time journal.h.)
 *
 *     pending ──200──▶ acknowledged
 *        │  └─ retries used up, or an answer that no retry changes ─▶ failed (reason) ──200 of a replay──▶ acknowledged
 */
#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum outbox_state { OUTBOX_PENDING, OUTBOX_FAILED, OUTBOX_ACKNOWLEDGED };

enum outbox_reason {
    REASON_NONE,
    REASON_AUTH,
    REASON_TIMEOUT,
    REASON_SERVER_ERROR,
    REASON_REJECTED,
    REASON_COUNT
};

/* "auth", "timeout", "server_error", "rejected"; "" for none. */
const char *outbox_reason_name(enum outbox_reason reason);
enum outbox_reason outbox_reason_parse(ts_str name); /* REASON_NONE for anything else */

/* --- what one attempt came to ---------------------------------------------------------------------------------------------- */

/* Ordered by how much hope there is: of several endpoints the best result counts. */
enum attempt {
    ATTEMPT_REJECTED,  /* 4xx: this message will never be taken as it is */
    ATTEMPT_AUTH,      /* 401, 403 */
    ATTEMPT_SERVER,    /* 5xx, refused, reset, no name, invalid reply */
    ATTEMPT_TIMEOUT,   /* no complete reply in time */
    ATTEMPT_THROTTLED, /* 429 */
    ATTEMPT_STORED,    /* 200 {"status":"ok"} */
};

/* error: of the HTTP client, 0 = a reply with status. valid_body: the reply is the JSON that a 200 must carry. */
enum attempt outbox_classify(int error, int status, bool valid_body);

/* --- the cycle of one message ---------------------------------------------------------------------------------------------- */

enum { OUTBOX_MAX_THROTTLED = 10 };

struct outbox_policy {
    int max_retries;        /* after the first try */
    int64_t first_delay_us; /* doubled for each further retry */
};

struct outbox_cycle {
    int attempts;  /* that failed, throttled ones apart */
    int throttled; /* 429s */
};

struct outbox_verdict {
    enum { VERDICT_ACKNOWLEDGE, VERDICT_RETRY, VERDICT_FAIL } what;
    int64_t wait_us;           /* RETRY */
    int retry_number;          /* RETRY: 1, 2, 3; 0 when the attempt does not count (429) */
    enum outbox_reason reason; /* FAIL */
};

/* Takes the attempt into the cycle and says what comes next. retry_after_us: -1 = not told. */
struct outbox_verdict outbox_judge(const struct outbox_policy *policy, struct outbox_cycle *cycle,
                                   enum attempt attempt, int64_t retry_after_us);

/* The mark a single attempt leaves when there is no cycle (replay of failures). */
enum outbox_reason outbox_reason_of(enum attempt attempt);

/* --- how full ---------------------------------------------------------------------------------------------------------------- */

struct outbox_usage {
    int64_t pending; /* not acknowledged, failed ones included */
    int64_t failed;
    int64_t bytes; /* payload of the pending ones */
};

enum outbox_level { LEVEL_ROOM, LEVEL_HALF, LEVEL_FULL };
enum outbox_level outbox_level(int64_t bytes, int64_t max_bytes);

#endif
