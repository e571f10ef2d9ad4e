/* GET /signals/stream over HTTP: live events, resume, reset, replicas, the end. */
#include "contract.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct api api;
static char text[512 * 1024];

static char store[64]; /* the name of the database, as it stands in each position */

static void read_store(struct api *of)
{
    json_t *page = api_json(of, "/signals?limit=1", 200);
    snprintf(store, sizeof(store), "%s", json_string_value(json_object_get(page, "position")));
    *strrchr(store, '-') = '\0';
    json_decref(page);
}

static int start(void **state)
{
    (void)state;
    api_start(&api, NULL);
    read_store(&api);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

/* query: "" or "?since=1"; header: a whole line or "". Returns when the stream has begun. */
static int open_stream(const struct api *from, const char *query, const char *header)
{
    int fd = raw_connect(from);
    raw_send(fd, "GET /signals/stream%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", query, header);
    raw_read(fd, text, sizeof(text), ":\n\n", 5000);
    assert_non_null(strstr(text, "200 OK"));
    assert_non_null(strstr(text, "text/event-stream"));
    return fd;
}

/* Reads until the wanted piece came, and keeps it in `text`. */
static void expect(int fd, const char *wanted)
{
    const int64_t until = ts_test_now_ms() + 10000;
    while (!strstr(text, wanted)) {
        size_t len = strlen(text);
        if (raw_read(fd, text + len, sizeof(text) - len, "\n", 1000) == 0 && ts_test_now_ms() > until)
            fail_msg("\"%s\" did not come: %s", wanted, text);
    }
}

static long last_seq(struct api *of)
{
    json_t *page = api_json(of, "/signals?limit=1", 200);
    long seq = (long)json_integer_value(json_object_get(page, "seq"));
    json_decref(page);
    return seq;
}

static void edit(long id, const char *content, const char *at)
{
    char body[512];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"text\":\"%s\",\"timestamp\":\"2026-11-"
             "03T13:00:00Z\","
             "\"editedAt\":\"%s\"}",
             id, content, at);
    assert_int_equal(api_ingest(&api, body), 200);
}

static void delete_message(long id)
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"timestamp\":\"2026-11-03T13:00:00Z\","
             "\"deleted\":true}",
             id);
    assert_int_equal(api_ingest(&api, body), 200);
}

static const char *event(const char *name, long seq)
{
    static char wanted[160];
    snprintf(wanted, sizeof(wanted), "event: signal.%s\nid: %s-%ld\ndata: {\"id\":", name, store, seq);
    return wanted;
}

static const char *reset(long seq)
{
    static char wanted[160];
    snprintf(wanted, sizeof(wanted), "event: reset\nid: %s-%ld\ndata: {\"seq\":%ld}\n\n", store, seq, seq);
    return wanted;
}

static void test_stream_when_a_message_is_stored_edited_and_deleted_then_each_is_an_event(void **state)
{
    (void)state;
    long before = last_seq(&api);
    int fd = open_stream(&api, "", "");
    api_store(&api, 1, "COMPRA PETR4 30");
    expect(fd, event("created", before + 1));
    edit(1, "COMPRA PETR4 31", "2026-11-03T13:01:00Z");
    expect(fd, event("updated", before + 2));
    expect(fd, "COMPRA PETR4 31");
    delete_message(1);
    expect(fd, event("deleted", before + 3));
    close(fd);
}

static void test_stream_when_nothing_changed_then_a_duplicate_makes_no_event(void **state)
{
    (void)state;
    api_store(&api, 2, "COMPRA PETR4 30");
    int fd = open_stream(&api, "", "");
    assert_int_equal(
        api_ingest(&api, "{\"channelId\":\"-1001000000001\",\"messageId\":2,\"text\":\"x\",\"timestamp\":"
                         "\"2026-11-03T13:00:00Z\"}"),
        200);
    api_store(&api, 3, "COMPRA PETR4 30");
    expect(fd, event("created", last_seq(&api)));
    assert_null(strstr(strstr(text, "event: ") + 1, "event: "));
    close(fd);
}

