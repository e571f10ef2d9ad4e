/* The service's own metrics (tp-capital section 8). Registered at start, so that every series exists with 0. Thread rule: the loop's. */
#ifndef TP_CAPITAL_METRICS_H
#define TP_CAPITAL_METRICS_H

#include "db/db.h"
#include "obs/metrics.h"
#include "parser.h"

enum ingest_status {
    INGEST_SUCCESS,
    INGEST_DUPLICATE,
    INGEST_DUPLICATE_DB,
    INGEST_AUTH_ERROR,
    INGEST_VALIDATION_ERROR,
    INGEST_DB_ERROR,
    INGEST_ERROR,
    INGEST_STATUSES
};

enum db_error_type {
    DB_ERROR_CONNECTION,
    DB_ERROR_QUERY,
    DB_ERROR_DEADLOCK,
    DB_ERROR_CONSTRAINT,
    DB_ERROR_TYPES
};

/* What retention takes away. */
enum removed { REMOVED_SIGNALS, REMOVED_MESSAGES, REMOVED_ARCHIVED, REMOVED_FORWARDED, REMOVED_KINDS };

struct app;

struct api_metrics {
    struct ts_counter *ingest[INGEST_STATUSES];
    struct ts_counter *inserted[3]; /* by enum signal_type */
    struct ts_counter *db_errors[DB_ERROR_TYPES];
    struct ts_counter *removed[REMOVED_KINDS];
    struct ts_gauge *retention_run; /* when one last ended well, microseconds of the wall clock; 0 = never */
};

void metrics_register(struct api_metrics *metrics, struct app *app);

/* The kind of a TS_E_DB_* error. */
enum db_error_type metrics_db_error_type(int error);

#endif
