/* The harness itself: a TimescaleDB that is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "testing/postgres.h"

static struct ts_test_pg pg;

static int start(void **state)
{
    static const char *const settings[] = {"max_connections=9", NULL};

    (void)state;
    ts_test_timescale_start(&pg, settings);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return access(pg.dir, F_OK) == 0 ? -1 : 0;
}

static void test_timescale_when_started_then_its_settings_hold_and_fsync_is_on(void **state)
{
    char value[16];

    (void)state;
    assert_int_equal(ts_test_pg_count(&pg, "SHOW max_connections"), 9);
    ts_test_pg_sql(&pg, "SHOW fsync", value, sizeof(value));
    assert_string_equal(value, "on");
}

static void test_timescale_when_the_extension_is_made_then_tables_become_hypertables_and_outlive_a_cut(
    void **state)
{
    (void)state;
    ts_test_pg_sql(&pg,
                   "CREATE EXTENSION timescaledb; CREATE TABLE kept (ts timestamptz NOT NULL, n int);"
                   "SELECT create_hypertable('kept', 'ts', chunk_time_interval => interval '7 days');"
                   "INSERT INTO kept VALUES ('2026-01-01', 1), ('2026-02-01', 2)",
                   NULL, 0);
    ts_test_pg_cut(&pg);
    ts_test_pg_boot(&pg);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM kept"), 2);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM show_chunks('kept')"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timescale_when_started_then_its_settings_hold_and_fsync_is_on),
        cmocka_unit_test(
            test_timescale_when_the_extension_is_made_then_tables_become_hypertables_and_outlive_a_cut),
    };
    if (!ts_test_timescale_is_installed()) {
        puts("skipped: no TimescaleDB (tools/timescale, as root, makes one)");
        return TS_TEST_SKIP;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
