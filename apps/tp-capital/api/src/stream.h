/*
 * GET /signals/stream: every change of a signal as it is committed (server-sent events).
 *
 * There is no ring of recent events: the table is the ring, with its index on seq. One page of changes at a time is read, from the
 * number of the reader that is furthest behind, and goes to every reader it concerns; after each commit the next page is read. So
 * a reader that resumes, one that is slow and one that is up to date are the same thing, memory is one page, and what is sent was
 * committed. A row that changed several times in between is sent once, as it is now.
 *
 * An event's id is a position, "<store>-<seq>": a number means something in one database only. A reader that comes with a position of
 * another database (the demonstration's, say, or one that was replaced under us) gets `reset`.
 *
 * A reader is given more only while it has taken most of what it was given; one that falls more than STREAM_MAX_BEHIND changes
 * behind, or before a change of many rows at once (store_draw_reset), or knows a number that we don't, gets `reset` and goes on from
 * the present. Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_STREAM_H
#define TP_CAPITAL_STREAM_H

#include "store.h"

struct app;
struct stream_hub;

#define STREAM_POSITION_SIZE (STORE_ID_SIZE + 21)
void stream_format_position(const char *store_id, int64_t seq, char out[STREAM_POSITION_SIZE]);

#define STREAM_MAX_BEHIND 1000

struct stream_hub *stream_hub_new(struct app *app); /* in the service's arena; NULL when out of memory */

/* No job is begun any more; the timer is closed. */
void stream_hub_stop(struct stream_hub *hub);

/* After that, when no job runs: frees what it holds. */
void stream_hub_done(struct stream_hub *hub);

/* There may be something new. */
void stream_hub_wake(struct stream_hub *hub);

#endif
