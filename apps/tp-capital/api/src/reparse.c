/*
 * POST /signals/reparse: stored messages are read again with the present parser. A dry run runs on a reader thread. Adopting is one
 * transaction on the writer: the lock, then the rows are read and parsed once more, and those that differ are replaced, so that nothing
 * can come between; they share one `seq`, and streams send `reset` (store_tx_commit_reset).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "answers.h"
#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "reparse_request.h"
#include "routes.h"
#include "row_json.h"
#include "signal_diff.h"

/* Every row of a call with its text, at the worst. */
#define ARENA_BYTES (REPARSE_LIMIT_MAX * (size_t)(SIGNAL_TEXT_MAX + MESSAGE_CHANNEL_MAX + 1024))

/* No further row is looked at beyond this: the call ends early, with its nextCursor. */
#define PAGE_BYTES   TS_MAX_RESPONSE_BYTES
#define BUFFER_BYTES (PAGE_BYTES + 1024 * 1024)

struct reparse {
    struct ts_read_job job;
    struct ts_writer_op op;
    struct app *app;
    ts_http_ticket ticket;
    struct reparse_request request;
    /* Of one run, which may be repeated. */
    struct ts_arena *arena;
    struct ts_buf body;
    struct ts_jsonw w;
    int64_t n_scanned, last_id;
    bool has_more;
    struct store_rereading *items;
    size_t n_items;
    int64_t seq; /* 0 = nothing was replaced */
};

static void reparse_free(struct reparse *reparse)
{
    ts_buf_done(&reparse->body);
    ts_arena_free(reparse->arena);
    free(reparse);
}

/* --- reading again ------------------------------------------------------------------------------------------------------ */

static enum signal_type type_of(ts_str name)
{
    for (int type = SIGNAL_BUY; type <= SIGNAL_SELL; type++)
        if (ts_str_eq(name, ts_str_from(signal_type_name((enum signal_type)type))))
            return (enum signal_type)type;
    return SIGNAL_UNKNOWN;
}

/* One that an older system named otherwise is none of ours. */
static enum trade_type trade_of(ts_str name)
{
    for (int type = TRADE_SWING; type <= TRADE_POSITION; type++)
        if (ts_str_eq(name, ts_str_from(signal_trade_type_name((enum trade_type)type))))
            return (enum trade_type)type;
    return TRADE_NONE;
}

static struct signal reading_of(const struct store_signal *row)
{
    struct signal signal = {
        .signal_type = type_of(row->signal_type),
        .trade_type = trade_of(row->trade_type),
        .complete = row->complete,
        .has_entry = row->buy_min_e6 != 0,
        .has_stop = row->stop_e6 != 0,
        .has_target_1 = row->target_1_e6 != 0,
        .has_target_2 = row->target_2_e6 != 0,
        .has_target_final = row->target_final_e6 != 0,
        .buy_min_e6 = row->buy_min_e6,
        .buy_max_e6 = row->buy_max_e6,
        .stop_loss_e6 = row->stop_e6,
        .target_1_e6 = row->target_1_e6,
        .target_2_e6 = row->target_2_e6,
        .target_final_e6 = row->target_final_e6,
    };
    const size_t asset_len = TS_MIN(row->asset.len, sizeof(signal.asset) - 1);
    if (asset_len > 0)
        memcpy(signal.asset, row->asset.ptr, asset_len);
    signal.has_asset = asset_len > 0;
    signal.take_profit_count =
        (uint32_t)row_take_profit(row, signal.take_profit_e6, TS_ARRAY_LEN(signal.take_profit_e6));
    return signal;
}

