/* Answers in pieces: frames, slow and vanishing readers, the end from either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/number.h"
#include "http/server_internal.h"
#include "http/testing.h"

static struct ts_test_server ts;
static struct ts_test_client c;

/* What the producer does when it is asked. */
enum plan { PLAN_END, PLAN_ABORT, PLAN_WAIT };
static enum plan plan;
static int n_pieces, piece_bytes; /* before that */
static int n_asked, n_closed, begun;
static ts_http_ticket ticket, parked;

/* Letters in turn, another first one in each piece. */
static void fill(struct ts_buf *buf, int n, int bytes)
{
    static char letters[26 + 64 * 1024];
    for (size_t i = 0; letters[0] == '\0' && i < sizeof(letters); i++)
        letters[sizeof(letters) - 1 - i] = (char)('a' + (sizeof(letters) - 1 - i) % 26);
    ts_buf_bytes(buf, letters + n % 26, (size_t)bytes);
}

static void more(ts_http_ticket of, void *ctx)
{
    struct ts_buf piece = TS_BUF_INIT(1024 * 1024);
    struct ts_http_server *server = ts.server;
    assert_ptr_equal(ctx, &ts);
    assert_int_equal(of, ticket);
    if (n_asked < n_pieces) {
        fill(&piece, n_asked++, piece_bytes);
        assert_int_equal(ts_http_answer_piece(server, of, &piece), 0);
    } else if (plan == PLAN_END) {
        ts_http_answer_end(server, of);
    } else if (plan == PLAN_ABORT) {
        ts_http_answer_abort(server, of);
    } else {
        n_asked++;
    }
}

static void closed(ts_http_ticket of, void *ctx)
{
    assert_ptr_equal(ctx, &ts);
    assert_int_equal(of, ticket);
    n_closed++;
}

static void pieces(struct ts_http_request *req, void *ctx)
{
    static const struct ts_http_header headers[] = {{TS_STR("Content-Disposition"), TS_STR("attachment")}};
    (void)ctx;
    ticket = ts_http_park(req);
    begun = ts_http_answer_begin(
        req->server, ticket,
        &(struct ts_http_response){.content_type = "text/csv", .headers = headers, .n_headers = 1},
        &(struct ts_http_pieces){.more = more, .closed = closed, .ctx = &ts});
}

static void park(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    parked = ts_http_park(req);
}

static void hello(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("hello")});
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/pieces", .handler = pieces},
    {.method = "GET", .pattern = "/park", .handler = park},
    {.method = "GET", .pattern = "/hello", .handler = hello},
};

static void start(int64_t write_timeout_us)
{
    plan = PLAN_END;
    n_pieces = piece_bytes = n_asked = n_closed = begun = 0;
    ticket = parked = 0;
    ts_test_server_start(&ts,
                         &(struct ts_http_server_options){.routes = routes,
                                                          .n_routes = TS_ARRAY_LEN(routes),
                                                          .write_timeout_us = write_timeout_us},
                         NULL);
    ts_test_connect(&c, ts.port);
}

static int setup(void **state)
{
    (void)state;
    start(0);
    return 0;
}

