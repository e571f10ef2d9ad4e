/*
 * Cache of serialised answers, keyed by the normalised query; an entry is good for as long as no number newer than its own was
 * committed. Bounded in entries and bytes; the one used longest ago goes first. Thread rule: one thread at a time.
 */
#ifndef TP_CAPITAL_CACHE_H
#define TP_CAPITAL_CACHE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

#define CACHE_MAX_ENTRIES 64
#define CACHE_MAX_BYTES   (1024 * 1024)

struct cache;

struct cache *cache_new(void); /* NULL when out of memory */
struct cache *cache_free(struct cache *cache);
TS_DEFINE_CLEANUP(struct cache *, cache_free)

/* The answer, borrowed until the next call; TS_STR_NONE when there is none that reflects at least `seq`. */
ts_str cache_get(struct cache *cache, ts_str key, int64_t seq, int64_t *ret_seq);

/* Keeps a copy, unless it is larger than half of the whole or memory is out. */
void cache_put(struct cache *cache, ts_str key, int64_t seq, ts_str answer);

/* Drops everything. */
void cache_clear(struct cache *cache);

#endif
