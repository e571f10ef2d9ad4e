/*
 * GET /health: can messages be stored now? (tp-capital 4.4)
 *
 * The answer is at most 2 s old; an older one is renewed by one probe, for which everybody who asks waits, 1 s at most. The probe
 * reads and, on SQLite, looks at the room that is left on the disk; after a failed write it also writes. Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_HEALTH_H
#define TP_CAPITAL_HEALTH_H

struct app;
struct health;

struct health *health_new(struct app *app); /* in the service's arena; NULL when out of memory */
void health_stop(struct health *health);    /* closes its timer */

/* What became of a batch: 0 or the error that was not overcome. */
void health_on_write(struct health *health, int result);

#endif
