/*
 * Store: every SQL statement of the gateway and nothing else. The tables are in migrations/sqlite.
 *
 * Writing goes through operations that the writer thread applies many at a time, one transaction for all of them (db/writer.h). Reading functions are
 * called on a reader thread, at start, or by the commands.
 */
#ifndef GATEWAY_STORE_H
#define GATEWAY_STORE_H

#include <stdatomic.h>

#include "db/writer.h"
#include "message.h"
#include "obs/trace.h"
#include "outbox.h"

/* One for the process; shared between the loop's and the writer's thread. */
struct store {
    /*
     * Set by the writer when a batch failed as a whole (disk full): appends behind it are refused until the loop clears it, so that they
     * can't overtake the ones that failed, and the order of reception stays.
     */
    atomic_bool refuses_appends;
};

enum store_op_type { STORE_APPEND, STORE_SEND_AS, STORE_ACKNOWLEDGE, STORE_FAIL, STORE_PRUNE };

/* A row as its publisher knows it; enough to keep the books without asking the table. */
struct store_ref {
    int64_t id;
    int64_t bytes;
};

struct store_append {
    struct message message; /* every byte in the operation's arena */
    int64_t content;        /* message_content() */
    char request_id[TS_MAX_REQUEST_ID_BYTES + 1];
    char traceparent[TS_TRACEPARENT_SIZE];
    int64_t queued_at_us;
    /* Out: */
    bool duplicate; /* this version, or one with equal content, is there already */
    int64_t bytes;
};

/*
 * Rows of an album get the key under which they are about to be sent. Takes every row up to `up_to` that has none yet, or, when another sender was
 * faster (`seen` is not the last marked row any more), nothing: op->changed is false then.
 */
struct store_send_as {
    struct message_key key;
    char album[MESSAGE_MAX_ALBUM_BYTES + 1];
    int64_t up_to; /* row */
    int64_t seen;  /* row; 0: none was marked */
};

struct store_fail {
    struct store_ref ref;
    enum outbox_reason reason;
    int attempts; /* of this cycle */
    int64_t at_us;
    char detail[128];     /* the API's words, for people and for the hourly second try */
    char api_version[32]; /* the API's version then; "" = not known */
};

struct store_acknowledge {
    struct store_ref ref;
    int64_t at_us;
};

struct store_prune {
    int64_t before_us; /* acknowledged before this */
    int64_t keep_rows; /* and beyond so many */
    int64_t max_rows;  /* at once: short transactions */
    int64_t removed;   /* out */
};

struct store_op {
    struct ts_writer_op op; /* first */
    enum store_op_type type;
    bool refused;           /* out: an append that the store didn't take; see struct store */
    bool changed;           /* out */
    bool was_failed;        /* out: the row of this mark had a failure mark before */
    struct ts_arena *arena; /* append: owned; NULL otherwise */
    struct journal *journal;
    union {
        struct store_append append;
        struct store_send_as send_as;
        struct store_acknowledge acknowledge;
        struct store_fail fail;
        struct store_prune prune;
    };
    void (*done)(struct store_op *op, int result, void *ctx); /* the journal's caller */
    void *ctx;
    struct store_op *next; /* the journal's */
};

/* ts_writer_kind.apply */
int store_apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);

/* --- writing at once, inside a transaction of the caller's: import of a queue file --- */

TS_MUST_CHECK int store_put(struct ts_db *db, struct store_append *append);

/* By key, because a queue file knows no row numbers. 0 also when there is no such row. fail->ref is not used. */
TS_MUST_CHECK int store_put_failure(struct ts_db *db, struct message_key key, const struct store_fail *fail);
TS_MUST_CHECK int store_put_acknowledgement(struct ts_db *db, struct message_key key, int64_t at_us);

/* --- reading ------------------------------------------------------------------------------------------------------------- */

struct store_row {
    struct store_ref ref;
    struct message_key key;
    enum outbox_state state;
    ts_str payload;
    ts_str album; /* TS_STR_NONE: none */
    ts_str request_id, traceparent;
    int64_t queued_at_us;
    enum outbox_reason reason;
    ts_str detail;
    int64_t attempts;
    int64_t failed_at_us; /* 0: never */
    int64_t sent_as;      /* part of an album: message id of the whole; 0: never sent */
    int64_t sent_revision;
};

struct store_page {
    struct store_row *rows;
    size_t n;
    bool more; /* rows were left that the page had no place for */
};

/* Pending rows of a channel behind after_id, oldest first, at most max_rows; fewer when the arena is full. */
TS_MUST_CHECK int store_load_pending(struct ts_db *db, int64_t channel_id, int64_t after_id, size_t max_rows,
                                     struct ts_arena *arena, struct store_page *ret);

/* Which failed rows a replay takes. */
struct store_failed_query {
    int64_t failed_before_us;             /* those that failed again in this round stay out of it */
    int64_t after_failed_at_us, after_id; /* where the last page ended */
    bool all_rejected;                    /* as the person who asked wants */
    const char *api_version;              /* rejected ones of another version; "" = none */
    int64_t hourly_before_us;             /* rejected for `Invalid field: timestamp` before this */
};
TS_MUST_CHECK int store_load_failed(struct ts_db *db, const struct store_failed_query *query, size_t max_rows,
                                    struct ts_arena *arena, struct store_page *ret);

/*
 * What there is to know of an album, by message id and revision: every row that waits, the newest acknowledged version of each part, and the row that
 * was marked last. TS_E_RANGE: more rows than STORE_MAX_ALBUM_ROWS or than the arena holds.
 */
TS_MUST_CHECK int store_load_album(struct ts_db *db, int64_t channel_id, ts_str album, struct ts_arena *arena,
                                   struct store_page *ret);

enum { STORE_MAX_ALBUM_ROWS = 4096 };

TS_MUST_CHECK int store_usage(struct ts_db *db, struct outbox_usage *ret);

typedef int (*store_channel_fn)(int64_t channel_id, int64_t last_message_id, void *ctx);
TS_MUST_CHECK int store_pending_channels(struct ts_db *db, store_channel_fn fn,
                                         void *ctx); /* last_message_id: 0 */
TS_MUST_CHECK int store_last_seen(struct ts_db *db, store_channel_fn fn, void *ctx);

/* Every row that is not acknowledged, oldest first; texts are borrowed until fn returns. For the commands. */
typedef int (*store_row_fn)(const struct store_row *row, void *ctx);
TS_MUST_CHECK int store_each_pending(struct ts_db *db, store_row_fn fn, void *ctx);

#endif