static void test_stream_when_resumed_then_only_what_came_after_is_sent_in_order(void **state)
{
    char query[64], header[128];
    (void)state;
    long before = last_seq(&api);
    for (long id = 10; id < 15; id++)
        api_store(&api, id, "COMPRA PETR4 30");
    snprintf(query, sizeof(query), "?since=%ld", before + 2);
    int fd = open_stream(&api, query, "");
    expect(fd, event("created", before + 5));
    assert_null(strstr(text, event("created", before + 2)));
    const char *third = strstr(text, event("created", before + 3)),
               *fourth = strstr(text, event("created", before + 4));
    assert_true(third && fourth && third < fourth);
    close(fd);
    /* the browser's header wins over the query */
    snprintf(header, sizeof(header), "Last-Event-ID: %s-%ld\r\n", store, before + 4);
    fd = open_stream(&api, query, header);
    expect(fd, event("created", before + 5));
    assert_null(strstr(text, event("created", before + 4)));
    close(fd);
}

static void test_stream_when_a_row_changed_twice_since_then_it_comes_once_as_it_is(void **state)
{
    char query[64];
    (void)state;
    api_store(&api, 20, "COMPRA PETR4 30");
    long before = last_seq(&api);
    edit(20, "COMPRA PETR4 31", "2026-11-03T13:01:00Z");
    edit(20, "COMPRA PETR4 32", "2026-11-03T13:02:00Z");
    snprintf(query, sizeof(query), "?since=%ld", before);
    int fd = open_stream(&api, query, "");
    expect(fd, event("updated", before + 2));
    expect(fd, "COMPRA PETR4 32");
    assert_null(strstr(text, "COMPRA PETR4 31"));
    close(fd);
}

static void test_stream_when_the_number_is_ahead_of_ours_then_reset(void **state)
{
    (void)state;
    int fd = open_stream(&api, "?since=999999999", "");
    expect(fd, reset(last_seq(&api)));
    api_store(&api, 30, "COMPRA PETR4 30");
    expect(fd, event("created", last_seq(&api)));
    close(fd);
}

static void test_stream_when_more_than_1000_changes_behind_then_reset(void **state)
{
    char query[64], body[256], answer[1024];
    (void)state;
    long before = last_seq(&api);
    int fd = raw_connect(&api);
    for (int i = 0; i < 1001; i++) {
        snprintf(body, sizeof(body),
                 "{\"channelId\":\"-1001000000002\",\"messageId\":%d,\"text\":\"x\",\"timestamp\":\"2026-11-"
                 "03T13:00:00Z\"}",
                 i + 1);
        raw_send_ingest(fd, body);
        raw_read(fd, answer, sizeof(answer), "\"ok\"}", 10000);
    }
    close(fd);
    long now = last_seq(&api);
    assert_int_equal(now, before + 1001);
    snprintf(query, sizeof(query), "?since=%ld", before);
    fd = open_stream(&api, query, "");
    expect(fd, reset(now));
    close(fd);
    /* exactly 1,000 are sent, all of them */
    snprintf(query, sizeof(query), "?since=%ld", before + 1);
    fd = open_stream(&api, query, "");
    expect(fd, event("created", now));
    assert_null(strstr(text, "event: reset"));
    assert_non_null(strstr(text, event("created", before + 2)));
    close(fd);
}

/* A number of the demonstration's database, or of the time before a restore, says nothing about ours. */
static void test_stream_when_the_position_is_of_another_database_then_reset(void **state)
{
    char header[128], query[128];
    (void)state;
    for (long id = 60; id < 63; id++)
        api_store(&api, id, "COMPRA PETR4 30");
    long now = last_seq(&api);
    static const char *const strangers[] = {"Last-Event-ID: 0123456789abcdef-1\r\n", "Last-Event-ID: 1\r\n"};
    for (size_t i = 0; i < 2; i++) {
        int fd = open_stream(&api, "", strangers[i]);
        expect(fd, reset(now));
        assert_null(strstr(text, "event: signal"));
        close(fd);
    }
    int fd = open_stream(&api, "?since=0123456789abcdef-1", "");
    expect(fd, reset(now));
    close(fd);
    snprintf(query, sizeof(query), "?since=%s-%ld", store, now - 1);
    snprintf(header, sizeof(header), "Last-Event-ID: %s-%ld\r\n", store, now - 1);
    fd = open_stream(&api, query, "");
    expect(fd, event("created", now));
    assert_null(strstr(text, "event: reset"));
    close(fd);
    fd = open_stream(&api, "", header);
    expect(fd, event("created", now));
    assert_null(strstr(text, "event: reset"));
    close(fd);
}

static void test_stream_when_there_are_several_readers_then_each_gets_everything(void **state)
{
    int fds[20];
    (void)state;
    for (int i = 0; i < 20; i++)
        fds[i] = open_stream(&api, "", "");
    api_store(&api, 40, "COMPRA PETR4 30");
    long seq = last_seq(&api);
    for (int i = 0; i < 20; i++) {
        text[0] = '\0';
        expect(fds[i], event("created", seq));
        close(fds[i]);
    }
}

