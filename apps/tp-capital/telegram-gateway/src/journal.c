#include "journal.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "db/migrate.h"
#include "gateway_migrations.h"
#include "reserve.h"

enum { TICK_MS = 1000, APPEND_ARENA_BYTES = 256 * 1024, READERS = 1, PATH_BYTES = 4096 };

/* Reception goes on when a twentieth of the limit is free again, so that it does not stop and go with each message. */
#define ROOM_AGAIN(max_bytes) ((max_bytes) - (max_bytes) / 20)

enum trouble {
    TROUBLE_NONE,
    TROUBLE_DISK_FULL,
    TROUBLE_STORE,
    TROUBLE_SYNC, /* final: what the file holds is not known before the next start */
};

struct op_list {
    struct store_op *first, *last;
};

struct journal {
    struct journal_options options;
    char *path, *reserve_path;
    int lock_fd;
    struct store store;
    struct ts_writer *writer;
    struct ts_reader *reader;
    uv_timer_t tick;

    struct outbox_usage usage;
    enum outbox_level level;
    bool queue_full, has_reserve, accepting, closing;
    bool probing; /* one append is with the writer, to see whether the trouble is over */
    enum trouble trouble;
    char trouble_text[512];

    struct op_list held_appends, held_marks;
    struct op_list returned; /* appends that failed, until all are back; they come before the held ones */
    size_t appends_in_writer, marks_waiting;