static int setup_quick(void **state)
{
    (void)state;
    start(300 * TS_US_PER_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_test_close(&c);
    ts_test_server_stop(&ts);
    return 0;
}

static void ask(const char *method, const char *path, const char *version)
{
    ts_test_printf(&c, "%s %s HTTP/%s\r\nHost: x\r\n\r\n", method, path, version);
}

/* The bytes of the next reply's chunks up to the last one, as one text; -1 when the connection ends before. */
static ptrdiff_t read_chunks(struct ts_buf *out)
{
    for (;;) {
        size_t from = c.taken;
        if (!ts_test_read_until(&c, "\r\n"))
            return -1;
        size_t len = strtoul(c.in.data + from, NULL, 16);
        while (c.in.len - c.taken < len) {
            char bytes[64 * 1024];
            ssize_t n = recv(c.fd, bytes, sizeof(bytes), 0);
            if (n <= 0)
                return -1;
            ts_buf_bytes(&c.in, bytes, (size_t)n);
        }
        ts_buf_bytes(out, c.in.data + c.taken, len);
        from = c.taken += len;
        if (!ts_test_read_until(&c, "\r\n"))
            return -1;
        assert_int_equal(c.taken, from + 2);
        if (len == 0)
            return (ptrdiff_t)out->len;
    }
}

static void assert_content(const struct ts_buf *got)
{
    _cleanup_(ts_buf_done) struct ts_buf wanted = TS_BUF_INIT((size_t)128 * 1024 * 1024);
    for (int n = 0; n < n_pieces; n++)
        fill(&wanted, n, piece_bytes);
    assert_int_equal(got->len, wanted.len);
    assert_memory_equal(got->data, wanted.data, wanted.len);
}

static bool was_closed(void *arg)
{
    (void)arg;
    (void)ts_test_server_stats(&ts);
    return n_closed > 0;
}

static bool was_asked(void *arg)
{
    (void)ts_test_server_stats(&ts);
    return n_asked >= *(int *)arg;
}

static void await_asked(int n)
{
    assert_true(ts_test_eventually(was_asked, &n));
}

static void test_pieces_when_all_were_sent_then_chunked_and_the_connection_is_used_again(void **state)
{
    (void)state;
    n_pieces = 3;
    piece_bytes = 1000;
    for (int again = 0; again < 2; again++) {
        _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT(1024 * 1024);
        n_asked = 0;
        ask("GET", "/pieces", "1.1");
        assert_int_equal(ts_test_reply_head(&c), 200);
        assert_true(ts_str_eq(ts_test_reply_header(&c, "Transfer-Encoding"), TS_STR("chunked")));
        assert_true(ts_str_eq(ts_test_reply_header(&c, "Content-Type"), TS_STR("text/csv")));
        assert_true(ts_str_eq(ts_test_reply_header(&c, "Content-Disposition"), TS_STR("attachment")));
        assert_true(ts_str_is_none(ts_test_reply_header(&c, "Content-Length")));
        assert_true(ts_str_is_none(ts_test_reply_header(&c, "Connection")));
        assert_false(ts_str_is_none(ts_test_reply_header(&c, "X-Request-Id")));
        assert_int_equal(read_chunks(&got), 3000);
        assert_content(&got);
    }
    ask("GET", "/hello", "1.1");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(c.body, TS_STR("hello")));
    assert_int_equal(n_closed, 0);
    assert_int_equal(ts_test_server_stats(&ts).parked, 0);
}

static void test_pieces_when_there_are_none_or_empty_ones_then_the_body_is_empty(void **state)
{
    (void)state;
    for (n_pieces = 0; n_pieces < 3; n_pieces += 2) {
        _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT(1024);
        n_asked = 0;
        ask("GET", "/pieces", "1.1");
        assert_int_equal(ts_test_reply_head(&c), 200);
        assert_int_equal(read_chunks(&got), 0);
        assert_int_equal(n_asked, n_pieces);
    }
    ask("GET", "/hello", "1.1");
    assert_int_equal(ts_test_reply(&c), 200);
}

static void test_pieces_when_http_1_0_then_no_chunks_and_the_connection_ends(void **state)
{
    (void)state;
    n_pieces = 2;
    piece_bytes = 26;
    ts_test_send_text(&c, "GET /pieces HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
                          "GET /hello HTTP/1.0\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_true(ts_str_is_none(ts_test_reply_header(&c, "Transfer-Encoding")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Connection"), TS_STR("close")));
    assert_true(ts_test_read_until(&c, "abcdefghijklmnopqrstuvwxyzbcdefghijklmnopqrstuvwxyza"));
    assert_false(ts_test_read_until(&c, "HTTP/1.1")); /* the second request has no answer */
}

static void test_pieces_when_asked_by_head_then_the_header_alone(void **state)
{
    (void)state;
    n_pieces = 2;
    piece_bytes = 10;
    ask("HEAD", "/pieces", "1.1");
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Content-Type"), TS_STR("text/csv")));
    ask("GET", "/hello", "1.1");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(c.body, TS_STR("hello")));
    assert_int_equal(begun, TS_E_GONE);
    assert_int_equal(n_asked, 0);
    assert_int_equal(n_closed, 0);
    assert_int_equal(ts_test_server_stats(&ts).parked, 0);
}

