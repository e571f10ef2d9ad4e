/*
 * Inside the HTTP server. Four files work on three nouns:
 *
 *   server.c      the server: options, listening, limits of connections, time (one coarse tick for all deadlines), drain
 *   connection.c  the connection: bytes in, llhttp, the pipeline of exchanges, deadlines of reading
 *   output.c      the connection: answers out in order, lingering close
 *   request.c     the header block into a struct ts_http_request
 *   exchange.c    one request and its answer: pool, tickets, reply, park, answer
 *   stream.c      server-sent events
 *   router.c      patterns
 *
 * A connection has a queue of exchanges in the order of the requests; the last may still be read, the first answered ones are
 * being written. Memory is in the exchanges, which are pooled: an idle connection owns nothing but itself.
 *
 * Re-entrancy: handlers run only from the pass over a connection's input (`busy`), where nothing is written or closed; what they
 * cause on other connections is written at once, but closing is left to the loop's next turn (`ts_conn_doom`), so no call of the public
 * interface calls back into the program.
 */
#ifndef TS_HTTP_SERVER_INTERNAL_H
#define TS_HTTP_SERVER_INTERNAL_H

#include <llhttp.h>

#include "base/limits.h"
#include "http/server.h"

#define TS_READ_BYTES          (64 * 1024) /* one buffer for all connections: libuv reads and calls back at once */
#define TS_POOL_EXCHANGES      64          /* kept for reuse */
#define TS_POOL_BUFFER_BYTES   (32 * 1024)         /* a pooled exchange keeps buffers up to this */
#define TS_MAX_EXTENSION_BYTES TS_MAX_HEADER_BYTES /* chunk extensions and trailers of one body */
#define TS_LINGER_US           (2 * TS_US_PER_S)
#define TS_DRAIN_QUIET_US \
    (250 * TS_US_PER_MS) /* a connection idle for that long is let go when draining begins */
#define TS_HEARTBEAT_US        (15 * TS_US_PER_S)
#define TS_REST_US             (10 * TS_US_PER_MS) /* ts_http_slow_down */
#define TS_MAX_REFUSALS_LOGGED 10                  /* a second */

enum ts_conn_state {
    TS_CONN_OPEN,      /* requests are read */
    TS_CONN_STREAMING, /* a stream was begun; what the client still sends is dropped */
    TS_CONN_ENDING, /* the last request was taken: answers still due go out, then it closes; input is dropped */
    TS_CONN_LINGERING, /* all is sent and our side shut down: a moment for the client to read before a reset could destroy it */
    TS_CONN_CLOSED, /* waits for libuv's close call-back */
};

enum ts_exchange_state {
    TS_EX_HEAD,     /* its header is being read */
    TS_EX_BODY,     /* its body is being read */
    TS_EX_HANDLING, /* a handler has it */
    TS_EX_PARKED,
    TS_EX_ANSWERED, /* `out` and `out_body` are the whole answer */
    TS_EX_STREAM,
};

struct ts_http_exchange {
    struct ts_http_request req;
    struct ts_http_connection *conn;
    struct ts_http_exchange *next; /* in the queue, or in the pool */
    enum ts_exchange_state state;
    struct ts_buf head; /* the header block as it came: req borrows from it */
    struct ts_buf body;
    struct ts_buf extra;    /* header lines of ts_http_add_header */
    struct ts_buf out;      /* answer: header and small body. Stream: what is being written */
    struct ts_buf out_body; /* answer: the body taken over. Stream: what waits */
    ts_str expect;
    size_t max_body_bytes;
    int status;
    bool http_1_0;
    bool keep_alive;   /* as far as the client and its request are concerned */
    bool has_body;     /* announced and not yet read */
    bool is_head;      /* HEAD */
    bool continue_due; /* 100 Continue as soon as it is the first in the queue */
    bool reported;     /* on_answered was called */
    ts_http_ticket ticket;
    void (*stream_closed)(ts_http_ticket ticket, void *ctx);
    void *stream_ctx;
    int64_t stream_sent_us;
};

struct ts_http_connection {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    llhttp_t parser;
    struct ts_http_server *server;
    struct ts_http_connection *prev, *next;
    struct ts_http_connection *next_resting; /* in the server's queue */
    int64_t rest_until_us;                   /* no new request is begun before */
    struct ts_http_connection *next_due;     /* in the server's list of work for the next turn */
    enum ts_conn_state state;
    struct ts_http_exchange *first, *last;
    size_t n_exchanges;
    struct ts_http_exchange *reading; /* == last, or NULL */
    bool discarding;                  /* an early answer was given, its body is still coming */
    bool head_done, message_done;     /* set by llhttp's call-backs, which only pause */
    int refusal;                      /* status, set by llhttp's call-backs */
    size_t extension_bytes;           /* chunk extensions and trailers of the message being read */
    bool refused;     /* the last answer refuses what was being read: there may be unread input */
    bool busy;        /* in the pass over its input */
    bool due;         /* is in the list */
    bool doomed;      /* will be closed by the list */
    bool client_done; /* the client shut down its side */
    bool held;        /* not read from: the pipeline is full, or it rests */
    bool resting;     /* held until rest_until_us */
    bool writing;     /* a uv_write is under way: of `writing_exchanges` answers, or of the stream's `out` */
    bool counted;     /* in the table of addresses */
    size_t writing_exchanges;
    size_t dropped_bytes;
    struct ts_buf unread; /* what came while the pipeline was full */
    int64_t deadline_us;  /* of reading or idling; 0 = none */
    int64_t write_deadline_us;
    int64_t active_us; /* last input; the clock is read once a pass */
    struct ts_address address;
    char peer[TS_ADDRESS_SIZE];
};

