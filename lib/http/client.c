/*
 * libcurl tells which descriptors it waits for and when it wants to be called (multi_socket); libuv does the
 * waiting. Replies are collected in one place, ts_http_client_collect, which only ever runs from a poll or
 * timer call-back of the loop: that is why `done` can't run inside ts_http_client_send, and why a call may be
 * cancelled from inside any `done`.
 */
#include "http/client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/number.h"

enum { DEFAULT_TIMEOUT_MS = 10 * 1000, DEFAULT_CONNECT_TIMEOUT_MS = 2 * 1000, MAX_RETRY_AFTER_S = 24 * 3600 };

struct call {
    struct ts_http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct ts_buf sent; /* libcurl reads the body from here */
    struct ts_buf reply;
    ts_http_client_done done;
    void *ctx;
    ts_http_call id;
    struct call *prev, *next;
    char error_text[CURL_ERROR_SIZE];
};

struct ts_http_client {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    struct call *calls;
    ts_http_call last_id;
    int open_handles; /* uv handles whose close call-back is still due */
    bool freeing;
};

struct watched_socket {
    uv_poll_t poll; /* first: the close call-back frees through it */
    struct ts_http_client *client;
    curl_socket_t fd;
};

/* --- one call --- */

static void call_free(struct call *call)
{
    if (call->easy)
        curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    ts_buf_done(&call->sent);
    ts_buf_done(&call->reply);
    free(call);
}

static void call_unlink(struct call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
}

static void call_link(struct ts_http_client *client, struct call *call)
{
    call->client = client;
    call->id = ++client->last_id;
    call->next = client->calls;
    if (client->calls)
        client->calls->prev = call;
    client->calls = call;
}

static int refused_or_unreachable(CURL *easy)
{
    long os_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    return os_error == EHOSTUNREACH || os_error == ENETUNREACH ? -EHOSTUNREACH : -ECONNREFUSED;
}

static int error_of(const struct call *call, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return TS_E_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT:
        return refused_or_unreachable(call->easy);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return -ECONNRESET;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    case CURLE_WRITE_ERROR:
        return ts_buf_error(&call->reply) ? ts_buf_error(&call->reply) : TS_E_PROTOCOL;
    default:
        return TS_E_PROTOCOL;
    }
}

static int64_t retry_after_us(CURL *easy)
{
    struct curl_header *header = NULL;
    int64_t seconds = 0;
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    if (ts_parse_i64(ts_str_trim(ts_str_from(header->value)), 0, MAX_RETRY_AFTER_S, &seconds) != 0)
        return -1;
    return seconds * TS_US_PER_S;
}

static void call_finish(struct call *call, CURLcode code)
{
    struct ts_http_client_reply reply = {.error = error_of(call, code), .retry_after_us = -1};
    if (reply.error == 0) {
        long status = 0;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        reply.status = (int)status;
        reply.body = ts_buf_view(&call->reply);
        reply.retry_after_us = retry_after_us(call->easy);
    } else {
        reply.error_text = call->error_text[0] != '\0' ? call->error_text : curl_easy_strerror(code);
    }
    curl_multi_remove_handle(call->client->multi, call->easy);
    call_unlink(call);
    call->done(&reply, call->ctx);
    call_free(call);
}

static void call_cancel(struct call *call)
{
    const struct ts_http_client_reply reply = {
        .error = TS_E_CLOSED, .retry_after_us = -1, .error_text = "cancelled"};
    curl_multi_remove_handle(call->client->multi, call->easy);
    call_unlink(call);
    call->done(&reply, call->ctx);
    call_free(call);
}

/* --- libcurl on the loop --- */

