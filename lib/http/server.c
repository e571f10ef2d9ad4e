/* The server: options, listening, limits of connections, time, drain, end. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/server_internal.h"

#define OTHER_DESCRIPTORS 64 /* databases, log, loop, outgoing connections */

/* --- work for the loop's next turn --------------------------------------------------------------------------------------- */

static void drain_finish_if_empty(struct ts_http_server *server)
{
    if (!server->draining || server->n_connections > 0 || !server->drain_done)
        return;
    void (*done)(void *, int) = server->drain_done;
    server->drain_done = NULL;
    done(server->drain_ctx, server->drain_forced);
}

static void on_next_turn(uv_idle_t *idle)
{
    struct ts_http_server *server = idle->data;
    struct ts_http_connection *conn = server->due;
    server->due = NULL;
    uv_idle_stop(idle);
    /* `due` is kept on those of the list in hand, so that one closing another is noticed by ts_server_connection_gone. */
    server->running_due = conn;
    while ((conn = server->running_due)) {
        server->running_due = conn->next_due;
        conn->due = false;
        ts_conn_run_due(conn);
    }
    drain_finish_if_empty(server);
}

static void wake(struct ts_http_server *server)
{
    if (!server->freeing)
        uv_idle_start(&server->next_turn, on_next_turn);
}

void ts_server_due(struct ts_http_connection *conn)
{
    struct ts_http_server *server = conn->server;
    if (conn->due)
        return;
    conn->due = true;
    conn->next_due = server->due;
    server->due = conn;
    wake(server);
}

/*
 * Connections that rest, in a queue. All rest for the same time, so that the first to come is nearly the first to go: none wakes early, and one whose
 * request took its time to come wakes at most that time late.
 */

static void on_rested(uv_timer_t *timer);

static void await_first(struct ts_http_server *server)
{
    if (!server->first_resting || server->freeing)
        return;
    int64_t left_us = server->first_resting->rest_until_us - ts_clock_mono_us();
    uv_timer_start(&server->rest, on_rested, (uint64_t)(TS_MAX(left_us, 0) / TS_US_PER_MS + 1), 0);
}

static void on_rested(uv_timer_t *timer)
{
    struct ts_http_server *server = timer->data;
    const int64_t now_us = ts_clock_mono_us();
    struct ts_http_connection *conn;

    while ((conn = server->first_resting) && conn->rest_until_us <= now_us) {
        server->first_resting = conn->next_resting;
        conn->resting = false;
        ts_server_due(conn);
    }
    await_first(server);
}

void ts_server_rest(struct ts_http_connection *conn)
{
    struct ts_http_server *server = conn->server;

    conn->resting = true;
    conn->next_resting = NULL;
    if (server->first_resting)
        server->last_resting->next_resting = conn;
    else
        server->first_resting = conn;
    server->last_resting = conn;
    if (server->first_resting == conn)
        await_first(server);
}

static void unlink_resting(struct ts_http_server *server, const struct ts_http_connection *conn)
{
    struct ts_http_connection *before = NULL;

    for (struct ts_http_connection **at = &server->first_resting; *at; at = &(*at)->next_resting) {
        if (*at == conn) {
            *at = conn->next_resting;
            if (server->last_resting == conn)
                server->last_resting = before;
            return;
        }
        before = *at;
    }
}

static void unlink_due(struct ts_http_connection **list, const struct ts_http_connection *conn)
{
    for (; *list; list = &(*list)->next_due)
        if (*list == conn) {
            *list = conn->next_due;
            return;
        }
}

/* --- accepting ---------------------------------------------------------------------------------------------------------- */

bool ts_server_trusts(const struct ts_http_server *server, const struct ts_address *peer)
{
    return ts_cidr_any_contains(server->trusted, server->n_trusted, peer);
}

/* Loopback and trusted proxies speak for many; they are limited by the number in all only. */
static bool is_exempt(const struct ts_http_server *server, const struct ts_address *peer)
{
    return (ts_address_is_loopback(peer) && !server->limit_loopback) || ts_server_trusts(server, peer);
}

static bool admit(struct ts_http_connection *conn, const struct ts_address *peer)
{
    struct ts_http_server *server = conn->server;
    if (is_exempt(server, peer))
        return true;
    int count = ts_address_table_add(server->addresses, peer);
    if (count < 0)
        return false;
    conn->counted = true;
    conn->address = *peer;
    if (count <= server->options.max_connections_per_address)
        return true;
    if (ts_server_may_log_refusal(server)) {
        char text[TS_ADDRESS_SIZE];
        ts_log_warn("Too many connections of one address", TS_F_CSTR("ip", ts_address_format(peer, text)));
    }
    return false;
}

