/*
 * JSON append writer: writes one JSON text into a buffer, no tree, no copies. Several times faster than
 * building a tree; used for answers, stream events and log lines. (Reading is http/json.h.)
 *
 * Commas and colons are placed by the writer. Nesting at most 32 deep. Invalid UTF-8 is written as U+FFFD, so
 * the output is always valid JSON. Errors are the buffer's (sticky). Thread rule: one thread at a time.
 *
 *     struct ts_jsonw w = ts_jsonw_begin(&buf);
 *     ts_jsonw_object(&w);
 *     ts_jsonw_key_str(&w, "status", TS_STR("ok"));
 *     ts_jsonw_key(&w, "data");
 *     ts_jsonw_array(&w);
 *     ts_jsonw_end(&w);
 *     ts_jsonw_end(&w);
 */
#ifndef TS_BASE_JSONW_H
#define TS_BASE_JSONW_H

#include "base/buf.h"

struct ts_jsonw {
    struct ts_buf *buf;
    uint32_t objects;  /* bit per level: object or array */
    uint32_t nonempty; /* bit per level: a comma is due */
    unsigned depth;
    bool after_key;
};

struct ts_jsonw ts_jsonw_begin(struct ts_buf *buf);

void ts_jsonw_object(struct ts_jsonw *w);
void ts_jsonw_array(struct ts_jsonw *w);
void ts_jsonw_end(struct ts_jsonw *w); /* closes the innermost object or array */

void ts_jsonw_key(struct ts_jsonw *w, const char *key); /* key: plain ASCII, written as it is */

void ts_jsonw_str(struct ts_jsonw *w, ts_str value); /* TS_STR_NONE is null */
void ts_jsonw_i64(struct ts_jsonw *w, int64_t value);
void ts_jsonw_bool(struct ts_jsonw *w, bool value);
void ts_jsonw_null(struct ts_jsonw *w);
void ts_jsonw_e6(struct ts_jsonw *w, int64_t value_e6);  /* a JSON number: 31.4 */
void ts_jsonw_time(struct ts_jsonw *w, int64_t time_us); /* a string, RFC 3339 with ms and Z */
void ts_jsonw_raw(struct ts_jsonw *w, ts_str json);      /* one complete JSON value, trusted */

/* Integers outside +-2^53 as a string, else as a number: what JavaScript can hold (tp-capital 4.1). */
void ts_jsonw_id(struct ts_jsonw *w, int64_t value);

#define TS_JSONW_KEY_FN(name, type)                                                         \
    static inline void ts_jsonw_key_##name(struct ts_jsonw *w, const char *key, type value) \
    {                                                                                       \
        ts_jsonw_key(w, key);                                                               \
        ts_jsonw_##name(w, value);                                                          \
    }
TS_JSONW_KEY_FN(str, ts_str)
TS_JSONW_KEY_FN(i64, int64_t)
TS_JSONW_KEY_FN(bool, bool)
TS_JSONW_KEY_FN(e6, int64_t)
TS_JSONW_KEY_FN(time, int64_t)
TS_JSONW_KEY_FN(id, int64_t)

/* `s` as a JSON string with its quotes, escaped, into a bare buffer. */
void ts_buf_json_str(struct ts_buf *buf, ts_str s);

#endif
