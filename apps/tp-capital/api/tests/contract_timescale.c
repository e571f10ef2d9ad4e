/* What only a TimescaleDB has: hypertables, also on one that comes later. */
#include "contract.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_when_timescale_is_there_then_rows_lie_in_chunks_of_a_week),
        cmocka_unit_test(test_migrate_when_timescale_was_installed_later_then_the_rows_are_brought_over),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("timescale", tests, NULL, NULL);
    contract_teardown(NULL);
    return failed;
}
