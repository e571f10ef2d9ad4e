#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/number.h"
#include "health.h"
#include "indexer.h"
#include "retention.h"
#include "stream.h"

#define MIGRATION_TIMEOUT_US (600 * TS_US_PER_S)
#define MAX_READERS \
    3 /* with writer and listener 5 connections, the most that tp-capital 1 allows in normal load */
#define LOOK_EVERY_MS 5000 /* for changes that no notification told us of */

/* --- migration: an operation of the writer, on a connection of its own with a longer patience --------------------------- */

struct migrated {
    int applied;
    bool hypertables, has_trigrams;
    char not_compressed[STORE_REASON_SIZE]; /* why; "" = they are, or nobody asked for it */
    struct store_head head;
};

struct startup {
    struct ts_writer_op op;
    struct app *app;
    uv_timer_t retry;
    int attempts;
    /* Result */
    int error;
    struct ts_db_error detail;
    struct migrated migrated;
};

/* bring_over: also to hypertables, when a TimescaleDB was installed since. */
static int migrate(const struct ts_db_options *options, bool bring_over, int64_t compression_days,
                   struct migrated *ret, struct ts_db_error *ret_detail)
{
    struct ts_db_options own = *options;
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;

    own.statement_timeout_us = MIGRATION_TIMEOUT_US;
    own.ret_error = ret_detail;
    int r = ts_db_open(&own, &db);
    if (r < 0)
        return r;
    r = store_migrate(db, own.schema, &ret->applied);
    if (r == 0)
        r = bring_over ? store_use_hypertables(db, &ret->hypertables)
                       : store_has_hypertables(db, &ret->hypertables);
    if (r == 0)
        r = store_compress_after(db, compression_days, ret->not_compressed);
    if (r == 0)
        r = store_read_head(db, &ret->head);
    if (r == 0)
        r = store_has_trigrams(db, &ret->has_trigrams);
    if (r < 0)
        *ret_detail = *ts_db_error(db);
    return r;
}

static int run_startup(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    struct startup *startup = TS_CONTAINER_OF(ops[0], struct startup, op);
    (void)store, (void)db, (void)n;
    startup->error = migrate(&startup->app->db, false, startup->app->config->compression_days,
                             &startup->migrated, &startup->detail);
    return 0; /* the loop decides what to do about an error */
}

static void on_started(struct ts_writer_op *op, int result);
static const struct ts_writer_kind startup_kind = {
    .name = "startup", .apply = run_startup, .done = on_started};

static void submit_startup(struct startup *startup)
{
    startup->attempts++;
    startup->op = (struct ts_writer_op){.kind = &startup_kind};
    if (ts_writer_submit(startup->app->writer, &startup->op) < 0)
        ts_service_quit(startup->app->service, 1);
}

static void on_retry(uv_timer_t *timer)
{
    submit_startup(timer->data);
}

/* --- PostgreSQL: what other replicas commit ----------------------------------------------------------------------------- */

struct look {
    struct ts_read_job job;
    struct app *app;
    uv_timer_t timer;
    struct store_head head;
    int64_t seq_then;    /* known when it began */
    bool running, again; /* again: asked for while one ran, which may have read too early */
};

/* What `start` began and `stop` ends; one a process, freed with the service's arena. */
struct database {
    struct startup startup;
    struct look look;
    bool stopping;
    int lock_fd; /* SQLite: held until the file is closed */
};

static int run_look(struct ts_read_job *job, struct ts_db *db)
{
    return store_read_head(db, &TS_CONTAINER_OF(job, struct look, job)->head);
}

static void begin_look(struct look *look);

static void on_looked(struct ts_read_job *job, int result)
{
    struct look *look = TS_CONTAINER_OF(job, struct look, job);
    struct app *app = look->app;
    bool again = look->again;
    look->running = look->again = false;
    app->seq_is_current = result == 0 && !again && app->listener && ts_listener_is_connected(app->listener);
    if (result == 0)
        app_head_seen(app, &look->head, look->seq_then);
    if (again)
        begin_look(look);
}

static void begin_look(struct look *look)
{
    if (look->running) {
        look->again = true;
    } else if (look->app->readers) {
        look->job = (struct ts_read_job){.run = run_look, .done = on_looked};
        look->seq_then = look->app->seq;
        look->running = ts_reader_submit(look->app->readers, &look->job) == 0;
    }
}

static void on_look_timer(uv_timer_t *timer)
{
    begin_look(timer->data);
}

static void on_listening(void *ctx)
{
    begin_look(ctx);
}

static void on_listener_lost(void *ctx)
{
    struct look *self = ctx;
    self->app->seq_is_current = false;
    ts_log_warn("Database connection error, retrying...", TS_F_CSTR("connection", "listener"));
}

/* "<store_id> <first>-<last>"; other schemas of the database notify, too. */
static void on_notify(ts_str payload, void *ctx)
{
    struct look *self = ctx;
    struct app *app = self->app;
    ts_str rest = payload, store, first;
    int64_t last;
    if (ts_str_split(&rest, ' ', &store) && ts_str_eq(store, ts_str_from(app->store_id)) &&
        ts_str_split(&rest, '-', &first) && ts_parse_i64(rest, 1, INT64_MAX, &last) == 0)
        app_seq_advanced(app, last);
}

