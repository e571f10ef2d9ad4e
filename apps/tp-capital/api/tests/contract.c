#include "contract.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ts_test_pg contract_pg;

static bool store_is(const char *name)
{
    const char *store = getenv("TS_TEST_STORE");
    return store && strcmp(store, name) == 0;
}

bool on_timescale(void)
{
    return store_is("timescale");
}

bool on_postgres(void)
{
    return store_is("postgres") || on_timescale();
}

void start_server(struct ts_test_pg *pg, const char *const *settings)
{
    if (on_timescale())
        ts_test_timescale_start(pg, settings);
    else
        ts_test_pg_start(pg, settings);
}

int contract_setup(void **state)
{
    (void)state;
    if (on_timescale() && !ts_test_timescale_is_installed()) {
        puts("skipped: no TimescaleDB (tools/timescale, as root, makes one)");
        exit(TS_TEST_SKIP);
    }
    if (on_postgres())
        start_server(&contract_pg, NULL);
    return 0;
}

int contract_teardown(void **state)
{
    (void)state;
    if (on_postgres())
        ts_test_pg_stop(&contract_pg);
    return 0;
}

/* --- the process --- */

static void add_env(struct api *api, size_t *n, const char *const *extra)
{
    for (size_t i = 0; extra && extra[i]; i++) {
        size_t name = strcspn(extra[i], "=") + 1, at = 0;
        while (at < *n && strncmp(api->env[at], extra[i], name) != 0)
            at++;
        api->env[at] = extra[i];
        if (at == *n)
            ++*n;
    }
    api->env[*n] = NULL;
}

static void make_env(struct api *api, const char *const *extra)
{
    static int stores;
    size_t n = 0;

    snprintf(api->env_text[n], sizeof(api->env_text[n]), "GATEWAY_SECRET_TOKEN=%s", TOKEN);
    n++;
    snprintf(api->env_text[n], sizeof(api->env_text[n]), "TP_CAPITAL_PORT=%d", api->port);
    n++;
    snprintf(api->env_text[n++], TS_TEST_PATH_SIZE, "RATE_LIMIT_MAX=0");
    snprintf(api->schema, sizeof(api->schema), "contract_%d", ++stores);
    if (on_postgres()) {
        snprintf(api->env_text[n++], TS_TEST_PATH_SIZE, "TP_CAPITAL_DATABASE_URL=%.230s", contract_pg.url);
        snprintf(api->env_text[n++], TS_TEST_PATH_SIZE, "TIMESCALEDB_SCHEMA=%s", api->schema);
    } else {
        snprintf(api->env_text[n++], TS_TEST_PATH_SIZE, "DATA_DIR=%.240s", api->dir);
    }
    for (size_t i = 0; i < n; i++)
        api->env[i] = api->env_text[i];
    add_env(api, &n, extra);
}

void api_launch(struct api *api, const char *const *extra)
{
    *api = (struct api){.port = ts_test_free_port()};
    ts_test_dir_make(api->dir);
    make_env(api, extra);
    ts_test_start_program(&api->process, "tp-capital-api", api->env);
}

void api_wait_healthy(struct api *api)
{
    if (!ts_test_wait_status(api_url(api, "/health"), 200, 20000))
        ts_test_die("the API did not become healthy: %s", ts_test_read_file(api->process.output));
}

void api_start(struct api *api, const char *const *extra)
{
    api_launch(api, extra);
    api_wait_healthy(api);
}

void api_again_with(struct api *api, const char *const *extra)
{
    size_t n = 0;
    while (api->env[n])
        n++;
    add_env(api, &n, extra);
    api_again(api);
}

void api_again(struct api *api)
{
    ts_test_start_program(&api->process, "tp-capital-api", api->env);
    api_wait_healthy(api);
}

void api_start_replica(const struct api *api, struct api *ret)
{
    *ret = (struct api){.port = ts_test_free_port()};
    memcpy(ret->schema, api->schema, sizeof(ret->schema));
    ts_test_dir_make(ret->dir);
    for (size_t i = 0; api->env[i]; i++)
        ret->env[i] = api->env[i];
    snprintf(ret->env_text[0], sizeof(ret->env_text[0]), "TP_CAPITAL_PORT=%d", ret->port);
    for (size_t i = 0; ret->env[i]; i++)
        if (strncmp(ret->env[i], "TP_CAPITAL_PORT=", 16) == 0)
            ret->env[i] = ret->env_text[0];
    ts_test_start_program(&ret->process, "tp-capital-api", ret->env);
    api_wait_healthy(ret);
}

void api_stop(struct api *api)
{
    ts_test_reply_done(&api->reply);
    ts_test_end(&api->process, SIGTERM);
    assert_true(WIFEXITED(api->process.status));
    assert_int_equal(WEXITSTATUS(api->process.status), 0);
    ts_test_dir_remove(api->dir);
}

int api_run(const char *word, const char *const *env, char **ret_output)
{
    char path[TS_TEST_PATH_SIZE], output[TS_TEST_PATH_SIZE];
    const char *const argv[] = {ts_test_program("tp-capital-api", path), word, NULL};
    int code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output);
    *ret_output = ts_test_read_file(output);
    return code;
}

/* --- calls --- */

const char *api_url(const struct api *api, const char *path)
{
    static char urls[4][2048];
    static unsigned next;
    char *url = urls[next++ % 4];
    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%d%s", api->port, path);
    return url;
}

