/* What goes wrong around the service: configuration, strangers, limits, a database that is away, frozen or careless, the end. */
#include "contract.h"

#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static struct api api;

/* --- command line ------------------------------------------------------------------------------------------------------- */

static int run_program(const char *word, const char *const *env, char **ret_output)
{
    char path[TS_TEST_PATH_SIZE], output[TS_TEST_PATH_SIZE];
    const char *const argv[] = {ts_test_program("tp-capital-api", path), word, NULL};
    int code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output);
    *ret_output = ts_test_read_file(output);
    return code;
}

static void test_start_when_token_is_missing_then_fatal_and_exit_1(void **state)
{
    char *output;
    (void)state;
    assert_int_equal(run_program(NULL, (const char *const[]){NULL}, &output), 1);
    assert_non_null(strstr(output, "FATAL: GATEWAY_SECRET_TOKEN is required"));
    free(output);
}

static void test_check_config_when_several_things_are_wrong_then_all_are_told(void **state)
{
    static const char *const env[] = {"GATEWAY_SECRET_TOKEN=short",
                                      "TP_CAPITAL_PORT=70000",
                                      "RATE_LIMIT_MAX=12x",
                                      "TIMESCALEDB_HOST=db",
                                      "TIMESCALEDB_SCHEMA=Bad-Name",
                                      "CORS_ORIGIN=*",
                                      "TP_CAPITAL_DATABASE_URL=mysql://x",
                                      "SIGNALS_RETENTION_DAYS=30",
                                      "DB_POOL_MAX=101",
                                      NULL};
    static const char *const told[] = {
        "GATEWAY_SECRET_TOKEN is invalid",
        "TP_CAPITAL_PORT is invalid",
        "RATE_LIMIT_MAX is invalid",
        "TIMESCALEDB_SCHEMA is invalid",
        "CORS_ORIGIN is invalid",
        "TP_CAPITAL_DATABASE_URL is invalid",
        "DB_POOL_MAX is invalid",
        "SIGNALS_RETENTION_DAYS is invalid: retention is not available in this version"};
    char *output;
    (void)state;
    assert_int_equal(run_program("--check-config", env, &output), 1);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        if (!strstr(output, told[i]))
            fail_msg("%s: not told: %s", told[i], output);
    free(output);
    static const char *const host[] = {"GATEWAY_SECRET_TOKEN=" TOKEN, "TIMESCALEDB_HOST=db", NULL};
    assert_int_equal(run_program("--check-config", host, &output), 1);
    assert_non_null(strstr(output, "FATAL: TIMESCALEDB_PASSWORD is required"));
    free(output);
}

static void test_check_config_when_values_are_the_spec_s_bounds_then_they_are_accepted(void **state)
{
    static const char *const env[] = {"GATEWAY_SECRET_TOKEN=" TOKEN, "DB_POOL_MAX=1",
                                      "DB_POOL_IDLE_TIMEOUT=30000",  "SIGNALS_RETENTION_DAYS=0",
                                      "TZ=America/Sao_Paulo",        "CORS_ORIGIN=*",
                                      "NODE_ENV=development",        NULL};
    static const char *const production[] = {"GATEWAY_SECRET_TOKEN=" TOKEN, "CORS_ORIGIN=*",
                                             "NODE_ENV=production", NULL};
    char *output;
    (void)state;
    if (run_program("--check-config", env, &output) != 0)
        fail_msg("refused: %s", output);
    free(output);
    assert_int_equal(run_program("--check-config", production, &output), 1);
    free(output);
}

static void test_health_when_the_pool_is_one_then_all_is_served(void **state)
{
    (void)state;
    api_start(&api, (const char *const[]){"DB_POOL_MAX=1", NULL});
    api_store(&api, 1, "COMPRA PETR4 30");
    assert_int_equal(api_get(&api, "/signals"), 200);
    api_stop(&api);
}

static void test_help_when_asked_then_every_variable_is_listed(void **state)
{
    static const char *const names[] = {"GATEWAY_SECRET_TOKEN",
                                        "TP_CAPITAL_DATABASE_URL",
                                        "TIMESCALEDB_HOST",
                                        "RATE_LIMIT_MAX",
                                        "DATA_DIR",
                                        "DB_STARTUP_RETRIES",
                                        "CORS_ORIGIN",
                                        "ADMIN_TOKEN",
                                        "migrate"};
    char *output;
    (void)state;
    assert_int_equal(run_program("--help", (const char *const[]){NULL}, &output), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strstr(output, names[i]))
            fail_msg("--help does not name %s", names[i]);
    free(output);
}

