#include "obs/trace.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/secret.h"

#define TRACEPARENT_LEN (TS_TRACEPARENT_SIZE - 1)
#define FLAG_SAMPLED    1

/* --- ids --- */

static _Atomic uint64_t sequence;

static void seed(void)
{
    uint64_t start;

    ts_random_bytes(&start, sizeof(start));
    atomic_store_explicit(&sequence, start, memory_order_relaxed);
}

/*
 * SplitMix64 (Steele, Lea, Flood 2014): a counter with an odd step, then a mixing that is one-to-one, so no
 * id comes twice in a process. Never 0.
 */
static uint64_t next_id(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint64_t step = UINT64_C(0x9E3779B97F4A7C15);

    pthread_once(&once, seed);
    uint64_t z = atomic_fetch_add_explicit(&sequence, step, memory_order_relaxed);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return z != 0 ? z : next_id();
}

static bool is_id_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool ts_request_id_valid(ts_str id)
{
    if (id.len < 1 || id.len > TS_MAX_REQUEST_ID_BYTES)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!is_id_char(id.ptr[i]))
            return false;
    return true;
}

ts_str ts_request_id_new(char out[TS_REQUEST_ID_SIZE])
{
    uint64_t id = next_id();

    ts_hex((const uint8_t *)&id, sizeof(id), out);
    return (ts_str){out, TS_REQUEST_ID_SIZE - 1};
}

/* --- trace --- */

static void put_id(uint8_t *out)
{
    uint64_t id = next_id();

    memcpy(out, &id, sizeof(id));
}

struct ts_trace ts_trace_new(void)
{
    struct ts_trace trace = {.flags = FLAG_SAMPLED};

    put_id(trace.trace_id);
    put_id(trace.trace_id + 8);
    put_id(trace.span_id);
    return trace;
}

struct ts_trace ts_trace_child(const struct ts_trace *parent)
{
    struct ts_trace child = *parent;

    put_id(child.span_id);
    return child;
}

/* Small letters only, as the recommendation wants. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *text, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* version "-" trace-id "-" parent-id "-" flags; a later version may add more after another dash. */
static bool shape_fits(ts_str s, uint8_t version)
{
    if (s.ptr[2] != '-' || s.ptr[35] != '-' || s.ptr[52] != '-' || version == 0xFF)
        return false;
    return s.len == TRACEPARENT_LEN || (version > 0 && s.ptr[TRACEPARENT_LEN] == '-');
}

int ts_trace_parse(ts_str s, struct ts_trace *ret)
{
    struct ts_trace trace;
    uint8_t version;

    if (s.len < TRACEPARENT_LEN || !read_hex(s.ptr, 1, &version) || !shape_fits(s, version))
        return TS_E_INVALID;
    if (!read_hex(s.ptr + 3, 16, trace.trace_id) || !read_hex(s.ptr + 36, 8, trace.span_id) ||
        !read_hex(s.ptr + 53, 1, &trace.flags))
        return TS_E_INVALID;
    if (is_zero(trace.trace_id, 16) || is_zero(trace.span_id, 8))
        return TS_E_INVALID;
    trace.flags &= FLAG_SAMPLED; /* what version 00 does not know must not be passed on */
    *ret = trace;
    return 0;
}

struct ts_trace ts_trace_continue(ts_str traceparent)
{
    struct ts_trace parent;

    return ts_trace_parse(traceparent, &parent) == 0 ? ts_trace_child(&parent) : ts_trace_new();
}

ts_str ts_trace_format(const struct ts_trace *trace, char out[TS_TRACEPARENT_SIZE])
{
    memcpy(out, "00-", 3);
    ts_hex(trace->trace_id, 16, out + 3);
    out[35] = '-';
    ts_hex(trace->span_id, 8, out + 36);
    out[52] = '-';
    ts_hex(&trace->flags, 1, out + 53);
    return (ts_str){out, TRACEPARENT_LEN};
}

ts_str ts_trace_id(const struct ts_trace *trace, char out[TS_TRACE_ID_SIZE])
{
    ts_hex(trace->trace_id, 16, out);
    return (ts_str){out, TS_TRACE_ID_SIZE - 1};
}
