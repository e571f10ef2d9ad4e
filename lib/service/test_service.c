/*
 * The service layer, seen from outside: this program starts itself again as a small service and talks to it as a user would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "base/error.h"
#include "service/service.h"
#include "testing/http.h"
#include "testing/process.h"

/* --- The service under test: one parked request at a time, and a stop that can be told to hang --- */

/* This program, started with AS_SERVICE in its environment, is the service. */
#define AS_SERVICE "TS_TEST_AS_SERVICE"
#define BE_SERVICE "TS_TEST_AS_SERVICE=1"

struct config {
    struct ts_service_config common;
    struct ts_secret api_key;
    bool hang;
    bool fail_start;
};

static const struct ts_config_field fields[] = {
    TS_SERVICE_CONFIG_FIELDS(struct config, common, "SAMPLE_PORT", "PORT", "0"),
    {.name = "API_KEY",
     .type = TS_CONFIG_SECRET,
     .offset = offsetof(struct config, api_key),
     .required = true,
     .min = 8,
     .max = 64,
     .help = "A secret"},
    {.name = "HANG", .type = TS_CONFIG_BOOL, .offset = offsetof(struct config, hang), .help = "Never stop"},
    {.name = "FAIL_START",
     .type = TS_CONFIG_BOOL,
     .offset = offsetof(struct config, fail_start),
     .help = "Refuse to start"},
};

static void get_health(struct ts_http_request *req, void *ctx)
{
    const bool stopping = ts_service_is_stopping(ctx);

    ts_http_reply(req, &(struct ts_http_response){.status = stopping ? 503 : 200,
                                                  .body = stopping ? TS_STR("{\"status\":\"error\"}")
                                                                   : TS_STR("{\"status\":\"ok\"}")});
}

struct later {
    uv_timer_t timer;
    struct ts_http_server *server;
    ts_http_ticket ticket;
};

static void answer_later(uv_timer_t *timer)
{
    struct later *later = timer->data;

    ts_http_answer(later->server, later->ticket,
                   &(struct ts_http_response){.body = TS_STR("{\"late\":true}")});
    uv_close((uv_handle_t *)timer, NULL);
}

/* Answered 300 ms later, so that a stop finds it in flight. */
static void get_slow(struct ts_http_request *req, void *ctx)
{
    struct ts_service *service = ctx;
    static struct later later;

    later = (struct later){.server = service->server, .ticket = ts_http_park(req)};
    uv_timer_init(service->loop, &later.timer);
    later.timer.data = &later;
    uv_timer_start(&later.timer, answer_later, 300, 0);
}

static void post_change(struct ts_http_request *req, void *ctx TS_UNUSED)
{
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("{}")});
}

static const struct ts_http_route routes[] = {
    {"GET", "/health", get_health, .flags = TS_ROUTE_UNLIMITED},
    {"GET", "/slow", get_slow, .flags = 0},
    {"POST", "/change", post_change, .flags = 0},
};

static int start(struct ts_service *service)
{
    const struct config *config = service->config;

    return config->fail_start ? TS_E_DB_SCHEMA : 0;
}

static void stop(struct ts_service *service)
{
    const struct config *config = service->config;

    if (!config->hang)
        ts_service_stopped(service);
}

static int greet(struct ts_service *service TS_UNUSED, int argc, char **argv)
{
    printf("hello %s\n", argc > 1 ? argv[1] : "nobody");
    return 7;
}

static const struct ts_service_verb verbs[] = {{"greet", "Says hello", greet}};

static const struct ts_service_def def = {
    .name = "sample",
    .version = "1.2.3",
    .commit = "abcdef0",
    .summary = "a service for tests",
    .fields = fields,
    .n_fields = TS_ARRAY_LEN(fields),
    .config_size = sizeof(struct config),
    .common_offset = offsetof(struct config, common),
    .routes = routes,
    .n_routes = TS_ARRAY_LEN(routes),
    .request_histogram = "sample_http_request_duration_seconds",
    .verbs = verbs,
    .n_verbs = TS_ARRAY_LEN(verbs),
    .stop_timeout_us = 2 * INT64_C(1000000),
    .start = start,
    .stop = stop,
};

/* With the environment's FAREWELL the same service says goodbye for that many seconds. */
static int serve(int argc, char **argv)
{
    struct ts_service_def own = def;
    const char *farewell = getenv("FAREWELL");

    own.farewell_us = farewell ? atol(farewell) * INT64_C(1000000) : 0;
    return ts_service_main(&own, argc, argv);
}

/* --- Harness --- */

static const char *self;

