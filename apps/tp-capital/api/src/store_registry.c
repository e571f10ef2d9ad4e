/* The registry: channels and bots. A deleted one stays, with its status; its place is free for another. */
#include "base/error.h"
#include "registry.h"
#include "store.h"
#include "store_internal.h"

static int on_row(const struct ts_row *row, void *ctx)
{
    (void)row;
    *(bool *)ctx = true;
    return 0;
}

static int exists(struct store_tx *tx, const struct ts_sql *sql, const struct ts_db_value *params, size_t n,
                  bool *ret)
{
    *ret = false;
    return (int)TS_MIN(ts_db_run(tx->db, sql, params, n, on_row, ret), 0);
}

/*
 * An insert that a unique index let through or not; `own` asks for our id: there, it is the attempt before whose outcome was not known.
 */
static int insert(struct store_tx *tx, const struct ts_sql *sql, const struct ts_db_value *params, size_t n,
                  const struct ts_sql *own)
{
    int64_t inserted = ts_db_run(tx->db, sql, params, n, NULL, NULL);
    if (inserted != 0)
        return (int)TS_MIN(inserted, 0);
    bool ours;
    int r = exists(tx, own, params, 1, &ours);
    return r < 0 ? r : ours ? 0 : TS_E_CONFLICT;
}

static int change(struct store_tx *tx, const struct ts_sql *sql, const struct ts_db_value *params, size_t n)
{
    int64_t changed = ts_db_run(tx->db, sql, params, n, NULL, NULL);
    return changed < 0 ? (int)changed : changed == 0 ? TS_E_NOT_FOUND : 0;
}

static struct ts_db_value int_if(bool given, int64_t value)
{
    return given ? ts_db_int(value) : ts_db_null();
}

/* --- channels ----------------------------------------------------------------------------------------------------------- */

int store_create_channel(struct store_tx *tx, ts_str id, const struct channel_fields *f, int64_t now_us)
{
    static const struct ts_sql sql = {
        .text = "INSERT INTO telegram_channels (id, label, channel_id, channel_type, description, status, "
                "created_at, updated_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING"};
    static const struct ts_sql own = {.text = "SELECT 1 FROM telegram_channels WHERE id = $1"};
    const struct ts_db_value row[] = {ts_db_text(id),
                                      ts_db_text(f->label),
                                      ts_db_int(f->channel_id),
                                      ts_db_text(f->channel_type),
                                      ts_db_text(f->description),
                                      ts_db_text(f->status),
                                      ts_db_time(now_us)};
    return insert(tx, &sql, row, TS_ARRAY_LEN(row), &own);
}

/* Another one has what this one would have. */
static int check_channel(struct store_tx *tx, ts_str id, const struct channel_fields *f)
{
    static const struct ts_sql sql = {
        .text =
            "SELECT 1 FROM telegram_channels c JOIN telegram_channels o ON o.id <> c.id"
            " AND o.channel_id = coalesce($2, c.channel_id) AND o.channel_type = coalesce($3, c.channel_type)"
            " WHERE c.id = $1 AND c.status <> 'deleted' AND o.status <> 'deleted'"};
    const struct ts_db_value params[] = {ts_db_text(id), int_if(f->given & CHANNEL_ID, f->channel_id),
                                         ts_db_text(f->channel_type)};
    bool taken;
    int r = exists(tx, &sql, params, TS_ARRAY_LEN(params), &taken);
    return r < 0 ? r : taken ? TS_E_CONFLICT : 0;
}

int store_update_channel(struct store_tx *tx, ts_str id, const struct channel_fields *f, int64_t now_us)
{
    static const struct ts_sql sql = {
        .text =
            "UPDATE telegram_channels SET label = coalesce($2, label), channel_id = coalesce($3, channel_id),"
            " channel_type = coalesce($4, channel_type),"
            " description = CASE WHEN $5 THEN $6 ELSE description END, status = coalesce($7, status),"
            " signal_count = coalesce($8, signal_count),"
            " last_signal = CASE WHEN $9 THEN $10 ELSE last_signal END, updated_at = $11"
            " WHERE id = $1 AND status <> 'deleted'"};
    const struct ts_db_value row[] = {
        ts_db_text(id),
        ts_db_text(f->label),
        int_if(f->given & CHANNEL_ID, f->channel_id),
        ts_db_text(f->channel_type),
        ts_db_bool(f->given & CHANNEL_DESCRIPTION),
        ts_db_text(f->description),
        ts_db_text(f->status),
        int_if(f->given & CHANNEL_SIGNAL_COUNT, f->signal_count),
        ts_db_bool(f->given & CHANNEL_LAST_SIGNAL),
        store_time_or_null(f->last_signal_us),
        ts_db_time(now_us),
    };
    int r = f->given & (CHANNEL_ID | CHANNEL_TYPE) ? check_channel(tx, id, f) : 0;
    return r < 0 ? r : change(tx, &sql, row, TS_ARRAY_LEN(row));
}

