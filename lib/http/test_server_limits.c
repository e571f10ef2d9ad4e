/* Slow, silent, greedy and many: deadlines, limits of connections, descriptors, drain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/server_internal.h"
#include "http/testing.h"

#define SHORT_US (300 * TS_US_PER_MS)
#define HELLO    "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

static struct ts_test_server ts;
static ts_http_ticket parked[64];
static int n_parked;

static void hello(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("{}")});
}

static void park(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    parked[n_parked] = ts_http_park(req);
    n_parked++;
}

static void large(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    struct ts_buf body = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES);
    char *p = ts_buf_reserve(&body, TS_MAX_RESPONSE_BYTES);
    memset(p, 'x', TS_MAX_RESPONSE_BYTES);
    ts_buf_added(&body, TS_MAX_RESPONSE_BYTES);
    ts_http_reply(req, &(struct ts_http_response){.body_take = &body});
}

static void refuse(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_slow_down(req);
    ts_http_reply(req, &(struct ts_http_response){.status = 401, .body = TS_STR("{}")});
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/refuse", .handler = refuse},
    {.method = "GET", .pattern = "/hello", .handler = hello},
    {.method = "POST", .pattern = "/hello", .handler = hello},
    {.method = "GET", .pattern = "/park", .handler = park},
    {.method = "GET", .pattern = "/large", .handler = large},
};

static void start(struct ts_http_server_options options, void (*tune)(struct ts_http_server *server))
{
    options.routes = routes;
    options.n_routes = TS_ARRAY_LEN(routes);
    n_parked = 0;
    ts_test_server_start(&ts, &options, tune);
}

static int setup_short(void **state)
{
    (void)state;
    start((struct ts_http_server_options){.header_timeout_us = SHORT_US,
                                          .body_timeout_us = SHORT_US,
                                          .idle_timeout_us = SHORT_US,
                                          .write_timeout_us = SHORT_US},
          NULL);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    start((struct ts_http_server_options){0}, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_test_server_stop(&ts);
    return 0;
}

static bool has_connections(void *arg)
{
    return ts_test_server_stats(&ts).connections == *(int *)arg;
}

static void await_connections(int n)
{
    assert_true(ts_test_eventually(has_connections, &n));
}

static bool has_parked(void *arg)
{
    return ts_test_server_stats(&ts).parked == *(int *)arg;
}

static void await_parked(int n)
{
    assert_true(ts_test_eventually(has_parked, &n));
}

static void assert_served(void)
{
    assert_int_equal(ts_test_exchange(ts.port, HELLO, NULL), 200);
}

/* --- deadlines ---------------------------------------------------------------------------------------------------------- */

static bool readable(const struct ts_test_client *c, int timeout_ms)
{
    struct pollfd poller = {.fd = c->fd, .events = POLLIN};
    return poll(&poller, 1, timeout_ms) > 0;
}

/* One byte each 20 ms for ever: an inactivity timer would never end it. True when the server did. */
static bool drips_until_cut(struct ts_test_client *c, const char *prefix, char drop)
{
    ts_test_send_text(c, prefix);
    for (int i = 0; i < 1000; i++) {
        if (readable(c, 20))
            return true;
        if (!ts_test_send(c, (ts_str){&drop, 1}))
            return true;
    }
    return false;
}

static void test_dripping_header_is_cut_by_a_deadline_for_the_whole(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    assert_true(drips_until_cut(&c, "GET /hello HTTP/1.1\r\nHost: x\r\nA: ", 'x'));
    assert_int_equal(ts_test_reply(&c), 408);
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
}

