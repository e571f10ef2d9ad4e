/*
 * A batch of new messages on PostgreSQL: one statement with arrays, one round trip from begin to commit. Equal messages in
 * one batch, and ones that are already there, come out as duplicates.
 */
#include <errno.h>

#include "base/arena.h"
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

const struct ts_sql store_sql_lock = {.text = "SELECT pg_advisory_xact_lock(8097823744107)"};

/*
 *   input     the batch as it came, numbered from 1
 *   head      draws a number for each message of it
 *   numbered  `known` is the lowest revision that is there already: 0 = a duplicate; more = an edit or a deletion came before its
 *             original, which is rare and left to store_apply_each
 *   messages  what is new; of equal messages in the batch the first
 *   …         the writes
 *
 * Look-ups are scalar subqueries, so that the planner has nothing to choose while the tables are small: they stay index look-ups.
 */
const struct ts_sql store_sql_insert_batch = {
    .text =
        "WITH input AS MATERIALIZED ("
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], "
        "$6::numeric[], $7::numeric[], $8::numeric[],"
        "  $9::text[], $10::numeric[], $11::boolean[], $12::text[], $13::bigint[], $14::bigint[], "
        "$15::timestamptz[], $16::timestamptz[],"
        "  $17::timestamptz[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[])"
        " WITH ORDINALITY AS i (asset, signal_type, trade_type, buy_min, buy_max, target_1, target_2, "
        "target_final, take_profit, stop,"
        "  complete, raw_message, channel_id, message_id, ts, now_at, received_at, channel, source, "
        "media_type, photos, request_id,"
        "  traceparent, n)"
        "), head AS ("
        " UPDATE change_seq SET first_seq = last_seq + 1, last_seq = last_seq + cardinality($13::bigint[]) "
        "RETURNING first_seq - 1 AS base"
        "), numbered AS MATERIALIZED ("
        " SELECT i.*, h.base + i.n AS seq,"
        "  coalesce(i.channel, (SELECT label FROM telegram_channels c WHERE c.channel_id = i.channel_id AND "
        "c.status <> 'deleted'"
        "   ORDER BY channel_type DESC LIMIT 1), '" STORE_UNKNOWN_CHANNEL "') AS name,"
        "  (SELECT revision FROM ingested_messages m WHERE m.channel_id = i.channel_id AND m.message_id = "
        "i.message_id"
        "   ORDER BY revision LIMIT 1) AS known"
        " FROM input i CROSS JOIN head h"
        "), messages AS ("
        " INSERT INTO ingested_messages (channel_id, message_id, revision, ts, ingested_at, signal_id, "
        "raw_message, received_at, media_type,"
        "  photos, request_id, traceparent)"
        " SELECT channel_id, message_id, 0, ts, now_at, seq, raw_message, received_at, media_type, photos, "
        "request_id, traceparent"
        " FROM numbered WHERE known IS NULL ORDER BY n ON CONFLICT DO NOTHING RETURNING signal_id"
        "), stored AS MATERIALIZED ("
        " SELECT d.* FROM messages m JOIN numbered d ON d.seq = m.signal_id"
        "), signals AS ("
        " INSERT INTO tp_capital_signals (id, seq, ts, channel, channel_id, message_id, asset, signal_type, "
        "trade_type, price, buy_min,"
        "  buy_max, target_1, target_2, target_final, take_profit, stop, complete, raw_message, source, "
        "ingested_at, created_at, updated_at)"
        " SELECT seq, seq, ts, name, channel_id, message_id, asset, signal_type, trade_type, buy_min, "
        "buy_min, buy_max, target_1, target_2,"
        "  target_final, take_profit::numeric(18, 6)[], stop, complete, raw_message, source, now_at, now_at, "
        "now_at FROM stored"
        "), added AS MATERIALIZED ("
        " SELECT channel_id, name, count(*) FILTER (WHERE signal_type <> 'UNKNOWN') AS signals,"
        "  max(ts) FILTER (WHERE signal_type <> 'UNKNOWN') AS last_signal"
        " FROM stored GROUP BY channel_id, name ORDER BY channel_id, name"
        "), stats AS ("
        " INSERT INTO channel_stats (channel_id, channel, signal_count, last_signal) SELECT * FROM added"
        " ON CONFLICT (channel_id, channel) DO UPDATE SET signal_count = channel_stats.signal_count + "
        "excluded.signal_count,"
        "  last_signal = greatest(channel_stats.last_signal, excluded.last_signal)"
        "), registered AS ("
        " UPDATE telegram_channels c SET signal_count = c.signal_count + a.signals, last_signal = "
        "greatest(c.last_signal, a.last_signal)"
        " FROM (SELECT channel_id, sum(signals)::integer AS signals, max(last_signal) AS last_signal FROM "
        "added GROUP BY channel_id) a"
        " WHERE c.channel_id = a.channel_id AND c.status <> 'deleted' AND a.signals > 0"
        ")"
        " SELECT n, 0::bigint AS known, seq FROM stored UNION ALL SELECT n, known, 0::bigint FROM numbered "
        "WHERE known > 0"};

