/*
 * Listener: a libpq connection driven by the loop. One timer serves whatever the state waits for.
 *
 * libpq may close a socket and open another while it connects, so each step polls with a handle of its own, closed before libpq is called.
 */
#include "db/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "db/db_internal.h"
#include "db/pg_connect.h"

#define HEARTBEAT_MS 5000

enum state { WAITING, RESOLVING, CONNECTING, SUBSCRIBING, CONNECTED };

struct ts_listener {
    uv_loop_t *loop;
    struct ts_listener_options options; /* its strings are not ours: only the call-backs are used */
    struct ts_pg_target target;
    char *subscribe; /* "LISTEN channel" */
    uint64_t connect_timeout_ms;
    enum state state;
    PGconn *conn;
    uv_poll_t *poll; /* NULL = none; freed by its close */
    uv_timer_t timer;
    uv_getaddrinfo_t resolve;
    unsigned failures; /* in a row */
    bool is_pinging;
    bool is_freed;
    int users; /* the timer, a running resolve: the memory goes with the last */
};

static void on_timer(uv_timer_t *timer);
static void on_poll(uv_poll_t *poll, int status, int events);

/* --- pieces --- */

static void drop_user(struct ts_listener *listener)
{
    if (--listener->users > 0)
        return;
    ts_pg_target_done(&listener->target);
    free(listener->subscribe);
    free(listener);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void unwatch(struct ts_listener *listener)
{
    if (listener->poll)
        uv_close((uv_handle_t *)listener->poll, on_poll_closed);
    listener->poll = NULL;
}

static int watch(struct ts_listener *listener, int events)
{
    if (!listener->poll) {
        uv_poll_t *poll = malloc(sizeof(*poll));
        if (!poll)
            return -ENOMEM;
        int r = uv_poll_init(listener->loop, poll, PQsocket(listener->conn));
        if (r < 0) {
            free(poll);
            return r;
        }
        poll->data = listener;
        listener->poll = poll;
    }
    return uv_poll_start(listener->poll, events, on_poll);
}

static void disconnect(struct ts_listener *listener)
{
    unwatch(listener);
    PQfinish(listener->conn);
    listener->conn = NULL;
}

static void fail(struct ts_listener *listener)
{
    static const uint64_t waits_ms[] = {1000, 2000, 5000, 10000};
    const bool was_connected = listener->state == CONNECTED;
    const size_t wait = TS_MIN(listener->failures, TS_ARRAY_LEN(waits_ms) - 1);

    disconnect(listener);
    listener->state = WAITING;
    listener->failures++;
    uv_timer_start(&listener->timer, on_timer, waits_ms[wait], 0);
    if (was_connected && listener->options.on_lost)
        listener->options.on_lost(listener->options.ctx);
}

/* --- connecting --- */

static void begin_connecting(struct ts_listener *listener, const char *address)
{
    listener->state = CONNECTING;
    listener->conn = ts_pg_connect_start(&listener->target, address);
    uv_timer_start(&listener->timer, on_timer, listener->connect_timeout_ms, 0);
    if (!listener->conn || PQstatus(listener->conn) == CONNECTION_BAD || watch(listener, UV_WRITABLE) < 0)
        fail(listener);
}

/* Where a name has several addresses, each attempt takes the next. */
static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *found)
{
    struct ts_listener *listener = resolve->data;
    char address[NI_MAXHOST] = "";
    unsigned n = 0;

    for (struct addrinfo *i = found; i; i = i->ai_next)
        n++;
    struct addrinfo *chosen = found;
    for (unsigned skip = n ? listener->failures % n : 0; skip > 0; skip--)
        chosen = chosen->ai_next;
    if (chosen && getnameinfo(chosen->ai_addr, chosen->ai_addrlen, address, sizeof(address), NULL, 0,
                              NI_NUMERICHOST) != 0)
        address[0] = '\0';
    uv_freeaddrinfo(found);
    if (!listener->is_freed) {
        if (status == 0 && address[0])
            begin_connecting(listener, address);
        else
            fail(listener);
    }
    drop_user(listener);
}

static void begin_attempt(struct ts_listener *listener)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

    if (!listener->target.host) {
        begin_connecting(listener, NULL);
        return;
    }
    listener->state = RESOLVING;
    listener->resolve.data = listener;
    if (uv_getaddrinfo(listener->loop, &listener->resolve, on_resolved, listener->target.host, NULL,
                       &hints) == 0)
        listener->users++;
    else
        fail(listener);
}

