#include "store_transfer.h"

#include "base/clock.h"
#include "base/error.h"
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

/* --- signals ------------------------------------------------------------------------------------------------------------ */

static bool is_null(const struct ts_db_value *value)
{
    return value->type == TS_DB_NULL;
}

static bool has_message(const struct ts_db_value *row)
{
    return !is_null(&row[SIGNAL_CHANNEL_ID]) && !is_null(&row[SIGNAL_MESSAGE_ID]);
}

static int is_signal_known(struct store_tx *tx, const struct ts_db_value *row, bool *ret)
{
    static const struct ts_sql by_message = {
        .text = "SELECT 1 FROM ingested_messages WHERE channel_id = $1 AND message_id = $2 LIMIT 1"};
    static const struct ts_sql by_content = {
        .text = "SELECT 1 FROM tp_capital_signals WHERE ts = $1 AND channel = $2 AND raw_message = $3"
                " AND (channel_id IS NULL OR message_id IS NULL) LIMIT 1"};
    const struct ts_db_value key[] = {row[SIGNAL_CHANNEL_ID], row[SIGNAL_MESSAGE_ID]};
    const struct ts_db_value content[] = {row[SIGNAL_TS], row[SIGNAL_CHANNEL], row[SIGNAL_RAW_MESSAGE]};
    return has_message(row) ? exists(tx, &by_message, key, TS_ARRAY_LEN(key), ret)
                            : exists(tx, &by_content, content, TS_ARRAY_LEN(content), ret);
}

/* The version that the signal shows; of a deletion there is no text. */
static int insert_message(struct store_tx *tx, const struct ts_db_value *row, int64_t seq)
{
    static const struct ts_sql sql = {
        .text =
            "INSERT INTO ingested_messages (channel_id, message_id, revision, ts, ingested_at, signal_id, "
            "raw_message, edited_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
    int64_t revision = row[SIGNAL_REVISION].i64;
    bool is_edit = revision != MESSAGE_ORIGINAL && revision <= STORE_TIME_MAX_US / TS_US_PER_MS;
    const struct ts_db_value message[] = {
        row[SIGNAL_CHANNEL_ID],
        row[SIGNAL_MESSAGE_ID],
        row[SIGNAL_REVISION],
        row[SIGNAL_TS],
        row[SIGNAL_INGESTED_AT],
        ts_db_int(seq),
        revision == MESSAGE_DELETED ? ts_db_null() : row[SIGNAL_RAW_MESSAGE],
        is_edit ? ts_db_time(revision * TS_US_PER_MS) : ts_db_null(),
    };
    return store_run(tx->db, &sql, message, TS_ARRAY_LEN(message));
}

/* As a batch of messages does: the channel with an id counts signals that are shown. */
static int count_signal(struct store_tx *tx, const struct ts_db_value *row)
{
    const struct ts_db_value one[] = {row[SIGNAL_CHANNEL_ID], row[SIGNAL_CHANNEL], ts_db_int(1),
                                      row[SIGNAL_TS]};
    if (is_null(&row[SIGNAL_CHANNEL_ID]) || !is_null(&row[SIGNAL_DELETED_AT]) ||
        ts_str_eq(row[SIGNAL_TYPE].str, TS_STR("UNKNOWN")))
        return 0;
    return store_run(tx->db, &store_sql_count_channel, one, TS_ARRAY_LEN(one));
}

#define INSERT_SIGNAL(take_profit)                                                                         \
    "INSERT INTO tp_capital_signals (ts, channel, channel_id, message_id, revision, asset, signal_type, "  \
    "trade_type, price, buy_min, buy_max, target_1, target_2, target_final, take_profit, stop, complete, " \
    "raw_message, source, deleted_at, ingested_at, created_at, updated_at, id, seq)"                       \
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, " take_profit                   \
    ", $16, $17, $18, $19, $20, $21, $22, $23, $24, $24)"

static int import_signal(struct store_tx *tx, const struct ts_db_value *row, struct ts_db_value *params,
                         size_t n, bool *ret_stored)
{
    static const struct ts_sql sql = {.text = INSERT_SIGNAL("$15::text::numeric(18, 6)[]"),
                                      .sqlite = INSERT_SIGNAL("$15")};
    bool known;
    int r = is_signal_known(tx, row, &known);
    if (r < 0 || known)
        return r;
    int64_t seq = tx->seq + 1;
    params[n++] = ts_db_int(seq);
    r = store_run(tx->db, &sql, params, n);
    if (r == 0 && has_message(row))
        r = insert_message(tx, row, seq);
    if (r == 0)
        r = count_signal(tx, row);
    if (r < 0)
        return r;
    tx->seq = seq;
    *ret_stored = true;
    return 0;
}

