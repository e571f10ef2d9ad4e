#include "retention.h"

#include "app.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#define DAY_US        (86400 * TS_US_PER_S)
#define KEY_MARGIN_US (3600 * TS_US_PER_S)
#define EVERY_MS      (3600 * 1000)
#define JITTER_MS     (6 * 60 * 1000) /* replicas that started together don't stay together */
#define AGAIN_MS      (30 * 1000)     /* after a failure */
#define PAUSE_MS      20              /* between slices */
#define SLICE_ROWS    1000
/* With this deadline the writer tries a slice once: messages don't wait for a second try of it. */
#define SLICE_US (2 * TS_US_PER_S)

struct retention {
    struct app *app;
    uv_timer_t timer;
    bool stopped, running; /* running: between the first slice of a run and its end */
    struct store_retention slice;
    /* The run so far. */
    int64_t started_us; /* monotonic */
    int64_t signals, messages, archived, forwarded, chunks;
};

static void on_sliced(struct ts_writer_op *op, int result);

static const struct ts_writer_kind slice_kind = {
    .name = "retention", .apply = store_apply_retention, .done = on_sliced, .max_batch = 1};

static void on_timer(uv_timer_t *timer);

static void wait_for(struct retention *retention, uint64_t ms)
{
    if (!retention->stopped)
        uv_timer_start(&retention->timer, on_timer, ms, 0);
}

static uint64_t next_run_ms(void)
{
    uint32_t dice;
    ts_random_bytes(&dice, sizeof(dice));
    return EVERY_MS - JITTER_MS / 2 + dice % JITTER_MS;
}

static void begin_run(struct retention *retention)
{
    int64_t before_us = ts_clock_wall_us() - retention->app->config->retention_days * DAY_US;

    retention->running = true;
    retention->started_us = ts_clock_mono_us();
    retention->signals = retention->messages = retention->archived = retention->forwarded = 0;
    retention->chunks = 0;
    retention->slice = (struct store_retention){.signals_before_us = before_us,
                                                .keys_before_us = before_us - KEY_MARGIN_US,
                                                .limit = SLICE_ROWS,
                                                .owner = retention};
}

static void end_run(struct retention *retention, uint64_t next_ms)
{
    bool removed = retention->signals + retention->messages + retention->archived + retention->forwarded > 0;
    const char *msg = removed                 ? "Retention removed what was too old"
                      : retention->slice.busy ? "Retention is left to another replica"
                                              : "Retention found nothing too old";

    retention->running = false;
    ts_log_write(removed ? TS_LOG_INFO : TS_LOG_DEBUG, msg,
                 (const struct ts_log_field[]){
                     TS_F_I64("days", retention->app->config->retention_days),
                     TS_F_I64("signals", retention->signals), TS_F_I64("messages", retention->messages),
                     TS_F_I64("archived", retention->archived), TS_F_I64("forwarded", retention->forwarded),
                     TS_F_I64("chunks", retention->chunks),
                     TS_F_I64("duration_ms", (ts_clock_mono_us() - retention->started_us) / TS_US_PER_MS)},
                 7);
    wait_for(retention, next_ms);
}

static void submit_slice(struct retention *retention)
{
    retention->slice.op =
        (struct ts_writer_op){.kind = &slice_kind, .deadline_us = ts_clock_mono_us() + SLICE_US};
    if (ts_writer_submit(retention->app->writer, &retention->slice.op) < 0)
        wait_for(retention, PAUSE_MS); /* messages fill the queue: they go first */
}

static void on_timer(uv_timer_t *timer)
{
    struct retention *retention = timer->data;
    if (!retention->running)
        begin_run(retention);
    submit_slice(retention);
}

static void add_up(struct retention *retention)
{
    const struct store_retention *slice = &retention->slice;
    struct api_metrics *metrics = &retention->app->metrics;

    retention->signals += slice->signals;
    retention->messages += slice->messages;
    retention->archived += slice->archived;
    retention->forwarded += slice->forwarded;
    retention->chunks += slice->chunks;
    ts_counter_add(metrics->removed[REMOVED_SIGNALS], slice->signals);
    ts_counter_add(metrics->removed[REMOVED_MESSAGES], slice->messages);
    ts_counter_add(metrics->removed[REMOVED_ARCHIVED], slice->archived);
    ts_counter_add(metrics->removed[REMOVED_FORWARDED], slice->forwarded);
    if (slice->seq > 0)
        app_seq_advanced(retention->app, slice->seq);
}

static void on_sliced(struct ts_writer_op *op, int result)
{
    struct retention *retention = TS_CONTAINER_OF(op, struct store_retention, op)->owner;

    if (result < 0) {
        ts_log_warn("Retention did not get through, trying again later", TS_F_ERR(result));
        end_run(retention, AGAIN_MS);
        return;
    }
    add_up(retention);
    if (!retention->slice.finished && !retention->slice.busy) {
        wait_for(retention, PAUSE_MS);
        return;
    }
    if (retention->slice.finished)
        ts_gauge_set(retention->app->metrics.retention_run, ts_clock_wall_us());
    end_run(retention, next_run_ms());
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

struct retention *retention_new(struct app *app)
{
    struct retention *retention = TS_ARENA_NEW(app->service->arena, struct retention);
    if (!retention)
        return NULL;
    retention->app = app;
    uv_timer_init(app->service->loop, &retention->timer);
    retention->timer.data = retention;
    return retention;
}

void retention_start(struct retention *retention)
{
    if (retention->app->config->retention_days > 0)
        wait_for(retention, 0);
}

void retention_stop(struct retention *retention)
{
    if (retention->stopped)
        return;
    retention->stopped = true;
    uv_close((uv_handle_t *)&retention->timer, NULL);
}

bool retention_is_over(const struct app *app, int64_t ts_us, int64_t now_us)
{
    int64_t days = app->config->retention_days;
    return days > 0 && ts_us < now_us - days * DAY_US;
}
