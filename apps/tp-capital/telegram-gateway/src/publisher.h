/*
 * Publisher: hands the pending rows of the outbox to the API: in order within a channel, at most PUBLISHER_MAX_IN_FLIGHT at once over all channels, each
 * with its cycle of retries (tp-capital 7.5). What can't be delivered gets a failure mark and leaves the way free (failures.h tries it again).
 *
 * The table is the only queue: a channel has at most one page of it in memory, and what is in the table after a crash is published like what was
 * put there a moment ago.
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_PUBLISHER_H
#define GATEWAY_PUBLISHER_H

#include "delivery.h"
#include "journal.h"
#include "metrics.h"

enum { PUBLISHER_MAX_IN_FLIGHT = 8, PUBLISHER_PAGE_ROWS = 32 };

struct publisher;

struct publisher_options {
    uv_loop_t *loop;
    struct journal *journal;
    struct delivery *delivery;
    const struct metrics *metrics;
    struct outbox_policy policy;
    void (*published)(void *ctx, struct message_key key); /* stored by the API, this time or before */
    void *ctx;
};

TS_MUST_CHECK int publisher_new(const struct publisher_options *options, struct publisher **ret);

/* Rows of this channel were made durable. */
void publisher_wake(struct publisher *publisher, int64_t channel_id);

/* Nothing new is sent; `stopped` is called once what is in flight has its answer. Waiting retries end and stay in the outbox. */
void publisher_stop(struct publisher *publisher, void (*stopped)(void *ctx), void *ctx);
struct publisher *publisher_free(struct publisher *publisher); /* the loop must run once more */

int publisher_in_flight(const struct publisher *publisher);

#endif
