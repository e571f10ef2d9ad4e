/* The SQLite driver against real files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "db/db.h"
#include "testing/process.h"

struct fixture {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    struct ts_db *db;
};

static const struct ts_sql sql_insert = {
    "INSERT INTO t (id, name, at, price, ok) VALUES ($1, $2, $3, $4, $5)", NULL};
static const struct ts_sql sql_all = {"SELECT id, name, at, price, ok FROM t ORDER BY id", NULL};
static const struct ts_sql sql_count = {"SELECT count(*) FROM t", NULL};

static struct ts_db_options options_for(const struct fixture *f)
{
    return (struct ts_db_options){.driver = &ts_db_sqlite, .path = f->path, .statement_timeout_us = 50000};
}

static int set_up(void **state)
{
    static struct fixture f;
    ts_test_dir_make(f.dir);
    ts_test_path(f.dir, "t.db", f.path);
    const struct ts_db_options options = options_for(&f);
    assert_int_equal(ts_db_open(&options, &f.db), 0);
    assert_int_equal(ts_db_script(f.db,
                                  "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, at INTEGER,"
                                  " price INTEGER CHECK (price > 0), ok INTEGER)"),
                     0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    f->db = ts_db_close(f->db);
    ts_test_dir_remove(f->dir);
    return 0;
}

static int64_t insert(struct ts_db *db, int64_t id, ts_str name)
{
    const struct ts_db_value params[] = {ts_db_int(id), ts_db_text(name), ts_db_time(1700000000123456),
                                         ts_db_price(31400000), ts_db_bool(true)};

    return ts_db_run(db, &sql_insert, params, TS_ARRAY_LEN(params), NULL, NULL);
}

static int note_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int64_t query_int(struct ts_db *db, const struct ts_sql *sql)
{
    int64_t value = -1;

    assert_true(ts_db_run(db, sql, NULL, 0, note_int, &value) >= 0);
    return value;
}

static int check_row(const struct ts_row *row, void *ctx)
{
    int *rows = ctx;

    if (++*rows == 1) {
        assert_int_equal(ts_row_int(row, 0), INT64_MIN);
        assert_true(ts_str_eq(ts_row_text(row, 1), TS_STR("ação")));
        assert_int_equal(ts_row_time(row, 2), 1700000000123456);
        assert_int_equal(ts_row_price(row, 3), 31400000);
        assert_true(ts_row_bool(row, 4));
        return 0;
    }
    assert_true(ts_str_eq(ts_row_text(row, 1), TS_STR("")));
    for (int column = 2; column < 5; column++)
        assert_true(ts_row_is_null(row, column));
    return 0;
}

static void test_values_written_come_back_the_same(void **state)
{
    struct fixture *f = *state;
    const struct ts_db_value nulls[] = {ts_db_int(5), ts_db_text(TS_STR("")), ts_db_null(), ts_db_null(),
                                        ts_db_null()};
    int rows = 0;

    assert_int_equal(insert(f->db, INT64_MIN, TS_STR("ação")), 1);
    assert_int_equal(ts_db_run(f->db, &sql_insert, nulls, TS_ARRAY_LEN(nulls), NULL, NULL), 1);
    assert_int_equal(ts_db_run(f->db, &sql_all, NULL, 0, check_row, &rows), 2);
    assert_int_equal(rows, 2);
}

static int note_sums(const struct ts_row *row, void *ctx)
{
    int64_t *out = ctx;

    out[0] = ts_row_int(row, 0);
    out[1] = ts_row_int(row, 1);
    return 0;
}

static void test_parameter_numbers_count_not_their_order(void **state)
{
    static const struct ts_sql sql = {"SELECT $2 - $1, $1 + $1 + $3", NULL};
    struct fixture *f = *state;
    const struct ts_db_value params[] = {ts_db_int(1), ts_db_int(10), ts_db_int(100)};
    int64_t sums[2] = {0};

    assert_int_equal(ts_db_run(f->db, &sql, params, 3, note_sums, sums), 1);
    assert_int_equal(sums[0], 9);
    assert_int_equal(sums[1], 102);
    assert_int_equal(ts_db_run(f->db, &sql, params, 2, NULL, NULL), TS_E_DB_QUERY);
}

static int stop_at_two(const struct ts_row *row, void *ctx)
{
    (void)ctx;
    return ts_row_int(row, 0) == 2 ? TS_E_LIMIT : 0;
}

static void test_row_callback_that_stops_ends_the_query(void **state)
{
    struct fixture *f = *state;

    for (int64_t id = 1; id <= 3; id++)
        assert_int_equal(insert(f->db, id, TS_STR_NONE), 1);
    assert_int_equal(ts_db_run(f->db, &sql_all, NULL, 0, stop_at_two, NULL), TS_E_LIMIT);
    assert_int_equal(query_int(f->db, &sql_count), 3);
}

static void test_changed_counts_are_those_of_the_statement(void **state)
{
    static const struct ts_sql update = {"UPDATE t SET ok = 0", NULL};
    static const struct ts_sql create = {"CREATE INDEX i ON t (at)", NULL};
    static const struct ts_sql returning = {"DELETE FROM t RETURNING id", NULL};
    struct fixture *f = *state;

    for (int64_t id = 1; id <= 3; id++)
        assert_int_equal(insert(f->db, id, TS_STR_NONE), 1);
    assert_int_equal(ts_db_run(f->db, &update, NULL, 0, NULL, NULL), 3);
    assert_int_equal(ts_db_run(f->db, &create, NULL, 0, NULL, NULL), 0);
    assert_int_equal(ts_db_run(f->db, &returning, NULL, 0, NULL, NULL), 3);
}

static void test_errors_an_item_causes_have_their_classes(void **state)
{
    static const struct ts_sql mismatch = {"INSERT INTO t (id) VALUES ('x')", NULL};
    static const struct ts_sql too_big = {"INSERT INTO t (name) VALUES (zeroblob(2000000000))", NULL};
    static const struct ts_sql wrong = {"SELEC 1", NULL};
    struct fixture *f = *state;

    assert_int_equal(insert(f->db, 1, TS_STR("a")), 1);
    assert_int_equal(insert(f->db, 2, TS_STR("a")), TS_E_DB_CONSTRAINT);
    assert_int_equal(ts_db_error(f->db)->error, TS_E_DB_CONSTRAINT);
    assert_int_equal(ts_db_error(f->db)->sqlite_code, SQLITE_CONSTRAINT_UNIQUE);
    assert_non_null(strstr(ts_db_error(f->db)->message, "t.name"));
    assert_int_equal(ts_db_run(f->db, &mismatch, NULL, 0, NULL, NULL), TS_E_DB_DATA);
    assert_int_equal(ts_db_run(f->db, &too_big, NULL, 0, NULL, NULL), TS_E_DB_DATA);
    assert_int_equal(ts_db_run(f->db, &wrong, NULL, 0, NULL, NULL), TS_E_DB_QUERY);
    assert_int_equal(query_int(f->db, &sql_count), 1);
}

static void test_transaction_with_a_bad_step_stores_nothing(void **state)
{
    struct fixture *f = *state;
    const struct ts_db_value first[] = {ts_db_int(1), ts_db_text(TS_STR("a")), ts_db_null(), ts_db_null(),
                                        ts_db_null()};
    const struct ts_db_value second[] = {ts_db_int(2), ts_db_text(TS_STR("a")), ts_db_null(), ts_db_null(),
                                         ts_db_null()};
    struct ts_db_step steps[] = {{.sql = &sql_insert, .params = first, .n_params = 5},
                                 {.sql = &sql_insert, .params = second, .n_params = 5}};

    assert_int_equal(ts_db_transaction(f->db, steps, 2), TS_E_DB_CONSTRAINT);
    assert_int_equal(query_int(f->db, &sql_count), 0);
    assert_int_equal(ts_db_transaction(f->db, steps, 1), 0);
    assert_int_equal(steps[0].changed, 1);
    assert_int_equal(query_int(f->db, &sql_count), 1);
}

static void test_rollback_undoes_and_is_harmless_without_a_transaction(void **state)
{
    struct fixture *f = *state;

    ts_db_rollback(f->db);
    assert_int_equal(ts_db_begin(f->db), 0);
    assert_int_equal(insert(f->db, 1, TS_STR_NONE), 1);
    ts_db_rollback(f->db);
    ts_db_rollback(f->db);
    assert_int_equal(query_int(f->db, &sql_count), 0);
}

static void test_write_while_another_process_writes_times_out(void **state)
{
    struct fixture *f = *state;
    sqlite3 *other;

    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(insert(f->db, 1, TS_STR_NONE), TS_E_DB_TIMEOUT);
    assert_int_equal(ts_db_begin(f->db), TS_E_DB_TIMEOUT);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(insert(f->db, 1, TS_STR_NONE), 1);
    sqlite3_close(other);
}

static void test_query_without_end_times_out(void **state)
{
    static const struct ts_sql endless = {
        "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c", NULL};
    struct fixture *f = *state;

    assert_int_equal(ts_db_run(f->db, &endless, NULL, 0, NULL, NULL), TS_E_DB_TIMEOUT);
    ts_db_set_deadline(f->db, 1); /* long past */
    assert_int_equal(ts_db_run(f->db, &endless, NULL, 0, NULL, NULL), TS_E_DB_TIMEOUT);
    ts_db_set_deadline(f->db, 0);
    assert_int_equal(insert(f->db, 1, TS_STR_NONE), 1);
}

