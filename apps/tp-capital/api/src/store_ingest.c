/*
 * Writing messages one by one inside one transaction: everything on SQLite; on PostgreSQL edits, deletions and forwarded
 * messages (new ones go by store_batch.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "store.h"
#include "store_internal.h"

/* --- the operation ------------------------------------------------------------------------------------------------------ */

static ts_str append(char **at, ts_str s)
{
    if (ts_str_is_none(s))
        return s;
    char *copy = *at;
    memcpy(copy, s.ptr, s.len);
    *at += s.len;
    return (ts_str){copy, s.len};
}

/* `{32.1,33}`, the same text for both dialects. */
static ts_str format_take_profit(struct ts_buf *buf, const struct signal *signal)
{
    if (signal->take_profit_count == 0)
        return TS_STR_NONE;
    for (uint32_t i = 0; i < signal->take_profit_count; i++) {
        ts_buf_char(buf, i == 0 ? '{' : ',');
        ts_buf_e6(buf, signal->take_profit_e6[i]);
    }
    ts_buf_char(buf, '}');
    return ts_buf_view(buf);
}

struct store_ingest *store_ingest_new(const struct message *message, const struct signal *signal,
                                      ts_str request_id, ts_str traceparent, int64_t now_us)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(1024);
    ts_str take_profit = format_take_profit(&buf, signal);
    if (ts_buf_error(&buf))
        return NULL;

    size_t size = sizeof(struct store_ingest) + message->text.len + message->channel.len +
                  message->source.len + message->media_type.len + message->photos.len +
                  message->forward.method.len + take_profit.len + request_id.len + traceparent.len;
    struct store_ingest *ingest = malloc(size);
    if (!ingest)
        return NULL;
    char *at = (char *)(ingest + 1);
    *ingest =
        (struct store_ingest){.message = *message, .signal = *signal, .now_us = now_us, .size_bytes = size};
    struct message *m = &ingest->message;
    m->text = append(&at, m->text);
    m->channel = append(&at, m->channel);
    m->source = append(&at, m->source);
    m->media_type = append(&at, m->media_type);
    m->photos = append(&at, m->photos);
    m->forward.method = append(&at, m->forward.method);
    ingest->take_profit = append(&at, take_profit);
    ingest->request_id = append(&at, request_id);
    ingest->traceparent = append(&at, traceparent);
    return ingest;
}

struct store_ingest *store_ingest_free(struct store_ingest *ingest)
{
    free(ingest);
    return NULL;
}

bool store_ingest_is_plain(const struct store_ingest *ingest)
{
    return ingest->message.revision == MESSAGE_ORIGINAL && !ingest->message.forward.present;
}

/* --- a batch ------------------------------------------------------------------------------------------------------------ */

/* What a batch adds to one channel; written once, at its end, in key order, so that two writers never wait crosswise. */
struct tally {
    int64_t channel_id;
    ts_str channel;
    int64_t count;
    int64_t last_us; /* MESSAGE_NO_TIME = no signal */
};

struct batch {
    struct store_tx tx;
    struct ts_arena *arena;
    struct tally *tallies; /* at most one for each operation */
    size_t n_tallies;
};

static int run(struct batch *batch, const struct ts_sql *sql, const struct ts_db_value *params, size_t n)
{
    return store_run(batch->tx.db, sql, params, n);
}

static int begin(struct batch *batch, struct ts_db *db, size_t n)
{
    batch->arena = ts_arena_new(n * (sizeof(struct tally) + MESSAGE_CHANNEL_MAX + 64) + 4096);
    batch->tallies = batch->arena ? TS_ARENA_ARRAY(batch->arena, n, struct tally) : NULL;
    return batch->tallies ? store_tx_begin(db, &batch->tx) : -ENOMEM;
}

static int tally_compare(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    if (x->channel_id != y->channel_id)
        return x->channel_id < y->channel_id ? -1 : 1;
    int order = memcmp(x->channel.ptr, y->channel.ptr, TS_MIN(x->channel.len, y->channel.len));
    return order ? order : (x->channel.len > y->channel.len) - (x->channel.len < y->channel.len);
}