struct ts_http_listener {
    uv_tcp_t tcp;
    struct ts_http_server *server;
    struct ts_http_listener *next;
    bool waiting; /* a connection waits in libuv's hand: we are full, so nothing more is accepted */
};

struct ts_ticket_slot {
    uint64_t generation;
    struct ts_http_exchange *exchange;
    uint32_t next_free; /* index + 1 */
};

struct ts_http_server {
    uv_loop_t *loop;
    struct ts_http_server_options options; /* defaults filled in */
    struct ts_cidr *trusted;
    size_t n_trusted;
    struct ts_address_table *addresses;
    struct ts_http_listener *listeners;
    struct ts_http_connection *connections;
    int n_connections, n_streams, n_parked;
    int n_handles; /* open uv handles; the memory goes with the last */

    struct ts_http_exchange *pool;
    size_t n_pool;
    struct ts_ticket_slot *slots;
    size_t n_slots;
    uint32_t free_slot; /* index + 1 */

    uv_timer_t tick; /* runs while there are connections */
    uint64_t tick_ms;
    uv_idle_t next_turn;
    struct ts_http_connection *due, *running_due;
    uv_timer_t rest;
    struct ts_http_connection *first_resting, *last_resting; /* in the order in which they wake */

    int64_t date_s; /* second of `date_headers` */
    char date_headers[160];
    size_t date_headers_len;
    int64_t refusals_s;
    int refusals_logged;
    bool full_logged;

    bool retiring, draining, freeing;
    int64_t drain_deadline_us;
    int drain_forced;
    void (*drain_done)(void *ctx, int forced);
    void *drain_ctx;

    /* Tests change these. */
    int64_t heartbeat_us;
    int64_t drain_quiet_us;
    bool limit_loopback; /* the limit of connections an address holds for loopback as well */

    char read_buffer[TS_READ_BYTES];
};

/* server.c */
int ts_http_server_adopt(struct ts_http_server *server, int fd,
                         const struct ts_address *peer); /* a connected stream socket; tests, fuzzing */
void ts_server_connection_gone(struct ts_http_server *server, struct ts_http_connection *conn);
void ts_server_handle_gone(struct ts_http_server *server);
void ts_server_due(struct ts_http_connection *conn);
bool ts_server_may_log_refusal(struct ts_http_server *server);
void ts_server_rest(struct ts_http_connection *conn); /* held until its time, then due */
bool ts_server_trusts(const struct ts_http_server *server, const struct ts_address *peer);

/* connection.c */
struct ts_http_connection *ts_conn_new(struct ts_http_server *server);
int ts_conn_start(struct ts_http_connection *conn, const struct ts_address *peer);
void ts_conn_run_due(struct ts_http_connection *conn);
void ts_conn_check_time(struct ts_http_connection *conn, int64_t now_us);
void ts_conn_begin_drain(struct ts_http_connection *conn, int64_t now_us);
void ts_conn_doom(struct ts_http_connection *conn);  /* closes in the loop's next turn */
void ts_conn_close(struct ts_http_connection *conn); /* at once; never from inside a public function */
void ts_conn_became_idle(struct ts_http_connection *conn);

/* output.c */
void ts_conn_flush(struct ts_http_connection *conn);
bool ts_conn_write_timed_out(const struct ts_http_connection *conn, int64_t now_us);

/* request.c: 0, or the status to refuse with and a short reason. */
struct ts_refusal {
    int status;
    const char *text; /* for the client */
    const char *code; /* for the client and the log */
};
bool ts_request_parse(struct ts_http_exchange *ex, const llhttp_t *parser, struct ts_refusal *ret_refusal);

/* exchange.c */
struct ts_http_exchange *ts_exchange_new(struct ts_http_connection *conn);
void ts_exchange_free(struct ts_http_exchange *ex);
void ts_exchange_pool_free(struct ts_http_server *server);
void ts_exchange_report(struct ts_http_exchange *ex);
void ts_exchange_respond(struct ts_http_exchange *ex, const struct ts_http_response *response);
void ts_exchange_respond_error(struct ts_http_exchange *ex, int status, const char *text, const char *code,
                               const char *field);
ts_http_ticket ts_exchange_ticket(struct ts_http_exchange *ex); /* 0 = out of memory */
struct ts_http_exchange *ts_exchange_find(struct ts_http_server *server, ts_http_ticket ticket);
void ts_exchange_forget_ticket(struct ts_http_exchange *ex);

/* stream.c */
void ts_stream_notify_closed(struct ts_http_exchange *ex);
void ts_stream_end(struct ts_http_connection *conn); /* the server drains */
void ts_stream_heartbeat(struct ts_http_connection *conn, int64_t now_us);

/* response.c */
void ts_header_write(struct ts_buf *out, ts_str name, ts_str value);
int ts_response_write(struct ts_http_exchange *ex, const struct ts_http_response *response, bool close);
int ts_response_write_stream(struct ts_http_exchange *ex);

/* router.c */
int ts_routes_check(const struct ts_http_route *routes, size_t n);
/* Sets req->route and params. False: no such route; *ret_allow is "GET, HEAD" when the path exists with other methods, else empty. */
#define TS_ALLOW_SIZE 96
bool ts_route_find(struct ts_http_server *server, struct ts_http_request *req, char ret_allow[TS_ALLOW_SIZE]);

#endif
