/*
 * From a file of messages through the gateway to the rows of the API, with what goes wrong on the way: the API away, the gateway killed, a wrong token, a
 * full disk. At the end every message is one row, whatever happened.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/json.h"
#include "testing/http.h"
#include "testing/process.h"

#define TOKEN "e2e-token-0123456789abcdef0123456789"
#define WRONG "e2e-wrong-0123456789abcdef0123456789"

enum { CHANNELS = 5, PATIENCE_MS = 60000, MAX_ENV = 24, TEXT_BYTES = 512 };

struct fixture {
    char dir[TS_TEST_PATH_SIZE], outbox_dir[TS_TEST_PATH_SIZE], messages[TS_TEST_PATH_SIZE];
    int api_port, gateway_port;
    struct ts_test_process api, gateway;
    char api_url[64], health_url[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ts_test_dir_make(f->dir);
    strcpy(f->outbox_dir, f->dir);
    ts_test_path(f->dir, "messages.jsonl", f->messages);
    f->api_port = ts_test_free_port();
    f->gateway_port = ts_test_free_port();
    snprintf(f->api_url, sizeof f->api_url, "http://127.0.0.1:%d", f->api_port);
    snprintf(f->health_url, sizeof f->health_url, "http://127.0.0.1:%d/health", f->gateway_port);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ts_test_end(&f->gateway, SIGTERM);
    ts_test_end(&f->api, SIGTERM);
    if (strcmp(f->outbox_dir, f->dir) != 0)
        umount(f->outbox_dir);
    ts_test_dir_remove(f->dir);
    free(f);
    return 0;
}

static void write_messages(const struct fixture *f, int n, int text_bytes)
{
    FILE *file = fopen(f->messages, "w");
    assert_non_null(file);
    for (int i = 0; i < n; i++)
        fprintf(file,
                "{\"channelId\":\"-100123456789%d\",\"messageId\":%d,\"text\":\"COMPRA ITUB4\\nEntrada: R$ "
                "31,40\\nStop: "
                "30,55 n%d %*s\",\"timestamp\":\"2026-11-23T13:00:00Z\"}\n",
                i % CHANNELS, i / CHANNELS + 1, i, text_bytes, "");
    assert_int_equal(fclose(file), 0);
}

/* --- the programs --- */

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *fmt, ...)
{
    char *text;
    va_list args;
    va_start(args, fmt);
    assert_true(vasprintf(&text, fmt, args) >= 0);
    va_end(args);
    return text;
}

static void start_program(struct ts_test_process *process, const char *name, char **env, size_t n)
{
    env[n] = NULL;
    ts_test_start_program(process, name, (const char *const *)env);
    for (size_t i = 0; i < n; i++)
        free(env[i]);
}

static void start_api(struct fixture *f)
{
    char *env[MAX_ENV];
    size_t n = 0;
    env[n++] = format("GATEWAY_SECRET_TOKEN=%s", TOKEN);
    env[n++] = format("TP_CAPITAL_PORT=%d", f->api_port);
    env[n++] = format("DATA_DIR=%s", f->dir);
    env[n++] = format("RATE_LIMIT_MAX=1000000"); /* the test asks often */
    env[n++] = format("LOG_LEVEL=warn");
    start_program(&f->api, "tp-capital-api", env, n);
}

static void start_gateway(struct fixture *f, const char *token, int speed)
{
    char *env[MAX_ENV];
    size_t n = 0;
    env[n++] = format("API_SECRET_TOKEN=%s", token);
    env[n++] = format("API_ENDPOINT=%s/ingest", f->api_url);
    env[n++] = format("GATEWAY_PORT=%d", f->gateway_port);
    env[n++] = format("OUTBOX_PATH=%s/outbox.db", f->outbox_dir);
    env[n++] = format("DATA_DIR=%s", f->dir);
    env[n++] = format("GATEWAY_TRANSPORT=replay");
    env[n++] = format("REPLAY_FILE=%s", f->messages);
    env[n++] = format("REPLAY_SPEED=%d", speed);
    env[n++] = format("RETRY_DELAY_MS=50");
    env[n++] = format("REPLAY_INTERVAL_MS=500");
    env[n++] = format("LOG_LEVEL=warn");
    start_program(&f->gateway, "tp-capital-gateway", env, n);
    assert_true(ts_test_wait_port(f->gateway_port, PATIENCE_MS));
}