/* Runs `sample ARG…` to its end and returns the exit code; its output, to be freed, in *ret_text. */
static int run_once(const char *arg, const char *arg2, const char *const *env, char **ret_text)
{
    char output[TS_TEST_PATH_SIZE];
    const char *argv[] = {self, arg, arg2, NULL};
    const char *all[8] = {BE_SERVICE};
    size_t n = 1;

    for (; env && env[n - 1]; n++)
        all[n] = env[n - 1];
    int code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = all}, output);
    *ret_text = ts_test_read_file(output);
    return code;
}

struct running {
    struct ts_test_process process;
    int port;
    char url[64];
};

static void launch_with(struct running *r, const char *extra, const char *extra2)
{
    char port[32];
    const char *argv[] = {self, NULL};

    *r = (struct running){.port = ts_test_free_port()};
    snprintf(port, sizeof(port), "SAMPLE_PORT=%d", r->port);
    snprintf(r->url, sizeof(r->url), "http://127.0.0.1:%d", r->port);
    const char *env[] = {BE_SERVICE, "API_KEY=correct-horse", port, extra, extra2, NULL};
    ts_test_start(&r->process, &(struct ts_test_spawn){.argv = argv, .env = env});
    assert_true(ts_test_wait_port(r->port, 10000));
}

static void launch(struct running *r, const char *extra)
{
    launch_with(r, extra, NULL);
}

static const char *at(const struct running *r, const char *path)
{
    static char url[128];

    snprintf(url, sizeof(url), "%s%s", r->url, path);
    return url;
}

/* --- Command line --- */

static void test_help_when_asked_then_lists_every_variable_and_verb(void **state TS_UNUSED)
{
    char *text;

    assert_int_equal(run_once("--help", NULL, NULL, &text), 0);
    for (size_t i = 0; i < TS_ARRAY_LEN(fields); i++)
        assert_non_null(strstr(text, fields[i].name));
    assert_non_null(strstr(text, "greet"));
    free(text);
}

static void test_version_when_asked_then_names_commit(void **state TS_UNUSED)
{
    char *text;

    assert_int_equal(run_once("--version", NULL, NULL, &text), 0);
    assert_string_equal(text, "sample 1.2.3 (abcdef0)\n");
    free(text);
}

static void test_check_config_when_several_are_wrong_then_reports_all_at_once(void **state TS_UNUSED)
{
    char *text;
    const char *env[] = {"SAMPLE_PORT=http", "LOG_LEVEL=loud", "BIND_ADDRESS=localhost", NULL};

    assert_int_equal(run_once("--check-config", NULL, env, &text), 1);
    assert_non_null(strstr(text, "FATAL: SAMPLE_PORT is invalid"));
    assert_non_null(strstr(text, "FATAL: LOG_LEVEL is invalid"));
    assert_non_null(strstr(text, "FATAL: BIND_ADDRESS is invalid"));
    assert_non_null(strstr(text, "FATAL: API_KEY is required"));
    free(text);
}

static void test_start_when_required_secret_is_missing_then_fatal_and_exit_1(void **state TS_UNUSED)
{
    char *text;

    assert_int_equal(run_once(NULL, NULL, NULL, &text), 1);
    assert_string_equal(text, "FATAL: API_KEY is required\n");
    free(text);
}

static void test_start_when_beyond_loopback_without_admin_token_then_refuses(void **state TS_UNUSED)
{
    char *text;
    const char *open[] = {"API_KEY=correct-horse", "BIND_ADDRESS=127.0.0.1,0.0.0.0", NULL};
    const char *proxied[] = {"API_KEY=correct-horse", "BIND_ADDRESS=0.0.0.0", "BEHIND_PROXY=true", NULL};

    assert_int_equal(run_once("--check-config", NULL, open, &text), 1);
    assert_non_null(strstr(text, "FATAL: ADMIN_TOKEN is required"));
    free(text);
    assert_int_equal(run_once("--check-config", NULL, proxied, &text), 0);
    free(text);
}

static void test_verb_when_named_then_runs_with_its_arguments(void **state TS_UNUSED)
{
    char *text;
    const char *env[] = {"API_KEY=correct-horse", NULL};

    assert_int_equal(run_once("greet", "world", env, &text), 7);
    assert_string_equal(text, "hello world\n");
    free(text);
    assert_int_equal(run_once("greeet", NULL, env, &text), 64);
    free(text);
}

/* --- Routes --- */

