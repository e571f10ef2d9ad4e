#include "http/testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"

#define PATIENCE_MS 20000

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "testing: %s: %s\n", what, strerror(errno));
    abort();
}

/* --- server ------------------------------------------------------------------------------------------------------------- */

static void close_all(struct ts_test_server *ts)
{
    ts->server = ts_http_server_free(ts->server);
    uv_close((uv_handle_t *)&ts->wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
    struct ts_test_server *ts = wake->data;
    if (ts->fn)
        ts->fn(ts->arg);
    ts->fn = NULL;
    if (ts->stopping)
        close_all(ts);
    uv_sem_post(&ts->done);
}

static void run_loop(void *arg)
{
    struct ts_test_server *ts = arg;
    uv_run(&ts->loop, UV_RUN_DEFAULT);
}

void ts_test_server_start(struct ts_test_server *ts, const struct ts_http_server_options *options,
                          void (*tune)(struct ts_http_server *server))
{
    *ts = (struct ts_test_server){0};
    must(uv_loop_init(&ts->loop) == 0, "loop");
    must(uv_sem_init(&ts->done, 0) == 0, "semaphore");
    must(uv_async_init(&ts->loop, &ts->wake, on_wake) == 0, "async");
    ts->wake.data = ts;
    must(ts_http_server_new(&ts->loop, options, &ts->server) == 0, "server");
    if (tune)
        tune(ts->server);
    must(ts_http_server_listen(ts->server, "127.0.0.1", 0, false, &ts->port) == 0, "listen");
    must(uv_thread_create(&ts->thread, run_loop, ts) == 0, "thread");
}

void ts_test_server_call(struct ts_test_server *ts, void (*fn)(void *arg), void *arg)
{
    ts->fn = fn;
    ts->arg = arg;
    uv_async_send(&ts->wake);
    uv_sem_wait(&ts->done);
}

struct stats_call {
    struct ts_test_server *ts;
    struct ts_http_server_stats stats;
};

static void take_stats(void *arg)
{
    struct stats_call *call = arg;
    call->stats = ts_http_server_stats(call->ts->server);
}

struct ts_http_server_stats ts_test_server_stats(struct ts_test_server *ts)
{
    struct stats_call call = {.ts = ts};
    ts_test_server_call(ts, take_stats, &call);
    return call.stats;
}

void ts_test_server_stop(struct ts_test_server *ts)
{
    ts->stopping = true;
    ts_test_server_call(ts, NULL, NULL);
    uv_thread_join(&ts->thread);
    must(uv_loop_close(&ts->loop) == 0, "a handle was left open");
    uv_sem_destroy(&ts->done);
}

bool ts_test_eventually(bool (*condition)(void *arg), void *arg)
{
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 2) {
        if (condition(arg))
            return true;
        usleep(2000);
    }
    return false;
}

/* --- client ------------------------------------------------------------------------------------------------------------- */

void ts_test_connect(struct ts_test_client *c, int port)
{
    *c = (struct ts_test_client){.in = TS_BUF_INIT((size_t)64 * 1024 * 1024)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(c->fd >= 0, "socket");
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(connect(c->fd, (struct sockaddr *)&in, sizeof(in)) == 0, "connect");
}

void ts_test_close(struct ts_test_client *c)
{
    close(c->fd);
    c->fd = -1;
    ts_buf_done(&c->in);
}

void ts_test_reset(struct ts_test_client *c)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    ts_test_close(c);
}

bool ts_test_send(struct ts_test_client *c, ts_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0)
            return false;
        bytes = (ts_str){bytes.ptr + n, bytes.len - (size_t)n};
    }
    return true;
}

bool ts_test_send_text(struct ts_test_client *c, const char *text)
{
    return ts_test_send(c, ts_str_from(text));
}

bool ts_test_printf(struct ts_test_client *c, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    must(len >= 0, "memory");
    bool sent = ts_test_send(c, (ts_str){text, (size_t)len});
    free(text);
    return sent;
}

/* Reads some bytes: 1, 0 at the end or a reset, -1 when patience is over. */
static int read_more(struct ts_test_client *c)
{
    struct pollfd poller = {.fd = c->fd, .events = POLLIN};
    if (poll(&poller, 1, PATIENCE_MS) <= 0)
        return -1;
    char bytes[16 * 1024];
    ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
    if (n <= 0)
        return 0;
    ts_buf_bytes(&c->in, bytes, (size_t)n);
    must(ts_buf_error(&c->in) == 0, "memory");
    return 1;
}

static ts_str unread(const struct ts_test_client *c)
{
    ts_str all = ts_buf_view(&c->in);
    return (ts_str){all.ptr + c->taken, all.len - c->taken};
}

static int read_head(struct ts_test_client *c)
{
    ptrdiff_t end;
    while ((end = ts_str_find(unread(c), TS_STR("\r\n\r\n"))) < 0) {
        int more = read_more(c);
        if (more <= 0)
            return more;
    }
    c->head = (ts_str){unread(c).ptr, (size_t)end + 4};
    int64_t status = 0;
    if (c->head.len > 12 && ts_parse_i64((ts_str){c->head.ptr + 9, 3}, 100, 599, &status) != 0)
        return 0;
    return c->status = (int)status;
}

int ts_test_reply_head(struct ts_test_client *c)
{
    int status = read_head(c);
    if (status > 0)
        c->taken += c->head.len;
    return status;
}

int ts_test_reply(struct ts_test_client *c)
{
    int status = read_head(c);
    if (status <= 0)
        return status;
    size_t head_len = c->head.len;
    int64_t len = 0;
    ts_str length = ts_test_reply_header(c, "Content-Length");
    if (!ts_str_is_none(length))
        must(ts_parse_i64(length, 0, INT64_MAX, &len) == 0, "Content-Length of a reply");
    while (unread(c).len < head_len + (size_t)len) {
        int more = read_more(c);
        if (more <= 0)
            return more;
    }
    c->head = (ts_str){unread(c).ptr, head_len}; /* the buffer may have moved */
    c->body = (ts_str){unread(c).ptr + head_len, (size_t)len};
    c->taken += head_len + (size_t)len;
    return status;
}

ts_str ts_test_reply_header(const struct ts_test_client *c, const char *name)
{
    ts_str line, rest = c->head, wanted = ts_str_from(name);
    while (ts_str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = ts_str_find(line, TS_STR(":"));
        if (colon > 0 && ts_str_eq_nocase((ts_str){line.ptr, (size_t)colon}, wanted))
            return ts_str_trim((ts_str){line.ptr + colon + 1, line.len - (size_t)colon - 1});
    }
    return TS_STR_NONE;
}

bool ts_test_read_until(struct ts_test_client *c, const char *needle)
{
    ptrdiff_t at;
    while ((at = ts_str_find(unread(c), ts_str_from(needle))) < 0)
        if (read_more(c) <= 0)
            return false;
    c->taken += (size_t)at + strlen(needle);
    return true;
}

bool ts_test_ended(struct ts_test_client *c)
{
    int more;
    do {
        ts_buf_clear(&c->in);
        c->taken = 0;
        more = read_more(c);
    } while (more > 0);
    return more == 0;
}

int ts_test_exchange(int port, const char *request, struct ts_buf *body)
{
    struct ts_test_client c;
    ts_test_connect(&c, port);
    int status = ts_test_send_text(&c, request) ? ts_test_reply(&c) : 0;
    if (status > 0 && body)
        ts_buf_str(body, c.body);
    ts_test_close(&c);
    return status;
}
