/* The guard as an attacker meets it: a hostile page, a rebound name, guessed tokens, too many requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/guard.h"
#include "http/server_internal.h"
#include "http/testing.h"

#define TOKEN    "0123456789abcdef0123456789abcdef-admin"
#define PREVIOUS "0123456789abcdef0123456789abcdef-old"
#define LOCAL    "Host: localhost:4005\r\n"

static struct ts_http_guard *guard;
static struct ts_test_server ts;
static struct ts_test_client c;
static struct ts_secret admin, previous;
static int changes;

static void get(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("{}")});
}

static void change(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    changes++;
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("{}")});
}

/* As /ingest does: its own token first, Origin after it. */
static void own_auth(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    ts_str token = ts_http_header(req, "X-Gateway-Token");
    if (!ts_str_eq(token, TS_STR("right"))) {
        ts_http_guard_auth_failed(guard, req, token);
        if (ts_http_guard_rate_limit(guard, req))
            ts_http_reply_error(req, 401, "Invalid gateway token", NULL, NULL);
    } else {
        (void)ts_http_guard_origin(guard, req);
    }
}

static const struct ts_http_route routes[] = {
    {.method = "GET", .pattern = "/signals", .handler = get},
    {.method = "DELETE", .pattern = "/signals", .handler = change},
    {.method = "POST", .pattern = "/parse", .handler = change, .flags = TS_ROUTE_READ},
    {.method = "POST",
     .pattern = "/ingest",
     .handler = change,
     .on_headers = own_auth,
     .flags = TS_ROUTE_OWN_AUTH | TS_ROUTE_UNLIMITED},
    {.method = "GET", .pattern = "/health", .handler = get, .flags = TS_ROUTE_UNLIMITED},
    {.method = "GET",
     .pattern = "/health/live",
     .handler = get,
     .flags = TS_ROUTE_UNLIMITED | TS_ROUTE_ANY_HOST},
};

static void start(const struct ts_http_guard_options *base, bool with_token)
{
    static const ts_str hosts[] = {{"localhost", 9}, {"127.0.0.1", 9}, {"[::1]", 5}};
    static const ts_str origins[] = {{"http://localhost:3103", 21}};
    struct ts_http_guard_options options = *base;
    options.allowed_hosts = (struct ts_str_list){hosts, TS_ARRAY_LEN(hosts)};
    options.cors_origins = (struct ts_str_list){origins, TS_ARRAY_LEN(origins)};
    if (with_token) {
        assert_int_equal(ts_secret_set(&admin, TS_STR(TOKEN)), 0);
        assert_int_equal(ts_secret_set(&previous, TS_STR(PREVIOUS)), 0);
    }
    options.admin_token = &admin;
    options.admin_token_previous = &previous;
    changes = 0;
    assert_int_equal(ts_http_guard_new(&options, &guard), 0);
    static const ts_str proxies[] = {{"127.0.0.1", 9}};
    static const struct ts_str_list trusted = {proxies, 1};
    ts_test_server_start(&ts,
                         &(struct ts_http_server_options){.routes = routes,
                                                          .n_routes = TS_ARRAY_LEN(routes),
                                                          .guard = ts_http_guard_check,
                                                          .guard_ctx = guard,
                                                          .trusted_proxies = &trusted},
                         NULL);
    ts_test_connect(&c, ts.port);
}

static int setup(void **state)
{
    (void)state;
    start(&(struct ts_http_guard_options){0}, true);
    return 0;
}

static int setup_without_token(void **state)
{
    (void)state;
    start(&(struct ts_http_guard_options){0}, false);
    return 0;
}

static int setup_without_cors(void **state)
{
    (void)state;
    start(&(struct ts_http_guard_options){.cors_disabled = true}, false);
    return 0;
}

static int setup_with_rate(void **state)
{
    (void)state;
    start(&(struct ts_http_guard_options){.rate_limit_max = 3, .rate_limit_window_us = 600 * TS_US_PER_S},
          false);
    return 0;
}

