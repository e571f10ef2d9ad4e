/*
 * The body of GET /signals/statistics: adds up groups of the store by channel, asset and day, then writes the answer. Thread rule: pure.
 */
#ifndef TP_CAPITAL_COUNTS_H
#define TP_CAPITAL_COUNTS_H

#include "base/arena.h"
#include "base/jsonw.h"
#include "store.h"

#define COUNTS_MAX_DAYS  1100
#define COUNTS_MAX_SHOWN 100   /* channels and assets in an answer */
#define COUNTS_MAX_KINDS 20000 /* channels and assets that are told apart */

struct counts;

/* In `arena`, which must live as long and have room for the texts. NULL when out of memory. days as in store_count_groups(): borrowed. */
struct counts *counts_new(struct ts_arena *arena, const int64_t *days, size_t n_days);

/* Fits store_count_fn, ctx being the counts. -ENOMEM; TS_E_LIMIT beyond COUNTS_MAX_KINDS. */
int counts_add(const struct store_count *count, void *ctx);

/* The members total, channels, assets, days and truncated, into an open object. Sorts; the last thing to call. */
void counts_write(struct counts *counts, struct ts_jsonw *w);

/*
 * The days of the process's zone that a range touches: their beginnings and the end of the last into `days`, COUNTS_MAX_DAYS + 1 items.
 * Returns how many; 0 when from > to; TS_E_RANGE when they are more than COUNTS_MAX_DAYS.
 */
TS_MUST_CHECK int counts_days(int64_t from_us, int64_t to_us, int64_t *days);

#endif
