#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"

#define FIRST_CAPACITY 256
#define I64_DIGITS     20 /* of INT64_MIN, the sign included */

static void *(*grow_memory)(void *p, size_t size) = realloc;

void ts_buf_set_realloc(void *(*grow)(void *p, size_t size))
{
    grow_memory = grow ? grow : realloc;
}

void ts_buf_done(struct ts_buf *buf)
{
    free(buf->data);
    *buf = (struct ts_buf){.max_bytes = buf->max_bytes};
}

void ts_buf_clear(struct ts_buf *buf)
{
    buf->len = 0;
    buf->error = 0;
}

/* Doubling, so that n appends cost O(n); one byte more than the capacity, so that printf's NUL always has a
 * place. */
static char *grow(struct ts_buf *buf, size_t len)
{
    if (len > buf->max_bytes - buf->len) {
        buf->error = TS_E_LIMIT;
        return NULL;
    }
    size_t wanted = TS_MAX(buf->len + len, (size_t)FIRST_CAPACITY);
    size_t capacity =
        buf->capacity <= buf->max_bytes / 2 ? TS_MAX(wanted, buf->capacity * 2) : buf->max_bytes;
    char *data = grow_memory(buf->data, capacity + 1);
    if (!data) {
        buf->error = -ENOMEM;
        return NULL;
    }
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->len;
}

char *ts_buf_reserve(struct ts_buf *buf, size_t len)
{
    if (buf->error)
        return NULL;
    if (buf->data && len <= buf->capacity - buf->len && len <= buf->max_bytes - buf->len)
        return buf->data + buf->len;
    return grow(buf, len);
}

void ts_buf_added(struct ts_buf *buf, size_t len)
{
    buf->len += len;
}

void ts_buf_bytes(struct ts_buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    char *p = ts_buf_reserve(buf, len);
    if (p) {
        memcpy(p, bytes, len);
        buf->len += len;
    }
}

void ts_buf_str(struct ts_buf *buf, ts_str s)
{
    ts_buf_bytes(buf, s.ptr, s.len);
}

void ts_buf_cstr(struct ts_buf *buf, const char *cstr)
{
    ts_buf_bytes(buf, cstr, strlen(cstr));
}

void ts_buf_char(struct ts_buf *buf, char c)
{
    char *p = ts_buf_reserve(buf, 1);

    if (p) {
        *p = c;
        buf->len++;
    }
}

/* The digits of `value` before `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
}

void ts_buf_i64(struct ts_buf *buf, int64_t value)
{
    char text[I64_DIGITS];
    char *end = text + sizeof(text);
    char *p = digits_before(end, magnitude(value));

    if (value < 0)
        *--p = '-';
    ts_buf_bytes(buf, p, (size_t)(end - p));
}

void ts_buf_e6(struct ts_buf *buf, int64_t value_e6)
{
    char text[I64_DIGITS + 2];
    char *end = text + sizeof(text), *p = end;
    uint64_t whole = magnitude(value_e6) / 1000000, fraction = magnitude(value_e6) % 1000000;

    if (fraction > 0) {
        int decimals = 6;
        for (; fraction % 10 == 0; fraction /= 10)
            decimals--;
        for (; decimals > 0; decimals--, fraction /= 10)
            *--p = (char)('0' + fraction % 10);
        *--p = '.';
    }
    p = digits_before(p, whole);
    if (value_e6 < 0)
        *--p = '-';
    ts_buf_bytes(buf, p, (size_t)(end - p));
}

void ts_buf_time(struct ts_buf *buf, int64_t time_us)
{
    char text[TS_TIME_TEXT_SIZE];

    ts_buf_str(buf, ts_time_format(time_us, text));
}

void ts_buf_printf(struct ts_buf *buf, const char *fmt, ...)
{
    va_list args;
    size_t room = buf->data ? buf->capacity - buf->len + 1 : 0;

    if (buf->error)
        return;
    va_start(args, fmt);
    int len = vsnprintf(buf->data ? buf->data + buf->len : NULL, room, fmt, args);
    va_end(args);
    if (len < 0)
        buf->error = TS_E_LIMIT; /* only beyond INT_MAX */
    char *p = len > 0 ? ts_buf_reserve(buf, (size_t)len) : NULL;
    if (!p)
        return;
    if ((size_t)len >= room) { /* there was too little room before */
        va_start(args, fmt);
        vsnprintf(p, (size_t)len + 1, fmt, args);
        va_end(args);
    }
    buf->len += (size_t)len;
}
