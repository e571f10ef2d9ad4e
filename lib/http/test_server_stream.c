/* Server-sent events: order, heartbeat, slow clients, the end from either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "http/server_internal.h"
#include "http/testing.h"

static struct ts_test_server ts;
static struct ts_test_client c;
static ts_http_ticket streams[TS_MAX_STREAMS + 8], parked;
static int n_streams, n_closed, n_refused;
static ts_http_ticket last_closed;

static void closed(ts_http_ticket ticket, void *ctx)
{
    assert_ptr_equal(ctx, &ts);
    last_closed = ticket;
    n_closed++;
}

static void stream(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_ticket ticket = 0;
    int error = ts_http_stream(req, closed, &ts, &ticket);
    if (error) {
        n_refused++;
        return;
    }
    streams[n_streams++] = ticket;
    /* Catch-up: events may be sent before the handler has returned. */
    assert_int_equal(ts_http_stream_send(req->server, ticket, TS_STR("event: hello\ndata: {}\n\n")), 0);
}

static void park(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    parked = ts_http_park(req);
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/stream", .handler = stream},
    {.method = "GET", .pattern = "/park", .handler = park},
};

static void quick_heartbeat(struct ts_http_server *server)
{
    server->heartbeat_us = 20 * TS_US_PER_MS;
}

static void start(void (*tune)(struct ts_http_server *server), int64_t timeout_us)
{
    n_streams = n_closed = n_refused = 0;
    parked = last_closed = 0;
    ts_test_server_start(&ts,
                         &(struct ts_http_server_options){.routes = routes,
                                                          .n_routes = TS_ARRAY_LEN(routes),
                                                          .idle_timeout_us = timeout_us,
                                                          .write_timeout_us = timeout_us},
                         tune);
    ts_test_connect(&c, ts.port);
}

static int setup(void **state)
{
    (void)state;
    start(NULL, 0);
    return 0;
}

static int setup_quick(void **state)
{
    (void)state;
    start(quick_heartbeat, 300 * TS_US_PER_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_test_close(&c);
    ts_test_server_stop(&ts);
    return 0;
}

static void open_stream(struct ts_test_client *client)
{
    ts_test_send_text(client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply_head(client), 200);
    assert_true(ts_test_read_until(client, "event: hello\ndata: {}\n\n"));
}

struct sending {
    ts_str events;
    int result;
};

static void send_first(void *arg)
{
    struct sending *sending = arg;
    sending->result = ts_http_stream_send(ts.server, streams[0], sending->events);
}

static int send_event(ts_str events)
{
    struct sending sending = {.events = events};
    ts_test_server_call(&ts, send_first, &sending);
    return sending.result;
}

static void backlog_of_first(void *arg)
{
    *(ptrdiff_t *)arg = ts_http_stream_backlog(ts.server, streams[0]);
}

static ptrdiff_t backlog(void)
{
    ptrdiff_t bytes;
    ts_test_server_call(&ts, backlog_of_first, &bytes);
    return bytes;
}

static void close_first(void *arg)
{
    (void)arg;
    ts_http_stream_close(ts.server, streams[0]);
}

static bool was_closed(void *arg)
{
    (void)ts_test_server_stats(&ts);
    return n_closed >= *(int *)arg;
}

static void await_closed(int n)
{
    assert_true(ts_test_eventually(was_closed, &n));
}

static void test_events_arrive_in_order_with_the_headers_of_a_stream(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Content-Type"), TS_STR("text/event-stream")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Cache-Control"), TS_STR("no-store")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "X-Accel-Buffering"), TS_STR("no")));
    assert_true(ts_str_is_none(ts_test_reply_header(&c, "Content-Length")));
    assert_false(ts_str_is_none(ts_test_reply_header(&c, "X-Request-Id")));
    for (int i = 0; i < 100; i++) {
        char event[64];
        int len = snprintf(event, sizeof(event), "id: %d\ndata: {}\n\n", i);
        assert_int_equal(send_event((ts_str){event, (size_t)len}), 0);
    }
    assert_true(ts_test_read_until(&c, "event: hello\ndata: {}\n\nid: 0\ndata: {}\n\nid: 1\n"));
    assert_true(ts_test_read_until(&c, "id: 98\ndata: {}\n\nid: 99\ndata: {}\n\n"));
    assert_int_equal(backlog(), 0);
    assert_int_equal(ts_test_server_stats(&ts).streams, 1);
}

