/* Migrations on a real server: the schema, the lock between replicas, roles without rights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "db/migrate.h"
#include "testing/postgres.h"

#define REPLICAS 4

static struct ts_test_pg pg;

static const struct ts_migration items[] = {
    {1, "first", "CREATE TABLE a (x BIGINT); INSERT INTO a VALUES (1);"},
    /* Longer than the statement timeout of the sessions below. */
    {2, "slow", "ALTER TABLE a ADD COLUMN y TEXT; SELECT pg_sleep(0.4);"},
    {3, "broken", "INSERT INTO a (x) VALUES (3); CREATE TABLE nonsense ("},
};
static const struct ts_migrations one = {items, 1}, two = {items, 2}, three = {items, 3};

static int start_server(void **state)
{
    (void)state;
    ts_test_pg_start(&pg, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    ts_test_pg_sql(&pg, "DROP SCHEMA IF EXISTS some_schema CASCADE", NULL, 0);
    return 0;
}

static int migrate_as(const char *user, const struct ts_migrations *migrations, int *applied)
{
    char url[TS_TEST_PATH_SIZE];
    struct ts_db *db = NULL;
    const struct ts_db_options options = {.driver = &ts_db_postgres,
                                          .url = url,
                                          .schema = "some_schema",
                                          .statement_timeout_us = 200 * TS_US_PER_MS};

    snprintf(url, sizeof(url), "postgresql://%s@127.0.0.1:%d/postgres", user, pg.port);
    int r = ts_db_open(&options, &db);
    if (r == 0)
        r = ts_migrate(db, migrations, applied);
    ts_db_close(db);
    return r;
}

static void test_migrations_make_their_schema_and_run_once(void **state)
{
    int applied = -1;

    (void)state;
    assert_int_equal(migrate_as("postgres", &one, &applied), 0);
    assert_int_equal(applied, 1);
    assert_int_equal(migrate_as("postgres", &two, &applied), 0);
    assert_int_equal(applied, 1);
    assert_int_equal(migrate_as("postgres", &two, &applied), 0);
    assert_int_equal(applied, 0);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM some_schema.schema_version"), 2);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM some_schema.a"), 1);
}

static void test_script_that_fails_leaves_nothing_of_itself_and_frees_the_lock(void **state)
{
    (void)state;
    assert_int_equal(migrate_as("postgres", &three, NULL), TS_E_DB_QUERY);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM some_schema.a"), 1);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM some_schema.schema_version"), 2);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
}

struct replica {
    pthread_t thread;
    int result, applied;
};

static void *replica_main(void *arg)
{
    struct replica *replica = arg;

    replica->result = migrate_as("postgres", &two, &replica->applied);
    return NULL;
}

static void test_replicas_that_start_together_apply_each_script_once(void **state)
{
    struct replica replicas[REPLICAS] = {0};
    int applied = 0;

    (void)state;
    for (int i = 0; i < REPLICAS; i++)
        pthread_create(&replicas[i].thread, NULL, replica_main, &replicas[i]);
    for (int i = 0; i < REPLICAS; i++) {
        pthread_join(replicas[i].thread, NULL);
        assert_int_equal(replicas[i].result, 0);
        applied += replicas[i].applied;
    }
    assert_int_equal(applied, 2);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM some_schema.a"), 1);
}

static void test_role_without_rights_starts_on_a_migrated_database_only(void **state)
{
    int applied = -1;

    (void)state;
    ts_test_pg_sql(
        &pg, "DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$", NULL, 0);
    assert_int_equal(migrate_as("app", &one, NULL), TS_E_DB_QUERY);
    assert_int_equal(migrate_as("postgres", &one, NULL), 0);
    ts_test_pg_sql(
        &pg,
        "GRANT USAGE ON SCHEMA some_schema TO app; GRANT SELECT ON ALL TABLES IN SCHEMA some_schema TO app",
        NULL, 0);
    assert_int_equal(migrate_as("app", &one, &applied), 0);
    assert_int_equal(applied, 0);
    assert_int_equal(migrate_as("app", &two, NULL), TS_E_DB_QUERY);
}

static void test_database_newer_than_the_program_is_refused(void **state)
{
    (void)state;
    assert_int_equal(migrate_as("postgres", &two, NULL), 0);
    assert_int_equal(migrate_as("postgres", &one, NULL), TS_E_DB_SCHEMA);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_migrations_make_their_schema_and_run_once),
        TEST(test_script_that_fails_leaves_nothing_of_itself_and_frees_the_lock),
        TEST(test_replicas_that_start_together_apply_each_script_once),
        TEST(test_role_without_rights_starts_on_a_migrated_database_only),
        TEST(test_database_newer_than_the_program_is_refused),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
