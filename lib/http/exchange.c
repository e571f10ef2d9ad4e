/* One request and its answer: pool, tickets, and what handlers may do. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "http/server_internal.h"

/* --- pool --------------------------------------------------------------------------------------------------------------- */

static void destroy(struct ts_http_exchange *ex)
{
    ts_arena_free(ex->req.arena);
    ts_buf_done(&ex->head);
    ts_buf_done(&ex->body);
    ts_buf_done(&ex->extra);
    ts_buf_done(&ex->out);
    ts_buf_done(&ex->out_body);
    free(ex);
}

static struct ts_http_exchange *create(void)
{
    struct ts_http_exchange *ex = calloc(1, sizeof(*ex));
    if (!ex)
        return NULL;
    ex->req.arena = ts_arena_new(TS_MAX_REQUEST_ARENA_BYTES);
    if (!ex->req.arena) {
        free(ex);
        return NULL;
    }
    return ex;
}

struct ts_http_exchange *ts_exchange_new(struct ts_http_connection *conn)
{
    struct ts_http_server *server = conn->server;
    struct ts_http_exchange *ex = server->pool;
    if (ex) {
        server->pool = ex->next;
        server->n_pool--;
    } else {
        ex = create();
        if (!ex)
            return NULL;
    }
    *ex = (struct ts_http_exchange){
        .req = {.arena = ex->req.arena,
                .method = TS_STR(""),
                .path = TS_STR(""),
                .query = TS_STR(""),
                .body = TS_STR(""),
                .request_id = TS_STR_NONE,
                .received_us = conn->active_us,
                .server = server,
                .connection_ = ex},
        .conn = conn,
        .head = ex->head,
        .body = ex->body,
        .extra = ex->extra,
        .out = ex->out,
        .out_body = ex->out_body,
    };
    ex->head.max_bytes = TS_MAX_HEADER_BYTES;
    ex->extra.max_bytes = TS_MAX_HEADER_BYTES;
    return ex;
}

static void pool_buffer(struct ts_buf *buf)
{
    if (buf->capacity > TS_POOL_BUFFER_BYTES)
        ts_buf_done(buf);
    else
        ts_buf_clear(buf);
}

void ts_exchange_free(struct ts_http_exchange *ex)
{
    struct ts_http_server *server = ex->conn->server;
    ts_exchange_forget_ticket(ex);
    if (server->n_pool >= TS_POOL_EXCHANGES) {
        destroy(ex);
        return;
    }
    ts_arena_reset(ex->req.arena);
    pool_buffer(&ex->head);
    pool_buffer(&ex->body);
    pool_buffer(&ex->extra);
    pool_buffer(&ex->out);
    pool_buffer(&ex->out_body);
    ex->next = server->pool;
    server->pool = ex;
    server->n_pool++;
}

void ts_exchange_pool_free(struct ts_http_server *server)
{
    while (server->pool) {
        struct ts_http_exchange *ex = server->pool;
        server->pool = ex->next;
        destroy(ex);
    }
    server->n_pool = 0;
}

/* --- tickets: 40 bits generation, 24 bits index + 1 of the slot ----------------------------------------------------------- */

#define INDEX_BITS 24
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

static int more_slots(struct ts_http_server *server)
{
    size_t n = server->n_slots ? server->n_slots * 2 : 64;
    if (n > INDEX_MASK)
        return -ENOMEM;
    struct ts_ticket_slot *slots = realloc(server->slots, n * sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = n; i-- > server->n_slots;) {
        slots[i] = (struct ts_ticket_slot){.generation = 1, .next_free = server->free_slot};
        server->free_slot = (uint32_t)i + 1;
    }
    server->slots = slots;
    server->n_slots = n;
    return 0;
}

ts_http_ticket ts_exchange_ticket(struct ts_http_exchange *ex)
{
    struct ts_http_server *server = ex->conn->server;
    if (server->free_slot == 0 && more_slots(server) != 0)
        return 0;
    uint32_t index = server->free_slot;
    struct ts_ticket_slot *slot = &server->slots[index - 1];
    server->free_slot = slot->next_free;
    slot->exchange = ex;
    ex->ticket = slot->generation << INDEX_BITS | index;
    return ex->ticket;
}

struct ts_http_exchange *ts_exchange_find(struct ts_http_server *server, ts_http_ticket ticket)
{
    uint64_t index = ticket & INDEX_MASK;
    if (index == 0 || index > server->n_slots)
        return NULL;
    const struct ts_ticket_slot *slot = &server->slots[index - 1];
    return slot->generation == ticket >> INDEX_BITS ? slot->exchange : NULL;
}

void ts_exchange_forget_ticket(struct ts_http_exchange *ex)
{
    if (ex->ticket == 0)
        return;
    struct ts_http_server *server = ex->conn->server;
    uint32_t index = (uint32_t)(ex->ticket & INDEX_MASK);
    struct ts_ticket_slot *slot = &server->slots[index - 1];
    *slot = (struct ts_ticket_slot){.generation = slot->generation + 1, .next_free = server->free_slot};
    server->free_slot = index;
    ex->ticket = 0;
    if (ex->state == TS_EX_PARKED)
        server->n_parked--;
    else if (ex->state == TS_EX_STREAM)
        server->n_streams--;
}

/* --- answers ------------------------------------------------------------------------------------------------------------ */

