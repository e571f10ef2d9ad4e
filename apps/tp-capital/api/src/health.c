#include "health.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "routes.h"

#define FRESH_US       (2 * TS_US_PER_S)
#define PROBE_MS       1000
#define MAX_WAITING    256
#define MIN_FREE_BYTES (256 * 1024)

struct health {
    struct app *app;
    uv_timer_t timer; /* patience with a probe */
    int result;       /* of the last probe; TS_E_TIMEOUT while one hangs */
    int write_error;  /* of the last batch; 0 = it was stored */
    bool fsync_off;
    int64_t checked_us; /* monotonic; 0 = never */
    bool reading, writing, stopped;
    size_t n_waiting;
    ts_http_ticket waiting[MAX_WAITING];
    /* The probes, one of each at a time. */
    struct ts_read_job read_job;
    struct store_health read;
    struct ts_writer_op write_op;
};

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static void put_problem(struct ts_jsonw *w, const struct health *health, int error)
{
    char text[512] =
        "Database connection failed after 3 attempts"; /* tp-capital 4.4 fixes it, whatever the number was */
    const struct app *app = health->app;

    if (error == TS_E_CLOSED)
        snprintf(text, sizeof(text), "Shutting down");
    else if (error == TS_E_DB_FULL && app_is_sqlite(app))
        snprintf(text, sizeof(text), "Disk full: %s", app->db.path);
    else if (error == TS_E_DB_FULL)
        snprintf(text, sizeof(text), "%s", ts_error_text(error));
    ts_jsonw_key_str(w, "error", ts_str_from(text));
}

static int error_of(const struct health *health)
{
    if (!health->app->ready)
        return TS_E_DB_CONNECTION;
    return health->result < 0 ? health->result : health->write_error;
}

static int put_answer(const struct health *health, struct ts_buf *body)
{
    const int database_error = error_of(health);
    const int error = ts_service_is_stopping(health->app->service) ? TS_E_CLOSED : database_error;
    struct ts_jsonw w = ts_jsonw_begin(body);
    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "status",
                     error               ? TS_STR("error")
                     : health->fsync_off ? TS_STR("degraded")
                                         : TS_STR("ok"));
    ts_jsonw_key_bool(&w, "timescale", !database_error);
    if (error)
        put_problem(&w, health, error);
    else
        ts_jsonw_key_i64(&w, "uptime_seconds",
                         (ts_clock_mono_us() - health->app->service->started_us) / TS_US_PER_S);
    if (!error && health->fsync_off)
        ts_jsonw_key_str(&w, "error", TS_STR("The server runs with fsync=off: a power cut loses messages"));
    ts_jsonw_key_str(&w, "store", app_is_sqlite(health->app) ? TS_STR("sqlite") : TS_STR("postgres"));
    ts_jsonw_key_str(&w, "version", TS_STR(TS_VERSION));
    ts_jsonw_end(&w);
    return error ? 503 : 200;
}

static void answer_waiting(struct health *health)
{
    size_t n = health->n_waiting;
    health->n_waiting = 0;
    for (size_t i = 0; i < n; i++) {
        struct ts_buf body = TS_BUF_INIT(4096);
        int status = put_answer(health, &body);
        ts_http_answer(health->app->service->server, health->waiting[i],
                       &(struct ts_http_response){.status = status, .body = ts_buf_view(&body)});
        ts_buf_done(&body);
    }
}

/* --- probes ------------------------------------------------------------------------------------------------------------- */

static void settle(struct health *health, int result)
{
    health->result = result;
    health->checked_us = ts_clock_mono_us();
    if (!health->stopped)
        uv_timer_stop(&health->timer);
    answer_waiting(health);
}

/* SQLite: too little room for the next messages, whether or not the last one still found some in a file that exists. */
static int check_room(const char *path)
{
    struct statvfs disk;
    if (statvfs(path, &disk) < 0)
        return 0; /* the read tells more about it */
    return (uint64_t)disk.f_bavail * disk.f_frsize < MIN_FREE_BYTES ? TS_E_DB_FULL : 0;
}