static int start_listening(struct app *app, struct look *self)
{
    const struct ts_listener_options options = {
        .db = app->db,
        .channel = STORE_NOTIFY_CHANNEL,
        .on_connected = on_listening,
        .on_lost = on_listener_lost,
        .on_notify = on_notify,
        .ctx = self,
    };
    uv_timer_start(&self->timer, on_look_timer, LOOK_EVERY_MS, LOOK_EVERY_MS);
    return ts_listener_new(app->service->loop, &options, &app->listener);
}

/* --- start -------------------------------------------------------------------------------------------------------------- */

static void become_ready(struct database *database)
{
    struct app *app = database->startup.app;
    const struct migrated *found = &database->startup.migrated;
    struct ts_reader_options readers = {
        .db = app->db, .threads = (int)TS_MAX(TS_MIN(app->config->pool_max - 2, MAX_READERS), 1)};

    memcpy(app->store_id, found->head.store_id, sizeof(app->store_id));
    app->seq = found->head.last_seq;
    app->seq_is_current = app_is_sqlite(app);
    int r = ts_reader_new(app->service->loop, &readers, &app->readers);
    if (r == 0 && !app_is_sqlite(app))
        r = start_listening(app, &database->look);
    if (r == 0 && !(app->indexer = indexer_new(app)))
        r = -ENOMEM;
    if (r < 0) {
        ts_log_error("Cannot read the database", TS_F_ERR(r));
        ts_service_quit(app->service, 1);
        return;
    }
    app->ready = true;
    if (!found->has_trigrams)
        ts_log_warn("No trigram index, a search walks: pg_trgm is missing, or this role may not create it",
                    TS_F_CSTR("schema", app->db.schema ? app->db.schema : ""));
    ts_log_info("Database ready", TS_F_CSTR("store", app_is_sqlite(app) ? "sqlite" : "postgres"),
                TS_F_BOOL("hypertables", found->hypertables), TS_F_I64("migrations", found->applied),
                TS_F_I64("seq", app->seq));
    if (app->config->compression_days > 0 && found->not_compressed[0])
        ts_log_warn("Signals are not compressed", TS_F_CSTR("detail", found->not_compressed));
    retention_start(app->retention);
}

static void on_started(struct ts_writer_op *op, int result)
{
    struct database *database = TS_CONTAINER_OF(op, struct database, startup.op);
    struct startup *startup = &database->startup;
    const struct api_config *config = startup->app->config;

    if (database->stopping) /* nobody would end what would begin here */
        return;
    if (result == 0 && startup->error == 0) {
        become_ready(database);
        return;
    }
    bool hopeless = startup->error == TS_E_DB_SCHEMA || startup->attempts >= config->startup_retries;
    ts_log_write(hopeless ? TS_LOG_ERROR : TS_LOG_WARN,
                 hopeless ? "Database unavailable at start" : "Database connection error, retrying...",
                 (const struct ts_log_field[]){TS_F_I64("attempt", startup->attempts),
                                               TS_F_ERR(startup->error),
                                               TS_F_CSTR("detail", startup->detail.message)},
                 3);
    if (hopeless)
        ts_service_quit(startup->app->service, 1);
    else if (!uv_is_closing((uv_handle_t *)&startup->retry))
        uv_timer_start(&startup->retry, on_retry, (uint64_t)config->startup_delay_ms, 0);
}

/* --- the writer's news -------------------------------------------------------------------------------------------------- */

static void on_write_error(const struct ts_db_error *error, int attempt, int64_t wait_us, void *ctx)
{
    struct app *app = ctx;
    enum db_error_type type = metrics_db_error_type(error->error);
    const char *msg = type == DB_ERROR_DEADLOCK ? "Database deadlock detected, retrying..."
                                                : "Database connection error, retrying...";

    ts_counter_add(app->metrics.db_errors[type], 1);
    if (wait_us < 0)
        health_on_write(app->health, error->error);
    ts_log_write(wait_us < 0 ? TS_LOG_ERROR : TS_LOG_WARN, wait_us < 0 ? "Database gave up" : msg,
                 (const struct ts_log_field[]){TS_F_I64("attempt", attempt), TS_F_ERR(error->error),
                                               TS_F_CSTR("sqlstate", error->sqlstate),
                                               TS_F_CSTR("detail", error->message)},
                 4);
}

static void on_batch(size_t ops, int64_t duration_us, void *ctx)
{
    struct app *app = ctx;
    (void)ops, (void)duration_us;
    health_on_write(app->health, 0);
}

/* After a failed sync nobody knows what is on disk: leave at once, the restart recovers. */
static void on_fatal(const struct ts_db_error *error, void *ctx)
{
    struct app *app = ctx;
    ts_log_error("Database could not sync, leaving", TS_F_ERR(error->error),
                 TS_F_CSTR("detail", error->message));
    ts_service_quit(app->service, 1);
}

