/* What only a TimescaleDB has: hypertables, also on one that comes later, and chunks that retention drops or must leave. */
#include "contract.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 60000

static const char *const thirty_days[] = {"SIGNALS_RETENTION_DAYS=30", NULL};

static struct api api;

static void store_days_ago(long id, long days)
{
    char body[512], when[32];
    time_t then = time(NULL) - days * 86400;
    struct tm tm;
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&then, &tm));
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000041\",\"messageId\":%ld,\"text\":\"COMPRA PETR4 30\",\"timestamp\":"
             "\"%s\"}",
             id, when);
    assert_int_equal(api_ingest(&api, body), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
}

static long chunks_of(struct ts_test_pg *pg, const char *schema, const char *table)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_schema = '%s'"
             " AND hypertable_name = '%s'",
             schema, table);
    return ts_test_pg_count(pg, sql);
}

static void wait_for_run(void)
{
    const int64_t until = ts_test_now_ms() + PATIENCE_MS;
    while (api_metric(&api, "api_retention_last_run_timestamp_seconds") <= 0) {
        if (ts_test_now_ms() > until)
            fail_msg("no run of retention ended: %s", ts_test_read_file(api.process.output));
        ts_test_sleep_ms(20);
    }
}

static void test_store_when_timescale_is_there_then_rows_lie_in_chunks_of_a_week(void **state)
{
    (void)state;
    api_start(&api, NULL);
    assert_int_equal(api_log_count(&api, "\"hypertables\":true"), 1);
    store_days_ago(1, 1);
    store_days_ago(2, 15);
    store_days_ago(3, 700);
    assert_int_equal(chunks_of(&contract_pg, api.schema, "tp_capital_signals"), 3);
    json_t *list = api_json(&api, "/signals", 200);
    assert_int_equal(json_array_size(json_object_get(list, "data")), 3);
    json_decref(list);
    api_stop(&api);
}

/* Debian's server is the Apache edition, which has no compression. */
static void test_compression_when_the_edition_has_none_then_it_is_said_once_and_all_is_served(void **state)
{
    (void)state;
    api_start(&api, (const char *const[]){"SIGNALS_COMPRESSION_DAYS=30", NULL});
    assert_int_equal(api_log_count(&api, "Signals are not compressed"), 1);
    assert_int_equal(api_log_count(&api, "not supported under the current"), 1);
    store_days_ago(1, 60);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 1);
    api_stop(&api);
    api_start(&api, NULL);
    assert_int_equal(api_log_count(&api, "Signals are not compressed"), 0);
    api_stop(&api);
}

/* --- one that comes later ----------------------------------------------------------------------------------------------- */

/* A database without the extension, and a role that may not make it. */
static void make_plain_database(struct ts_test_pg *ret)
{
    *ret = contract_pg;
    ts_test_pg_sql(&contract_pg, "CREATE DATABASE later", NULL, 0);
    snprintf(ret->url, sizeof(ret->url), "postgresql://postgres@127.0.0.1:%d/later", contract_pg.port);
    ts_test_pg_sql(ret, "CREATE ROLE later LOGIN; CREATE SCHEMA ours AUTHORIZATION later", NULL, 0);
}

static void test_migrate_when_timescale_was_installed_later_then_the_rows_are_brought_over(void **state)
{
    struct ts_test_pg later;
    char url[TS_TEST_PATH_SIZE], migration[TS_TEST_PATH_SIZE], *output;
    (void)state;
    make_plain_database(&later);
    snprintf(url, sizeof(url), "TP_CAPITAL_DATABASE_URL=postgresql://later@127.0.0.1:%d/later", later.port);
    snprintf(migration, sizeof(migration), "MIGRATION_%s", strstr(url, "DATABASE_URL"));
    api_start(&api, (const char *const[]){url, "TIMESCALEDB_SCHEMA=ours", NULL});
    assert_int_equal(api_log_count(&api, "\"hypertables\":false"), 1);
    store_days_ago(1, 1);
    store_days_ago(2, 60);
    ts_test_end(&api.process, SIGTERM);

    ts_test_pg_sql(&later, "CREATE EXTENSION timescaledb", NULL, 0);
    const char *const env[] = {"GATEWAY_SECRET_TOKEN=" TOKEN, "TIMESCALEDB_SCHEMA=ours", migration, NULL};
    if (api_run("migrate", env, &output) != 0 || !strstr(output, "TimescaleDB: hypertables"))
        fail_msg("migrate: %s", output);
    free(output);
    assert_int_equal(chunks_of(&later, "ours", "tp_capital_signals"), 2);

    api_again(&api);
    assert_int_equal(api_log_count(&api, "\"hypertables\":true"), 1);
    store_days_ago(3, 90);
    assert_int_equal(chunks_of(&later, "ours", "tp_capital_signals"), 3);
    assert_int_equal(ts_test_pg_count(&later, "SELECT count(*) FROM ours.tp_capital_signals"), 3);
    api_stop(&api);
}