/* The scripts there are for this store. */
static size_t count_migrations(void)
{
    char pattern[TS_TEST_PATH_SIZE];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%.180s/apps/tp-capital/api/migrations/%s/*.sql",
             getenv("TS_SOURCE_DIR"), on_postgres() ? "postgres" : "sqlite");
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    size_t n = found.gl_pathc;
    globfree(&found);
    return n;
}

static void test_migrate_when_asked_then_the_schema_is_there_and_a_second_time_changes_nothing(void **state)
{
    char dir[TS_TEST_PATH_SIZE], where[TS_TEST_PATH_SIZE + 32], applied[64], *output;
    (void)state;
    ts_test_dir_make(dir);
    if (on_postgres())
        snprintf(where, sizeof(where), "MIGRATION_DATABASE_URL=%s", contract_pg.url);
    else
        snprintf(where, sizeof(where), "DATA_DIR=%s", dir);
    const char *const env[] = {"GATEWAY_SECRET_TOKEN=" TOKEN, "TIMESCALEDB_SCHEMA=by_verb", where, NULL};
    assert_int_equal(run_program("migrate", env, &output), 0);
    snprintf(applied, sizeof(applied), "migrations applied: %zu\n", count_migrations());
    assert_non_null(strstr(output, applied));
    free(output);
    assert_int_equal(run_program("migrate", env, &output), 0);
    assert_non_null(strstr(output, "migrations applied: 0"));
    free(output);
    ts_test_dir_remove(dir);
}

static void test_file_when_a_process_has_it_then_no_second_one_opens_it(void **state)
{
    char port[32];
    const char *env[sizeof(api.env) / sizeof(api.env[0])];
    struct ts_test_process second = {0};
    (void)state;
    if (on_postgres())
        skip();
    api_start(&api, NULL);
    char *output;
    assert_int_equal(run_program("migrate", api.env, &output), 1);
    assert_non_null(strstr(output, "the service is running: stop it first"));
    free(output);
    snprintf(port, sizeof(port), "TP_CAPITAL_PORT=%d", ts_test_free_port());
    for (size_t i = 0; i < sizeof(env) / sizeof(env[0]); i++)
        env[i] = api.env[i] && strncmp(api.env[i], port, 16) == 0 ? port : api.env[i];
    ts_test_start_program(&second, "tp-capital-api", env);
    assert_true(ts_test_wait_exit(&second, 20000));
    assert_int_equal(WEXITSTATUS(second.status), 1);
    output = ts_test_read_file(second.output);
    assert_non_null(strstr(output, "The database is in use by another process"));
    free(output);
    assert_int_equal(api_get(&api, "/health"), 200);
    ts_test_end(&api.process, SIGKILL); /* the lock goes with its process */
    api_again(&api);
    api_stop(&api);
}

/* --- strangers ---------------------------------------------------------------------------------------------------------- */

static long post_with_token(const char *token)
{
    char header[256];
    snprintf(header, sizeof(header), "X-Gateway-Token: %s", token);
    return ts_test_post_json(api_url(&api, "/ingest"), header, "{}", &api.reply);
}

static void test_security_log_when_ten_tokens_are_wrong_then_one_alarm_and_no_token_in_the_log(void **state)
{
    (void)state;
    api_start(&api, NULL);
    for (int i = 0; i < 25; i++)
        assert_int_equal(post_with_token("stranger-token-that-is-wrong"), 401);
    assert_int_equal(api_log_count(&api, "SECURITY: Multiple failed auth attempts from IP 127.0.0.1"), 1);
    assert_int_equal(api_log_count(&api, "\"msg\":\"Unauthorized\""), 25);
    assert_int_equal(api_log_count(&api, "stranger-token"), 0);
    assert_int_equal(api_log_count(&api, TOKEN), 0);
    api_stop(&api);
}

