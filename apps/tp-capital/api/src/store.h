/*
 * Store: every SQL statement of the service, and nothing else. store_tx.c begins and ends what changes something and knows the numbers of
 * change; store_ingest.c writes messages (one by one, both dialects), store_batch.c a whole batch of new messages with one statement
 * (PostgreSQL), store_index.c behind them what the search looks into, store_delete.c takes signals out, store_retention.c takes away what
 * is old, store_registry.c keeps channels and bots; store_signals.c, store_search.c and store_reading.c read, store_analytics.c counts.
 *
 * Numbers of change. Every change of a signal draws a number, `seq`, from the one row of change_seq, monotone in commit order: a batch
 * of PostgreSQL takes an advisory lock before it draws and holds it to the commit; SQLite has one writer. A signal's `id` is
 * the number that made it, so `id == seq` means "never changed since". A reader that knows n finds what happened since by `seq > n`.
 * What changes many rows at once (an import, a reparse, retention) draws numbers that stand for all of it together, `reset_seq` being the
 * last of them: whoever knows less than that is told to read the lists again, instead of each change.
 *
 * Versions. A message version is (channel_id, message_id, revision). All are kept; the signal shows the highest one. What arrives
 * late (an older revision) is kept and changes nothing that is shown.
 *
 * Thread rule: store_apply_* and what takes a store_tx run on the writer thread, the other functions on a reader thread; errors are those
 * of db/db.h.
 */
#ifndef TP_CAPITAL_STORE_H
#define TP_CAPITAL_STORE_H

#include "db/db.h"
#include "db/migrate.h"
#include "db/writer.h"
#include "message.h"
#include "parser.h"

/*
 * The channel of PostgreSQL's NOTIFY, which is one for all schemas of the database: the payload is "<store_id> <first>-<last>", a range of
 * seq and whose it is.
 */
#define STORE_NOTIFY_CHANNEL "tp_capital_signals"

/* --- a transaction ------------------------------------------------------------------------------------------------------ */

/*
 * What all transactions that change something have in common (but the pipeline of store_apply_batch, which does the same in one round
 * trip): they begin with the lock (PostgreSQL) and the last number, before anything is read that decides what changes; they draw numbers
 * by raising `seq`, for the rows to carry (and new ones as `id`); the commit notes these and tells the other replicas. Nobody else
 * changes anything until the end, so keep it short: about 1,000 rows. After an error, also of the commit: ts_db_rollback(). Afterwards,
 * on the loop: app_seq_advanced() with the last number.
 */
struct store_tx {
    struct ts_db *db;
    int64_t seq_before, seq; /* the last number before it, and the last drawn so far */
};

TS_MUST_CHECK int store_tx_begin(struct ts_db *db, struct store_tx *ret);
TS_MUST_CHECK int store_tx_commit(struct store_tx *tx); /* 0 = durable */
/* The same, but its numbers, at least one, count as one change: all streams are sent `reset`. Without a number it is a plain commit. */
TS_MUST_CHECK int store_tx_commit_reset(struct store_tx *tx);

/* --- writing messages --------------------------------------------------------------------------------------------------- */

enum store_outcome {
    STORE_STORED,
    STORE_DUPLICATE, /* the version was there, or an edit changed nothing */
    STORE_DUPLICATE_RACE, /* the database refused a second one (23505), and the version was found there afterwards */
};

/* One message on its way to disk: a single allocation, the texts lie behind the struct. */
struct store_ingest {
    struct ts_writer_op op;
    struct message message;
    struct signal signal;
    ts_str take_profit; /* "{32.1,33}", or NONE */
    ts_str request_id, traceparent;
    int64_t now_us; /* server time, whole milliseconds */
    void *app;      /* the caller's, as the ticket */
    uint64_t ticket;
    size_t size_bytes;
    /* Results, valid once the operation is done with 0. */
    enum store_outcome outcome;
    int64_t seq; /* number of the change; 0 when nothing that is shown changed */
    int64_t signal_id;
};

/* Copies everything. NULL when out of memory. */
struct store_ingest *store_ingest_new(const struct message *message, const struct signal *signal,
                                      ts_str request_id, ts_str traceparent, int64_t now_us);
struct store_ingest *store_ingest_free(struct store_ingest *ingest);
TS_DEFINE_CLEANUP(struct store_ingest *, store_ingest_free)

/* True when store_apply_batch may have it: an original that was forwarded nowhere. */
bool store_ingest_is_plain(const struct store_ingest *ingest);

