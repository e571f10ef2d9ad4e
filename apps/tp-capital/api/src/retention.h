/*
 * Retention: with SIGNALS_RETENTION_DAYS > 0, what is older than that many days is taken away, at start and then every hour, in slices
 * that leave the writer free for messages in between (store_apply_retention says in which order and how). Many rows go under one
 * number, so streams are reset and cached answers end.
 *
 * A message that is older when it comes (it, not its edit: `timestamp` is when it was sent) is not stored: POST /ingest answers 200
 * `skipped`. Otherwise a replay would bring back what was removed together with its key, to be removed again within the hour;
 * and a 400 would make the gateway keep it as rejected. Keys stay an hour longer than signals, so that clocks may differ by that much.
 * Whoever raises the number of days later does not get back what was removed, but what is sent again is stored again.
 *
 * Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_RETENTION_H
#define TP_CAPITAL_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct retention;

struct retention *retention_new(struct app *app); /* in the service's arena; NULL when out of memory */

/* The database is ready: the first run begins. Does nothing when all is kept. */
void retention_start(struct retention *retention);

/* No slice is begun any more; the timer is closed. */
void retention_stop(struct retention *retention);

/* Too old to be kept, a message of this moment at `now_us`? Both wall-clock. */
bool retention_is_over(const struct app *app, int64_t ts_us, int64_t now_us);

#endif