static void test_standard_routes_when_running_then_answer(void **state TS_UNUSED)
{
    struct running r;
    struct ts_test_reply reply = {0};

    launch(&r, NULL);
    assert_int_equal(ts_test_get(at(&r, "/health/live"), &reply), 200);
    assert_int_equal(ts_test_get(at(&r, "/health"), &reply), 200);
    assert_int_equal(ts_test_get(at(&r, "/nowhere"), &reply), 404);
    assert_int_equal(ts_test_get(at(&r, "/openapi.json"), &reply), 404); /* this one has none */
    assert_int_equal(ts_test_get(at(&r, "/metrics"), &reply), 200);
    assert_non_null(strstr(reply.body, "process_resident_memory_bytes "));
    assert_non_null(strstr(reply.body,
                           "sample_http_request_duration_seconds_count{method=\"GET\",route=\"/health\","
                           "status_code=\"200\"} 1"));
    assert_non_null(strstr(reply.body, "route=\"unmatched\",status_code=\"404\"} 2"));
    ts_test_reply_done(&reply);
    ts_test_end(&r.process, SIGTERM);
}

static void test_mutation_when_admin_token_is_set_then_needs_it(void **state TS_UNUSED)
{
    struct running r;
    struct ts_test_reply reply = {0};

    launch(&r, "ADMIN_TOKEN=0123456789abcdef0123456789abcdef");
    assert_int_equal(ts_test_post_json(at(&r, "/change"), NULL, "{}", &reply), 401);
    assert_int_equal(ts_test_post_json(at(&r, "/change"),
                                       "Authorization: Bearer 0123456789abcdef0123456789abcdeX", "{}",
                                       &reply),
                     401);
    assert_int_equal(ts_test_post_json(at(&r, "/change"),
                                       "Authorization: Bearer 0123456789abcdef0123456789abcdef", "{}",
                                       &reply),
                     200);
    ts_test_reply_done(&reply);
    ts_test_end(&r.process, SIGTERM);
}

static void test_health_check_when_running_then_0_and_when_not_then_1(void **state TS_UNUSED)
{
    struct running r;
    char port[32], *text;
    const char *env[] = {"API_KEY=correct-horse", port, NULL};

    launch(&r, NULL);
    snprintf(port, sizeof(port), "SAMPLE_PORT=%d", r.port);
    assert_int_equal(run_once("--health-check", NULL, env, &text), 0);
    free(text);
    ts_test_end(&r.process, SIGTERM);
    assert_int_equal(run_once("--health-check", NULL, env, &text), 1);
    assert_non_null(strstr(text, "unhealthy: "));
    free(text);
}

/* --- Start and stop --- */

static void test_start_when_program_refuses_then_exit_1(void **state TS_UNUSED)
{
    char *text;
    const char *env[] = {"API_KEY=correct-horse", "FAIL_START=true", NULL};

    assert_int_equal(run_once(NULL, NULL, env, &text), 1);
    assert_non_null(strstr(text, "Cannot start"));
    free(text);
}

static void test_start_when_port_is_taken_then_exit_1(void **state TS_UNUSED)
{
    struct running r;
    char port[32], *text;
    const char *env[] = {"API_KEY=correct-horse", port, NULL};

    launch(&r, NULL);
    snprintf(port, sizeof(port), "SAMPLE_PORT=%d", r.port);
    assert_int_equal(run_once(NULL, NULL, env, &text), 1);
    assert_non_null(strstr(text, "Cannot listen"));
    free(text);
    ts_test_end(&r.process, SIGTERM);
}

/* A client in a child process: exit 0 when the slow request was answered 200. */
static pid_t ask_slowly(const struct running *r)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct ts_test_reply reply = {0};
        _exit(ts_test_get(at(r, "/slow"), &reply) == 200 ? 0 : 1);
    }
    return pid;
}

static void test_sigterm_when_a_request_is_in_flight_then_answers_it_and_exits_0(void **state TS_UNUSED)
{
    struct running r;
    int status = -1;

    launch(&r, NULL);
    pid_t client = ask_slowly(&r);
    ts_test_sleep_ms(100);
    ts_test_signal(&r.process, SIGTERM);
    assert_int_equal(waitpid(client, &status, 0), client);
    assert_int_equal(status, 0);
    assert_true(ts_test_wait_exit(&r.process, 5000));
    assert_true(WIFEXITED(r.process.status));
    assert_int_equal(WEXITSTATUS(r.process.status), 0);
}

static void test_sigterm_when_stop_hangs_then_forced_after_timeout_with_exit_1(void **state TS_UNUSED)
{
    struct running r;

    launch(&r, "HANG=true");
    ts_test_signal(&r.process, SIGTERM);
    assert_true(ts_test_wait_exit(&r.process, 8000));
    assert_int_equal(WEXITSTATUS(r.process.status), 1);
    char *text = ts_test_read_file(r.process.output);
    assert_non_null(strstr(text, "Force shutdown after timeout"));
    free(text);
}