static void test_dripping_body_is_cut_by_a_deadline_for_the_whole(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    assert_true(drips_until_cut(&c, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", 'x'));
    assert_int_equal(ts_test_reply(&c), 408);
    ts_test_close(&c);
    ts_test_connect(&c, ts.port);
    assert_true(
        drips_until_cut(&c, "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", 'x'));
    assert_int_equal(ts_test_reply(&c), 404);
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
}

static void test_silent_half_open_and_idle_connections_are_closed(void **state)
{
    (void)state;
    struct ts_test_client silent, half, idle;
    ts_test_connect(&silent, ts.port);
    ts_test_connect(&half, ts.port);
    ts_test_send_text(&half, "GET /hel");
    ts_test_connect(&idle, ts.port);
    ts_test_send_text(&idle, HELLO);
    assert_int_equal(ts_test_reply(&idle), 200);
    assert_int_equal(ts_test_reply(&silent), 0);
    assert_int_equal(ts_test_reply(&half), 408);
    assert_true(ts_test_ended(&idle));
    ts_test_close(&silent);
    ts_test_close(&half);
    ts_test_close(&idle);
    await_connections(0);
}

static void test_parked_request_outlives_every_deadline_of_reading(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    await_parked(1);
    assert_false(readable(&c, (int)(3 * SHORT_US / TS_US_PER_MS)));
    await_parked(1);
    ts_test_close(&c);
}

static void test_client_that_does_not_read_is_cut(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    for (int i = 0; i < 8; i++)
        ts_test_send_text(&c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    await_connections(0);
    ts_test_close(&c);
}

static void test_hundred_slow_drips_do_not_keep_others_waiting(void **state)
{
    (void)state;
    static struct ts_test_client drips[100];
    for (size_t i = 0; i < TS_ARRAY_LEN(drips); i++) {
        ts_test_connect(&drips[i], ts.port);
        ts_test_send_text(
            &drips[i], i % 2 ? "GET /he" : "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
    }
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < TS_ARRAY_LEN(drips); i++)
            assert_true(ts_test_send_text(&drips[i], "x"));
        ts_test_send_text(&c, HELLO);
        assert_int_equal(ts_test_reply(&c), 200);
    }
    assert_int_equal(ts_test_server_stats(&ts).connections, 101);
    for (size_t i = 0; i < TS_ARRAY_LEN(drips); i++)
        ts_test_close(&drips[i]);
    ts_test_close(&c);
}

/* --- numbers of connections ---------------------------------------------------------------------------------------------- */

static int setup_three(void **state)
{
    (void)state;
    start((struct ts_http_server_options){.max_connections = 3}, NULL);
    return 0;
}

static void test_connections_beyond_the_limit_wait_until_one_ends(void **state)
{
    (void)state;
    struct ts_test_client c[6];
    for (int i = 0; i < 6; i++) {
        ts_test_connect(&c[i], ts.port);
        ts_test_send_text(&c[i], HELLO);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(ts_test_reply(&c[i]), 200);
    for (int i = 3; i < 6; i++) {
        assert_int_equal(ts_test_server_stats(&ts).connections, 3);
        assert_false(readable(&c[i], 20));
        ts_test_close(&c[i - 3]);
        assert_int_equal(ts_test_reply(&c[i]), 200);
    }
    for (int i = 3; i < 6; i++)
        ts_test_close(&c[i]);
    assert_served();
}

static void limit_loopback(struct ts_http_server *server)
{
    server->limit_loopback = true;
}

static int setup_two_an_address(void **state)
{
    (void)state;
    start((struct ts_http_server_options){.max_connections_per_address = 2}, limit_loopback);
    return 0;
}

static void test_connections_of_one_address_beyond_its_limit_are_closed(void **state)
{
    (void)state;
    struct ts_test_client c[3];
    for (int i = 0; i < 2; i++) {
        ts_test_connect(&c[i], ts.port);
        ts_test_send_text(&c[i], HELLO);
        assert_int_equal(ts_test_reply(&c[i]), 200);
    }
    ts_test_connect(&c[2], ts.port);
    assert_true(ts_test_ended(&c[2]));
    ts_test_close(&c[2]);
    ts_test_close(&c[0]);
    await_connections(1);
    assert_served();
    ts_test_close(&c[1]);
}

static void test_loopback_is_exempt_from_the_limit_of_an_address(void **state)
{
    (void)state;
    static struct ts_test_client c[TS_MAX_CONNECTIONS_ADDRESS + 10];
    for (size_t i = 0; i < TS_ARRAY_LEN(c); i++) {
        ts_test_connect(&c[i], ts.port);
        ts_test_send_text(&c[i], HELLO);
        assert_int_equal(ts_test_reply(&c[i]), 200);
    }
    for (size_t i = 0; i < TS_ARRAY_LEN(c); i++)
        ts_test_close(&c[i]);
}

static void test_two_thousand_connections_are_held_and_all_are_served(void **state)
{
    (void)state;
    const char *asked = getenv("TS_HTTP_CONNECTIONS"); /* the long form: 10,000 */
    int n = asked ? atoi(asked) : 2000;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (rlim_t)(2 * n + 200))
        n = (int)(limit.rlim_cur - 200) / 2;
    start((struct ts_http_server_options){.max_connections = n + 10}, NULL);
    struct ts_test_client *c = calloc((size_t)n, sizeof(*c));
    for (int i = 0; i < n; i++)
        ts_test_connect(&c[i], ts.port);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < n; i++)
            assert_true(ts_test_send_text(&c[i], HELLO));
        for (int i = 0; i < n; i++)
            assert_int_equal(ts_test_reply(&c[i]), 200);
    }
    assert_int_equal(ts_test_server_stats(&ts).connections, n);
    assert_served();
    for (int i = 0; i < n; i++)
        ts_test_close(&c[i]);
    await_connections(0);
    free(c);
}