static void test_previous_token_when_rotating_then_both_are_accepted(void **state)
{
    static const char *const env[] = {"GATEWAY_SECRET_TOKEN=the-new-token-0123456789abcdef01",
                                      "GATEWAY_SECRET_TOKEN_PREVIOUS=" TOKEN, NULL};
    (void)state;
    api_start(&api, env);
    assert_int_equal(post_with_token(TOKEN), 400);
    assert_int_equal(post_with_token("the-new-token-0123456789abcdef01"), 400);
    assert_int_equal(post_with_token("the-old-token-0123456789abcdef01"), 401);
    api_stop(&api);
}

static void test_rate_limit_when_over_then_429_but_never_for_health_metrics_and_the_gateway(void **state)
{
    char value[32];
    (void)state;
    api_start(&api, (const char *const[]){"RATE_LIMIT_MAX=5", NULL});
    for (int i = 0; i < 5; i++)
        assert_int_equal(api_get(&api, "/signals"), 200);
    assert_int_equal(api_get(&api, "/signals"), 429);
    assert_error(&api, 429, "Too many requests");
    assert_true(ts_test_header(&api.reply, "Retry-After", value, sizeof(value)));
    assert_int_equal(post_with_token("stranger-token-that-is-wrong"), 429);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(api_get(&api, "/health"), 200);
        assert_int_equal(api_get(&api, "/metrics"), 200);
        api_store(&api, 1 + i, "COMPRA PETR4 30");
    }
    api_stop(&api);
}

static long ask_for(const char *client, const char *path)
{
    char header[64];
    snprintf(header, sizeof(header), "X-Forwarded-For: %s", client);
    const char *const headers[] = {header, NULL};
    return ts_test_http(&(struct ts_test_request){.url = api_url(&api, path), .headers = headers},
                        &api.reply);
}

static void test_proxy_when_trusted_then_limit_and_alarm_are_the_client_s_own(void **state)
{
    static const char *const wrong[] = {"X-Gateway-Token: stranger-token-that-is-wrong",
                                        "X-Forwarded-For: 198.51.100.7, 203.0.113.9", NULL};
    (void)state;
    api_start(&api, (const char *const[]){"RATE_LIMIT_MAX=3", "TRUSTED_PROXIES=127.0.0.1/32", NULL});
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask_for("203.0.113.5", "/signals"), 200);
    assert_int_equal(ask_for("203.0.113.5", "/signals"), 429);
    assert_int_equal(ask_for("198.51.100.1, 203.0.113.5", "/signals"),
                     429); /* what it says of others is its own */
    assert_int_equal(ask_for("203.0.113.6", "/signals"), 200);
    for (int i = 0; i < 10; i++)
        ts_test_http(
            &(struct ts_test_request){
                .url = api_url(&api, "/ingest"), .headers = wrong, .body = "{}", .method = "POST"},
            &api.reply);
    assert_int_equal(api_log_count(&api, "SECURITY: Multiple failed auth attempts from IP 203.0.113.9"), 1);
    api_stop(&api);
}

/* A stranger who is no proxy speaks for himself alone, whatever he claims. */
static void test_proxy_when_not_trusted_then_its_word_is_nothing(void **state)
{
    (void)state;
    api_start(&api, (const char *const[]){"RATE_LIMIT_MAX=3", "TRUSTED_PROXIES=10.0.0.0/8", NULL});
    assert_int_equal(ask_for("203.0.113.5", "/signals"), 200);
    assert_int_equal(ask_for("203.0.113.6", "/signals"), 200);
    assert_int_equal(ask_for("203.0.113.7", "/signals"), 200);
    assert_int_equal(ask_for("203.0.113.8", "/signals"), 429);
    api_stop(&api);
}

static void test_origin_when_foreign_then_403_after_the_token(void **state)
{
    static const char *const foreign[] = {TOKEN_HEADER, "Content-Type: application/json",
                                          "Origin: http://evil.example", NULL};
    static const char *const stranger[] = {"Content-Type: application/json", "Origin: http://evil.example",
                                           NULL};
    (void)state;
    api_start(&api, NULL);
    ts_test_http(
        &(struct ts_test_request){.url = api_url(&api, "/ingest"), .headers = stranger, .body = "{}"},
        &api.reply);
    assert_error(&api, 401, "Missing X-Gateway-Token header");
    ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/ingest"), .headers = foreign, .body = "{}"},
                 &api.reply);
    assert_error(&api, 403, "Origin not allowed");
    const char *const host[] = {"Host: rebound.example", NULL};
    ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/signals"), .headers = host}, &api.reply);
    assert_error(&api, 421, "Misdirected request");
    api_stop(&api);
}

