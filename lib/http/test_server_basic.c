/* Requests and answers as decent clients make them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "http/server_internal.h"
#include "http/testing.h"

static ts_http_ticket parked[64];
static int n_parked;
static int n_answered, last_status;

static void get_hello(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("{\"hello\":\"world\"}")});
}

static void echo(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req, &(struct ts_http_response){.content_type = "text/plain", .body = req->body});
}

static void get_item(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    struct ts_buf body = TS_BUF_INIT(4096);
    ts_buf_printf(&body, "%.*s|%.*s|%.*s", TS_STR_ARG(req->params[0]), TS_STR_ARG(req->params[1]),
                  TS_STR_ARG(req->query));
    ts_http_reply(req, &(struct ts_http_response){.body_take = &body});
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
    struct ts_buf body = TS_BUF_INIT((size_t)8 * 1024 * 1024);
    char *p = ts_buf_reserve(&body, (size_t)6 * 1024 * 1024);
    memset(p, 'x', (size_t)6 * 1024 * 1024);
    ts_buf_added(&body, (size_t)6 * 1024 * 1024);
    ts_http_reply(req, &(struct ts_http_response){.body_take = &body});
}

static void forgetful(struct ts_http_request *req, void *ctx)
{
    (void)req;
    (void)ctx;
}

static void twice(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    struct ts_http_header evil = {TS_STR("X-Evil"), TS_STR("a\r\nInjected: b")};
    ts_http_reply(req, &(struct ts_http_response){.headers = &evil, .n_headers = 1, .body = TS_STR("first")});
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("second")});
}

static void peer(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req, &(struct ts_http_response){.body = ts_str_from(req->peer)});
}

static void on_answered(const struct ts_http_request *req, int status, int64_t duration_us, void *ctx)
{
    (void)ctx;
    assert_true(duration_us >= 0);
    assert_non_null(req->method.ptr);
    n_answered++;
    last_status = status;
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/hello", .handler = get_hello},
    {.method = "POST", .pattern = "/hello", .handler = echo},
    {.method = "POST", .pattern = "/echo", .handler = echo},
    {.method = "GET", .pattern = "/items/special", .handler = get_hello},
    {.method = "POST", .pattern = "/items/import", .handler = echo},
    {.method = "GET", .pattern = "/items/{id}", .handler = get_item},
    {.method = "GET", .pattern = "/items/{id}/parts/{part}", .handler = get_item},
    {.method = "POST", .pattern = "/park", .handler = park},
    {.method = "GET", .pattern = "/park", .handler = park},
    {.method = "GET", .pattern = "/large", .handler = large},
    {.method = "GET", .pattern = "/forgetful", .handler = forgetful},
    {.method = "GET", .pattern = "/twice", .handler = twice},
    {.method = "GET", .pattern = "/peer", .handler = peer},
};

static struct ts_test_server ts;
static struct ts_test_client c;

static int setup(void **state)
{
    (void)state;
    n_parked = n_answered = 0;
    static const ts_str trusted_items[] = {{"127.0.0.0/8", 11}, {"10.0.0.0/8", 10}};
    static const struct ts_str_list trusted = {trusted_items, 2};
    ts_test_server_start(&ts,
                         &(struct ts_http_server_options){.routes = routes,
                                                          .n_routes = TS_ARRAY_LEN(routes),
                                                          .on_answered = on_answered,
                                                          .trusted_proxies = &trusted},
                         NULL);
    ts_test_connect(&c, ts.port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_test_close(&c);
    ts_test_server_stop(&ts);
    return 0;
}

static void assert_body(const char *text)
{
    assert_int_equal(c.body.len, strlen(text));
    assert_memory_equal(c.body.ptr, text, c.body.len);
}

static void assert_header(const char *name, const char *value)
{
    ts_str found = ts_test_reply_header(&c, name);
    if (!value) {
        assert_true(ts_str_is_none(found));
        return;
    }
    assert_int_equal(found.len, strlen(value));
    assert_memory_equal(found.ptr, value, found.len);
}

static bool all_parked(void *arg)
{
    return ts_test_server_stats(&ts).parked == *(int *)arg;
}

static void await_parked(int n)
{
    assert_true(ts_test_eventually(all_parked, &n));
}

static void test_get_answers_with_the_common_headers(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("{\"hello\":\"world\"}");
    assert_header("Content-Type", "application/json");
    assert_header("X-Content-Type-Options", "nosniff");
    assert_header("X-Frame-Options", "DENY");
    assert_header("Referrer-Policy", "no-referrer");
    assert_header("Server", NULL);
    assert_header("Connection", NULL);
    assert_int_equal(ts_test_reply_header(&c, "X-Request-Id").len, 16);
    assert_true(ts_str_ends_with(ts_test_reply_header(&c, "Date"), TS_STR(" GMT")));
}

static void test_request_id_is_echoed_when_valid_and_replaced_when_not(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-1.2_Z\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_header("X-Request-Id", "abc-1.2_Z");
    ts_test_send_text(&c, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_int_equal(ts_test_reply_header(&c, "X-Request-Id").len, 16);
}

static void test_post_body_arrives_whole_in_one_byte_pieces(void **state)
{
    (void)state;
    const char *request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello\r\nb\xc3\xa9h";
    for (const char *p = request; *p; p++)
        assert_true(ts_test_send(&c, (ts_str){p, 1}));
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("hello\r\nb\xc3\xa9h");
}

static void test_chunked_body_is_joined_and_extensions_and_trailers_are_ignored(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        ts_test_send_text(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5;name=value\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n");
        assert_int_equal(ts_test_reply(&c), 200);
        assert_body("hello world");
    }
}

static void test_head_has_the_length_but_not_the_body(void **state)
{
    (void)state;
    ts_test_send_text(&c, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_header("Content-Length", "17");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("{\"hello\":\"world\"}");
}

static void test_unknown_path_is_404_and_known_path_with_other_method_405_with_allow(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /nothing%22%c3%a9 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 404);
    assert_body("{\"error\":\"Not Found\",\"message\":\"Route GET /nothing\\\"\xc3\xa9 not found\"}");
    ts_test_send_text(&c, "DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 405);
    assert_header("Allow", "GET, HEAD, POST");
    assert_body("{\"error\":\"Method not allowed\"}");
    ts_test_send_text(&c, "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply_head(&c), 405);
    assert_header("Allow", "POST");
}

static void test_404_with_a_small_body_keeps_the_connection(void **state)
{
    (void)state;
    ts_test_send_text(&c, "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 404);
    ts_test_send_text(&c, "12345GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
}

static void test_placeholders_literal_segments_first_and_no_normalising(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /items/42?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("42||a=b");
    ts_test_send_text(&c, "GET /items/a%20b/parts/c HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("a b|c|");
    ts_test_send_text(&c, "GET /items/special HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("{\"hello\":\"world\"}");
    static const char *const others[] = {"/items/",  "/items",  "/items/1/", "/items/1/parts", "/x/../hello",
                                         "/./hello", "//hello", "/hello/",   "/items/a%2Fb"};
    for (size_t i = 0; i < TS_ARRAY_LEN(others); i++) {
        ts_test_printf(&c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", others[i]);
        assert_int_equal(ts_test_reply(&c), 404);
    }
}

static void test_twenty_pipelined_gets_are_answered_in_order(void **state)
{
    (void)state;
    struct ts_buf all = TS_BUF_INIT(65536);
    for (int i = 0; i < 20; i++)
        ts_buf_printf(&all, "GET /items/%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    ts_test_send(&c, ts_buf_view(&all));
    ts_buf_done(&all);
    for (int i = 0; i < 20; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "%d||", i);
        assert_int_equal(ts_test_reply(&c), 200);
        assert_body(expected);
    }
}

static void answer_in_reverse(void *arg)
{
    (void)arg;
    for (int i = n_parked - 1; i >= 0; i--) {
        char body[32];
        snprintf(body, sizeof(body), "answer %d", i);
        assert_non_null(ts_http_parked(ts.server, parked[i]));
        assert_int_equal(
            ts_http_answer(ts.server, parked[i], &(struct ts_http_response){.body = ts_str_from(body)}), 0);
        assert_int_equal(
            ts_http_answer(ts.server, parked[i], &(struct ts_http_response){.body = TS_STR("again")}),
            TS_E_GONE);
    }
    n_parked = 0; /* here, for the loop parks the next as soon as there is room */
}

