/* The client against a scripted server on the same loop: it answers with exact bytes, or resets, or keeps
 * silent. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"

enum action { ANSWER, ANSWER_AND_CLOSE, RESET, SILENCE };

struct script {
    enum action action;
    const char *bytes;
};

struct fixture {
    uv_loop_t loop;
    uv_tcp_t listener;
    int port;
    struct script script;
    int connections;
    char seen[8192]; /* everything clients sent */
    size_t n_seen;
    struct ts_http_client *client;
};

struct peer {
    uv_tcp_t tcp;
    uv_write_t write;
    struct fixture *fixture;
    char buffer[4096];
};

static void on_peer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void peer_close(struct peer *peer)
{
    if (!uv_is_closing((uv_handle_t *)&peer->tcp))
        uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
}

static void on_written(uv_write_t *write, int status)
{
    struct peer *peer = write->data;
    if (status == 0 && peer->fixture->script.action == ANSWER_AND_CLOSE)
        peer_close(peer);
}

static void peer_act(struct peer *peer)
{
    struct fixture *f = peer->fixture;
    uv_buf_t out;
    switch (f->script.action) {
    case ANSWER:
    case ANSWER_AND_CLOSE:
        out = uv_buf_init((char *)(uintptr_t)f->script.bytes, (unsigned)strlen(f->script.bytes));
        peer->write.data = peer;
        assert_int_equal(uv_write(&peer->write, (uv_stream_t *)&peer->tcp, &out, 1, on_written), 0);
        break;
    case RESET:
        uv_tcp_close_reset(&peer->tcp, on_peer_closed);
        break;
    case SILENCE:
        break;
    }
}

static void on_peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct peer *peer = handle->data;
    (void)size;
    *buf = uv_buf_init(peer->buffer, sizeof peer->buffer);
}

static void on_peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct peer *peer = stream->data;
    struct fixture *f = peer->fixture;
    if (n < 0) {
        peer_close(peer);
        return;
    }
    assert_true(f->n_seen + (size_t)n < sizeof f->seen);
    memcpy(f->seen + f->n_seen, buf->base, (size_t)n);
    f->n_seen += (size_t)n;
    if (strstr(f->seen, "\r\n\r\n"))
        peer_act(peer);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fixture *f = listener->data;
    struct peer *peer = calloc(1, sizeof *peer);
    assert_int_equal(status, 0);
    assert_non_null(peer);
    f->connections++;
    peer->fixture = f;
    uv_tcp_init(&f->loop, &peer->tcp);
    peer->tcp.data = peer;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&peer->tcp), 0);
    uv_read_start((uv_stream_t *)&peer->tcp, on_peer_alloc, on_peer_read);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_in address;
    int length = sizeof address;
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    uv_tcp_init(&f->loop, &f->listener);
    f->listener.data = f;
    uv_ip4_addr("127.0.0.1", 0, &address);
    assert_int_equal(uv_tcp_bind(&f->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&f->listener, 16, on_connection), 0);
    uv_tcp_getsockname(&f->listener, (struct sockaddr *)&address, &length);
    f->port = ntohs(address.sin_port);
    assert_int_equal(ts_http_client_new(&f->loop, 2, &f->client), 0);
    *state = f;
    return 0;
}

