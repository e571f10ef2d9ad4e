/*
 * What no decent client sends: each row of the comparison of HTTP libraries this server was chosen by, with the strict answer. After
 * every one the server still serves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http/server_internal.h"
#include "http/testing.h"

#define MAX_BODY (64 * 1024)

static struct ts_test_server ts;
static int handled;

static void echo_length(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    handled++;
    struct ts_buf body = TS_BUF_INIT(64);
    ts_buf_printf(&body, "{\"length\":%zu}", req->body.len);
    ts_http_reply(req, &(struct ts_http_response){.body_take = &body});
}

static void token_first(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    if (ts_str_is_none(ts_http_header(req, "X-Gateway-Token")))
        ts_http_reply_error(req, 401, "Missing X-Gateway-Token header", NULL, NULL);
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/", .handler = echo_length},
    {.method = "POST", .pattern = "/", .handler = echo_length, .max_body_bytes = MAX_BODY},
    {.method = "POST", .pattern = "/tiny", .handler = echo_length, .max_body_bytes = 10},
    {.method = "POST",
     .pattern = "/token",
     .handler = echo_length,
     .on_headers = token_first,
     .max_body_bytes = MAX_BODY},
};

static int setup(void **state)
{
    (void)state;
    ts_test_server_start(
        &ts, &(struct ts_http_server_options){.routes = routes, .n_routes = TS_ARRAY_LEN(routes)}, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_test_server_stop(&ts);
    return 0;
}

static void assert_still_served(void)
{
    assert_int_equal(ts_test_exchange(ts.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL), 200);
}

/* --- one malformed request a row ---------------------------------------------------------------------------------------- */