static int setup_public(void **state)
{
    (void)state;
    static const char *const paths[] = {"/health", "/metrics", NULL};
    start(&(struct ts_http_guard_options){.public_only_paths = paths}, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_test_close(&c);
    ts_test_server_stop(&ts);
    guard = ts_http_guard_free(guard);
    ts_secret_done(&admin);
    ts_secret_done(&previous);
    return 0;
}

static void assert_header(const char *name, const char *value)
{
    ts_str found = ts_test_reply_header(&c, name);
    assert_int_equal(ts_str_is_none(found), value == NULL);
    if (value)
        assert_true(ts_str_eq(found, ts_str_from(value)));
}

/* `method path` with these header lines; a fresh connection each time. Whatever the answer is, it has what a browser has to be told. */
static int ask(const char *method_path, const char *headers)
{
    ts_test_close(&c);
    ts_test_connect(&c, ts.port);
    ts_test_printf(&c, "%s HTTP/1.1\r\n%s\r\n", method_path, headers);
    int status = ts_test_reply(&c);
    assert_header("X-Content-Type-Options", "nosniff");
    assert_header("X-Frame-Options", "DENY");
    assert_header("Referrer-Policy", "no-referrer");
    assert_header("Server", NULL);
    return status;
}

static void assert_error(const char *text)
{
    char start_of_body[128];
    int len = snprintf(start_of_body, sizeof(start_of_body), "{\"error\":\"%s\"", text);
    assert_true(ts_str_starts_with(c.body, (ts_str){start_of_body, (size_t)len}));
}

static void test_rebound_name_is_misdirected_before_anything_else(void **state)
{
    (void)state;
    static const char *const foreign[] = {
        "evil.example",
        "evil.example:4005",
        "localhost.evil.example",
        "localhost:80@evil.example",
        "localhost:",
        "[::1",
        "127.0.0.1.evil.example",
        "",
        "localhost.",
        "192.0.2.1",
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(foreign); i++) {
        char header[128];
        snprintf(header, sizeof(header), "Host: %s\r\n", foreign[i]);
        bool empty_port = strcmp(foreign[i], "localhost:") == 0; /* RFC 3986 lets the port be empty */
        assert_int_equal(ask("GET /signals", header), empty_port ? 200 : 421);
        if (!empty_port)
            assert_error("Misdirected request");
        assert_int_equal(ask("GET /nothing", header), empty_port ? 404 : 421);
        assert_int_equal(ask("GET /health", header), empty_port ? 200 : 421);
        assert_int_equal(ask("GET /health/live", header), 200);
    }
    ts_test_send_text(&c, "GET /signals HTTP/1.0\r\n\r\n"); /* HTTP/1.0 may leave it out, but not here */
    assert_int_equal(ts_test_reply(&c), 421);
    assert_int_equal(ask("DELETE /signals", "Host: evil.example\r\nAuthorization: Bearer " TOKEN "\r\n"),
                     421);
    assert_int_equal(changes, 0);
}

static void test_own_names_with_any_port_and_case_are_served(void **state)
{
    (void)state;
    static const char *const own[] = {"localhost", "LOCALHOST:4005", "127.0.0.1:1", "[::1]:4005", "[::1]"};
    for (size_t i = 0; i < TS_ARRAY_LEN(own); i++) {
        char header[64];
        snprintf(header, sizeof(header), "Host: %s\r\n", own[i]);
        assert_int_equal(ask("GET /signals", header), 200);
    }
}

static void test_hostile_page_reads_nothing_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const hostile[] = {"http://evil.example", "null", "http://localhost:3103.evil.example",
                                          "https://localhost:3103", "http://localhost:31030"};
    for (size_t i = 0; i < TS_ARRAY_LEN(hostile); i++) {
        char headers[256];
        snprintf(headers, sizeof(headers), LOCAL "Origin: %s\r\n", hostile[i]);
        assert_int_equal(ask("GET /signals", headers), 200);
        assert_header("Access-Control-Allow-Origin", NULL);
        assert_header("Vary", "Origin");
        assert_int_equal(ask("DELETE /signals", headers), 403);
        assert_error("Origin not allowed");
        snprintf(headers, sizeof(headers), LOCAL "Origin: %s\r\nAuthorization: Bearer " TOKEN "\r\n",
                 hostile[i]);
        assert_int_equal(ask("DELETE /signals", headers), 403);
        snprintf(headers, sizeof(headers), LOCAL "Origin: %s\r\nAccess-Control-Request-Method: DELETE\r\n",
                 hostile[i]);
        assert_int_equal(ask("OPTIONS /signals", headers), 204);
        assert_header("Access-Control-Allow-Origin", NULL);
        assert_header("Access-Control-Allow-Methods", NULL);
    }
    assert_int_equal(changes, 0);
}