/* --- descriptors -------------------------------------------------------------------------------------------------------- */

static void test_out_of_descriptors_others_are_served_and_it_recovers(void **state)
{
    (void)state;
    struct ts_test_client kept, turned_away;
    ts_test_connect(&kept, ts.port);
    ts_test_send_text(&kept, HELLO);
    assert_int_equal(ts_test_reply(&kept), 200);
    int fd = dup(0); /* the lowest free number: with the client's own it is the last that may exist */
    close(fd);
    struct rlimit limit, low;
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)fd + 1;
    setrlimit(RLIMIT_NOFILE, &low);
    ts_test_connect(&turned_away, ts.port);
    assert_true(ts_test_ended(&turned_away));
    ts_test_send_text(&kept, HELLO);
    assert_int_equal(ts_test_reply(&kept), 200);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_served();
    ts_test_close(&turned_away);
    ts_test_close(&kept);
}

static void test_limit_of_open_files_lowers_the_limit_of_connections(void **state)
{
    (void)state;
    struct rlimit limit, low;
    getrlimit(RLIMIT_NOFILE, &limit);
    pid_t child = fork(); /* the hard limit cannot be raised again */
    if (child == 0) {
        low = (struct rlimit){256, 256};
        setrlimit(RLIMIT_NOFILE, &low);
        struct ts_http_server *server;
        struct ts_http_server_options options = {.max_connections = 1000};
        bool ok = ts_http_server_new(uv_default_loop(), &options, &server) == 0 &&
                  server->options.max_connections == 256 - 64;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* --- drain -------------------------------------------------------------------------------------------------------------- */

static int drained, forced_count;

static void on_drained(void *ctx, int forced)
{
    (void)ctx;
    drained++;
    forced_count = forced;
}

static void drain(void *arg)
{
    ts_http_server_drain(ts.server, *(int64_t *)arg, on_drained, NULL);
}

static void begin_drain(int64_t timeout_us)
{
    drained = 0;
    forced_count = -1;
    ts_test_server_call(&ts, drain, &timeout_us);
}

static bool is_drained(void *arg)
{
    (void)arg;
    (void)ts_test_server_stats(&ts);
    return drained > 0;
}

static void answer_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < n_parked; i++)
        assert_int_equal(
            ts_http_answer(ts.server, parked[i], &(struct ts_http_response){.body = TS_STR("late")}), 0);
}

static void test_drain_answers_what_is_in_flight_and_lets_idle_connections_go(void **state)
{
    (void)state;
    struct ts_test_client busy[8], idle;
    ts_test_connect(&idle, ts.port);
    ts_test_send_text(&idle, HELLO);
    assert_int_equal(ts_test_reply(&idle), 200);
    for (int i = 0; i < 8; i++) {
        ts_test_connect(&busy[i], ts.port);
        ts_test_send_text(&busy[i], "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    await_parked(8);
    begin_drain(60 * TS_US_PER_S);
    assert_true(ts_test_ended(&idle));
    await_connections(8);
    assert_int_equal(drained, 0);
    ts_test_server_call(&ts, answer_all, NULL);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ts_test_reply(&busy[i]), 200);
        assert_true(ts_str_eq(ts_test_reply_header(&busy[i], "Connection"), TS_STR("close")));
        assert_true(ts_test_ended(&busy[i]));
        ts_test_close(&busy[i]);
    }
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(forced_count, 0);
    assert_int_equal(drained, 1);
    ts_test_close(&idle);
}