/* --- looking --- */

static json_t *get_json(const char *url, long *ret_status)
{
    _cleanup_(ts_test_reply_done) struct ts_test_reply reply = {0};
    json_t *json = NULL;
    *ret_status = ts_test_get(url, &reply);
    if (*ret_status != 0)
        assert_int_equal(ts_json_parse_object((ts_str){reply.body, reply.body_len}, 16, &json), 0);
    return json;
}

static int64_t stored(const struct fixture *f)
{
    char url[128];
    long status;
    snprintf(url, sizeof url, "%s/signals?count=true&limit=1", f->api_url);
    _cleanup_(ts_json_freep) json_t *json = get_json(url, &status);
    return status == 200 ? json_integer_value(json_object_get(json, "total")) : -1;
}

struct health {
    long status;
    int64_t pending, failed;
    char error[256];
};

static struct health health(const struct fixture *f)
{
    struct health h = {0};
    _cleanup_(ts_json_freep) json_t *json = get_json(f->health_url, &h.status);
    h.pending = json_integer_value(json_object_get(json, "pending"));
    h.failed = json_integer_value(json_object_get(json, "failed"));
    snprintf(h.error, sizeof h.error, "%.*s", TS_STR_ARG(ts_json_get_str(json, "error")));
    return h;
}

static bool wait_for(const struct fixture *f, bool (*condition)(const struct fixture *f, int64_t n),
                     int64_t n)
{
    for (int64_t end = ts_test_now_ms() + PATIENCE_MS; ts_test_now_ms() < end; ts_test_sleep_ms(20)) {
        if (condition(f, n))
            return true;
    }
    struct health h = health(f);
    print_message("gave up: %lld rows, health %ld %s, %lld pending, %lld failed\n", (long long)stored(f),
                  h.status, h.error, (long long)h.pending, (long long)h.failed);
    return false;
}

static bool all_stored(const struct fixture *f, int64_t n)
{
    return stored(f) >= n;
}

static bool some_pending(const struct fixture *f, int64_t n)
{
    return health(f).pending >= n;
}

static bool some_failed(const struct fixture *f, int64_t n)
{
    return health(f).failed >= n;
}

static bool is_drained(const struct fixture *f, int64_t n)
{
    struct health h = health(f);
    return h.status == 200 && h.pending == n;
}

static void assert_each_once(const struct fixture *f, int64_t n)
{
    assert_true(wait_for(f, all_stored, n));
    assert_true(wait_for(f, is_drained, 0));
    assert_int_equal(stored(f), n);
}

/* --- tests --- */

static void test_replayed_then_every_message_is_one_row(void **state)
{
    struct fixture *f = *state;
    write_messages(f, 2000, 0);
    start_api(f);
    start_gateway(f, TOKEN, 0);
    assert_each_once(f, 2000);
    ts_test_signal(&f->gateway, SIGTERM);
    assert_true(ts_test_wait_exit(&f->gateway, PATIENCE_MS));
    assert_int_equal(f->gateway.status, 0);
    start_gateway(f, TOKEN, 0); /* the same file again */
    assert_each_once(f, 2000);
}

static void test_api_away_then_everything_is_kept_and_stored_when_it_is_back(void **state)
{
    struct fixture *f = *state;
    write_messages(f, 300, 0);
    start_gateway(f, TOKEN, 0);
    assert_true(wait_for(f, some_pending, 300));
    assert_true(wait_for(f, some_failed, 1));
    assert_int_equal(health(f).status, 200);
    start_api(f);
    assert_each_once(f, 300);
}

static void test_gateway_and_api_killed_again_and_again_then_every_message_is_one_row(void **state)
{
    struct fixture *f = *state;
    write_messages(f, 2000, 0);
    start_api(f);
    for (int round = 0; round < 6; round++) {
        start_gateway(f, TOKEN, 4000);
        ts_test_sleep_ms(60 + 70 * round);
        if (round % 3 == 1)
            ts_test_end(&f->api, SIGKILL);
        ts_test_end(&f->gateway, SIGKILL);
        if (round % 3 == 1)
            start_api(f);
    }
    start_gateway(f, TOKEN, 0);
    assert_each_once(f, 2000);
}

