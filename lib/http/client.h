/*
 * HTTP client: libcurl's multi interface on the loop; nothing blocks. Connections are kept and reused by host.
 *
 * Redirects are not followed. Only http and https. A reply longer than max_reply_bytes is TS_E_LIMIT. Thread rule: the loop's thread.
 */
#ifndef TS_HTTP_CLIENT_H
#define TS_HTTP_CLIENT_H

#include <uv.h>

#include "base/compiler.h"
#include "base/str.h"
#include "http/server.h" /* ts_http_header */

struct ts_http_client;
typedef uint64_t ts_http_call; /* 0 = none; never used twice */

struct ts_http_client_request {
    const char *method;                   /* NULL = GET */
    const char *url;                      /* copied */
    const struct ts_http_header *headers; /* copied */
    size_t n_headers;
    ts_str body;                /* copied; TS_STR_NONE = no body */
    int64_t timeout_us;         /* for the whole call, name look-up included; 0 = 10 s */
    int64_t connect_timeout_us; /* 0 = 2 s */
    size_t max_reply_bytes;     /* 0 = TS_MAX_REPLY_BYTES */
};

struct ts_http_client_reply {
    /*
     * 0: a complete reply with `status`. -ECONNREFUSED, -ECONNRESET, -EHOSTUNREACH (name or route), TS_E_TIMEOUT, TS_E_PROTOCOL, TS_E_LIMIT,
     * TS_E_CLOSED (cancelled or the client is being freed).
     */
    int error;
    int status;
    ts_str body;            /* borrowed during the call-back */
    int64_t retry_after_us; /* from Retry-After in seconds; -1 = absent */
    const char *error_text; /* libcurl's words, for logs; never the URL's secrets */
};

typedef void (*ts_http_client_done)(const struct ts_http_client_reply *reply, void *ctx);

/* max_per_host: connections at once to one host. */
TS_MUST_CHECK int ts_http_client_new(uv_loop_t *loop, int max_per_host, struct ts_http_client **ret);

/* Cancels every call (their call-backs run with TS_E_CLOSED), then frees once the loop has run. Takes NULL. */
struct ts_http_client *ts_http_client_free(struct ts_http_client *client);

/* `done` is called exactly once, never from inside this function. 0 with *ret_call (may be NULL), or an error and no call-back. */
TS_MUST_CHECK int ts_http_client_send(struct ts_http_client *client,
                                      const struct ts_http_client_request *request, ts_http_client_done done,
                                      void *ctx, ts_http_call *ret_call);

/* The call-back runs with TS_E_CLOSED before this returns. Unknown or finished calls are ignored. */
void ts_http_client_cancel(struct ts_http_client *client, ts_http_call id);

#endif