static int lock_file(const struct api_config *config, const struct ts_db_options *options, int *ret_fd)
{
    char path[4096];
    if (options->driver != &ts_db_sqlite)
        return 0;
    int n = snprintf(path, sizeof(path), "%s.lock", options->path);
    if (n < 0 || (size_t)n >= sizeof(path))
        return -ENAMETOOLONG;
    int r = ts_mkdir_all(config->common.data_dir.ptr, 0700);
    return r < 0 ? r : ts_file_lock(path, ret_fd);
}

/* The embedded database belongs to one process. */
static int take_file(struct app *app, struct database *database)
{
    if (!app_is_sqlite(app))
        return 0;
    ts_log_info("No DATABASE_URL and no TIMESCALEDB_HOST: using the embedded SQLite database",
                TS_F_CSTR("path", app->db.path));
    int r = lock_file(app->config, &app->db, &database->lock_fd);
    if (r == -EWOULDBLOCK)
        ts_log_error("The database is in use by another process", TS_F_CSTR("path", app->db.path));
    return r;
}

int database_start(struct app *app)
{
    struct database *database = TS_ARENA_NEW(app->service->arena, struct database);
    const struct ts_writer_options writer = {
        .db = app->db, .on_error = on_write_error, .on_batch = on_batch, .on_fatal = on_fatal, .ctx = app};

    if (!database)
        return -ENOMEM;
    database->lock_fd = -1;
    int r = take_file(app, database);
    if (r == 0)
        r = ts_writer_new(app->service->loop, &writer, &app->writer);
    if (r < 0)
        return r;
    app->database = database;
    database->startup.app = database->look.app = app;
    uv_timer_init(app->service->loop, &database->startup.retry);
    uv_timer_init(app->service->loop, &database->look.timer);
    database->startup.retry.data = &database->startup;
    database->look.timer.data = &database->look;
    submit_startup(&database->startup);
    return 0;
}

/* --- stop: readers, then the writer, which finishes what it has --------------------------------------------------------- */

static void on_writer_stopped(void *ctx)
{
    struct app *app = ctx;
    app->writer = ts_writer_free(app->writer);
    app->database->lock_fd = ts_close(app->database->lock_fd);
    app_stopped(app);
}

static void on_readers_stopped(void *ctx)
{
    struct app *app = ctx;
    app->readers = ts_reader_free(app->readers);
    ts_writer_stop(app->writer, on_writer_stopped, app);
}

void database_stop(struct app *app)
{
    app->database->stopping = true;
    indexer_stop(app->indexer);
    app->listener = ts_listener_free(app->listener);
    uv_close((uv_handle_t *)&app->database->startup.retry, NULL);
    uv_close((uv_handle_t *)&app->database->look.timer, NULL);
    app->ready = false;
    if (app->readers)
        ts_reader_stop(app->readers, on_readers_stopped, app);
    else
        ts_writer_stop(app->writer, on_writer_stopped, app);
}

/* --- verbs -------------------------------------------------------------------------------------------------------------- */

int database_for_verb(struct ts_service *service, const char *verb, struct ts_db_options *ret,
                      int *ret_lock_fd)
{
    const struct api_config *config = service->config;
    int r = api_config_database(config, service->arena, ret);
    if (r == 0 && strcmp(verb, "migrate") == 0 && ts_secret_is_set(&config->migration_url)) {
        ret->driver = &ts_db_postgres;
        ret->url = config->migration_url.value;
        ret->schema = config->timescale_schema.ptr;
    }
    if (r == 0)
        r = lock_file(config, ret, ret_lock_fd);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", verb,
                r == -EWOULDBLOCK ? "the service is running: stop it first" : ts_error_text(r));
    return r;
}

static int migrate_for_verb(const char *verb, const struct ts_db_options *options, bool bring_over,
                            int64_t compression_days, struct migrated *ret)
{
    struct ts_db_error detail = {0};
    int r = migrate(options, bring_over, compression_days, ret, &detail);
    if (r < 0)
        fprintf(stderr, "%s: %s %s\n", verb, ts_error_text(r), detail.message);
    return r;
}

int database_migrate_for_verb(const char *verb, const struct ts_service *service,
                              const struct ts_db_options *options)
{
    const struct api_config *config = service->config;
    struct migrated migrated = {0};
    return migrate_for_verb(verb, options, false, config->compression_days, &migrated);
}

int database_migrate_verb(struct ts_service *service, int argc, char **argv)
{
    _cleanup_(ts_closep) int lock_fd = -1;
    struct ts_db_options options;
    const struct api_config *config = service->config;
    struct migrated migrated = {0};

    (void)argc, (void)argv;
    if (database_for_verb(service, "migrate", &options, &lock_fd) < 0 ||
        migrate_for_verb("migrate", &options, true, config->compression_days, &migrated) < 0)
        return 1;
    printf("migrations applied: %d\n", migrated.applied);
    if (config->compression_days > 0 && migrated.not_compressed[0])
        printf("signals are not compressed: %s\n", migrated.not_compressed);
    if (options.driver == &ts_db_postgres)
        printf("TimescaleDB: %s\n", migrated.hypertables ? "hypertables" : "none, plain tables");
    return 0;
}
