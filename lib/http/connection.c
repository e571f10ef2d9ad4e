/*
 * A connection: bytes in, llhttp over them, requests to their handlers, and the deadlines of reading.
 *
 * llhttp's call-backs do nothing but note what happened and pause it; everything of weight happens between two calls of it.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/server_internal.h"

/* --- llhttp's call-backs ------------------------------------------------------------------------------------------------ */

static struct ts_http_connection *conn_of(llhttp_t *parser)
{
    return parser->data;
}

static int on_headers_complete(llhttp_t *parser)
{
    parser->upgrade =
        0; /* we speak one protocol: an Upgrade header is a request that is not granted (RFC 9110, 7.8) */
    conn_of(parser)->head_done = true;
    return HPE_PAUSED;
}

static int refuse_later(struct ts_http_connection *conn, int status)
{
    conn->refusal = status;
    return HPE_USER;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct ts_http_connection *conn = conn_of(parser);
    struct ts_http_exchange *ex = conn->reading;
    if (conn->discarding) {
        conn->dropped_bytes += len;
        return 0;
    }
    if (len > ex->max_body_bytes - ex->body.len)
        return refuse_later(conn, 413);
    ts_buf_bytes(&ex->body, at, len);
    return ts_buf_error(&ex->body) ? refuse_later(conn, 503) : 0;
}

/* A chunk that announces more than the body may have is refused before it comes. */
static int on_chunk_header(llhttp_t *parser)
{
    struct ts_http_connection *conn = conn_of(parser);
    const struct ts_http_exchange *ex = conn->reading;
    if (!conn->discarding && parser->content_length > ex->max_body_bytes - ex->body.len)
        return refuse_later(conn, 413);
    return 0;
}

/* Chunk extensions and trailers are read over, but not without end (CVE-2024-22019 of Node). */
static int on_extension(llhttp_t *parser, const char *at, size_t len)
{
    (void)at;
    struct ts_http_connection *conn = conn_of(parser);
    conn->extension_bytes += len;
    return conn->extension_bytes > TS_MAX_EXTENSION_BYTES ? refuse_later(conn, 413) : 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    return conn_of(parser)->head_done ? on_extension(parser, at, len) : 0;
}

static int on_message_complete(llhttp_t *parser)
{
    conn_of(parser)->message_done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_header_field = on_field,
    .on_header_value = on_field,
    .on_chunk_header = on_chunk_header,
    .on_chunk_extension_name = on_extension,
    .on_chunk_extension_value = on_extension,
    .on_message_complete = on_message_complete,
};

/* --- refusing ----------------------------------------------------------------------------------------------------------- */

/* The request that is being read is answered with an error, and it is the last. */
static void refuse(struct ts_http_connection *conn, struct ts_refusal refusal)
{
    struct ts_http_exchange *ex = conn->reading;
    ex->keep_alive = false;
    conn->refused = true;
    conn->reading = NULL;
    conn->deadline_us = 0;
    if (ts_server_may_log_refusal(conn->server))
        ts_log_warn("Request refused", TS_F_I64("status", refusal.status), TS_F_CSTR("reason", refusal.code),
                    TS_F_CSTR("ip", conn->peer));
    ts_exchange_respond_error(ex, refusal.status, refusal.text, refusal.code, NULL);
}

static void refuse_status(struct ts_http_connection *conn, int status)
{
    switch (status) {
    case 408:
        refuse(conn, (struct ts_refusal){408, "Request timeout", "timeout"});
        break;
    case 413:
        refuse(conn, (struct ts_refusal){413, "Payload too large", "too_large"});
        break;
    case 431:
        refuse(conn, (struct ts_refusal){431, "Request header too large", "header_too_large"});
        break;
    case 503:
        refuse(conn, (struct ts_refusal){503, "Out of memory", "out_of_memory"});
        break;
    default:
        refuse(conn, (struct ts_refusal){400, "Malformed request", "malformed"});
    }
}

/* --- requests ----------------------------------------------------------------------------------------------------------- */

/* Gives the exchange to a handler. True when the handler answered, parked or began a stream. */
static bool handled_by(struct ts_http_exchange *ex, ts_http_handler handler, void *ctx)
{
    ex->state = TS_EX_HANDLING;
    handler(&ex->req, ctx);
    return ex->state != TS_EX_HANDLING;
}

