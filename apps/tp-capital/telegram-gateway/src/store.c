#include "store.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"

/* --- writing --------------------------------------------------------------------------------------------------------------- */

static const struct ts_sql sql_version_before = {
    .text = "SELECT revision, content FROM outbox WHERE channel_id = $1 AND message_id = $2 AND revision < $3"
            " ORDER BY revision DESC LIMIT 1"};

static const struct ts_sql sql_versions_from = {
    .text = "SELECT revision, content FROM outbox WHERE channel_id = $1 AND message_id = $2 AND revision >= "
            "$3 ORDER BY revision"};

static const struct ts_sql sql_append = {.text =
                                             "INSERT INTO outbox (channel_id, message_id, revision, album, "
                                             "payload, bytes, content, request_id, traceparent, queued_at)"
                                             " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT "
                                             "(channel_id, message_id, revision) DO NOTHING"};

static const struct ts_sql sql_saw = {
    .text =
        "INSERT INTO last_seen (channel_id, message_id) VALUES ($1, $2) ON CONFLICT (channel_id)"
        " DO UPDATE SET message_id = excluded.message_id WHERE excluded.message_id > last_seen.message_id"};

static const struct ts_sql sql_acknowledge = {.text =
                                                  "UPDATE outbox SET state = 2, acknowledged_at = $2, "
                                                  "payload = CASE WHEN album IS NULL THEN '' ELSE payload END"
                                                  " WHERE id = $1 AND state <> 2"};

static const struct ts_sql sql_fail = {.text = "UPDATE outbox SET state = 1, reason = $2, attempts = "
                                               "attempts + $3, failed_at = $4, detail = $5, api_version = $6"
                                               " WHERE id = $1 AND state <> 2"};

/* The subquery stands alone, so it is evaluated once, before the first row changes. */
static const struct ts_sql sql_send_as = {
    .text =
        "UPDATE outbox SET sent_as = $3, sent_revision = $4 WHERE channel_id = $1 AND album = $2 AND id <= $5"
        " AND state <> 2 AND sent_as IS NULL AND (SELECT coalesce(max(id), 0) FROM outbox"
        " WHERE channel_id = $1 AND album = $2 AND sent_as IS NOT NULL) = $6"};

/* The rows of an album stay as long as one of them does: they tell under which id it is known, and what it shows. */
static const struct ts_sql sql_prune = {
    .text =
        "WITH bound (at) AS (SELECT max($1 - 1, coalesce((SELECT acknowledged_at FROM outbox WHERE state = 2"
        " ORDER BY acknowledged_at DESC LIMIT 1 OFFSET $2), $1 - 1)))"
        " DELETE FROM outbox WHERE id IN (SELECT id FROM outbox AS old WHERE state = 2"
        " AND acknowledged_at <= (SELECT at FROM bound) AND (album IS NULL OR NOT EXISTS (SELECT 1 FROM "
        "outbox AS part"
        " WHERE part.channel_id = old.channel_id AND part.album = old.album"
        " AND (part.state <> 2 OR part.acknowledged_at > (SELECT at FROM bound)))) ORDER BY acknowledged_at "
        "LIMIT $3)"};

struct settling {
    int64_t content;
    int64_t revision; /* the first that is free so far */
    bool duplicate;
};

enum { STOP_READING = 1 };

static int on_version_before(const struct ts_row *row, void *ctx)
{
    struct settling *settling = ctx;
    settling->duplicate = ts_row_int(row, 1) == settling->content;
    return 0;
}

static int on_version_from(const struct ts_row *row, void *ctx)
{
    struct settling *settling = ctx;
    if (ts_row_int(row, 0) != settling->revision)
        return STOP_READING;
    settling->duplicate = ts_row_int(row, 1) == settling->content;
    settling->revision++;
    return settling->duplicate ? STOP_READING : 0;
}

/*
 * An edit that says nothing new makes no revision. Telegram counts edits in seconds, so two of them may have one time: the later gets the stored
 * revision + 1 ms (DESIGN section 6).
 */
