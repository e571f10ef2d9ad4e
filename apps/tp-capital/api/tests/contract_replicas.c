/* Several replicas on one PostgreSQL: one message at two doors, two batches at once, and the nginx that we ship in front of them. */
#include "contract.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing/nginx.h"

static struct api first, second;
static struct ts_test_nginx nginx;
static struct api front; /* nginx, as something to call */
static char text[512 * 1024];

#define PROXIED "TRUSTED_PROXIES=127.0.0.1/32"

static void start_nginx(void)
{
    char listen[64], list[128];
    const struct ts_test_file files[] = {{"tp-capital-listen.conf", listen},
                                         {"tp-capital-replicas.conf", list}};
    const int port = ts_test_free_port();

    snprintf(listen, sizeof(listen), "listen 127.0.0.1:%d;\n", port);
    snprintf(list, sizeof(list), "server 127.0.0.1:%d max_fails=0;\nserver 127.0.0.1:%d max_fails=0;\n",
             first.port, second.port);
    ts_test_nginx_start(&nginx, "apps/tp-capital/api/nginx/replicas.conf", port, files, 2);
    front = (struct api){.port = port};
}

static const char *message(char out[512], long channel, long id)
{
    snprintf(
        out, 512,
        "{\"channelId\":\"-100100000000%ld\",\"messageId\":%ld,\"text\":\"COMPRA PETR4 30\",\"timestamp\":"
        "\"2026-11-03T13:00:00Z\",\"channelName\":\"Sala %ld\"}",
        channel, id, channel);
    return out;
}

/* --- idempotency -------------------------------------------------------------------------------------------------------- */

static void test_message_when_it_comes_to_both_replicas_at_once_then_one_stores_and_one_skips(void **state)
{
    enum { ROUNDS = 50 };
    char body[512], answers[2][2048];
    int stored = 0, skipped = 0;
    (void)state;
    for (long id = 1; id <= ROUNDS; id++) {
        int fds[2] = {raw_connect(&first), raw_connect(&second)};
        for (int i = 0; i < 2; i++)
            raw_send_ingest(fds[i], message(body, 1, id));
        for (int i = 0; i < 2; i++) {
            raw_read(fds[i], answers[i], sizeof(answers[i]), "}", 15000);
            stored += strstr(answers[i], "{\"status\":\"ok\"}") != NULL;
            skipped += strstr(answers[i], "{\"status\":\"ok\",\"skipped\":true}") != NULL;
            close(fds[i]);
        }
    }
    assert_int_equal(stored, ROUNDS);
    assert_int_equal(skipped, ROUNDS);
    assert_int_equal(api_rows(&first, "ingested_messages WHERE channel_id = -1001000000001"), ROUNDS);
    assert_int_equal(api_rows(&first, "tp_capital_signals WHERE channel_id = -1001000000001"), ROUNDS);
}

/* --- order -------------------------------------------------------------------------------------------------------------- */

static PGconn *foreign_session(void)
{
    char sql[128];
    PGconn *conn = PQconnectdb(contract_pg.url);
    snprintf(sql, sizeof(sql), "SET search_path = %s", first.schema);
    PQclear(PQexec(conn, sql));
    return conn;
}

static void execute(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

static void await_count(const char *sql, long wanted)
{
    const int64_t until = ts_test_now_ms() + 20000;
    while (ts_test_pg_count(&contract_pg, sql) != wanted) {
        if (ts_test_now_ms() > until)
            fail_msg("never %ld: %s", wanted, sql);
        ts_test_sleep_ms(5);
    }
}

static long seq_of(long channel, long id)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT seq FROM %s.tp_capital_signals WHERE channel_id = -100100000000%ld AND message_id = %ld",
             first.schema, channel, id);
    return ts_test_pg_count(&contract_pg, sql);
}

static int open_stream(const struct api *from, const char *position)
{
    int fd = raw_connect(from);
    raw_send(fd, "GET /signals/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n", position);
    raw_read(fd, text, sizeof(text), ":\n\n", 10000);
    assert_non_null(strstr(text, "200 OK"));
    return fd;
}

