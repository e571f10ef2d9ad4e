/*
 * Indexer: keeps what the search looks into (store_index.c) behind ingest and out of its way. It works in small steps on the writer's thread,
 * and only while no message waits there:
 *
 *   quiet (no change for QUIET_MS)       step by step until nothing is left
 *   busy, little is left                 not at all: a search reads so few rows itself
 *   busy, more than BUSY_BACKLOG is left smaller steps between the batches, a twentieth of the time
 *
 * Of several replicas one works at a time. When nothing is left, and hourly, entries whose row is gone (retention) are swept out.
 * Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_INDEXER_H
#define TP_CAPITAL_INDEXER_H

struct app;
struct indexer;

/* Begins; in the service's arena. NULL when out of memory. */
struct indexer *indexer_new(struct app *app);

/* Something changed. Takes NULL. */
void indexer_wake(struct indexer *self);

/* No step begins any more; one that runs is finished by the writer. Takes NULL. */
void indexer_stop(struct indexer *self);

#endif
