#include "watcher.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/process.h"

#define AGAIN_MS     5
#define MAX_IN_BYTES (4u * 1024 * 1024)

static void open_stream(struct watcher *watcher);

/* --- what came --- */

static void note(struct watcher *watcher, int64_t seq)
{
    while ((size_t)seq >= watcher->n_seen) {
        size_t n = watcher->n_seen ? 2 * watcher->n_seen : 16384;
        watcher->seen = realloc(watcher->seen, n);
        if (!watcher->seen)
            ts_test_die("out of memory");
        memset(watcher->seen + watcher->n_seen, 0, n - watcher->n_seen);
        watcher->n_seen = n;
    }
    if (watcher->seen[seq] < UINT8_MAX)
        watcher->seen[seq]++;
    watcher->backwards += seq <= watcher->seq;
    watcher->seq = seq;
    watcher->events++;
}

/* One event without the empty line at its end. A comment has no id; the number stands behind the last `-` of an id. */
static void take_event(struct watcher *watcher, const char *event)
{
    const char *id = strstr(event, "id: "), *number;

    if (event[0] == ':')
        return;
    if (id)
        snprintf(watcher->position, sizeof(watcher->position), "%.*s", (int)strcspn(id + 4, "\n"), id + 4);
    number = id ? strrchr(watcher->position, '-') : NULL;
    if (!number)
        ts_test_die("the stream sent an event without a position: %.200s", event);
    if (strstr(event, "event: reset"))
        watcher->resets++;
    else
        note(watcher, strtoll(number + 1, NULL, 10));
}

/* Takes the text up to `end` and what stands there; NULL when it has not come yet. The text is NUL-terminated. */
static char *cut(struct ts_buf *in, size_t *at, const char *end)
{
    char *text = in->data + *at;
    char *found = memmem(text, in->len - *at, end, strlen(end));

    if (!found)
        return NULL;
    *found = '\0';
    *at = (size_t)(found - in->data) + strlen(end);
    return text;
}

static void take_input(struct watcher *watcher)
{
    size_t at = 0;
    char *text;

    if (!watcher->in_events && (text = cut(&watcher->in, &at, "\r\n\r\n"))) {
        watcher->in_events = true;
        bool good = strncmp(text, "HTTP/1.1 200 ", 13) == 0;
        watcher->streams += good;
        watcher->refused += !good;
        if (!good)
            fprintf(stderr, "stream: %.*s\n", (int)strcspn(text, "\r"), text);
    }
    while (watcher->in_events && (text = cut(&watcher->in, &at, "\n\n")))
        take_event(watcher, text);
    memmove(watcher->in.data, watcher->in.data + at, watcher->in.len - at);
    watcher->in.len -= at;
}

/* --- the connection --- */

static void on_again(uv_timer_t *timer)
{
    open_stream(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct watcher *watcher = handle->data;

    if (!watcher->stopping)
        uv_timer_start(&watcher->again, on_again, AGAIN_MS, 0);
}

static void leave(struct watcher *watcher)
{
    if (!uv_is_closing((uv_handle_t *)&watcher->tcp))
        uv_close((uv_handle_t *)&watcher->tcp, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct watcher *watcher = handle->data;
    char *room = ts_buf_reserve(&watcher->in, suggested);

    if (!room)
        ts_test_die("the stream sends an event without end");
    *buf = uv_buf_init(room, (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct watcher *watcher = stream->data;

    (void)buf;
    if (n >= 0) {
        ts_buf_added(&watcher->in, (size_t)n);
        take_input(watcher);
        return;
    }
    watcher->refused += !watcher->in_events;
    leave(watcher);
}

static void on_written(uv_write_t *write, int status)
{
    (void)write, (void)status; /* the read tells */
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct watcher *watcher = connect->data;
    uv_buf_t piece = uv_buf_init(watcher->request, (unsigned)strlen(watcher->request));

    if (watcher->stopping)
        return;
    if (status < 0) {
        watcher->refused++;
        leave(watcher);
        return;
    }
    uv_read_start((uv_stream_t *)&watcher->tcp, on_alloc, on_read);
    uv_write(&watcher->write, (uv_stream_t *)&watcher->tcp, &piece, 1, on_written);
}

/* HTTP/1.0, so that the events come as they are and not in chunks. */
static void open_stream(struct watcher *watcher)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)watcher->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    snprintf(watcher->request, sizeof(watcher->request),
             "GET /signals/stream%s HTTP/1.0\r\nHost: localhost\r\n%s%s%s\r\n",
             watcher->position[0] ? "" : "?since=0", watcher->position[0] ? "Last-Event-ID: " : "",
             watcher->position, watcher->position[0] ? "\r\n" : "");
    watcher->in_events = false;
    ts_buf_clear(&watcher->in);
    uv_tcp_init(watcher->again.loop, &watcher->tcp);
    watcher->tcp.data = watcher->connect.data = watcher;
    if (uv_tcp_connect(&watcher->connect, &watcher->tcp, (const struct sockaddr *)&to, on_connected) != 0)
        ts_test_die("the stream's reader can't connect");
}

void watcher_start(struct watcher *watcher, uv_loop_t *loop, int port)
{
    *watcher = (struct watcher){.port = port, .in = TS_BUF_INIT(MAX_IN_BYTES)};
    uv_timer_init(loop, &watcher->again);
    watcher->again.data = watcher;
    open_stream(watcher);
}

void watcher_stop(struct watcher *watcher)
{
    watcher->stopping = true;
    leave(watcher);
    uv_close((uv_handle_t *)&watcher->again, NULL);
}

void watcher_done(struct watcher *watcher)
{
    ts_buf_done(&watcher->in);
    free(watcher->seen);
    watcher->seen = NULL;
}

unsigned watcher_seen(const struct watcher *watcher, int64_t seq)
{
    return seq >= 0 && (size_t)seq < watcher->n_seen ? watcher->seen[seq] : 0;
}