static void ts_http_client_collect(struct ts_http_client *client)
{
    int left;
    CURLMsg *message;
    while (!client->freeing && (message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct call *call = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call_finish(call, message->data.result);
    }
}

static void run_socket(struct ts_http_client *client, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(client->multi, fd, events, &running);
    ts_http_client_collect(client);
}

static void on_timer(uv_timer_t *timer)
{
    run_socket(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    const struct watched_socket *watched = poll->data;
    int flags = 0;
    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    run_socket(watched->client, watched->fd, flags);
}

static void client_handle_closed(struct ts_http_client *client)
{
    if (--client->open_handles == 0) {
        curl_global_cleanup();
        free(client);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    client_handle_closed(handle->data);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct watched_socket *watched = handle->data;
    struct ts_http_client *client = watched->client;
    free(watched);
    client_handle_closed(client);
}

/* NULL: libcurl is not told of a failure here, but the call's own timer still ends it. */
static struct watched_socket *socket_watch(struct ts_http_client *client, curl_socket_t fd)
{
    struct watched_socket *watched = calloc(1, sizeof *watched);
    if (!watched)
        return NULL;
    if (uv_poll_init(client->loop, &watched->poll, fd) != 0) {
        free(watched);
        return NULL;
    }
    watched->poll.data = watched;
    watched->client = client;
    watched->fd = fd;
    client->open_handles++;
    curl_multi_assign(client->multi, fd, watched);
    return watched;
}

static void socket_unwatch(struct ts_http_client *client, struct watched_socket *watched)
{
    curl_multi_assign(client->multi, watched->fd, NULL);
    uv_poll_stop(&watched->poll);
    uv_close((uv_handle_t *)&watched->poll, on_socket_closed);
}

static int curl_wants_socket(CURL *easy TS_UNUSED, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct ts_http_client *client = ctx;
    struct watched_socket *watched = socket_ctx;
    int events = 0;
    if (what == CURL_POLL_REMOVE) {
        if (watched)
            socket_unwatch(client, watched);
        return 0;
    }
    if (!watched && !(watched = socket_watch(client, fd)))
        return 0;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    uv_poll_start(&watched->poll, events, on_socket_ready);
    return 0;
}

static int curl_wants_timer(CURLM *multi TS_UNUSED, long timeout_ms, void *ctx)
{
    struct ts_http_client *client = ctx;
    if (uv_is_closing((uv_handle_t *)&client->timer))
        return 0;
    if (timeout_ms < 0) {
        uv_timer_stop(&client->timer);
        return 0;
    }
    /* The loop's idea of now may be old by the time a long handler sends; without this, short timers fire
     * early and spin. */
    uv_update_time(client->loop);
    uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static size_t on_reply_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    struct call *call = ctx;
    ts_buf_bytes(&call->reply, bytes, size * n);
    return ts_buf_error(&call->reply) ? 0 : size * n;
}

/* --- sending --- */

static bool has_line_break(ts_str s)
{
    return memchr(s.ptr, '\r', s.len) || memchr(s.ptr, '\n', s.len) || memchr(s.ptr, '\0', s.len);
}

static int append_header(struct call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    if (!longer)
        return -ENOMEM;
    call->headers = longer;
    return 0;
}

static int call_headers(struct call *call, const struct ts_http_client_request *request)
{
    bool has_type = false;
    int r = append_header(call, "Expect:"); /* no 100-continue round trip before a body */
    for (size_t i = 0; r == 0 && i < request->n_headers; i++) {
        const struct ts_http_header *header = &request->headers[i];
        _cleanup_(ts_buf_done) struct ts_buf line = TS_BUF_INIT(TS_MAX_HEADER_BYTES);
        if (header->name.len == 0 || has_line_break(header->name) ||
            (header->value.len > 0 && has_line_break(header->value)))
            return TS_E_INVALID;
        has_type = has_type || ts_str_eq_nocase(header->name, TS_STR("content-type"));
        ts_buf_str(&line, header->name);
        /* libcurl's spelling of a header without a value; "Name:" would remove it. */
        ts_buf_str(&line, header->value.len > 0 ? TS_STR(": ") : TS_STR(";"));
        ts_buf_str(&line, header->value);
        ts_buf_char(&line, '\0');
        r = ts_buf_error(&line) ? ts_buf_error(&line) : append_header(call, line.data);
    }
    if (r == 0 && !has_type)
        r = append_header(call, "Content-Type:"); /* libcurl would claim a form */
    return r;
}

static void call_method(struct call *call, const char *method, ts_str body)
{
    if (!method || strcmp(method, "GET") == 0) {
        curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
    } else if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
    }
    if (ts_str_is_none(body) && (!method || strcmp(method, "POST") != 0))
        return;
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body.len > 0 ? call->sent.data : "");
    if (method)
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
}

/* Checks the URL now, so that a bad one is an error of send and not a failed call. */
static int call_url(struct call *call, const char *url)
{
    CURLU *parsed = curl_url();
    char *host = NULL, *scheme = NULL;
    int r = TS_E_INVALID;
    if (!parsed)
        return -ENOMEM;
    if (url && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
        r = curl_easy_setopt(call->easy, CURLOPT_URL, url) == CURLE_OK ? 0 : -ENOMEM;
    if (r == 0 && is_loopback(host)) /* a proxy from the environment is for the world outside */
        curl_easy_setopt(call->easy, CURLOPT_PROXY, "");
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return r;
}

static long ms_or(int64_t us, long fallback)
{
    return us > 0 ? (long)((us + TS_US_PER_MS - 1) / TS_US_PER_MS) : fallback;
}

static void call_options(struct call *call, const struct ts_http_client_request *request)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error_text);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms_or(request->timeout_us, DEFAULT_TIMEOUT_MS));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     ms_or(request->connect_timeout_us, DEFAULT_CONNECT_TIMEOUT_MS));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
}

