/*
 * Finding texts. What a text must contain, and how it is spelled for the index, is search.h; here is how a page is found among a million rows.
 *
 * Three ways, and none is good for all words:
 *   walk    from the newest row on, until the page is full: good for a frequent word, endless for a rare one
 *   index   all rows with the word's trigrams, then the newest of them: good for a rare word, endless for a frequent one
 *   tail    the rows that are not indexed yet: few, each read and folded
 * So a search walks a little, and when that does not fill the page asks the index; when the index has too many, the word is
 * frequent, and walking on finds it soon. PostgreSQL walks along signal_search and compares there, so that only what is found comes to
 * us; with a filter that has an index of its own, and on SQLite, rows are folded here.
 *
 * Exact at every moment: walk and index only propose keys. Each row is read and compared once more as it is now, so an entry that is stale
 * (its row changed, or is gone) is no answer; and the tail is read first: what is indexed meanwhile is found twice, and told once.
 * A row that changes after that is a change after the answer, whose head was read before everything.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "search.h"
#include "store.h"
#include "store_internal.h"

#define WALK_SPELLED 10000 /* rows walked before the index is asked: about as dear as asking it */
#define WALK_FOLDED  1256  /* the same where rows are folded here: two chunks */
#define CANDIDATES   20000 /* more, and the word is frequent */
#define TAIL_ROWS    20000 /* more, and the index is of no use until it has caught up */
#define FIRST_CHUNK  256
#define CHUNK        1000
#define NO_END       INT64_C(1000000000000)
#define SCRATCH_MAX  (64 * 1024 * 1024)

struct key {
    int64_t ts_us, id;
};

struct keys {
    struct key *items;
    size_t n, capacity;
};

static void keys_done(struct keys *keys)
{
    free(keys->items);
}

struct finding {
    struct ts_db *db;
    struct store_filter filter; /* its cursor moves on */
    struct search search;
    struct ts_buf scratch;
    struct keys tail; /* found and compared */
    struct keys proposed;
    int64_t seq, id; /* indexed up to here */
    bool is_current; /* the tail is short: what is indexed may be used */
    bool has_index;
    int64_t skip, left; /* of what is found */
    store_signal_fn fn;
    void *ctx;
};

static void finding_done(struct finding *f)
{
    keys_done(&f->tail);
    keys_done(&f->proposed);
    ts_buf_done(&f->scratch);
}

static int run(struct finding *f, const struct ts_sql *sql, const struct ts_db_value *params, size_t n,
               ts_row_fn fn, void *ctx)
{
    return (int)TS_MIN(ts_db_run(f->db, sql, params, n, fn, ctx), 0);
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

static int keys_add(struct keys *keys, int64_t ts_us, int64_t id)
{
    if (keys->n == keys->capacity) {
        size_t capacity = keys->capacity ? keys->capacity * 2 : 256;
        struct key *items = realloc(keys->items, capacity * sizeof(struct key));
        if (!items)
            return -ENOMEM;
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->n++] = (struct key){ts_us, id};
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->ts_us != y->ts_us)
        return x->ts_us > y->ts_us ? -1 : 1;
    return (y->id > x->id) - (y->id < x->id);
}

/* In order, each once. */
static void keys_settle(struct keys *keys)
{
    size_t n = 0;
    if (keys->n > 1)
        qsort(keys->items, keys->n, sizeof(struct key), newest_first);
    for (size_t i = 0; i < keys->n; i++)
        if (n == 0 || newest_first(&keys->items[n - 1], &keys->items[i]) != 0)
            keys->items[n++] = keys->items[i];
    keys->n = n;
}

static int on_key(const struct ts_row *row, void *ctx)
{
    if (ts_row_is_null(row, 0))
        return 0;
    return keys_add(ctx, ts_row_time(row, 0), ts_row_int(row, 1));
}

/* --- the tail ----------------------------------------------------------------------------------------------------------- */

