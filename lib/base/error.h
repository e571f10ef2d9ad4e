/*
 * Errors: 0 is success, a negative int is a failure. -errno for the system's, TS_E_* (below -10000) for ours,
 * so both travel in one int and never collide. Libraries return them, programs log them, once.
 */
#ifndef TS_BASE_ERROR_H
#define TS_BASE_ERROR_H

/*  name            code string         HTTP  text */
#define TS_ERRORS(X)                                                                                   \
    X(INVALID, "invalid", 400, "Invalid value")                                                        \
    X(TOO_LONG, "too_long", 400, "Too long")                                                           \
    X(RANGE, "out_of_range", 400, "Out of range")                                                      \
    X(UTF8, "invalid_utf8", 400, "Invalid UTF-8")                                                      \
    X(JSON, "invalid_json", 400, "Invalid JSON")                                                       \
    X(JSON_DEPTH, "json_too_deep", 400, "Invalid JSON")                                                \
    X(MISSING, "missing", 400, "Missing")                                                              \
    X(UNAUTHORIZED, "unauthorized", 401, "Unauthorized")                                               \
    X(FORBIDDEN, "forbidden", 403, "Forbidden")                                                        \
    X(NOT_FOUND, "not_found", 404, "Not Found")                                                        \
    X(CONFLICT, "conflict", 409, "Conflict")                                                           \
    X(LIMIT, "limit", 413, "Limit exceeded")                                                           \
    X(OVERLOADED, "overloaded", 503, "Overloaded, please retry")                                       \
    X(TIMEOUT, "timeout", 503, "Timed out")                                                            \
    X(CLOSED, "closed", 503, "Closed")                                                                 \
    X(GONE, "gone", 410, "Gone")                                                                       \
    X(PROTOCOL, "protocol", 502, "Invalid reply")                                                      \
    /* The database's, by what may be done about them (tp-capital 3.4, DESIGN section 4). */           \
    X(DB_CONNECTION, "db_connection", 503, "Database connection lost")                                 \
    X(DB_DEADLOCK, "db_deadlock", 503, "Database deadlock")                                            \
    X(DB_TIMEOUT, "db_timeout", 503, "Database timed out")                                             \
    X(DB_READ_ONLY, "db_read_only", 503, "Database is read-only")                                      \
    X(DB_FULL, "db_full", 503, "Database is out of space")                                             \
    X(DB_CONSTRAINT, "db_constraint", 409, "Constraint violated") /* an item can cause it: class 23 */ \
    X(DB_DATA, "db_data", 400, "Data refused by the database")    /* an item can cause it: class 22 */ \
    X(DB_QUERY, "db_query", 500, "Database query failed")                                              \
    X(DB_SYNC, "db_sync", 503, "Database could not sync; the process must restart")                    \
    X(DB_SCHEMA, "db_schema", 500, "Database schema is not ours")

enum ts_error {
    TS_E_BASE_ = -20000,
#define X(name, code, http, text) TS_E_##name,
    TS_ERRORS(X)
#undef X
        TS_E_END_
};

/* "invalid_json" for TS_E_JSON, "ENOSPC" for -ENOSPC; never NULL. For logs and the `code` member of answers.
 */
const char *ts_error_code(int error);

/* A short English sentence; for -errno the system's own. Never NULL. Thread-safe. */
const char *ts_error_text(int error);

/* The HTTP status that tells a client about it; 500 for -errno, 200 for 0. */
int ts_error_http_status(int error);

#endif