static void test_heartbeat_comes_by_itself_and_no_idle_deadline_ends_a_stream(void **state)
{
    (void)state;
    open_stream(&c);
    for (int i = 0; i < 20; i++)
        assert_true(ts_test_read_until(&c, ":\n\n"));
    assert_int_equal(send_event(TS_STR("data: still here\n\n")), 0);
    assert_true(ts_test_read_until(&c, "data: still here\n\n"));
}

static void test_client_that_leaves_closes_its_stream_once(void **state)
{
    (void)state;
    open_stream(&c);
    ts_test_close(&c);
    await_closed(1);
    assert_int_equal(last_closed, streams[0]);
    assert_int_equal(send_event(TS_STR("data: x\n\n")), TS_E_GONE);
    assert_int_equal(backlog(), -1);
    assert_int_equal(ts_test_server_stats(&ts).streams, 0);
    ts_test_connect(&c, ts.port);
    open_stream(&c);
    ts_test_reset(&c);
    await_closed(2);
    assert_int_equal(last_closed, streams[1]);
    ts_test_connect(&c, ts.port);
}

static void test_slow_client_is_cut_when_its_backlog_is_full_and_others_go_on(void **state)
{
    (void)state;
    int small = 4096;
    setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    open_stream(&c);
    static char big[64 * 1024];
    memset(big, 'x', sizeof(big));
    int result = 0, sent = 0;
    while (result == 0 && sent < 1000) {
        assert_int_equal(n_closed, 0);
        result = send_event((ts_str){big, sizeof(big)});
        sent++;
        assert_true(backlog() <= TS_MAX_STREAM_BACKLOG_BYTES);
    }
    assert_int_equal(result, TS_E_GONE);
    await_closed(1);
    struct ts_test_client other;
    ts_test_connect(&other, ts.port);
    open_stream(&other);
    ts_test_close(&other);
    await_closed(2);
}

static void test_client_that_takes_nothing_is_cut_by_the_write_deadline(void **state)
{
    (void)state;
    open_stream(&c);
    static char big[128 * 1024];
    memset(big, 'x', sizeof(big));
    /* Fills the socket, stays below the backlog's limit; then the client just doesn't read. */
    for (int i = 0; i < 1000 && backlog() == 0; i++)
        assert_int_equal(send_event((ts_str){big, sizeof(big)}), 0);
    await_closed(1);
}

static bool has_stream(void *arg)
{
    (void)arg;
    return ts_test_server_stats(&ts).streams == 1;
}

static void answer_parked(void *arg)
{
    (void)arg;
    assert_int_equal(ts_http_answer(ts.server, parked, &(struct ts_http_response){.body = TS_STR("now")}), 0);
}

static void test_stream_behind_a_parked_request_waits_for_its_turn(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /park HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(ts_test_eventually(has_stream, NULL));
    assert_int_equal(send_event(TS_STR("data: early\n\n")), 0);
    assert_true(backlog() > 0);
    ts_test_server_call(&ts, answer_parked, NULL);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(c.body, TS_STR("now")));
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_true(ts_test_read_until(&c, "event: hello\ndata: {}\n\ndata: early\n\n"));
}

