#include "counts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/zone.h"

struct sums {
    int64_t messages, buy, sell, complete, last_us;
};

/* A channel or an asset. */
struct kind {
    ts_str name;
    bool has_id;
    int64_t id; /* of a channel */
    struct sums sums;
};

struct place {
    struct kind *kind;
};

/* Sorted by kind_compare(), so that one is found by halves; of the order of a hundred in practice. */
struct kinds {
    struct place *items;
    size_t n, room;
    struct kind *last; /* found; rows of one channel often come together */
};

struct counts {
    struct ts_arena *arena;
    const int64_t *days;
    size_t n_days;
    struct sums *by_day;
    struct kinds channels, assets;
};

struct counts *counts_new(struct ts_arena *arena, const int64_t *days, size_t n_days)
{
    struct counts *counts = TS_ARENA_NEW(arena, struct counts);
    struct sums *by_day = TS_ARENA_ARRAY(arena, n_days + 1, struct sums);
    if (!counts || !by_day)
        return NULL;
    *counts = (struct counts){.arena = arena, .days = days, .n_days = n_days, .by_day = by_day};
    return counts;
}

/* --- adding ------------------------------------------------------------------------------------------------------------- */

static void add(struct sums *sums, const struct store_count *count)
{
    if (sums->messages == 0 || count->last_us > sums->last_us)
        sums->last_us = count->last_us;
    sums->messages += count->messages;
    sums->buy += count->buy;
    sums->sell += count->sell;
    sums->complete += count->complete;
}