static void test_ten_pipelined_deferred_posts_are_answered_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        ts_test_printf(&c, "POST /park HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%03d", i);
    ts_test_send_text(&c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    await_parked(10);
    ts_test_server_call(&ts, answer_in_reverse, NULL);
    for (int i = 0; i < 10; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "answer %d", i);
        assert_int_equal(ts_test_reply(&c), 200);
        assert_body(expected);
    }
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("{\"hello\":\"world\"}");
}

static void test_pipeline_beyond_its_limit_waits_and_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        ts_test_send_text(&c, "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    int answered = 0;
    while (answered < 40) {
        int expected = TS_MIN(TS_MAX_PIPELINED, 40 - answered);
        await_parked(expected);
        ts_test_server_call(&ts, answer_in_reverse, NULL);
        for (int i = 0; i < expected; i++)
            assert_int_equal(ts_test_reply(&c), 200);
        answered += expected;
    }
}

static void test_large_answer_arrives_whole_at_a_slow_reader(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_int_equal(c.body.len, 6 * 1024 * 1024);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("{\"hello\":\"world\"}");
}

static void test_connection_close_and_http_1_0_end_the_connection(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_header("Connection", "close");
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, "GET /hello HTTP/1.0\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_test_ended(&c));
}

static void test_http_1_0_keep_alive_is_granted_and_said(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ts_test_send_text(&c, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_int_equal(ts_test_reply(&c), 200);
        assert_header("Connection", "keep-alive");
    }
}