static void test_pieces_when_the_producer_fails_then_no_last_chunk_and_the_connection_ends(void **state)
{
    _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT(1024 * 1024);
    (void)state;
    plan = PLAN_ABORT;
    n_pieces = 2;
    piece_bytes = 1000;
    ask("GET", "/pieces", "1.1");
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_int_equal(read_chunks(&got), -1);
    assert_content(&got); /* what was sent before came */
    assert_int_equal(n_closed, 0);
    assert_int_equal(ts_test_server_stats(&ts).parked, 0);
}

static void test_pieces_when_the_reader_is_slow_then_the_producer_waits_for_it(void **state)
{
    enum { PIECES = 512, BYTES = 64 * 1024 };
    _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT((size_t)128 * 1024 * 1024);
    int seen = 0;
    (void)state;
    c.in.max_bytes = (size_t)256 * 1024 * 1024;
    n_pieces = PIECES;
    piece_bytes = BYTES;
    ask("GET", "/pieces", "1.1");
    assert_int_equal(ts_test_reply_head(&c), 200);
    await_asked(2);
    do { /* until it stands still */
        seen = n_asked;
        usleep(20000);
        (void)ts_test_server_stats(&ts);
    } while (seen != n_asked);
    assert_true(n_asked < PIECES); /* the kernel does not hold so much */
    assert_int_equal(read_chunks(&got), PIECES * BYTES);
    assert_content(&got);
}

static void test_pieces_when_the_reader_takes_nothing_then_it_is_cut_by_the_write_deadline(void **state)
{
    (void)state;
    n_pieces = 1000;
    piece_bytes = 64 * 1024;
    ask("GET", "/pieces", "1.1");
    assert_true(ts_test_eventually(was_closed, NULL));
    assert_int_equal(n_closed, 1);
    assert_int_equal(ts_test_server_stats(&ts).parked, 0);
}

static void answer_late(void *arg)
{
    struct ts_buf piece = TS_BUF_INIT(1024);
    ts_buf_cstr(&piece, "late");
    *(int *)arg = ts_http_answer_piece(ts.server, ticket, &piece);
}

static void end_late(void *arg)
{
    (void)arg;
    ts_http_answer_end(ts.server, ticket);
}

static void test_pieces_when_the_reader_vanishes_while_the_producer_works_then_it_is_told_once(void **state)
{
    int sent = 0;
    (void)state;
    plan = PLAN_WAIT;
    ask("GET", "/pieces", "1.1");
    await_asked(1);
    ts_test_reset(&c);
    assert_true(ts_test_eventually(was_closed, NULL));
    ts_test_server_call(&ts, answer_late, &sent);
    assert_int_equal(sent, TS_E_GONE);
    ts_test_server_call(&ts, end_late, NULL);
    assert_int_equal(n_closed, 1);
    assert_int_equal(ts_test_server_stats(&ts).parked, 0);
    ts_test_connect(&c, ts.port);
}

static void cut_and_end(void *how)
{
    struct ts_http_exchange *ex = ts_exchange_find(ts.server, ticket);
    ts_conn_doom(ex->conn); /* as when a write fails: it is closed in the loop's next turn */
    ((void (*)(struct ts_http_server *, ts_http_ticket))how)(ts.server, ticket);
}

static void test_pieces_when_ended_while_the_connection_is_being_closed_then_nobody_is_told(void **state)
{
    static void (*const ways[])(struct ts_http_server *, ts_http_ticket) = {ts_http_answer_end,
                                                                            ts_http_answer_abort};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(ways); i++) {
        plan = PLAN_WAIT;
        n_asked = 0;
        ask("GET", "/pieces", "1.1");
        await_asked(1);
        ts_test_server_call(&ts, cut_and_end, (void *)ways[i]);
        assert_true(ts_test_ended(&c));
        assert_int_equal(ts_test_server_stats(&ts).parked, 0);
        assert_int_equal(n_closed, 0);
        ts_test_close(&c);
        ts_test_connect(&c, ts.port);
    }
}

static void test_pieces_when_they_come_later_then_the_answer_goes_on(void **state)
{
    _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT(1024);
    int sent = -1;
    (void)state;
    plan = PLAN_WAIT;
    ask("GET", "/pieces", "1.1");
    for (int n = 1; n <= 3; n++) {
        await_asked(n);
        ts_test_server_call(&ts, answer_late, &sent);
        assert_int_equal(sent, 0);
    }
    await_asked(4);
    ts_test_server_call(&ts, end_late, NULL);
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_int_equal(read_chunks(&got), 12);
    assert_memory_equal(got.data, "latelatelate", 12);
}