static int settle_revision(struct ts_db *db, struct store_append *append)
{
    struct message_key key = message_key(&append->message);
    const struct ts_db_value params[] = {ts_db_int(key.channel_id), ts_db_int(key.message_id),
                                         ts_db_int(key.revision)};
    struct settling settling = {.content = append->content, .revision = key.revision};
    int64_t n;
    if (key.revision == 0 || key.revision == MESSAGE_DELETED)
        return 0;
    n = ts_db_run(db, &sql_version_before, params, TS_ARRAY_LEN(params), on_version_before, &settling);
    if (n >= 0 && !settling.duplicate)
        n = ts_db_run(db, &sql_versions_from, params, TS_ARRAY_LEN(params), on_version_from, &settling);
    if (n < 0)
        return (int)n;
    append->duplicate = settling.duplicate;
    if (settling.revision != key.revision)
        append->message.edited_at_us = settling.revision * TS_US_PER_MS;
    return 0;
}

static int insert_row(struct ts_db *db, struct store_append *append)
{
    _cleanup_(ts_buf_done) struct ts_buf payload = TS_BUF_INIT(MESSAGE_MAX_JSON_BYTES);
    struct message_key key = message_key(&append->message);
    int64_t n;
    message_write_json(&payload, &append->message);
    if (ts_buf_error(&payload))
        return ts_buf_error(&payload) == -ENOMEM ? -ENOMEM : TS_E_DB_DATA;
    append->bytes = (int64_t)payload.len;
    const struct ts_db_value params[] = {
        ts_db_int(key.channel_id),
        ts_db_int(key.message_id),
        ts_db_int(key.revision),
        ts_db_text(append->message.album),
        ts_db_text(ts_buf_view(&payload)),
        ts_db_int(append->bytes),
        ts_db_int(append->content),
        ts_db_text(ts_str_from(append->request_id)),
        ts_db_text(ts_str_from(append->traceparent)),
        ts_db_time(append->queued_at_us),
    };
    n = ts_db_run(db, &sql_append, params, TS_ARRAY_LEN(params), NULL, NULL);
    append->duplicate = n == 0;
    return n < 0 ? (int)n : 0;
}

static int run_append(struct ts_db *db, struct store_append *append)
{
    const struct ts_db_value seen[] = {ts_db_int(append->message.channel_id),
                                       ts_db_int(append->message.message_id)};
    int r = settle_revision(db, append);
    if (r != 0 || append->duplicate)
        return r;
    if ((r = insert_row(db, append)) != 0 || append->duplicate)
        return r;
    return (int)TS_MIN(ts_db_run(db, &sql_saw, seen, TS_ARRAY_LEN(seen), NULL, NULL), 0);
}

static int run_send_as(struct ts_db *db, struct store_op *op)
{
    const struct store_send_as *mark = &op->send_as;
    const struct ts_db_value params[] = {
        ts_db_int(mark->key.channel_id), ts_db_text(ts_str_from(mark->album)),
        ts_db_int(mark->key.message_id), ts_db_int(mark->key.revision),
        ts_db_int(mark->up_to),          ts_db_int(mark->seen),
    };
    int64_t n = ts_db_run(db, &sql_send_as, params, TS_ARRAY_LEN(params), NULL, NULL);
    op->changed = n > 0;
    return (int)TS_MIN(n, 0);
}

static int on_failed_row(const struct ts_row *row TS_UNUSED, void *ctx)
{
    *(bool *)ctx = true;
    return 0;
}

static const struct ts_sql sql_is_failed = {.text = "SELECT 1 FROM outbox WHERE id = $1 AND state = 1"};

/* In the transaction of the mark: what its sender once read may be long past. */
static int read_was_failed(struct ts_db *db, int64_t row_id, struct store_op *op)
{
    const struct ts_db_value param = ts_db_int(row_id);
    op->was_failed = false;
    return (int)TS_MIN(ts_db_run(db, &sql_is_failed, &param, 1, on_failed_row, &op->was_failed), 0);
}

static int run_acknowledge(struct ts_db *db, struct store_op *op)
{
    const struct ts_db_value params[] = {ts_db_int(op->acknowledge.ref.id),
                                         ts_db_time(op->acknowledge.at_us)};
    int r = read_was_failed(db, op->acknowledge.ref.id, op);
    int64_t n = r == 0 ? ts_db_run(db, &sql_acknowledge, params, TS_ARRAY_LEN(params), NULL, NULL) : r;
    op->changed = n > 0;
    return (int)TS_MIN(n, 0);
}