static void test_drain_finishes_a_request_that_is_half_received(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    await_connections(1);
    begin_drain(60 * TS_US_PER_S);
    ts_test_send_text(&c, "llo");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Connection"), TS_STR("close")));
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
    assert_true(ts_test_eventually(is_drained, NULL));
}

static void never_quiet(struct ts_http_server *server)
{
    server->drain_quiet_us = 60 * TS_US_PER_S;
}

static int setup_patient(void **state)
{
    (void)state;
    start((struct ts_http_server_options){0}, never_quiet);
    return 0;
}

/* The old system reset keep-alive clients without an answer when it was stopped under load. */
static void test_drain_gives_busy_clients_an_answer_that_says_close(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, HELLO);
    assert_int_equal(ts_test_reply(&c), 200);
    begin_drain(60 * TS_US_PER_S);
    ts_test_send_text(&c, HELLO);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Connection"), TS_STR("close")));
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(forced_count, 0);
}

/* On the loop's thread, so that the server can't have accepted in between. */
static void drain_behind_a_connection(void *arg)
{
    struct ts_test_client *client = arg;
    int64_t timeout_us = 60 * TS_US_PER_S;
    ts_test_connect(client, ts.port);
    ts_test_send_text(client, HELLO);
    drain(&timeout_us);
}

static void test_drain_serves_who_had_connected_and_was_not_yet_accepted(void **state)
{
    (void)state;
    struct ts_test_client c;
    drained = 0;
    ts_test_server_call(&ts, drain_behind_a_connection, &c);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Connection"), TS_STR("close")));
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(forced_count, 0);
}

static void retire(void *arg)
{
    (void)arg;
    ts_http_server_retire(ts.server);
}

#define REFUSE "GET /refuse HTTP/1.1\r\nHost: x\r\n\r\n"

static void test_refused_client_is_read_from_again_after_a_rest_each_time(void **state)
{
    (void)state;
    enum { TRIES = 11 };
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    const int64_t begin_us = ts_clock_mono_us();
    for (int i = 0; i < TRIES; i++)
        ts_test_send_text(&c, REFUSE);
    ts_test_send_text(&c, HELLO);
    for (int i = 0; i < TRIES; i++)
        assert_int_equal(ts_test_reply(&c), 401);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_clock_mono_us() - begin_us >= TRIES * TS_REST_US);
    ts_test_close(&c);
}

static void long_rest(void *arg)
{
    (void)arg;
    for (struct ts_http_connection *conn = ts.server->connections; conn; conn = conn->next)
        conn->rest_until_us = ts_clock_mono_us() + 3600 * TS_US_PER_S;
}

static void count_resting(void *arg)
{
    int *n = arg;
    *n = 0;
    for (struct ts_http_connection *conn = ts.server->connections; conn; conn = conn->next)
        *n += conn->resting;
}

static bool three_rest(void *arg)
{
    ts_test_server_call(&ts, count_resting, arg);
    return *(int *)arg == 3;
}

/* The newest connection is cut first, so the queue loses its last, its middle and its first. */
static void test_connections_that_rest_are_cut_at_the_deadline_of_a_drain(void **state)
{
    (void)state;
    struct ts_test_client c[3];
    int resting;
    for (int i = 0; i < 3; i++) {
        ts_test_connect(&c[i], ts.port);
        ts_test_send_text(&c[i], HELLO);
        assert_int_equal(ts_test_reply(&c[i]), 200);
    }
    ts_test_server_call(&ts, long_rest, NULL);
    for (int i = 0; i < 3; i++)
        ts_test_send_text(&c[i], HELLO);
    assert_true(ts_test_eventually(three_rest, &resting));
    begin_drain(SHORT_US);
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(forced_count, 3);
    for (int i = 0; i < 3; i++)
        ts_test_close(&c[i]);
}

static void look_for_rest(void *arg)
{
    bool *found = arg;
    for (struct ts_http_connection *conn = ts.server->connections; conn; conn = conn->next)
        *found = *found || conn->rest_until_us != 0;
}