static void start(struct ts_http_connection *conn, const struct ts_address *peer)
{
    if (!admit(conn, peer) || ts_conn_start(conn, peer) != 0)
        ts_conn_close(conn);
}

static void accept_next(struct ts_http_listener *listener)
{
    struct ts_http_server *server = listener->server;
    bool full = server->n_connections >= server->options.max_connections;
    struct ts_http_connection *conn = full ? NULL : ts_conn_new(server);
    /* Not accepted, libuv accepts no other either: the rest waits in the kernel until a connection ends. */
    listener->waiting = conn == NULL;
    if (full && !server->full_logged) {
        server->full_logged = true;
        ts_log_warn("Connection limit reached, further clients wait",
                    TS_F_I64("connections", server->n_connections));
    }
    if (!conn)
        return;
    if (server->n_connections == 1)
        uv_timer_again(&server->tick);
    struct sockaddr_storage sa = {0};
    int len = sizeof(sa);
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&conn->tcp) != 0 ||
        uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&sa, &len) != 0) {
        ts_conn_close(conn);
        return;
    }
    struct ts_address peer = ts_address_from_sockaddr((const struct sockaddr *)&sa);
    start(conn, &peer);
}

static void on_connection(uv_stream_t *stream, int status)
{
    /* Out of descriptors libuv itself closes what waits, by its reserve descriptor, and goes on. */
    if (status == 0)
        accept_next(stream->data);
}

int ts_http_server_adopt(struct ts_http_server *server, int fd, const struct ts_address *peer)
{
    struct ts_http_connection *conn = ts_conn_new(server);
    if (!conn)
        return -ENOMEM;
    uv_timer_again(&server->tick);
    int error = uv_tcp_open(&conn->tcp, fd);
    if (error) {
        ts_conn_close(conn);
        return error;
    }
    start(conn, peer);
    return 0;
}

void ts_server_connection_gone(struct ts_http_server *server, struct ts_http_connection *conn)
{
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->connections = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->due) {
        unlink_due(&server->due, conn);
        unlink_due(&server->running_due, conn);
    }
    if (conn->resting)
        unlink_resting(server, conn);
    if (conn->counted)
        ts_address_table_remove(server->addresses, &conn->address);
    server->n_connections--;
    if (server->n_connections < server->options.max_connections * 9 / 10)
        server->full_logged = false;
    for (struct ts_http_listener *l = server->listeners; l && !server->draining; l = l->next)
        if (l->waiting)
            accept_next(l);
    if (server->n_connections > 0 || server->freeing)
        return;
    uv_timer_stop(&server->tick);
    if (server->draining)
        wake(server);
}

bool ts_server_may_log_refusal(struct ts_http_server *server)
{
    int64_t now_s = ts_clock_mono_us() / TS_US_PER_S;
    if (now_s != server->refusals_s) {
        server->refusals_s = now_s;
        server->refusals_logged = 0;
    }
    return server->refusals_logged++ < TS_MAX_REFUSALS_LOGGED;
}

/* --- time --------------------------------------------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct ts_http_server *server = timer->data;
    int64_t now_us = ts_clock_mono_us();
    bool over = server->draining && now_us >= server->drain_deadline_us;
    for (struct ts_http_connection *conn = server->connections, *next; conn; conn = next) {
        next = conn->next;
        if (over) {
            server->drain_forced++;
            ts_conn_close(conn);
        } else {
            ts_conn_check_time(conn, now_us);
        }
    }
}

/* Fine enough for the shortest deadline, coarse enough to cost nothing. */
static uint64_t tick_ms_for(const struct ts_http_server_options *o)
{
    int64_t shortest = TS_MIN(TS_MIN(o->header_timeout_us, o->body_timeout_us),
                              TS_MIN(o->idle_timeout_us, o->write_timeout_us));
    int64_t ms = shortest / 4 / TS_US_PER_MS;
    return (uint64_t)TS_MAX(INT64_C(10), TS_MIN(ms, INT64_C(500)));
}