static int run_read(struct ts_read_job *job, struct ts_db *db)
{
    struct health *health = TS_CONTAINER_OF(job, struct health, read_job);
    int r = app_is_sqlite(health->app) ? check_room(health->app->db.path) : 0;
    return r < 0 ? r : store_check_health(db, &health->read);
}

static void on_written(struct ts_writer_op *op, int result)
{
    struct health *health = TS_CONTAINER_OF(op, struct health, write_op);
    health->writing = false;
    health->write_error = result;
    settle(health, 0);
}

static const struct ts_writer_kind probe_kind = {
    .name = "health", .apply = store_apply_probe, .done = on_written};

static void on_read(struct ts_read_job *job, int result)
{
    struct health *health = TS_CONTAINER_OF(job, struct health, read_job);
    health->reading = false;
    health->fsync_off = result == 0 && health->read.fsync_off;
    if (result < 0 || health->write_error == 0 || health->writing) {
        settle(health, result);
        return;
    }
    health->write_op =
        (struct ts_writer_op){.kind = &probe_kind, .deadline_us = ts_clock_mono_us() + PROBE_MS * 1000};
    health->writing = ts_writer_submit(health->app->writer, &health->write_op) == 0;
    if (!health->writing)
        settle(health, 0);
}

static void on_patience_ended(uv_timer_t *timer)
{
    settle(timer->data, TS_E_TIMEOUT);
}

/* False when it could not begin; the answer is known then. */
static bool begin_probe(struct health *health)
{
    if (health->reading || health->writing) { /* the last one hangs still */
        settle(health, TS_E_TIMEOUT);
        return false;
    }
    health->read_job = (struct ts_read_job){
        .run = run_read, .done = on_read, .deadline_us = ts_clock_mono_us() + PROBE_MS * 1000};
    health->reading = ts_reader_submit(health->app->readers, &health->read_job) == 0;
    if (health->reading)
        uv_timer_start(&health->timer, on_patience_ended, PROBE_MS, 0);
    else
        settle(health, TS_E_OVERLOADED);
    return health->reading;
}

static bool is_known(const struct health *health)
{
    bool fresh = health->checked_us && ts_clock_mono_us() - health->checked_us < FRESH_US;
    return !health->app->ready || fresh || health->n_waiting == MAX_WAITING || health->stopped ||
           ts_service_is_stopping(health->app->service);
}

void health_get(struct ts_http_request *req, void *ctx)
{
    struct health *health = app_of(ctx)->health;
    bool probing = uv_is_active((uv_handle_t *)&health->timer);

    if (!is_known(health) && (probing || begin_probe(health))) {
        health->waiting[health->n_waiting++] = ts_http_park(req);
        return;
    }
    _cleanup_(ts_buf_done) struct ts_buf body = TS_BUF_INIT(4096);
    int status = put_answer(health, &body);
    ts_http_reply(req, &(struct ts_http_response){.status = status, .body = ts_buf_view(&body)});
}

void health_on_write(struct health *health, int result)
{
    bool ours = result == TS_E_DB_CONSTRAINT || result == TS_E_DB_DATA ||
                result == TS_E_DB_QUERY; /* a message's fault */
    if (ours || (result < 0) == (health->write_error < 0))
        return;
    health->write_error = result;
    health->checked_us = 0; /* news: the next one who asks gets it */
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

struct health *health_new(struct app *app)
{
    struct health *health = TS_ARENA_NEW(app->service->arena, struct health);
    if (!health)
        return NULL;
    health->app = app;
    uv_timer_init(app->service->loop, &health->timer);
    health->timer.data = health;
    return health;
}

void health_stop(struct health *health)
{
    if (health->stopped)
        return;
    health->stopped = true;
    uv_close((uv_handle_t *)&health->timer, NULL);
}
