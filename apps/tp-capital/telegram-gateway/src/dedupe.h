/*
 * Dedupe: the keys that were made durable lately, so that a message Telegram sends again is dropped without asking the outbox (tp-capital 7.4).
 *
 * Only a cache: the outbox's unique key decides. A key enters when its message is durable, never before, so a hit may be confirmed
 * to the transport at once. The oldest key leaves when there are more than the maximum; a published one 5 minutes after its publishing.
 * Two versions with one key (two edits in a second) are no duplicates unless their content is equal.
 *
 * Thread rule: one thread at a time.
 */
#ifndef GATEWAY_DEDUPE_H
#define GATEWAY_DEDUPE_H

#include "base/clock.h"
#include "message.h"

#define DEDUPE_AFTER_PUBLISHING_US (5 * 60 * TS_US_PER_S)

struct dedupe;

/* max_keys: 1 .. 1,000,000. NULL when out of memory. */
struct dedupe *dedupe_new(size_t max_keys);
struct dedupe *dedupe_free(struct dedupe *dedupe);

void dedupe_add(struct dedupe *dedupe, struct message_key key, int64_t content);
bool dedupe_has(const struct dedupe *dedupe, struct message_key key, int64_t content, int64_t now_us);
void dedupe_published(struct dedupe *dedupe, struct message_key key, int64_t now_us);

#endif