/* What the kernel takes for it is full, then what we keep; after the server's patience with a write it is cut, and nobody else is. */
static void test_stream_when_a_reader_does_not_read_then_it_is_cut_and_others_go_on(void **state)
{
    enum { ROWS = 600, PATIENCE_MS = 60000 };
    static char big[16001];
    const int small = 4096;
    (void)state;
    if (on_postgres())
        skip(); /* the database has no part in it */
    memset(big, 'x', sizeof(big) - 1);
    int lazy = open_stream(&api, "", "");
    assert_int_equal(setsockopt(lazy, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    int fd = open_stream(&api, "", "");
    long before = last_seq(&api);
    for (long n = 1; n <= ROWS; n++) {
        api_store(&api, 2000 + n, big);
        text[0] = '\0';
        expect(fd, event("created", before + n));
    }
    const int64_t until = ts_test_now_ms() + PATIENCE_MS;
    while (api_log_count(&api, "Client does not take its answer, connection cut") == 0) {
        assert_true(ts_test_now_ms() < until);
        ts_test_sleep_ms(200);
    }
    text[0] = '\0';
    api_store(&api, 2000 + ROWS + 1, "COMPRA PETR4 30");
    expect(fd, event("created", before + ROWS + 1));
    assert_int_equal(api_log_count(&api, "Client does not take its answer, connection cut"), 1);
    close(fd);
    close(lazy);
}

static void test_stream_when_the_number_is_none_then_400(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "/signals/stream?since=x", "/signals/stream?since=-1",   "/signals/stream?since=1.5",
        "/signals/stream?since=",  "/signals/stream?since=abc-", "/signals/stream?since=abc-x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        api_get(&api, bad[i]);
        assert_error(&api, 400, "Invalid parameter: since");
    }
}

static void test_stream_when_the_service_stops_then_it_ends(void **state)
{
    (void)state;
    int fd = open_stream(&api, "", "");
    ts_test_signal(&api.process, SIGTERM);
    assert_true(ts_test_wait_exit(&api.process, 10000));
    assert_int_equal(WEXITSTATUS(api.process.status), 0);
    close(fd);
    api_again(&api);
}

/* PostgreSQL: what one replica stores, the readers of another are told. */
static void test_stream_when_another_replica_stores_then_the_event_comes_too(void **state)
{
    struct api other;
    (void)state;
    if (!on_postgres())
        skip();
    api_start_replica(&api, &other);
    int fd = open_stream(&other, "", "");
    api_store(&api, 50, "COMPRA PETR4 30");
    expect(fd, event("created", last_seq(&api)));
    assert_int_equal(last_seq(&other), last_seq(&api));
    close(fd);
    api_stop(&other);
}

/* PostgreSQL: NOTIFY is one for all schemas of a database. */
static void test_stream_when_another_schema_has_higher_numbers_then_ours_goes_on(void **state)
{
    struct api other;
    (void)state;
    if (!on_postgres())
        skip();
    api_start(&other, NULL);
    int fd = open_stream(&api, "", "");
    api_sql(&other, "UPDATE @change_seq SET first_seq = 900001, last_seq = 900000");
    api_store(&other, 70, "COMPRA PETR4 30");
    ts_test_sleep_ms(200); /* the strange notification has come by now; if not, the test only sees less */
    api_store(&api, 71, "COMPRA PETR4 30");
    expect(fd, event("created", last_seq(&api)));
    close(fd);
    api_stop(&other);
}

/* PostgreSQL: the database is put back to an earlier state, and then replaced by another one, under a running service. */
static void test_stream_when_the_database_is_restored_then_reset_and_no_old_answer(void **state)
{
    struct api own;
    (void)state;
    if (!on_postgres())
        skip();
    api_start(&own, NULL);
    read_store(&own);
    for (long id = 1; id <= 3; id++)
        api_store(&own, id, "COMPRA PETR4 30");
    int fd = open_stream(&own, "", "");
    assert_int_equal(last_seq(&own), 3);
    api_sql(
        &own,
        "DELETE FROM @tp_capital_signals WHERE seq > 1; DELETE FROM @ingested_messages WHERE signal_id > 1;"
        " UPDATE @change_seq SET last_seq = 1");
    expect(fd, reset(1));
    assert_int_equal(last_seq(&own), 1);
    api_store(&own, 2, "COMPRA PETR4 30");
    expect(fd, event("created", 2));
    api_sql(&own, "UPDATE @change_seq SET last_seq = 50, store_id = 'another'");
    expect(fd, "event: reset\nid: another-50\ndata: {\"seq\":50}\n\n");
    api_store(&own, 4, "COMPRA PETR4 30");
    expect(fd, "event: signal.created\nid: another-51\n");
    close(fd);
    api_stop(&own);
    read_store(&api);
}

/* What store_draw_reset() leaves behind: three rows under one number. */
#define CHANGE_MANY_AT_ONCE                                                                                 \
    "UPDATE @change_seq SET first_seq = last_seq + 1, last_seq = last_seq + 1, reset_seq = last_seq + 1;"   \
    " UPDATE @tp_capital_signals SET seq = (SELECT last_seq FROM @change_seq), source = 'sync' WHERE id > " \
    "%ld"

static void test_stream_when_many_rows_changed_at_once_then_a_reader_from_before_gets_one_reset(void **state)
{
    char sql[512], query[128];
    (void)state;
    for (long id = 80; id < 83; id++)
        api_store(&api, id, "COMPRA PETR4 30");
    long before = last_seq(&api);
    snprintf(sql, sizeof(sql), CHANGE_MANY_AT_ONCE, before - 3);
    api_sql(&api, sql);
    long now = before + 1; /* which nobody told the service, on PostgreSQL */
    for (long since = before - 1; since <= before + 1; since++) {
        bool knows_all = since > before;
        snprintf(query, sizeof(query), "?since=%s-%ld", store, since);
        int fd = open_stream(&api, query, "");
        if (!knows_all)
            expect(fd, reset(now));
        api_store(&api, 90 + since, "COMPRA PETR4 30");
        expect(fd, event("created", ++now));
        assert_null(strstr(text, "signal.updated"));
        assert_int_equal(knows_all, !strstr(text, "event: reset"));
        close(fd);
    }
}

/* PostgreSQL: whoever changed them. */
static void test_stream_when_many_rows_changed_at_once_then_open_streams_of_all_replicas_get_reset(
    void **state)
{
    struct api other;
    char sql[512];
    (void)state;
    if (!on_postgres())
        skip();
    api_start_replica(&api, &other);
    api_store(&api, 85, "COMPRA PETR4 30");
    long before = last_seq(&api);
    const int fds[] = {open_stream(&api, "", ""), open_stream(&other, "", "")};
    snprintf(sql, sizeof(sql), CHANGE_MANY_AT_ONCE, before - 1);
    api_sql(&api, sql);
    for (size_t i = 0; i < 2; i++) {
        text[0] = '\0';
        expect(fds[i], reset(before + 1));
        assert_null(strstr(text, "event: signal"));
        close(fds[i]);
    }
    api_stop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_when_a_message_is_stored_edited_and_deleted_then_each_is_an_event),
        cmocka_unit_test(test_stream_when_nothing_changed_then_a_duplicate_makes_no_event),
        cmocka_unit_test(test_stream_when_resumed_then_only_what_came_after_is_sent_in_order),
        cmocka_unit_test(test_stream_when_a_row_changed_twice_since_then_it_comes_once_as_it_is),
        cmocka_unit_test(test_stream_when_the_number_is_ahead_of_ours_then_reset),
        cmocka_unit_test(test_stream_when_the_position_is_of_another_database_then_reset),
        cmocka_unit_test(test_stream_when_another_schema_has_higher_numbers_then_ours_goes_on),
        cmocka_unit_test(test_stream_when_the_database_is_restored_then_reset_and_no_old_answer),
        cmocka_unit_test(test_stream_when_many_rows_changed_at_once_then_a_reader_from_before_gets_one_reset),
        cmocka_unit_test(
            test_stream_when_many_rows_changed_at_once_then_open_streams_of_all_replicas_get_reset),
        cmocka_unit_test(test_stream_when_more_than_1000_changes_behind_then_reset),
        cmocka_unit_test(test_stream_when_there_are_several_readers_then_each_gets_everything),
        cmocka_unit_test(test_stream_when_a_reader_does_not_read_then_it_is_cut_and_others_go_on),
        cmocka_unit_test(test_stream_when_the_number_is_none_then_400),
        cmocka_unit_test(test_stream_when_the_service_stops_then_it_ends),
        cmocka_unit_test(test_stream_when_another_replica_stores_then_the_event_comes_too),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("stream", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