/* Numbers that were drawn for duplicates go back: nothing of them was stored. */
const struct ts_sql store_sql_trim = {.text =
                                          "UPDATE change_seq SET last_seq = coalesce((SELECT max(seq) FROM "
                                          "tp_capital_signals WHERE seq >= first_seq), first_seq - 1)"};

const struct ts_sql store_sql_notify = {.text = "SELECT pg_notify('" STORE_NOTIFY_CHANNEL
                                                "', store_id || ' ' || first_seq || '-' || last_seq)"
                                                " FROM change_seq WHERE first_seq <= last_seq"};

/* --- parameters --------------------------------------------------------------------------------------------------------- */

enum { N_COLUMNS = STORE_READING_COLUMNS + 11 };

static const enum ts_db_type column_types[N_COLUMNS] = {
    /* what was read from the text */
    TS_DB_TEXT_ARRAY, TS_DB_TEXT_ARRAY, TS_DB_TEXT_ARRAY, TS_DB_PRICE_ARRAY, TS_DB_PRICE_ARRAY,
    TS_DB_PRICE_ARRAY, TS_DB_PRICE_ARRAY, TS_DB_PRICE_ARRAY, TS_DB_TEXT_ARRAY, TS_DB_PRICE_ARRAY,
    TS_DB_BOOL_ARRAY, TS_DB_TEXT_ARRAY,
    /* the message */
    TS_DB_INT_ARRAY, TS_DB_INT_ARRAY, TS_DB_TIME_ARRAY, TS_DB_TIME_ARRAY, TS_DB_TIME_ARRAY, TS_DB_TEXT_ARRAY,
    TS_DB_TEXT_ARRAY, TS_DB_TEXT_ARRAY, TS_DB_TEXT_ARRAY, TS_DB_TEXT_ARRAY, TS_DB_TEXT_ARRAY};

static void put_row(struct ts_db_value row[N_COLUMNS], const struct store_ingest *in)
{
    const struct message *m = &in->message;
    store_put_reading(row, in);
    struct ts_db_value *rest = row + STORE_READING_COLUMNS;
    rest[0] = ts_db_int(m->channel_id);
    rest[1] = ts_db_int(m->message_id);
    rest[2] = ts_db_time(m->ts_us);
    rest[3] = ts_db_time(in->now_us);
    rest[4] = store_time_or_null(m->received_at_us);
    rest[5] = ts_db_text(m->channel);
    rest[6] = ts_db_text(m->source);
    rest[7] = ts_db_text(m->media_type);
    rest[8] = ts_db_text(m->photos);
    rest[9] = ts_db_text(in->request_id);
    rest[10] = ts_db_text(in->traceparent);
}