    int parts_open; /* writer, reader, timer: while closing */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* --- lists of operations --------------------------------------------------------------------------------------------------- */

static void list_push(struct op_list *list, struct store_op *op)
{
    op->next = NULL;
    if (list->last)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

static struct store_op *list_pop(struct op_list *list)
{
    struct store_op *op = list->first;
    if (op && !(list->first = op->next))
        list->last = NULL;
    return op;
}

static void op_free(struct store_op *op)
{
    ts_arena_free(op->arena);
    free(op);
}

static void finish(struct store_op *op, int result)
{
    if (op->done)
        op->done(op, result, op->ctx);
    op_free(op);
}

/* --- accepting or not ------------------------------------------------------------------------------------------------------ */

static void update_accepting(struct journal *journal)
{
    bool accepting = journal->trouble == TROUBLE_NONE && !journal->queue_full && !journal->held_appends.first;
    if (accepting == journal->accepting)
        return;
    journal->accepting = accepting;
    if (!journal->closing && journal->options.accepting)
        journal->options.accepting(journal->options.ctx, accepting);
}

/* tp-capital 9: with the default limit "Failure queue size exceeded 100MB". */
static void log_full(const struct journal *journal)
{
    char text[64];
    snprintf(text, sizeof text, "Failure queue size exceeded %lldMB",
             (long long)(journal->options.max_bytes / (1024 * 1024)));
    ts_log_error(text, TS_F_I64("bytes", journal->usage.bytes),
                 TS_F_I64("limit", journal->options.max_bytes));
}

static void update_level(struct journal *journal)
{
    int64_t max_bytes = journal->options.max_bytes;
    enum outbox_level level = outbox_level(journal->usage.bytes, max_bytes);
    if (level > journal->level && level == LEVEL_HALF)
        ts_log_warn("Failure queue is over half of its limit", TS_F_I64("bytes", journal->usage.bytes));
    if (level > journal->level && level == LEVEL_FULL && !journal->queue_full)
        log_full(journal);
    journal->level = level;
    if (level == LEVEL_FULL)
        journal->queue_full = true;
    else if (journal->usage.bytes <= ROOM_AGAIN(max_bytes))
        journal->queue_full = false;
}

static void tick_start(struct journal *journal);

static void set_trouble(struct journal *journal, enum trouble trouble, const char *what, const char *detail)
{
    if (journal->trouble == TROUBLE_NONE)
        ts_log_error("Outbox can't be written, reception paused", TS_F_CSTR("what", what),
                     TS_F_CSTR("detail", detail));
    journal->trouble = trouble;
    snprintf(journal->trouble_text, sizeof journal->trouble_text, "%s: %s", what, detail);
    tick_start(journal);
    update_accepting(journal);
}

static void disk_is_full(struct journal *journal)
{
    reserve_release(journal->reserve_path);
    journal->has_reserve = false;
    set_trouble(journal, TROUBLE_DISK_FULL, "Disk full", journal->path);
}

static void note_failure(struct journal *journal, int error)
{
    if (journal->trouble == TROUBLE_SYNC)
        return;
    if (error == TS_E_DB_SYNC)
        set_trouble(journal, TROUBLE_SYNC, "Outbox failed", ts_error_text(error));
    else if (error == TS_E_DB_FULL)
        disk_is_full(journal);
    else if (journal->trouble == TROUBLE_NONE) /* a refused append tells nothing new */
        set_trouble(journal, TROUBLE_STORE, "Outbox failed", ts_error_text(error));
}

/* --- giving operations to the writer --------------------------------------------------------------------------------------- */

/* False: the writer has no place for it now; it is the caller's still. */
static bool submit(struct journal *journal, struct store_op *op)
{
    if (ts_writer_submit(journal->writer, &op->op) != 0)
        return false;
    if (op->type == STORE_APPEND)
        journal->appends_in_writer++;
    return true;
}

static void give_append(struct journal *journal, struct store_op *op)
{
    bool waits = journal->held_appends.first || journal->trouble != TROUBLE_NONE || journal->queue_full;
    if (waits || !submit(journal, op)) {
        list_push(&journal->held_appends, op);
        tick_start(journal);
        update_accepting(journal);
    }
}

static void give_mark(struct journal *journal, struct store_op *op)
{
    if (journal->trouble == TROUBLE_SYNC || !submit(journal, op)) {
        list_push(&journal->held_marks, op);
        tick_start(journal);
    }
}

static void flush_marks(struct journal *journal)
{
    struct op_list held = journal->held_marks;
    struct store_op *op;
    if (journal->trouble == TROUBLE_SYNC)
        return;
    journal->held_marks = (struct op_list){0};
    while ((op = list_pop(&held)) != NULL)
        give_mark(journal, op);
}

static void flush_appends(struct journal *journal)
{
    while (journal->held_appends.first && journal->trouble == TROUBLE_NONE && !journal->queue_full) {
        struct store_op *op = list_pop(&journal->held_appends);
        if (!submit(journal, op)) {
            op->next = journal->held_appends.first; /* its place is at the front */
            journal->held_appends.first = op;
            if (!op->next)
                journal->held_appends.last = op;
            break;
        }
    }
    update_accepting(journal);
}

/* --- what came of them ----------------------------------------------------------------------------------------------------- */

static void book(struct journal *journal, const struct store_op *op)
{
    struct outbox_usage *usage = &journal->usage;
    int64_t failed_before = usage->failed;
    if (op->type == STORE_APPEND && !op->append.duplicate) {
        usage->pending++;
        usage->bytes += op->append.bytes;
    } else if (op->type == STORE_ACKNOWLEDGE && op->changed) {
        usage->pending--;
        usage->bytes -= op->acknowledge.ref.bytes;
        usage->failed -= op->was_failed;
    } else if (op->type == STORE_FAIL && op->changed) {
        usage->failed += !op->was_failed;
    }
    if (failed_before > 0 && usage->failed == 0)
        ts_log_info("Failure queue cleared");
    metrics_usage(journal->options.metrics, usage);
    update_level(journal);
}

static void append_failed(struct journal *journal, struct store_op *op, int result)
{
    if (result == TS_E_DB_CONSTRAINT || result == TS_E_DB_DATA || result == TS_E_CLOSED) {
        finish(op, result);
        return;
    }
    note_failure(journal, op->refused ? TS_E_DB_QUERY : result);
    list_push(&journal->returned, op);
    update_accepting(journal);
}

static void hold_returned(struct journal *journal)
{
    struct op_list *returned = &journal->returned, *held = &journal->held_appends;
    if (!returned->first || journal->appends_in_writer > 0)
        return;
    returned->last->next = held->first;
    held->first = returned->first;
    if (!held->last)
        held->last = returned->last;
    *returned = (struct op_list){0};
}

static void trouble_over(struct journal *journal)
{
    journal->trouble = TROUBLE_NONE;
    ts_log_info("Outbox can be written again, reception goes on", TS_F_CSTR("path", journal->path));
    update_accepting(journal);
}

static void mark_failed(struct journal *journal, struct store_op *op, int result)
{
    bool had_reserve = journal->has_reserve;
    if (result == TS_E_DB_CONSTRAINT || result == TS_E_DB_DATA || result == TS_E_CLOSED) {
        journal->marks_waiting--;
        finish(op, result);
        return;
    }
    note_failure(journal, result);
    if (result == TS_E_DB_FULL && had_reserve) {
        give_mark(journal, op); /* there is room now */
        return;
    }
    list_push(&journal->held_marks, op);
}

static void on_op_done(struct ts_writer_op *writer_op, int result)
{
    struct store_op *op = (struct store_op *)(void *)writer_op;
    struct journal *journal = op->journal;
    bool is_append = op->type == STORE_APPEND, is_probe = is_append && journal->probing;
    journal->appends_in_writer -= is_append;
    if (is_append)
        journal->probing = false;
    if (result != 0 || op->refused) {
        if (is_append)
            append_failed(journal, op, result);
        else
            mark_failed(journal, op, result);
        hold_returned(journal);
        return;
    }
    if (is_probe)
        trouble_over(journal);
    hold_returned(journal);
    journal->marks_waiting -= !is_append;
    book(journal, op);
    finish(op, 0);
    if (!journal->closing)
        flush_appends(journal);
}

static const struct ts_writer_kind store_kind = {.name = "outbox", .apply = store_apply, .done = on_op_done};

/* --- while something is wrong ---------------------------------------------------------------------------------------------- */

/* The oldest append that waits is the probe: its success is the only proof there is. */
static void probe(struct journal *journal)
{
    struct store_op *op = list_pop(&journal->held_appends);
    journal->probing = submit(journal, op);
    if (!journal->probing) { /* back to the front */
        list_push(&journal->returned, op);
        hold_returned(journal);
    }
}

static void try_to_recover(struct journal *journal)
{
    if (journal->trouble == TROUBLE_SYNC || journal->appends_in_writer > 0) /* they are still coming back */
        return;
    if (!journal->has_reserve && reserve_make_again(journal->reserve_path) != 0)
        return;
    journal->has_reserve = true;
    atomic_store(&journal->store.refuses_appends, false);
    if (journal->held_appends.first)
        probe(journal);
    else if (journal->marks_waiting == 0)
        trouble_over(journal);
}

static void on_tick(uv_timer_t *timer)
{
    struct journal *journal = timer->data;
    flush_marks(journal);
    if (journal->trouble != TROUBLE_NONE)
        try_to_recover(journal);
    flush_appends(journal);
    if (journal->trouble == TROUBLE_NONE && !journal->held_marks.first && !journal->held_appends.first)
        uv_timer_stop(timer);
}

static void tick_start(struct journal *journal)
{
    if (!journal->closing && !uv_is_active((uv_handle_t *)&journal->tick))
        uv_timer_start(&journal->tick, on_tick, TICK_MS, TICK_MS);
}

/* --- operations ------------------------------------------------------------------------------------------------------------ */

static struct store_op *op_new(struct journal *journal, enum store_op_type type, journal_done done, void *ctx)
{
    struct store_op *op = calloc(1, sizeof *op);
    if (!op)
        return NULL;
    op->op.kind = &store_kind;
    op->type = type;
    op->journal = journal;
    op->done = done;
    op->ctx = ctx;
    return op;
}

static int append_fill(struct store_op *op, const struct message *message)
{
    struct store_append *append = &op->append;
    char id[TS_REQUEST_ID_SIZE];
    struct ts_trace trace = ts_trace_new();
    if (!(op->arena = ts_arena_new(APPEND_ARENA_BYTES)) ||
        message_dup(message, op->arena, &append->message) != 0)
        return -ENOMEM;
    append->content = message_content(message);
    append->queued_at_us = ts_clock_wall_us();
    snprintf(append->request_id, sizeof append->request_id, "%.*s", TS_STR_ARG(ts_request_id_new(id)));
    ts_trace_format(&trace, append->traceparent);
    return 0;
}

int journal_append(struct journal *journal, const struct message *message, journal_done done, void *ctx)
{
    struct store_op *op = op_new(journal, STORE_APPEND, done, ctx);
    if (!op)
        return -ENOMEM;
    if (append_fill(op, message) != 0) {
        op_free(op);
        return -ENOMEM;
    }
    give_append(journal, op);
    return 0;
}

static int mark(struct journal *journal, struct store_op *op)
{
    if (!op)
        return -ENOMEM;
    journal->marks_waiting++;
    give_mark(journal, op);
    return 0;
}

int journal_send_as(struct journal *journal, const struct store_send_as *send_as, journal_done done,
                    void *ctx)
{
    struct store_op *op = op_new(journal, STORE_SEND_AS, done, ctx);
    if (op)
        op->send_as = *send_as;
    return mark(journal, op);
}

int journal_acknowledge(struct journal *journal, struct store_ref ref, journal_done done, void *ctx)
{
    struct store_op *op = op_new(journal, STORE_ACKNOWLEDGE, done, ctx);
    if (op)
        op->acknowledge = (struct store_acknowledge){.ref = ref, .at_us = ts_clock_wall_us()};
    return mark(journal, op);
}

int journal_fail(struct journal *journal, const struct store_fail *fail, journal_done done, void *ctx)
{
    struct store_op *op = op_new(journal, STORE_FAIL, done, ctx);
    if (op)
        op->fail = *fail;
    return mark(journal, op);
}

int journal_prune(struct journal *journal, const struct store_prune *prune, journal_done done, void *ctx)
{
    struct store_op *op = op_new(journal, STORE_PRUNE, done, ctx);
    if (op)
        op->prune = *prune;
    return mark(journal, op);
}

int journal_read(struct journal *journal, struct ts_read_job *job)
{
    return ts_reader_submit(journal->reader, job);
}

/* --- how it is ------------------------------------------------------------------------------------------------------------- */

bool journal_is_accepting(const struct journal *journal)
{
    return journal->accepting;
}

const char *journal_trouble(const struct journal *journal)
{
    if (journal->trouble != TROUBLE_NONE)
        return journal->trouble_text;
    return journal->queue_full ? "Failure queue full" : NULL;
}

struct outbox_usage journal_usage(const struct journal *journal)
{
    return journal->usage;
}

size_t journal_marks_waiting(const struct journal *journal)
{
    return journal->marks_waiting;
}

/* --- opening and closing --------------------------------------------------------------------------------------------------- */

static void on_error(const struct ts_db_error *error, int attempt, int64_t wait_us, void *ctx TS_UNUSED)
{
    ts_log_warn("Outbox write failed", TS_F_CSTR("error", error->message),
                TS_F_CSTR("code", ts_error_code(error->error)), TS_F_I64("attempt", attempt),
                TS_F_BOOL("retrying", wait_us >= 0));
}

static void on_fatal(const struct ts_db_error *error, void *ctx)
{
    struct journal *journal = ctx;
    ts_log_error("Outbox could not be synced to disk; stopping, the restart recovers",
                 TS_F_CSTR("error", error->message), TS_F_CSTR("path", journal->path));
    if (journal->options.fatal)
        journal->options.fatal(journal->options.ctx);
}

static int with_suffix(const char *path, const char *suffix, char **ret)
{
    return asprintf(ret, "%s%s", path, suffix) < 0 ? -ENOMEM : 0;
}

static int make_folder_of(const char *path)
{
    char copy[PATH_BYTES];
    size_t len = strlen(path);
    if (len >= sizeof copy)
        return -ENAMETOOLONG;
    memcpy(copy, path, len + 1);
    return ts_mkdir_all(dirname(copy), 0700);
}

int journal_lock(const char *path, int *ret_fd)
{
    char lock[PATH_BYTES];
    int r = make_folder_of(path);
    if (r != 0)
        return r;
    if (snprintf(lock, sizeof lock, "%s.lock", path) >= (int)sizeof lock)
        return -ENAMETOOLONG;
    return ts_file_lock(lock, ret_fd);
}

int journal_open_db(const char *path, const char *vfs, struct ts_db **ret)
{
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    struct ts_db_error error = {0};
    const struct ts_db_options options = {
        .driver = &ts_db_sqlite, .path = path, .vfs = vfs, .ret_error = &error};
    int r = ts_db_open(&options, &db);
    if (r == 0 && (r = ts_migrate(db, &gateway_migrations_sqlite, NULL)) != 0)
        error = *ts_db_error(db);
    if (r != 0) {
        ts_log_error("Outbox can't be opened", TS_F_CSTR("path", path), TS_F_CSTR("error", error.message));
        return r;
    }
    *ret = TS_TAKE(db);
    return 0;
}

/* The file, its tables and its books; on a full disk with the space of the reserve. */
static int open_file(struct journal *journal)
{
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    int r;
    journal->has_reserve = reserve_make(journal->reserve_path) == 0;
    r = journal_open_db(journal->path, journal->options.vfs, &db);
    if (r != 0 && journal->has_reserve) {
        reserve_release(journal->reserve_path);
        journal->has_reserve = false;
        r = journal_open_db(journal->path, journal->options.vfs, &db);
    }
    if (r == 0 && journal->options.at_start)
        r = journal->options.at_start(journal->options.ctx, db);
    return r == 0 ? store_usage(db, &journal->usage) : r;
}

static int open_threads(struct journal *journal)
{
    const struct ts_db_options db = {
        .driver = &ts_db_sqlite, .path = journal->path, .vfs = journal->options.vfs};
    const struct ts_writer_options writer = {
        .db = db, .store = &journal->store, .on_error = on_error, .on_fatal = on_fatal, .ctx = journal};
    const struct ts_reader_options reader = {.db = db, .threads = READERS};
    int r = ts_writer_new(journal->options.loop, &writer, &journal->writer);
    return r == 0 ? ts_reader_new(journal->options.loop, &reader, &journal->reader) : r;
}

static void free_memory(struct journal *journal)
{
    if (journal->lock_fd >= 0)
        ts_close(journal->lock_fd);
    free(journal->path);
    free(journal->reserve_path);
    free(journal);
}

int journal_open(const struct journal_options *options, struct journal **ret)
{
    struct journal *journal = calloc(1, sizeof *journal);
    int r;
    if (!journal)
        return -ENOMEM;
    journal->options = *options;
    journal->lock_fd = -1;
    journal->accepting = true;
    if ((r = with_suffix(options->path, "", &journal->path)) != 0 ||
        (r = with_suffix(options->path, ".reserve", &journal->reserve_path)) != 0 ||
        (r = journal_lock(journal->path, &journal->lock_fd)) != 0 || (r = open_file(journal)) != 0 ||
        (r = open_threads(journal)) != 0) {
        free_memory(journal); /* a writer without its reader: the process ends with exit code 1 anyway */
        return r;
    }
    uv_timer_init(options->loop, &journal->tick);
    journal->tick.data = journal;
    metrics_usage(options->metrics, &journal->usage);
    update_level(journal);
    if (!journal->has_reserve)
        disk_is_full(journal);
    update_accepting(journal);
    *ret = journal;
    return 0;
}

static void part_closed(void *ctx)
{
    struct journal *journal = ctx;
    if (--journal->parts_open == 0)
        journal->closed(journal->closed_ctx);
}

static void on_tick_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

/* What waited for room was never confirmed to Telegram, which will send it again. */
static void drop_held(struct op_list *list)
{
    struct store_op *op;
    while ((op = list_pop(list)) != NULL)
        finish(op, TS_E_CLOSED);
}

void journal_close(struct journal *journal, void (*closed)(void *ctx), void *ctx)
{
    journal->closing = true;
    journal->closed = closed;
    journal->closed_ctx = ctx;
    journal->parts_open = 3;
    flush_marks(journal);
    drop_held(&journal->held_appends);
    uv_close((uv_handle_t *)&journal->tick, on_tick_closed);
    ts_reader_stop(journal->reader, part_closed, journal);
    ts_writer_stop(journal->writer, part_closed, journal);
}

struct journal *journal_free(struct journal *journal)
{
    if (!journal)
        return NULL;
    drop_held(&journal->returned);
    drop_held(&journal->held_appends);
    drop_held(&journal->held_marks);
    ts_writer_free(journal->writer);
    ts_reader_free(journal->reader);
    free_memory(journal);
    return NULL;
}