long api_get(struct api *api, const char *path)
{
    return ts_test_get(api_url(api, path), &api->reply);
}

json_t *api_json(struct api *api, const char *path, long status)
{
    long got = api_get(api, path);
    if (got != status)
        fail_msg("GET %s: %ld %s", path, got, api->reply.body);
    json_t *json = json_loads(api->reply.body, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        fail_msg("GET %s: no JSON: %s", path, api->reply.body);
    return json;
}

long api_call(struct api *api, const char *method, const char *path, const char *header, const char *body)
{
    const char *const headers[] = {"Content-Type: application/json", header, NULL};
    return ts_test_http(&(struct ts_test_request){.method = method,
                                                  .url = api_url(api, path),
                                                  .headers = body ? headers : headers + 1,
                                                  .body = body},
                        &api->reply);
}

long api_ingest(struct api *api, const char *json)
{
    return ts_test_post_json(api_url(api, "/ingest"), TOKEN_HEADER, json, &api->reply);
}

void api_store(struct api *api, long message_id, const char *text)
{
    json_t *message = json_pack("{s:s, s:I, s:s, s:s, s:s}", "channelId", "-1001000000001", "messageId",
                                (json_int_t)message_id, "text", text, "timestamp", "2026-11-03T13:00:00Z",
                                "channelName", "Sala de Teste");
    char *body = json_dumps(message, JSON_COMPACT);
    assert_int_equal(api_ingest(api, body), 200);
    assert_string_equal(api->reply.body, "{\"status\":\"ok\"}");
    free(body);
    json_decref(message);
}

double api_metric(struct api *api, const char *sample)
{
    assert_int_equal(api_get(api, "/metrics"), 200);
    for (const char *line = api->reply.body; line && *line;
         line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, sample, strlen(sample)) == 0 && line[strlen(sample)] == ' ')
            return strtod(line + strlen(sample), NULL);
    return -1;
}

long api_rows(struct api *api, const char *table_and_where)
{
    char sql[1024], path[TS_TEST_PATH_SIZE], output[TS_TEST_PATH_SIZE];
    if (on_postgres()) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s.%s", api->schema, table_and_where);
        return ts_test_pg_count(&contract_pg, sql);
    }
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table_and_where);
    const char *const argv[] = {"sqlite3", "-readonly", ts_test_path(api->dir, "tp-capital.db", path), sql,
                                NULL};
    assert_int_equal(ts_test_run(&(struct ts_test_spawn){.argv = argv}, output), 0);
    char *text = ts_test_read_file(output);
    long rows = strtol(text, NULL, 10);
    free(text);
    return rows;
}

static void run_sqlite(struct api *api, const char *sql)
{
    char path[TS_TEST_PATH_SIZE], output[TS_TEST_PATH_SIZE];
    const char *const argv[] = {"sqlite3", ts_test_path(api->dir, "tp-capital.db", path), sql, NULL};
    ts_test_end(&api->process, SIGTERM);
    assert_int_equal(ts_test_run(&(struct ts_test_spawn){.argv = argv}, output), 0);
    api_again(api);
}

void api_sql(struct api *api, const char *sql)
{
    char text[2048];
    size_t n = 0;
    for (const char *at = sql; *at && n + sizeof(api->schema) + 2 < sizeof(text); at++) {
        if (*at != '@')
            text[n++] = *at;
        else if (on_postgres())
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s.", api->schema);
    }
    text[n] = '\0';
    if (on_postgres())
        ts_test_pg_sql(&contract_pg, text, NULL, 0);
    else
        run_sqlite(api, text);
}

int api_log_count(const struct api *api, const char *text)
{
    char *log = ts_test_read_file(api->process.output);
    int n = 0;
    for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
        n++;
    free(log);
    return n;
}

void assert_error(struct api *api, long status, const char *error)
{
    if (api->reply.status != status)
        fail_msg("status %ld instead of %ld: %s", api->reply.status, status, api->reply.body);
    json_t *json = json_loads(api->reply.body, 0, NULL);
    const char *text = json_string_value(json_object_get(json, "error"));
    if (!text || strcmp(text, error) != 0)
        fail_msg("error is not \"%s\": %s", error, api->reply.body);
    json_decref(json);
}

/* --- bare connections --- */

int raw_connect(const struct api *api)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)api->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        ts_test_die("connect");
    return fd;
}

void raw_send(int fd, const char *format, ...)
{
    static char text[256 * 1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (ssize_t sent = 0, n; sent < len; sent += n)
        if ((n = send(fd, text + sent, (size_t)(len - sent), MSG_NOSIGNAL)) < 0)
            return;
}

size_t raw_read(int fd, char *out, size_t size, const char *until, int timeout_ms)
{
    const int64_t end = ts_test_now_ms() + timeout_ms;
    size_t len = 0;
    out[0] = '\0';
    while (len + 1 < size && !(until && strstr(out, until))) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int64_t left = end - ts_test_now_ms();
        if (left <= 0 || poll(&poll_fd, 1, (int)left) <= 0)
            break;
        ssize_t n = recv(fd, out + len, size - len - 1, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        out[len] = '\0';
    }
    return len;
}

void raw_send_ingest(int fd, const char *json)
{
    raw_send(fd,
             "POST /ingest HTTP/1.1\r\nHost: localhost\r\n" TOKEN_HEADER
             "\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(json), json);
}
