/*
 * A ring of entries in the order of arrival and an open-addressing table of positions in it. The table is twice as large as the ring, so probes
 * stay short; taking an entry out shifts the ones behind it back, so there are no tombstones.
 */
#include "dedupe.h"

#include <stdlib.h>

struct entry {
    struct message_key key;
    int64_t content;
    int64_t forget_us; /* monotonic; 0: not published yet */
};

struct dedupe {
    size_t max_keys, n, next; /* next: where the ring goes on */
    size_t n_slots;           /* a power of two */
    uint32_t *slots;          /* position in the ring + 1; 0: free */
    struct entry *ring;
};

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    return h;
}

static size_t home(const struct dedupe *dedupe, struct message_key key)
{
    uint64_t h = mix((uint64_t)key.channel_id);
    h = mix(h ^ (uint64_t)key.message_id);
    h = mix(h ^ (uint64_t)key.revision);
    return (size_t)h & (dedupe->n_slots - 1);
}

static bool same(struct message_key a, struct message_key b)
{
    return a.channel_id == b.channel_id && a.message_id == b.message_id && a.revision == b.revision;
}

/* The slot of the key, or the free one where it would go. */
static size_t find(const struct dedupe *dedupe, struct message_key key)
{
    size_t slot = home(dedupe, key);
    while (dedupe->slots[slot] != 0 && !same(dedupe->ring[dedupe->slots[slot] - 1].key, key))
        slot = (slot + 1) & (dedupe->n_slots - 1);
    return slot;
}

static void take_out(struct dedupe *dedupe, struct message_key key)
{
    const size_t mask = dedupe->n_slots - 1;
    size_t hole = find(dedupe, key);
    if (dedupe->slots[hole] == 0)
        return;
    for (size_t slot = (hole + 1) & mask; dedupe->slots[slot] != 0; slot = (slot + 1) & mask) {
        size_t wanted = home(dedupe, dedupe->ring[dedupe->slots[slot] - 1].key);
        if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
            dedupe->slots[hole] = dedupe->slots[slot];
            hole = slot;
        }
    }
    dedupe->slots[hole] = 0;
}

struct dedupe *dedupe_new(size_t max_keys)
{
    struct dedupe *dedupe = calloc(1, sizeof *dedupe);
    if (!dedupe)
        return NULL;
    dedupe->max_keys = max_keys;
    for (dedupe->n_slots = 16; dedupe->n_slots < 2 * max_keys;)
        dedupe->n_slots *= 2;
    dedupe->slots = calloc(dedupe->n_slots, sizeof *dedupe->slots);
    dedupe->ring = calloc(max_keys, sizeof *dedupe->ring);
    return dedupe->slots && dedupe->ring ? dedupe : dedupe_free(dedupe);
}

struct dedupe *dedupe_free(struct dedupe *dedupe)
{
    if (!dedupe)
        return NULL;
    free(dedupe->slots);
    free(dedupe->ring);
    free(dedupe);
    return NULL;
}

void dedupe_add(struct dedupe *dedupe, struct message_key key, int64_t content)
{
    struct entry *entry;
    size_t slot = find(dedupe, key);
    if (dedupe->slots[slot] != 0) {
        entry = &dedupe->ring[dedupe->slots[slot] - 1];
        entry->content = content;
        entry->forget_us = 0;
        return;
    }
    entry = &dedupe->ring[dedupe->next];
    if (dedupe->n == dedupe->max_keys)
        take_out(dedupe, entry->key);
    else
        dedupe->n++;
    *entry = (struct entry){.key = key, .content = content};
    dedupe->slots[find(dedupe, key)] = (uint32_t)dedupe->next + 1;
    dedupe->next = (dedupe->next + 1) % dedupe->max_keys;
}

bool dedupe_has(const struct dedupe *dedupe, struct message_key key, int64_t content, int64_t now_us)
{
    uint32_t position = dedupe->slots[find(dedupe, key)];
    const struct entry *entry;
    if (position == 0)
        return false;
    entry = &dedupe->ring[position - 1];
    if (entry->forget_us != 0 && now_us >= entry->forget_us)
        return false;
    return key.revision == 0 || entry->content == content;
}

void dedupe_published(struct dedupe *dedupe, struct message_key key, int64_t now_us)
{
    uint32_t position = dedupe->slots[find(dedupe, key)];
    if (position != 0)
        dedupe->ring[position - 1].forget_us = now_us + DEDUPE_AFTER_PUBLISHING_US;
}