struct tail_sink {
    struct finding *finding;
    int64_t rows;
};

static int on_tail_row(const struct ts_row *row, void *ctx)
{
    struct tail_sink *sink = ctx;
    struct finding *f = sink->finding;
    sink->rows++;
    int found = search_matches(&f->search, ts_row_text(row, 2), ts_row_text(row, 3), &f->scratch);
    return found > 0 ? keys_add(&f->tail, ts_row_time(row, 0), ts_row_int(row, 1)) : found;
}

/* The rows first, then the filters: so no planner takes them from the index of a filter. */
#define TAIL(where, all)                                                                             \
    "SELECT s.ts, s.id, s.raw_message, s.asset FROM (SELECT * FROM tp_capital_signals t"             \
    " WHERE t.seq >= $11 AND (t.seq, t.id) > ($11, $12) ORDER BY t.seq, t.id LIMIT $13) s" where all \
    " AND (s.ts, s.id) < ($9, $10)"

static int read_tail(struct finding *f)
{
    static const struct ts_sql sql = {.text = TAIL(STORE_WHERE_POSTGRES, STORE_ALL_POSTGRES),
                                      .sqlite = TAIL(STORE_WHERE_SQLITE, STORE_ALL_SQLITE)};
    struct ts_db_value params[STORE_N_FILTERS + 3];
    struct tail_sink sink = {.finding = f};
    store_put_filters(params, &f->filter);
    params[STORE_N_FILTERS] = ts_db_int(f->seq);
    params[STORE_N_FILTERS + 1] = ts_db_int(f->id);
    params[STORE_N_FILTERS + 2] = ts_db_int(TAIL_ROWS);
    f->tail.n = 0;
    return run(f, &sql, params, TS_ARRAY_LEN(params), on_tail_row, &sink);
}

/* How far the index is, and whether the rest is short; before anything is looked for. */
static int on_progress(const struct ts_row *row, void *ctx)
{
    struct finding *f = ctx;
    f->seq = ts_row_int(row, 0);
    f->id = ts_row_int(row, 1);
    f->is_current = ts_row_int(row, 2) < TAIL_ROWS;
    f->has_index = ts_row_bool(row, 3);
    return 0;
}

#define PROGRESS(has_index)                                                                                  \
    "SELECT p.seq, p.id, (SELECT count(*) FROM (SELECT 1 FROM tp_capital_signals s WHERE s.seq >= p.seq AND" \
    " (s.seq, s.id) > (p.seq, p.id) LIMIT $1) t), " has_index " FROM search_progress p"

static int read_progress(struct finding *f)
{
    static const struct ts_sql sql = {.text = PROGRESS(STORE_HAS_TRIGRAMS), .sqlite = PROGRESS("1")};
    const struct ts_db_value max = ts_db_int(TAIL_ROWS);
    return run(f, &sql, &max, 1, on_progress, f);
}

/* --- what is found ------------------------------------------------------------------------------------------------------ */

/* 1 = enough. */
static int tell(struct finding *f, const struct store_signal *row)
{
    if (f->skip > 0) {
        f->skip--;
        return 0;
    }
    int r = f->fn(row, f->ctx);
    return r != 0 ? r : --f->left == 0;
}

static int on_row(const struct store_signal *row, void *ctx)
{
    struct finding *f = ctx;
    f->filter.before_ts_us = row->ts_us;
    f->filter.before_id = row->id;
    int found = search_matches(&f->search, row->raw_message, row->asset, &f->scratch);
    return found > 0 ? tell(f, row) : found;
}

static int on_keyed_row(const struct ts_row *row, void *ctx)
{
    struct store_signal signal = store_read_signal(row, 0);
    return on_row(&signal, ctx);
}