/* Both fit ts_writer_kind.apply; `store` is not used. */
int store_apply_each(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);
int store_apply_batch(void *store, struct ts_db *db, struct ts_writer_op *const *ops,
                      size_t n); /* PostgreSQL, plain ones */

/* Changes nothing, but needs everything that a change needs: is the disk writable again? Fits ts_writer_kind.apply. */
int store_apply_probe(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);

/* --- the search's index, behind ingest ---------------------------------------------------------------------------------- */

/* One small step: the next rows in the order of their change; or, with `sweep`, the next entries are asked whether their row is still there. */
#define STORE_INDEX_ROWS_MAX 256
struct store_index {
    struct ts_writer_op op;
    int64_t max_rows; /* 1 to STORE_INDEX_ROWS_MAX; when sweeping any number */
    bool sweep;
    int64_t swept; /* entries up to this id; 0 = begin */
    /* Results. */
    bool is_elsewhere; /* another replica is at it: nothing was done */
    int64_t rows, seq; /* indexed now, and up to which number */
    bool is_swept;     /* there are no more entries */
};

/* Fits ts_writer_kind.apply, with max_batch 1. */
int store_apply_index(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);

/* Without trigrams (PostgreSQL without pg_trgm) a search walks. store_make_trigrams() tries to change that; it fails only with the database. */
TS_MUST_CHECK int store_has_trigrams(struct ts_db *db, bool *ret);
TS_MUST_CHECK int store_make_trigrams(struct ts_db *db);

/* --- taking signals out ------------------------------------------------------------------------------------------------- */

/* Which: one by id, or all that were stored at a time. */
struct store_selection {
    bool by_id;
    int64_t id, from_us, to_us; /* inclusive */
};

/*
 * Copies what is shown of them to the archive and hides it; each draws a number, and the channels' counters follow. Their messages stay
 * known, so what comes again of them is a duplicate or one more version, and shows nothing. *ret_n: how many, 0 too.
 */
TS_MUST_CHECK int store_delete_signals(struct store_tx *tx, const struct store_selection *which,
                                       int64_t now_us, int64_t *ret_n);

/* --- retention ---------------------------------------------------------------------------------------------------------- */

/*
 * Takes away what is too old, a slice an operation, each a transaction of its own: signals first, with the counters of their channels and
 * one number for all of the slice (store_tx_commit_reset); when none is left, the keys and versions of messages (ingested_messages) that
 * are older than `keys_before_us`; then the archive of deleted signals, then forwarded messages. So a key never goes before its signal.
 *
 * A slice is `limit` rows, or, on TimescaleDB, the oldest chunk if it is wholly older and this role may drop it. On PostgreSQL one
 * process at a time works in a schema.
 */
struct store_retention {
    struct ts_writer_op op;
    int64_t signals_before_us, keys_before_us; /* the latter not later than the former */
    int64_t limit;
    void *owner; /* the caller's */
    /* Results of this slice, valid once it is done with 0. */
    bool busy;                                              /* another replica is at it: nothing was done */
    bool finished;                                          /* nothing is left that is too old */
    int64_t signals, messages, archived, forwarded, chunks; /* removed; messages are versions */
    int64_t seq;                                            /* of the change, or 0 */
};

/* Fits ts_writer_kind.apply with max_batch 1. */
int store_apply_retention(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);

/* --- signals ------------------------------------------------------------------------------------------------------------ */

/* A row of the statements below; texts borrowed from the database until the call-back returns. */
struct store_signal {
    int64_t id, seq, revision, ts_us, ingested_at_us;
    bool has_channel_id, has_message_id; /* rows of an older system have none */
    int64_t channel_id, message_id;
    ts_str channel, asset, signal_type, trade_type, raw_message, source;
    ts_str take_profit; /* "{32.1,33}", or NONE */
    int64_t buy_min_e6, buy_max_e6, target_1_e6, target_2_e6, target_final_e6, stop_e6; /* 0 = none */
    bool complete, deleted;
};

typedef int (*store_signal_fn)(const struct store_signal *row, void *ctx);

/* Filters are joined by AND; NONE and the extreme values mean "any". */
struct store_filter {
    int64_t from_us, to_us; /* inclusive */
    int64_t before_ts_us,
        before_id; /* cursor: rows that come after this one in the order; INT64_MAX = from the start */
    bool has_channel_id;
    int64_t channel_id;
    ts_str channel, asset, signal_type, trade_type, search;
    int complete; /* 1, 0, -1 = any */
    int64_t limit, offset;
};