/* --- options ------------------------------------------------------------------------------------------------------------ */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void fill_defaults(struct ts_http_server_options *o)
{
    o->max_connections = (int)or_default(o->max_connections, TS_MAX_CONNECTIONS_DEFAULT);
    o->max_connections_per_address =
        (int)or_default(o->max_connections_per_address, TS_MAX_CONNECTIONS_ADDRESS);
    o->header_timeout_us = or_default(o->header_timeout_us, 10 * TS_US_PER_S);
    o->body_timeout_us = or_default(o->body_timeout_us, 30 * TS_US_PER_S);
    o->idle_timeout_us = or_default(o->idle_timeout_us, 60 * TS_US_PER_S);
    o->write_timeout_us = or_default(o->write_timeout_us, 30 * TS_US_PER_S);
}

/* Raises the soft limit of descriptors as far as needed and allowed; what still doesn't fit is taken off the connections. */
static void fit_descriptors(struct ts_http_server_options *o)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = (rlim_t)o->max_connections + OTHER_DESCRIPTORS;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = TS_MIN(wanted, limit.rlim_max);
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
            getrlimit(RLIMIT_NOFILE, &limit);
            int fits = (int)limit.rlim_cur - OTHER_DESCRIPTORS;
            ts_log_warn("Fewer connections than configured: the limit of open files is too low",
                        TS_F_I64("configured", o->max_connections), TS_F_I64("connections", TS_MAX(fits, 1)));
            o->max_connections = TS_MAX(fits, 1);
        }
    }
}

static int take_trusted(struct ts_http_server *server)
{
    const struct ts_str_list *list = server->options.trusted_proxies;
    if (!list || list->n == 0)
        return 0;
    server->trusted = calloc(list->n, sizeof(*server->trusted));
    if (!server->trusted)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++) {
        int error = ts_cidr_parse(list->items[i], &server->trusted[i]);
        if (error)
            return error;
    }
    server->n_trusted = list->n;
    return 0;
}

static void free_memory(struct ts_http_server *server)
{
    ts_exchange_pool_free(server);
    ts_address_table_free(server->addresses);
    free(server->trusted);
    free(server->slots);
    free(server);
}

static int init_handles(struct ts_http_server *server)
{
    int error = uv_timer_init(server->loop, &server->tick);
    if (error)
        return error;
    server->tick.data = server;
    uv_idle_init(server->loop, &server->next_turn); /* cannot fail */
    uv_timer_init(server->loop, &server->rest);
    server->next_turn.data = server->rest.data = server;
    server->n_handles = 3;
    uint64_t ms = tick_ms_for(&server->options);
    error = uv_timer_start(&server->tick, on_tick, ms, ms);
    uv_timer_stop(&server->tick); /* uv_timer_again begins with the first connection */
    return error;
}

int ts_http_server_new(uv_loop_t *loop, const struct ts_http_server_options *options,
                       struct ts_http_server **ret)
{
    int error = ts_routes_check(options->routes, options->n_routes);
    if (error)
        return error;
    struct ts_http_server *server = calloc(1, sizeof(*server));
    if (!server)
        return -ENOMEM;
    signal(SIGPIPE, SIG_IGN); /* a client that is gone is an error of the write, not the end of the process */
    server->loop = loop;
    server->options = *options;
    server->heartbeat_us = TS_HEARTBEAT_US;
    server->drain_quiet_us = TS_DRAIN_QUIET_US;
    server->date_s = -1;
    fill_defaults(&server->options);
    fit_descriptors(&server->options);
    error = take_trusted(server);
    if (!error)
        error = ts_address_table_new((size_t)server->options.max_connections, &server->addresses);
    if (!error)
        error = init_handles(server);
    if (error) {
        free_memory(server);
        return error;
    }
    *ret = server;
    return 0;
}

/* --- listening ---------------------------------------------------------------------------------------------------------- */

static int to_sockaddr(const char *address, int port, struct sockaddr_storage *ret)
{
    ts_str text = ts_str_from(address);
    char bare[TS_ADDRESS_SIZE];
    if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = (ts_str){text.ptr + 1, text.len - 2};
    if (text.len == 0 || text.len >= sizeof(bare))
        return TS_E_INVALID;
    memcpy(bare, text.ptr, text.len);
    bare[text.len] = '\0';
    if (uv_ip4_addr(bare, port, (struct sockaddr_in *)ret) == 0 ||
        uv_ip6_addr(bare, port, (struct sockaddr_in6 *)ret) == 0)
        return 0;
    return TS_E_INVALID;
}