#define POST    "POST / HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct row {
    const char *what;
    ts_str bytes;
    int status;
    const char *code; /* of the answer's body; NULL = any */
} rows[] = {
#define ROW(what, bytes, status, code)                 \
    {                                                  \
        what, {bytes, sizeof(bytes) - 1}, status, code \
    }
    /* framing */
    ROW("Content-Length and Transfer-Encoding",
        POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL),
    ROW("Transfer-Encoding and Content-Length",
        POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400, NULL),
    ROW("two different Content-Length", POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, NULL),
    ROW("two equal Content-Length", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, NULL),
    ROW("Content-Length list", POST "Content-Length: 3, 3\r\n\r\nabc", 400, NULL),
    ROW("Content-Length with plus", POST "Content-Length: +3\r\n\r\nabc", 400, NULL),
    ROW("Content-Length negative", POST "Content-Length: -3\r\n\r\nabc", 400, NULL),
    ROW("Content-Length hexadecimal", POST "Content-Length: 0x3\r\n\r\nabc", 400, NULL),
    ROW("Content-Length empty", POST "Content-Length:\r\n\r\n", 400, NULL),
    ROW("Content-Length beyond 64 bits", POST "Content-Length: 99999999999999999999999\r\n\r\n", 400, NULL),
    ROW("Transfer-Encoding: xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, NULL),
    ROW("Transfer-Encoding: gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400,
        NULL),
    ROW("Transfer-Encoding: chunked, gzip", POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400,
        NULL),
    ROW("Transfer-Encoding twice",
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL),
    ROW("Transfer-Encoding empty", POST "Transfer-Encoding:\r\n\r\n", 400, NULL),
    ROW("Transfer-Encoding in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
        "transfer_encoding"),
    /* chunks */
    ROW("bad chunk size", CHUNKED "zz\r\nabc\r\n0\r\n\r\n", 400, NULL),
    ROW("negative chunk size", CHUNKED "-1\r\nabc\r\n0\r\n\r\n", 400, NULL),
    ROW("chunk size overflow", CHUNKED "fffffffffffffffff\r\nabc\r\n0\r\n\r\n", 400, NULL),
    ROW("chunk of 2^64-1", CHUNKED "ffffffffffffffff\r\nabc\r\n", 413, "too_large"),
    ROW("chunk data without CRLF", CHUNKED "3\r\nabcXX0\r\n\r\n", 400, NULL),
    ROW("chunk size line with bare LF", CHUNKED "3\nabc\r\n0\r\n\r\n", 400, NULL),
    /* lines */
    ROW("NUL in a header value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400, NULL),
    ROW("NUL in a header name", "GET / HTTP/1.1\r\nHost: x\r\nA\0b: c\r\n\r\n", 400, NULL),
    ROW("bare CR in a header value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400, NULL),
    ROW("bare LF line ends", "GET / HTTP/1.1\nHost: x\n\n", 400, NULL),
    ROW("bare LF after one header", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400, NULL),
    ROW("bare LF at the end", "GET / HTTP/1.1\r\nHost: x\r\n\n", 400, NULL),
    ROW("space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, NULL),
    ROW("obs-fold", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400, "obs_fold"),
    ROW("obs-fold with a tab", "GET / HTTP/1.1\r\nHost: x\r\nA:\r\n\tc\r\n\r\n", 400, "obs_fold"),
    ROW("folded first line", "GET / HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n", 400, NULL),
    ROW("hidden Content-Length by a leading space",
        "POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n Content-Length: 5\r\n\r\nhello", 400, "obs_fold"),
    ROW("empty header name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400, NULL),
    ROW("header without a colon", "GET / HTTP/1.1\r\nHost: x\r\nnocolon\r\n\r\n", 400, NULL),
    ROW("header name with a space", "GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400, NULL),
    ROW("no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400, "missing_host"),
    ROW("no header at all", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host"),
    ROW("two Host", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, "duplicate_header"),
    /* request line */
    ROW("HTTP/0.9", "GET /\r\n\r\n", 505, "http_version"),
    ROW("HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "http_version"),
    ROW("HTTP/9.9", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, NULL),
    ROW("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, NULL),
    ROW("TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, NULL),
    ROW("unknown method", "HACK / HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL),
    ROW("lower-case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL),
    ROW("two spaces before the target", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL),
    ROW("space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL),
    ROW("fragment in the target", "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request_line"),
    ROW("absolute target", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target_form"),
    ROW("asterisk target", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target_form"),
    ROW("CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target_form"),
    ROW("relative target", "GET index.html HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL),
    /* escapes */
    ROW("broken escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("cut escape", "GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("lonely percent", "GET /% HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("escaped NUL", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("invalid UTF-8", "GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("overlong UTF-8", "GET /%c0%af HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("surrogate", "GET /%ed%a0%80 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "path_encoding"),
    ROW("raw bytes above ASCII", "GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL),
    /* expectations and limits */
    ROW("Expect something else", POST "Expect: a-miracle\r\nContent-Length: 3\r\n\r\nabc", 417,
        "expectation"),
    ROW("body over the limit, declared", "POST /tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413,
        "too_large"),
    ROW("body over the limit, counted",
        "POST /tiny HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n",
        413, "too_large"),
    ROW("body of 2^63", POST "Content-Length: 9223372036854775808\r\n\r\n", 413, "too_large"),
#undef ROW
};

static bool body_has_code(const struct ts_test_client *c, const char *code)
{
    char expected[64];
    int len = snprintf(expected, sizeof(expected), "\"code\":\"%s\"", code);
    return ts_str_find(c->body, (ts_str){expected, (size_t)len}) >= 0;
}

static void check_row(const struct row *row, size_t piece)
{
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    handled = 0;
    for (size_t at = 0; at < row->bytes.len; at += piece)
        if (!ts_test_send(&c, (ts_str){row->bytes.ptr + at, TS_MIN(piece, row->bytes.len - at)}))
            break; /* the answer came before the end */
    int status = ts_test_reply(&c);
    if (status != row->status)
        fail_msg("%s (in pieces of %zu): %d instead of %d", row->what, piece, status, row->status);
    if (row->code && !body_has_code(&c, row->code))
        fail_msg("%s: not %s but %.*s", row->what, row->code, TS_STR_ARG(c.body));
    assert_true(ts_str_starts_with(c.body, TS_STR("{\"error\":\"")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Connection"), TS_STR("close")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "X-Content-Type-Options"), TS_STR("nosniff")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "X-Frame-Options"), TS_STR("DENY")));
    assert_true(ts_str_eq(ts_test_reply_header(&c, "Referrer-Policy"), TS_STR("no-referrer")));
    assert_true(ts_str_is_none(ts_test_reply_header(&c, "Server")));
    if (!ts_test_ended(&c))
        fail_msg("%s: the connection stays open", row->what);
    assert_int_equal(handled, 0);
    ts_test_close(&c);
}

static void test_each_malformed_request_is_refused_and_the_connection_closed(void **state)
{
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(rows); i++)
        check_row(&rows[i], SIZE_MAX / 2);
    assert_still_served();
}

static void test_each_malformed_request_is_refused_also_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(rows); i++)
        check_row(&rows[i], 1);
    assert_still_served();
}

static void test_refusal_comes_after_the_answers_of_earlier_requests(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    ts_test_send_text(
        &c, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_int_equal(ts_test_reply(&c), 200);
    assert_int_equal(ts_test_reply(&c), 400);
    assert_int_equal(ts_test_reply(&c), 0); /* what follows a malformed request is never looked at */
    ts_test_close(&c);
}

static void test_smuggled_request_is_never_handled(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /tiny HTTP/1.1\r\nHost: "
             "x\r\nContent-Length: 0\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\nPOST /tiny "
             "HTTP/1.1\r\nHost: x\r\n\r\n",
        POST "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n0\r\n\r\nPOST /tiny HTTP/1.1\r\nHost: x\r\n\r\n",
        POST "A: b\r\n Content-Length: 50\r\n\r\nPOST /tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(shapes); i++) {
        handled = 0;
        assert_int_equal(ts_test_exchange(ts.port, shapes[i], NULL), 400);
        (void)ts_test_server_stats(&ts);
        assert_int_equal(handled, 0);
    }
}

/* --- sizes -------------------------------------------------------------------------------------------------------------- */

static void assert_refused(ts_str request, int status)
{
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    (void)ts_test_send(&c, request); /* may be cut short by the answer */
    assert_int_equal(ts_test_reply(&c), status);
    assert_true(ts_test_ended(&c));
    ts_test_close(&c);
    assert_still_served();
}

static void put_many(struct ts_buf *buf, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ts_buf_cstr(buf, text);
}

static void test_oversized_headers_are_431(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *part;
        size_t n;
        const char *end;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\nA: ", "x", 64 * 1024, "\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", 2000, "\r\n"},
        {"GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", TS_MAX_HEADERS, "\r\n"},
        {"GET /", "x", 64 * 1024, " HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"", "\r\n", TS_MAX_HEADER_BYTES, ""},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        struct ts_buf request = TS_BUF_INIT(1024 * 1024);
        ts_buf_cstr(&request, cases[i].begin);
        put_many(&request, cases[i].part, cases[i].n);
        ts_buf_cstr(&request, cases[i].end);
        assert_refused(ts_buf_view(&request), 431);
        ts_buf_done(&request);
    }
}

static void test_largest_allowed_header_passes(void **state)
{
    (void)state;
    struct ts_buf request = TS_BUF_INIT(1024 * 1024);
    ts_buf_cstr(&request, "GET / HTTP/1.1\r\nHost: x\r\n");
    put_many(&request, "A: b\r\n", TS_MAX_HEADERS - 2);
    ts_buf_cstr(&request, "B: ");
    put_many(&request, "x", TS_MAX_HEADER_BYTES - request.len - 4);
    ts_buf_cstr(&request, "\r\n\r\n");
    assert_int_equal(request.len, TS_MAX_HEADER_BYTES);
    ts_buf_char(&request, '\0');
    assert_int_equal(ts_test_exchange(ts.port, request.data, NULL), 200);
    ts_buf_done(&request);
}

static void test_oversized_bodies_are_413_declared_or_counted(void **state)
{
    (void)state;
    struct ts_buf body = TS_BUF_INIT(16 * 1024 * 1024);
    ts_buf_cstr(&body, POST "Content-Length: 1048576\r\n\r\n");
    put_many(&body, "xxxxxxxxxxxxxxxx", 65536);
    assert_refused(ts_buf_view(&body), 413);
    ts_buf_clear(&body);
    ts_buf_cstr(&body, CHUNKED "100000\r\n");
    put_many(&body, "xxxxxxxxxxxxxxxx", 65536);
    ts_buf_cstr(&body, "\r\n0\r\n\r\n");
    assert_refused(ts_buf_view(&body), 413);
    ts_buf_done(&body);
    assert_refused(TS_STR(POST "Content-Length: 10485760\r\n\r\n"), 413);
}

static void test_endless_chunk_extensions_and_trailers_are_cut(void **state)
{
    (void)state;
    struct ts_buf request = TS_BUF_INIT(1024 * 1024);
    ts_buf_cstr(&request, CHUNKED "1;a=");
    put_many(&request, "x", 32 * 1024);
    assert_refused(ts_buf_view(&request), 413);
    ts_buf_clear(&request);
    ts_buf_cstr(&request, CHUNKED "0\r\n");
    put_many(&request, "Trailer: x\r\n", 4 * 1024);
    assert_refused(ts_buf_view(&request), 413);
    ts_buf_done(&request);
}

/* --- bodies nobody wants ------------------------------------------------------------------------------------------------ */

static void test_unauthenticated_short_body_is_drained_and_the_connection_kept(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    struct ts_buf body = TS_BUF_INIT(1024 * 1024);
    put_many(&body, "x", TS_MAX_DRAIN_BYTES);
    for (int i = 0; i < 3; i++) {
        ts_test_printf(&c, "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", body.len);
        assert_int_equal(ts_test_reply(&c), 401); /* before the body was sent */
        assert_true(ts_str_is_none(ts_test_reply_header(&c, "Connection")));
        assert_true(ts_test_send(&c, ts_buf_view(&body)));
    }
    ts_test_send_text(&c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    ts_test_close(&c);
    ts_buf_done(&body);
}

static void test_unauthenticated_long_or_unmeasured_body_ends_the_connection(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n",
        "POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        "POST /unknown HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(requests); i++) {
        struct ts_test_client c;
        ts_test_connect(&c, ts.port);
        ts_test_send_text(&c, requests[i]);
        assert_int_equal(ts_test_reply(&c), i == 3 ? 404 : 401);
        assert_true(ts_str_eq(ts_test_reply_header(&c, "Connection"), TS_STR("close")));
        struct ts_buf junk = TS_BUF_INIT(1024 * 1024);
        put_many(&junk, "x", 512 * 1024);
        (void)ts_test_send(&c, ts_buf_view(&junk));
        assert_true(ts_test_ended(&c));
        ts_buf_done(&junk);
        ts_test_close(&c);
    }
    assert_still_served();
}

/* Most clients read only when they have sent all: a reset on the way would take the answer from them. */
static void test_client_that_sends_a_long_body_before_it_reads_gets_the_answer(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n",
        "POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 400000\r\n\r\n",
        "POST /token HTTP/1.0\r\nHost: x\r\nContent-Length: 400000\r\n\r\n",
        "POST /tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n",
    };
    struct ts_buf piece = TS_BUF_INIT(64 * 1024);
    put_many(&piece, "x", 10 * 1000);
    for (size_t i = 0; i < 2 * TS_ARRAY_LEN(requests); i++) {
        struct ts_test_client c;
        ts_test_connect(&c, ts.port);
        ts_test_send_text(&c, requests[i / 2]);
        if (i % 2)
            usleep(20 * 1000); /* the server answers before it sees a byte of the body */
        for (int k = 0; k < 40; k++) {
            assert_true(ts_test_send(&c, ts_buf_view(&piece)));
            usleep(2000); /* so that the server meets the body in pieces */
        }
        assert_int_equal(ts_test_reply(&c), i / 2 == 3 ? 413 : 401);
        ts_test_close(&c);
    }
    ts_buf_done(&piece);
    assert_still_served();
}

static void test_expect_continue_is_answered_only_when_the_body_is_wanted(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, "POST /token HTTP/1.1\r\nHost: x\r\nX-Gateway-Token: t\r\nContent-Length: "
                          "5\r\nExpect: 100-Continue\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 100);
    ts_test_send_text(&c, "hello");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_true(ts_str_eq(c.body, TS_STR("{\"length\":5}")));
    ts_test_send_text(&c,
                      "POST /tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 413);
    ts_test_close(&c);
}

static void test_expect_continue_waits_for_earlier_answers_and_old_clients_get_none(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    ts_test_send_text(&c, "GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
                          "5\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(ts_test_reply(&c), 200);
    assert_int_equal(ts_test_reply(&c), 100);
    ts_test_send_text(&c, "hello");
    assert_int_equal(ts_test_reply(&c), 200);
    ts_test_send_text(&c, "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
    assert_int_equal(ts_test_reply(&c), 200);
    ts_test_close(&c);
}

static void test_upgrade_is_not_granted_and_the_request_is_served(void **state)
{
    (void)state;
    struct ts_test_client c;
    ts_test_connect(&c, ts.port);
    for (int i = 0; i < 2; i++) {
        ts_test_send_text(&c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                              "h2c\r\nHTTP2-Settings: AA\r\n\r\n");
        assert_int_equal(ts_test_reply(&c), 200);
    }
    ts_test_close(&c);
}

static void test_request_cut_short_by_the_client_is_400(void **state)
{
    (void)state;
    static const char *const cut[] = {"GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n",
                                      POST "Content-Length: 10\r\n\r\nabc", CHUNKED "5\r\nab"};
    for (size_t i = 0; i < TS_ARRAY_LEN(cut); i++) {
        struct ts_test_client c;
        ts_test_connect(&c, ts.port);
        ts_test_send_text(&c, cut[i]);
        shutdown(c.fd, SHUT_WR);
        handled = 0;
        assert_int_equal(ts_test_reply(&c), 400);
        assert_true(ts_test_ended(&c));
        assert_int_equal(handled, 0);
        ts_test_close(&c);
    }
    assert_still_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_each_malformed_request_is_refused_and_the_connection_closed),
        T(test_each_malformed_request_is_refused_also_byte_by_byte),
        T(test_refusal_comes_after_the_answers_of_earlier_requests),
        T(test_smuggled_request_is_never_handled),
        T(test_oversized_headers_are_431),
        T(test_largest_allowed_header_passes),
        T(test_oversized_bodies_are_413_declared_or_counted),
        T(test_endless_chunk_extensions_and_trailers_are_cut),
        T(test_unauthenticated_short_body_is_drained_and_the_connection_kept),
        T(test_unauthenticated_long_or_unmeasured_body_ends_the_connection),
        T(test_client_that_sends_a_long_body_before_it_reads_gets_the_answer),
        T(test_expect_continue_is_answered_only_when_the_body_is_wanted),
        T(test_expect_continue_waits_for_earlier_answers_and_old_clients_get_none),
        T(test_upgrade_is_not_granted_and_the_request_is_served),
        T(test_request_cut_short_by_the_client_is_400),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