static void put_difference(struct ts_jsonw *w, const struct store_signal *row, const struct signal *after,
                           unsigned differs)
{
    ts_jsonw_object(w);
    ts_jsonw_key_id(w, "id", row->id);
    ts_jsonw_key_time(w, "ts", row->ts_us);
    ts_jsonw_key_str(w, "channel", row->channel);
    row_json_ids(w, row);
    ts_jsonw_key_str(w, "raw_message", row->raw_message);
    ts_jsonw_key(w, "fields");
    ts_jsonw_array(w);
    for (unsigned i = 0; i < SIGNAL_MEMBERS; i++)
        if (differs & 1U << i)
            ts_jsonw_str(w, ts_str_from(signal_member_name((enum signal_member)i)));
    ts_jsonw_end(w);
    ts_jsonw_key(w, "before");
    row_json_reading(w, row);
    ts_jsonw_key(w, "after");
    row_json_parsed(w, after);
    ts_jsonw_end(w);
}

static int keep(struct reparse *reparse, const struct store_signal *row, const struct signal *after)
{
    struct store_rereading *item = &reparse->items[reparse->n_items++];
    *item = (struct store_rereading){
        .id = row->id,
        .revision = row->revision,
        .ts_us = row->ts_us,
        .has_channel_id = row->has_channel_id,
        .channel_id = row->channel_id,
        .counted = type_of(row->signal_type) != SIGNAL_UNKNOWN,
        .signal = *after,
    };
    if (!reparse->request.adopt) /* only their number is of interest */
        return 0;
    int r = ts_arena_dup(reparse->arena, row->channel, &item->channel);
    return r < 0 ? r : ts_arena_dup(reparse->arena, row->raw_message, &item->raw_message);
}

static int on_row(const struct store_signal *row, void *ctx)
{
    struct reparse *reparse = ctx;
    struct signal after;

    if (reparse->n_scanned == reparse->request.scan.limit || reparse->body.len > PAGE_BYTES)
        reparse->has_more = true;
    if (reparse->has_more)
        return 0;
    reparse->n_scanned++;
    reparse->last_id = row->id;
    if (signal_parse(row->raw_message, &after, NULL) < 0) /* longer than any message of ours: it stays */
        return 0;
    const struct signal before = reading_of(row);
    const unsigned differs = signal_diff(&before, &after);
    if (differs == 0)
        return 0;
    put_difference(&reparse->w, row, &after, differs);
    int r = keep(reparse, row, &after);
    return r < 0 ? r : ts_buf_error(&reparse->body);
}

static int begin_run(struct reparse *reparse)
{
    ts_arena_reset(reparse->arena);
    ts_buf_clear(&reparse->body);
    reparse->items =
        TS_ARENA_ARRAY(reparse->arena, (size_t)reparse->request.scan.limit, struct store_rereading);
    reparse->n_items = 0;
    reparse->n_scanned = reparse->last_id = reparse->seq = 0;
    reparse->has_more = false;
    reparse->w = ts_jsonw_begin(&reparse->body);
    return reparse->items ? 0 : -ENOMEM;
}

/* The whole answer, which tells of what was found. */
static int scan(struct reparse *reparse, struct ts_db *db)
{
    struct store_scan rows = reparse->request.scan;
    struct ts_jsonw *w = &reparse->w;
    char cursor[32];

    rows.limit++;
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "status", TS_STR("ok"));
    ts_jsonw_key_bool(w, "adopted", reparse->request.adopt);
    ts_jsonw_key(w, "data");
    ts_jsonw_array(w);
    int r = store_scan_signals(db, &rows, on_row, reparse);
    ts_jsonw_end(w);
    ts_jsonw_key_i64(w, "scanned", reparse->n_scanned);
    ts_jsonw_key_i64(w, "changed", (int64_t)reparse->n_items);
    snprintf(cursor, sizeof(cursor), "%lld", (long long)reparse->last_id);
    ts_jsonw_key_str(w, "nextCursor", reparse->has_more ? ts_str_from(cursor) : TS_STR_NONE);
    ts_jsonw_end(w);
    return r < 0 ? r : ts_buf_error(&reparse->body);
}

static int run_dry(struct ts_read_job *job, struct ts_db *db)
{
    struct reparse *reparse = TS_CONTAINER_OF(job, struct reparse, job);
    int r = begin_run(reparse);
    return r < 0 ? r : scan(reparse, db);
}

