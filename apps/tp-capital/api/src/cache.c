#include "cache.h"

#include <stdlib.h>

struct entry {
    char *bytes; /* owned: key, then answer; NULL = free */
    ts_str key, answer;
    int64_t seq;
    uint64_t used;
};

struct cache {
    struct entry entries[CACHE_MAX_ENTRIES];
    size_t bytes;
    uint64_t clock;
};

struct cache *cache_new(void)
{
    return calloc(1, sizeof(struct cache));
}

static void drop(struct cache *cache, struct entry *entry)
{
    cache->bytes -= entry->key.len + entry->answer.len;
    free(entry->bytes);
    *entry = (struct entry){0};
}

void cache_clear(struct cache *cache)
{
    for (size_t i = 0; i < CACHE_MAX_ENTRIES; i++)
        drop(cache, &cache->entries[i]);
}

struct cache *cache_free(struct cache *cache)
{
    if (!cache)
        return NULL;
    cache_clear(cache);
    free(cache);
    return NULL;
}

static struct entry *find(struct cache *cache, ts_str key)
{
    for (size_t i = 0; i < CACHE_MAX_ENTRIES; i++)
        if (cache->entries[i].bytes && ts_str_eq(cache->entries[i].key, key))
            return &cache->entries[i];
    return NULL;
}

/* A free entry, or the one used longest ago. */
static struct entry *oldest(struct cache *cache)
{
    struct entry *best = &cache->entries[0];
    for (size_t i = 1; i < CACHE_MAX_ENTRIES; i++)
        if (cache->entries[i].used < best->used)
            best = &cache->entries[i];
    return best;
}

/* Of those in use. */
static struct entry *oldest_used(struct cache *cache)
{
    struct entry *best = NULL;
    for (size_t i = 0; i < CACHE_MAX_ENTRIES; i++) {
        struct entry *e = &cache->entries[i];
        if (e->bytes && (!best || e->used < best->used))
            best = e;
    }
    return best;
}

ts_str cache_get(struct cache *cache, ts_str key, int64_t seq, int64_t *ret_seq)
{
    struct entry *entry = find(cache, key);
    if (!entry)
        return TS_STR_NONE;
    if (entry->seq < seq) {
        drop(cache, entry);
        return TS_STR_NONE;
    }
    entry->used = ++cache->clock;
    *ret_seq = entry->seq;
    return entry->answer;
}

void cache_put(struct cache *cache, ts_str key, int64_t seq, ts_str answer)
{
    size_t size = key.len + answer.len;
    struct entry *entry = find(cache, key);

    if (entry)
        drop(cache, entry);
    if (size == 0 || size > CACHE_MAX_BYTES / 2)
        return;
    while (cache->bytes + size > CACHE_MAX_BYTES)
        drop(cache, oldest_used(cache));
    entry = oldest(cache);
    drop(cache, entry);
    char *bytes = malloc(size);
    if (!bytes)
        return;
    memcpy(bytes, key.ptr, key.len);
    memcpy(bytes + key.len, answer.ptr, answer.len);
    *entry = (struct entry){.bytes = bytes,
                            .key = {bytes, key.len},
                            .answer = {bytes + key.len, answer.len},
                            .seq = seq,
                            .used = ++cache->clock};
    cache->bytes += size;
}