/* --- retention ---------------------------------------------------------------------------------------------------------- */

static void test_retention_when_a_chunk_is_partly_old_then_its_rows_go_and_it_stays(void **state)
{
    (void)state;
    api_start(&api, NULL);
    store_days_ago(1, 60);
    store_days_ago(2, 1);
    api_sql(&api, "UPDATE @channel_stats SET signal_count = 3");
    /* In the chunk of the cut itself, a moment too old. */
    api_sql(&api,
            "INSERT INTO @tp_capital_signals (id, seq, ts, channel, channel_id, message_id, signal_type,"
            " asset, raw_message, source, ingested_at, created_at, updated_at)"
            " SELECT 1000, 1000, now() - interval '30 days 1 second', channel, channel_id, 3, signal_type,"
            " asset, raw_message, source, ingested_at, created_at, updated_at FROM @tp_capital_signals"
            " WHERE message_id = 1; UPDATE @change_seq SET first_seq = 1000, last_seq = 1000");
    ts_test_end(&api.process, SIGTERM);
    api_again_with(&api, thirty_days);
    wait_for_run();
    assert_int_equal(api_log_count(&api, "\"chunks\":1"), 1);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 1);
    assert_int_equal(api_rows(&api, "channel_stats WHERE signal_count = 1"), 1);
    api_stop(&api);
}

/* A reader that takes its time must not stop retention, nor retention the messages behind it. */
static void test_retention_when_a_chunk_is_in_use_then_its_rows_go_all_the_same(void **state)
{
    char sql[128];
    (void)state;
    api_start(&api, NULL);
    store_days_ago(1, 60);
    ts_test_end(&api.process, SIGTERM);
    PGconn *reader = PQconnectdb(contract_pg.url);
    snprintf(sql, sizeof(sql), "BEGIN; SELECT count(*) FROM %s.tp_capital_signals", api.schema);
    PGresult *result = PQexec(reader, sql);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);

    api_again_with(&api, thirty_days);
    wait_for_run();
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 0);
    assert_int_equal(chunks_of(&contract_pg, api.schema, "tp_capital_signals"), 1);
    PQfinish(reader);

    ts_test_end(&api.process, SIGTERM);
    api_again(&api);
    wait_for_run();
    assert_int_equal(chunks_of(&contract_pg, api.schema, "tp_capital_signals"), 0);
    api_stop(&api);
}

/* The application's role of tp-capital 5: select, insert, update, delete. */
static void test_retention_when_the_role_may_not_drop_then_rows_are_deleted(void **state)
{
    char url[TS_TEST_PATH_SIZE], migration[TS_TEST_PATH_SIZE], *output;
    (void)state;
    snprintf(migration, sizeof(migration), "MIGRATION_DATABASE_URL=%.200s", contract_pg.url);
    const char *const env[] = {"GATEWAY_SECRET_TOKEN=" TOKEN, "TIMESCALEDB_SCHEMA=by_owner", migration, NULL};
    assert_int_equal(api_run("migrate", env, &output), 0);
    free(output);
    ts_test_pg_sql(&contract_pg,
                   "CREATE ROLE app_tp_capital LOGIN; GRANT USAGE ON SCHEMA by_owner TO app_tp_capital;"
                   "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA by_owner TO app_tp_capital",
                   NULL, 0);
    snprintf(url, sizeof(url), "TP_CAPITAL_DATABASE_URL=postgresql://app_tp_capital@127.0.0.1:%d/postgres",
             contract_pg.port);
    api_start(&api, (const char *const[]){url, "TIMESCALEDB_SCHEMA=by_owner", NULL});
    store_days_ago(1, 60);
    store_days_ago(2, 1);
    ts_test_end(&api.process, SIGTERM);
    api_again_with(&api, thirty_days);
    wait_for_run();
    assert_int_equal(ts_test_pg_count(&contract_pg, "SELECT count(*) FROM by_owner.tp_capital_signals"), 1);
    assert_int_equal(chunks_of(&contract_pg, "by_owner", "tp_capital_signals"), 2);
    api_stop(&api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_when_timescale_is_there_then_rows_lie_in_chunks_of_a_week),
        cmocka_unit_test(test_compression_when_the_edition_has_none_then_it_is_said_once_and_all_is_served),
        cmocka_unit_test(test_migrate_when_timescale_was_installed_later_then_the_rows_are_brought_over),
        cmocka_unit_test(test_retention_when_a_chunk_is_partly_old_then_its_rows_go_and_it_stays),
        cmocka_unit_test(test_retention_when_a_chunk_is_in_use_then_its_rows_go_all_the_same),
        cmocka_unit_test(test_retention_when_the_role_may_not_drop_then_rows_are_deleted),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("timescale", tests, NULL, NULL);
    contract_teardown(NULL);
    return failed;
}