static void reply_no_route(struct ts_http_exchange *ex, const char *allow)
{
    struct ts_http_request *req = &ex->req;
    ex->state = TS_EX_HANDLING;
    if (allow[0]) {
        struct ts_http_header header = {TS_STR("Allow"), ts_str_from(allow)};
        ts_http_reply(req, &(struct ts_http_response){.status = 405,
                                                      .headers = &header,
                                                      .n_headers = 1,
                                                      .body = TS_STR("{\"error\":\"Method not allowed\"}")});
        return;
    }
    struct ts_buf body = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES), message = TS_BUF_INIT(TS_MAX_HEADER_BYTES * 2);
    ts_buf_printf(&message, "Route %.*s %.*s not found", TS_STR_ARG(req->method), TS_STR_ARG(req->path));
    ts_buf_cstr(&body, "{\"error\":\"Not Found\",\"message\":");
    ts_buf_json_str(&body, ts_buf_view(&message));
    ts_buf_char(&body, '}');
    ts_buf_done(&message);
    ts_http_reply(req, &(struct ts_http_response){.status = 404, .body_take = &body});
}

/* Guard, route and on_headers. True when one of them has dealt with the request: its body will not be looked at. */
static bool dealt_with_early(struct ts_http_exchange *ex)
{
    struct ts_http_server *server = ex->conn->server;
    char allow[TS_ALLOW_SIZE];
    bool found = ts_route_find(server, &ex->req, allow);
    if (server->options.guard && handled_by(ex, server->options.guard, server->options.guard_ctx))
        return true;
    if (!found) {
        reply_no_route(ex, allow);
        return true;
    }
    return ex->req.route->on_headers && handled_by(ex, ex->req.route->on_headers, server->options.ctx);
}

/* The body may come, if it fits and the client's expectation can be met. */
static void expect_body(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->reading;
    size_t max = ex->req.route->max_body_bytes;
    ex->state = TS_EX_BODY;
    ex->max_body_bytes = max ? max : TS_MAX_BODY_BYTES;
    ex->body.max_bytes = ex->max_body_bytes;
    if (!ts_str_is_none(ex->expect) && !ts_str_eq_nocase(ex->expect, TS_STR("100-continue")))
        refuse(conn, (struct ts_refusal){417, "Expectation failed", "expectation"});
    else if (conn->parser.content_length > ex->max_body_bytes)
        refuse_status(conn, 413);
    else if (ex->has_body && !ts_str_is_none(ex->expect))
        ex->continue_due = true;
}

/* The header block is complete. */
static void take_head(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->reading;
    struct ts_refusal refusal;
    if (!ts_request_parse(ex, &conn->parser, &refusal)) {
        refuse(conn, refusal);
        return;
    }
    conn->deadline_us = conn->active_us + conn->server->options.body_timeout_us;
    if (dealt_with_early(ex)) {
        conn->discarding = conn->state == TS_CONN_OPEN;
        conn->refused = ex->has_body && !conn->discarding;
        conn->dropped_bytes = 0;
    } else {
        expect_body(conn);
    }
}

/* The message is complete. */
static void take_message(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->reading;
    bool discarded = conn->discarding;
    llhttp_reset(&conn->parser);
    conn->head_done = conn->message_done = conn->discarding = false;
    conn->dropped_bytes = 0;
    conn->extension_bytes = 0;
    conn->reading = NULL;
    conn->deadline_us = 0;
    if (ex) {
        ex->has_body = false;
        ex->continue_due = false;
        if (!ex->keep_alive && conn->state == TS_CONN_OPEN)
            conn->state = TS_CONN_ENDING;
    }
    if (discarded || !ex)
        return;
    ex->req.body = ts_buf_view(&ex->body);
    if (!handled_by(ex, ex->req.route->handler, conn->server->options.ctx)) {
        ts_log_error("Handler neither answered nor parked", TS_F_STR("path", ex->req.path));
        ts_exchange_respond_error(ex, 500, "Internal server error", NULL, NULL);
    }
}

/* --- input -------------------------------------------------------------------------------------------------------------- */

static bool begin_request(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = ts_exchange_new(conn);
    if (!ex)
        return false;
    if (conn->last)
        conn->last->next = ex;
    else
        conn->first = ex;
    conn->last = ex;
    conn->reading = ex;
    conn->n_exchanges++;
    conn->deadline_us = ex->req.received_us + conn->server->options.header_timeout_us;
    return true;
}

/* Runs llhttp over `bytes`; returns how many it took. With a fault the request is refused and all are taken. */
static size_t parse(struct ts_http_connection *conn, const char *bytes, size_t len)
{
    llhttp_errno_t error = llhttp_execute(&conn->parser, bytes, len);
    if (error == HPE_OK)
        return len;
    if (error == HPE_PAUSED) {
        size_t taken = (size_t)(llhttp_get_error_pos(&conn->parser) - bytes);
        llhttp_resume(&conn->parser);
        return taken;
    }
    conn->head_done = conn->message_done = false;
    if (conn->reading && !conn->discarding) {
        refuse_status(conn, conn->refusal ? conn->refusal : 400);
    } else {
        conn->refused = true; /* of a body nobody wanted: the answer was given */
        conn->state = TS_CONN_ENDING;
    }
    return len;
}