static int write_tally(struct batch *batch, const struct tally *tally)
{
    static const struct ts_sql stats = {.text =
                                            "INSERT INTO channel_stats (channel_id, channel, signal_count, "
                                            "last_signal) VALUES ($1, $2, $3, $4)"
                                            " ON CONFLICT (channel_id, channel) DO UPDATE SET signal_count = "
                                            "channel_stats.signal_count + excluded.signal_count,"
                                            " last_signal = CASE WHEN excluded.last_signal IS NULL OR "
                                            "channel_stats.last_signal > excluded.last_signal"
                                            " THEN channel_stats.last_signal ELSE excluded.last_signal END"};
    static const struct ts_sql registered = {
        .text = "UPDATE telegram_channels SET signal_count = CASE WHEN signal_count + $2 > 0 "
                "THEN signal_count + $2 ELSE 0 END,"
                " last_signal = CASE WHEN last_signal > $3 OR $3 IS NULL THEN last_signal ELSE $3 END"
                " WHERE channel_id = $1 AND status <> 'deleted'"};
    struct ts_db_value last = tally->last_us == MESSAGE_NO_TIME ? ts_db_null() : ts_db_time(tally->last_us);
    const struct ts_db_value all[] = {ts_db_int(tally->channel_id), ts_db_text(tally->channel),
                                      ts_db_int(tally->count), last};
    int r = run(batch, &stats, all, TS_ARRAY_LEN(all));
    if (r < 0 || (tally->count == 0 && tally->last_us == MESSAGE_NO_TIME))
        return r;
    const struct ts_db_value one[] = {ts_db_int(tally->channel_id), ts_db_int(tally->count), last};
    return run(batch, &registered, one, TS_ARRAY_LEN(one));
}

static int finish(struct batch *batch)
{
    int r = 0;

    qsort(batch->tallies, batch->n_tallies, sizeof(struct tally), tally_compare);
    for (size_t i = 0; i < batch->n_tallies && r == 0; i++)
        r = write_tally(batch, &batch->tallies[i]);
    return r == 0 ? store_tx_commit(&batch->tx) : r;
}

/* --- channels ----------------------------------------------------------------------------------------------------------- */

static void tally_add(struct batch *batch, int64_t channel_id, ts_str channel, int64_t count, int64_t last_us)
{
    struct tally *tally = NULL;
    for (size_t i = batch->n_tallies; i > 0 && !tally; i--) {
        struct tally *t = &batch->tallies[i - 1];
        if (t->channel_id == channel_id && ts_str_eq(t->channel, channel))
            tally = t;
    }
    if (!tally) {
        tally = &batch->tallies[batch->n_tallies++];
        *tally = (struct tally){.channel_id = channel_id, .channel = channel, .last_us = MESSAGE_NO_TIME};
    }
    tally->count += count;
    tally->last_us = TS_MAX(tally->last_us, last_us);
}

struct text_copy {
    struct ts_arena *arena;
    ts_str text;
};

static int on_text(const struct ts_row *row, void *ctx)
{
    struct text_copy *copy = ctx;
    return ts_arena_dup(copy->arena, ts_row_text(row, 0), &copy->text);
}

/* The name given with the message, else the label under which the channel is registered, else "Desconhecido". */
static int channel_name(struct batch *batch, const struct message *m, ts_str *ret)
{
    static const struct ts_sql label = {
        .text = "SELECT label FROM telegram_channels WHERE channel_id = $1 AND status <> 'deleted'"
                " ORDER BY channel_type DESC LIMIT 1"};
    if (!ts_str_is_none(m->channel)) {
        *ret = m->channel;
        return 0;
    }
    struct text_copy copy = {.arena = batch->arena, .text = TS_STR(STORE_UNKNOWN_CHANNEL)};
    struct ts_db_value id = ts_db_int(m->channel_id);
    int64_t r = ts_db_run(batch->tx.db, &label, &id, 1, on_text, &copy);
    if (r < 0)
        return (int)r;
    *ret = copy.text;
    return 0;
}

/* --- versions ----------------------------------------------------------------------------------------------------------- */

/* What is already there of a message, as the rows come by ascending revision. */
struct versions {
    const struct message *message;
    int64_t revision; /* under which ours would be stored */
    int64_t newest;   /* -1 = none */
    int64_t signal_id;
    bool before_is_equal; /* the version just below ours has the same content */
    bool duplicate;
};

static int on_version(const struct ts_row *row, void *ctx)
{
    struct versions *v = ctx;
    int64_t revision = ts_row_int(row, 0);
    bool equal = ts_row_bool(row, 2);

    v->newest = revision;
    if (!ts_row_is_null(row, 1))
        v->signal_id = ts_row_int(row, 1);
    if (revision > v->revision)
        return 0;
    if (revision < v->revision) {
        v->before_is_equal = equal;
    } else if (equal || revision == MESSAGE_ORIGINAL || revision == MESSAGE_DELETED) {
        v->duplicate = true;
    } else { /* two edits in one second: the later one is a millisecond younger */
        v->revision++;
        v->before_is_equal = false;
    }
    return 0;
}