/* --- the other tables --------------------------------------------------------------------------------------------------- */

static int import_forwarded(struct store_tx *tx, const struct ts_db_value *row,
                            const struct ts_db_value *params, size_t n, bool *ret_stored)
{
    static const struct ts_sql known_sql = {
        .text =
            "SELECT 1 FROM forwarded_messages WHERE ts = $1 AND source_channel_id = $2 AND message_id = $3"
            " AND destination_channel_id = $4 AND forward_method = $5 LIMIT 1"};
    static const struct ts_sql sql = {
        .text = "INSERT INTO forwarded_messages (ts, source_channel_id, source_channel_name, message_id, "
                "message_text, image_url, image_width, image_height, forwarded_at, destination_channel_id, "
                "forward_method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
    const struct ts_db_value key[] = {row[FORWARDED_TS], row[FORWARDED_SOURCE], row[FORWARDED_MESSAGE],
                                      row[FORWARDED_DESTINATION], row[FORWARDED_METHOD]};
    bool known;
    int r = exists(tx, &known_sql, key, TS_ARRAY_LEN(key), &known);
    if (r < 0 || known)
        return r;
    *ret_stored = true;
    return store_run(tx->db, &sql, params, n);
}

static const struct ts_sql insert_channel = {
    .text = "INSERT INTO telegram_channels (id, label, channel_id, channel_type, description, status, "
            "signal_count, last_signal, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"};
static const struct ts_sql insert_bot = {
    .text = "INSERT INTO telegram_bots (id, username, token_fingerprint, bot_type, description, status, "
            "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"};

int store_import_row(struct store_tx *tx, const struct transfer_layout *layout, const struct ts_db_value *row,
                     bool *ret_stored)
{
    struct ts_db_value params[TRANSFER_MAX_COLUMNS];
    size_t n = transfer_params(layout, row, params);
    *ret_stored = false;
    if (layout->table == TRANSFER_SIGNALS)
        return import_signal(tx, row, params, n, ret_stored);
    if (layout->table == TRANSFER_FORWARDED)
        return import_forwarded(tx, row, params, n, ret_stored);
    const struct ts_sql *sql = layout->table == TRANSFER_CHANNELS ? &insert_channel : &insert_bot;
    int64_t stored = ts_db_run(tx->db, sql, params, n, NULL, NULL);
    *ret_stored = stored > 0;
    return (int)TS_MIN(stored, 0);
}

/* --- out ---------------------------------------------------------------------------------------------------------------- */

#define EXPORT_SIGNALS(take_profit)                                                                      \
    "SELECT id, ts, channel, channel_id, message_id, revision, asset, signal_type, trade_type, price, "  \
    "buy_min, buy_max, target_1, target_2, target_final, " take_profit ", stop, complete, raw_message, " \
    "source, deleted_at, ingested_at, created_at, updated_at FROM tp_capital_signals"                    \
    " WHERE id > coalesce($1, 0) ORDER BY id LIMIT $2"

static const struct ts_sql exports[] = {
    [TRANSFER_SIGNALS] = {.text = EXPORT_SIGNALS("take_profit::text"),
                          .sqlite = EXPORT_SIGNALS("take_profit")},
    [TRANSFER_FORWARDED] = {.text = "SELECT id, ts, source_channel_id, source_channel_name, message_id, "
                                    "message_text, image_url, image_width, image_height, forwarded_at, "
                                    "destination_channel_id, forward_method FROM forwarded_messages"
                                    " WHERE id > coalesce($1, 0) ORDER BY id LIMIT $2"},
    [TRANSFER_CHANNELS] = {.text = "SELECT id, label, channel_id, channel_type, description, status, "
                                   "signal_count, last_signal, created_at, updated_at FROM telegram_channels"
                                   " WHERE id > coalesce($1, '') ORDER BY id LIMIT $2"},
    [TRANSFER_BOTS] = {.text = "SELECT id, username, token_fingerprint, bot_type, description, status, "
                               "created_at, updated_at FROM telegram_bots"
                               " WHERE id > coalesce($1, '') ORDER BY id LIMIT $2"},
};

int store_export_rows(struct ts_db *db, const struct transfer_layout *layout, const struct ts_db_value *after,
                      int64_t limit, store_row_fn fn, void *ctx)
{
    const struct ts_db_value params[] = {*after, ts_db_int(limit)};
    return (int)TS_MIN(ts_db_run(db, &exports[layout->table], params, TS_ARRAY_LEN(params), fn, ctx), 0);
}