/* A child that sends wrong tokens without end, over 32 connections. */
static pid_t begin_flood(void)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    int fds[32];
    char answer[2048];
    for (int i = 0; i < 32; i++)
        fds[i] = raw_connect(&api);
    for (int i = 0;; i = (i + 1) % 32) {
        raw_send(fds[i], "POST /ingest HTTP/1.1\r\nHost: localhost\r\nX-Gateway-Token: "
                         "wrong\r\nContent-Length: 2\r\n\r\n{}");
        raw_read(fds[i], answer, sizeof(answer), "}", 1000);
    }
}

static void test_flood_when_strangers_send_wrong_tokens_then_the_gateway_is_served(void **state)
{
    (void)state;
    api_start(&api, NULL);
    pid_t flood = begin_flood();
    for (long id = 1; id <= 100; id++)
        api_store(&api, id, "COMPRA PETR4 30");
    assert_int_equal(api_get(&api, "/health"), 200);
    kill(flood, SIGKILL);
    waitpid(flood, NULL, 0);
    assert_true(api_metric(&api, "api_ingestion_requests_total{status=\"auth_error\"}") > 100);
    assert_true(api_metric(&api, "api_ingestion_requests_total{status=\"success\"}") == 100);
    api_stop(&api);
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

enum { CONNECTIONS = 16 };

struct sender {
    int fd;
    long id; /* of the message on its way */
};

static void send_next(struct sender *sender, long id)
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"text\":\"COMPRA PETR4 30\",\"timestamp\":"
             "\"2026-11-03T13:00:00Z\"}",
             id);
    sender->id = id;
    raw_send_ingest(sender->fd, body);
}

static void test_sigterm_when_under_load_then_what_was_acknowledged_is_stored_and_exit_0(void **state)
{
    struct sender senders[CONNECTIONS];
    static long acknowledged[20000];
    long next = 1, n = 0;
    char answer[2048], where[128];
    (void)state;
    api_start(&api, NULL);
    for (int i = 0; i < CONNECTIONS; i++) {
        senders[i].fd = raw_connect(&api);
        send_next(&senders[i], next++);
    }
    for (int open = CONNECTIONS; open > 0 && next < 20000;) {
        for (int i = 0; i < CONNECTIONS; i++) {
            if (senders[i].fd < 0)
                continue;
            raw_read(senders[i].fd, answer, sizeof(answer), "\"}", 10000);
            if (strstr(answer, "{\"status\":\"ok\"}"))
                acknowledged[n++] = senders[i].id;
            bool ended = answer[0] == '\0' || strstr(answer, "onnection: close");
            if (ended) {
                close(senders[i].fd);
                senders[i].fd = -1;
                open--;
            } else {
                send_next(&senders[i], next++);
            }
        }
        if (n >= 300 && n < 300 + CONNECTIONS)
            ts_test_signal(&api.process, SIGTERM);
    }
    assert_true(ts_test_wait_exit(&api.process, 11000));
    assert_true(WIFEXITED(api.process.status));
    assert_int_equal(WEXITSTATUS(api.process.status), 0);
    assert_true(n >= 300);
    for (long i = 0; i < n; i += n / 20) {
        snprintf(where, sizeof(where), "ingested_messages WHERE message_id = %ld", acknowledged[i]);
        assert_int_equal(api_rows(&api, where), 1);
    }
    assert_true(api_rows(&api, "ingested_messages") >= n);
    ts_test_dir_remove(api.dir);
}

static void test_sigterm_when_behind_a_proxy_then_health_is_503_and_messages_are_stored_until_it_leaves(
    void **state)
{
    char value[16];
    (void)state;
    api_start(&api, (const char *const[]){"TRUSTED_PROXIES=127.0.0.1", NULL});
    ts_test_signal(&api.process, SIGTERM);
    assert_true(ts_test_wait_status(api_url(&api, "/health"), 503, 2000));
    assert_int_equal(api_get(&api, "/health"), 503);
    assert_error(&api, 503, "Shutting down");
    assert_non_null(strstr(api.reply.body, "\"status\":\"error\",\"timescale\":true"));
    api_store(&api, 1, "COMPRA PETR4 30");
    assert_true(ts_test_header(&api.reply, "Connection", value, sizeof(value)));
    assert_string_equal(value, "close");
    assert_true(ts_test_wait_exit(&api.process, 12000));
    assert_int_equal(api_rows(&api, "ingested_messages"), 1);
    api_stop(&api); /* looks at its exit code */
}