static void test_own_page_gets_preflight_and_cors_headers(void **state)
{
    (void)state;
    assert_int_equal(ask("OPTIONS /signals",
                         LOCAL "Origin: http://localhost:3103\r\nAccess-Control-Request-Method: DELETE\r\n"),
                     204);
    assert_header("Access-Control-Allow-Origin", "http://localhost:3103");
    assert_header("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
    assert_header("Access-Control-Allow-Headers", "Content-Type, X-Gateway-Token");
    assert_header("Access-Control-Allow-Credentials", "true");
    assert_header("Vary", "Origin");
    assert_header("Content-Length", NULL);
    assert_int_equal(ask("GET /signals", LOCAL "Origin: http://localhost:3103\r\n"), 200);
    assert_header("Access-Control-Allow-Origin", "http://localhost:3103");
    assert_int_equal(ask("GET /nothing", LOCAL "Origin: http://localhost:3103\r\n"), 404);
    assert_header("Access-Control-Allow-Origin", "http://localhost:3103");
    assert_int_equal(ask("OPTIONS /signals", LOCAL), 405);
}

static void test_preflight_of_every_method_is_answered_for_our_pages_alone(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    static const char *const paths[] = {"OPTIONS /signals", "OPTIONS /ingest", "OPTIONS /nothing/here"};
    char headers[256];
    for (size_t i = 0; i < TS_ARRAY_LEN(methods); i++)
        for (size_t j = 0; j < TS_ARRAY_LEN(paths); j++) {
            snprintf(headers, sizeof(headers),
                     LOCAL "Origin: http://localhost:3103\r\nAccess-Control-Request-Method: %s\r\n",
                     methods[i]);
            assert_int_equal(ask(paths[j], headers), 204);
            assert_header("Access-Control-Allow-Origin", "http://localhost:3103");
            assert_header("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
            snprintf(headers, sizeof(headers),
                     LOCAL "Origin: http://evil.example\r\nAccess-Control-Request-Method: %s\r\n",
                     methods[i]);
            assert_int_equal(ask(paths[j], headers), 204);
            assert_header("Access-Control-Allow-Origin", NULL);
            assert_header("Access-Control-Allow-Methods", NULL);
        }
    assert_int_equal(changes, 0);
}

static void test_mutation_needs_the_admin_token_once_it_is_set(void **state)
{
    (void)state;
    assert_int_equal(ask("DELETE /signals", LOCAL), 401);
    assert_error("Unauthorized");
    assert_header("WWW-Authenticate", "Bearer");
    assert_int_equal(ask("DELETE /signals", LOCAL "Authorization: Bearer wrong\r\n"), 401);
    assert_int_equal(ask("DELETE /signals", LOCAL "Authorization: Basic " TOKEN "\r\n"), 401);
    assert_int_equal(ask("DELETE /signals", LOCAL "Authorization: Bearer\r\n"), 401);
    assert_int_equal(changes, 0);
    assert_int_equal(ask("DELETE /signals", LOCAL "Authorization: Bearer " TOKEN "\r\n"), 200);
    assert_int_equal(ask("DELETE /signals", LOCAL "authorization: bearer " PREVIOUS "\r\n"), 200);
    assert_int_equal(changes, 2);
    assert_int_equal(ask("POST /parse", LOCAL "Content-Length: 0\r\n"), 200);
    assert_int_equal(ask("PUT /ingest", LOCAL), 405);
    assert_header("Allow", "POST");
}

static void test_mutation_is_free_while_no_token_is_set(void **state)
{
    (void)state;
    assert_int_equal(ask("DELETE /signals", LOCAL), 200);
    assert_int_equal(changes, 1);
}

static void test_own_auth_route_checks_its_token_before_the_origin(void **state)
{
    (void)state;
    const char *stranger = LOCAL "Origin: http://evil.example\r\nContent-Length: 0\r\n";
    assert_int_equal(ask("POST /ingest", stranger), 401);
    assert_int_equal(ask("POST /ingest", LOCAL
                         "Origin: http://evil.example\r\nX-Gateway-Token: right\r\nContent-Length: 0\r\n"),
                     403);
    assert_int_equal(changes, 0);
    assert_int_equal(ask("POST /ingest", LOCAL "X-Gateway-Token: right\r\nContent-Length: 0\r\n"), 200);
    assert_int_equal(changes, 1);
}

static void test_disabled_cors_sends_no_headers_but_still_refuses_foreign_mutations(void **state)
{
    (void)state;
    assert_int_equal(ask("GET /signals", LOCAL "Origin: http://localhost:3103\r\n"), 200);
    assert_header("Access-Control-Allow-Origin", NULL);
    assert_header("Vary", NULL);
    assert_int_equal(ask("DELETE /signals", LOCAL "Origin: http://evil.example\r\n"), 403);
    assert_int_equal(changes, 0);
}

static void test_rate_limit_counts_by_address_and_spares_health_and_proven_callers(void **state)
{
    (void)state;
    const char *other = LOCAL "X-Forwarded-For: 203.0.113.7\r\n";
    for (int left = 2; left >= 0; left--) {
        assert_int_equal(ask("GET /signals", LOCAL), 200);
        assert_header("RateLimit-Limit", "3");
        assert_int_equal(ts_test_reply_header(&c, "RateLimit-Remaining").ptr[0], '0' + left);
    }
    assert_int_equal(ask("GET /signals", LOCAL), 429);
    assert_error("Too many requests");
    assert_false(ts_str_is_none(ts_test_reply_header(&c, "Retry-After")));
    assert_header("RateLimit-Remaining", "0");
    assert_int_equal(ask("GET /nothing", LOCAL), 429);
    assert_int_equal(ask("GET /health", LOCAL), 200);
    assert_header("RateLimit-Limit", NULL);
    assert_int_equal(ask("POST /ingest", LOCAL "X-Gateway-Token: right\r\nContent-Length: 0\r\n"), 200);
    assert_int_equal(ask("POST /ingest", LOCAL "X-Gateway-Token: wrong\r\nContent-Length: 0\r\n"), 429);
    assert_int_equal(ask("GET /signals", other), 200);
}

static void test_beyond_loopback_only_public_paths_answer(void **state)
{
    (void)state;
    const char *stranger = LOCAL "X-Forwarded-For: 172.17.0.2\r\n";
    assert_int_equal(ask("GET /signals", LOCAL), 200);
    assert_int_equal(ask("GET /signals", stranger), 403);
    assert_int_equal(ask("POST /ingest", LOCAL
                         "X-Forwarded-For: 172.17.0.2\r\nX-Gateway-Token: right\r\nContent-Length: 0\r\n"),
                     403);
    assert_int_equal(ask("GET /health", stranger), 200);
    assert_int_equal(ask("GET /health/live", stranger), 200);
    assert_int_equal(changes, 0);
}

static int count(const char *text, const char *needle)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, needle)); p++)
        n++;
    return n;
}

