/* Taking signals out of every list. */
#include "store.h"
#include "store_internal.h"

/* Found by their index each, and not hidden before. */
#define SHOWN_BY_ID " FROM tp_capital_signals WHERE id = $1 AND deleted_at IS NULL"
#define SHOWN_BY_TIME \
    " FROM tp_capital_signals WHERE ingested_at >= $1 AND ingested_at <= $2 AND deleted_at IS NULL"

enum { BY_ID, BY_TIME };

#define COLUMNS                                                                                              \
    "id, seq, revision, ts, channel, channel_id, message_id, asset, signal_type, trade_type, price, "        \
    "buy_min, buy_max, target_1, target_2, target_final, take_profit, stop, complete, raw_message, source, " \
    "ingested_at, created_at, updated_at"
#define ARCHIVE(now, shown) \
    "INSERT INTO tp_capital_signals_deleted (" COLUMNS ", deleted_at) SELECT " COLUMNS ", " now shown

/* Numbers in the order of their ids. */
#define HIDE(seq, now, shown)                                                                       \
    "UPDATE tp_capital_signals SET deleted_at = " now ", updated_at = " now ", seq = " seq " + d.n" \
    " FROM (SELECT id AS hidden_id, row_number() OVER (ORDER BY id) AS n" shown ") d WHERE id = d.hidden_id"

/* A time has two bounds, an id is one. */
static size_t put_selection(struct ts_db_value params[2], const struct store_selection *which)
{
    params[0] = which->by_id ? ts_db_int(which->id) : ts_db_time(which->from_us);
    params[1] = ts_db_time(which->to_us);
    return which->by_id ? 1 : 2;
}

static int archive(struct store_tx *tx, const struct store_selection *which, int64_t now_us)
{
    static const struct ts_sql sql[] = {
        [BY_ID] = {.text = ARCHIVE("$2::timestamptz", SHOWN_BY_ID), .sqlite = ARCHIVE("$2", SHOWN_BY_ID)},
        [BY_TIME] = {.text = ARCHIVE("$3::timestamptz", SHOWN_BY_TIME),
                     .sqlite = ARCHIVE("$3", SHOWN_BY_TIME)},
    };
    struct ts_db_value params[3];
    size_t n = put_selection(params, which);
    params[n++] = ts_db_time(now_us);
    return store_run(tx->db, &sql[which->by_id ? BY_ID : BY_TIME], params, n);
}

static int hide(struct store_tx *tx, const struct store_selection *which, int64_t now_us, int64_t *ret_n)
{
    static const struct ts_sql sql[] = {
        [BY_ID] = {.text = HIDE("$2", "$3", SHOWN_BY_ID)},
        [BY_TIME] = {.text = HIDE("$3", "$4", SHOWN_BY_TIME)},
    };
    struct ts_db_value params[4];
    size_t n = put_selection(params, which);
    params[n++] = ts_db_int(tx->seq);
    params[n++] = ts_db_time(now_us);
    int64_t hidden = ts_db_run(tx->db, &sql[which->by_id ? BY_ID : BY_TIME], params, n, NULL, NULL);
    if (hidden < 0)
        return (int)hidden;
    tx->seq += hidden;
    *ret_n = hidden;
    return 0;
}

/* The rows hidden just now are those with a later number than `seq`. */
static int count_down(struct store_tx *tx, int64_t seq)
{
    static const struct ts_sql stats = {
        .text = "UPDATE channel_stats SET signal_count = signal_count - d.n"
                " FROM (SELECT channel_id AS of_id, channel AS of_name, count(*) AS n FROM tp_capital_signals"
                " WHERE seq > $1 AND signal_type <> 'UNKNOWN' GROUP BY channel_id, channel) d"
                " WHERE channel_id = d.of_id AND channel = d.of_name"};
    /* A registered channel has counted what came since, unless somebody has set its number. */
    static const struct ts_sql registered = {
        .text =
            "UPDATE telegram_channels SET signal_count = CASE WHEN signal_count > d.n THEN signal_count - "
            "d.n "
            "ELSE 0 END"
            " FROM (SELECT c.id AS of_id, count(*) AS n FROM tp_capital_signals s JOIN telegram_channels c"
            " ON c.channel_id = s.channel_id AND c.created_at <= s.created_at"
            " WHERE s.seq > $1 AND s.signal_type <> 'UNKNOWN' GROUP BY c.id) d"
            " WHERE id = d.of_id AND status <> 'deleted'"};
    struct ts_db_value param = ts_db_int(seq);
    int r = store_run(tx->db, &stats, &param, 1);
    return r < 0 ? r : store_run(tx->db, &registered, &param, 1);
}

int store_delete_signals(struct store_tx *tx, const struct store_selection *which, int64_t now_us,
                         int64_t *ret_n)
{
    int64_t n = 0, seq = tx->seq;
    int r = archive(tx, which, now_us);
    if (r == 0)
        r = hide(tx, which, now_us, &n);
    if (r == 0 && n > 0)
        r = count_down(tx, seq);
    if (r == 0)
        *ret_n = n;
    return r;
}