static void expect_both(int fd, const char *earlier, const char *later)
{
    const int64_t until = ts_test_now_ms() + 20000;
    while (!strstr(text, earlier) || !strstr(text, later)) {
        size_t len = strlen(text);
        if (raw_read(fd, text + len, sizeof(text) - len, "\n", 1000) == 0 && ts_test_now_ms() > until)
            fail_msg("\"%s\" and \"%s\" did not both come: %s", earlier, later, text);
    }
    assert_true(strstr(text, earlier) < strstr(text, later));
}

static void read_position(char out[128])
{
    json_t *page = api_json(&first, "/signals?limit=1", 200);
    snprintf(out, 128, "%s", json_string_value(json_object_get(page, "position")));
    json_decref(page);
}

/*
 * The first replica has drawn its number and can't commit, because a row that it needs is locked; the second has a message that needs nothing of the
 * kind. Could it draw the next number and commit before the first, a client that had seen it would never be told of the first. It has to wait.
 */
static void test_batches_when_they_overlap_then_the_second_waits_and_a_resuming_client_sees_both(void **state)
{
    char body[512], position[128], answer[2048], ids[2][64], sql[256];
    (void)state;
    assert_int_equal(api_ingest(&first, message(body, 2, 1)),
                     200); /* the channel's row of statistics is there */
    read_position(position);
    PGconn *foreign = foreign_session();
    execute(foreign, "BEGIN; SELECT * FROM channel_stats WHERE channel_id = -1001000000002 FOR UPDATE");
    int fds[2] = {raw_connect(&first), raw_connect(&second)};
    raw_send_ingest(fds[0], message(body, 2, 2));
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted");
    await_count(sql, 1);
    raw_send_ingest(fds[1], message(body, 3, 1));
    await_count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", 1);
    int streams[2] = {open_stream(&second, position), -1};
    assert_int_equal(seq_of(3, 1), 0); /* not there: the second has not overtaken the first */
    execute(foreign, "COMMIT");
    PQfinish(foreign);
    for (int i = 0; i < 2; i++) {
        raw_read(fds[i], answer, sizeof(answer), "}", 15000);
        assert_non_null(strstr(answer, "{\"status\":\"ok\"}"));
        close(fds[i]);
    }
    long a = seq_of(2, 2), b = seq_of(3, 1);
    assert_true(a > 0 && b > 0 && a != b);
    snprintf(ids[0], sizeof(ids[0]), "-%ld\ndata", a < b ? a : b);
    snprintf(ids[1], sizeof(ids[1]), "-%ld\ndata", a < b ? b : a);
    expect_both(streams[0], ids[0], ids[1]); /* one that was there all the time */
    streams[1] = open_stream(&first, position);
    expect_both(streams[1], ids[0], ids[1]); /* one that was away meanwhile */
    close(streams[0]);
    close(streams[1]);
}

/* --- nginx -------------------------------------------------------------------------------------------------------------- */

static void assert_header(const char *name, const char *wanted)
{
    char value[128] = "";
    if (!ts_test_header(&front.reply, name, value, sizeof(value)) || strcmp(value, wanted) != 0)
        fail_msg("%s is \"%s\", not \"%s\": %s", name, value, wanted, front.reply.headers);
}

static void assert_form_of_an_answer(void)
{
    assert_header("X-Content-Type-Options", "nosniff");
    assert_header("X-Frame-Options", "DENY");
    assert_header("Referrer-Policy", "no-referrer");
    assert_header("Server", "nginx");
    assert_null(strstr(front.reply.body, "nginx"));
    const char *once = strstr(front.reply.headers, "X-Frame-Options");
    assert_null(strstr(once + 1, "X-Frame-Options"));
}