static void test_second_signal_when_stopping_then_leaves_at_once_with_exit_1(void **state TS_UNUSED)
{
    struct running r;

    launch(&r, "HANG=true");
    ts_test_signal(&r.process, SIGTERM);
    ts_test_sleep_ms(200);
    ts_test_signal(&r.process, SIGINT);
    assert_true(ts_test_wait_exit(&r.process, 8000));
    assert_int_equal(WEXITSTATUS(r.process.status), 1);
    char *text = ts_test_read_file(r.process.output);
    assert_null(strstr(text, "Force shutdown after timeout"));
    free(text);
}

static void assert_says_goodbye(const struct running *r)
{
    struct ts_test_reply reply = {0};
    char value[16];

    assert_int_equal(ts_test_get(at(r, "/health"), &reply),
                     503); /* on a new connection, as every call here */
    assert_true(ts_test_header(&reply, "Connection", value, sizeof(value)));
    assert_string_equal(value, "close");
    assert_int_equal(ts_test_get(at(r, "/slow"), &reply), 200);
    assert_int_equal(ts_test_get(at(r, "/health/live"), &reply), 200);
    ts_test_reply_done(&reply);
}

static void assert_left_with(struct running *r, int code)
{
    assert_true(ts_test_wait_exit(&r->process, 8000));
    assert_true(WIFEXITED(r->process.status));
    assert_int_equal(WEXITSTATUS(r->process.status), code);
}

static void test_farewell_when_behind_a_proxy_then_serves_to_its_end_and_health_is_503(void **state TS_UNUSED)
{
    struct running r;

    launch_with(&r, "FAREWELL=3", "TRUSTED_PROXIES=127.0.0.0/8");
    const int64_t begin_ms = ts_test_now_ms();
    ts_test_signal(&r.process, SIGTERM);
    assert_true(ts_test_wait_status(at(&r, "/health"), 503, 2000));
    assert_says_goodbye(&r);
    assert_left_with(&r, 0);
    assert_true(ts_test_now_ms() - begin_ms >= 3000);
}

/* Without a proxy: as long as a client may come again on its connection, and no longer. */
static void test_farewell_when_the_last_connection_goes_then_it_is_over(void **state TS_UNUSED)
{
    struct running r;

    launch_with(&r, "FAREWELL=600", NULL);
    pid_t client = ask_slowly(&r);
    ts_test_sleep_ms(100);
    ts_test_signal(&r.process, SIGTERM);
    assert_left_with(&r, 0);
    assert_int_equal(waitpid(client, NULL, 0), client);
}

static void test_farewell_when_a_second_signal_comes_then_leaves_at_once_with_exit_1(void **state TS_UNUSED)
{
    struct running r;

    launch_with(&r, "FAREWELL=600", "BEHIND_PROXY=true");
    ts_test_signal(&r.process, SIGTERM);
    assert_true(ts_test_wait_status(at(&r, "/health"), 503, 5000));
    ts_test_signal(&r.process, SIGTERM);
    assert_left_with(&r, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_when_asked_then_lists_every_variable_and_verb),
        cmocka_unit_test(test_version_when_asked_then_names_commit),
        cmocka_unit_test(test_check_config_when_several_are_wrong_then_reports_all_at_once),
        cmocka_unit_test(test_start_when_required_secret_is_missing_then_fatal_and_exit_1),
        cmocka_unit_test(test_start_when_beyond_loopback_without_admin_token_then_refuses),
        cmocka_unit_test(test_verb_when_named_then_runs_with_its_arguments),
        cmocka_unit_test(test_standard_routes_when_running_then_answer),
        cmocka_unit_test(test_mutation_when_admin_token_is_set_then_needs_it),
        cmocka_unit_test(test_health_check_when_running_then_0_and_when_not_then_1),
        cmocka_unit_test(test_start_when_program_refuses_then_exit_1),
        cmocka_unit_test(test_start_when_port_is_taken_then_exit_1),
        cmocka_unit_test(test_sigterm_when_a_request_is_in_flight_then_answers_it_and_exits_0),
        cmocka_unit_test(test_sigterm_when_stop_hangs_then_forced_after_timeout_with_exit_1),
        cmocka_unit_test(test_second_signal_when_stopping_then_leaves_at_once_with_exit_1),
        cmocka_unit_test(test_farewell_when_behind_a_proxy_then_serves_to_its_end_and_health_is_503),
        cmocka_unit_test(test_farewell_when_the_last_connection_goes_then_it_is_over),
        cmocka_unit_test(test_farewell_when_a_second_signal_comes_then_leaves_at_once_with_exit_1),
    };

    if (getenv(AS_SERVICE))
        return serve(argc, argv);
    self = realpath("/proc/self/exe", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
