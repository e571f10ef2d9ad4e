#include "indexer.h"

#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#define QUIET_MS     250
#define BUSY_WAIT_MS 20 /* a message waits: it goes first */
#define BUSY_BACKLOG 4000
#define BUSY_REST    20   /* after a step among messages this many times its duration is theirs */
#define OTHERS_MS    2000 /* another replica works */
#define ERROR_MS     5000
#define SWEEP_MS     (3600 * 1000)
#define ROWS_QUIET   64
#define ROWS_BUSY    16
#define ROWS_SWEPT   1000
/* A step that takes longer is given up, and tried again: messages wait for it. */
#define STEP_DEADLINE_US (2 * TS_US_PER_S)

struct indexer {
    struct store_index index;
    struct app *app;
    uv_timer_t timer;
    int64_t changed_us; /* monotonic: the last change that was heard of */
    int64_t sweep_at_us, began_us;
    bool running, stopping;
    bool is_idle; /* nothing is left: only a change or the next sweep begins a step */
    bool woken;   /* something changed since the last indexing step began */
};

static void begin_step(struct indexer *self);

static void on_timer(uv_timer_t *timer)
{
    begin_step(timer->data);
}

static void step_in(struct indexer *self, uint64_t ms)
{
    if (!self->stopping)
        uv_timer_start(&self->timer, on_timer, ms, 0);
}

static bool is_quiet(const struct indexer *self)
{
    return ts_clock_mono_us() - self->changed_us >= QUIET_MS * TS_US_PER_MS;
}

static void end_sweep(struct indexer *self)
{
    self->index.sweep = false;
    self->sweep_at_us = ts_clock_mono_us() + SWEEP_MS * TS_US_PER_MS;
}

/* What a step left to do. */
static void go_on(struct indexer *self)
{
    struct store_index *index = &self->index;
    bool more = index->sweep ? !index->is_swept : index->rows == index->max_rows;

    if (index->is_elsewhere) {
        step_in(self, OTHERS_MS);
        return;
    }
    if (more) {
        int64_t took_ms = (ts_clock_mono_us() - self->began_us) / TS_US_PER_MS + 1;
        step_in(self, is_quiet(self) ? 0 : (uint64_t)took_ms * BUSY_REST);
        return;
    }
    if (index->sweep)
        end_sweep(self);
    if (self->woken) {
        step_in(self, QUIET_MS);
    } else if (ts_clock_mono_us() >= self->sweep_at_us) {
        index->sweep = true;
        index->swept = 0;
        step_in(self, 0);
    } else {
        self->is_idle = true;
        step_in(self, SWEEP_MS);
    }
}

static void on_step_done(struct ts_writer_op *op, int result)
{
    struct indexer *self = TS_CONTAINER_OF(op, struct indexer, index.op);
    self->running = false;
    if (result < 0)
        step_in(self, ERROR_MS); /* the writer has told of it */
    else
        go_on(self);
}

static const struct ts_writer_kind index_kind = {
    .name = "search index", .apply = store_apply_index, .done = on_step_done, .max_batch = 1};

static void begin_step(struct indexer *self)
{
    struct store_index *index = &self->index;
    bool quiet = is_quiet(self);

    self->is_idle = false;
    if (self->running || self->stopping)
        return;
    if (!quiet && (index->sweep || self->app->seq - index->seq < BUSY_BACKLOG)) {
        step_in(self, QUIET_MS);
        return;
    }
    if (ts_writer_pending(self->app->writer) > 0) {
        step_in(self, BUSY_WAIT_MS);
        return;
    }
    index->max_rows = index->sweep ? ROWS_SWEPT : quiet ? ROWS_QUIET : ROWS_BUSY;
    self->began_us = ts_clock_mono_us();
    index->op = (struct ts_writer_op){.kind = &index_kind, .deadline_us = self->began_us + STEP_DEADLINE_US};
    self->running = ts_writer_submit(self->app->writer, &index->op) == 0;
    self->woken = self->woken && index->sweep;
    if (!self->running)
        step_in(self, ERROR_MS);
}

void indexer_wake(struct indexer *self)
{
    if (!self)
        return;
    self->changed_us = ts_clock_mono_us();
    self->woken = true;
    if (self->is_idle)
        step_in(self, QUIET_MS);
    self->is_idle = false;
}

struct indexer *indexer_new(struct app *app)
{
    struct indexer *self = TS_ARENA_NEW(app->service->arena, struct indexer);
    if (!self)
        return NULL;
    self->app = app;
    uv_timer_init(app->service->loop, &self->timer);
    self->timer.data = self;
    step_in(self, 0);
    return self;
}

void indexer_stop(struct indexer *self)
{
    if (!self)
        return;
    self->stopping = true;
    uv_close((uv_handle_t *)&self->timer, NULL);
}