/* --- the database ------------------------------------------------------------------------------------------------------- */

static void test_database_when_stopped_then_503_and_health_says_so_and_all_is_well_when_it_is_back(
    void **state)
{
    char retry[16];
    (void)state;
    if (!on_postgres())
        skip();
    api_start(&api, NULL);
    api_store(&api, 1, "COMPRA PETR4 30");
    ts_test_pg_down(&contract_pg);
    assert_int_equal(
        api_ingest(&api, "{\"channelId\":\"-1001000000001\",\"messageId\":2,\"text\":\"x\",\"timestamp\":"
                         "\"2026-11-03T13:00:00Z\"}"),
        503);
    assert_error(&api, 503, "Database unavailable, please retry");
    assert_true(ts_test_header(&api.reply, "Retry-After", retry, sizeof(retry)));
    assert_string_equal(retry, "5");
    assert_int_equal(api_get(&api, "/signals"), 503);
    assert_error(&api, 503, "Failed to fetch signals");
    assert_true(ts_test_wait_status(api_url(&api, "/health"), 503, 5000));
    assert_int_equal(api_get(&api, "/health"), 503);
    assert_error(&api, 503, "Database connection failed after 3 attempts");
    assert_non_null(strstr(api.reply.body, "\"timescale\":false"));
    assert_true(api_metric(&api, "api_timescaledb_errors_total{error_type=\"connection\"}") >= 1);
    ts_test_pg_boot(&contract_pg);
    api_wait_healthy(&api);
    api_store(&api, 2, "x");
    assert_int_equal(api_rows(&api, "ingested_messages"), 2);
    api_stop(&api);
}

static void test_database_when_frozen_then_503_within_the_deadline_and_live_stays_200(void **state)
{
    (void)state;
    if (!on_postgres())
        skip();
    api_start(&api, NULL);
    api_store(&api, 1, "COMPRA PETR4 30");
    ts_test_pg_freeze(&contract_pg);
    struct ts_test_request request = {
        .url = api_url(&api, "/ingest"),
        .headers = (const char *const[]){TOKEN_HEADER, "Content-Type: application/json", NULL},
        .body = "{\"channelId\":\"-1001000000001\",\"messageId\":2,\"text\":\"x\",\"timestamp\":"
                "\"2026-11-03T13:00:00Z\"}",
        .timeout_ms = 10000}; /* the gateway's patience: an answer must come before */
    ts_test_http(&request, &api.reply);
    assert_error(&api, 503, "Database unavailable, please retry");
    assert_int_equal(api_get(&api, "/health"), 503);
    assert_int_equal(api_get(&api, "/health/live"), 200);
    ts_test_pg_thaw(&contract_pg);
    api_wait_healthy(&api);
    assert_int_equal(ts_test_http(&request, &api.reply), 200);
    assert_int_equal(api_rows(&api, "ingested_messages"), 2);
    api_stop(&api);
}

/* A child that stores messages without end, over 8 connections. */
static pid_t begin_load(const struct api *to)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct sender senders[8];
    char answer[2048];
    long id = 1000000;
    for (int i = 0; i < 8; i++) {
        senders[i].fd = raw_connect(to);
        send_next(&senders[i], id++);
    }
    for (int i = 0;; i = (i + 1) % 8) {
        raw_read(senders[i].fd, answer, sizeof(answer), "}", 60000);
        send_next(&senders[i], id++);
    }
}

static void test_replica_when_frozen_under_load_then_the_other_stores_within_its_deadline(void **state)
{
    struct api other;
    char body[256];
    (void)state;
    if (!on_postgres())
        skip();
    api_start(&api, NULL);
    api_start_replica(&api, &other);
    pid_t load = begin_load(&api);
    for (int round = 1; round <= 10; round++) {
        ts_test_sleep_ms(30);
        ts_test_signal(&api.process, SIGSTOP);
        snprintf(body, sizeof(body),
                 "{\"channelId\":\"-1001000000002\",\"messageId\":%d,\"text\":\"x\",\"timestamp\":\"2026-11-"
                 "03T13:00:00Z\"}",
                 round);
        const struct ts_test_request request = {
            .url = api_url(&other, "/ingest"),
            .headers = (const char *const[]){TOKEN_HEADER, "Content-Type: application/json", NULL},
            .body = body,
            .timeout_ms = 10000};
        assert_int_equal(ts_test_http(&request, &other.reply), 200);
        ts_test_signal(&api.process, SIGCONT);
    }
    kill(load, SIGKILL);
    waitpid(load, NULL, 0);
    assert_int_equal(api_rows(&api, "ingested_messages WHERE channel_id = -1001000000002"), 10);
    api_stop(&other);
    api_stop(&api);
}

