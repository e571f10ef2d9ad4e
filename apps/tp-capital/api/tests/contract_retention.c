/* SIGNALS_RETENTION_DAYS: what goes, what stays, what is told about it, and what comes too late. */
#include "contract.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL       "-1001000000031"
#define OTHER_CHANNEL "-1001000000032"
#define PATIENCE_MS   60000

static const char *const thirty_days[] = {"SIGNALS_RETENTION_DAYS=30", NULL};

static struct api api;

static int start(void **state)
{
    (void)state;
    api_start(&api, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

/* --- messages ----------------------------------------------------------------------------------------------------------- */

static const char *hours_ago(long hours)
{
    static char times[4][32];
    static unsigned next;
    char *text = times[next++ % 4];
    time_t then = time(NULL) - hours * 3600;
    struct tm tm;
    strftime(text, sizeof(times[0]), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&then, &tm));
    return text;
}

/* more: further fields, each with a comma before it. */
static void send_message(const char *channel, long id, long hours, const char *more, bool skipped)
{
    char body[1024];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"%s\",\"messageId\":%ld,\"text\":\"COMPRA PETR4 30\",\"timestamp\":\"%s\"%s}",
             channel, id, hours_ago(hours), more);
    assert_int_equal(api_ingest(&api, body), 200);
    assert_string_equal(api.reply.body,
                        skipped ? "{\"status\":\"ok\",\"skipped\":true}" : "{\"status\":\"ok\"}");
}

static void store_message(long id, long days)
{
    send_message(CHANNEL, id, days * 24, "", false);
}

/* As if the message of this id, the only one of the store, had come `n` more times under other ids. */
static void multiply_message(long n)
{
    static const char *const statements =
        "INSERT INTO @ingested_messages (channel_id, message_id, revision, ts, ingested_at, signal_id, "
        "raw_message)"
        " WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %ld)"
        " SELECT channel_id, message_id + c.n, 0, ts, ingested_at, signal_id + c.n, raw_message"
        " FROM @ingested_messages, c;"
        "INSERT INTO @tp_capital_signals (id, seq, ts, channel, channel_id, message_id, signal_type, asset,"
        " raw_message, source, ingested_at, created_at, updated_at)"
        " WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %ld)"
        " SELECT id + c.n, seq + c.n, ts, channel, channel_id, message_id + c.n, signal_type, asset,"
        " raw_message, source, ingested_at, created_at, updated_at FROM @tp_capital_signals, c;"
        "UPDATE @channel_stats SET signal_count = signal_count + %ld;"
        "UPDATE @change_seq SET first_seq = 1, last_seq = last_seq + %ld";
    char sql[1024];
    snprintf(sql, sizeof(sql), statements, n, n, n, n);
    api_sql(&api, sql);
}

/* --- runs --------------------------------------------------------------------------------------------------------------- */

static void wait_for_run(struct api *of)
{
    const int64_t until = ts_test_now_ms() + PATIENCE_MS;
    while (api_metric(of, "api_retention_last_run_timestamp_seconds") <= 0) {
        if (ts_test_now_ms() > until)
            fail_msg("no run of retention ended: %s", ts_test_read_file(of->process.output));
        ts_test_sleep_ms(20);
    }
}

static void restart_with_retention(void)
{
    ts_test_end(&api.process, SIGTERM);
    api_again_with(&api, thirty_days);
}

static long removed(struct api *of, const char *kind)
{
    char sample[96];
    snprintf(sample, sizeof(sample), "api_retention_removed_total{kind=\"%s\"}", kind);
    return (long)api_metric(of, sample);
}

static json_t *page(void)
{
    return api_json(&api, "/signals?limit=10", 200);
}

static long last_seq(void)
{
    json_t *json = page();
    long seq = (long)json_integer_value(json_object_get(json, "seq"));
    json_decref(json);
    return seq;
}

/* --- what goes ---------------------------------------------------------------------------------------------------------- */

static void store_old_and_young(void)
{
    char edit[64];
    api_sql(&api, on_postgres() ? "INSERT INTO @telegram_channels (id, label, channel_id) VALUES "
                                  "('channel-1', 'Sala', " CHANNEL ")"
                                : "INSERT INTO telegram_channels (id, label, channel_id, created_at, "
                                  "updated_at) VALUES ('channel-1', 'Sala', " CHANNEL ", 0, 0)");
    store_message(1, 60);
    store_message(2, 60);
    snprintf(edit, sizeof(edit), ",\"editedAt\":\"%s\",\"caption\":\"x\"", hours_ago(59 * 24));
    send_message(CHANNEL, 3, 60 * 24, edit, false);
    store_message(4, 1);
    send_message(OTHER_CHANNEL, 5, 90 * 24,
                 ",\"forwarded\":{\"originalChannelId\":\"" OTHER_CHANNEL
                 "\",\"originalMessageId\":5,\"destinationChannelId\":\"" CHANNEL "\",\"method\":\"copy\"}",
                 false);
    send_message(OTHER_CHANNEL, 6, 60 * 24, ",\"deleted\":true", false); /* a key without a signal */
}