static int bound_port(const struct ts_http_listener *listener)
{
    struct sockaddr_storage sa = {0};
    int len = sizeof(sa);
    int error = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&sa, &len);
    if (error)
        return error;
    return sa.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&sa)->sin6_port)
                                    : ntohs(((struct sockaddr_in *)&sa)->sin_port);
}

static int bind_and_listen(struct ts_http_listener *listener, const struct sockaddr_storage *sa,
                           bool freebind)
{
    uv_os_fd_t fd;
    int on = 1;
    int error = uv_fileno((const uv_handle_t *)&listener->tcp, &fd);
    if (!error && freebind && setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) != 0)
        error = -errno;
    if (!error)
        error = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)sa, 0);
    if (!error)
        error = uv_listen((uv_stream_t *)&listener->tcp, SOMAXCONN, on_connection);
    return error ? error : bound_port(listener);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct ts_http_listener *listener = handle->data;
    struct ts_http_server *server = listener->server;
    free(listener);
    ts_server_handle_gone(server);
}

int ts_http_server_listen(struct ts_http_server *server, const char *address, int port, bool freebind,
                          int *ret_port)
{
    struct sockaddr_storage sa = {0};
    int error = to_sockaddr(address, port, &sa);
    if (error)
        return error;
    struct ts_http_listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->server = server;
    error = uv_tcp_init_ex(server->loop, &listener->tcp, sa.ss_family);
    if (error) {
        free(listener);
        return error;
    }
    listener->tcp.data = listener;
    server->n_handles++;
    int bound = bind_and_listen(listener, &sa, freebind);
    if (bound < 0) {
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
        return bound;
    }
    listener->next = server->listeners;
    server->listeners = listener;
    if (ret_port)
        *ret_port = bound;
    return 0;
}

/* What the kernel has accepted for us would be reset with the listener, though its client may have sent a request already. */
static void accept_backlog(struct ts_http_server *server)
{
    for (struct ts_http_listener *l = server->listeners; l; l = l->next) {
        uv_os_fd_t fd;
        int taken = 0;
        if (uv_fileno((const uv_handle_t *)&l->tcp, &fd) != 0)
            continue;
        while (server->n_connections < server->options.max_connections && taken >= 0) {
            struct sockaddr_storage sa = {0};
            socklen_t len = sizeof(sa);
            taken = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
            struct ts_address peer = ts_address_from_sockaddr((const struct sockaddr *)&sa);
            if (taken >= 0 && ts_http_server_adopt(server, taken, &peer) != 0)
                close(taken);
        }
    }
}

static void close_listeners(struct ts_http_server *server)
{
    while (server->listeners) {
        struct ts_http_listener *listener = server->listeners;
        server->listeners = listener->next;
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    }
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

void ts_http_server_retire(struct ts_http_server *server)
{
    server->retiring = true;
}

void ts_http_server_drain(struct ts_http_server *server, int64_t timeout_us,
                          void (*done)(void *ctx, int forced), void *ctx)
{
    if (server->draining)
        return;
    int64_t now_us = ts_clock_mono_us();
    accept_backlog(server);
    server->draining = true;
    server->drain_deadline_us = now_us + timeout_us;
    server->drain_done = done;
    server->drain_ctx = ctx;
    close_listeners(server);
    for (struct ts_http_connection *conn = server->connections, *next; conn; conn = next) {
        next = conn->next;
        ts_conn_begin_drain(conn, now_us);
    }
    wake(server);
}

void ts_server_handle_gone(struct ts_http_server *server)
{
    server->n_handles--;
    if (server->freeing && server->n_handles == 0)
        free_memory(server);
}

static void on_own_handle_closed(uv_handle_t *handle)
{
    ts_server_handle_gone(handle->data);
}

struct ts_http_server *ts_http_server_free(struct ts_http_server *server)
{
    if (!server)
        return NULL;
    server->draining = server->freeing = true;
    server->drain_done = NULL;
    close_listeners(server);
    while (server->connections)
        ts_conn_close(server->connections);
    uv_close((uv_handle_t *)&server->tick, on_own_handle_closed);
    uv_close((uv_handle_t *)&server->next_turn, on_own_handle_closed);
    uv_close((uv_handle_t *)&server->rest, on_own_handle_closed);
    return NULL;
}

struct ts_http_server_stats ts_http_server_stats(const struct ts_http_server *server)
{
    return (struct ts_http_server_stats){
        .connections = server->n_connections, .streams = server->n_streams, .parked = server->n_parked};
}
