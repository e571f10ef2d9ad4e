/* Migrations on SQLite; test_migrate_postgres.c has what is PostgreSQL's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "db/migrate.h"
#include "example_migrations.h" /* made by ts_migrations() from testdata/migrations */
#include "testing/process.h"

static char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
static struct ts_db *db;

static const struct ts_migration items[] = {
    {1, "first", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"},
    {2, "second", "ALTER TABLE a ADD COLUMN y TEXT;"},
    {3, "broken", "INSERT INTO a (x) VALUES (3); CREATE TABLE nonsense ("},
};
static const struct ts_migrations one = {items, 1}, two = {items, 2}, three = {items, 3};

static int set_up(void **state)
{
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = path};

    (void)state;
    ts_test_dir_make(dir);
    ts_test_path(dir, "t.db", path);
    return ts_db_open(&options, &db);
}

static int tear_down(void **state)
{
    (void)state;
    db = ts_db_close(db);
    ts_test_dir_remove(dir);
    return 0;
}

static int note_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int64_t query_int(const struct ts_sql *sql)
{
    int64_t value = -1;

    assert_true(ts_db_run(db, sql, NULL, 0, note_int, &value) >= 0);
    return value;
}

static const struct ts_sql sql_versions = {"SELECT count(*) FROM schema_version", NULL};
static const struct ts_sql sql_rows = {"SELECT count(*) FROM a", NULL};

static void test_migrations_are_applied_once_and_in_order(void **state)
{
    int applied = -1;

    (void)state;
    assert_int_equal(ts_migrate(db, &one, &applied), 0);
    assert_int_equal(applied, 1);
    assert_int_equal(ts_migrate(db, &two, &applied), 0);
    assert_int_equal(applied, 1);
    assert_int_equal(ts_migrate(db, &two, &applied), 0);
    assert_int_equal(applied, 0);
    assert_int_equal(query_int(&sql_versions), 2);
    assert_int_equal(query_int(&sql_rows), 1);
}

static void test_script_that_fails_leaves_nothing_of_itself(void **state)
{
    int applied = -1;

    (void)state;
    assert_int_equal(ts_migrate(db, &three, &applied), TS_E_DB_QUERY);
    assert_int_equal(applied, -1);
    assert_int_equal(query_int(&sql_versions), 2); /* each has a transaction of its own */
    assert_int_equal(query_int(&sql_rows), 1);
}

static void test_script_with_another_text_is_refused(void **state)
{
    const struct ts_migration changed[] = {{1, "first", "CREATE TABLE a (x INTEGER);"}};
    const struct ts_migrations migrations = {changed, 1};

    (void)state;
    assert_int_equal(ts_migrate(db, &one, NULL), 0);
    assert_int_equal(ts_migrate(db, &migrations, NULL), TS_E_DB_SCHEMA);
    assert_string_equal(ts_db_error(db)->message, "migration 1 was applied with another text");
}

static void test_database_newer_than_the_program_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ts_migrate(db, &two, NULL), 0);
    assert_int_equal(ts_migrate(db, &one, NULL), TS_E_DB_SCHEMA);
    assert_string_equal(ts_db_error(db)->message,
                        "migration 2 is unknown to this program: the database is newer");
}

static void test_database_with_a_version_missing_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ts_migrate(db, &two, NULL), 0);
    assert_int_equal(ts_db_script(db, "DELETE FROM schema_version WHERE version = 1"), 0);
    assert_int_equal(ts_migrate(db, &two, NULL), TS_E_DB_SCHEMA);
}

static int note_text(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_str_eq(ts_row_text(row, 0), TS_STR("a\"b\\c;d[e]${f}?\?/"));
    return 0;
}

static void test_scripts_compiled_in_are_those_of_the_folder(void **state)
{
    static const struct ts_sql sql = {"SELECT note FROM example WHERE at IS NULL", NULL};
    int applied = 0;
    bool is_same = false;

    (void)state;
    assert_int_equal(example_migrations_sqlite.n, 2);
    assert_int_equal(example_migrations_postgres.n, 1);
    assert_string_equal(example_migrations_sqlite.items[1].name, "second_step");
    assert_int_equal(ts_migrate(db, &example_migrations_sqlite, &applied), 0);
    assert_int_equal(applied, 2);
    assert_int_equal(ts_db_run(db, &sql, NULL, 0, note_text, &is_same), 1);
    assert_true(is_same);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_migrations_are_applied_once_and_in_order),
        TEST(test_script_that_fails_leaves_nothing_of_itself),
        TEST(test_script_with_another_text_is_refused),
        TEST(test_database_newer_than_the_program_is_refused),
        TEST(test_database_with_a_version_missing_is_refused),
        TEST(test_scripts_compiled_in_are_those_of_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
