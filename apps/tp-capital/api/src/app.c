#include "app.h"

#include <errno.h>

#include "base/error.h"
#include "base/log.h"
#include "base/zone.h"
#include "cache.h"
#include "database.h"
#include "health.h"
#include "indexer.h"
#include "retention.h"
#include "statistics.h"
#include "stream.h"

bool app_is_overloaded(const struct app *app)
{
    return !app->ready || app->pending_bytes > APP_MAX_PENDING_BYTES || ts_writer_is_full(app->writer);
}

bool app_is_defect(int error)
{
    return error == TS_E_DB_QUERY || error == TS_E_DB_CONSTRAINT || error == TS_E_DB_DATA ||
           error == TS_E_DB_SCHEMA;
}

void app_seq_advanced(struct app *app, int64_t seq)
{
    if (seq <= app->seq)
        return;
    app->seq = seq;
    stream_hub_wake(app->stream);
    indexer_wake(app->indexer);
}

static void begin_anew(struct app *app, const struct store_head *head)
{
    ts_log_warn("Database was replaced or restored: streams are reset", TS_F_I64("seq", app->seq),
                TS_F_I64("found", head->last_seq), TS_F_CSTR("store_id", head->store_id));
    memcpy(app->store_id, head->store_id, sizeof(app->store_id));
    app->seq = head->last_seq;
    app->epoch++;
    cache_clear(app->cache);
    stream_hub_wake(app->stream);
    indexer_wake(app->indexer);
}

void app_head_seen(struct app *app, const struct store_head *head, int64_t seq_then)
{
    if (strcmp(head->store_id, app->store_id) != 0 || head->last_seq < seq_then)
        begin_anew(app, head);
    else
        app_seq_advanced(app, head->last_seq);
}

/* What the server refuses by itself on /ingest is a request of ours, too. */
void app_on_answered(struct ts_service *service, const struct ts_http_request *req, int status)
{
    struct app *app = service->app;
    bool ingest = req->route && req->route->flags & TS_ROUTE_OWN_AUTH;
    if (app && ingest && status == 413)
        ts_counter_add(app->metrics.ingest[INGEST_VALIDATION_ERROR], 1);
}

static void log_configuration(const struct app *app)
{
    char fingerprint[TS_FINGERPRINT_SIZE];
    ts_fingerprint(ts_str_from(app->config->gateway_token.value), fingerprint);
    ts_log_info("Configuration loaded successfully", TS_F_I64("port", app->config->common.port),
                TS_F_CSTR("token_hash", fingerprint));
}

static int start(struct app *app)
{
    int r = api_config_database(app->config, app->service->arena, &app->db);
    if (r < 0)
        return r;
    r = ts_zone_set(app->config->time_zone);
    if (r < 0)
        return r;
    log_configuration(app);
    metrics_register(&app->metrics, app);
    app->cache = cache_new();
    app->health = health_new(app);
    app->stream = stream_hub_new(app);
    app->retention = retention_new(app);
    app->statistics = statistics_new(app);
    bool complete = app->cache && app->health && app->stream && app->retention && app->statistics;
    return complete ? database_start(app) : -ENOMEM;
}

int app_start(struct ts_service *service)
{
    struct app *app = TS_ARENA_NEW(service->arena, struct app);
    if (!app)
        return -ENOMEM;
    app->service = service;
    app->config = service->config;
    service->app = app;
    int r = start(app);
    if (r < 0)
        app->cache = cache_free(app->cache);
    return r;
}

void app_stop(struct ts_service *service)
{
    struct app *app = service->app;
    health_stop(app->health);
    retention_stop(app->retention);
    stream_hub_stop(app->stream);
    database_stop(app);
}

void app_stopped(struct app *app)
{
    stream_hub_done(app->stream);
    app->cache = cache_free(app->cache);
    ts_service_stopped(app->service);
}
