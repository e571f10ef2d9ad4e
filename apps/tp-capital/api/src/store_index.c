/* Writing what the search looks into: behind ingest, in small transactions of their own. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "search.h"
#include "store.h"
#include "store_internal.h"

#define TEXTS_MAX (4 * 1024 * 1024) /* spelled, of one step; what is beyond waits for the next */

/* PostgreSQL: one replica at a time; whoever comes second does something else. */
static const struct ts_sql lock = {.text = "SELECT pg_try_advisory_xact_lock(8097823744108)"};

/* It may get lost with a power cut: the progress goes with it, and the rows are indexed once more. */
static const struct ts_sql need_no_sync = {.text = "SELECT set_config('synchronous_commit', 'off', true)"};

static int run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params, size_t n,
               ts_row_fn fn, void *ctx)
{
    return (int)TS_MIN(ts_db_run(db, sql, params, n, fn, ctx), 0);
}

static int on_bool(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_row_bool(row, 0);
    return 0;
}

/* --- one step ----------------------------------------------------------------------------------------------------------- */

struct entry {
    int64_t id, ts_us;
    size_t start, len; /* of the spelled text; len 0 with is_gone */
    bool is_gone;
};

struct step {
    struct ts_db *db;
    struct entry entries[STORE_INDEX_ROWS_MAX];
    size_t n;
    struct ts_buf texts;
    int64_t seq, id; /* progress */
};

static int on_progress(const struct ts_row *row, void *ctx)
{
    struct step *step = ctx;
    step->seq = ts_row_int(row, 0);
    step->id = ts_row_int(row, 1);
    return 0;
}

static int on_row(const struct ts_row *row, void *ctx)
{
    struct step *step = ctx;
    struct entry *entry = &step->entries[step->n++];
    *entry = (struct entry){.id = ts_row_int(row, 1),
                            .ts_us = ts_row_time(row, 2),
                            .start = step->texts.len,
                            .is_gone = ts_row_bool(row, 5)};
    if (!entry->is_gone)
        search_spell(ts_row_text(row, 3), ts_row_text(row, 4), &step->texts);
    entry->len = step->texts.len - entry->start;
    step->seq = ts_row_int(row, 0);
    step->id = entry->id;
    return ts_buf_error(&step->texts);
}

static int read_rows(struct step *step, int64_t max)
{
    static const struct ts_sql progress = {.text = "SELECT seq, id FROM search_progress"};
    static const struct ts_sql rows = {
        .text = "SELECT s.seq, s.id, s.ts, s.raw_message, s.asset, s.deleted_at IS NOT NULL"
                " FROM tp_capital_signals s WHERE s.seq >= $1 AND (s.seq, s.id) > ($1, $2)"
                " ORDER BY s.seq, s.id LIMIT $3"};
    int r = run(step->db, &progress, NULL, 0, on_progress, step);
    const struct ts_db_value params[] = {ts_db_int(step->seq), ts_db_int(step->id), ts_db_int(max)};
    return r < 0 ? r : run(step->db, &rows, params, TS_ARRAY_LEN(params), on_row, step);
}

static ts_str text_of(const struct step *step, const struct entry *entry)
{
    return (ts_str){ts_buf_view(&step->texts).ptr + entry->start, entry->len};
}

static int put_entry(struct step *step, const struct entry *entry)
{
    static const struct ts_sql put = {.text =
                                          "INSERT INTO signal_search (id, ts, spelled) VALUES ($1, $2, $3)"
                                          " ON CONFLICT (id) DO UPDATE SET ts = excluded.ts, spelled = "
                                          "excluded.spelled"};
    static const struct ts_sql take = {.text = "DELETE FROM signal_search WHERE id = $1"};
    const struct ts_db_value params[] = {ts_db_int(entry->id), ts_db_time(entry->ts_us),
                                         ts_db_text(text_of(step, entry))};
    return entry->is_gone ? run(step->db, &take, params, 1, NULL, NULL)
                          : run(step->db, &put, params, TS_ARRAY_LEN(params), NULL, NULL);
}

/* PostgreSQL: by two statements. */
static int put_entries_at_once(struct step *step)
{
    static const struct ts_sql take = {.text = "DELETE FROM signal_search WHERE id = ANY ($1::bigint[])"};
    static const struct ts_sql put = {
        .text = "INSERT INTO signal_search (id, ts, spelled)"
                " SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS i (id, ts, spelled)"
                " WHERE spelled IS NOT NULL"
                " ON CONFLICT (id) DO UPDATE SET ts = excluded.ts, spelled = excluded.spelled"};
    int64_t ids[STORE_INDEX_ROWS_MAX], gone[STORE_INDEX_ROWS_MAX], times[STORE_INDEX_ROWS_MAX];
    ts_str texts[STORE_INDEX_ROWS_MAX];
    size_t n_gone = 0;
    for (size_t i = 0; i < step->n; i++) {
        const struct entry *entry = &step->entries[i];
        ids[i] = entry->id;
        times[i] = entry->ts_us;
        texts[i] = entry->is_gone ? TS_STR_NONE : text_of(step, entry);
        if (entry->is_gone)
            gone[n_gone++] = entry->id;
    }
    const struct ts_db_value deleted = {.type = TS_DB_INT_ARRAY, .array = {.i64 = gone, .n = n_gone}};
    const struct ts_db_value params[] = {{.type = TS_DB_INT_ARRAY, .array = {.i64 = ids, .n = step->n}},
                                         {.type = TS_DB_TIME_ARRAY, .array = {.i64 = times, .n = step->n}},
                                         {.type = TS_DB_TEXT_ARRAY, .array = {.str = texts, .n = step->n}}};
    int r = n_gone ? run(step->db, &take, &deleted, 1, NULL, NULL) : 0;
    return r < 0 ? r : run(step->db, &put, params, TS_ARRAY_LEN(params), NULL, NULL);
}

