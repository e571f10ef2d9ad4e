#include "fake_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cmocka_all.h"

#define PATIENCE_US (20 * TS_US_PER_S)

static char *dup_str(ts_str s)
{
    char *copy = strndup(s.ptr ? s.ptr : "", s.len);
    assert_non_null(copy);
    return copy;
}

static struct ts_http_response response_of(const struct fake_step *step, struct ts_http_header *header)
{
    *header = (struct ts_http_header){TS_STR("Retry-After"), ts_str_from(step->retry_after)};
    return (struct ts_http_response){
        .status = step->status,
        .body = ts_str_from(step->body ? step->body : "{\"status\":\"ok\"}"),
        .headers = header,
        .n_headers = step->retry_after != NULL,
    };
}

static const struct fake_step *next_step(struct fake_server *fake)
{
    static const struct fake_step ok = {.status = 200};
    if (fake->n_steps == 0)
        return &ok;
    return &fake->steps[fake->at + 1 < fake->n_steps ? fake->at++ : fake->at];
}

static void on_post(struct ts_http_request *req, void *ctx)
{
    struct fake_server *fake = ctx;
    struct ts_http_header header;
    const struct fake_step *step = next_step(fake);
    assert_true(fake->n_calls < FAKE_MAX_CALLS);
    fake->calls[fake->n_calls++] = (struct fake_call){
        .path = dup_str(req->path),
        .body = dup_str(req->body),
        .token = dup_str(ts_http_header(req, "X-Gateway-Token")),
        .request_id = dup_str(ts_http_header(req, "X-Request-Id")),
        .traceparent = dup_str(ts_http_header(req, "traceparent")),
    };
    if (fake->hold) {
        assert_true(fake->open < FAKE_MAX_STEPS);
        fake->held[fake->open++] = ts_http_park(req);
        fake->most_open = TS_MAX(fake->most_open, fake->open);
    } else if (step->status == 0) {
        (void)!ts_http_park(req);
    } else {
        struct ts_http_response response = response_of(step, &header);
        ts_http_reply(req, &response);
    }
}

static void on_health(struct ts_http_request *req, void *ctx)
{
    const struct fake_server *fake = ctx;
    char body[128] = "{\"status\":\"ok\"}";
    if (fake->version)
        snprintf(body, sizeof body, "{\"status\":\"ok\",\"version\":\"%s\"}", fake->version);
    ts_http_reply(req, &(struct ts_http_response){.body = ts_str_from(body)});
}

void fake_server_answer_all(struct fake_server *fake)
{
    const struct ts_http_response ok = {.body = TS_STR("{\"status\":\"ok\"}")};
    for (int i = 0; i < fake->open; i++)
        ts_http_answer(fake->server, fake->held[i], &ok);
    fake->open = 0;
}

void fake_server_start(struct fake_server *fake, uv_loop_t *loop, int port)
{
    static const struct ts_http_route routes[] = {
        {"POST", "/ingest", on_post, .flags = 0},
        {"POST", "/{token}/{method}", on_post, .flags = 0},
        {"GET", "/health", on_health, .flags = 0},
    };
    const struct ts_http_server_options options = {
        .routes = routes, .n_routes = TS_ARRAY_LEN(routes), .ctx = fake};
    fake->loop = loop;
    assert_int_equal(ts_http_server_new(loop, &options, &fake->server), 0);
    assert_int_equal(ts_http_server_listen(fake->server, "127.0.0.1", port, false, &fake->port), 0);
    snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%d", fake->port);
}

void fake_server_stop(struct fake_server *fake)
{
    fake->server = ts_http_server_free(fake->server);
    for (size_t i = 0; i < fake->n_calls; i++) {
        struct fake_call *call = &fake->calls[i];
        free(call->path);
        free(call->body);
        free(call->token);
        free(call->request_id);
        free(call->traceparent);
    }
    fake->n_calls = 0;
}

void fake_server_script(struct fake_server *fake, const struct fake_step *steps, size_t n)
{
    assert_true(n <= FAKE_MAX_STEPS);
    memcpy(fake->steps, steps, n * sizeof *steps);
    fake->n_steps = n;
    fake->at = 0;
}

/* --- turning the loop --- */

static void on_beat(uv_timer_t *timer TS_UNUSED) {}

static void beat_start(uv_loop_t *loop, uv_timer_t *timer)
{
    uv_timer_init(loop, timer);
    uv_timer_start(timer, on_beat, 2, 2); /* so that the condition is looked at while nothing happens */
}

static void beat_stop(uv_loop_t *loop, uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
}

bool fake_run_until(uv_loop_t *loop, bool (*condition)(void *ctx), void *ctx)
{
    int64_t end_us = ts_clock_mono_us() + PATIENCE_US;
    uv_timer_t beat;
    bool met;
    beat_start(loop, &beat);
    while (!(met = condition(ctx)) && ts_clock_mono_us() < end_us)
        uv_run(loop, UV_RUN_ONCE);
    beat_stop(loop, &beat); /* turns the loop once more, which may go on to the next state already */
    return met;
}

void fake_run_for(uv_loop_t *loop, int ms)
{
    int64_t end_us = ts_clock_mono_us() + ms * TS_US_PER_MS;
    uv_timer_t beat;
    beat_start(loop, &beat);
    while (ts_clock_mono_us() < end_us)
        uv_run(loop, UV_RUN_ONCE);
    beat_stop(loop, &beat);
}

/* --- resets --- */

static void on_reset_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fake_resetter *resetter = listener->data;
    uv_tcp_t *peer = calloc(1, sizeof *peer);
    assert_int_equal(status, 0);
    assert_non_null(peer);
    resetter->connections++;
    uv_tcp_init(listener->loop, peer);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)peer), 0);
    uv_tcp_close_reset(peer, on_reset_closed);
}

void fake_resetter_start(struct fake_resetter *resetter, uv_loop_t *loop)
{
    struct sockaddr_in address;
    int length = sizeof address;
    uv_tcp_init(loop, &resetter->listener);
    resetter->listener.data = resetter;
    uv_ip4_addr("127.0.0.1", 0, &address);
    assert_int_equal(uv_tcp_bind(&resetter->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&resetter->listener, 16, on_connection), 0);
    uv_tcp_getsockname(&resetter->listener, (struct sockaddr *)&address, &length);
    snprintf(resetter->url, sizeof resetter->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
}

void fake_resetter_stop(struct fake_resetter *resetter)
{
    uv_loop_t *loop = resetter->listener.loop;
    uv_close((uv_handle_t *)&resetter->listener, NULL);
    uv_run(loop, UV_RUN_NOWAIT); /* its memory may go now */
}
