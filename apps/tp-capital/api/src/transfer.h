/*
 * Transfer: rows that move in from the system before, or from one database of ours to another, as CSV or JSON lines (tp-capital 5). Here
 * are the columns of each table and the rules by which texts become a row; all of it is pure.
 *
 *   ts and the other times   RFC 3339, PostgreSQL's form (no zone = UTC), or epoch milliseconds
 *   signal_type              anything but BUY, SELL and UNKNOWN is a trade type of old: it moves to trade_type, and the row is a
 *                            BUY when it has buy_min, else UNKNOWN
 *   channel_id, message_id   rows of old have none
 *   token                    of a bot: becomes its fingerprint, and is forgotten
 *
 * Unknown columns are ignored, missing ones take the defaults of transfer_complete_*; `id` of signals and forwarded messages is a number of
 * the database that they come from, and gets a new one.
 */
#ifndef TP_CAPITAL_TRANSFER_H
#define TP_CAPITAL_TRANSFER_H

#include "base/arena.h"
#include "base/buf.h"
#include "db/db.h"

enum transfer_type {
    TRANSFER_INT,
    TRANSFER_TIME,
    TRANSFER_PRICE,
    TRANSFER_PRICES, /* the text {32.1,33} */
    TRANSFER_BOOL,
    TRANSFER_TEXT,
};

enum transfer_use { TRANSFER_BOTH, TRANSFER_EXPORT_ONLY, TRANSFER_IMPORT_ONLY };

struct transfer_column {
    const char *name, *alias; /* alias: another name for it, or NULL */
    enum transfer_type type;
    size_t max; /* bytes of a text */
    enum transfer_use use;
};

#define TRANSFER_MAX_COLUMNS 32
#define TRANSFER_MAX_BYTES   (1024 * 1024) /* of one row */

enum transfer_table { TRANSFER_SIGNALS, TRANSFER_FORWARDED, TRANSFER_CHANNELS, TRANSFER_BOTS };

struct transfer_layout {
    const char *name; /* "signals" */
    enum transfer_table table;
    const struct transfer_column *columns;
    size_t n;
    /* Defaults, and rules over several columns. The name of the column that breaks one, or NULL. */
    const char *(*complete)(struct ts_db_value *row, int64_t now_us, struct ts_arena *arena);
};

/* By name; NULL = none such. */
const struct transfer_layout *transfer_find_layout(const char *name);

/* One row as it stands in a file. */
struct transfer_record {
    int64_t line;                       /* where it begins */
    const char *problem;                /* why it is no row, or NULL */
    const char *column;                 /* the first one whose value can not be one, or NULL */
    ts_str cells[TRANSFER_MAX_COLUMNS]; /* in the order of the layout; NONE = null or not there */
};

/*
 * The record's cells become values, copied to `arena`; `row` has the layout's columns. NULL, or the name of the column at fault. Nothing of
 * a value is in what it says.
 */
const char *transfer_read_row(const struct transfer_layout *layout, const struct transfer_record *record,
                              int64_t now_us, struct ts_arena *arena, struct ts_db_value *row);

/* What the database stores: the row without the columns that only a file has. Returns their number. */
size_t transfer_params(const struct transfer_layout *layout, const struct ts_db_value *row,
                       struct ts_db_value *out);

/* A time with all its microseconds, RFC 3339. */
void transfer_put_time(struct ts_buf *buf, int64_t time_us);

/* The places of columns in rows of these tables. */
enum {
    SIGNAL_TS = 1,
    SIGNAL_CHANNEL,
    SIGNAL_CHANNEL_ID,
    SIGNAL_MESSAGE_ID,
    SIGNAL_REVISION,
    SIGNAL_ASSET,
    SIGNAL_TYPE,
    SIGNAL_TRADE_TYPE,
    SIGNAL_PRICE,
    SIGNAL_BUY_MIN,
    SIGNAL_BUY_MAX,
    SIGNAL_TARGET_1,
    SIGNAL_TARGET_2,
    SIGNAL_TARGET_FINAL,
    SIGNAL_TAKE_PROFIT,
    SIGNAL_STOP,
    SIGNAL_COMPLETE,
    SIGNAL_RAW_MESSAGE,
    SIGNAL_SOURCE,
    SIGNAL_DELETED_AT,
    SIGNAL_INGESTED_AT,
    SIGNAL_CREATED_AT,
    SIGNAL_UPDATED_AT,
};

enum {
    FORWARDED_TS = 1,
    FORWARDED_SOURCE,
    FORWARDED_SOURCE_NAME,
    FORWARDED_MESSAGE,
    FORWARDED_TEXT,
    FORWARDED_IMAGE,
    FORWARDED_WIDTH,
    FORWARDED_HEIGHT,
    FORWARDED_AT,
    FORWARDED_DESTINATION,
    FORWARDED_METHOD,
};

#endif