static void test_database_when_away_at_start_then_we_listen_and_wait(void **state)
{
    (void)state;
    if (!on_postgres())
        skip();
    ts_test_pg_down(&contract_pg);
    api_launch(&api, (const char *const[]){"DB_STARTUP_RETRIES=100", "DB_STARTUP_DELAY_MS=100", NULL});
    assert_true(ts_test_wait_status(api_url(&api, "/health"), 503, 5000));
    assert_int_equal(api_get(&api, "/signals"), 503);
    assert_int_equal(api_get(&api, "/signals/1"), 503);
    assert_int_equal(api_get(&api, "/signals/stream"), 503);
    assert_int_equal(api_get(&api, "/channels"), 503);
    assert_int_equal(api_ingest(&api, "{}"), 503);
    ts_test_pg_boot(&contract_pg);
    api_wait_healthy(&api);
    api_store(&api, 1, "x");
    api_stop(&api);
}

static void test_sigterm_when_the_database_hangs_at_start_then_exit_0_even_if_it_comes(void **state)
{
    (void)state;
    if (!on_postgres())
        skip();
    ts_test_pg_freeze(&contract_pg);
    api_launch(&api, (const char *const[]){"DB_POOL_CONNECTION_TIMEOUT=20000", NULL});
    assert_true(ts_test_wait_status(api_url(&api, "/health/live"), 200, 5000));
    ts_test_sleep_ms(200); /* it is connecting */
    ts_test_signal(&api.process, SIGTERM);
    ts_test_sleep_ms(200);
    ts_test_pg_thaw(&contract_pg);
    assert_true(ts_test_wait_exit(&api.process, 10000));
    assert_true(WIFEXITED(api.process.status));
    assert_int_equal(WEXITSTATUS(api.process.status), 0);
    ts_test_dir_remove(api.dir);
}

static void test_database_when_away_for_all_attempts_then_exit_1(void **state)
{
    (void)state;
    if (!on_postgres())
        skip();
    ts_test_pg_down(&contract_pg);
    api_launch(&api, (const char *const[]){"DB_STARTUP_RETRIES=2", "DB_STARTUP_DELAY_MS=50", NULL});
    assert_true(ts_test_wait_exit(&api.process, 15000));
    assert_int_equal(WEXITSTATUS(api.process.status), 1);
    ts_test_pg_boot(&contract_pg);
}

static void test_health_when_the_server_runs_without_fsync_then_degraded(void **state)
{
    struct ts_test_pg careless = {0};
    char url[TS_TEST_PATH_SIZE + 32];
    (void)state;
    if (!on_postgres())
        skip();
    ts_test_pg_start(&careless, (const char *const[]){"fsync=off", NULL});
    snprintf(url, sizeof(url), "TP_CAPITAL_DATABASE_URL=%s", careless.url);
    api_start(&api, (const char *const[]){url, NULL});
    json_t *health = api_json(&api, "/health", 200);
    assert_string_equal(json_string_value(json_object_get(health, "status")), "degraded");
    json_decref(health);
    api_stop(&api);
    ts_test_pg_stop(&careless);
}