static void close_all(uv_handle_t *handle, void *ctx)
{
    const struct fixture *f = ctx;
    if (uv_is_closing(handle))
        return;
    uv_close(handle, handle == (const uv_handle_t *)&f->listener ? NULL : on_peer_closed);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ts_http_client_free(f->client);
    uv_run(&f->loop, UV_RUN_NOWAIT); /* the client's own handles go here */
    uv_walk(&f->loop, close_all, f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

/* --- a call and what came of it --- */

struct outcome {
    int calls;
    int error, status;
    int64_t retry_after_us;
    char body[256];
    char error_text[256];
    uv_loop_t *loop;
};

static void on_done(const struct ts_http_client_reply *reply, void *ctx)
{
    struct outcome *outcome = ctx;
    outcome->calls++;
    outcome->error = reply->error;
    outcome->status = reply->status;
    outcome->retry_after_us = reply->retry_after_us;
    snprintf(outcome->body, sizeof outcome->body, "%.*s", TS_STR_ARG(reply->body));
    snprintf(outcome->error_text, sizeof outcome->error_text, "%s",
             reply->error_text ? reply->error_text : "");
    if (outcome->loop)
        uv_stop(outcome->loop);
}

static const char *url_of(const struct fixture *f, const char *path)
{
    static char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", f->port, path);
    return url;
}

static struct outcome call(struct fixture *f, const struct ts_http_client_request *request)
{
    struct outcome outcome = {.loop = &f->loop};
    f->n_seen = 0;
    memset(f->seen, 0, sizeof f->seen);
    assert_int_equal(ts_http_client_send(f->client, request, on_done, &outcome, NULL), 0);
    assert_int_equal(outcome.calls, 0); /* never from inside send */
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(outcome.calls, 1);
    return outcome;
}

static struct outcome get(struct fixture *f, enum action action, const char *bytes)
{
    f->script = (struct script){action, bytes};
    return call(f, &(struct ts_http_client_request){.url = url_of(f, "/x"), .timeout_us = 2 * TS_US_PER_S});
}

/* --- tests --- */

static void test_get_when_answered_then_status_and_body(void **state)
{
    struct outcome o = get(*state, ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(o.error, 0);
    assert_int_equal(o.status, 200);
    assert_string_equal(o.body, "hello");
    assert_true(o.retry_after_us == -1);
    assert_non_null(strstr(((struct fixture *)*state)->seen, "GET /x HTTP/1.1\r\n"));
}

static void test_post_when_sent_then_body_headers_and_no_expect(void **state)
{
    struct fixture *f = *state;
    const struct ts_http_header headers[] = {{TS_STR("X-One"), TS_STR("1")},
                                             {TS_STR("Content-Type"), TS_STR("application/json")},
                                             {TS_STR("X-Empty"), TS_STR("")}};
    f->script = (struct script){ANSWER, "HTTP/1.1 204 No Content\r\n\r\n"};
    struct outcome o = call(f, &(struct ts_http_client_request){.method = "POST",
                                                                .url = url_of(f, "/ingest"),
                                                                .headers = headers,
                                                                .n_headers = 3,
                                                                .body = TS_STR("{\"a\":\"\\u0000\"}")});
    assert_int_equal(o.error, 0);
    assert_int_equal(o.status, 204);
    assert_non_null(strstr(f->seen, "POST /ingest HTTP/1.1\r\n"));
    assert_non_null(strstr(f->seen, "X-One: 1\r\n"));
    assert_non_null(strstr(f->seen, "X-Empty:\r\n"));
    assert_non_null(strstr(f->seen, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(f->seen, "\r\n\r\n{\"a\":\"\\u0000\"}"));
    assert_null(strstr(f->seen, "Expect"));
    assert_null(strstr(f->seen, "x-www-form"));
}

static void test_post_when_body_is_empty_then_length_zero(void **state)
{
    struct fixture *f = *state;
    f->script = (struct script){ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    struct outcome o = call(f, &(struct ts_http_client_request){.method = "POST", .url = url_of(f, "/e")});
    assert_int_equal(o.status, 200);
    assert_non_null(strstr(f->seen, "Content-Length: 0\r\n"));
    assert_null(strstr(f->seen, "Content-Type"));
}

static void test_calls_in_turn_then_one_connection(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(f, ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").status, 200);
    assert_int_equal(f->connections, 1);
}

static void test_redirect_then_not_followed(void **state)
{
    struct outcome o = get(*state, ANSWER, "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(o.error, 0);
    assert_int_equal(o.status, 302);
    assert_null(strstr(((struct fixture *)*state)->seen, "/y"));
}

static void test_retry_after_when_seconds_then_read_else_absent(void **state)
{
    struct outcome o =
        get(*state, ANSWER, "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(o.status, 429);
    assert_true(o.retry_after_us == 7 * TS_US_PER_S);
    o = get(*state, ANSWER, "HTTP/1.1 429 Too Many\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n");
    assert_true(o.retry_after_us == -1);
}

static void test_failures_then_named_errors(void **state)
{
    static const struct {
        enum action action;
        const char *bytes;
        int error;
    } cases[] = {
        {RESET, NULL, -ECONNRESET},
        {ANSWER_AND_CLOSE, "", -ECONNRESET},
        {ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", -ECONNRESET},
        {ANSWER_AND_CLOSE, "this is no HTTP at all, not even a little\r\n\r\n", TS_E_PROTOCOL},
        {ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         -ECONNRESET /* libcurl: a receive error */},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        struct outcome o = get(*state, cases[i].action, cases[i].bytes);
        print_message("case %zu: %s\n", i, o.error_text);
        assert_int_equal(o.error, cases[i].error);
        assert_int_equal(o.status, 0);
        assert_true(o.error_text[0] != '\0');
    }
}

static void test_silence_then_timeout(void **state)
{
    struct fixture *f = *state;
    f->script = (struct script){SILENCE, NULL};
    struct outcome o = call(f, &(struct ts_http_client_request){.url = url_of(f, "/secret-token"),
                                                                .timeout_us = 50 * TS_US_PER_MS});
    assert_int_equal(o.error, TS_E_TIMEOUT);
    assert_null(strstr(o.error_text, "secret-token"));
}

static void test_nobody_listens_then_refused(void **state)
{
    struct fixture *f = *state;
    int port = f->port;
    uv_close((uv_handle_t *)&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    f->port = port;
    struct outcome o = call(f, &(struct ts_http_client_request){.url = url_of(f, "/x")});
    assert_int_equal(o.error, -ECONNREFUSED);
}

static void test_reply_longer_than_maximum_then_limit(void **state)
{
    struct fixture *f = *state;
    f->script = (struct script){ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};
    struct outcome o =
        call(f, &(struct ts_http_client_request){.url = url_of(f, "/x"), .max_reply_bytes = 4});
    assert_int_equal(o.error, TS_E_LIMIT);
    o = call(f, &(struct ts_http_client_request){.url = url_of(f, "/x"), .max_reply_bytes = 5});
    assert_int_equal(o.error, 0);
}

static void test_bad_requests_then_refused_at_once(void **state)
{
    struct fixture *f = *state;
    static const char *const urls[] = {"", "nonsense", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://"};
    const struct ts_http_header injected = {TS_STR("X-A"), TS_STR("1\r\nX-B: 2")};
    for (size_t i = 0; i < TS_ARRAY_LEN(urls); i++)
        assert_int_equal(ts_http_client_send(f->client, &(struct ts_http_client_request){.url = urls[i]},
                                             on_done, NULL, NULL),
                         TS_E_INVALID);
    assert_int_equal(ts_http_client_send(f->client,
                                         &(struct ts_http_client_request){
                                             .url = url_of(f, "/x"), .headers = &injected, .n_headers = 1},
                                         on_done, NULL, NULL),
                     TS_E_INVALID);
}

static void test_cancel_then_called_back_at_once_and_only_once(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    ts_http_call id = 0;
    f->script = (struct script){SILENCE, NULL};
    assert_int_equal(ts_http_client_send(f->client, &(struct ts_http_client_request){.url = url_of(f, "/x")},
                                         on_done, &o, &id),
                     0);
    assert_true(id != 0);
    while (f->n_seen == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
    ts_http_client_cancel(f->client, id);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.error, TS_E_CLOSED);
    ts_http_client_cancel(f->client, id); /* finished: ignored */
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(o.calls, 1);
}

static void test_free_with_calls_open_then_each_is_called_back(void **state)
{
    struct fixture *f = *state;
    struct outcome o[3] = {{0}};
    f->script = (struct script){SILENCE, NULL};
    for (int i = 0; i < 3; i++)
        assert_int_equal(ts_http_client_send(f->client,
                                             &(struct ts_http_client_request){.url = url_of(f, "/x")},
                                             on_done, &o[i], NULL),
                         0);
    while (f->n_seen == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
    f->client = ts_http_client_free(f->client);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(o[i].calls, 1);
        assert_int_equal(o[i].error, TS_E_CLOSED);
    }
}

struct chain {
    struct fixture *f;
    int left, done;
};

static void on_chain(const struct ts_http_client_reply *reply, void *ctx)
{
    struct chain *chain = ctx;
    assert_int_equal(reply->error, 0);
    chain->done++;
    if (--chain->left == 0) {
        uv_stop(&chain->f->loop);
        return;
    }
    assert_int_equal(ts_http_client_send(chain->f->client,
                                         &(struct ts_http_client_request){.url = url_of(chain->f, "/next")},
                                         on_chain, chain, NULL),
                     0);
}

static void test_send_from_inside_done_then_goes_on(void **state)
{
    struct chain chain = {.f = *state, .left = 20};
    chain.f->script = (struct script){ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    assert_int_equal(ts_http_client_send(chain.f->client,
                                         &(struct ts_http_client_request){.url = url_of(chain.f, "/first")},
                                         on_chain, &chain, NULL),
                     0);
    uv_run(&chain.f->loop, UV_RUN_DEFAULT);
    assert_int_equal(chain.done, 20);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_get_when_answered_then_status_and_body),
        CASE(test_post_when_sent_then_body_headers_and_no_expect),
        CASE(test_post_when_body_is_empty_then_length_zero),
        CASE(test_calls_in_turn_then_one_connection),
        CASE(test_redirect_then_not_followed),
        CASE(test_retry_after_when_seconds_then_read_else_absent),
        CASE(test_failures_then_named_errors),
        CASE(test_silence_then_timeout),
        CASE(test_nobody_listens_then_refused),
        CASE(test_reply_longer_than_maximum_then_limit),
        CASE(test_bad_requests_then_refused_at_once),
        CASE(test_cancel_then_called_back_at_once_and_only_once),
        CASE(test_free_with_calls_open_then_each_is_called_back),
        CASE(test_send_from_inside_done_then_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
