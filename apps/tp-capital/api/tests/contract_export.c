/* GET /signals/export over HTTP: the three forms, many pages, slow and vanishing readers, faults on the way. */
#include "contract.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORTS_AT_ONCE 4 /* export.h */

static struct api api;

static int start(void **state)
{
    static const char *const zone[] = {"TZ=America/Sao_Paulo", NULL};
    (void)state;
    api_start(&api, zone);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

static void assert_header(const char *name, const char *value)
{
    char got[256];
    assert_true(ts_test_header(&api.reply, name, got, sizeof(got)));
    assert_string_equal(got, value);
}

static void test_export_when_nothing_matches_then_each_form_is_empty_but_whole(void **state)
{
    (void)state;
    assert_int_equal(api_get(&api, "/signals/export?asset=NADA3"), 200);
    assert_header("Content-Type", "text/csv; charset=utf-8");
    assert_header("Content-Disposition", "attachment; filename=\"tp-capital-signals.csv\"");
    assert_non_null(strstr(api.reply.body, "\xEF\xBB\xBF"
                                           "DATA;CANAL;"));
    assert_string_equal(strstr(api.reply.body, "\r\n"), "\r\n");
    assert_int_equal(api_get(&api, "/signals/export?asset=NADA3&format=json"), 200);
    assert_header("Content-Type", "application/json");
    assert_header("Content-Disposition", "attachment; filename=\"tp-capital-signals.json\"");
    assert_string_equal(api.reply.body, "{\"data\":[]}\n");
    assert_int_equal(api_get(&api, "/signals/export?asset=NADA3&format=jsonl"), 200);
    assert_header("Content-Type", "application/x-ndjson");
    assert_header("Content-Disposition", "attachment; filename=\"tp-capital-signals.jsonl\"");
    assert_string_equal(api.reply.body, "");
}

static void test_export_when_csv_then_a_line_for_each_row_in_the_language(void **state)
{
    static const char row_pt[] =
        "03/11/2026 10:00:00;Sala de Teste;COMPRA;ITUB4;Swing Trade;31,40;31,40;32,10;;32,10;"
        "30,55;sim;";
    static const char row_en[] =
        "11/03/2026 10:00:00;Sala de Teste;BUY;ITUB4;Swing Trade;31,40;31,40;32,10;;32,10;"
        "30,55;yes;";
    (void)state;
    api_store(&api, 1, "COMPRA ITUB4\nEntrada: R$ 31,40\nStop: R$ 30,55\nAlvo 1: R$ 32,10");
    api_store(&api, 2, "=1+1 \"bom\"; dia");
    assert_int_equal(api_get(&api, "/signals/export"), 200);
    const char *second =
        strstr(api.reply.body, "\r\n03/11/2026 10:00:00;Sala de Teste;MENSAGEM;;;;;;;;;não;");
    assert_non_null(second); /* the later one comes first */
    assert_non_null(strstr(second, ";\"'=1+1 \"\"bom\"\"; dia\"\r\n"));
    assert_non_null(strstr(second, row_pt));
    assert_non_null(
        strstr(second, "\"COMPRA ITUB4\nEntrada: R$ 31,40\nStop: R$ 30,55\nAlvo 1: R$ 32,10\"\r\n"));
    assert_int_equal(api_get(&api, "/signals/export?format=csv&language=en&type=BUY"), 200);
    assert_non_null(strstr(api.reply.body, "DATE;CHANNEL;"));
    assert_non_null(strstr(api.reply.body, row_en));
    assert_null(strstr(api.reply.body, "MESSAGE"));
}

/* 250 rows, two pages, some of equal times; then what GET /signals shows of them. */
enum { MANY = 250 };

static void store_many(void)
{
    char body[512], answer[1024];
    int fd = raw_connect(&api);
    for (int i = 0; i < MANY; i++) {
        snprintf(
            body, sizeof(body),
            "{\"channelId\":\"-1001000000005\",\"messageId\":%d,\"text\":\"COMPRA PETR4 %d\",\"channelName\":"
            "\"Muitas\",\"timestamp\":\"2020-01-01T00:%02d:00Z\"}",
            i + 1, i + 1, i / 10);
        raw_send_ingest(fd, body);
        raw_read(fd, answer, sizeof(answer), "\"ok\"}", 10000);
    }
    close(fd);
}

static void test_export_when_there_are_many_pages_then_it_is_the_list_as_a_whole(void **state)
{
    (void)state;
    store_many();
    json_t *list = api_json(&api, "/signals?limit=1000&channel=Muitas", 200);
    json_t *rows = json_object_get(list, "data");
    assert_int_equal(json_array_size(rows), MANY);
    json_t *whole = api_json(&api, "/signals/export?format=json&channel=Muitas", 200);
    assert_true(json_equal(json_object_get(whole, "data"), rows));
    json_decref(whole);
    assert_int_equal(api_get(&api, "/signals/export?format=jsonl&channel=Muitas"), 200);
    const char *at = api.reply.body;
    for (size_t i = 0; i < MANY; i++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        json_t *row = json_loadb(at, (size_t)(end - at), 0, NULL);
        assert_true(json_equal(row, json_array_get(rows, i)));
        json_decref(row);
        at = end + 1;
    }
    assert_string_equal(at, "");
    json_decref(list);
    assert_int_equal(
        api_get(&api, "/signals/export?channel=Muitas&from=2020-01-01T00:01:00Z&to=2020-01-01T00:01:59Z"),
        200);
    int lines = 0;
    for (at = api.reply.body; (at = strstr(at, "\r\n")); at += 2)
        lines++;
    assert_int_equal(lines, 1 + 10);
}

static void test_export_when_a_parameter_is_bad_then_400_names_it(void **state)
{
    static const struct {
        const char *query, *error;
    } cases[] = {
        {"format=xml", "Invalid parameter: format"},
        {"format=", "Invalid parameter: format"},
        {"format=csv&format=csv", "Invalid parameter: format"},
        {"language=fr", "Invalid parameter: language"},
        {"from=x", "Invalid parameter: from"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "/signals/export?%s", cases[i].query);
        api_get(&api, path);
        assert_error(&api, 400, cases[i].error);
    }
    assert_int_equal(api_get(&api, "/signals/export?limit=abc&asset=NADA3"), 200); /* not a parameter here */
}

static void test_export_when_asked_by_head_then_the_header_alone(void **state)
{
    const struct ts_test_request head = {.method = "HEAD", .url = api_url(&api, "/signals/export")};
    (void)state;
    for (int i = 0; i <= EXPORTS_AT_ONCE; i++) /* none is left open */
        assert_int_equal(ts_test_http(&head, &api.reply), 200);
    assert_header("Content-Type", "text/csv; charset=utf-8");
    assert_int_equal(api.reply.body_len, 0);
}

/* --- readers that do not read ------------------------------------------------------------------------------------------- */

/* 12 MB as JSON, more than the kernel takes for a client that reads nothing: a control character has six of its. */
static void store_much(void)
{
    enum { ROWS = 130, CHARACTERS = 16000 };
    static char text[6 * CHARACTERS + 1], body[sizeof(text) + 256], answer[1024];
    for (size_t i = 0; i < CHARACTERS; i++)
        memcpy(text + 6 * i, "\\u0001", 7);
    int fd = raw_connect(&api);
    for (int i = 0; i < ROWS; i++) {
        snprintf(body, sizeof(body),
                 "{\"channelId\":\"-1001000000006\",\"messageId\":%d,\"text\":\"%s\",\"timestamp\":"
                 "\"2020-01-02T00:00:00Z\"}",
                 i + 1, text);
        raw_send_ingest(fd, body);
        raw_read(fd, answer, sizeof(answer), "\"ok\"", 10000);
    }
    close(fd);
}

/* Asks and reads no more than the header. */
static int open_export(void)
{
    static char head[4096];
    int fd = raw_connect(&api);
    raw_send(fd,
             "GET /signals/export?format=jsonl&channel=-1001000000006 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read(fd, head, sizeof(head), "\r\n\r\n", 10000);
    assert_non_null(strstr(head, "200 OK"));
    assert_non_null(strstr(head, "Transfer-Encoding: chunked"));
    return fd;
}

/* Reads to the end; true when the last chunk came. */
static bool read_rest(int fd)
{
    static const char last[] = "\r\n0\r\n\r\n";
    static char bytes[7 + 256 * 1024];
    size_t len = 0;
    while (len < 7 || memcmp(bytes + len - 7, last, 7) != 0) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (len > 7) { /* only the end is of interest */
            memmove(bytes, bytes + len - 7, 7);
            len = 7;
        }
        ssize_t n = poll(&poller, 1, 20000) > 0 ? recv(fd, bytes + len, sizeof(bytes) - len, 0) : 0;
        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    return true;
}

static void test_export_when_too_many_run_then_503_until_one_ends(void **state)
{
    int fds[EXPORTS_AT_ONCE];
    char retry[16];
    (void)state;
    store_much();
    for (int i = 0; i < EXPORTS_AT_ONCE; i++)
        fds[i] = open_export();
    assert_int_equal(api_get(&api, "/signals/export"), 503);
    assert_error(&api, 503, "Too many exports");
    assert_true(ts_test_header(&api.reply, "Retry-After", retry, sizeof(retry)));
    assert_int_equal(api_get(&api, "/signals?limit=1"), 200); /* pages go on */
    assert_true(read_rest(fds[0]));
    close(fds[0]);
    assert_int_equal(api_get(&api, "/signals/export?asset=NADA3"), 200);
    for (int i = 1; i < EXPORTS_AT_ONCE; i++) /* they vanish */
        close(fds[i]);
    int open[EXPORTS_AT_ONCE];
    for (int i = 0; i < EXPORTS_AT_ONCE; i++) {
        assert_true(ts_test_wait_status(api_url(&api, "/signals/export?asset=NADA3"), 200, 10000));
        open[i] = open_export();
    }
    for (int i = 0; i < EXPORTS_AT_ONCE; i++)
        close(open[i]);
    assert_true(ts_test_wait_status(api_url(&api, "/signals/export?asset=NADA3"), 200, 10000));
}

static void test_export_when_the_service_stops_then_it_is_finished_first(void **state)
{
    (void)state;
    int fd = open_export();
    ts_test_signal(&api.process, SIGTERM);
    assert_true(read_rest(fd));
    close(fd);
    assert_true(ts_test_wait_exit(&api.process, 15000));
    assert_int_equal(WEXITSTATUS(api.process.status), 0);
    api_again(&api);
}

/* PostgreSQL goes away in the middle; before it began, that is an ordinary 503. */
static void test_export_when_the_database_goes_away_then_the_last_chunk_does_not_come(void **state)
{
    (void)state;
    if (!on_postgres())
        skip();
    int fd = open_export();
    ts_test_pg_down(&contract_pg);
    assert_false(read_rest(fd));
    close(fd);
    assert_int_equal(api_get(&api, "/signals/export"), 503);
    assert_error(&api, 503, "Failed to fetch signals");
    ts_test_pg_boot(&contract_pg);
    api_wait_healthy(&api);
    assert_true(ts_test_wait_status(api_url(&api, "/signals/export?asset=NADA3"), 200, 10000));
    assert_true(api_log_count(&api, "Failed to export signals") >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export_when_nothing_matches_then_each_form_is_empty_but_whole),
        cmocka_unit_test(test_export_when_csv_then_a_line_for_each_row_in_the_language),
        cmocka_unit_test(test_export_when_there_are_many_pages_then_it_is_the_list_as_a_whole),
        cmocka_unit_test(test_export_when_a_parameter_is_bad_then_400_names_it),
        cmocka_unit_test(test_export_when_asked_by_head_then_the_header_alone),
        cmocka_unit_test(test_export_when_too_many_run_then_503_until_one_ends),
        cmocka_unit_test(test_export_when_the_service_stops_then_it_is_finished_first),
        cmocka_unit_test(test_export_when_the_database_goes_away_then_the_last_chunk_does_not_come),
    };
    unsetenv("TZ");
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("export", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
