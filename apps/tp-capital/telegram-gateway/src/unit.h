/*
 * Unit: what is published as one message: usually one row of the outbox, for an album all its parts (DESIGN section 6).
 *
 * The parts of an album are durable one by one. When none came for ALBUM_QUIET_US they are published together under the lowest message id. A part
 * (or an edit or a deletion of one) that comes later makes a revision of that message, with all parts in it; when no part is left, the whole is deleted.
 *
 * Before rows of an album are sent for the first time they are marked, durably, with the key they are sent under (unit.mark). Whoever tries again,
 * a retry, a replay, or the next start after a crash, finds the mark and sends the same rows under the same key; what came in the
 * meantime is a revision of it. So a row is never acknowledged for a letter that it was not in.
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
    const struct store_send_as
        *mark; /* to be made durable before the letter is sent; NULL: nothing to mark */
};

/* Borrows from the row. */
struct unit unit_of_row(const struct store_row *row);

/* When the album may be published for the sake of this row, wall-clock time; 0: now. */
int64_t unit_album_ready_us(const struct store_page *album, int64_t row_id);

/*
 * The letter that this row goes with, made from what store_load_album gives. TS_E_NOT_FOUND: the row waits no more; TS_E_JSON: a payload is not ours;
 * -ENOMEM.
 */
TS_MUST_CHECK int unit_of_album(const struct store_page *album, int64_t row_id, struct ts_arena *arena,
                                struct unit *ret);

#endif