int store_delete_channel(struct store_tx *tx, ts_str id, int64_t now_us)
{
    static const struct ts_sql sql = {.text =
                                          "UPDATE telegram_channels SET status = 'deleted', updated_at = $2"
                                          " WHERE id = $1 AND status <> 'deleted'"};
    const struct ts_db_value params[] = {ts_db_text(id), ts_db_time(now_us)};
    return change(tx, &sql, params, TS_ARRAY_LEN(params));
}

int store_list_registered_channels(struct ts_db *db, store_row_fn fn, void *ctx)
{
    static const struct ts_sql sql = {
        .text = "SELECT id, label, channel_id, channel_type, description, status, signal_count, last_signal, "
                "created_at, updated_at FROM telegram_channels WHERE status <> 'deleted'"
                " ORDER BY updated_at DESC, id"};
    return (int)TS_MIN(ts_db_run(db, &sql, NULL, 0, fn, ctx), 0);
}

/* --- bots --------------------------------------------------------------------------------------------------------------- */

int store_create_bot(struct store_tx *tx, ts_str id, const struct bot_fields *f, int64_t now_us)
{
    static const struct ts_sql sql = {
        .text = "INSERT INTO telegram_bots (id, username, token_fingerprint, bot_type, description, status, "
                "created_at, updated_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING"};
    static const struct ts_sql own = {.text = "SELECT 1 FROM telegram_bots WHERE id = $1"};
    const struct ts_db_value row[] = {
        ts_db_text(id),          ts_db_text(f->username),    ts_db_text(ts_str_from(f->token_fingerprint)),
        ts_db_text(f->bot_type), ts_db_text(f->description), ts_db_text(f->status),
        ts_db_time(now_us)};
    return insert(tx, &sql, row, TS_ARRAY_LEN(row), &own);
}

static int check_bot(struct store_tx *tx, ts_str id, const struct bot_fields *f)
{
    static const struct ts_sql sql = {
        .text = "SELECT 1 FROM telegram_bots c JOIN telegram_bots o ON o.id <> c.id AND lower(o.username) = "
                "lower($2)"
                " WHERE c.id = $1 AND c.status <> 'deleted' AND o.status <> 'deleted'"};
    const struct ts_db_value params[] = {ts_db_text(id), ts_db_text(f->username)};
    bool taken;
    int r = exists(tx, &sql, params, TS_ARRAY_LEN(params), &taken);
    return r < 0 ? r : taken ? TS_E_CONFLICT : 0;
}

int store_update_bot(struct store_tx *tx, ts_str id, const struct bot_fields *f, int64_t now_us)
{
    static const struct ts_sql sql = {
        .text = "UPDATE telegram_bots SET username = coalesce($2, username),"
                " token_fingerprint = coalesce($3, token_fingerprint), bot_type = coalesce($4, bot_type),"
                " description = CASE WHEN $5 THEN $6 ELSE description END, status = coalesce($7, status),"
                " updated_at = $8 WHERE id = $1 AND status <> 'deleted'"};
    const struct ts_db_value row[] = {
        ts_db_text(id),
        ts_db_text(f->username),
        f->given & BOT_TOKEN ? ts_db_text(ts_str_from(f->token_fingerprint)) : ts_db_null(),
        ts_db_text(f->bot_type),
        ts_db_bool(f->given & BOT_DESCRIPTION),
        ts_db_text(f->description),
        ts_db_text(f->status),
        ts_db_time(now_us),
    };
    int r = f->given & BOT_USERNAME ? check_bot(tx, id, f) : 0;
    return r < 0 ? r : change(tx, &sql, row, TS_ARRAY_LEN(row));
}

int store_delete_bot(struct store_tx *tx, ts_str id, int64_t now_us)
{
    static const struct ts_sql sql = {.text = "UPDATE telegram_bots SET status = 'deleted', updated_at = $2"
                                              " WHERE id = $1 AND status <> 'deleted'"};
    const struct ts_db_value params[] = {ts_db_text(id), ts_db_time(now_us)};
    return change(tx, &sql, params, TS_ARRAY_LEN(params));
}

int store_list_registered_bots(struct ts_db *db, store_row_fn fn, void *ctx)
{
    static const struct ts_sql sql = {
        .text =
            "SELECT id, username, token_fingerprint, bot_type, description, status, created_at, updated_at"
            " FROM telegram_bots WHERE status <> 'deleted' ORDER BY updated_at DESC, id"};
    return (int)TS_MIN(ts_db_run(db, &sql, NULL, 0, fn, ctx), 0);
}
