#include "failures.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "unit.h"

enum { PAGE_ARENA_BYTES = 4 * 1024 * 1024, ALBUM_ARENA_BYTES = 32 * 1024 * 1024, FIRST_ROUND_MS = 1000 };

#define HOUR_US          (3600 * TS_US_PER_S)
#define READ_DEADLINE_US (10 * TS_US_PER_S)

struct failures {
    struct failures_options options;
    uv_timer_t timer;
    bool running, stopping;
    int marks_waiting;    /* acknowledgements and marks of ours, not durable yet */
    bool waits_for_marks; /* the next page is read when they are: or it would show rows that are done with */
    bool waits_for_send_as;
    void (*stopped)(void *ctx);
    void *stopped_ctx;

    /* The round. */
    struct store_failed_query query;
    char api_version[32];
    struct ts_arena *arena, *album_arena;
    struct store_page page, album;
    size_t at;
    struct unit unit;
    int in_a_row;
    struct failures_outcome outcome;
    failures_done done;
    void *done_ctx;

    struct ts_read_job job;
};

static void next_row(struct failures *failures);

static void stop_when_idle(struct failures *failures)
{
    if (failures->stopping && !failures->running && failures->stopped) {
        void (*stopped)(void *ctx) = failures->stopped;
        failures->stopped = NULL;
        stopped(failures->stopped_ctx);
    }
}

static void round_end(struct failures *failures)
{
    failures_done done = failures->done;
    struct failures_outcome outcome = failures->outcome;
    failures->arena = ts_arena_free(failures->arena);
    failures->album_arena = ts_arena_free(failures->album_arena);
    failures->running = false;
    failures->waits_for_marks = failures->waits_for_send_as = false;
    failures->done = NULL;
    if (outcome.recovered + outcome.failed > 0)
        ts_log_info("Failure queue replayed", TS_F_I64("recovered", outcome.recovered),
                    TS_F_I64("failed", outcome.failed));
    if (done)
        done(&outcome, failures->done_ctx);
    stop_when_idle(failures);
}