static void test_file_at_its_maximum_is_full_and_keeps_working(void **state)
{
    static const struct ts_sql grow = {"INSERT INTO t (name) VALUES (hex(randomblob(200000)))", NULL};
    struct fixture *f = *state;
    int64_t r = 0;

    assert_int_equal(ts_db_script(f->db, "PRAGMA max_page_count = 100"), 0);
    for (int i = 0; i < 10 && r >= 0; i++)
        r = ts_db_run(f->db, &grow, NULL, 0, NULL, NULL);
    assert_int_equal(r, TS_E_DB_FULL);
    assert_int_equal(ts_db_script(f->db, "PRAGMA max_page_count = 100000"), 0);
    assert_int_equal(ts_db_run(f->db, &grow, NULL, 0, NULL, NULL), 1);
}

static void test_reader_reads_what_was_committed_and_never_writes(void **state)
{
    struct fixture *f = *state;
    struct ts_db_options options = options_for(f);
    _cleanup_(ts_db_closep) struct ts_db *reader = NULL;

    options.read_only = true;
    assert_int_equal(ts_db_open(&options, &reader), 0);
    assert_int_equal(ts_db_begin(f->db), 0);
    assert_int_equal(insert(f->db, 1, TS_STR_NONE), 1);
    assert_int_equal(query_int(reader, &sql_count), 0);
    assert_int_equal(ts_db_commit(f->db), 0);
    assert_int_equal(query_int(reader, &sql_count), 1);
    assert_int_equal(insert(reader, 2, TS_STR_NONE), TS_E_DB_READ_ONLY);
}