static int run_verb(struct fixture *f, const char *const *words, char output[TS_TEST_PATH_SIZE])
{
    char program[TS_TEST_PATH_SIZE], outbox[TS_TEST_PATH_SIZE + 32], port[32], endpoint[128];
    const char *argv[8] = {ts_test_program("tp-capital-gateway", program)};
    snprintf(outbox, sizeof outbox, "OUTBOX_PATH=%s/outbox.db", f->outbox_dir);
    snprintf(port, sizeof port, "GATEWAY_PORT=%d", f->gateway_port);
    snprintf(endpoint, sizeof endpoint, "API_ENDPOINT=%s/ingest", f->api_url);
    const char *env[] = {outbox, port, endpoint, "API_SECRET_TOKEN=" TOKEN, NULL};
    for (int i = 0; words[i]; i++)
        argv[i + 1] = words[i];
    return ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output);
}

static void test_wrong_token_then_kept_with_its_reason_and_stored_when_it_is_right(void **state)
{
    struct fixture *f = *state;
    char output[TS_TEST_PATH_SIZE];
    write_messages(f, 20, 0);
    start_api(f);
    start_gateway(f, WRONG, 0);
    assert_true(wait_for(f, some_failed, 20));
    assert_int_equal(stored(f), 0);
    assert_int_equal(run_verb(f, (const char *const[]){"queue", "list", NULL}, output), 0);
    char *list = ts_test_read_file(output);
    assert_non_null(strstr(list, "20 messages"));
    assert_non_null(strstr(list, "auth"));
    assert_null(strstr(list, WRONG));
    free(list);
    assert_int_equal(run_verb(f, (const char *const[]){"recover", NULL}, output),
                     1); /* through the running one */
    char *log = ts_test_read_file(f->gateway.output);
    assert_non_null(strstr(log, "Authentication failed - check GATEWAY_SECRET_TOKEN"));
    assert_null(strstr(log, WRONG));
    free(log);
    ts_test_end(&f->gateway, SIGTERM);
    assert_int_equal(run_verb(f, (const char *const[]){"recover", NULL}, output), 0); /* by itself */
    char *said = ts_test_read_file(output);
    assert_non_null(strstr(said, "recovered 20, failed 0"));
    free(said);
    start_gateway(f, TOKEN, 0);
    assert_each_once(f, 20);
}

static bool says_disk_full(const struct fixture *f, int64_t status)
{
    struct health h = health(f);
    return h.status == status && strstr(h.error, "Disk full") && strstr(h.error, f->outbox_dir);
}

static void fill_up(const char *path)
{
    static const char block[4096];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof block, file) == sizeof block)
        ;
    fclose(file);
}

static void test_disk_full_then_503_with_the_path_and_drained_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    char ballast[TS_TEST_PATH_SIZE];
    char *small = format("%s/small", f->dir);
    assert_int_equal(mkdir(small, 0700), 0);
    if (mount("tmpfs", small, "tmpfs", 0, "size=16m") != 0) {
        print_message("skipped: a small tmpfs can't be mounted here (%s)\n", strerror(errno));
        free(small);
        skip();
    }
    snprintf(f->outbox_dir, sizeof f->outbox_dir, "%s", small);
    free(small);
    ts_test_path(f->outbox_dir, "ballast", ballast);
    write_messages(f, 4000, 1000);
    start_gateway(f, TOKEN, 1500); /* the API is away: everything stays in the outbox */
    assert_true(wait_for(f, some_pending, 100));
    fill_up(ballast);
    assert_true(wait_for(f, says_disk_full, 503));
    pid_t pid = f->gateway.pid;
    int64_t kept = health(f).pending;
    assert_true(kept >= 100 && kept < 4000);
    start_api(f); /* what is kept goes out, and is acknowledged, in the reserve's space */
    assert_true(wait_for(f, all_stored, kept));
    assert_int_equal(health(f).status, 503);
    assert_int_equal(unlink(ballast), 0);
    assert_each_once(f, 4000);
    assert_true(ts_test_is_running(&f->gateway));
    assert_int_equal(f->gateway.pid, pid);
}

