/* Server-sent events: an exchange whose answer does not end. */
#include "base/clock.h"
#include "base/error.h"
#include "http/server_internal.h"

int ts_http_stream(struct ts_http_request *req, void (*closed)(ts_http_ticket ticket, void *ctx), void *ctx,
                   ts_http_ticket *ret)
{
    struct ts_http_exchange *ex = req->connection_;
    struct ts_http_server *server = req->server;
    if (ex->state != TS_EX_HANDLING)
        return TS_E_INVALID;
    if (server->n_streams >= TS_MAX_STREAMS || server->draining || ts_exchange_ticket(ex) == 0) {
        struct ts_http_header retry = {TS_STR("Retry-After"), TS_STR("5")};
        ts_http_reply(req, &(struct ts_http_response){.status = 503,
                                                      .headers = &retry,
                                                      .n_headers = 1,
                                                      .body = TS_STR("{\"error\":\"Too many streams\"}")});
        return TS_E_OVERLOADED;
    }
    if (ex->is_head) { /* HEAD of a stream: its header, and nothing follows */
        ts_exchange_forget_ticket(ex);
        ts_exchange_respond(ex, &(struct ts_http_response){.content_type = "text/event-stream"});
        return TS_E_GONE;
    }
    ex->state = TS_EX_STREAM;
    ex->out_body.max_bytes = TS_MAX_STREAM_BACKLOG_BYTES;
    ex->stream_closed = closed;
    ex->stream_ctx = ctx;
    ex->stream_sent_us = ts_clock_mono_us();
    server->n_streams++;
    ex->conn->state = TS_CONN_STREAMING;
    *ret = ex->ticket;
    if (ts_response_write_stream(ex) != 0)
        ts_conn_doom(ex->conn);
    return 0;
}

static struct ts_http_exchange *find_stream(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = ts_exchange_find(server, ticket);
    return ex && ex->state == TS_EX_STREAM && !ex->conn->doomed ? ex : NULL;
}

static size_t backlog_of(const struct ts_http_exchange *ex)
{
    const struct ts_http_connection *conn = ex->conn;
    bool under_way = conn->writing && conn->first == ex;
    size_t first = under_way ? uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) : ex->out.len;
    return first + ex->out_body.len;
}

static int send_bytes(struct ts_http_exchange *ex, ts_str bytes)
{
    if (backlog_of(ex) + bytes.len > TS_MAX_STREAM_BACKLOG_BYTES) {
        ts_conn_doom(ex->conn);
        return TS_E_GONE;
    }
    ts_buf_str(&ex->out_body, bytes);
    if (ts_buf_error(&ex->out_body)) {
        ts_conn_doom(ex->conn);
        return TS_E_GONE;
    }
    if (!ex->conn->busy)
        ts_conn_flush(ex->conn);
    return ex->conn->doomed ? TS_E_GONE : 0;
}

int ts_http_stream_send(struct ts_http_server *server, ts_http_ticket ticket, ts_str events)
{
    struct ts_http_exchange *ex = find_stream(server, ticket);
    return ex ? send_bytes(ex, events) : TS_E_GONE;
}

ptrdiff_t ts_http_stream_backlog(struct ts_http_server *server, ts_http_ticket ticket)
{
    const struct ts_http_exchange *ex = find_stream(server, ticket);
    return ex ? (ptrdiff_t)backlog_of(ex) : -1;
}

/* What was sent so far still goes out, then the connection ends: from here on it is an ordinary answer, the last. */
static void finish(struct ts_http_exchange *ex)
{
    struct ts_http_connection *conn = ex->conn;
    ts_exchange_forget_ticket(ex);
    ex->stream_closed = NULL;
    ex->state = TS_EX_ANSWERED;
    conn->state = TS_CONN_ENDING;
    if (!conn->busy)
        ts_conn_flush(conn);
}

void ts_http_stream_close(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = find_stream(server, ticket);
    if (ex)
        finish(ex);
}

void ts_stream_notify_closed(struct ts_http_exchange *ex)
{
    if ((ex->state != TS_EX_STREAM && ex->state != TS_EX_PIECES) || !ex->stream_closed)
        return;
    void (*closed)(ts_http_ticket, void *) = ex->stream_closed;
    ts_http_ticket ticket = ex->ticket;
    ex->stream_closed = NULL;
    closed(ticket, ex->stream_ctx);
}

void ts_stream_end(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->last;
    ts_stream_notify_closed(ex);
    if (ex->state == TS_EX_STREAM) /* the program may have closed it in the call-back */
        finish(ex);
}

void ts_stream_heartbeat(struct ts_http_connection *conn, int64_t now_us)
{
    struct ts_http_exchange *ex = conn->last;
    if (conn->first == ex && backlog_of(ex) == 0 && now_us - ex->stream_sent_us >= conn->server->heartbeat_us)
        (void)send_bytes(ex, TS_STR(":\n\n"));
}