#define STORE_FILTER_ANY                                                                             \
    {                                                                                                \
        .from_us = INT64_MIN, .to_us = INT64_MAX, .before_ts_us = INT64_MAX, .before_id = INT64_MAX, \
        .complete = -1                                                                               \
    }

/* The state of the numbers. store_id: 32 or 36 characters that name this database. */
#define STORE_ID_SIZE 40
struct store_head {
    int64_t last_seq;
    int64_t reset_seq; /* <= last_seq; 0 in the head of a list */
    char store_id[STORE_ID_SIZE];
};

TS_MUST_CHECK int store_read_head(struct ts_db *db, struct store_head *ret);

/* The page, newest ts first, then id descending, with the head of the same snapshot. */
TS_MUST_CHECK int store_list_signals(struct ts_db *db, const struct store_filter *filter, store_signal_fn fn,
                                     void *ctx, struct store_head *ret_head);

/* Matching rows regardless of cursor, limit and offset, counted up to `max` + 1. */
TS_MUST_CHECK int store_count_signals(struct ts_db *db, const struct store_filter *filter, int64_t max,
                                      int64_t *ret);

/* TS_E_NOT_FOUND when there is none or it was deleted. */
TS_MUST_CHECK int store_get_signal(struct ts_db *db, int64_t id, store_signal_fn fn, void *ctx);

struct store_version {
    int64_t revision, ts_us, ingested_at_us;
    int64_t edited_at_us, received_at_us; /* or MESSAGE_NO_TIME */
    ts_str text;                          /* NONE for a deletion */
    ts_str media_type, request_id;        /* or NONE */
};
typedef int (*store_version_fn)(const struct store_version *version, void *ctx);

/* Oldest first. */
TS_MUST_CHECK int store_list_versions(struct ts_db *db, int64_t channel_id, int64_t message_id,
                                      store_version_fn fn, void *ctx);

/* Changed rows with since < seq <= `upto`, deleted ones included, ascending, at most `limit`. */
TS_MUST_CHECK int store_list_changes(struct ts_db *db, int64_t since, int64_t upto, int64_t limit,
                                     store_signal_fn fn, void *ctx);

/* How many there are, counted up to max + 1. */
TS_MUST_CHECK int store_count_changes(struct ts_db *db, int64_t since, int64_t max, int64_t *ret);

/* --- reading again ------------------------------------------------------------------------------------------------------ */

/* Rows by ascending id, of those that are shown. */
struct store_scan {
    int64_t after_id, limit;
    int64_t from_us, to_us; /* inclusive; the extreme values mean any */
    bool has_channel_id;
    int64_t channel_id;
};
TS_MUST_CHECK int store_scan_signals(struct ts_db *db, const struct store_scan *scan, store_signal_fn fn,
                                     void *ctx);

/* What a row shows is to be replaced: all but message, version and channel. */
struct store_rereading {
    int64_t id, revision, ts_us; /* as they are, as the rest but `signal` */
    bool has_channel_id;
    int64_t channel_id;
    ts_str channel, raw_message;
    bool counted; /* as BUY or SELL so far */
    struct signal signal;
};

/*
 * Replaces what the rows show, under one number for all, which *tx draws: store_tx_commit_reset() ends the transaction. The counters of
 * channels follow. n >= 1.
 */
TS_MUST_CHECK int store_replace_readings(struct store_tx *tx, const struct store_rereading *items, size_t n,
                                         int64_t now_us);

/* --- counts ------------------------------------------------------------------------------------------------------------- */

/*
 * How many rows, in groups as the database finds them: what a group is of, it adds to. PostgreSQL has a group for each channel, each asset
 * and each day; SQLite, which would have to sort a million rows for that, gives each row as a group that is of all three.
 */
struct store_count {
    bool of_channel, of_asset, of_day;
    bool has_channel_id;
    int64_t channel_id;
    ts_str channel, asset; /* asset may be NONE */
    int64_t messages, buy, sell, complete;
    int64_t last_us; /* the newest ts; it lies in the day that the group is of */
};
typedef int (*store_count_fn)(const struct store_count *count, void *ctx);

/*
 * Counts what the filter lets through (regardless of cursor, limit and offset). Days: the moments when they begin, ascending, and at last
 * the one when the last of them ends: n_days + 1. The filter's range must lie within them.
 */
TS_MUST_CHECK int store_count_groups(struct ts_db *db, const struct store_filter *filter, const int64_t *days,
                                     size_t n_days, store_count_fn fn, void *ctx);

/* --- the registry ------------------------------------------------------------------------------------------------------- */