/* What libpq could not send yet waits for room. */
static int send_query(struct ts_listener *listener, const char *query)
{
    if (!PQsendQuery(listener->conn, query))
        return TS_E_DB_CONNECTION;
    int unsent = PQflush(listener->conn);
    return unsent < 0 ? TS_E_DB_CONNECTION
                      : watch(listener, unsent ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static void go_on_connecting(struct ts_listener *listener)
{
    int r = 0;

    unwatch(listener);
    switch (PQconnectPoll(listener->conn)) {
    case PGRES_POLLING_READING:
        r = watch(listener, UV_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        r = watch(listener, UV_WRITABLE);
        break;
    case PGRES_POLLING_OK:
        listener->state = SUBSCRIBING;
        PQsetnonblocking(listener->conn, 1);
        r = send_query(listener, listener->subscribe);
        break;
    default:
        r = TS_E_DB_CONNECTION;
        break;
    }
    if (r < 0)
        fail(listener);
}

/* --- connected --- */

/* Takes the answers that are complete; *ret_done: all of the present query's. */
static int take_answers(struct ts_listener *listener, bool *ret_done)
{
    *ret_done = false;
    while (!PQisBusy(listener->conn)) {
        PGresult *result = PQgetResult(listener->conn);
        if (!result) {
            *ret_done = true;
            break;
        }
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return TS_E_DB_CONNECTION;
    }
    return 0;
}

static void deliver_notifications(struct ts_listener *listener)
{
    PGnotify *notify;

    while (!listener->is_freed && listener->conn && (notify = PQnotifies(listener->conn)) != NULL) {
        listener->options.on_notify(ts_str_from(notify->extra), listener->options.ctx);
        PQfreemem(notify);
    }
}

static void on_answer(struct ts_listener *listener)
{
    listener->is_pinging = false;
    if (listener->state != SUBSCRIBING)
        return;
    listener->state = CONNECTED;
    listener->failures = 0;
    uv_timer_start(&listener->timer, on_timer, HEARTBEAT_MS, HEARTBEAT_MS);
    listener->options.on_connected(listener->options.ctx);
}

static void take_input(struct ts_listener *listener)
{
    bool is_done;
    int unsent = PQflush(listener->conn);

    if (unsent < 0 || !PQconsumeInput(listener->conn) || take_answers(listener, &is_done) < 0 ||
        watch(listener, unsent ? UV_READABLE | UV_WRITABLE : UV_READABLE) < 0) {
        fail(listener);
        return;
    }
    if (is_done && (listener->state == SUBSCRIBING || listener->is_pinging))
        on_answer(listener);
    deliver_notifications(listener);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct ts_listener *listener = poll->data;

    (void)events, (void)status; /* libpq finds out what an error is */
    listener->users++;          /* a call-back may free the listener */
    if (listener->state == CONNECTING)
        go_on_connecting(listener);
    else
        take_input(listener);
    drop_user(listener);
}

static void on_timer(uv_timer_t *timer)
{
    struct ts_listener *listener = timer->data;

    if (listener->state == WAITING) {
        begin_attempt(listener);
    } else if (listener->state == CONNECTED && !listener->is_pinging) {
        listener->is_pinging = true;
        if (send_query(listener, "SELECT 1") < 0)
            fail(listener);
    } else {
        fail(listener); /* no connection, or no sign of life, within its time */
    }
}

/* --- life --- */

static bool is_channel(const char *name)
{
    return name && name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

int ts_listener_new(uv_loop_t *loop, const struct ts_listener_options *options, struct ts_listener **ret)
{
    if (!is_channel(options->channel))
        return TS_E_INVALID;
    struct ts_listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->loop = loop;
    listener->options = *options;
    listener->users = 1;
    const int64_t timeout_us =
        options->db.connect_timeout_us ? options->db.connect_timeout_us : TS_DB_DEFAULT_TIMEOUT_US;
    listener->connect_timeout_ms = (uint64_t)(timeout_us / TS_US_PER_MS);
    int r = ts_pg_target_init(&listener->target, &options->db);
    if (r == 0 && asprintf(&listener->subscribe, "LISTEN %s", options->channel) < 0) {
        listener->subscribe = NULL;
        r = -ENOMEM;
    }
    if (r < 0) {
        drop_user(listener);
        return r;
    }
    uv_timer_init(loop, &listener->timer);
    listener->timer.data = listener;
    uv_timer_start(&listener->timer, on_timer, 0,
                   0); /* from the loop, so that no call-back comes before we return */
    *ret = listener;
    return 0;
}

bool ts_listener_is_connected(const struct ts_listener *listener)
{
    return listener->state == CONNECTED;
}

static void on_timer_closed(uv_handle_t *handle)
{
    drop_user(handle->data);
}

struct ts_listener *ts_listener_free(struct ts_listener *listener)
{
    if (!listener)
        return NULL;
    listener->is_freed = true;
    disconnect(listener);
    if (listener->state == RESOLVING)
        uv_cancel((uv_req_t *)&listener->resolve);
    listener->state = WAITING;
    uv_close((uv_handle_t *)&listener->timer, on_timer_closed);
    return NULL;
}