static int text_compare(ts_str a, ts_str b)
{
    int order = memcmp(a.ptr, b.ptr, TS_MIN(a.len, b.len));
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int kind_compare(const struct kind *a, const struct kind *b)
{
    if (a->has_id != b->has_id)
        return a->has_id ? 1 : -1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return text_compare(a->name, b->name);
}

static int make_room(struct ts_arena *arena, struct kinds *kinds)
{
    if (kinds->n >= COUNTS_MAX_KINDS)
        return TS_E_LIMIT;
    if (kinds->n < kinds->room)
        return 0;
    const size_t room = kinds->room ? 2 * kinds->room : 128;
    struct place *items = TS_ARENA_ARRAY(arena, room, struct place);
    if (!items)
        return -ENOMEM;
    if (kinds->n > 0)
        memcpy(items, kinds->items, kinds->n * sizeof(*items));
    kinds->items = items;
    kinds->room = room;
    return 0;
}

static int insert(struct ts_arena *arena, struct kinds *kinds, size_t at, const struct kind *key)
{
    int r = make_room(arena, kinds);
    if (r < 0)
        return r;
    struct kind *kind = TS_ARENA_NEW(arena, struct kind);
    if (!kind)
        return -ENOMEM;
    *kind = *key;
    r = ts_arena_dup(arena, key->name, &kind->name);
    if (r < 0)
        return r;
    memmove(&kinds->items[at + 1], &kinds->items[at], (kinds->n - at) * sizeof(*kinds->items));
    kinds->items[at].kind = kind;
    kinds->n++;
    return 0;
}

static int add_to_kind(struct ts_arena *arena, struct kinds *kinds, const struct kind *key,
                       const struct store_count *count)
{
    size_t low = 0, high = kinds->n;
    if (!kinds->last || kind_compare(kinds->last, key) != 0) {
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (kind_compare(kinds->items[middle].kind, key) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == kinds->n || kind_compare(kinds->items[low].kind, key) != 0) {
            int r = insert(arena, kinds, low, key);
            if (r < 0)
                return r;
        }
        kinds->last = kinds->items[low].kind;
    }
    add(&kinds->last->sums, count);
    return 0;
}

/* The range of the filter lies within the days; should it not, the first or the last is meant. */
static size_t day_of(const struct counts *counts, int64_t time_us)
{
    size_t low = 0, high = counts->n_days;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (counts->days[middle] <= time_us)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int counts_add(const struct store_count *count, void *ctx)
{
    struct counts *counts = ctx;
    int r = 0;

    if (count->of_channel) {
        const struct kind channel = {
            .name = count->channel, .has_id = count->has_channel_id, .id = count->channel_id};
        r = add_to_kind(counts->arena, &counts->channels, &channel, count);
    }
    if (r == 0 && count->of_asset && !ts_str_is_none(count->asset))
        r = add_to_kind(counts->arena, &counts->assets, &(struct kind){.name = count->asset}, count);
    if (r == 0 && count->of_day)
        add(&counts->by_day[day_of(counts, count->last_us)], count);
    return r;
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

static void put_sums(struct ts_jsonw *w, const struct sums *sums)
{
    ts_jsonw_key_i64(w, "messages", sums->messages);
    ts_jsonw_key_i64(w, "signals", sums->buy + sums->sell);
    ts_jsonw_key_i64(w, "buy", sums->buy);
    ts_jsonw_key_i64(w, "sell", sums->sell);
    ts_jsonw_key_i64(w, "complete", sums->complete);
}

static void put_total(struct ts_jsonw *w, const struct counts *counts)
{
    struct sums total = {0};
    for (size_t i = 0; i < counts->n_days; i++) {
        total.messages += counts->by_day[i].messages;
        total.buy += counts->by_day[i].buy;
        total.sell += counts->by_day[i].sell;
        total.complete += counts->by_day[i].complete;
    }
    ts_jsonw_key(w, "total");
    ts_jsonw_object(w);
    put_sums(w, &total);
    ts_jsonw_end(w);
}

/* Most signals first, then by name. */
static int shown_compare(const void *a, const void *b)
{
    const struct kind *x = ((const struct place *)a)->kind, *y = ((const struct place *)b)->kind;
    const int64_t of_x = x->sums.buy + x->sums.sell, of_y = y->sums.buy + y->sums.sell;
    if (of_x != of_y)
        return of_x > of_y ? -1 : 1;
    int order = text_compare(x->name, y->name);
    return order ? order : kind_compare(x, y);
}

static void put_channel_id(struct ts_jsonw *w, const struct kind *kind)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%lld", (long long)kind->id);
    ts_jsonw_key_str(w, "channel_id", kind->has_id ? ts_str_from(digits) : TS_STR_NONE);
}

static void put_kinds(struct ts_jsonw *w, const char *key, const char *name, bool have_ids,
                      struct kinds *kinds)
{
    if (kinds->n > 0)
        qsort(kinds->items, kinds->n, sizeof(*kinds->items), shown_compare);
    ts_jsonw_key(w, key);
    ts_jsonw_array(w);
    for (size_t i = 0; i < kinds->n && i < COUNTS_MAX_SHOWN; i++) {
        const struct kind *kind = kinds->items[i].kind;
        ts_jsonw_object(w);
        ts_jsonw_key_str(w, name, kind->name);
        if (have_ids)
            put_channel_id(w, kind);
        put_sums(w, &kind->sums);
        ts_jsonw_key_time(w, "last_ts", kind->sums.last_us);
        ts_jsonw_end(w);
    }
    ts_jsonw_end(w);
}

static void put_days(struct ts_jsonw *w, const struct counts *counts)
{
    char day[TS_DAY_TEXT_SIZE];
    ts_jsonw_key(w, "days");
    ts_jsonw_array(w);
    for (size_t i = 0; i < counts->n_days; i++) {
        ts_jsonw_object(w);
        ts_jsonw_key_str(w, "day", ts_zone_format_day(counts->days[i], day));
        put_sums(w, &counts->by_day[i]);
        ts_jsonw_end(w);
    }
    ts_jsonw_end(w);
}

void counts_write(struct counts *counts, struct ts_jsonw *w)
{
    put_total(w, counts);
    put_kinds(w, "channels", "channel", true, &counts->channels);
    put_kinds(w, "assets", "asset", false, &counts->assets);
    put_days(w, counts);
    ts_jsonw_key_bool(w, "truncated",
                      counts->channels.n > COUNTS_MAX_SHOWN || counts->assets.n > COUNTS_MAX_SHOWN);
}

/* --- days --------------------------------------------------------------------------------------------------------------- */

int counts_days(int64_t from_us, int64_t to_us, int64_t *days)
{
    int n = 0;

    if (from_us > to_us)
        return 0;
    if (to_us - from_us > (COUNTS_MAX_DAYS + 1) * TS_US_PER_DAY) /* and nobody walks over centuries */
        return TS_E_RANGE;
    days[0] = ts_zone_day_start(from_us);
    while (days[n] <= to_us) {
        if (n == COUNTS_MAX_DAYS)
            return TS_E_RANGE;
        days[n + 1] = ts_zone_next_day(days[n]);
        n++;
    }
    return n;
}