static void test_open_makes_private_files_that_sync_every_commit(void **state)
{
    static const struct ts_sql synchronous = {"PRAGMA synchronous", NULL};
    static const struct ts_sql foreign_keys = {"PRAGMA foreign_keys", NULL};
    struct fixture *f = *state;
    char wal[TS_TEST_PATH_SIZE + 4];
    struct stat st;

    assert_int_equal(query_int(f->db, &synchronous), 2);
    assert_int_equal(query_int(f->db, &foreign_keys), 1);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(wal, sizeof(wal), "%s-wal", f->path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_open_where_there_is_no_folder_says_so(void **state)
{
    struct ts_db *db = NULL;
    struct ts_db_error error = {0};
    const struct ts_db_options options = {
        .driver = &ts_db_sqlite, .path = "/nonexistent/x.db", .ret_error = &error};

    (void)state;
    assert_true(ts_db_open(&options, &db) < 0);
    assert_null(db);
    assert_int_equal(error.error, TS_E_DB_QUERY);
    assert_string_equal(error.message, "No such file or directory");
}

static void test_open_of_another_kind_of_file_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[TS_TEST_PATH_SIZE];
    struct ts_db *db = NULL;
    const struct ts_db_options options = {.driver = &ts_db_sqlite,
                                          .path = ts_test_path(f->dir, "text", path)};
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        fputs("this is no database at all\n", file);
    fclose(file);
    assert_int_equal(ts_db_open(&options, &db), TS_E_DB_QUERY);
    assert_null(db);
}

static void test_statements_beyond_the_cache_still_run(void **state)
{
    struct fixture *f = *state;
    static struct ts_sql many[400];

    for (size_t i = 0; i < TS_ARRAY_LEN(many); i++) {
        many[i] = sql_count;
        assert_int_equal(query_int(f->db, &many[i]), 0);
    }
    for (size_t i = 0; i < TS_ARRAY_LEN(many); i++)
        assert_int_equal(query_int(f->db, &many[i]), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values_written_come_back_the_same),
        TEST(test_parameter_numbers_count_not_their_order),
        TEST(test_row_callback_that_stops_ends_the_query),
        TEST(test_changed_counts_are_those_of_the_statement),
        TEST(test_errors_an_item_causes_have_their_classes),
        TEST(test_transaction_with_a_bad_step_stores_nothing),
        TEST(test_rollback_undoes_and_is_harmless_without_a_transaction),
        TEST(test_write_while_another_process_writes_times_out),
        TEST(test_query_without_end_times_out),
        TEST(test_file_at_its_maximum_is_full_and_keeps_working),
        TEST(test_reader_reads_what_was_committed_and_never_writes),
        TEST(test_open_makes_private_files_that_sync_every_commit),
        cmocka_unit_test(test_open_where_there_is_no_folder_says_so),
        TEST(test_open_of_another_kind_of_file_is_refused),
        TEST(test_statements_beyond_the_cache_still_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
