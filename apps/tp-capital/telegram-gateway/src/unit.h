/*
 * Unit: what is published as one message: usually one row of the outbox, for an album all its parts (DESIGN section 6).
 *
 * The parts of an album are durable one by one. When none came for ALBUM_QUIET_US they are published together under the lowest message id. A part
 * (or an edit of one) that comes later makes a revision of that message, with all parts in it.
 *
 * Thread rule: pure, but for the arena.
 */
#ifndef GATEWAY_UNIT_H
#define GATEWAY_UNIT_H

#include "base/clock.h"
#include "delivery.h"
#include "store.h"

#define ALBUM_QUIET_US (1 * TS_US_PER_S)

struct unit {
    struct message_key key;
    struct delivery_letter letter; /* borrowed from the row or the arena */
    const struct store_ref *refs;  /* the rows that are done with when it is stored */
    size_t n_refs;
    int64_t queued_at_us; /* of the first */
};

/* Borrows from the row. */
struct unit unit_of_row(const struct store_row *row);

/* When the album may be published, wall-clock time; 0: no part of it waits. */
int64_t unit_album_ready_us(const struct store_page *album);

/*
 * All versions of all parts, as store_load_album gives them, made into one letter in the arena. TS_E_NOT_FOUND: no part waits; TS_E_JSON: a payload is
 * not ours; -ENOMEM.
 */
TS_MUST_CHECK int unit_of_album(const struct store_page *album, struct ts_arena *arena, struct unit *ret);

#endif
