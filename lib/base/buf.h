/*
 * Buffer: bytes that are appended to, for answers, log lines and files. Born with its maximum.
 *
 * Errors are sticky: once an append would exceed the maximum or memory is out, every further append does
 * nothing and ts_buf_error() says why, so a writer checks once, at the end. Thread rule: one thread at a
 * time.
 *
 *     _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(64 * 1024);
 *     ts_buf_str(&buf, TS_STR("hello "));
 *     ts_buf_i64(&buf, 42);
 *     if (ts_buf_error(&buf)) ...
 */
#ifndef TS_BASE_BUF_H
#define TS_BASE_BUF_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct ts_buf {
    char *data; /* owned, from malloc; NULL while nothing was written */
    size_t len;
    size_t capacity; /* the memory has one byte more */
    size_t max_bytes;
    int error; /* 0, TS_E_LIMIT or -ENOMEM */
};

#define TS_BUF_INIT(max)   \
    {                      \
        .max_bytes = (max) \
    }

/* Frees the bytes; the buffer may be used again. Fits _cleanup_. */
void ts_buf_done(struct ts_buf *buf);

/* Forgets the bytes and the error, keeps the memory. */
void ts_buf_clear(struct ts_buf *buf);

void ts_buf_bytes(struct ts_buf *buf, const void *bytes, size_t len);
void ts_buf_str(struct ts_buf *buf, ts_str s);
void ts_buf_cstr(struct ts_buf *buf, const char *cstr);
void ts_buf_char(struct ts_buf *buf, char c);
void ts_buf_i64(struct ts_buf *buf, int64_t value);
void ts_buf_printf(struct ts_buf *buf, const char *fmt, ...) TS_PRINTF(2, 3);

/* Fixed-point 1e-6 as a plain decimal without trailing zeros: 31400000 -> 31.4, -500000 -> -0.5. */
void ts_buf_e6(struct ts_buf *buf, int64_t value_e6);

/* RFC 3339 UTC with milliseconds: 2026-11-23T14:02:11.120Z. */
void ts_buf_time(struct ts_buf *buf, int64_t time_us);

/* Makes room for `len` more bytes and returns where they go, or NULL (error set); then ts_buf_added(). */
char *ts_buf_reserve(struct ts_buf *buf, size_t len);
void ts_buf_added(struct ts_buf *buf, size_t len);

static inline ts_str ts_buf_view(const struct ts_buf *buf)
{
    return (ts_str){buf->data ? buf->data : "", buf->len};
}

static inline int ts_buf_error(const struct ts_buf *buf)
{
    return buf->error;
}

/*
 * For tests: what all buffers grow with; may return NULL to play "out of memory", else memory of realloc.
 * NULL restores realloc. Not thread-safe; set before threads start.
 */
void ts_buf_set_realloc(void *(*grow)(void *p, size_t size));

#endif
