/* Numbers that stand for many changes at once, on both databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "store.h"
#include "testing/postgres.h"

#define SCHEMA "reset_test"

static struct ts_test_pg pg;
static char dir[TS_TEST_PATH_SIZE];

static int start(void **state)
{
    (void)state;
    ts_test_pg_start(&pg, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    ts_test_dir_make(dir);
    ts_test_pg_sql(&pg, "DROP SCHEMA IF EXISTS " SCHEMA " CASCADE", NULL, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ts_test_dir_remove(dir);
    return 0;
}

static struct ts_db *open_db(enum ts_dialect dialect)
{
    char path[TS_TEST_PATH_SIZE];
    const struct ts_db_options postgres = {.driver = &ts_db_postgres, .url = pg.url, .schema = SCHEMA};
    const struct ts_db_options sqlite = {.driver = &ts_db_sqlite,
                                         .path = ts_test_path(dir, "store.db", path)};
    struct ts_db *db = NULL;
    assert_int_equal(ts_db_open(dialect == TS_SQLITE ? &sqlite : &postgres, &db), 0);
    return db;
}

static struct ts_db *open_store(enum ts_dialect dialect)
{
    struct ts_db *db = open_db(dialect);
    assert_int_equal(store_migrate(db, SCHEMA, NULL), 0);
    return db;
}

static void assert_head(struct ts_db *db, int64_t last_seq, int64_t reset_seq)
{
    struct store_head head;
    assert_int_equal(store_read_head(db, &head), 0);
    assert_int_equal(head.last_seq, last_seq);
    assert_int_equal(head.reset_seq, reset_seq);
}

static int64_t draw(struct ts_db *db, int64_t n)
{
    int64_t first = -1;
    assert_int_equal(store_lock_changes(db), 0);
    assert_int_equal(store_draw_reset(db, n, &first), 0);
    return first;
}

static void test_reset_when_drawn_and_committed_then_the_head_says_how_far(void **state)
{
    (void)state;
    for (enum ts_dialect dialect = TS_SQLITE; dialect <= TS_POSTGRES; dialect++) {
        _cleanup_(ts_db_closep) struct ts_db *db = open_store(dialect);
        assert_head(db, 0, 0);
        assert_int_equal(ts_db_begin(db), 0);
        assert_int_equal(draw(db, 1), 1);
        assert_int_equal(ts_db_commit(db), 0);
        assert_head(db, 1, 1);
        assert_int_equal(ts_db_begin(db), 0);
        assert_int_equal(draw(db, 1000), 2);
        assert_int_equal(ts_db_commit(db), 0);
        assert_head(db, 1001, 1001);
    }
}

static void test_reset_when_rolled_back_then_nothing_was_drawn(void **state)
{
    (void)state;
    for (enum ts_dialect dialect = TS_SQLITE; dialect <= TS_POSTGRES; dialect++) {
        _cleanup_(ts_db_closep) struct ts_db *db = open_store(dialect);
        assert_int_equal(ts_db_begin(db), 0);
        assert_int_equal(draw(db, 5), 1);
        ts_db_rollback(db);
        assert_head(db, 0, 0);
    }
}

/* A head that was put back by hand must not send readers in circles. */
static void test_reset_when_the_last_number_is_lower_then_it_is_the_last_number(void **state)
{
    static const struct ts_sql put_back = {.text = "UPDATE change_seq SET last_seq = 3, reset_seq = 8"};
    (void)state;
    for (enum ts_dialect dialect = TS_SQLITE; dialect <= TS_POSTGRES; dialect++) {
        _cleanup_(ts_db_closep) struct ts_db *db = open_store(dialect);
        assert_int_equal(ts_db_run(db, &put_back, NULL, 0, NULL, NULL), 1);
        assert_head(db, 3, 3);
    }
}

static void test_reset_when_the_lock_is_held_then_another_session_waits_for_its_end(void **state)
{
    int64_t first = -1;
    (void)state;
    _cleanup_(ts_db_closep) struct ts_db *one = open_store(TS_POSTGRES);
    _cleanup_(ts_db_closep) struct ts_db *two = open_db(TS_POSTGRES);
    assert_int_equal(ts_db_begin(one), 0);
    assert_int_equal(store_lock_changes(one), 0);
    assert_int_equal(ts_db_begin(two), 0);
    assert_int_equal(store_lock_changes(two), TS_E_DB_TIMEOUT);
    ts_db_rollback(two);
    assert_int_equal(store_draw_reset(one, 2, &first), 0);
    assert_int_equal(ts_db_commit(one), 0);
    assert_int_equal(ts_db_begin(two), 0);
    assert_int_equal(draw(two, 1), 3);
    assert_int_equal(ts_db_commit(two), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reset_when_drawn_and_committed_then_the_head_says_how_far,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reset_when_rolled_back_then_nothing_was_drawn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reset_when_the_last_number_is_lower_then_it_is_the_last_number,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_reset_when_the_lock_is_held_then_another_session_waits_for_its_end, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("reset", tests, start, stop);
}