static void test_half_closed_client_gets_its_answer(void **state)
{
    (void)state;
    ts_test_send_text(&c, "POST /park HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    shutdown(c.fd, SHUT_WR);
    await_parked(1);
    ts_test_server_call(&ts, answer_in_reverse, NULL);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("answer 0");
    assert_header("Connection", "close");
    assert_true(ts_test_ended(&c));
}

static bool no_connections(void *arg)
{
    (void)arg;
    return ts_test_server_stats(&ts).connections == 0;
}

static void answer_gone(void *arg)
{
    (void)arg;
    for (int i = 0; i < n_parked; i++) {
        assert_null(ts_http_parked(ts.server, parked[i]));
        assert_int_equal(ts_http_answer_error(ts.server, parked[i], 503, "late", NULL, NULL), TS_E_GONE);
    }
    assert_int_equal(ts_http_answer(ts.server, 0, &(struct ts_http_response){.status = 200}), TS_E_GONE);
    assert_int_equal(ts_http_answer(ts.server, UINT64_MAX, &(struct ts_http_response){.status = 200}),
                     TS_E_GONE);
}

static void test_fifty_clients_vanish_before_their_answer(void **state)
{
    (void)state;
    ts_test_reset(&c);
    struct ts_test_client clients[50];
    for (int i = 0; i < 50; i++) {
        ts_test_connect(&clients[i], ts.port);
        ts_test_send_text(&clients[i], "POST /park HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    }
    await_parked(50);
    for (int i = 0; i < 50; i++)
        ts_test_reset(&clients[i]);
    assert_true(ts_test_eventually(no_connections, NULL));
    assert_int_equal(ts_test_server_stats(&ts).parked, 0);
    ts_test_server_call(&ts, answer_gone, NULL);
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
}

static void test_handler_that_forgets_its_answer_is_500_and_a_second_answer_is_ignored(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /forgetful HTTP/1.1\r\nHost: x\r\nX-Request-Id: r1\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 500);
    assert_body("{\"error\":\"Internal server error\",\"requestId\":\"r1\"}");
    ts_test_send_text(&c, "GET /twice HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_body("first");
    assert_header("Injected", NULL);
    assert_header("X-Evil", NULL);
    assert_int_equal(ts_test_reply(&c), 200);
}

static void test_forwarded_address_is_believed_from_a_trusted_proxy_only_as_far_as_proven(void **state)
{
    (void)state;
    static const struct {
        const char *header, *peer;
    } cases[] = {
        {"203.0.113.9", "203.0.113.9"},
        {"1.1.1.1, 203.0.113.9, 10.2.3.4", "203.0.113.9"},
        {"junk, 10.2.3.4", "10.2.3.4"},
        {"2001:db8::1", "2001:db8::1"},
        {"", "127.0.0.1"},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        ts_test_printf(&c, "GET /peer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\n\r\n", cases[i].header);
        assert_int_equal(ts_test_reply(&c), 200);
        assert_body(cases[i].peer);
    }
}

static void test_every_answer_is_reported_once(void **state)
{
    (void)state;
    ts_test_send_text(&c,
                      "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n\x01");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_int_equal(ts_test_reply(&c), 404);
    assert_int_equal(ts_test_reply(&c), 400);
    assert_true(ts_test_ended(&c));
    (void)ts_test_server_stats(&ts); /* crosses to the loop's thread, so what it wrote is seen here */
    assert_int_equal(n_answered, 3);
    assert_int_equal(last_status, 400);
}

/* The name of a path is no id: GET of it is not the item of that name. */
static void test_path_when_a_pattern_is_its_name_then_placeholders_do_not_take_it(void **state)
{
    (void)state;
    ts_test_send_text(&c, "GET /items/import HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 405);
    assert_header("Allow", "POST");
    ts_test_send_text(&c, "DELETE /items/special HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 405);
    assert_header("Allow", "GET, HEAD");
    ts_test_send_text(&c, "GET /items/imports HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
}

static void test_bad_tables_are_refused(void **state)
{
    (void)state;
    static const struct ts_http_route bad[] = {
        {.method = "GET", .pattern = "no-slash", .handler = get_hello},
        {.method = "GET", .pattern = "/a{b}", .handler = get_hello},
        {.method = "GET", .pattern = "/{a}/{b}/{c}/{d}/{e}", .handler = get_hello},
        {.method = "GET", .pattern = "/ok"},
    };
    struct ts_http_server *server = NULL;
    for (size_t i = 0; i < TS_ARRAY_LEN(bad); i++) {
        struct ts_http_server_options options = {.routes = &bad[i], .n_routes = 1};
        assert_int_equal(ts_http_server_new(&ts.loop, &options, &server), TS_E_INVALID);
    }
    static const ts_str items[] = {{"10.0.0.1/8", 10}};
    static const struct ts_str_list cidrs = {items, 1};
    struct ts_http_server_options options = {.trusted_proxies = &cidrs};
    assert_int_equal(ts_http_server_new(&ts.loop, &options, &server), TS_E_INVALID);
    assert_null(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_get_answers_with_the_common_headers),
        T(test_request_id_is_echoed_when_valid_and_replaced_when_not),
        T(test_post_body_arrives_whole_in_one_byte_pieces),
        T(test_chunked_body_is_joined_and_extensions_and_trailers_are_ignored),
        T(test_head_has_the_length_but_not_the_body),
        T(test_unknown_path_is_404_and_known_path_with_other_method_405_with_allow),
        T(test_path_when_a_pattern_is_its_name_then_placeholders_do_not_take_it),
        T(test_404_with_a_small_body_keeps_the_connection),
        T(test_placeholders_literal_segments_first_and_no_normalising),
        T(test_twenty_pipelined_gets_are_answered_in_order),
        T(test_ten_pipelined_deferred_posts_are_answered_in_order),
        T(test_pipeline_beyond_its_limit_waits_and_goes_on),
        T(test_large_answer_arrives_whole_at_a_slow_reader),
        T(test_connection_close_and_http_1_0_end_the_connection),
        T(test_http_1_0_keep_alive_is_granted_and_said),
        T(test_half_closed_client_gets_its_answer),
        T(test_fifty_clients_vanish_before_their_answer),
        T(test_handler_that_forgets_its_answer_is_500_and_a_second_answer_is_ignored),
        T(test_forwarded_address_is_believed_from_a_trusted_proxy_only_as_far_as_proven),
        T(test_every_answer_is_reported_once),
        T(test_bad_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