static void test_nginx_when_it_answers_by_itself_then_the_contract_s_form(void **state)
{
    static char large[1024 * 1024 + 2];
    (void)state;
    assert_int_equal(api_get(&front, "/signals"), 200);
    assert_form_of_an_answer();
    assert_int_equal(api_get(&front, "/nothing"), 404);
    assert_form_of_an_answer();
    assert_int_equal(api_get(&front, "/metrics"), 404);
    assert_error(&front, 404, "Not Found");
    assert_form_of_an_answer();
    memset(large, 'x', sizeof(large) - 1);
    assert_int_equal(api_ingest(&front, large), 413);
    assert_error(&front, 413, "Payload too large");
    assert_form_of_an_answer();
}

static void test_nginx_when_no_replica_is_there_then_503_and_retry_after(void **state)
{
    char body[512];
    (void)state;
    ts_test_end(&first.process, SIGKILL);
    assert_int_equal(api_ingest(&front, message(body, 4, 1)), 200); /* the other one */
    ts_test_end(&second.process, SIGKILL);
    assert_int_equal(api_ingest(&front, message(body, 4, 2)), 503);
    assert_error(&front, 503, "No replica answers, please retry");
    assert_header("Retry-After", "5");
    assert_form_of_an_answer();
    api_again(&first);
    assert_int_equal(api_ingest(&front, message(body, 4, 2)), 200);
    api_again(&second);
}

/* From an address of its own, with a lie about others. */
static void ask_from(const char *address, const char *request, char *answer, size_t size)
{
    struct sockaddr_in here = {.sin_family = AF_INET},
                       to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)nginx.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    here.sin_addr.s_addr = inet_addr(address);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    raw_send(fd, "%s HTTP/1.0\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n", request);
    raw_read(fd, answer, size, NULL, 10000);
    close(fd);
}

static void test_nginx_when_clients_differ_then_limit_and_alarm_go_by_the_client_s_own_address(void **state)
{
    char answer[4096];
    int served = 0, refused = 0;
    (void)state;
    for (int i = 0; i < 40; i++) { /* each replica counts for itself: 10 a replica */
        ask_from("127.0.0.2", "GET /channels", answer, sizeof(answer));
        served += strstr(answer, " 200 ") != NULL;
        refused += strstr(answer, " 429 ") != NULL;
    }
    assert_int_equal(served, 20);
    assert_int_equal(refused, 20);
    ask_from("127.0.0.3", "GET /channels", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 200 "));
    for (int i = 0; i < 20; i++)
        ask_from("127.0.0.4", "POST /ingest", answer, sizeof(answer));
    static const char alarm[] = "SECURITY: Multiple failed auth attempts from IP 127.0.0.4";
    assert_int_equal(api_log_count(&first, alarm) + api_log_count(&second, alarm), 2);
    assert_int_equal(api_log_count(&first, "198.51.100.7") + api_log_count(&second, "198.51.100.7"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_when_it_comes_to_both_replicas_at_once_then_one_stores_and_one_skips),
        cmocka_unit_test(
            test_batches_when_they_overlap_then_the_second_waits_and_a_resuming_client_sees_both),
        cmocka_unit_test(test_nginx_when_it_answers_by_itself_then_the_contract_s_form),
        cmocka_unit_test(test_nginx_when_clients_differ_then_limit_and_alarm_go_by_the_client_s_own_address),
        cmocka_unit_test(test_nginx_when_no_replica_is_there_then_503_and_retry_after),
    };
    contract_setup(NULL);
    api_start(&first, (const char *const[]){PROXIED, "RATE_LIMIT_MAX=10", NULL});
    api_start_replica(&first, &second);
    start_nginx();
    int failed = cmocka_run_group_tests_name("replicas", tests, NULL, NULL);
    ts_test_nginx_stop(&nginx);
    ts_test_signal(&first.process, SIGTERM); /* both say goodbye at the same time */
    api_stop(&second);
    (void)ts_test_wait_exit(&first.process, 12000);
    api_stop(&first);
    contract_teardown(NULL);
    return failed;
}