typedef int (*store_row_fn)(const struct ts_row *row, void *ctx);

struct channel_fields; /* registry.h */
struct bot_fields;

/* TS_E_CONFLICT when it is registered already; a second time with the same id is 0, so the caller chooses one and may try again. */
TS_MUST_CHECK int store_create_channel(struct store_tx *tx, ts_str id, const struct channel_fields *fields,
                                       int64_t now_us);
/* What is given. TS_E_NOT_FOUND, also of a deleted one; TS_E_CONFLICT when another one has that already. */
TS_MUST_CHECK int store_update_channel(struct store_tx *tx, ts_str id, const struct channel_fields *fields,
                                       int64_t now_us);
TS_MUST_CHECK int store_delete_channel(struct store_tx *tx, ts_str id, int64_t now_us); /* TS_E_NOT_FOUND */

/* id, label, channel_id, channel_type, description, status, signal_count, last_signal (or null), created_at, updated_at; those not
 * deleted, newest update first */
TS_MUST_CHECK int store_list_registered_channels(struct ts_db *db, store_row_fn fn, void *ctx);

/* The same for bots: one a username. */
TS_MUST_CHECK int store_create_bot(struct store_tx *tx, ts_str id, const struct bot_fields *fields,
                                   int64_t now_us);
TS_MUST_CHECK int store_update_bot(struct store_tx *tx, ts_str id, const struct bot_fields *fields,
                                   int64_t now_us);
TS_MUST_CHECK int store_delete_bot(struct store_tx *tx, ts_str id, int64_t now_us);

/* id, username, token_fingerprint, bot_type, description, status, created_at, updated_at */
TS_MUST_CHECK int store_list_registered_bots(struct ts_db *db, store_row_fn fn, void *ctx);

/* --- the small lists ---------------------------------------------------------------------------------------------------- */

/* channel, channel_id, signal_count, last_signal (or null) */
TS_MUST_CHECK int store_list_channels(struct ts_db *db, store_row_fn fn, void *ctx);

/* channel_id, channel_type; the active ones */
TS_MUST_CHECK int store_list_configured_channels(struct ts_db *db, store_row_fn fn, void *ctx);

TS_MUST_CHECK int store_has_bot(struct ts_db *db, bool *ret);

struct store_forwarded_filter {
    bool has_channel_id;
    int64_t channel_id;
    int64_t from_us, to_us;          /* inclusive */
    int64_t before_ts_us, before_id; /* cursor, as in store_filter */
    int media;                       /* 1 = with an image, 0 = without, -1 = any */
    ts_str search, method;           /* or NONE */
    int64_t limit;
};

#define STORE_FORWARDED_ANY                                                                          \
    {                                                                                                \
        .from_us = INT64_MIN, .to_us = INT64_MAX, .before_ts_us = INT64_MAX, .before_id = INT64_MAX, \
        .media = -1                                                                                  \
    }

/* Newest ts first, then id descending: id, ts, source_channel_id, source_channel_name, message_id, message_text, image_url, image_width, image_height, forwarded_at,
 * destination_channel_id, forward_method */
TS_MUST_CHECK int store_list_forwarded(struct ts_db *db, const struct store_forwarded_filter *filter,
                                       store_row_fn fn, void *ctx);

/* --- health and schema -------------------------------------------------------------------------------------------------- */

struct store_health {
    bool fsync_off; /* PostgreSQL only: commits survive no power cut */
};
TS_MUST_CHECK int store_check_health(struct ts_db *db, struct store_health *ret);

/* Makes the schema when it is missing (PostgreSQL; `schema` is [a-z_][a-z0-9_]*), then applies the migrations. */
TS_MUST_CHECK int store_migrate(struct ts_db *db, const char *schema, int *ret_applied);

/* Whether the large tables are TimescaleDB's hypertables; never on SQLite. */
TS_MUST_CHECK int store_has_hypertables(struct ts_db *db, bool *ret);

/*
 * Has the database compress signals that are older than so many days, 0 = none any more. *ret_refused: what stands against it (an edition
 * without compression, a role that does not own the tables, no hypertables), "" when nothing does.
 */
#define STORE_REASON_SIZE 160
TS_MUST_CHECK int store_compress_after(struct ts_db *db, int64_t days, char ret_refused[STORE_REASON_SIZE]);

/* Makes them hypertables if there is a TimescaleDB by now; otherwise they stay as they are. For a role that owns them. */
TS_MUST_CHECK int store_use_hypertables(struct ts_db *db, bool *ret);

#endif