static int put_entries(struct step *step)
{
    static const struct ts_sql progress = {.text = "UPDATE search_progress SET seq = $1, id = $2"};
    int r = 0;
    if (ts_db_dialect(step->db) == TS_POSTGRES)
        r = put_entries_at_once(step);
    else
        for (size_t i = 0; i < step->n && r == 0; i++)
            r = put_entry(step, &step->entries[i]);
    const struct ts_db_value params[] = {ts_db_int(step->seq), ts_db_int(step->id)};
    return r < 0 ? r : run(step->db, &progress, params, TS_ARRAY_LEN(params), NULL, NULL);
}

/* Begins the transaction; *ret_ours is false when another replica is at it. */
static int begin(struct ts_db *db, bool *ret_ours)
{
    *ret_ours = true;
    int r = ts_db_begin(db);
    if (r < 0 || ts_db_dialect(db) == TS_SQLITE)
        return r;
    r = run(db, &lock, NULL, 0, on_bool, ret_ours);
    return r < 0 ? r : run(db, &need_no_sync, NULL, 0, NULL, NULL);
}

static int index_rows(struct step *step, struct store_index *op)
{
    int r = read_rows(step, op->max_rows);
    if (r == 0 && step->n > 0)
        r = put_entries(step);
    if (r == 0)
        r = ts_db_commit(step->db);
    if (r == 0) {
        op->rows = (int64_t)step->n;
        op->seq = step->seq;
    }
    return r;
}

/* --- sweeping ----------------------------------------------------------------------------------------------------------- */

static int on_last(const struct ts_row *row, void *ctx)
{
    if (!ts_row_is_null(row, 0))
        *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int sweep_rows(struct ts_db *db, struct store_index *op)
{
    static const struct ts_sql last = {
        .text = "SELECT max(id) FROM (SELECT id FROM signal_search WHERE id > $1 ORDER BY id LIMIT $2) f"};
    static const struct ts_sql sweep = {
        .text = "DELETE FROM signal_search WHERE id > $1 AND id <= $2 AND NOT EXISTS"
                " (SELECT 1 FROM tp_capital_signals s WHERE s.id = signal_search.id AND s.ts = "
                "signal_search.ts)"};
    int64_t end = op->swept;
    const struct ts_db_value range[] = {ts_db_int(op->swept), ts_db_int(op->max_rows)};
    int r = run(db, &last, range, TS_ARRAY_LEN(range), on_last, &end);
    const struct ts_db_value ids[] = {ts_db_int(op->swept), ts_db_int(end)};
    if (r == 0 && end > op->swept)
        r = run(db, &sweep, ids, TS_ARRAY_LEN(ids), NULL, NULL);
    if (r == 0)
        r = ts_db_commit(db);
    if (r == 0) {
        op->is_swept = end == op->swept;
        op->swept = end;
    }
    return r;
}

/* --- the operation ------------------------------------------------------------------------------------------------------ */

int store_apply_index(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    struct store_index *op = TS_CONTAINER_OF(ops[0], struct store_index, op);
    struct step step = {.db = db, .texts = TS_BUF_INIT(TEXTS_MAX)};
    bool ours;
    (void)store, (void)n;
    op->rows = 0;
    int r = begin(db, &ours);
    op->is_elsewhere = r == 0 && !ours;
    if (r == 0 && ours)
        r = op->sweep ? sweep_rows(db, op) : index_rows(&step, op);
    if (r < 0 || !ours)
        ts_db_rollback(db);
    ts_buf_done(&step.texts);
    return r;
}

/* --- at start ----------------------------------------------------------------------------------------------------------- */

int store_has_trigrams(struct ts_db *db, bool *ret)
{
    static const struct ts_sql sql = {.text = "SELECT " STORE_HAS_TRIGRAMS, .sqlite = "SELECT 1"};
    return run(db, &sql, NULL, 0, on_bool, ret);
}

int store_make_trigrams(struct ts_db *db)
{
    static const struct ts_sql make = {.text = "SELECT make_search_index()"};
    bool has = true;
    int r = store_has_trigrams(db, &has);
    return r < 0 || has ? r : run(db, &make, NULL, 0, NULL, NULL);
}