/* SQLite on a disk of 1 MiB, in a mount namespace of our own, so that nothing is left behind. */
static void test_disk_when_full_then_503_and_health_names_the_path_until_there_is_room(void **state)
{
    char dir[TS_TEST_PATH_SIZE], env[TS_TEST_PATH_SIZE + 16], wanted[TS_TEST_PATH_SIZE + 32];
    long id = 1, stored = 0;
    (void)state;
    ts_test_dir_make(dir);
    if (on_postgres() || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=1m") < 0)
        skip();
    snprintf(env, sizeof(env), "DATA_DIR=%s", dir);
    api_start(&api, (const char *const[]){env, NULL});
    for (long status = 200; status == 200; id++) {
        char body[512];
        snprintf(body, sizeof(body),
                 "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"text\":\"%0300d\",\"timestamp\":"
                 "\"2026-11-03T13:00:00Z\"}",
                 id, 7);
        status = api_ingest(&api, body);
        stored += status == 200;
        assert_true(status == 200 || status == 503);
        assert_true(id < 10000);
    }
    assert_error(&api, 503, "Database unavailable, please retry");
    assert_true(ts_test_wait_status(api_url(&api, "/health"), 503, 5000));
    assert_int_equal(api_get(&api, "/health"), 503);
    snprintf(wanted, sizeof(wanted), "Disk full: %s/tp-capital.db", dir);
    assert_error(&api, 503, wanted);
    assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=32m"), 0);
    api_wait_healthy(&api);
    api_store(&api, id, "COMPRA PETR4 30");
    json_t *page = api_json(&api, "/signals?count=true&limit=1", 200);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), stored + 1);
    json_decref(page);
    api_stop(&api);
    umount2(dir, MNT_DETACH);
}

static void test_health_when_all_is_well_then_the_contract_s_fields(void **state)
{
    (void)state;
    api_start(&api, NULL);
    json_t *health = api_json(&api, "/health", 200);
    assert_string_equal(json_string_value(json_object_get(health, "status")), "ok");
    assert_true(json_is_true(json_object_get(health, "timescale")));
    assert_true(json_is_integer(json_object_get(health, "uptime_seconds")));
    assert_string_equal(json_string_value(json_object_get(health, "store")),
                        on_postgres() ? "postgres" : "sqlite");
    json_decref(health);
    api_stop(&api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_when_token_is_missing_then_fatal_and_exit_1),
        cmocka_unit_test(test_check_config_when_several_things_are_wrong_then_all_are_told),
        cmocka_unit_test(test_check_config_when_values_are_the_spec_s_bounds_then_they_are_accepted),
        cmocka_unit_test(test_health_when_the_pool_is_one_then_all_is_served),
        cmocka_unit_test(test_help_when_asked_then_every_variable_is_listed),
        cmocka_unit_test(test_file_when_a_process_has_it_then_no_second_one_opens_it),
        cmocka_unit_test(test_migrate_when_asked_then_the_schema_is_there_and_a_second_time_changes_nothing),
        cmocka_unit_test(test_health_when_all_is_well_then_the_contract_s_fields),
        cmocka_unit_test(test_security_log_when_ten_tokens_are_wrong_then_one_alarm_and_no_token_in_the_log),
        cmocka_unit_test(test_previous_token_when_rotating_then_both_are_accepted),
        cmocka_unit_test(test_rate_limit_when_over_then_429_but_never_for_health_metrics_and_the_gateway),
        cmocka_unit_test(test_proxy_when_trusted_then_limit_and_alarm_are_the_client_s_own),
        cmocka_unit_test(test_proxy_when_not_trusted_then_its_word_is_nothing),
        cmocka_unit_test(test_origin_when_foreign_then_403_after_the_token),
        cmocka_unit_test(test_flood_when_strangers_send_wrong_tokens_then_the_gateway_is_served),
        cmocka_unit_test(test_sigterm_when_under_load_then_what_was_acknowledged_is_stored_and_exit_0),
        cmocka_unit_test(
            test_sigterm_when_behind_a_proxy_then_health_is_503_and_messages_are_stored_until_it_leaves),
        cmocka_unit_test(
            test_database_when_stopped_then_503_and_health_says_so_and_all_is_well_when_it_is_back),
        cmocka_unit_test(test_database_when_frozen_then_503_within_the_deadline_and_live_stays_200),
        cmocka_unit_test(test_replica_when_frozen_under_load_then_the_other_stores_within_its_deadline),
        cmocka_unit_test(test_database_when_away_at_start_then_we_listen_and_wait),
        cmocka_unit_test(test_sigterm_when_the_database_hangs_at_start_then_exit_0_even_if_it_comes),
        cmocka_unit_test(test_database_when_away_for_all_attempts_then_exit_1),
        cmocka_unit_test(test_health_when_the_server_runs_without_fsync_then_degraded),
        cmocka_unit_test(test_disk_when_full_then_503_and_health_names_the_path_until_there_is_room),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("faults", tests, NULL, NULL);
    contract_teardown(NULL);
    return failed;
}