static void round_broken(struct failures *failures, int error)
{
    ts_log_error("Failure queue replay broken off", TS_F_ERR(error));
    failures->outcome.error = error;
    round_end(failures);
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */

static struct failures *failures_of(struct ts_read_job *job)
{
    return TS_CONTAINER_OF(job, struct failures, job);
}

static int read_now(struct failures *failures, int (*run)(struct ts_read_job *, struct ts_db *),
                    void (*done)(struct ts_read_job *, int))
{
    failures->job =
        (struct ts_read_job){.run = run, .done = done, .deadline_us = ts_clock_mono_us() + READ_DEADLINE_US};
    return journal_read(failures->options.journal, &failures->job);
}

static int run_page(struct ts_read_job *job, struct ts_db *db)
{
    struct failures *failures = failures_of(job);
    return store_load_failed(db, &failures->query, FAILURES_PAGE_ROWS, failures->arena, &failures->page);
}

static void on_page(struct ts_read_job *job, int result)
{
    struct failures *failures = failures_of(job);
    failures->at = 0;
    if (result != 0) {
        round_broken(failures, result);
        return;
    }
    if (failures->page.n == 0) {
        round_end(failures);
        return;
    }
    next_row(failures);
}

static void load_page(struct failures *failures)
{
    failures->waits_for_marks = failures->marks_waiting > 0;
    if (failures->waits_for_marks)
        return;
    ts_arena_free(failures->arena);
    failures->arena = ts_arena_new(PAGE_ARENA_BYTES);
    failures->page = (struct store_page){0};
    if (!failures->arena || read_now(failures, run_page, on_page) != 0)
        round_broken(failures, -ENOMEM);
}

static int run_album(struct ts_read_job *job, struct ts_db *db)
{
    struct failures *failures = failures_of(job);
    const struct store_row *row = &failures->page.rows[failures->at];
    return store_load_album(db, row->key.channel_id, row->album, failures->album_arena, &failures->album);
}

static void on_marked(struct store_op *op TS_UNUSED, int result TS_UNUSED, void *ctx)
{
    struct failures *failures = ctx;
    if (--failures->marks_waiting == 0 && failures->waits_for_marks && !failures->stopping)
        load_page(failures);
}

/* --- one attempt ----------------------------------------------------------------------------------------------------------- */

static void row_done(struct failures *failures)
{
    const struct store_row *row = &failures->page.rows[failures->at++];
    failures->query.after_failed_at_us = row->failed_at_us;
    failures->query.after_id = row->ref.id;
    next_row(failures);
}

static void recovered(struct failures *failures, const struct delivery_result *result)
{
    const struct failures_options *options = &failures->options;
    const struct unit *unit = &failures->unit;
    failures->in_a_row = 0;
    failures->outcome.recovered++;
    for (size_t i = 0; i < unit->n_refs; i++) {
        failures->marks_waiting++;
        if (journal_acknowledge(options->journal, unit->refs[i], on_marked, failures) == 0)
            continue;
        failures->marks_waiting--;
        ts_log_error("Out of memory: an acknowledgement was not noted, the message will be sent again");
    }
    ts_counter_add(options->metrics->published, 1);
    ts_log_info(result->skipped ? "Duplicate message skipped (idempotent)" : "Message published successfully",
                TS_F_I64("channelId", unit->key.channel_id), TS_F_I64("messageId", unit->key.message_id),
                TS_F_I64("latency_ms", (ts_clock_wall_us() - unit->queued_at_us) / TS_US_PER_MS),
                TS_F_BOOL("recovered", true), TS_F_STR("requestId", unit->letter.request_id));
    options->published(options->ctx, unit->key);
}

static void failed_again(struct failures *failures, const struct delivery_result *result)
{
    const struct unit *unit = &failures->unit;
    struct store_fail fail = {
        .reason = outbox_reason_of(result->attempt), .attempts = 1, .at_us = ts_clock_wall_us()};
    memcpy(fail.detail, result->detail, sizeof fail.detail);
    memcpy(fail.api_version, failures->api_version, sizeof fail.api_version);
    failures->outcome.failed++;
    if (result->attempt != ATTEMPT_REJECTED) /* the message's fault, not the server's */
        failures->in_a_row++;
    ts_log_warn("Message failed again", TS_F_I64("channelId", unit->key.channel_id),
                TS_F_I64("messageId", unit->key.message_id),
                TS_F_CSTR("reason", outbox_reason_name(fail.reason)), TS_F_I64("status", result->status),
                TS_F_CSTR("detail", result->detail));
    for (size_t i = 0; i < unit->n_refs; i++) {
        fail.ref = unit->refs[i];
        failures->marks_waiting++;
        if (journal_fail(failures->options.journal, &fail, on_marked, failures) == 0)
            continue;
        failures->marks_waiting--;
        ts_log_error("Out of memory: a failure was not noted");
    }
}

static bool ends_the_round(const struct failures *failures, enum attempt attempt)
{
    return failures->stopping || attempt == ATTEMPT_AUTH || attempt == ATTEMPT_THROTTLED ||
           failures->in_a_row >= FAILURES_MAX_IN_A_ROW;
}

static void on_delivered(const struct delivery_result *result, void *ctx)
{
    struct failures *failures = ctx;
    ts_histogram_observe(failures->options.metrics->publish_duration, result->duration_us);
    if (result->attempt == ATTEMPT_STORED)
        recovered(failures, result);
    else if (!failures->stopping)
        failed_again(failures, result);
    if (ends_the_round(failures, result->attempt))
        round_end(failures);
    else
        row_done(failures);
}

static void send_unit(struct failures *failures)
{
    if (delivery_send(failures->options.delivery, &failures->unit.letter, on_delivered, failures) != 0)
        round_broken(failures, -ENOMEM);
}

static void send_album(struct failures *failures);

static void send_as_noted(struct store_op *op, int result, void *ctx)
{
    struct failures *failures = ctx;
    bool stopped_waiting = !failures->waits_for_send_as;
    failures->waits_for_send_as = false;
    if (stopped_waiting)
        return;
    if (result != 0)
        round_broken(failures, result);
    else if (op->changed)
        send_unit(failures);
    else
        send_album(failures); /* the publisher was faster: it is another letter now */
}

static void album_ready(struct failures *failures)
{
    const struct store_send_as *mark = failures->unit.mark;
    if (!mark) {
        send_unit(failures);
        return;
    }
    failures->waits_for_send_as = true;
    if (journal_send_as(failures->options.journal, mark, send_as_noted, failures) == 0)
        return;
    failures->waits_for_send_as = false;
    round_broken(failures, -ENOMEM);
}

static void on_album(struct ts_read_job *job, int result)
{
    struct failures *failures = failures_of(job);
    const struct store_row *row = &failures->page.rows[failures->at];
    if (result == 0)
        result = unit_of_album(&failures->album, row->ref.id, failures->album_arena, &failures->unit);
    if (result == 0) {
        album_ready(failures);
    } else if (result == TS_E_NOT_FOUND) { /* it went with another part of its album */
        row_done(failures);
    } else if (result == TS_E_JSON) {
        ts_log_error("A part of the album can't be read", TS_F_I64("channelId", row->key.channel_id),
                     TS_F_I64("messageId", row->key.message_id));
        failures->outcome.failed++;
        row_done(failures);
    } else {
        round_broken(failures, result);
    }
}

static void send_album(struct failures *failures)
{
    ts_arena_free(failures->album_arena);
    failures->album_arena = ts_arena_new(ALBUM_ARENA_BYTES);
    if (!failures->album_arena || read_now(failures, run_album, on_album) != 0)
        round_broken(failures, -ENOMEM);
}

static void next_row(struct failures *failures)
{
    const struct store_row *row;
    if (failures->stopping) {
        round_end(failures);
        return;
    }
    if (failures->at == failures->page.n) {
        load_page(failures);
        return;
    }
    row = &failures->page.rows[failures->at];
    if (!ts_str_is_none(row->album)) {
        send_album(failures);
        return;
    }
    failures->unit = unit_of_row(row);
    send_unit(failures);
}

/* --- rounds ---------------------------------------------------------------------------------------------------------------- */

static void on_version(ts_str version, void *ctx)
{
    struct failures *failures = ctx;
    version = ts_utf8_truncate(version, sizeof failures->api_version - 1);
    memcpy(failures->api_version, version.ptr, version.len);
    failures->api_version[version.len] = '\0';
    failures->query.api_version = failures->api_version;
    if (failures->stopping)
        round_end(failures);
    else
        load_page(failures);
}

static void round_begin(struct failures *failures, bool include_rejected)
{
    int64_t now_us = ts_clock_wall_us();
    failures->running = true;
    failures->in_a_row = 0;
    failures->outcome = (struct failures_outcome){0};
    failures->query = (struct store_failed_query){
        .failed_before_us = now_us,
        .after_failed_at_us = INT64_MIN,
        .all_rejected = include_rejected,
        .hourly_before_us = now_us - HOUR_US,
    };
    if (delivery_ask_version(failures->options.delivery, on_version, failures) != 0)
        on_version(TS_STR(""), failures);
}

static void on_timer(uv_timer_t *timer)
{
    struct failures *failures = timer->data;
    if (!failures->running && !failures->stopping && journal_usage(failures->options.journal).failed > 0)
        round_begin(failures, false);
}

int failures_recover(struct failures *failures, bool include_rejected, failures_done done, void *ctx)
{
    if (failures->stopping)
        return TS_E_CLOSED;
    if (failures->running)
        return -EBUSY;
    failures->done = done;
    failures->done_ctx = ctx;
    round_begin(failures, include_rejected);
    return 0;
}

int failures_new(const struct failures_options *options, struct failures **ret)
{
    struct failures *failures = calloc(1, sizeof *failures);
    if (!failures)
        return -ENOMEM;
    failures->options = *options;
    uv_timer_init(options->loop, &failures->timer);
    failures->timer.data = failures;
    *ret = failures;
    return 0;
}

void failures_start(struct failures *failures)
{
    uint64_t interval_ms = (uint64_t)(failures->options.interval_us / TS_US_PER_MS);
    if (interval_ms > 0)
        uv_timer_start(&failures->timer, on_timer, TS_MIN(interval_ms, FIRST_ROUND_MS), interval_ms);
}

void failures_stop(struct failures *failures, void (*stopped)(void *ctx), void *ctx)
{
    failures->stopping = true;
    failures->stopped = stopped;
    failures->stopped_ctx = ctx;
    uv_timer_stop(&failures->timer);
    if (failures->waits_for_marks || failures->waits_for_send_as)
        round_end(failures);
    stop_when_idle(failures);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct failures *failures = handle->data;
    ts_arena_free(failures->arena);
    ts_arena_free(failures->album_arena);
    free(failures);
}

struct failures *failures_free(struct failures *failures)
{
    if (failures)
        uv_close((uv_handle_t *)&failures->timer, on_timer_closed);
    return NULL;
}