/* Header bytes are gathered in one piece, with as little as possible of what follows them. */
static size_t parse_head(struct ts_http_connection *conn, struct ts_buf *head, ts_str in)
{
    const char *end = memmem(in.ptr, in.len, "\r\n\r\n", 4);
    size_t len = end ? (size_t)(end - in.ptr) + 4 : in.len;
    size_t room = TS_MAX_HEADER_BYTES - head->len;
    bool too_long = len > room;
    len = TS_MIN(len, room);
    size_t before = head->len;
    ts_buf_bytes(head, in.ptr, len);
    if (ts_buf_error(head)) {
        refuse_status(conn, 503);
        return in.len;
    }
    size_t taken = parse(conn, head->data + before, len);
    if (conn->head_done) {
        head->len = before + taken;
        take_head(conn);
    } else if (too_long && conn->state == TS_CONN_OPEN) {
        refuse_status(conn, 431);
    }
    return taken;
}

/* Takes some of the input, at least one byte. */
static size_t advance(struct ts_http_connection *conn, ts_str in)
{
    if (!conn->head_done && !conn->reading && !begin_request(conn)) {
        ts_conn_doom(conn);
        return in.len;
    }
    size_t taken = conn->head_done ? parse(conn, in.ptr, in.len) : parse_head(conn, &conn->reading->head, in);
    /* A message without a body is complete with its header, but llhttp says so only when asked again. */
    if (conn->head_done && !conn->message_done && conn->state == TS_CONN_OPEN)
        taken += parse(conn, in.ptr + taken, 0);
    if (conn->message_done)
        take_message(conn);
    return taken;
}

static void drop(struct ts_http_connection *conn, size_t len)
{
    conn->dropped_bytes += len;
    if (conn->dropped_bytes <= TS_MAX_DRAIN_BYTES)
        return;
    /* Answers are still due, or the client's time to read them runs: no more is read, but a close would be a reset. */
    if (conn->state == TS_CONN_LINGERING || (conn->state == TS_CONN_ENDING && conn->first))
        uv_read_stop((uv_stream_t *)&conn->tcp);
    else
        ts_conn_doom(conn);
}

/* No room in the pipeline, or not yet its time: the rest waits here, and more in the kernel. */
static void hold(struct ts_http_connection *conn, ts_str in)
{
    ts_buf_str(&conn->unread, in);
    if (ts_buf_error(&conn->unread)) {
        ts_conn_doom(conn);
        return;
    }
    conn->held = true;
    uv_read_stop((uv_stream_t *)&conn->tcp);
}

static void take_input(struct ts_http_connection *conn, ts_str in)
{
    conn->active_us = ts_clock_mono_us();
    conn->busy = true;
    while (in.len > 0 && conn->state == TS_CONN_OPEN && !conn->doomed) {
        if (!conn->reading && !conn->discarding && conn->n_exchanges >= TS_MAX_PIPELINED) {
            ts_conn_flush(conn);
            if (conn->n_exchanges >= TS_MAX_PIPELINED) {
                hold(conn, in);
                break;
            }
            continue;
        }
        if (!conn->reading && !conn->discarding && conn->rest_until_us > conn->active_us) {
            hold(conn, in);
            ts_server_rest(conn);
            break;
        }
        size_t taken = advance(conn, in);
        in = (ts_str){in.ptr + taken, in.len - taken};
    }
    if (in.len > 0 && !conn->held && !conn->doomed)
        drop(conn, in.len);
    if (conn->discarding && conn->state == TS_CONN_OPEN && conn->dropped_bytes > TS_MAX_DRAIN_BYTES)
        conn->state = TS_CONN_ENDING;
    conn->busy = false;
    ts_conn_flush(conn);
}

