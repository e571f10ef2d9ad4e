/*
 * HTTP/1.1 server: libuv for the loop, llhttp for the grammar; ours are deadlines, limits, deferred answers, streams and drain.
 *
 * Everything here runs on the loop's thread. A handler is called once the request is complete (or, for `on_headers`, as soon as its
 * header is) and then does one of:
 *
 *   - answer now:    ts_http_reply(req, &response)
 *   - answer later:  ticket = ts_http_park(req), return; then ts_http_answer(server, ticket, &response) on the loop's thread
 *   - in pieces:     ticket = ts_http_park(req), return; then ts_http_answer_begin(server, ticket, …), and for each call of `more`
 *                    ts_http_answer_piece() or ts_http_answer_end()
 *   - stream:        ticket = ts_http_stream(req, …), return; then ts_http_stream_send(server, ticket, bytes) …
 *
 * A parked request is known by its number only. When its client vanishes (a reset), the connection and the request's arena are
 * freed at once, and a later answer returns TS_E_GONE, which is no error: work that was begun completes. So nothing that
 * outlives the handler may point into the request; copy what you need. A client that only shut down its side still gets its answer; a
 * stream ends with it. Handlers and `closed` call-backs are called from the loop, never from inside a function of this header
 * (but ts_http_server_drain and _free end streams themselves); neither may be called by a handler.
 *
 * What it refuses by itself, with a JSON body {"error":…} and `Connection: close` (llhttp strict, plus RFC 9112):
 *   400 malformed request, obs-fold, empty header name, missing/duplicate Host, bare LF or CR, NUL, Content-Length with
 *       Transfer-Encoding or twice, Transfer-Encoding other than `chunked`, bad chunks, broken escapes, NUL or invalid UTF-8 in the
 *       path, targets that do not begin with '/', a request cut short by the client
 *   408 header not complete within header_timeout_us, or the body within body_timeout_us (a deadline for the whole, not for
 *       inactivity); a client that says nothing at all is closed without a word
 *   413 body over the route's limit, declared or counted (an unauthenticated body is drained to TS_MAX_DRAIN_BYTES at most)
 *   417 Expect other than 100-continue (100-continue is answered when the route takes the body)
 *   431 header, with the request line, over TS_MAX_HEADER_BYTES or TS_MAX_HEADERS
 *   505 other than HTTP/1.0 and 1.1
 *   404 {"error":"Not Found","message":"Route GET /x not found"}, 405 {"error":"Method not allowed"} with Allow
 *   connections over the limit: per address closed at once; in all: accept pauses until one ends
 *
 * Pipelined requests are answered in order, at most TS_MAX_PIPELINED read ahead. Every answer carries X-Request-Id, nosniff, frame deny,
 * no-referrer, Date; no server version (tp-capital 4). HEAD is GET without the body. Dot segments and double slashes are not
 * normalised, they just match no route.
 *
 * Thread rule: the loop's thread only.
 */
#ifndef TS_HTTP_SERVER_H
#define TS_HTTP_SERVER_H

#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/str.h"
#include "http/address.h"
#include "obs/trace.h"

struct ts_http_server;
struct ts_http_request;

typedef uint64_t ts_http_ticket; /* 0 = none; never used twice */

struct ts_http_header {
    ts_str name; /* as sent; compare without case */
    ts_str value;
};

/* What a handler sees; everything borrowed and gone after the answer (or when the client leaves a parked request). */
struct ts_http_request {
    ts_str method;
    ts_str path;  /* percent-decoded, valid UTF-8, no NUL, begins with '/' */
    ts_str query; /* raw, without '?' ; see http/query.h */
    ts_str body;  /* empty in on_headers */
    ts_str request_id;
    struct ts_trace trace;
    struct ts_arena *arena;            /* lives as long as the request */
    const struct ts_http_route *route; /* NULL: no route (404) */
    const struct ts_http_header *headers;
    size_t n_headers;
    ts_str params[4];           /* of {placeholders} in the pattern, in order */
    char peer[TS_ADDRESS_SIZE]; /* X-Forwarded-For only when the peer is a trusted proxy */
    int64_t received_us;        /* monotonic, first byte of this request */
    struct ts_http_server *server;
    void *connection_; /* the server's own */
};

typedef void (*ts_http_handler)(struct ts_http_request *req, void *ctx);

