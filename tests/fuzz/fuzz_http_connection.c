/*
 * Arbitrary bytes over a real connection: a socket pair instead of TCP, the loop turned by hand, everything else as in service.
 *
 * The first bytes steer: how the input is cut into fragments and when the client shuts down. What must hold: no crash, no leak of connections, parked requests or
 * streams, and whatever comes back begins as an HTTP answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/guard.h"
#include "http/query.h"
#include "http/server_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_PARKED 64

static uv_loop_t loop;
static struct ts_http_server *server;
static ts_http_ticket parked[MAX_PARKED], streams[MAX_PARKED];
static size_t n_parked, n_streams;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void echo(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    require(ts_utf8_valid(req->path) && !ts_str_has_nul(req->path) && req->path.ptr[0] == '/');
    for (size_t i = 0; i < req->n_headers; i++)
        require(req->headers[i].name.len > 0);
    struct ts_query query;
    ts_str field;
    if (ts_query_parse(req->query, req->arena, &query, &field) != 0) {
        ts_http_reply_error(req, 400, "Invalid parameter", NULL, NULL);
        return;
    }
    ts_http_reply(req, &(struct ts_http_response){.content_type = "text/plain", .body = req->body});
}

static void park(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_ticket ticket = ts_http_park(req);
    require(ticket != 0);
    if (n_parked < MAX_PARKED)
        parked[n_parked++] = ticket;
}

static void on_stream_closed(ts_http_ticket ticket, void *ctx)
{
    (void)ctx;
    require(ticket != 0);
}

static void stream(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_ticket ticket;
    if (ts_http_stream(req, on_stream_closed, NULL, &ticket) != 0)
        return;
    (void)ts_http_stream_send(server, ticket, TS_STR("data: 1\n\n"));
    if (n_streams < MAX_PARKED)
        streams[n_streams++] = ticket;
}

static void token_first(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    if (ts_str_is_none(ts_http_header(req, "X-Gateway-Token")))
        ts_http_reply_error(req, 401, "Missing X-Gateway-Token header", NULL, NULL);
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/", .handler = echo},
    {.method = "POST", .pattern = "/", .handler = echo, .max_body_bytes = 4096},
    {.method = "POST",
     .pattern = "/token",
     .handler = echo,
     .on_headers = token_first,
     .flags = TS_ROUTE_OWN_AUTH},
    {.method = "GET", .pattern = "/items/{id}", .handler = echo},
    {.method = "GET", .pattern = "/park", .handler = park},
    {.method = "POST", .pattern = "/park", .handler = park, .on_headers = token_first},
    {.method = "POST", .pattern = "/park-early", .handler = echo, .on_headers = park},
    {.method = "GET", .pattern = "/stream", .handler = stream},
};

static void start(void)
{
    static const ts_str hosts[] = {{"x", 1}, {"localhost", 9}};
    static const ts_str origins[] = {{"http://localhost:3103", 21}};
    static struct ts_http_guard *guard; /* for the process's life; static, so that it is no leak */
    struct ts_http_guard_options guard_options = {.allowed_hosts = {hosts, 2}, .cors_origins = {origins, 1}};
    static const ts_str proxies[] = {{"::/0", 4}};
    static const struct ts_str_list trusted = {proxies, 1};
    require(ts_log_init("fuzz", TS_LOG_ERROR, 0) == 0);
    require(uv_loop_init(&loop) == 0);
    require(ts_http_guard_new(&guard_options, &guard) == 0);
    struct ts_http_server_options options = {.routes = routes,
                                             .n_routes = TS_ARRAY_LEN(routes),
                                             .guard = ts_http_guard_check,
                                             .guard_ctx = guard,
                                             .trusted_proxies = &trusted};
    require(ts_http_server_new(&loop, &options, &server) == 0);
}

static void turn(void)
{
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void answer_all(void)
{
    while (n_parked > 0)
        (void)ts_http_answer_error(server, parked[--n_parked], 200, "late", NULL, NULL);
    while (n_streams > 0) {
        ts_http_ticket ticket = streams[--n_streams];
        (void)ts_http_stream_send(server, ticket, TS_STR("data: 2\n\n"));
        ts_http_stream_close(server, ticket);
    }
}

/* Reads what there is; the first bytes that ever come must be those of an answer. */
static void drain(int fd, bool *begun)
{
    static const char beginning[] = "HTTP/1.1 ";
    char bytes[8192];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
        if (!*begun)
            require((size_t)n >= sizeof(beginning) - 1 &&
                    memcmp(bytes, beginning, sizeof(beginning) - 1) == 0);
        *begun = true;
    }
}

static void feed(int fd, const uint8_t *data, size_t size, size_t piece)
{
    bool begun = false;
    size_t turns = 0;
    while (size > 0) {
        size_t len = TS_MIN(piece, size);
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            break;
        turn();
        drain(fd, &begun);
        if (sent < 0 && ++turns > 8)
            break; /* the server has stopped reading: it waits for its answers */
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {65536, 1, 2, 3, 7, 16, 61, 1000};
    if (!server)
        start();
    if (size < 1)
        return 0;
    unsigned steer = data[0];
    int fds[2];
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    struct ts_address peer = {{[15] = 1}};
    require(ts_http_server_adopt(server, fds[0], &peer) == 0);
    feed(fds[1], data + 1, size - 1, pieces[steer & 7]);
    if (steer & 8)
        shutdown(fds[1], SHUT_WR);
    if (steer & 16) {
        turn();
        answer_all();
        turn();
    }
    close(fds[1]);
    turn();
    answer_all();
    for (int i = 0; i < 20 && ts_http_server_stats(server).connections > 0; i++)
        turn();
    struct ts_http_server_stats stats = ts_http_server_stats(server);
    require(stats.connections == 0 && stats.parked == 0 && stats.streams == 0);
    return 0;
}