static int run_fail(struct ts_db *db, struct store_op *op)
{
    const struct store_fail *fail = &op->fail;
    const struct ts_db_value params[] = {
        ts_db_int(fail->ref.id),
        ts_db_text(ts_str_from(outbox_reason_name(fail->reason))),
        ts_db_int(fail->attempts),
        ts_db_time(fail->at_us),
        ts_db_text(ts_str_from(fail->detail)),
        ts_db_text(ts_str_from(fail->api_version)),
    };
    int r = read_was_failed(db, fail->ref.id, op);
    int64_t n = r == 0 ? ts_db_run(db, &sql_fail, params, TS_ARRAY_LEN(params), NULL, NULL) : r;
    op->changed = n > 0;
    return (int)TS_MIN(n, 0);
}

static int run_prune(struct ts_db *db, struct store_prune *prune)
{
    const struct ts_db_value params[] = {ts_db_time(prune->before_us), ts_db_int(prune->keep_rows),
                                         ts_db_int(prune->max_rows)};
    prune->removed = ts_db_run(db, &sql_prune, params, TS_ARRAY_LEN(params), NULL, NULL);
    return (int)TS_MIN(prune->removed, 0);
}

static int run_op(struct ts_db *db, struct store_op *op)
{
    switch (op->type) {
    case STORE_APPEND:
        return run_append(db, &op->append);
    case STORE_SEND_AS:
        return run_send_as(db, op);
    case STORE_ACKNOWLEDGE:
        return run_acknowledge(db, op);
    case STORE_FAIL:
        return run_fail(db, op);
    case STORE_PRUNE:
        return run_prune(db, &op->prune);
    }
    return TS_E_INVALID;
}

static int run_all(struct store *store, struct ts_db *db, struct store_op *const *ops, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int r;
        ops[i]->refused = ops[i]->type == STORE_APPEND && store && atomic_load(&store->refuses_appends);
        if (ops[i]->type == STORE_APPEND)
            ops[i]->append.duplicate = false; /* the batch may be tried again */
        if (!ops[i]->refused && (r = run_op(db, ops[i])) != 0)
            return r;
    }
    return 0;
}

static int apply(struct store *store, struct ts_db *db, struct store_op *const *ops, size_t n)
{
    int r = ts_db_begin(db);
    if (r == 0)
        r = run_all(store, db, ops, n);
    if (r == 0)
        r = ts_db_commit(db);
    if (r != 0)
        ts_db_rollback(db);
    if (r != 0 && r != TS_E_DB_CONSTRAINT && r != TS_E_DB_DATA && store)
        atomic_store(&store->refuses_appends, true);
    return r;
}

int store_apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    /* struct store_op begins with its ts_writer_op, so an array of pointers to the one is an array of pointers to the other. */
    return apply(store, db, (struct store_op *const *)(const void *)ops, n);
}

int store_put(struct ts_db *db, struct store_append *append)
{
    return run_append(db, append);
}

static const struct ts_sql sql_put_failure = {
    .text = "UPDATE outbox SET state = 1, reason = $4, attempts = $5, failed_at = $6, detail = '', "
            "api_version = ''"
            " WHERE channel_id = $1 AND message_id = $2 AND revision = $3 AND state <> 2"};

static const struct ts_sql sql_put_acknowledgement = {
    .text = "UPDATE outbox SET state = 2, acknowledged_at = $4,"
            " payload = CASE WHEN album IS NULL THEN '' ELSE payload END"
            " WHERE channel_id = $1 AND message_id = $2 AND revision = $3 AND state <> 2"};

int store_put_failure(struct ts_db *db, struct message_key key, const struct store_fail *fail)
{
    const struct ts_db_value params[] = {
        ts_db_int(key.channel_id), ts_db_int(key.message_id),
        ts_db_int(key.revision),   ts_db_text(ts_str_from(outbox_reason_name(fail->reason))),
        ts_db_int(fail->attempts), ts_db_time(fail->at_us),
    };
    return (int)TS_MIN(ts_db_run(db, &sql_put_failure, params, TS_ARRAY_LEN(params), NULL, NULL), 0);
}