static int apply_adopt(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    struct reparse *reparse = TS_CONTAINER_OF(ops[0], struct reparse, op);
    (void)store, (void)n;

    struct store_tx tx;
    int r = begin_run(reparse);
    if (r == 0)
        r = store_tx_begin(db, &tx);
    if (r == 0)
        r = scan(reparse, db);
    if (r == 0 && reparse->n_items > 0)
        r = store_replace_readings(&tx, reparse->items, reparse->n_items, ts_clock_wall_us() / 1000 * 1000);
    if (r == 0)
        r = store_tx_commit_reset(&tx);
    if (r < 0)
        ts_db_rollback(db);
    else
        reparse->seq = tx.seq > tx.seq_before ? tx.seq : 0;
    return r;
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static void finish(struct reparse *reparse, int result)
{
    struct app *app = reparse->app;
    struct ts_http_server *server = app->service->server;

    if (result < 0) {
        ts_log_error("Signals could not be read again", TS_F_ERR(result),
                     TS_F_CSTR("detail", reparse->job.error_detail.message));
        ts_http_answer(server, reparse->ticket, &answer_unavailable);
    } else {
        if (reparse->seq > 0) {
            ts_log_info("Signals replaced by a new reading", TS_F_I64("changed", (int64_t)reparse->n_items),
                        TS_F_I64("scanned", reparse->n_scanned), TS_F_I64("seq", reparse->seq));
            app_seq_advanced(app, reparse->seq);
        }
        ts_http_answer(server, reparse->ticket, &(struct ts_http_response){.body_take = &reparse->body});
    }
    reparse_free(reparse);
}

static void on_dry(struct ts_read_job *job, int result)
{
    finish(TS_CONTAINER_OF(job, struct reparse, job), result);
}

static void on_adopted(struct ts_writer_op *op, int result)
{
    finish(TS_CONTAINER_OF(op, struct reparse, op), result);
}

/* --- the request -------------------------------------------------------------------------------------------------------- */

static const struct ts_writer_kind adopt_kind = {
    .name = "reparse", .apply = apply_adopt, .done = on_adopted, .max_batch = 1};

static struct reparse *reparse_new(struct app *app, const struct reparse_request *request)
{
    struct reparse *reparse = calloc(1, sizeof(*reparse));
    struct ts_arena *arena = reparse ? ts_arena_new(ARENA_BYTES) : NULL;
    if (!arena) {
        free(reparse);
        return NULL;
    }
    *reparse = (struct reparse){.app = app,
                                .request = *request,
                                .arena = arena,
                                .body = TS_BUF_INIT(BUFFER_BYTES),
                                .job = {.run = run_dry, .done = on_dry}};
    return reparse;
}

static int submit(struct reparse *reparse, const struct ts_http_request *req)
{
    struct app *app = reparse->app;
    if (!reparse->request.adopt)
        return ts_reader_submit(app->readers, &reparse->job);
    reparse->op =
        (struct ts_writer_op){.kind = &adopt_kind, .deadline_us = req->received_us + INGEST_DEADLINE_US};
    return ts_writer_submit(app->writer, &reparse->op);
}

static void refuse_member(struct ts_http_request *req, const char *member)
{
    char text[64];
    snprintf(text, sizeof(text), "Invalid field: %s", member);
    ts_http_reply_error(req, 400, text, NULL, member);
}

void reparse_post(struct ts_http_request *req, void *ctx)
{
    _cleanup_(ts_json_freep) json_t *body = NULL;
    struct app *app = app_of(ctx);
    struct reparse_request request;

    if (ts_json_parse_object(req->body, TS_MAX_JSON_DEPTH, &body) < 0) {
        ts_http_reply_error(req, 400, "Invalid JSON", NULL, NULL);
        return;
    }
    const char *bad = reparse_request_read(body, &request);
    if (bad) {
        refuse_member(req, bad);
        return;
    }
    struct reparse *reparse = app->ready ? reparse_new(app, &request) : NULL;
    if (!reparse || submit(reparse, req) < 0) {
        if (reparse)
            reparse_free(reparse);
        ts_http_reply(req, &answer_unavailable);
        return;
    }
    reparse->ticket = ts_http_park(req);
}
