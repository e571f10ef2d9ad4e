/*
 * Answers out, in the order of the requests: whatever is ready at the front of the queue leaves in one system call. What the
 * socket does not take is handed to libuv, and the queue waits for it; so at most one write is under way and nothing is copied.
 */
#include "base/clock.h"
#include "http/server_internal.h"

#define MAX_PIECES (2 * TS_MAX_PIPELINED)

static uv_stream_t *stream_of(struct ts_http_connection *conn)
{
    return (uv_stream_t *)&conn->tcp;
}

static size_t bytes_of(const struct ts_http_exchange *ex)
{
    return ex->out.len + ex->out_body.len;
}

static unsigned add_piece(uv_buf_t *pieces, unsigned n, const struct ts_buf *buf)
{
    if (buf->len > 0)
        pieces[n++] = uv_buf_init(buf->data, (unsigned)buf->len);
    return n;
}

/* The first exchange is done with. */
static void pop(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->first;
    ts_exchange_report(ex);
    conn->first = ex->next;
    if (!conn->first)
        conn->last = NULL;
    if (conn->reading == ex)
        conn->reading = NULL;
    conn->n_exchanges--;
    ts_exchange_free(ex);
}

static void on_written(uv_write_t *write, int status)
{
    struct ts_http_connection *conn = write->data;
    conn->writing = false;
    if (conn->state == TS_CONN_CLOSED)
        return;
    if (status < 0) {
        ts_conn_close(conn);
        return;
    }
    if (conn->writing_exchanges == 0)
        ts_buf_clear(&conn->first->out); /* a stream's */
    while (conn->writing_exchanges > 0) {
        pop(conn);
        conn->writing_exchanges--;
    }
    ts_conn_flush(conn);
}

/*
 * Sends; returns the bytes taken at once. The rest is under way (`writing`), or the connection is doomed.
 */
static size_t send_pieces(struct ts_http_connection *conn, uv_buf_t *pieces, unsigned n)
{
    int sent = uv_try_write(stream_of(conn), pieces, n);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0) {
        ts_conn_doom(conn);
        return 0;
    }
    size_t skip = (size_t)sent;
    while (n > 0 && skip >= pieces->len) {
        skip -= pieces->len;
        pieces++;
        n--;
    }
    if (n == 0)
        return (size_t)sent;
    pieces->base += skip;
    pieces->len -= skip;
    conn->write.data = conn;
    if (uv_write(&conn->write, stream_of(conn), pieces, n, on_written) != 0) {
        ts_conn_doom(conn);
        return (size_t)sent;
    }
    conn->writing = true;
    conn->write_deadline_us = ts_clock_mono_us() + conn->server->options.write_timeout_us;
    return (size_t)sent;
}

/* Sends all answers that are ready at the front. */
static void send_answers(struct ts_http_connection *conn)
{
    uv_buf_t pieces[MAX_PIECES];
    unsigned n = 0;
    size_t ready = 0;
    for (struct ts_http_exchange *ex = conn->first; ex && ex->state == TS_EX_ANSWERED && n + 2 <= MAX_PIECES;
         ex = ex->next) {
        n = add_piece(pieces, n, &ex->out);
        n = add_piece(pieces, n, &ex->out_body);
        ready++;
    }
    size_t sent = n > 0 ? send_pieces(conn, pieces, n) : 0;
    if (conn->doomed)
        return;
    while (ready > 0 && sent >= bytes_of(conn->first)) {
        sent -= bytes_of(conn->first);
        pop(conn);
        ready--;
    }
    conn->writing_exchanges = ready;
}

static void send_stream(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->first;
    while (!conn->writing && !conn->doomed && bytes_of(ex) > 0) {
        if (ex->out.len == 0) {
            struct ts_buf waiting = ex->out_body;
            ex->out_body = ex->out;
            ex->out = waiting;
        }
        uv_buf_t piece;
        add_piece(&piece, 0, &ex->out);
        conn->writing_exchanges = 0;
        if (send_pieces(conn, &piece, 1) == ex->out.len)
            ts_buf_clear(&ex->out);
    }
    ex->stream_sent_us = ts_clock_mono_us();
    if (!conn->doomed)
        ts_exchange_report(ex);
}

static void send_continue(struct ts_http_connection *conn)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t piece = uv_buf_init(text, sizeof(text) - 1);
    conn->first->continue_due = false;
    int sent = uv_try_write(stream_of(conn), &piece, 1);
    /* Nothing else is under way, so the socket has room; a client that gets no word sends its body anyway (RFC 9110, 10.1.1). */
    if (sent != (int)piece.len && sent != UV_EAGAIN)
        ts_conn_doom(conn);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status; /* the client's end, the deadline or an error of reading closes the connection */
}

/*
 * Everything is answered and no more will be read. With unread input a close would be a reset, which may destroy the answer
 * before the client has read it; so our side is shut down and the client gets a moment.
 */
static void end(struct ts_http_connection *conn)
{
    bool unread = conn->discarding || conn->dropped_bytes > 0 || conn->refused;
    if (conn->client_done || !unread) {
        ts_conn_doom(conn);
        return;
    }
    conn->state = TS_CONN_LINGERING;
    conn->deadline_us = ts_clock_mono_us() + TS_LINGER_US;
    if (uv_shutdown(&conn->shutdown, stream_of(conn), on_shutdown) != 0)
        ts_conn_doom(conn);
}

void ts_conn_flush(struct ts_http_connection *conn)
{
    while (conn->first && !conn->writing && !conn->doomed && conn->state != TS_CONN_CLOSED) {
        struct ts_http_exchange *ex = conn->first;
        if (ex->state == TS_EX_ANSWERED) {
            send_answers(conn);
            continue;
        }
        if (ex->state == TS_EX_STREAM)
            send_stream(conn);
        else if (ex->state == TS_EX_BODY && ex->continue_due)
            send_continue(conn);
        break;
    }
    if (conn->held && !conn->resting && conn->n_exchanges < TS_MAX_PIPELINED)
        ts_server_due(conn);
    if (conn->first || conn->doomed)
        return;
    if (conn->state == TS_CONN_ENDING)
        end(conn);
    else if (conn->state == TS_CONN_OPEN && !conn->discarding && !conn->held)
        ts_conn_became_idle(conn);
}

bool ts_conn_write_timed_out(const struct ts_http_connection *conn, int64_t now_us)
{
    return conn->writing && now_us >= conn->write_deadline_us;
}