int store_put_acknowledgement(struct ts_db *db, struct message_key key, int64_t at_us)
{
    const struct ts_db_value params[] = {ts_db_int(key.channel_id), ts_db_int(key.message_id),
                                         ts_db_int(key.revision), ts_db_time(at_us)};
    return (int)TS_MIN(ts_db_run(db, &sql_put_acknowledgement, params, TS_ARRAY_LEN(params), NULL, NULL), 0);
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */

#define ROW_COLUMNS                                                                                 \
    "id, channel_id, message_id, revision, state, album, payload, bytes, request_id, traceparent, " \
    "queued_at, reason, detail,"                                                                    \
    " attempts, failed_at, sent_as, sent_revision"

static const struct ts_sql sql_pending = {
    .text = "SELECT " ROW_COLUMNS
            " FROM outbox WHERE state = 0 AND channel_id = $1 AND id > $2 ORDER BY id LIMIT $3"};

static const struct ts_sql sql_failed = {
    .text = "SELECT " ROW_COLUMNS
            " FROM outbox WHERE state = 1 AND failed_at <= $1 AND (failed_at, id) > ($2, $3)"
            " AND (reason <> 'rejected' OR $4 OR ($5 <> '' AND api_version <> $5)"
            " OR (detail = 'Invalid field: timestamp' AND failed_at <= $6)) ORDER BY failed_at, id LIMIT $7"};

static const struct ts_sql sql_album = {
    .text =
        "SELECT " ROW_COLUMNS " FROM outbox AS row WHERE channel_id = $1 AND album = $2 AND (state <> 2"
        " OR id = (SELECT max(id) FROM outbox WHERE channel_id = $1 AND album = $2 AND sent_as IS NOT NULL)"
        " OR NOT EXISTS (SELECT 1 FROM outbox AS newer WHERE newer.channel_id = row.channel_id"
        " AND newer.message_id = row.message_id AND newer.revision > row.revision AND newer.state = 2))"
        " ORDER BY message_id, revision LIMIT $3"};

static const struct ts_sql sql_each_pending = {.text = "SELECT " ROW_COLUMNS
                                                       " FROM outbox WHERE state <> 2 ORDER BY id"};

static const struct ts_sql sql_usage = {.text = "SELECT count(*), coalesce(sum(state = 1), 0), "
                                                "coalesce(sum(bytes), 0) FROM outbox WHERE state IN (0, 1)"};

static const struct ts_sql sql_pending_channels = {
    .text = "SELECT DISTINCT channel_id, 0 FROM outbox WHERE state = 0"};

static const struct ts_sql sql_last_seen = {.text = "SELECT channel_id, message_id FROM last_seen"};

static void read_row(const struct ts_row *row, struct store_row *ret)
{
    *ret = (struct store_row){
        .ref = {.id = ts_row_int(row, 0), .bytes = ts_row_int(row, 7)},
        .key = {ts_row_int(row, 1), ts_row_int(row, 2), ts_row_int(row, 3)},
        .state = (enum outbox_state)ts_row_int(row, 4),
        .album = ts_row_text(row, 5),
        .payload = ts_row_text(row, 6),
        .request_id = ts_row_text(row, 8),
        .traceparent = ts_row_text(row, 9),
        .queued_at_us = ts_row_time(row, 10),
        .reason = outbox_reason_parse(ts_row_text(row, 11)),
        .detail = ts_row_text(row, 12),
        .attempts = ts_row_int(row, 13),
        .failed_at_us = ts_row_is_null(row, 14) ? 0 : ts_row_time(row, 14),
        .sent_as = ts_row_is_null(row, 15) ? 0 : ts_row_int(row, 15),
        .sent_revision = ts_row_is_null(row, 16) ? 0 : ts_row_int(row, 16),
    };
}

struct collecting {
    struct ts_arena *arena;
    struct store_page *page;
    size_t max_rows;
};

static int keep_row(struct store_row *row, struct ts_arena *arena)
{
    ts_str *const texts[] = {&row->album, &row->payload, &row->request_id, &row->traceparent, &row->detail};
    for (size_t i = 0; i < TS_ARRAY_LEN(texts); i++) {
        if (ts_arena_dup(arena, *texts[i], texts[i]) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* A page whose arena is full is a shorter page; a first row that doesn't fit is an error. */
static int collect(const struct ts_row *row, void *ctx)
{
    struct collecting *c = ctx;
    struct store_row *kept = &c->page->rows[c->page->n];
    if (c->page->n == c->max_rows) {
        c->page->more = true;
        return STOP_READING;
    }
    read_row(row, kept);
    if (keep_row(kept, c->arena) != 0) {
        c->page->more = true;
        return c->page->n > 0 ? STOP_READING : -ENOMEM;
    }
    c->page->n++;
    return 0;
}

static int load(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params, size_t n_params,
                size_t max_rows, struct ts_arena *arena, struct store_page *ret)
{
    struct store_page page = {.rows = TS_ARENA_ARRAY(arena, max_rows, struct store_row)};
    struct collecting c = {.arena = arena, .page = &page, .max_rows = max_rows};
    int64_t n;
    if (!page.rows)
        return -ENOMEM;
    n = ts_db_run(db, sql, params, n_params, collect, &c);
    if (n < 0)
        return (int)n;
    *ret = page;
    return 0;
}

int store_load_pending(struct ts_db *db, int64_t channel_id, int64_t after_id, size_t max_rows,
                       struct ts_arena *arena, struct store_page *ret)
{
    const struct ts_db_value params[] = {ts_db_int(channel_id), ts_db_int(after_id),
                                         ts_db_int((int64_t)max_rows + 1)};
    return load(db, &sql_pending, params, TS_ARRAY_LEN(params), max_rows, arena, ret);
}

int store_load_failed(struct ts_db *db, const struct store_failed_query *query, size_t max_rows,
                      struct ts_arena *arena, struct store_page *ret)
{
    const struct ts_db_value params[] = {
        ts_db_time(query->failed_before_us),
        ts_db_time(query->after_failed_at_us),
        ts_db_int(query->after_id),
        ts_db_bool(query->all_rejected),
        ts_db_text(ts_str_from(query->api_version)),
        ts_db_time(query->hourly_before_us),
        ts_db_int((int64_t)max_rows + 1),
    };
    return load(db, &sql_failed, params, TS_ARRAY_LEN(params), max_rows, arena, ret);
}

int store_load_album(struct ts_db *db, int64_t channel_id, ts_str album, struct ts_arena *arena,
                     struct store_page *ret)
{
    const struct ts_db_value params[] = {ts_db_int(channel_id), ts_db_text(album),
                                         ts_db_int(STORE_MAX_ALBUM_ROWS + 1)};
    struct store_page page;
    int r = load(db, &sql_album, params, TS_ARRAY_LEN(params), STORE_MAX_ALBUM_ROWS, arena, &page);
    if (r != 0 || page.more) /* an album in part would be published in part */
        return r != 0 ? r : TS_E_RANGE;
    *ret = page;
    return 0;
}

static int on_usage(const struct ts_row *row, void *ctx)
{
    *(struct outbox_usage *)ctx =
        (struct outbox_usage){ts_row_int(row, 0), ts_row_int(row, 1), ts_row_int(row, 2)};
    return 0;
}

int store_usage(struct ts_db *db, struct outbox_usage *ret)
{
    return (int)TS_MIN(ts_db_run(db, &sql_usage, NULL, 0, on_usage, ret), 0);
}

struct each_channel {
    store_channel_fn fn;
    void *ctx;
};

static int on_channel(const struct ts_row *row, void *ctx)
{
    const struct each_channel *each = ctx;
    return each->fn(ts_row_int(row, 0), ts_row_int(row, 1), each->ctx);
}

int store_pending_channels(struct ts_db *db, store_channel_fn fn, void *ctx)
{
    struct each_channel each = {fn, ctx};
    return (int)TS_MIN(ts_db_run(db, &sql_pending_channels, NULL, 0, on_channel, &each), 0);
}

int store_last_seen(struct ts_db *db, store_channel_fn fn, void *ctx)
{
    struct each_channel each = {fn, ctx};
    return (int)TS_MIN(ts_db_run(db, &sql_last_seen, NULL, 0, on_channel, &each), 0);
}

struct each_row {
    store_row_fn fn;
    void *ctx;
};

static int on_row(const struct ts_row *row, void *ctx)
{
    const struct each_row *each = ctx;
    struct store_row read;
    read_row(row, &read);
    return each->fn(&read, each->ctx);
}

int store_each_pending(struct ts_db *db, store_row_fn fn, void *ctx)
{
    struct each_row each = {fn, ctx};
    return (int)TS_MIN(ts_db_run(db, &sql_each_pending, NULL, 0, on_row, &each), 0);
}