static void test_second_gateway_then_refused(void **state)
{
    struct fixture *f = *state;
    struct ts_test_process second = {0};
    char *env[MAX_ENV];
    size_t n = 0;
    write_messages(f, 1, 0);
    start_gateway(f, TOKEN, 0);
    env[n++] = format("API_SECRET_TOKEN=" TOKEN);
    env[n++] = format("GATEWAY_PORT=0");
    env[n++] = format("OUTBOX_PATH=%s/outbox.db", f->outbox_dir);
    start_program(&second, "tp-capital-gateway", env, n);
    assert_true(ts_test_wait_exit(&second, PATIENCE_MS));
    assert_true(second.status != 0);
    char *log = ts_test_read_file(second.output);
    assert_non_null(strstr(log, "Another gateway has this outbox"));
    free(log);
}

static int run_gateway(const char *word, const char *const *env, char **ret_text)
{
    char program[TS_TEST_PATH_SIZE], output[TS_TEST_PATH_SIZE];
    const char *argv[] = {ts_test_program("tp-capital-gateway", program), word, NULL};
    int code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output);
    *ret_text = ts_test_read_file(output);
    return code;
}

static void test_command_line_then_errors_named_and_every_variable_listed(void **state)
{
    static const char *const variables[] = {"API_SECRET_TOKEN",     "API_ENDPOINTS", "GATEWAY_TRANSPORT",
                                            "TELEGRAM_BOT_API_URL", "OUTBOX_PATH",   "REPLAY_FILE",
                                            "REPLAY_INTERVAL_MS",   "DEDUP_SIZE",    "GATEWAY_PORT",
                                            "SHUTDOWN_TIMEOUT_MS"};
    char *text;
    (void)state;
    assert_int_equal(run_gateway(NULL, (const char *const[]){"X=1", NULL}, &text), 1);
    assert_non_null(strstr(text, "FATAL: API_SECRET_TOKEN is required\n"));
    free(text);
    const char *const two[] = {"API_TIMEOUT_MS=x", "GATEWAY_TRANSPORT=replay", NULL};
    assert_int_equal(run_gateway("--check-config", two, &text), 1);
    assert_non_null(strstr(text, "FATAL: API_SECRET_TOKEN is required\n"));
    assert_non_null(strstr(text, "FATAL: API_TIMEOUT_MS is invalid"));
    assert_non_null(strstr(text, "FATAL: REPLAY_FILE is required\n"));
    free(text);
    assert_int_equal(run_gateway("--help", (const char *const[]){"X=1", NULL}, &text), 0);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        assert_non_null(strstr(text, variables[i]));
    free(text);
}

static void test_no_transport_then_503_and_the_outbox_is_published(void **state)
{
    struct fixture *f = *state;
    char *env[MAX_ENV];
    size_t n = 0;
    write_messages(f, 50, 0);
    start_gateway(f, TOKEN, 0); /* the API is away */
    assert_true(wait_for(f, some_pending, 50));
    ts_test_end(&f->gateway, SIGKILL);
    start_api(f);
    env[n++] = format("API_SECRET_TOKEN=" TOKEN);
    env[n++] = format("API_ENDPOINT=%s/ingest", f->api_url);
    env[n++] = format("GATEWAY_PORT=%d", f->gateway_port);
    env[n++] = format("OUTBOX_PATH=%s/outbox.db", f->outbox_dir);
    start_program(&f->gateway, "tp-capital-gateway", env, n);
    assert_true(wait_for(f, all_stored, 50));
    struct health h = health(f);
    assert_int_equal(h.status, 503);
    assert_string_equal(h.error, "No transport configured");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_replayed_then_every_message_is_one_row),
        CASE(test_api_away_then_everything_is_kept_and_stored_when_it_is_back),
        CASE(test_gateway_and_api_killed_again_and_again_then_every_message_is_one_row),
        CASE(test_wrong_token_then_kept_with_its_reason_and_stored_when_it_is_right),
        CASE(test_disk_full_then_503_with_the_path_and_drained_when_there_is_room),
        CASE(test_second_gateway_then_refused),
        CASE(test_command_line_then_errors_named_and_every_variable_listed),
        CASE(test_no_transport_then_503_and_the_outbox_is_published),
    };
    ts_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
