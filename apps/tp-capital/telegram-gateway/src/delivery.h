/*
 * Delivery: one attempt to hand one message to the API. Several endpoints are an ordered failover inside the attempt: the first 200 wins, else the
 * result with most hope counts (outbox.h). Knows nothing of retries.
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_DELIVERY_H
#define GATEWAY_DELIVERY_H

#include "base/config.h"
#include "base/secret.h"
#include "http/client.h"
#include "outbox.h"

struct delivery;

struct delivery_options {
    struct ts_http_client *http;
    const struct ts_str_list *endpoints; /* NUL-terminated items; at least one; borrowed */
    const struct ts_secret *token;       /* borrowed */
    int64_t timeout_us;                  /* of each endpoint */
};

struct delivery_letter {
    ts_str body;                    /* copied */
    ts_str request_id, traceparent; /* copied */
};

struct delivery_result {
    enum attempt attempt;
    int status;             /* 0: no reply */
    bool skipped;           /* STORED: the API had it */
    int64_t retry_after_us; /* -1: not told */
    char detail[128];       /* the API's words or the client's */
    int64_t duration_us;
};

typedef void (*delivery_done)(const struct delivery_result *result, void *ctx);

/* Borrows the options' parts. NULL when out of memory. */
struct delivery *delivery_new(const struct delivery_options *options);
struct delivery *delivery_free(struct delivery *delivery); /* after its client is freed */

/* `done` is called exactly once, never from inside. 0 or -ENOMEM and no call-back. When the client is freed: ATTEMPT_SERVER, detail "cancelled". */
TS_MUST_CHECK int delivery_send(struct delivery *delivery, const struct delivery_letter *letter,
                                delivery_done done, void *ctx);

/* Asks the first endpoint's /health for the API's version; "" when it doesn't tell. 0 or an error and no call-back. */
typedef void (*delivery_version)(ts_str version, void *ctx);
TS_MUST_CHECK int delivery_ask_version(struct delivery *delivery, delivery_version done, void *ctx);

#endif