/* The client shut down its side. It may still want the answers it has asked for; a stream has nothing more to ask. */
static void take_end(struct ts_http_connection *conn)
{
    conn->client_done = true;
    if (conn->state == TS_CONN_LINGERING || conn->state == TS_CONN_STREAMING || !conn->first) {
        ts_conn_close(conn);
        return;
    }
    conn->busy = true;
    if (conn->reading && !conn->discarding)
        refuse(conn, (struct ts_refusal){400, "Incomplete request", "incomplete"});
    if (conn->state == TS_CONN_OPEN)
        conn->state = TS_CONN_ENDING;
    conn->busy = false;
    ts_conn_flush(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct ts_http_connection *conn = handle->data;
    *buf = uv_buf_init(conn->server->read_buffer, sizeof(conn->server->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ts_http_connection *conn = stream->data;
    if (n > 0)
        take_input(conn, (ts_str){buf->base, (size_t)n});
    else if (n == UV_EOF)
        take_end(conn);
    else if (n < 0)
        ts_conn_close(conn);
}

/* --- time --------------------------------------------------------------------------------------------------------------- */

void ts_conn_became_idle(struct ts_http_connection *conn)
{
    if (conn->reading)
        return;
    conn->active_us = ts_clock_mono_us();
    conn->deadline_us = conn->active_us + conn->server->options.idle_timeout_us;
}

static void reading_timed_out(struct ts_http_connection *conn)
{
    if (!conn->reading || conn->discarding || conn->state != TS_CONN_OPEN) {
        ts_conn_close(conn);
        return;
    }
    refuse_status(conn, 408);
}

/* Long idle connections are let go at once; a busy client gets the chance of one more answer, which says `Connection: close`. */
static bool quiet_in_drain(const struct ts_http_connection *conn, int64_t now_us)
{
    return conn->server->draining && conn->state == TS_CONN_OPEN && !conn->first && !conn->held &&
           now_us - conn->active_us >= conn->server->drain_quiet_us;
}

void ts_conn_check_time(struct ts_http_connection *conn, int64_t now_us)
{
    if (ts_conn_write_timed_out(conn, now_us)) {
        ts_log_info("Client does not take its answer, connection cut", TS_F_CSTR("ip", conn->peer));
        ts_conn_close(conn);
    } else if (quiet_in_drain(conn, now_us)) {
        ts_conn_close(conn);
    } else if (conn->deadline_us != 0 && now_us >= conn->deadline_us) {
        reading_timed_out(conn);
    } else if (conn->state == TS_CONN_STREAMING) {
        ts_stream_heartbeat(conn, now_us);
    }
}

void ts_conn_begin_drain(struct ts_http_connection *conn, int64_t now_us)
{
    if (conn->state == TS_CONN_STREAMING)
        ts_stream_end(conn);
    else if (conn->state == TS_CONN_OPEN && conn->first && !conn->reading && !conn->discarding && !conn->held)
        conn->state = TS_CONN_ENDING;
    else if (quiet_in_drain(conn, now_us))
        ts_conn_close(conn);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

struct ts_http_connection *ts_conn_new(struct ts_http_server *server)
{
    struct ts_http_connection *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    conn->server = server;
    conn->unread.max_bytes = TS_READ_BYTES;
    llhttp_init(&conn->parser, HTTP_REQUEST, &settings);
    conn->parser.data = conn;
    if (uv_tcp_init(server->loop, &conn->tcp) != 0) {
        free(conn);
        return NULL;
    }
    conn->tcp.data = conn;
    conn->next = server->connections;
    if (conn->next)
        conn->next->prev = conn;
    server->connections = conn;
    server->n_connections++;
    server->n_handles++;
    return conn;
}

int ts_conn_start(struct ts_http_connection *conn, const struct ts_address *peer)
{
    conn->address = *peer;
    ts_address_format(peer, conn->peer);
    conn->active_us = ts_clock_mono_us();
    conn->deadline_us = conn->active_us + conn->server->options.header_timeout_us;
    uv_tcp_nodelay(&conn->tcp, 1);
    return uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

/* What the loop's next turn does with a connection: close it, or go on with what was held back. */
void ts_conn_run_due(struct ts_http_connection *conn)
{
    if (conn->doomed) {
        ts_conn_close(conn);
        return;
    }
    if (!conn->held || conn->resting || conn->state == TS_CONN_CLOSED)
        return;
    struct ts_buf unread = conn->unread;
    conn->unread = (struct ts_buf)TS_BUF_INIT(TS_READ_BYTES);
    conn->held = false;
    take_input(conn, ts_buf_view(&unread));
    ts_buf_done(&unread);
    if (!conn->held && !conn->doomed && conn->state != TS_CONN_CLOSED && !conn->client_done &&
        uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        ts_conn_close(conn);
}

void ts_conn_doom(struct ts_http_connection *conn)
{
    if (conn->state == TS_CONN_CLOSED || conn->doomed)
        return;
    conn->doomed = true;
    ts_server_due(conn);
}

static void on_closed(uv_handle_t *handle)
{
    struct ts_http_connection *conn = handle->data;
    struct ts_http_server *server = conn->server;
    ts_buf_done(&conn->unread);
    free(conn);
    ts_server_handle_gone(server);
}

void ts_conn_close(struct ts_http_connection *conn)
{
    if (conn->state == TS_CONN_CLOSED)
        return;
    if (conn->busy) { /* a handler holds a request of it */
        ts_conn_doom(conn);
        return;
    }
    conn->state = TS_CONN_CLOSED;
    conn->reading = NULL;
    while (conn->first) {
        struct ts_http_exchange *ex = conn->first;
        conn->first = ex->next;
        ts_stream_notify_closed(ex);
        ts_exchange_free(ex);
    }
    conn->last = NULL;
    conn->n_exchanges = 0;
    ts_server_connection_gone(conn->server, conn);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}
