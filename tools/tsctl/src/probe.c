#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/file.h"
#include "base/number.h"
#include "base/str.h"
#include "catalogue.h"

struct call {
    struct probe *probe;
    ts_str path;
    int fd; /* -1 = finished */
    int port;
    bool sent;
    char reply[32]; /* "HTTP/1.1 200" is all we want to know */
    size_t got;
};

static void finish(struct call *call, int64_t began_us)
{
    call->fd = ts_close(call->fd);
    call->probe->took_us = ts_clock_mono_us() - began_us;
}

/* Port and path of the URL; the host is this machine. */
static bool parse(const char *url, struct call *call)
{
    ts_str rest = ts_str_from(url);
    ptrdiff_t host = ts_str_find(rest, TS_STR("//"));
    int64_t port;

    if (host < 0)
        return false;
    rest = (ts_str){rest.ptr + host + 2, rest.len - (size_t)host - 2};
    ptrdiff_t slash = ts_str_find(rest, TS_STR("/")), colon = ts_str_find(rest, TS_STR(":"));
    if (slash < 0 || colon < 0 || colon > slash)
        return false;
    call->path = (ts_str){rest.ptr + slash, rest.len - (size_t)slash};
    if (ts_parse_i64((ts_str){rest.ptr + colon + 1, (size_t)(slash - colon - 1)}, 1, 65535, &port) < 0)
        return false;
    call->port = (int)port;
    return true;
}

static void begin(struct call *call)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)call->port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    call->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (call->fd >= 0 && connect(call->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
        errno != EINPROGRESS)
        call->fd = ts_close(call->fd);
}

static bool send_request(struct call *call)
{
    char request[1024];
    int len = snprintf(request, sizeof(request),
                       "GET %.*s HTTP/1.1\r\nHost: localhost:%d\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                       TS_STR_ARG(call->path), call->port);

    call->sent = true;
    return len > 0 && (size_t)len < sizeof(request) &&
           send(call->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

/* One step of a call whose socket is ready. False when it has come to its end. */
static bool advance(struct call *call)
{
    if (!call->sent)
        return send_request(call);
    ssize_t n = recv(call->fd, call->reply + call->got, sizeof(call->reply) - 1 - call->got, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    call->got += (size_t)n;
    if (call->got < 12)
        return true;
    if (strncmp(call->reply, "HTTP/1.", 7) == 0)
        call->probe->status = (int)strtol(call->reply + 9, NULL, 10);
    return false;
}

void probe_all(struct probe *probes, size_t n, int timeout_ms)
{
    struct call calls[MAX_SERVICES] = {0};
    int64_t began_us = ts_clock_mono_us(), deadline_us = began_us + timeout_ms * TS_US_PER_MS;

    n = TS_MIN(n, (size_t)MAX_SERVICES);
    for (size_t i = 0; i < n; i++) {
        calls[i] = (struct call){.probe = &probes[i], .fd = -1};
        probes[i].status = 0;
        probes[i].took_us = 0;
        if (probes[i].url && parse(probes[i].url, &calls[i]))
            begin(&calls[i]);
    }
    for (;;) {
        struct pollfd waits[MAX_SERVICES];
        size_t open = 0;
        for (size_t i = 0; i < n; i++) {
            waits[i] = (struct pollfd){.fd = calls[i].fd, .events = calls[i].sent ? POLLIN : POLLOUT};
            open += calls[i].fd >= 0;
        }
        int64_t left_ms = (deadline_us - ts_clock_mono_us()) / TS_US_PER_MS;
        if (open == 0 || left_ms <= 0)
            break;
        if (poll(waits, n, (int)left_ms) <= 0)
            continue;
        for (size_t i = 0; i < n; i++)
            if (calls[i].fd >= 0 && waits[i].revents && !advance(&calls[i]))
                finish(&calls[i], began_us);
    }
    for (size_t i = 0; i < n; i++)
        if (calls[i].fd >= 0)
            finish(&calls[i], began_us);
}
