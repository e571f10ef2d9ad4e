/*
 * Request ids and W3C trace context (https://www.w3.org/TR/trace-context/, version 00): what ties the log
 * lines about one message together, from the gateway to the database row.
 *
 * Ids are unique, not secret: a random seed for each process and a counter, no system call for each. A
 * process that forks without exec shares the sequence with its child. Thread-safe.
 */
#ifndef TS_OBS_TRACE_H
#define TS_OBS_TRACE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/* --- request id: X-Request-Id (tp-capital 3.1) --- */

#define TS_MAX_REQUEST_ID_BYTES 64
#define TS_REQUEST_ID_SIZE      17

/* 1 to 64 of [A-Za-z0-9._-]. */
bool ts_request_id_valid(ts_str id);

/* 16 hex digits into `out`, NUL-terminated; returns them. */
ts_str ts_request_id_new(char out[TS_REQUEST_ID_SIZE]);

/* --- trace --- */

struct ts_trace {
    uint8_t trace_id[16]; /* the whole way; never all zero */
    uint8_t span_id[8];   /* this part of it; never all zero */
    uint8_t flags;        /* bit 0: sampled */
};

/* A new, sampled trace. */
struct ts_trace ts_trace_new(void);

/* The same trace with a span of its own: for what is sent on. */
struct ts_trace ts_trace_child(const struct ts_trace *parent);

/*
 * The value of a `traceparent` header. TS_E_INVALID for anything the recommendation does not allow: capital
 * letters, zero ids, version ff, wrong length. Of versions after 00 the four known fields are read.
 */
TS_MUST_CHECK int ts_trace_parse(ts_str traceparent, struct ts_trace *ret);

/* For the door: the caller's trace with a span of our own, or a new trace when the header is absent or
 * invalid. */
struct ts_trace ts_trace_continue(ts_str traceparent);

#define TS_TRACEPARENT_SIZE 56
/* "00-<32 hex>-<16 hex>-01" into `out`, NUL-terminated; returns it. */
ts_str ts_trace_format(const struct ts_trace *trace, char out[TS_TRACEPARENT_SIZE]);

#define TS_TRACE_ID_SIZE 33
/* The 32 hex digits of the trace id, for log lines. */
ts_str ts_trace_id(const struct ts_trace *trace, char out[TS_TRACE_ID_SIZE]);

#endif
