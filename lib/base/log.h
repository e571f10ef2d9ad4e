/*
 * Log: one JSON object a line on standard output: time, level, service, msg, then the context fields
 * (tp-capital section 9). The newest lines are kept in a ring for GET /logs.
 *
 *     ts_log_info("Signal inserted successfully", TS_F_I64("id", id), TS_F_STR("asset", asset));
 *
 * Text is escaped and cut to fit TS_MAX_LOG_LINE; every registered secret in a text is replaced by [redacted]
 * before the line leaves or enters the ring. Never log message bodies, tokens, headers. A level that is off
 * costs one comparison. Before ts_log_init the level is info and the service "?". A pipe that stays full for
 * 100 ms loses the line, never the process. Thread-safe (one lock, one write(2) a line).
 */
#ifndef TS_BASE_LOG_H
#define TS_BASE_LOG_H

#include <stdint.h>

#include "base/error.h"
#include "base/jsonw.h"
#include "base/str.h"

enum ts_log_level { TS_LOG_DEBUG, TS_LOG_INFO, TS_LOG_WARN, TS_LOG_ERROR };

struct ts_log_field {
    const char *key;
    enum { TS_FIELD_STR, TS_FIELD_I64, TS_FIELD_BOOL, TS_FIELD_E6 } type;
    ts_str str;
    int64_t i64;
};

#define TS_F_STR(k, v)  ((struct ts_log_field){.key = (k), .type = TS_FIELD_STR, .str = (v)})
#define TS_F_CSTR(k, v) TS_F_STR(k, ts_str_from(v))
#define TS_F_I64(k, v)  ((struct ts_log_field){.key = (k), .type = TS_FIELD_I64, .i64 = (int64_t)(v)})
#define TS_F_BOOL(k, v) ((struct ts_log_field){.key = (k), .type = TS_FIELD_BOOL, .i64 = (v)})
#define TS_F_E6(k, v)   ((struct ts_log_field){.key = (k), .type = TS_FIELD_E6, .i64 = (v)})
/* "error": the text of an error number. */
#define TS_F_ERR(e) TS_F_CSTR("error", ts_error_text(e))

/*
 * service: borrowed for ever. history: lines kept for ts_log_history, 0..TS_MAX_LOG_HISTORY and
 * TS_MAX_LOG_HISTORY_BYTES together. Call before threads; a second call begins a new history. 0, TS_E_RANGE
 * or -ENOMEM (what was before stays).
 */
TS_MUST_CHECK int ts_log_init(const char *service, enum ts_log_level level, size_t history);
void ts_log_done(void); /* frees the history; lines are still written */

/* "debug", "info", "warn", "error". 0 or TS_E_INVALID. */
TS_MUST_CHECK int ts_log_level_parse(ts_str name, enum ts_log_level *ret);
const char *ts_log_level_name(enum ts_log_level level);

bool ts_log_enabled(enum ts_log_level level);
void ts_log_write(enum ts_log_level level, const char *msg, const struct ts_log_field *fields, size_t n);

#define TS_LOG_(level, msg, ...)                                                \
    do {                                                                        \
        if (!ts_log_enabled(level))                                             \
            break;                                                              \
        const struct ts_log_field ts_fields_[] = {{0}, ##__VA_ARGS__};          \
        ts_log_write(level, msg, ts_fields_ + 1, TS_ARRAY_LEN(ts_fields_) - 1); \
    } while (0)
#define ts_log_debug(msg, ...) TS_LOG_(TS_LOG_DEBUG, msg, ##__VA_ARGS__)
#define ts_log_info(msg, ...)  TS_LOG_(TS_LOG_INFO, msg, ##__VA_ARGS__)
#define ts_log_warn(msg, ...)  TS_LOG_(TS_LOG_WARN, msg, ##__VA_ARGS__)
#define ts_log_error(msg, ...) TS_LOG_(TS_LOG_ERROR, msg, ##__VA_ARGS__)

/*
 * Newest first, at most `limit` lines of at least `min_level`, written as members of the writer's innermost
 * array:
 * {"timestamp":…,"level":…,"message":…,"context":{…}} (tp-capital 4.4).
 */
void ts_log_history(struct ts_jsonw *w, size_t limit, enum ts_log_level min_level);

/* For tests: where lines go instead of descriptor 1. */
void ts_log_set_fd(int fd);

#endif