static int read_versions(struct batch *batch, const struct message *m, struct versions *ret)
{
    static const struct ts_sql sql = {
        .text = "SELECT revision, signal_id, raw_message IS NOT DISTINCT FROM $3 FROM ingested_messages"
                " WHERE channel_id = $1 AND message_id = $2 ORDER BY revision"};
    *ret = (struct versions){.message = m, .revision = m->revision, .newest = -1};
    const struct ts_db_value key[] = {ts_db_int(m->channel_id), ts_db_int(m->message_id),
                                      ts_db_text(m->text)};
    int64_t r = ts_db_run(batch->tx.db, &sql, key, TS_ARRAY_LEN(key), on_version, ret);
    if (r < 0)
        return (int)r;
    bool is_edit = m->revision != MESSAGE_ORIGINAL && m->revision != MESSAGE_DELETED;
    if (is_edit && ret->before_is_equal)
        ret->duplicate = true;
    return 0;
}

struct ts_db_value store_time_or_null(int64_t time_us)
{
    return time_us == MESSAGE_NO_TIME ? ts_db_null() : ts_db_time(time_us);
}

static int insert_version(struct batch *batch, const struct store_ingest *in, int64_t revision,
                          int64_t signal_id)
{
    static const struct ts_sql sql = {.text =
                                          "INSERT INTO ingested_messages (channel_id, message_id, revision, "
                                          "ts, ingested_at, signal_id, raw_message, edited_at,"
                                          " received_at, media_type, photos, request_id, traceparent)"
                                          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
    const struct message *m = &in->message;
    const struct ts_db_value row[] = {
        ts_db_int(m->channel_id),
        ts_db_int(m->message_id),
        ts_db_int(revision),
        ts_db_time(m->ts_us),
        ts_db_time(in->now_us),
        signal_id ? ts_db_int(signal_id) : ts_db_null(),
        ts_db_text(m->text),
        store_time_or_null(m->edited_at_us),
        store_time_or_null(m->received_at_us),
        ts_db_text(m->media_type),
        ts_db_text(m->photos),
        ts_db_text(in->request_id),
        ts_db_text(in->traceparent),
    };
    return run(batch, &sql, row, TS_ARRAY_LEN(row));
}

/* --- signals ------------------------------------------------------------------------------------------------------------ */

static bool counts(const struct signal *signal)
{
    return signal->signal_type != SIGNAL_UNKNOWN;
}

static struct ts_db_value price_or_null(bool present, int64_t price_e6)
{
    return present ? ts_db_price(price_e6) : ts_db_null();
}

static struct ts_db_value name_or_null(const char *name)
{
    return ts_db_text(name && *name ? ts_str_from(name) : TS_STR_NONE);
}

void store_put_reading(struct ts_db_value out[STORE_READING_COLUMNS], const struct store_ingest *in)
{
    const struct signal *s = &in->signal;
    out[0] = name_or_null(s->asset);
    out[1] = ts_db_text(ts_str_from(signal_type_name(s->signal_type)));
    out[2] = name_or_null(signal_trade_type_name(s->trade_type));
    out[3] = price_or_null(s->has_entry, s->buy_min_e6);
    out[4] = price_or_null(s->has_entry, s->buy_max_e6);
    out[5] = price_or_null(s->has_target_1, s->target_1_e6);
    out[6] = price_or_null(s->has_target_2, s->target_2_e6);
    out[7] = price_or_null(s->has_target_final, s->target_final_e6);
    out[8] = ts_db_text(in->take_profit);
    out[9] = price_or_null(s->has_stop, s->stop_loss_e6);
    out[10] = ts_db_bool(s->complete);
    out[11] = ts_db_text(in->message.text);
}

#define INSERT_SIGNAL(take_profit)                                                                        \
    "INSERT INTO tp_capital_signals (asset, signal_type, trade_type, price, buy_min, buy_max, target_1, " \
    "target_2, target_final,"                                                                             \
    " take_profit, stop, complete, raw_message, id, seq, revision, ts, channel, channel_id, message_id, " \
    "source, ingested_at,"                                                                                \
    " created_at, updated_at) VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, " take_profit                   \
    ", $10, $11, $12, $13, $13, $14, $15, $16, $17, $18, $19, $20, $20, $20)"

static int insert_signal(struct batch *batch, const struct store_ingest *in, int64_t revision, int64_t seq)
{
    static const struct ts_sql sql = {.text = INSERT_SIGNAL("$9::text::numeric(18, 6)[]"),
                                      .sqlite = INSERT_SIGNAL("$9")};
    const struct message *m = &in->message;
    ts_str channel;
    int r = channel_name(batch, m, &channel);
    if (r < 0)
        return r;
    struct ts_db_value row[STORE_READING_COLUMNS + 8];
    store_put_reading(row, in);
    struct ts_db_value *rest = row + STORE_READING_COLUMNS;
    rest[0] = ts_db_int(seq);
    rest[1] = ts_db_int(revision);
    rest[2] = ts_db_time(m->ts_us);
    rest[3] = ts_db_text(channel);
    rest[4] = ts_db_int(m->channel_id);
    rest[5] = ts_db_int(m->message_id);
    rest[6] = ts_db_text(m->source);
    rest[7] = ts_db_time(in->now_us);
    r = run(batch, &sql, row, TS_ARRAY_LEN(row));
    if (r == 0)
        tally_add(batch, m->channel_id, channel, counts(&in->signal),
                  counts(&in->signal) ? m->ts_us : MESSAGE_NO_TIME);
    return r;
}

/* What the row counted for before it changes. */
struct shown {
    struct ts_arena *arena;
    bool exists, counted;
    bool hidden; /* somebody deleted it: what its message becomes is kept, and not shown */
    ts_str channel;
    int64_t ts_us;
};

static int on_shown(const struct ts_row *row, void *ctx)
{
    struct shown *shown = ctx;
    shown->exists = true;
    shown->hidden = ts_row_bool(row, 3);
    shown->counted = !ts_str_eq(ts_row_text(row, 0), TS_STR("UNKNOWN")) && !shown->hidden;
    shown->ts_us = ts_row_time(row, 2);
    return ts_arena_dup(shown->arena, ts_row_text(row, 1), &shown->channel);
}

static int read_shown(struct batch *batch, int64_t id, struct shown *ret)
{
    static const struct ts_sql sql = {
        .text = "SELECT signal_type, channel, ts, deleted_at IS NOT NULL FROM tp_capital_signals"
                " WHERE id = $1"};
    struct ts_db_value param = ts_db_int(id);
    *ret = (struct shown){.arena = batch->arena};
    return (int)TS_MIN(ts_db_run(batch->tx.db, &sql, &param, 1, on_shown, ret), 0);
}

#define UPDATE_SIGNAL(take_profit)                                                                           \
    "UPDATE tp_capital_signals SET asset = $1, signal_type = $2, trade_type = $3, price = $4, buy_min = "    \
    "$4, buy_max = $5, target_1 = $6,"                                                                       \
    " target_2 = $7, target_final = $8, take_profit = " take_profit                                          \
    ", stop = $10, complete = $11, raw_message = $12, seq = $14, revision = $15, updated_at = $16 WHERE id " \
    "= $13"

static int update_signal(struct batch *batch, const struct store_ingest *in, int64_t id, int64_t revision,
                         int64_t seq)
{
    static const struct ts_sql sql = {.text = UPDATE_SIGNAL("$9::text::numeric(18, 6)[]"),
                                      .sqlite = UPDATE_SIGNAL("$9")};
    struct ts_db_value row[STORE_READING_COLUMNS + 4];
    store_put_reading(row, in);
    row[STORE_READING_COLUMNS] = ts_db_int(id);
    row[STORE_READING_COLUMNS + 1] = ts_db_int(seq);
    row[STORE_READING_COLUMNS + 2] = ts_db_int(revision);
    row[STORE_READING_COLUMNS + 3] = ts_db_time(in->now_us);
    return run(batch, &sql, row, TS_ARRAY_LEN(row));
}

static int delete_signal(struct batch *batch, const struct store_ingest *in, int64_t id, int64_t seq)
{
    static const struct ts_sql sql = {.text = "UPDATE tp_capital_signals SET deleted_at = $3, seq = $2, "
                                              "revision = $4, updated_at = $3 WHERE id = $1"};
    const struct ts_db_value row[] = {ts_db_int(id), ts_db_int(seq), ts_db_time(in->now_us),
                                      ts_db_int(MESSAGE_DELETED)};
    return run(batch, &sql, row, TS_ARRAY_LEN(row));
}

/* A newer version than the one shown: the row follows, unless it is gone. */
static int change_signal(struct batch *batch, struct store_ingest *in, int64_t id, int64_t revision)
{
    struct shown shown;
    int r = read_shown(batch, id, &shown);
    if (r < 0 || !shown.exists || shown.hidden)
        return r;
    bool deleted = revision == MESSAGE_DELETED;
    bool counted = !deleted && counts(&in->signal);
    int64_t seq = ++batch->tx.seq;
    r = deleted ? delete_signal(batch, in, id, seq) : update_signal(batch, in, id, revision, seq);
    if (r < 0)
        return r;
    in->seq = seq;
    if (counted != shown.counted)
        tally_add(batch, in->message.channel_id, shown.channel, counted - shown.counted,
                  counted ? shown.ts_us : MESSAGE_NO_TIME);
    return 0;
}

static int insert_forwarded(struct batch *batch, const struct store_ingest *in)
{
    static const struct ts_sql sql = {
        .text = "INSERT INTO forwarded_messages (ts, source_channel_id, source_channel_name, message_id, "
                "message_text, forwarded_at,"
                " destination_channel_id, forward_method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
    const struct message *m = &in->message;
    const struct ts_db_value row[] = {
        ts_db_time(m->ts_us),
        ts_db_int(m->forward.source_channel_id),
        ts_db_text(m->channel),
        ts_db_int(m->forward.source_message_id),
        ts_db_text(m->text),
        ts_db_time(in->now_us),
        ts_db_int(m->forward.destination_channel_id),
        ts_db_text(m->forward.method),
    };
    return run(batch, &sql, row, TS_ARRAY_LEN(row));
}

/* --- one message -------------------------------------------------------------------------------------------------------- */

static int store_one(struct batch *batch, struct store_ingest *in)
{
    struct versions versions;
    int r = read_versions(batch, &in->message, &versions);
    if (r < 0)
        return r;
    in->outcome = versions.duplicate ? STORE_DUPLICATE : STORE_STORED;
    in->signal_id = versions.signal_id;
    in->seq = 0;
    if (versions.duplicate)
        return 0;

    bool first = versions.newest < 0 && versions.revision != MESSAGE_DELETED;
    if (first) {
        in->seq = in->signal_id = ++batch->tx.seq;
        r = insert_signal(batch, in, versions.revision, in->seq);
    } else if (in->signal_id && versions.revision > versions.newest) {
        r = change_signal(batch, in, in->signal_id, versions.revision);
    }
    if (r == 0)
        r = insert_version(batch, in, versions.revision, in->signal_id);
    if (r == 0 && in->message.forward.present)
        r = insert_forwarded(batch, in);
    return r;
}

static bool is_unique_violation(const struct ts_db *db)
{
    const struct ts_db_error *error = ts_db_error(db);
    return strcmp(error->sqlstate, "23505") == 0 || error->sqlite_code == STORE_SQLITE_UNIQUE ||
           error->sqlite_code == STORE_SQLITE_PRIMARY_KEY;
}

static int store_all(struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    struct batch batch = {0};
    int r = begin(&batch, db, n);
    for (size_t i = 0; i < n && r == 0; i++)
        r = store_one(&batch, TS_CONTAINER_OF(ops[i], struct store_ingest, op));
    if (r == 0)
        r = finish(&batch);
    ts_arena_free(batch.arena);
    return r;
}

int store_settle(struct ts_db *db, struct ts_writer_op *const *ops, size_t n, int result)
{
    bool refused = n == 1 && result == TS_E_DB_CONSTRAINT && is_unique_violation(db);
    if (result < 0)
        ts_db_rollback(db);
    if (!refused)
        return result;
    int r = store_all(db, ops, n);
    struct store_ingest *in = TS_CONTAINER_OF(ops[0], struct store_ingest, op);
    if (r < 0)
        ts_db_rollback(db);
    else if (in->outcome == STORE_DUPLICATE)
        in->outcome = STORE_DUPLICATE_RACE;
    return r;
}

int store_apply_each(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    (void)store;
    return store_settle(db, ops, n, store_all(db, ops, n));
}

int store_apply_probe(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    static const struct ts_sql touch = {.text = "UPDATE change_seq SET last_seq = last_seq"};
    (void)store, (void)ops, (void)n;
    struct ts_db_step step = {.sql = &touch};
    return ts_db_transaction(db, &step, 1);
}