static int call_prepare(struct call *call, const struct ts_http_client_request *request)
{
    int r;
    call->reply.max_bytes = request->max_reply_bytes ? request->max_reply_bytes : TS_MAX_REPLY_BYTES;
    call->sent.max_bytes = request->body.len;
    ts_buf_str(&call->sent, request->body);
    if (ts_buf_error(&call->sent) || !(call->easy = curl_easy_init()))
        return -ENOMEM;
    if ((r = call_url(call, request->url)) != 0 || (r = call_headers(call, request)) != 0)
        return r;
    call_options(call, request);
    call_method(call, request->method, request->body);
    return 0;
}

int ts_http_client_send(struct ts_http_client *client, const struct ts_http_client_request *request,
                        ts_http_client_done done, void *ctx, ts_http_call *ret_call)
{
    struct call *call;
    int r;
    if (client->freeing)
        return TS_E_CLOSED;
    if (!(call = calloc(1, sizeof *call)))
        return -ENOMEM;
    call->done = done;
    call->ctx = ctx;
    r = call_prepare(call, request);
    if (r == 0 && curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
        r = -ENOMEM;
    if (r != 0) {
        call_free(call);
        return r;
    }
    call_link(client, call);
    if (ret_call)
        *ret_call = call->id;
    return 0;
}

void ts_http_client_cancel(struct ts_http_client *client, ts_http_call id)
{
    for (struct call *call = client->calls; call; call = call->next) {
        if (call->id == id) {
            call_cancel(call);
            return;
        }
    }
}

/* --- the client --- */

static void multi_options(struct ts_http_client *client, int max_per_host)
{
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max_per_host);
}

int ts_http_client_new(uv_loop_t *loop, int max_per_host, struct ts_http_client **ret)
{
    struct ts_http_client *client;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* counted by libcurl */
        return -ENOMEM;
    client = calloc(1, sizeof *client);
    if (!client || !(client->multi = curl_multi_init())) {
        free(client);
        curl_global_cleanup();
        return -ENOMEM;
    }
    client->loop = loop;
    uv_timer_init(loop, &client->timer);
    client->timer.data = client;
    client->open_handles = 1;
    multi_options(client, max_per_host);
    *ret = client;
    return 0;
}

struct ts_http_client *ts_http_client_free(struct ts_http_client *client)
{
    if (!client)
        return NULL;
    client->freeing = true;
    while (client->calls)
        call_cancel(client->calls); // NOLINT(clang-analyzer-unix.Malloc): it takes itself off the list
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
    curl_multi_cleanup(client->multi); /* tells of each socket it still had, so their polls are closed too */
    return NULL;
}