static void answer_parked(void *arg)
{
    (void)arg;
    assert_int_equal(ts_http_answer(ts.server, parked, &(struct ts_http_response){.body = TS_STR("now")}), 0);
}

static bool both_wait(void *arg)
{
    (void)arg;
    return ts_test_server_stats(&ts).parked == 2;
}

static void test_pieces_when_pipelined_then_each_answer_waits_for_its_turn(void **state)
{
    _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT(1024 * 1024);
    (void)state;
    n_pieces = 2;
    piece_bytes = 100;
    ts_test_send_text(&c, "GET /park HTTP/1.1\r\nHost: x\r\n\r\nGET /pieces HTTP/1.1\r\nHost: x\r\n\r\n"
                          "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(ts_test_eventually(both_wait, NULL));
    assert_int_equal(n_asked, 0);
    ts_test_server_call(&ts, answer_parked, NULL);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(c.body, TS_STR("now")));
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_int_equal(read_chunks(&got), 200);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(c.body, TS_STR("hello")));
}

static int drained;

static void on_drained(void *ctx, int forced)
{
    (void)ctx;
    drained = 1 + forced;
}

static void drain(void *timeout_us)
{
    ts_http_server_drain(ts.server, *(int64_t *)timeout_us, on_drained, NULL);
}

static bool is_drained(void *arg)
{
    (void)arg;
    (void)ts_test_server_stats(&ts);
    return drained > 0;
}

static void test_pieces_when_the_server_drains_then_it_waits_for_the_end(void **state)
{
    _cleanup_(ts_buf_done) struct ts_buf got = TS_BUF_INIT(1024);
    int64_t patience_us = 60 * TS_US_PER_S;
    int sent = -1;
    (void)state;
    plan = PLAN_WAIT;
    drained = 0;
    ask("GET", "/pieces", "1.1");
    await_asked(1);
    ts_test_server_call(&ts, drain, &patience_us);
    ts_test_server_call(&ts, answer_late, &sent);
    await_asked(2);
    assert_int_equal(drained, 0);
    ts_test_server_call(&ts, end_late, NULL);
    assert_int_equal(ts_test_reply_head(&c), 200);
    assert_int_equal(read_chunks(&got), 4);
    assert_true(ts_test_ended(&c));
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(drained, 1);
    assert_int_equal(n_closed, 0);
}

static void test_pieces_when_the_drain_is_over_then_the_connection_is_cut_and_the_producer_told(void **state)
{
    int64_t patience_us = 1;
    (void)state;
    plan = PLAN_WAIT;
    drained = 0;
    ask("GET", "/pieces", "1.1");
    await_asked(1);
    ts_test_server_call(&ts, drain, &patience_us);
    assert_true(ts_test_eventually(is_drained, NULL));
    assert_int_equal(drained, 2);
    assert_int_equal(n_closed, 1);
    assert_true(ts_test_ended(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)
        T(test_pieces_when_all_were_sent_then_chunked_and_the_connection_is_used_again, setup),
        T(test_pieces_when_there_are_none_or_empty_ones_then_the_body_is_empty, setup),
        T(test_pieces_when_http_1_0_then_no_chunks_and_the_connection_ends, setup),
        T(test_pieces_when_asked_by_head_then_the_header_alone, setup),
        T(test_pieces_when_the_producer_fails_then_no_last_chunk_and_the_connection_ends, setup),
        T(test_pieces_when_the_reader_is_slow_then_the_producer_waits_for_it, setup),
        T(test_pieces_when_the_reader_takes_nothing_then_it_is_cut_by_the_write_deadline, setup_quick),
        T(test_pieces_when_the_reader_vanishes_while_the_producer_works_then_it_is_told_once, setup),
        T(test_pieces_when_ended_while_the_connection_is_being_closed_then_nobody_is_told, setup),
        T(test_pieces_when_they_come_later_then_the_answer_goes_on, setup),
        T(test_pieces_when_pipelined_then_each_answer_waits_for_its_turn, setup),
        T(test_pieces_when_the_server_drains_then_it_waits_for_the_end, setup),
        T(test_pieces_when_the_drain_is_over_then_the_connection_is_cut_and_the_producer_told, setup),
    };
    return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