/* Room for one column of n values. */
static int make_column(struct ts_arena *arena, enum ts_db_type type, size_t n, struct ts_db_value *ret)
{
    *ret = (struct ts_db_value){.type = type, .array.n = n};
    if (type == TS_DB_TEXT_ARRAY)
        return (ret->array.str = TS_ARENA_ARRAY(arena, n, ts_str)) ? 0 : -ENOMEM;
    ret->array.i64 = TS_ARENA_ARRAY(arena, n, int64_t);
    ret->array.nulls = TS_ARENA_ARRAY(arena, n, bool);
    return ret->array.i64 && ret->array.nulls ? 0 : -ENOMEM;
}

static void put_cell(struct ts_db_value *column, size_t i, const struct ts_db_value *cell)
{
    bool null = cell->type == TS_DB_NULL;
    if (column->type == TS_DB_TEXT_ARRAY) {
        ((ts_str *)column->array.str)[i] = null ? TS_STR_NONE : cell->str;
        return;
    }
    ((bool *)column->array.nulls)[i] = null;
    ((int64_t *)column->array.i64)[i] = null ? 0 : cell->i64;
}

/* Rows become columns. */
static int make_columns(struct ts_arena *arena, struct ts_writer_op *const *ops, size_t n,
                        struct ts_db_value columns[N_COLUMNS])
{
    for (size_t c = 0; c < N_COLUMNS; c++) {
        int r = make_column(arena, column_types[c], n, &columns[c]);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < n; i++) {
        struct ts_db_value row[N_COLUMNS];
        put_row(row, TS_CONTAINER_OF(ops[i], struct store_ingest, op));
        for (size_t c = 0; c < N_COLUMNS; c++)
            put_cell(&columns[c], i, &row[c]);
    }
    return 0;
}

/* --- the batch ---------------------------------------------------------------------------------------------------------- */

struct results {
    struct ts_writer_op *const *ops;
    size_t n;
    size_t n_late; /* originals that came after an edit of theirs */
};

/* In `seq`: to be stored by itself. */
#define LATE INT64_C(-1)

static int on_result(const struct ts_row *row, void *ctx)
{
    struct results *results = ctx;
    int64_t n = ts_row_int(row, 0);
    if (n < 1 || (size_t)n > results->n)
        return TS_E_DB_QUERY;
    struct store_ingest *in = TS_CONTAINER_OF(results->ops[n - 1], struct store_ingest, op);
    if (ts_row_int(row, 1) > 0) {
        in->seq = LATE;
        results->n_late++;
        return 0;
    }
    in->outcome = STORE_STORED;
    in->seq = in->signal_id = ts_row_int(row, 2);
    return 0;
}

/* The rest is durable already: if this fails and the batch comes again, they are found as duplicates. */
static int store_late(struct ts_db *db, const struct results *results)
{
    int r = 0;
    for (size_t i = 0; i < results->n && r == 0 && results->n_late > 0; i++)
        if (TS_CONTAINER_OF(results->ops[i], struct store_ingest, op)->seq == LATE)
            r = store_apply_each(NULL, db, &results->ops[i], 1);
    return r;
}

int store_apply_batch(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    (void)store;
    _cleanup_(ts_arena_freep) struct ts_arena *arena =
        ts_arena_new(n * N_COLUMNS * (sizeof(ts_str) + sizeof(bool)) + 16384);
    struct ts_db_value columns[N_COLUMNS];
    if (!arena || make_columns(arena, ops, n, columns) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct store_ingest *in = TS_CONTAINER_OF(ops[i], struct store_ingest, op);
        in->outcome = STORE_DUPLICATE; /* unless the statement says that it was stored */
        in->seq = in->signal_id = 0;
    }
    struct results results = {.ops = ops, .n = n};
    struct ts_db_step steps[] = {
        {.sql = &store_sql_lock},
        {.sql = &store_sql_insert_batch,
         .params = columns,
         .n_params = N_COLUMNS,
         .on_row = on_result,
         .ctx = &results},
        {.sql = &store_sql_trim},
        {.sql = &store_sql_notify},
    };
    int r = ts_db_transaction(db, steps, TS_ARRAY_LEN(steps));
    return r == 0 ? store_late(db, &results) : store_settle(db, ops, n, r);
}