struct ts_http_route {
    const char *method; /* "GET"; HEAD comes with it */
    const char *
        pattern; /* "/signals/{id}"; a pattern that is the path itself wins, else the first match in the table */
    ts_http_handler handler;
    /*
     * Optional, called when the header is complete and before the body is read. If it replies (or parks), the body is never
     * parsed: it is drained up to TS_MAX_DRAIN_BYTES and the connection closed when there is more.
     */
    ts_http_handler on_headers;
    size_t max_body_bytes; /* 0 = TS_MAX_BODY_BYTES; larger: 413 before the handler */
    unsigned flags;        /* TS_ROUTE_* */
};

enum {
    TS_ROUTE_ANY_HOST = 1 << 0, /* the guard checks no Host: /health/live, /metrics */
    TS_ROUTE_OWN_AUTH =
        1 << 1, /* a mutation that authenticates itself (/ingest): no ADMIN_TOKEN, Origin after its token */
    TS_ROUTE_READ = 1 << 2,     /* POST that changes nothing (/parse): not a mutation */
    TS_ROUTE_UNLIMITED = 1 << 3 /* exempt from the rate limit */
};

struct ts_http_server_options {
    const struct ts_http_route *routes; /* borrowed for the server's life */
    size_t n_routes;
    void *ctx; /* given to every handler */
    /* Before any route is called, also for unknown paths (req->route is already set or NULL): Host, Origin, token, rate limit (http/guard.h). May reply; then nothing else is called. */
    ts_http_handler guard;
    void *guard_ctx;
    /* After each answer was handed to the socket: access metrics. Of a malformed request method and path are empty, route is NULL. */
    void (*on_answered)(const struct ts_http_request *req, int status, int64_t duration_us, void *ctx);
    const struct ts_str_list *trusted_proxies; /* CIDR; NULL = none */
    int max_connections;                       /* 0 = TS_MAX_CONNECTIONS_DEFAULT */
    int max_connections_per_address; /* 0 = TS_MAX_CONNECTIONS_ADDRESS; loopback and trusted proxies exempt */
    int64_t header_timeout_us;       /* 0 = 10 s */
    int64_t body_timeout_us;         /* 0 = 30 s */
    int64_t idle_timeout_us;         /* 0 = 60 s between requests */
    int64_t write_timeout_us;        /* 0 = 30 s for a client to take an answer */
};

/*
 * 0 or -ENOMEM/TS_E_INVALID (a bad pattern or CIDR). Makes the process ignore SIGPIPE, and raises its soft limit of open files as
 * far as max_connections needs; where that is not allowed max_connections is lowered, with a line in the log.
 */
TS_MUST_CHECK int ts_http_server_new(uv_loop_t *loop, const struct ts_http_server_options *options,
                                     struct ts_http_server **ret);

/* May be called for several addresses. port 0 = any free one. freebind: IP_FREEBIND. -EADDRINUSE and others of bind(2). */
TS_MUST_CHECK int ts_http_server_listen(struct ts_http_server *server, const char *address, int port,
                                        bool freebind, int *ret_port);

/*
 * Before a drain, when somebody in front of us has to notice first: from now on every answer says `Connection: close`, so that a
 * proxy's kept connections end one by one. All else goes on: connections are accepted, streams begin.
 */
void ts_http_server_retire(struct ts_http_server *server);

/*
 * Stops accepting (who has connected by then is served still), lets idle connections go, sends `Connection: close` with every
 * answer still due, ends streams, and calls `done` when no connection is left or after timeout_us (then `forced` counts connections
 * that were cut).
 */
void ts_http_server_drain(struct ts_http_server *server, int64_t timeout_us,
                          void (*done)(void *ctx, int forced), void *ctx);

/* Closes whatever is open and frees, once the loop has run the close call-backs. Takes NULL. */
struct ts_http_server *ts_http_server_free(struct ts_http_server *server);

struct ts_http_server_stats {
    int connections;
    int streams;
    int parked;
};
struct ts_http_server_stats ts_http_server_stats(const struct ts_http_server *server);

/* --- in handlers --- */

/* TS_STR_NONE when absent; the first when sent several times (Host, Content-Length twice never get here). */
ts_str ts_http_header(const struct ts_http_request *req, const char *name);

/*
 * A header for whatever answer this request gets later, by whoever: for guards (CORS, rate limit). Copied. Before the answer only.
 */
void ts_http_add_header(struct ts_http_request *req, ts_str name, ts_str value);

/*
 * The request after this one on the same connection is read 10 ms from now at the earliest; this one's answer is not delayed. For callers that are
 * refused: one that tries again and again as fast as it is refused would take the processor from everybody else. No-op when the connection is that of
 * a trusted proxy, who speaks for others too.
 */