static void assert_only_the_young_are_left(void)
{
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 1);
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE message_id = 4"), 1);
    assert_int_equal(api_rows(&api, "ingested_messages"), 1);
    assert_int_equal(api_rows(&api, "forwarded_messages"), 0);
    assert_int_equal(api_rows(&api, "channel_stats"), 1);
    assert_int_equal(api_rows(&api, "channel_stats WHERE signal_count = 1 AND channel_id = " CHANNEL), 1);
    assert_int_equal(api_rows(&api, "telegram_channels WHERE signal_count = 1"), 1);
}

static void test_retention_when_started_then_the_old_goes_with_its_keys_and_counters_follow(void **state)
{
    (void)state;
    store_old_and_young();
    assert_int_equal(api_rows(&api, "telegram_channels WHERE signal_count = 4"), 1);
    restart_with_retention();
    wait_for_run(&api);
    assert_only_the_young_are_left();
    assert_int_equal(removed(&api, "signals"), 4);
    assert_int_equal(removed(&api, "messages"), 5);
    assert_int_equal(removed(&api, "forwarded"), 1);
    assert_int_equal(api_log_count(&api, "Retention removed what was too old"), 1);
    if (on_timescale()) /* two of signals, one of forwarded messages */
        assert_int_equal(api_log_count(&api, "\"chunks\":3"), 1);
}

static void test_retention_when_a_deleted_signal_is_old_then_it_leaves_the_archive_too(void **state)
{
    static const char *const body = "{\"id\":%lld}";
    char text[64];
    json_t *json, *row;
    size_t i;
    (void)state;
    store_message(1, 60);
    store_message(2, 1);
    json = page();
    json_array_foreach(json_object_get(json, "data"), i, row)
    {
        snprintf(text, sizeof(text), body, json_integer_value(json_object_get(row, "id")));
        assert_int_equal(api_call(&api, "DELETE", "/signals", NULL, text), 200);
    }
    json_decref(json);
    assert_int_equal(api_rows(&api, "tp_capital_signals_deleted"), 2);
    restart_with_retention();
    wait_for_run(&api);
    assert_int_equal(api_rows(&api, "tp_capital_signals_deleted"), 1);
    assert_int_equal(api_rows(&api, "tp_capital_signals_deleted WHERE message_id = 2"), 1);
    assert_int_equal(removed(&api, "archived"), 1);
}

static void test_retention_when_zero_then_all_is_kept(void **state)
{
    (void)state;
    store_message(1, 3000);
    ts_test_end(&api.process, SIGTERM);
    api_again_with(&api, (const char *const[]){"SIGNALS_RETENTION_DAYS=0", NULL});
    store_message(2, 3000);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 2);
    assert_true(api_metric(&api, "api_retention_last_run_timestamp_seconds") == 0);
}

static void test_retention_when_rows_are_many_then_they_go_in_slices_and_messages_are_taken_in_between(
    void **state)
{
    (void)state;
    store_message(1, 60);
    multiply_message(4500);
    long before = last_seq();
    restart_with_retention();
    for (long id = 10000; id < 10030; id++)
        store_message(id, 1);
    wait_for_run(&api);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 30);
    assert_int_equal(api_rows(&api, "ingested_messages"), 30);
    assert_int_equal(api_rows(&api, "channel_stats WHERE signal_count = 30"), 1);
    assert_int_equal(removed(&api, "signals"), 4501);
    assert_int_equal(removed(&api, "messages"), 4501);
    /* 30 messages and one number a slice: 1,000 rows, or a chunk. */
    assert_int_equal(last_seq() - before, 30 + (on_timescale() ? 1 : 5));
}

/* --- what is told ------------------------------------------------------------------------------------------------------- */

static void test_retention_when_rows_go_then_streams_are_reset_and_old_answers_end(void **state)
{
    static char text[64 * 1024];
    char etag[128], header[160], path[64];
    (void)state;
    store_message(1, 60);
    store_message(2, 1);
    json_t *json = page();
    long id =
        (long)json_integer_value(json_object_get(json_array_get(json_object_get(json, "data"), 1), "id"));
    const char *position = json_string_value(json_object_get(json, "position"));
    snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", position);
    json_decref(json);
    assert_true(ts_test_header(&api.reply, "ETag", etag, sizeof(etag)));

    restart_with_retention();
    wait_for_run(&api);
    int fd = raw_connect(&api);
    raw_send(fd, "GET /signals/stream HTTP/1.1\r\nHost: localhost\r\n%s\r\n", header);
    raw_read(fd, text, sizeof(text), "event: ", 10000);
    assert_non_null(strstr(text, "event: reset"));
    close(fd);
    snprintf(header, sizeof(header), "If-None-Match: %s", etag);
    const struct ts_test_request again = {.url = api_url(&api, "/signals?limit=10"),
                                          .headers = (const char *const[]){header, NULL}};
    assert_int_equal(ts_test_http(&again, &api.reply), 200);
    snprintf(path, sizeof(path), "/signals/%ld", id);
    assert_int_equal(api_get(&api, path), 404);
}

/* --- what comes too late ------------------------------------------------------------------------------------------------ */

