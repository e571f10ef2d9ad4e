#include "metrics.h"

#include "app.h"
#include "base/error.h"

enum db_error_type metrics_db_error_type(int error)
{
    switch (error) {
    case TS_E_DB_CONNECTION:
    case TS_E_DB_TIMEOUT:
    case TS_E_TIMEOUT:
        return DB_ERROR_CONNECTION;
    case TS_E_DB_DEADLOCK:
        return DB_ERROR_DEADLOCK;
    case TS_E_DB_CONSTRAINT:
        return DB_ERROR_CONSTRAINT;
    default:
        return DB_ERROR_QUERY;
    }
}

/* One counter for each of the names. */
static void add_series(struct ts_metric *metric, const char *const *names, size_t n, struct ts_counter **ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = ts_counter_with(metric, TS_LABELS(ts_str_from(names[i])));
}

/* --- connections: the writer's one and the readers' --- */

static struct ts_reader_stats reader_stats(const struct app *app)
{
    return app->readers ? ts_reader_stats(app->readers) : (struct ts_reader_stats){0};
}

static int64_t writer_is_busy(const struct app *app)
{
    return app->writer && ts_writer_pending(app->writer) > 0;
}

static int64_t count_active(void *ctx)
{
    return reader_stats(ctx).active + writer_is_busy(ctx);
}

static int64_t count_idle(void *ctx)
{
    const struct app *app = ctx;
    return reader_stats(app).idle + (app->writer && !writer_is_busy(app));
}

static int64_t count_waiting(void *ctx)
{
    const struct app *app = ctx;
    return (int64_t)(reader_stats(app).waiting + (app->writer ? ts_writer_pending(app->writer) : 0));
}

void metrics_register(struct api_metrics *metrics, struct app *app)
{
    static const char *const statuses[] = {"success",          "duplicate", "duplicate_db", "auth_error",
                                           "validation_error", "db_error",  "error"};
    static const char *const error_types[] = {"connection", "query", "deadlock", "constraint"};
    static const char *const removed[] = {"signals", "messages", "archived", "forwarded"};
    struct ts_metrics *registry = app->service->metrics;

    struct ts_metric *m = ts_metrics_add(registry, TS_COUNTER, "api_ingestion_requests_total",
                                         "Requests of POST /ingest by outcome.", "status");
    add_series(m, statuses, INGEST_STATUSES, metrics->ingest);
    m = ts_metrics_add(registry, TS_COUNTER, "api_signals_inserted_total", "Signals stored by direction.",
                       "signal_type");
    for (int type = SIGNAL_UNKNOWN; type <= SIGNAL_SELL; type++)
        metrics->inserted[type] =
            ts_counter_with(m, TS_LABELS(ts_str_from(signal_type_name((enum signal_type)type))));
    m = ts_metrics_add(registry, TS_COUNTER, "api_timescaledb_errors_total",
                       "Failed attempts on the database by kind.", "error_type");
    add_series(m, error_types, DB_ERROR_TYPES, metrics->db_errors);
    m = ts_metrics_add(registry, TS_COUNTER, "api_retention_removed_total",
                       "Rows that retention removed; messages are versions of messages.", "kind");
    add_series(m, removed, REMOVED_KINDS, metrics->removed);
    m = ts_metrics_add(registry, TS_GAUGE_US, "api_retention_last_run_timestamp_seconds",
                       "When a run of retention last ended well; 0 = never.", NULL);
    metrics->retention_run = ts_gauge_with(m, NULL, 0);
    m = ts_metrics_add(registry, TS_GAUGE, "api_db_pool_connections",
                       "Database connections at work and at rest, and work that waits.", "state");
    ts_callback_with(m, count_active, app, TS_LABELS(TS_STR("active")));
    ts_callback_with(m, count_idle, app, TS_LABELS(TS_STR("idle")));
    ts_callback_with(m, count_waiting, app, TS_LABELS(TS_STR("waiting")));
}
