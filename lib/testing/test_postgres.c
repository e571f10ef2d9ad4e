/* The harness itself: what it promises about the server, others build on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <unistd.h>

#include "testing/postgres.h"

static struct ts_test_pg pg;

static int start(void **state)
{
    static const char *const settings[] = {"max_connections=7", NULL};

    (void)state;
    ts_test_pg_start(&pg, settings);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return access(pg.dir, F_OK) == 0 ? -1 : 0;
}

static void test_postgres_started_takes_its_settings(void **state)
{
    char value[16];

    (void)state;
    assert_int_equal(ts_test_pg_count(&pg, "SHOW max_connections"), 7);
    ts_test_pg_sql(&pg, "SHOW fsync", value, sizeof(value));
    assert_string_equal(value, "on");
}

static void test_postgres_cut_and_booted_keeps_what_was_committed(void **state)
{
    (void)state;
    ts_test_pg_sql(&pg, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1), (2)", NULL, 0);
    ts_test_pg_cut(&pg);
    assert_int_equal(PQping(pg.url), PQPING_NO_RESPONSE);
    ts_test_pg_boot(&pg);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM kept"), 2);
}

static void test_postgres_frozen_does_not_answer_until_thawed(void **state)
{
    char url[TS_TEST_PATH_SIZE + 32];

    (void)state;
    snprintf(url, sizeof(url), "%s?connect_timeout=2", pg.url);
    ts_test_pg_freeze(&pg);
    assert_int_not_equal(PQping(url), PQPING_OK);
    ts_test_pg_thaw(&pg);
    assert_int_equal(PQping(url), PQPING_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postgres_started_takes_its_settings),
        cmocka_unit_test(test_postgres_cut_and_booted_keeps_what_was_committed),
        cmocka_unit_test(test_postgres_frozen_does_not_answer_until_thawed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
