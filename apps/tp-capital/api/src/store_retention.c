/*
 * Taking away what is too old (tp-capital section 5). What a slice of signals is, is told by its last row in the order (ts, id): counters,
 * rows and chunk all go by that one bound.
 */
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

static int64_t run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params, size_t n)
{
    return ts_db_run(db, sql, params, n, NULL, NULL);
}

/* --- one at a time ------------------------------------------------------------------------------------------------------ */

static int on_bool(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_row_bool(row, 0);
    return 0;
}

/* Held to the end of the slice; whoever finds it taken leaves the work to the other. */
static int try_lock(struct ts_db *db, bool *ret_ours)
{
    static const struct ts_sql sql = {
        .text = "SELECT pg_try_advisory_xact_lock(1886544754, hashtext(current_schema()))"};
    *ret_ours = true;
    if (ts_db_dialect(db) == TS_SQLITE)
        return 0;
    return (int)TS_MIN(ts_db_run(db, &sql, NULL, 0, on_bool, ret_ours), 0);
}

/* --- what a slice is ---------------------------------------------------------------------------------------------------- */

struct bound {
    int64_t ts_us, id; /* the last row that goes; any id of a moment after it when a chunk goes */
    bool found, chunk;
};

static int on_row(const struct ts_row *row, void *ctx)
{
    struct bound *bound = ctx;
    bound->found = true;
    bound->ts_us = ts_row_time(row, 0);
    bound->id = ts_row_int(row, 1);
    return 0;
}

static int on_chunk(const struct ts_row *row, void *ctx)
{
    struct bound *bound = ctx;
    if (ts_row_is_null(row, 0))
        return 0;
    *bound = (struct bound){.ts_us = ts_row_time(row, 0), .id = INT64_MIN, .found = true, .chunk = true};
    return 0;
}

/* PostgreSQL: locks the oldest chunk of the table, if it may go. */
static int find_chunk(struct ts_db *db, const char *table, int64_t before_us, struct bound *ret)
{
    static const struct ts_sql sql = {.text = "SELECT lock_expired_chunk($1, $2)"};
    const struct ts_db_value params[] = {ts_db_text(ts_str_from(table)), ts_db_time(before_us)};
    if (ts_db_dialect(db) == TS_SQLITE)
        return 0;
    return (int)TS_MIN(ts_db_run(db, &sql, params, 2, on_chunk, ret), 0);
}

/* The row that is the last of `limit`, or the last there is. */
static int find_rows(struct ts_db *db, int64_t before_us, int64_t limit, struct bound *ret)
{
    static const struct ts_sql sql = {
        .text = "SELECT ts, id FROM (SELECT ts, id FROM tp_capital_signals WHERE ts < $1 ORDER BY ts, id"
                " LIMIT $2) s ORDER BY ts DESC, id DESC LIMIT 1"};
    const struct ts_db_value params[] = {ts_db_time(before_us), ts_db_int(limit)};
    return (int)TS_MIN(ts_db_run(db, &sql, params, 2, on_row, ret), 0);
}

static int64_t drop_chunks(struct ts_db *db, const char *table, const struct bound *bound)
{
    static const struct ts_sql sql = {.text = "SELECT drop_expired_chunks($1, $2)"};
    const struct ts_db_value params[] = {ts_db_text(ts_str_from(table)), ts_db_time(bound->ts_us)};
    return run(db, &sql, params, 2);
}

/* --- signals ------------------------------------------------------------------------------------------------------------ */

#define WITHIN "ts <= $1 AND (ts, id) <= ($1, $2)"

/* What the slice counted for, by channel: as store_ingest.c counts. */
#define COUNTED(columns)                                                                                \
    "(SELECT " columns ", count(*) AS n FROM tp_capital_signals WHERE " WITHIN                          \
    " AND signal_type <> 'UNKNOWN' AND deleted_at IS NULL AND channel_id IS NOT NULL GROUP BY " columns \
    ") g"

static int64_t uncount(struct ts_db *db, const struct ts_db_value bound[2])
{
    static const struct ts_sql stats = {
        .text = "UPDATE channel_stats SET signal_count = signal_count - g.n,"
                " last_signal = CASE WHEN signal_count > g.n THEN last_signal END FROM " COUNTED(
                    "channel_id, channel") " WHERE channel_stats.channel_id = g.channel_id"
                                           " AND channel_stats.channel = g.channel"};
    /* A channel may have been registered after its first signals: never below 0. */
    static const struct ts_sql registered = {
        .text = "UPDATE telegram_channels SET"
                " signal_count = CASE WHEN signal_count > g.n THEN signal_count - g.n ELSE 0 END"
                " FROM " COUNTED("channel_id") " WHERE telegram_channels.channel_id = g.channel_id"
                                               " AND status <> 'deleted'"};
    int64_t r = run(db, &stats, bound, 2);
    return r < 0 ? r : run(db, &registered, bound, 2);
}