static void test_close_sends_what_was_sent_before_and_calls_nobody(void **state)
{
    (void)state;
    open_stream(&c);
    static char big[200 * 1024];
    memset(big, 'x', sizeof(big));
    assert_int_equal(send_event((ts_str){big, sizeof(big)}), 0);
    assert_int_equal(send_event(TS_STR("data: last\n\n")), 0);
    ts_test_server_call(&ts, close_first, NULL);
    ts_test_server_call(&ts, close_first, NULL);
    assert_int_equal(send_event(TS_STR("data: never\n\n")), TS_E_GONE);
    assert_true(ts_test_read_until(&c, "data: last\n\n"));
    assert_true(ts_test_ended(&c));
    assert_int_equal(n_closed, 0);
    assert_int_equal(ts_test_server_stats(&ts).streams, 0);
}

static void test_input_during_a_stream_is_dropped_and_a_flood_ends_it(void **state)
{
    (void)state;
    open_stream(&c);
    ts_test_send_text(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(send_event(TS_STR("data: on\n\n")), 0);
    assert_true(ts_test_read_until(&c, "data: on\n\n"));
    assert_int_equal(ts_test_server_stats(&ts).streams, 1);
    static char junk[256 * 1024];
    (void)ts_test_send(&c, (ts_str){junk, sizeof(junk)});
    await_closed(1);
}

static void test_streams_beyond_the_limit_are_503(void **state)
{
    (void)state;
    static struct ts_test_client clients[TS_MAX_STREAMS];
    for (int i = 0; i < TS_MAX_STREAMS; i++) {
        ts_test_connect(&clients[i], ts.port);
        open_stream(&clients[i]);
    }
    ts_test_send_text(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 503);
    assert_false(ts_str_is_none(ts_test_reply_header(&c, "Retry-After")));
    assert_int_equal(n_refused, 1);
    for (int i = 0; i < TS_MAX_STREAMS; i++)
        ts_test_close(&clients[i]);
    await_closed(TS_MAX_STREAMS);
    open_stream(&c);
}

static void test_head_of_a_stream_is_its_header_alone(void **state)
{
    (void)state;
    ts_test_send_text(&c, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Content-Type"), TS_STR("text/event-stream")));
    assert_int_equal(ts_test_server_stats(&ts).streams, 0);
    assert_int_equal(n_closed, 0);
}

static int drained;

static void on_drained(void *ctx, int forced)
{
    (void)ctx;
    assert_int_equal(forced, 0);
    drained++;
}

static void drain(void *arg)
{
    (void)arg;
    ts_http_server_drain(ts.server, 60 * TS_US_PER_S, on_drained, NULL);
}

static bool is_drained(void *arg)
{
    (void)arg;
    (void)ts_test_server_stats(&ts);
    return drained > 0;
}

static void test_drain_ends_streams_and_tells_their_owner(void **state)
{
    (void)state;
    drained = 0;
    open_stream(&c);
    ts_test_server_call(&ts, drain, NULL);
    assert_int_equal(n_closed, 1);
    assert_true(ts_test_ended(&c));
    assert_true(ts_test_eventually(is_drained, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)
        T(test_events_arrive_in_order_with_the_headers_of_a_stream, setup),
        T(test_heartbeat_comes_by_itself_and_no_idle_deadline_ends_a_stream, setup_quick),
        T(test_client_that_leaves_closes_its_stream_once, setup),
        T(test_slow_client_is_cut_when_its_backlog_is_full_and_others_go_on, setup),
        T(test_client_that_takes_nothing_is_cut_by_the_write_deadline, setup_quick),
        T(test_stream_behind_a_parked_request_waits_for_its_turn, setup),
        T(test_close_sends_what_was_sent_before_and_calls_nobody, setup),
        T(test_input_during_a_stream_is_dropped_and_a_flood_ends_it, setup),
        T(test_streams_beyond_the_limit_are_503, setup),
        T(test_head_of_a_stream_is_its_header_alone, setup),
        T(test_drain_ends_streams_and_tells_their_owner, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