void ts_http_slow_down(struct ts_http_request *req);

struct ts_http_response {
    int status;                           /* 0 = 200 */
    const char *content_type;             /* NULL = application/json */
    const struct ts_http_header *headers; /* additional; copied */
    size_t n_headers;
    ts_str body;              /* copied, unless body_take is set */
    struct ts_buf *body_take; /* its bytes are taken over instead: no copy for large answers */
};

void ts_http_reply(struct ts_http_request *req, const struct ts_http_response *response);

/* {"error":text, "code":…, "field":…, "requestId":…}; code and field may be NULL. */
void ts_http_reply_error(struct ts_http_request *req, int status, const char *text, const char *code,
                         const char *field);

/* Answer later. The handler must return without replying. 0 when out of memory: reply 503 instead. */
TS_MUST_CHECK ts_http_ticket ts_http_park(struct ts_http_request *req);

/* 0, or TS_E_GONE when the client has left. `body_take` is taken over in any case. */
int ts_http_answer(struct ts_http_server *server, ts_http_ticket ticket,
                   const struct ts_http_response *response);
int ts_http_answer_error(struct ts_http_server *server, ts_http_ticket ticket, int status, const char *text,
                         const char *code, const char *field);

/* The parked request while its client is there, else NULL. For reading its header at answer time. */
struct ts_http_request *ts_http_parked(struct ts_http_server *server, ts_http_ticket ticket);

/*
 * An answer of any length with bounded memory: a parked request is answered piece by piece. Sends the header (`body` and `body_take` of
 * the response are ignored); from then on `more` is called whenever the client has taken all that was sent, and is answered, then or
 * later, by exactly one of ts_http_answer_piece(), _end() and _abort(): so one piece is in memory, and a slow client slows the producer.
 * A client has write_timeout_us for each piece: keep them short, some 64 KiB.
 *
 * The body is chunked, and the connection is used again after it; HTTP/1.0 gets it as it is, and it ends with the connection. What fails
 * on the way is cut by ts_http_answer_abort() and then lacks the last chunk. A drain waits for the end. `closed` is called once
 * when the client has gone or is cut before the end, as for streams; not after _end() or _abort(). Neither call-back is called from
 * inside a function of this header.
 *
 * 0; TS_E_GONE when the client has left, or asked by HEAD and has its header now: then nothing more is to be done.
 */
struct ts_http_pieces {
    void (*more)(ts_http_ticket ticket, void *ctx);
    void (*closed)(ts_http_ticket ticket, void *ctx);
    void *ctx;
};
TS_MUST_CHECK int ts_http_answer_begin(struct ts_http_server *server, ts_http_ticket ticket,
                                       const struct ts_http_response *response,
                                       const struct ts_http_pieces *pieces);

/* 0 or TS_E_GONE. The buffer is taken over in any case. An empty piece only asks for the next. */
int ts_http_answer_piece(struct ts_http_server *server, ts_http_ticket ticket, struct ts_buf *body_take);
void ts_http_answer_end(struct ts_http_server *server, ts_http_ticket ticket);
void ts_http_answer_abort(struct ts_http_server *server, ts_http_ticket ticket); /* at any time */

/*
 * Server-sent events: sends 200 text/event-stream (no-store, X-Accel-Buffering: no). A comment line goes out each 15 s by itself.
 * `closed` is called once when the client leaves, is cut (TS_MAX_STREAM_BACKLOG_BYTES unsent) or the server drains; not after
 * ts_http_stream_close. 0 with the ticket; TS_E_OVERLOADED over TS_MAX_STREAMS or in drain (503 was answered); TS_E_GONE for HEAD, which
 * has no stream to it (200 was answered). The stream ends with its connection, so it has no chunks.
 */
TS_MUST_CHECK int ts_http_stream(struct ts_http_request *req,
                                 void (*closed)(ts_http_ticket ticket, void *ctx), void *ctx,
                                 ts_http_ticket *ret);

/* Complete events ("id: 7\nevent: x\ndata: {}\n\n"), copied. 0 or TS_E_GONE. */
int ts_http_stream_send(struct ts_http_server *server, ts_http_ticket ticket, ts_str events);

/* Bytes not yet taken by the client; a producer reads the next page only when this is small. -1 = gone. */
ptrdiff_t ts_http_stream_backlog(struct ts_http_server *server, ts_http_ticket ticket);

void ts_http_stream_close(struct ts_http_server *server, ts_http_ticket ticket);

#endif
