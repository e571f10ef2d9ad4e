/*
 * Reception: what a transport delivers passes here on its way to the outbox: channel filter, dedupe, journal, and back to the transport "it is
 * durable". Durable first: nobody publishes from here, the publisher is only told that there is something in the table.
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_RECEPTION_H
#define GATEWAY_RECEPTION_H

#include "base/config.h"
#include "journal.h"
#include "metrics.h"

struct reception;

struct reception_options {
    struct journal *journal;
    const struct metrics *metrics;
    const struct ts_i64_list *channels; /* borrowed */
    bool allow_all;
    size_t dedupe_keys;
    void (*durable)(void *ctx, uint64_t tag);      /* confirm it to the transport */
    void (*stored)(void *ctx, int64_t channel_id); /* a new row: wake the publisher */
    void *ctx;
};

TS_MUST_CHECK int reception_new(const struct reception_options *options, struct reception **ret);
struct reception *reception_free(struct reception *reception); /* after the journal is freed */

/* `durable` may run before this returns. -ENOMEM: it is not taken and will never be confirmed; the process must start again. */
TS_MUST_CHECK int reception_offer(struct reception *reception, const struct message *message, uint64_t tag);

void reception_published(struct reception *reception, struct message_key key);

int64_t reception_last_us(const struct reception *reception); /* wall clock; 0: nothing yet */

#endif