void ts_exchange_report(struct ts_http_exchange *ex)
{
    const struct ts_http_server_options *options = &ex->conn->server->options;
    if (ex->reported || !options->on_answered)
        return;
    ex->reported = true;
    options->on_answered(&ex->req, ex->status, ts_clock_mono_us() - ex->req.received_us, options->ctx);
}

/*
 * Whether the connection must end with this answer. An unread body keeps it only when it is short and certainly coming: after
 * `Expect: 100-continue` the client may leave it out, and a chunked one has no known end.
 */
static bool is_last_answer(const struct ts_http_exchange *ex)
{
    const struct ts_http_connection *conn = ex->conn;
    if (!ex->keep_alive || conn->state != TS_CONN_OPEN)
        return ex == conn->last;
    if (ex->has_body && (!ts_str_is_none(ex->expect) || (conn->parser.flags & F_CHUNKED) ||
                         conn->parser.content_length > TS_MAX_DRAIN_BYTES))
        return true;
    return (conn->server->retiring || conn->server->draining) && ex == conn->last;
}

void ts_exchange_respond(struct ts_http_exchange *ex, const struct ts_http_response *response)
{
    struct ts_http_connection *conn = ex->conn;
    bool last = is_last_answer(ex);
    int error = ts_response_write(ex, response, last);
    ts_exchange_forget_ticket(ex);
    ex->state = TS_EX_ANSWERED;
    if (last && conn->state == TS_CONN_OPEN)
        conn->state = TS_CONN_ENDING;
    if (error) {
        ts_log_error("Answer could not be built, connection cut", TS_F_STR("path", ex->req.path),
                     TS_F_STR("requestId", ex->req.request_id), TS_F_ERR(error));
        ts_conn_doom(conn);
    } else if (!conn->busy) {
        ts_conn_flush(conn);
    }
}

void ts_exchange_respond_error(struct ts_http_exchange *ex, int status, const char *text, const char *code,
                               const char *field)
{
    struct ts_buf body = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES);
    struct ts_jsonw w = ts_jsonw_begin(&body);
    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "error", ts_str_from(text));
    if (code)
        ts_jsonw_key_str(&w, "code", ts_str_from(code));
    if (field)
        ts_jsonw_key_str(&w, "field", ts_str_from(field));
    if (!ts_str_is_none(ex->req.request_id))
        ts_jsonw_key_str(&w, "requestId", ex->req.request_id);
    ts_jsonw_end(&w);
    ts_exchange_respond(ex, &(struct ts_http_response){.status = status, .body_take = &body});
}

static struct ts_http_exchange *exchange_of(struct ts_http_request *req)
{
    return req->connection_;
}

void ts_http_reply(struct ts_http_request *req, const struct ts_http_response *response)
{
    struct ts_http_exchange *ex = exchange_of(req);
    if (ex->state != TS_EX_HANDLING) {
        ts_log_error("Handler answered a second time", TS_F_STR("path", req->path));
        return;
    }
    ts_exchange_respond(ex, response);
}

void ts_http_reply_error(struct ts_http_request *req, int status, const char *text, const char *code,
                         const char *field)
{
    struct ts_http_exchange *ex = exchange_of(req);
    if (ex->state != TS_EX_HANDLING) {
        ts_log_error("Handler answered a second time", TS_F_STR("path", req->path));
        return;
    }
    ts_exchange_respond_error(ex, status, text, code, field);
}

ts_http_ticket ts_http_park(struct ts_http_request *req)
{
    struct ts_http_exchange *ex = exchange_of(req);
    if (ex->state != TS_EX_HANDLING || ts_exchange_ticket(ex) == 0)
        return 0;
    ex->state = TS_EX_PARKED;
    req->server->n_parked++;
    return ex->ticket;
}

static struct ts_http_exchange *find_parked(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = ts_exchange_find(server, ticket);
    return ex && ex->state == TS_EX_PARKED && !ex->conn->doomed ? ex : NULL;
}

int ts_http_answer(struct ts_http_server *server, ts_http_ticket ticket,
                   const struct ts_http_response *response)
{
    struct ts_http_exchange *ex = find_parked(server, ticket);
    if (!ex) {
        if (response->body_take)
            ts_buf_done(response->body_take);
        return TS_E_GONE;
    }
    ts_exchange_respond(ex, response);
    return 0;
}

int ts_http_answer_error(struct ts_http_server *server, ts_http_ticket ticket, int status, const char *text,
                         const char *code, const char *field)
{
    struct ts_http_exchange *ex = find_parked(server, ticket);
    if (!ex)
        return TS_E_GONE;
    ts_exchange_respond_error(ex, status, text, code, field);
    return 0;
}

struct ts_http_request *ts_http_parked(struct ts_http_server *server, ts_http_ticket ticket)
{
    struct ts_http_exchange *ex = find_parked(server, ticket);
    return ex ? &ex->req : NULL;
}

void ts_http_slow_down(struct ts_http_request *req)
{
    struct ts_http_connection *conn = exchange_of(req)->conn;

    if (!ts_server_trusts(conn->server, &conn->address))
        conn->rest_until_us = ts_clock_mono_us() + TS_REST_US;
}

void ts_http_add_header(struct ts_http_request *req, ts_str name, ts_str value)
{
    ts_header_write(&exchange_of(req)->extra, name, value);
}

ts_str ts_http_header(const struct ts_http_request *req, const char *name)
{
    ts_str wanted = ts_str_from(name);
    for (size_t i = 0; i < req->n_headers; i++)
        if (ts_str_eq_nocase(req->headers[i].name, wanted))
            return req->headers[i].value;
    return TS_STR_NONE;
}