static void test_trusted_proxy_is_never_made_to_rest(void **state)
{
    (void)state;
    static const ts_str loopback[] = {{"127.0.0.1", 9}};
    static const struct ts_str_list trusted = {.items = loopback, .n = 1};
    bool found = false;
    struct ts_test_client c;
    start((struct ts_http_server_options){.trusted_proxies = &trusted}, NULL);
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, REFUSE);
    assert_int_equal(ts_test_reply(&c), 401);
    ts_test_server_call(&ts, look_for_rest, &found);
    assert_false(found);
    ts_test_close(&c);
}

static void test_retired_server_accepts_and_says_close_to_each(void **state)
{
    (void)state;
    struct ts_test_client kept, fresh;
    ts_test_connect(&kept, ts.port);
    ts_test_send_text(&kept, HELLO);
    assert_int_equal(ts_test_reply(&kept), 200);
    assert_true(ts_str_is_none(ts_test_reply_header(&kept, "Connection")));
    ts_test_server_call(&ts, retire, NULL);
    ts_test_connect(&fresh, ts.port);
    struct ts_test_client *const both[] = {&fresh, &kept};
    for (size_t i = 0; i < TS_ARRAY_LEN(both); i++) {
        ts_test_send_text(both[i], HELLO);
        assert_int_equal(ts_test_reply(both[i]), 200);
        assert_true(ts_str_eq(ts_test_reply_header(both[i], "Connection"), TS_STR("close")));
        assert_true(ts_test_ended(both[i]));
        ts_test_close(both[i]);
    }
    begin_drain(60 * TS_US_PER_S);
    assert_true(ts_test_eventually(is_drained, NULL));
}

static void test_drain_cuts_what_is_left_at_its_deadline(void **state)
{
    (void)state;
    struct ts_test_client c[2];
    for (int i = 0; i < 2; i++) {
        ts_test_connect(&c[i], ts.port);
        ts_test_send_text(&c[i], "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    await_parked(2);
    begin_drain(SHORT_US);
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(forced_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(ts_test_ended(&c[i]));
        ts_test_close(&c[i]);
    }
}

static void test_drain_without_connections_is_done_in_the_next_turn(void **state)
{
    (void)state;
    begin_drain(60 * TS_US_PER_S);
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(forced_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)
        T(test_dripping_header_is_cut_by_a_deadline_for_the_whole, setup_short),
        T(test_dripping_body_is_cut_by_a_deadline_for_the_whole, setup_short),
        T(test_silent_half_open_and_idle_connections_are_closed, setup_short),
        T(test_parked_request_outlives_every_deadline_of_reading, setup_short),
        T(test_client_that_does_not_read_is_cut, setup_short),
        T(test_hundred_slow_drips_do_not_keep_others_waiting, setup),
        T(test_connections_beyond_the_limit_wait_until_one_ends, setup_three),
        T(test_connections_of_one_address_beyond_its_limit_are_closed, setup_two_an_address),
        T(test_loopback_is_exempt_from_the_limit_of_an_address, setup),
        cmocka_unit_test_teardown(test_two_thousand_connections_are_held_and_all_are_served, teardown),
        T(test_out_of_descriptors_others_are_served_and_it_recovers, setup),
        cmocka_unit_test(test_limit_of_open_files_lowers_the_limit_of_connections),
        T(test_drain_answers_what_is_in_flight_and_lets_idle_connections_go, setup),
        T(test_drain_finishes_a_request_that_is_half_received, setup),
        T(test_drain_gives_busy_clients_an_answer_that_says_close, setup_patient),
        T(test_drain_serves_who_had_connected_and_was_not_yet_accepted, setup),
        T(test_retired_server_accepts_and_says_close_to_each, setup),
        T(test_refused_client_is_read_from_again_after_a_rest_each_time, setup),
        T(test_connections_that_rest_are_cut_at_the_deadline_of_a_drain, setup),
        cmocka_unit_test_teardown(test_trusted_proxy_is_never_made_to_rest, teardown),
        T(test_drain_cuts_what_is_left_at_its_deadline, setup),
        T(test_drain_without_connections_is_done_in_the_next_turn, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