static void test_ingest_when_older_than_the_retention_then_skipped_and_nothing_is_stored(void **state)
{
    char edit[64];
    (void)state;
    ts_test_end(&api.process, SIGTERM);
    api_again_with(&api, thirty_days);
    wait_for_run(&api);
    double before = api_metric(&api, "api_ingestion_requests_total{status=\"duplicate\"}");
    send_message(CHANNEL, 1, 30 * 24 + 1, "", true);
    snprintf(edit, sizeof(edit), ",\"editedAt\":\"%s\"", hours_ago(1));
    send_message(CHANNEL, 1, 30 * 24 + 1, edit, true);
    send_message(CHANNEL, 1, 30 * 24 + 1, ",\"deleted\":true", true);
    assert_true(api_metric(&api, "api_ingestion_requests_total{status=\"duplicate\"}") == before + 3);
    assert_int_equal(api_rows(&api, "ingested_messages"), 0);
    send_message(CHANNEL, 2, 30 * 24 - 1, "", false);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 1);
}

static void test_replay_when_the_message_was_removed_then_it_does_not_come_back(void **state)
{
    (void)state;
    store_message(1, 60);
    restart_with_retention();
    wait_for_run(&api);
    send_message(CHANNEL, 1, 60 * 24, "", true);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 0);
    assert_int_equal(api_rows(&api, "ingested_messages"), 0);
}

/* --- interrupted -------------------------------------------------------------------------------------------------------- */

static void test_sigterm_when_retention_is_at_work_then_exit_0_and_the_next_start_goes_on(void **state)
{
    (void)state;
    store_message(1, 60);
    multiply_message(4500);
    restart_with_retention();
    ts_test_end(&api.process, SIGTERM);
    assert_true(WIFEXITED(api.process.status) && WEXITSTATUS(api.process.status) == 0);
    api_again(&api);
    wait_for_run(&api);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 0);
    assert_int_equal(api_rows(&api, "ingested_messages"), 0);
    assert_int_equal(api_rows(&api, "channel_stats"), 0);
}

/* --- replicas ----------------------------------------------------------------------------------------------------------- */

static void test_retention_when_two_replicas_start_then_each_row_is_removed_once(void **state)
{
    struct api other;
    (void)state;
    if (!on_postgres())
        skip();
    store_message(1, 60);
    multiply_message(4500);
    restart_with_retention();
    api_start_replica(&api, &other);
    const int64_t until = ts_test_now_ms() + PATIENCE_MS;
    while (api_rows(&api, "ingested_messages") > 0 && ts_test_now_ms() < until)
        ts_test_sleep_ms(20);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 0);
    assert_int_equal(api_rows(&api, "ingested_messages"), 0);
    /* Counters follow the commit a moment later. */
    while (removed(&api, "messages") + removed(&other, "messages") < 4501 && ts_test_now_ms() < until)
        ts_test_sleep_ms(20);
    assert_int_equal(removed(&api, "messages") + removed(&other, "messages"), 4501);
    assert_int_equal(removed(&api, "signals") + removed(&other, "signals"), 4501);
    api_stop(&other);
}

/* The lock of store_retention.c, held as another replica would. */
static void test_retention_when_another_replica_is_at_work_then_it_is_left_alone(void **state)
{
    char sql[128];
    (void)state;
    if (!on_postgres())
        skip();
    store_message(1, 60);
    ts_test_end(&api.process, SIGTERM);
    PGconn *other = PQconnectdb(contract_pg.url);
    snprintf(sql, sizeof(sql), "SELECT pg_advisory_lock(1886544754, hashtext('%s'))", api.schema);
    PGresult *result = PQexec(other, sql);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);
    api_again_with(&api, (const char *const[]){thirty_days[0], "LOG_LEVEL=debug", NULL});
    const int64_t until = ts_test_now_ms() + PATIENCE_MS;
    while (api_log_count(&api, "Retention is left to another replica") == 0 && ts_test_now_ms() < until)
        ts_test_sleep_ms(20);
    assert_int_equal(api_log_count(&api, "Retention is left to another replica"), 1);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 1);
    PQfinish(other);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(test_retention_when_started_then_the_old_goes_with_its_keys_and_counters_follow),
        EACH(test_retention_when_a_deleted_signal_is_old_then_it_leaves_the_archive_too),
        EACH(test_retention_when_zero_then_all_is_kept),
        EACH(test_retention_when_rows_are_many_then_they_go_in_slices_and_messages_are_taken_in_between),
        EACH(test_retention_when_rows_go_then_streams_are_reset_and_old_answers_end),
        EACH(test_ingest_when_older_than_the_retention_then_skipped_and_nothing_is_stored),
        EACH(test_replay_when_the_message_was_removed_then_it_does_not_come_back),
        EACH(test_sigterm_when_retention_is_at_work_then_exit_0_and_the_next_start_goes_on),
        EACH(test_retention_when_another_replica_is_at_work_then_it_is_left_alone),
        EACH(test_retention_when_two_replicas_start_then_each_row_is_removed_once),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("retention", tests, NULL, NULL);
    contract_teardown(NULL);
    return failed;
}