static void test_tenth_failure_of_an_address_is_one_alarm_and_tokens_never_reach_the_log(void **state)
{
    (void)state;
    char path[] = "/tmp/ts-guard-log-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    ts_log_set_fd(fd);
    for (int i = 0; i < 9; i++)
        assert_int_equal(ask("DELETE /signals", LOCAL "Authorization: Bearer guessed-token\r\n"), 401);
    assert_int_equal(ask("DELETE /signals", LOCAL "X-Forwarded-For: 203.0.113.7\r\n"), 401);
    static char text[65536];
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    assert_true(len > 0);
    assert_int_equal(count(text, "SECURITY"), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask("DELETE /signals", LOCAL), 401);
    len = pread(fd, text, sizeof(text) - 1, 0);
    text[len] = '\0';
    ts_log_set_fd(STDOUT_FILENO);
    close(fd);
    assert_int_equal(count(text, "SECURITY: Multiple failed auth attempts from IP 127.0.0.1\""), 1);
    assert_int_equal(count(text, "\"msg\":\"Unauthorized\",\"ip\":\"127.0.0.1\""), 14);
    assert_int_equal(count(text, "guessed"), 0);
    char fingerprint[TS_FINGERPRINT_SIZE];
    ts_fingerprint(TS_STR("guessed-token"), fingerprint);
    assert_int_equal(count(text, fingerprint), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)
        T(test_rebound_name_is_misdirected_before_anything_else, setup),
        T(test_own_names_with_any_port_and_case_are_served, setup),
        T(test_hostile_page_reads_nothing_and_changes_nothing, setup),
        T(test_own_page_gets_preflight_and_cors_headers, setup),
        T(test_preflight_of_every_method_is_answered_for_our_pages_alone, setup),
        T(test_mutation_needs_the_admin_token_once_it_is_set, setup),
        T(test_mutation_is_free_while_no_token_is_set, setup_without_token),
        T(test_own_auth_route_checks_its_token_before_the_origin, setup),
        T(test_disabled_cors_sends_no_headers_but_still_refuses_foreign_mutations, setup_without_cors),
        T(test_rate_limit_counts_by_address_and_spares_health_and_proven_callers, setup_with_rate),
        T(test_beyond_loopback_only_public_paths_answer, setup_public),
        T(test_tenth_failure_of_an_address_is_one_alarm_and_tokens_never_reach_the_log, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