/* PostgreSQL: by one statement. */
static int tell_keys_at_once(struct finding *f, const struct key *keys, size_t n)
{
    static const struct ts_sql sql = {
        .text = "SELECT s.* FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS k (id, ts, n)"
                " CROSS JOIN LATERAL (SELECT " STORE_COLUMNS_POSTGRES " FROM tp_capital_signals s"
                " WHERE s.id = k.id AND s.ts = k.ts AND s.deleted_at IS NULL) s ORDER BY k.n"};
    int64_t ids[CHUNK], times[CHUNK];
    for (size_t i = 0; i < n; i++) {
        ids[i] = keys[i].id;
        times[i] = keys[i].ts_us;
    }
    const struct ts_db_value params[] = {{.type = TS_DB_INT_ARRAY, .array = {.i64 = ids, .n = n}},
                                         {.type = TS_DB_TIME_ARRAY, .array = {.i64 = times, .n = n}}};
    return (int)ts_db_run(f->db, &sql, params, TS_ARRAY_LEN(params), on_keyed_row, f);
}

static int tell_key(struct finding *f, const struct key *key)
{
    static const struct ts_sql sql = {.text = "SELECT " STORE_COLUMNS_SQLITE " FROM tp_capital_signals s"
                                              " WHERE s.id = $1 AND s.deleted_at IS NULL"};
    const struct ts_db_value id = ts_db_int(key->id);
    return (int)ts_db_run(f->db, &sql, &id, 1, on_keyed_row, f);
}

