/*
 * The application: what the handlers share. Handlers get the `struct ts_service` as context; app_of() finds the rest.
 *
 * Order of change. `seq` is the highest committed number this process knows of. On SQLite that is all there are, as this process
 * alone writes. On PostgreSQL other replicas write too: their numbers come by NOTIFY and, because nothing is trusted to arrive, by
 * looking each 5 s; `seq_is_current` is true while that works, and only then are cached answers used.
 *
 * A number means something in one database only, named by `store_id`. When a look finds another one, or ours with fewer numbers (it was
 * restored), the numbers begin anew: `epoch` rises, cached answers are dropped and every stream is reset.
 *
 * Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_APP_H
#define TP_CAPITAL_APP_H

#include "config.h"
#include "db/listen.h"
#include "db/reader.h"
#include "db/writer.h"
#include "metrics.h"
#include "service/service.h"
#include "store.h"

/* Spec 3.4: the gateway gives up at 10 s, we before it. */
#define INGEST_DEADLINE_US (9 * TS_US_PER_S)

struct app {
    struct ts_service *service;
    const struct api_config *config;
    struct ts_db_options db;
    struct api_metrics metrics;
    struct cache *cache;
    struct health *health;
    struct stream_hub *stream;
    struct statistics *statistics;
    struct database *database;
    struct retention *retention;
    struct indexer *indexer;      /* NULL until the database is ready */
    struct ts_writer *writer;     /* from start on */
    struct ts_reader *readers;    /* NULL until the database is ready, as the listener */
    struct ts_listener *listener; /* PostgreSQL only */
    bool ready;                   /* migrated; messages can be stored */
    bool seq_is_current;
    int64_t seq;
    unsigned epoch;
    char store_id[STORE_ID_SIZE];
    int n_exports;        /* under way */
    size_t pending_bytes; /* on their way to disk */
};

static inline struct app *app_of(void *ctx)
{
    return ((struct ts_service *)ctx)->app;
}

/* ts_service_def.start, .stop and .on_answered */
int app_start(struct ts_service *service);
void app_stop(struct ts_service *service);
void app_on_answered(struct ts_service *service, const struct ts_http_request *req, int status);

/* The database is closed: the last step of a stop. */
void app_stopped(struct app *app);

/* A number was committed, here or elsewhere: streams are woken. */
void app_seq_advanced(struct app *app, int64_t seq);

/* What a look found that began when `seq_then` was the number known. */
void app_head_seen(struct app *app, const struct store_head *head, int64_t seq_then);

/* Messages and mutations on their way to disk, all together; their number is bounded by the writer. */
#define APP_MAX_PENDING_BYTES (32 * 1024 * 1024)

/* True when a write would have to be refused: asked before a body is parsed. */
bool app_is_overloaded(const struct app *app);

/* True for an error of a write that is no fault of the database, but of ours: 500. */
bool app_is_defect(int error);

static inline bool app_is_sqlite(const struct app *app)
{
    return app->db.driver == &ts_db_sqlite;
}

#endif
