/*
 * GET /signals/statistics: how many signals, by channel, by asset and by day of the service's time zone.
 *
 * One question is counted at a time, so that the other readers stay free for pages however long it takes; up to STATISTICS_MAX_WAITING
 * wait for their turn, and what was just counted answers those that asked the same. A count takes 2 s at most (the statement's
 * timeout), then it is 503. Answers are kept in the cache, keyed by question, `seq` and minute: without `to` the range ends now.
 * Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_STATISTICS_H
#define TP_CAPITAL_STATISTICS_H

struct app;
struct statistics;

#define STATISTICS_MAX_WAITING 16

struct statistics *statistics_new(struct app *app); /* in the service's arena; NULL when out of memory */

#endif