/* The rows of these keys as they are now, each compared once more, until there are enough. */
static int tell_keys(struct finding *f, const struct key *keys, size_t n)
{
    bool at_once = ts_db_dialect(f->db) == TS_POSTGRES;
    for (size_t i = 0, step; i < n && f->left > 0; i += step) {
        step = at_once ? TS_MIN(n - i, CHUNK) : 1;
        int r = at_once ? tell_keys_at_once(f, keys + i, step) : tell_key(f, &keys[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- walking ------------------------------------------------------------------------------------------------------------ */

struct walk_sink {
    struct finding *finding;
    int64_t rows;
};

static int on_walked_row(const struct store_signal *row, void *ctx)
{
    struct walk_sink *sink = ctx;
    sink->rows++;
    return on_row(row, sink->finding);
}

/*
 * Row by row along the index that serves the other filters, at most about `max` rows. 0 = the page is full, or there are no more rows; 1 = there
 * may be more, and the cursor stands where they begin.
 */
static int walk_folded(struct finding *f, int64_t max)
{
    int64_t chunk = FIRST_CHUNK;
    for (int64_t walked = 0; walked < max; walked += chunk, chunk = CHUNK) {
        struct walk_sink sink = {.finding = f};
        struct store_filter page = f->filter;
        page.limit = chunk;
        page.offset = 0;
        int r = store_walk_signals(f->db, &page, on_walked_row, &sink);
        if (r < 0 || f->left == 0 || sink.rows < chunk)
            return r;
    }
    return 1;
}

/* The piece that a text must contain, as LIKE and GLOB want it; a spelled text has none of their signs. */
static struct ts_db_value pattern_of(const struct finding *f, char out[SEARCH_MAX_BYTES + 2])
{
    const size_t n = f->search.spelled_len;
    out[0] = out[n + 1] = ts_db_dialect(f->db) == TS_POSTGRES ? '%' : '*';
    memcpy(out + 1, f->search.spelled, n);
    return ts_db_text((ts_str){out, n + 2});
}

/* PostgreSQL, along signal_search: the first `n` keys among the next `max` rows. */
static int walk_spelled(struct finding *f, int64_t max, int64_t n, struct keys *out)
{
    static const struct ts_sql sql = {
        .text =
            "SELECT c.ts, c.id FROM (SELECT f.id, f.ts, f.spelled FROM signal_search f"
            " WHERE f.ts >= $1 AND f.ts <= $2 AND (f.ts, f.id) < ($9, $10)"
            " ORDER BY f.ts DESC, f.id DESC LIMIT $12) c"
            " CROSS JOIN LATERAL (SELECT 1 FROM tp_capital_signals s" STORE_WHERE_POSTGRES STORE_ALL_POSTGRES
            " AND s.id = c.id AND s.ts = c.ts) s"
            " WHERE c.spelled LIKE $11 ORDER BY c.ts DESC, c.id DESC LIMIT $13"};
    char pattern[SEARCH_MAX_BYTES + 2];
    struct ts_db_value params[STORE_N_FILTERS + 3];
    store_put_filters(params, &f->filter);
    params[STORE_N_FILTERS] = pattern_of(f, pattern);
    params[STORE_N_FILTERS + 1] = ts_db_int(max);
    params[STORE_N_FILTERS + 2] = ts_db_int(n);
    return run(f, &sql, params, TS_ARRAY_LEN(params), on_key, out);
}

/* --- the index ---------------------------------------------------------------------------------------------------------- */

/* The first row says how many candidates there are; are they too many, no other comes. */
#define INDEX_POSTGRES                                                                                \
    "WITH c AS MATERIALIZED (SELECT * FROM search_candidates($11, $1, $2, $9, $10, $12))"             \
    " SELECT NULL::timestamptz, count(*) FROM c UNION ALL (SELECT c.ts, c.id FROM"                    \
    " (SELECT * FROM c WHERE (SELECT count(*) FROM c) < $12 ORDER BY ts DESC, id DESC) c"             \
    " CROSS JOIN LATERAL (SELECT 1 FROM tp_capital_signals s" STORE_WHERE_POSTGRES STORE_ALL_POSTGRES \
    " AND s.id = c.id AND s.ts = c.ts) s ORDER BY c.ts DESC, c.id DESC LIMIT $13)"
/* A row for each candidate, empty when a filter refuses it. */
#define INDEX_SQLITE                                                                                    \
    "SELECT s.ts, s.id FROM (SELECT rowid AS id FROM signal_trigrams WHERE spelled GLOB $11 LIMIT $12)" \
    " c LEFT JOIN tp_capital_signals s ON s.id = c.id AND " STORE_CONDITIONS("", "") STORE_ALL_SQLITE   \
        " AND (s.ts, s.id) < ($9, $10)"

struct index_sink {
    struct keys *keys;
    int64_t candidates;
};

static int on_candidate(const struct ts_row *row, void *ctx)
{
    struct index_sink *sink = ctx;
    sink->candidates++;
    return on_key(row, sink->keys);
}

static int on_counted_candidate(const struct ts_row *row, void *ctx)
{
    struct index_sink *sink = ctx;
    if (ts_row_is_null(row, 0))
        sink->candidates = ts_row_int(row, 1);
    return on_key(row, sink->keys);
}

/* The newest `n` keys, or more, that the index knows. 1 = too many candidates, and none is in *out. */
static int ask_index(struct finding *f, int64_t n, struct keys *out)
{
    static const struct ts_sql sql = {.text = INDEX_POSTGRES, .sqlite = INDEX_SQLITE};
    char pattern[SEARCH_MAX_BYTES + 2];
    struct ts_db_value params[STORE_N_FILTERS + 3];
    struct index_sink sink = {.keys = out};
    store_put_filters(params, &f->filter);
    params[STORE_N_FILTERS] = pattern_of(f, pattern);
    params[STORE_N_FILTERS + 1] = ts_db_int(CANDIDATES);
    params[STORE_N_FILTERS + 2] = ts_db_int(n);
    bool counted = ts_db_dialect(f->db) == TS_POSTGRES;
    int r = run(f, &sql, params, TS_ARRAY_LEN(params), counted ? on_counted_candidate : on_candidate, &sink);
    if (r == 0 && sink.candidates >= CANDIDATES) {
        out->n = 0;
        return 1;
    }
    return r;
}

/* --- a search ----------------------------------------------------------------------------------------------------------- */

static bool can_use_index(const struct finding *f)
{
    return f->is_current && f->has_index && f->search.spelled_len >= 3;
}

static bool can_walk_spelled(const struct finding *f)
{
    return f->is_current && f->search.spelled_len > 0 && ts_db_dialect(f->db) == TS_POSTGRES &&
           store_path_of(&f->filter) == STORE_BY_TIME;
}

/* The newest `n` keys by what was written for the search, in order. 1 = only walking could tell, and may not. */
static int propose(struct finding *f, int64_t n, struct keys *out)
{
    bool may_walk = can_walk_spelled(f);
    int r = may_walk ? walk_spelled(f, WALK_SPELLED, n, out) : 0;
    if (r < 0 || (int64_t)out->n >= n)
        return r;
    out->n = 0;
    r = can_use_index(f) ? ask_index(f, n, out) : 1;
    return r == 1 && may_walk ? walk_spelled(f, NO_END, n, out) : r;
}

/* The tail's keys that come after the cursor join those of the index. */
static int join_tail(const struct finding *f, struct keys *keys)
{
    const struct key cursor = {f->filter.before_ts_us, f->filter.before_id};
    int r = 0;
    for (size_t i = 0; i < f->tail.n && r == 0; i++)
        if (newest_first(&cursor, &f->tail.items[i]) < 0)
            r = keys_add(keys, f->tail.items[i].ts_us, f->tail.items[i].id);
    if (r == 0)
        keys_settle(keys);
    return r;
}

/* From the cursor on, by keys. 1 = as propose(). */
static int find_by_keys(struct finding *f)
{
    struct keys *keys = &f->proposed;
    int r = read_tail(f);
    while (r == 0 && f->left > 0) {
        const size_t n = (size_t)(f->skip + f->left);
        keys->n = 0;
        r = propose(f, (int64_t)n, keys);
        if (r == 0)
            r = join_tail(f, keys);
        if (r != 0)
            break;
        bool all = keys->n < n;
        r = tell_keys(f, keys->items, TS_MIN(keys->n, n));
        if (r != 0 || all || f->left == 0)
            break;
        /* some were refused, so there may be more; the cursor stands at the last row that was read, or its key where there was none */
        f->filter.before_ts_us = keys->items[n - 1].ts_us;
        f->filter.before_id = keys->items[n - 1].id;
    }
    return r;
}

static int find(struct finding *f)
{
    int r = read_progress(f);
    if (r < 0)
        return r;
    if (can_walk_spelled(f))
        return find_by_keys(f);
    r = walk_folded(f, can_use_index(f) ? WALK_FOLDED : NO_END);
    if (r == 1)
        r = find_by_keys(f);
    return r == 1 ? walk_folded(f, NO_END) : r;
}

static struct finding begin(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn,
                            void *ctx)
{
    struct finding f = {.db = db,
                        .filter = *filter,
                        .scratch = TS_BUF_INIT(SCRATCH_MAX),
                        .skip = filter->offset,
                        .left = filter->limit,
                        .fn = fn,
                        .ctx = ctx};
    search_prepare(filter->search, &f.search);
    return f;
}

int store_search_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn, void *ctx,
                         struct store_head *ret_head)
{
    _cleanup_(finding_done) struct finding f = begin(db, filter, fn, ctx);
    int r = store_read_head(db, ret_head);
    return r < 0 ? r : find(&f);
}

static int count_row(const struct store_signal *row, void *ctx)
{
    (void)row;
    ++*(int64_t *)ctx;
    return 0;
}

int store_count_found(struct ts_db *db, const struct store_filter *filter, int64_t max, int64_t *ret)
{
    struct store_filter all = *filter;
    int64_t n = 0;
    all.before_ts_us = all.before_id = INT64_MAX;
    all.offset = 0;
    all.limit = max + 1;
    _cleanup_(finding_done) struct finding f = begin(db, &all, count_row, &n);
    int r = find(&f);
    if (r == 0)
        *ret = n;
    return r;
}