static int on_count(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int64_t remove_rows(struct ts_db *db, const struct bound *bound, const struct ts_db_value values[2])
{
    static const struct ts_sql rows = {.text = "DELETE FROM tp_capital_signals WHERE " WITHIN};
    static const struct ts_sql count = {.text = "SELECT count(*) FROM tp_capital_signals WHERE " WITHIN};
    int64_t n = 0;

    if (!bound->chunk)
        return run(db, &rows, values, 2);
    int64_t r = ts_db_run(db, &count, values, 2, on_count, &n);
    if (r >= 0)
        r = drop_chunks(db, "tp_capital_signals", bound);
    return r < 0 ? r : n;
}

static int take_signals(struct store_tx *tx, struct store_retention *slice)
{
    struct ts_db *db = tx->db;
    struct bound bound = {0};
    int r = find_chunk(db, "tp_capital_signals", slice->signals_before_us, &bound);
    if (r == 0 && !bound.found)
        r = find_rows(db, slice->signals_before_us, slice->limit, &bound);
    if (r < 0 || !bound.found)
        return r;
    const struct ts_db_value values[] = {ts_db_time(bound.ts_us), ts_db_int(bound.id)};
    int64_t n = uncount(db, values);
    if (n >= 0)
        n = remove_rows(db, &bound, values);
    if (n < 0)
        return (int)n;
    slice->signals = n;
    slice->chunks += bound.chunk;
    tx->seq += n > 0;
    return 0;
}

/* Channels that nothing is left of. */
static int forget_channels(struct ts_db *db)
{
    static const struct ts_sql sql = {
        .text = "DELETE FROM channel_stats WHERE signal_count <= 0 AND NOT EXISTS (SELECT 1 FROM "
                "tp_capital_signals s WHERE s.channel_id = channel_stats.channel_id AND s.channel = "
                "channel_stats.channel)"};
    return (int)TS_MIN(run(db, &sql, NULL, 0), 0);
}

/* --- messages ----------------------------------------------------------------------------------------------------------- */

static int take_messages(struct store_tx *tx, struct store_retention *slice)
{
    static const struct ts_sql sql = {
        .text =
            "DELETE FROM ingested_messages WHERE (channel_id, message_id, revision) IN (SELECT channel_id, "
            "message_id, revision FROM ingested_messages WHERE ts < $1 ORDER BY ts LIMIT $2)"};
    const struct ts_db_value params[] = {ts_db_time(slice->keys_before_us), ts_db_int(slice->limit)};
    slice->messages = run(tx->db, &sql, params, 2);
    return (int)TS_MIN(slice->messages, 0);
}

/* What a person deleted is not kept longer than the rest. */
static int take_archived(struct store_tx *tx, struct store_retention *slice)
{
    static const struct ts_sql sql = {
        .text =
            "DELETE FROM tp_capital_signals_deleted WHERE id IN (SELECT id FROM tp_capital_signals_deleted"
            " WHERE ts < $1 ORDER BY ts LIMIT $2)"};
    const struct ts_db_value params[] = {ts_db_time(slice->signals_before_us), ts_db_int(slice->limit)};
    slice->archived = run(tx->db, &sql, params, 2);
    return (int)TS_MIN(slice->archived, 0);
}

static int take_forwarded(struct store_tx *tx, struct store_retention *slice)
{
    static const struct ts_sql count = {.text = "SELECT count(*) FROM forwarded_messages WHERE ts < $1"};
    static const struct ts_sql rows = {
        .text = "DELETE FROM forwarded_messages WHERE ts < $1 AND (id, ts) IN (SELECT id, ts FROM "
                "forwarded_messages WHERE ts < $1 ORDER BY ts LIMIT $2)"};
    struct ts_db *db = tx->db;
    struct bound bound = {.ts_us = slice->signals_before_us};
    int64_t r = find_chunk(db, "forwarded_messages", slice->signals_before_us, &bound);
    if (r < 0)
        return (int)r;
    const struct ts_db_value params[] = {ts_db_time(bound.ts_us), ts_db_int(slice->limit)};
    if (!bound.chunk) {
        slice->forwarded = run(db, &rows, params, 2);
        return (int)TS_MIN(slice->forwarded, 0);
    }
    r = ts_db_run(db, &count, params, 1, on_count, &slice->forwarded);
    slice->chunks++;
    return r < 0 ? (int)r : (int)TS_MIN(drop_chunks(db, "forwarded_messages", &bound), 0);
}

/* --- the slice ---------------------------------------------------------------------------------------------------------- */

static bool found_something(const struct store_retention *slice)
{
    return slice->signals > 0 || slice->messages > 0 || slice->archived > 0 || slice->forwarded > 0 ||
           slice->chunks > 0;
}

/* First the lock that all changes take: nobody waits for it with a chunk locked. */
static int take_slice(struct ts_db *db, struct store_retention *slice)
{
    static int (*const kinds[])(struct store_tx *, struct store_retention *) = {
        take_signals, take_messages, take_archived, take_forwarded};
    struct store_tx tx;
    bool ours = false;
    int r = store_tx_begin(db, &tx);
    if (r == 0)
        r = try_lock(db, &ours);
    if (r < 0)
        return r;
    slice->busy = !ours;
    for (size_t i = 0; i < TS_ARRAY_LEN(kinds) && ours && r == 0 && !found_something(slice); i++)
        r = kinds[i](&tx, slice);
    slice->finished = r == 0 && ours && !found_something(slice);
    if (slice->finished)
        r = forget_channels(db);
    if (r == 0)
        r = store_tx_commit_reset(&tx);
    if (r == 0 && tx.seq > tx.seq_before)
        slice->seq = tx.seq;
    return r;
}

int store_apply_retention(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    struct store_retention *slice = TS_CONTAINER_OF(ops[0], struct store_retention, op);
    (void)store, (void)n;
    slice->busy = slice->finished = false;
    slice->signals = slice->messages = slice->archived = slice->forwarded = slice->chunks = slice->seq = 0;
    return take_slice(db, slice); /* the writer rolls back what failed */
}
