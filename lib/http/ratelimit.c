/* Two small tables by address. Slots are few and searched by hash; the oldest gives way, so a flood of addresses costs no memory. */
#include "http/ratelimit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define KEY_BYTES 46
#define PROBES    8 /* slots looked at for a key; the oldest of them gives way */

struct key {
    char bytes[KEY_BYTES];
    uint8_t len;
};

static size_t hash(ts_str key)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (uint8_t)key.ptr[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32));
}

static ts_str cut(ts_str key)
{
    return (ts_str){key.ptr, TS_MIN(key.len, (size_t)KEY_BYTES)};
}

static bool is_key(const struct key *slot, ts_str key)
{
    return slot->len == key.len && memcmp(slot->bytes, key.ptr, key.len) == 0;
}

static void set_key(struct key *slot, ts_str key)
{
    if (key.len > 0)
        memcpy(slot->bytes, key.ptr, key.len);
    slot->len = (uint8_t)key.len;
}

/* --- fixed window ------------------------------------------------------------------------------------------------------- */

struct window {
    struct key key;
    bool used;
    int64_t started_us;
    int64_t count;
};

struct ts_ratelimit {
    int64_t max, window_us;
    size_t n_slots;
    struct window slots[];
};

int ts_ratelimit_new(int64_t max, int64_t window_us, size_t slots, struct ts_ratelimit **ret)
{
    size_t n = TS_MAX(slots, (size_t)1);
    struct ts_ratelimit *limit = calloc(1, sizeof(*limit) + n * sizeof(limit->slots[0]));
    if (!limit)
        return -ENOMEM;
    limit->max = max;
    limit->window_us = window_us;
    limit->n_slots = n;
    *ret = limit;
    return 0;
}

struct ts_ratelimit *ts_ratelimit_free(struct ts_ratelimit *limit)
{
    free(limit);
    return NULL;
}

/* The key's slot, or the one it may take: free, else the one whose window began first. */
static struct window *find_window(struct ts_ratelimit *limit, ts_str key)
{
    size_t start = hash(key) % limit->n_slots;
    struct window *oldest = NULL;
    for (size_t i = 0; i < TS_MIN((size_t)PROBES, limit->n_slots); i++) {
        struct window *slot = &limit->slots[(start + i) % limit->n_slots];
        if (slot->used && is_key(&slot->key, key))
            return slot;
        if (!oldest || (oldest->used && (!slot->used || slot->started_us < oldest->started_us)))
            oldest = slot;
    }
    return oldest;
}

struct ts_ratelimit_state ts_ratelimit_hit(struct ts_ratelimit *limit, ts_str key, int64_t now_us)
{
    key = cut(key);
    struct window *slot = find_window(limit, key);
    bool known = slot->used && is_key(&slot->key, key);
    if (!known || now_us - slot->started_us >= limit->window_us) {
        set_key(&slot->key, key);
        slot->used = true;
        slot->started_us = now_us;
        slot->count = 0;
    }
    slot->count++;
    int64_t left_us = limit->window_us - (now_us - slot->started_us);
    int64_t reset_s = (left_us + TS_US_PER_S - 1) / TS_US_PER_S;
    return (struct ts_ratelimit_state){
        .limit = limit->max,
        .remaining = TS_MAX(limit->max - slot->count, 0),
        .reset_s = TS_MAX(reset_s, 1),
        .exceeded = limit->max > 0 && slot->count > limit->max,
    };
}

/* --- sliding watch ------------------------------------------------------------------------------------------------------ */

struct watched {
    struct key key;
    bool used, alarmed;
    size_t next; /* where the next failure's time goes in the key's ring of `threshold` times */
    size_t count;
    int64_t last_us, alarm_us;
};

struct ts_failure_watch {
    int64_t window_us;
    size_t threshold, n_slots;
    struct watched *slots;
    int64_t *times; /* n_slots rings */
};

int ts_failure_watch_new(int threshold, int64_t window_us, size_t slots, struct ts_failure_watch **ret)
{
    struct ts_failure_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return -ENOMEM;
    watch->window_us = window_us;
    watch->threshold = (size_t)TS_MAX(threshold, 1);
    watch->n_slots = TS_MAX(slots, (size_t)1);
    watch->slots = calloc(watch->n_slots, sizeof(*watch->slots));
    watch->times = calloc(watch->n_slots * watch->threshold, sizeof(*watch->times));
    if (!watch->slots || !watch->times) {
        ts_failure_watch_free(watch);
        return -ENOMEM;
    }
    *ret = watch;
    return 0;
}

struct ts_failure_watch *ts_failure_watch_free(struct ts_failure_watch *watch)
{
    if (!watch)
        return NULL;
    free(watch->slots);
    free(watch->times);
    free(watch);
    return NULL;
}

static struct watched *find_watched(struct ts_failure_watch *watch, ts_str key)
{
    size_t start = hash(key) % watch->n_slots;
    struct watched *oldest = NULL;
    for (size_t i = 0; i < TS_MIN((size_t)PROBES, watch->n_slots); i++) {
        struct watched *slot = &watch->slots[(start + i) % watch->n_slots];
        if (slot->used && is_key(&slot->key, key))
            return slot;
        if (!oldest || (oldest->used && (!slot->used || slot->last_us < oldest->last_us)))
            oldest = slot;
    }
    *oldest = (struct watched){.used = true};
    set_key(&oldest->key, key);
    return oldest;
}

bool ts_failure_watch_hit(struct ts_failure_watch *watch, ts_str key, int64_t now_us)
{
    struct watched *slot = find_watched(watch, cut(key));
    int64_t *ring = watch->times + (size_t)(slot - watch->slots) * watch->threshold;
    ring[slot->next] = now_us;
    slot->next = (slot->next + 1) % watch->threshold;
    slot->count = TS_MIN(slot->count + 1, watch->threshold);
    slot->last_us = now_us;
    /* With a full ring the next place holds the oldest of the last `threshold` failures. */
    bool many = slot->count == watch->threshold && now_us - ring[slot->next] < watch->window_us;
    if (!many || (slot->alarmed && now_us - slot->alarm_us < watch->window_us))
        return false;
    slot->alarmed = true;
    slot->alarm_us = now_us;
    return true;
}
