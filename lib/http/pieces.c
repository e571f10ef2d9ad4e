/*
 * Answers in pieces: an exchange that asks for the next piece of its answer when the last was taken. The frame of a chunk lies in
 * `out`, its bytes in `out_body`, as they were handed over.
 */
#include <assert.h>

#include "base/error.h"
#include "base/log.h"
#include "http/server_internal.h"

static struct ts_http_exchange *find(struct ts_http_server *server, ts_http_ticket ticket,
                                     enum ts_exchange_state state)
{
    struct ts_http_exchange *ex = ts_exchange_find(server, ticket);
    return ex && ex->state == state && !ex->conn->doomed ? ex : NULL;
}

/* From now on the producer is not called, also when the connection is about to be closed for another reason. */
static struct ts_http_exchange *find_and_silence(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = ts_exchange_find(server, ticket);
    if (!ex || ex->state != TS_EX_PIECES)
        return NULL;
    ex->stream_closed = NULL;
    ex->wants_piece = false;
    return ex->conn->doomed ? NULL : ex;
}

static void flush(struct ts_http_exchange *ex)
{
    if (!ex->conn->busy)
        ts_conn_flush(ex->conn);
}

static void cut(struct ts_http_exchange *ex)
{
    ex->stream_closed = NULL;
    ts_conn_doom(ex->conn);
}

/* Becomes an ordinary answer, complete with what is in its buffers. */
static void become_answered(struct ts_http_exchange *ex)
{
    ts_exchange_forget_ticket(ex);
    ex->stream_closed = NULL;
    ex->state = TS_EX_ANSWERED;
    flush(ex);
}

/* Without chunks the end of the connection is the end of the body; what was asked for behind it would be taken for a part of it. */
static bool must_end_here(const struct ts_http_exchange *ex)
{
    return ex->http_1_0 && ex->next;
}

int ts_http_answer_begin(struct ts_http_server *server, ts_http_ticket ticket,
                         const struct ts_http_response *response, const struct ts_http_pieces *pieces)
{
    struct ts_http_exchange *ex = find(server, ticket, TS_EX_PARKED);
    if (!ex)
        return TS_E_GONE;
    const bool last = ex->http_1_0 || ts_exchange_is_last(ex);
    const int error = ts_response_write_pieces(ex, response, last);
    if (last && ex->conn->state == TS_CONN_OPEN)
        ex->conn->state = TS_CONN_ENDING;
    if (error) {
        ts_log_error("Answer could not be built, connection cut", TS_F_STR("path", ex->req.path),
                     TS_F_ERR(error));
        ts_conn_doom(ex->conn);
        return TS_E_GONE;
    }
    if (ex->is_head) {
        become_answered(ex);
        return TS_E_GONE;
    }
    ex->state = TS_EX_PIECES;
    ex->more = pieces->more;
    ex->stream_closed = pieces->closed;
    ex->stream_ctx = pieces->ctx;
    flush(ex);
    return 0;
}

void ts_pieces_taken(struct ts_http_exchange *ex)
{
    ts_buf_clear(&ex->out);
    ts_buf_done(&ex->out_body);
    if (ex->wants_piece || ex->may_send)
        return;
    ex->wants_piece = true;
    ts_server_due(ex->conn);
}

void ts_pieces_run_due(struct ts_http_connection *conn)
{
    struct ts_http_exchange *ex = conn->first;
    if (!ex || ex->state != TS_EX_PIECES || !ex->wants_piece)
        return;
    ex->wants_piece = false;
    ex->may_send = true;
    ex->more(ex->ticket, ex->stream_ctx);
}

static void put_frame(struct ts_http_exchange *ex, size_t len)
{
    if (ex->http_1_0)
        return;
    if (ex->is_begun)
        ts_buf_str(&ex->out, TS_STR("\r\n"));
    ex->is_begun = true;
    ts_buf_printf(&ex->out, "%zx\r\n", len);
}

int ts_http_answer_piece(struct ts_http_server *server, ts_http_ticket ticket, struct ts_buf *body_take)
{
    struct ts_http_exchange *ex = find(server, ticket, TS_EX_PIECES);
    if (!ex) {
        ts_buf_done(body_take);
        return TS_E_GONE;
    }
    assert(ex->may_send);
    ex->may_send = false;
    if (body_take->len > 0) { /* an empty chunk would be the last */
        put_frame(ex, body_take->len);
        ex->out_body = *body_take;
        *body_take = (struct ts_buf)TS_BUF_INIT(body_take->max_bytes);
    }
    if (ts_buf_error(&ex->out)) {
        cut(ex);
        return TS_E_GONE;
    }
    flush(ex);
    return 0;
}

void ts_http_answer_end(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = find_and_silence(server, ticket);
    if (!ex)
        return;
    assert(ex->may_send);
    if (!ex->http_1_0)
        ts_buf_cstr(&ex->out, ex->is_begun ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    if (ts_buf_error(&ex->out) || must_end_here(ex))
        cut(ex);
    else
        become_answered(ex);
}

void ts_http_answer_abort(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = find_and_silence(server, ticket);
    if (ex)
        cut(ex);
}
