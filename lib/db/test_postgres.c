/* The PostgreSQL driver against a real server: values, errors and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "db/db.h"
#include "testing/postgres.h"

static struct ts_test_pg pg;

static int start_server(void **state)
{
    static const char *const settings[] = {"max_connections=8", "superuser_reserved_connections=0", NULL};

    (void)state;
    ts_test_pg_start(&pg, settings);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return 0;
}

static struct ts_db *open_db(const struct ts_db_options *extra)
{
    struct ts_db_options options = extra ? *extra : (struct ts_db_options){0};
    struct ts_db *db = NULL;

    options.driver = &ts_db_postgres;
    options.url = pg.url;
    assert_int_equal(ts_db_open(&options, &db), 0);
    return db;
}

static int set_up(void **state)
{
    struct ts_db *db = open_db(NULL);

    assert_int_equal(
        ts_db_script(db, "DROP TABLE IF EXISTS t; CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT UNIQUE,"
                         " at TIMESTAMPTZ, price NUMERIC(18,6) CHECK (price <> 13), ok BOOLEAN)"),
        0);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    *state = ts_db_close(*state);
    return 0;
}

static const struct ts_sql sql_insert = {
    "INSERT INTO t (id, name, at, price, ok) VALUES ($1, $2, $3, $4, $5)", NULL};
static const struct ts_sql sql_all = {"SELECT id, name, at, price, ok FROM t ORDER BY id", NULL};
static const struct ts_sql sql_count = {"SELECT count(*) FROM t", NULL};
static const struct ts_sql sql_sleep = {"SELECT pg_sleep(30)", NULL};

static int64_t insert(struct ts_db *db, int64_t id, ts_str name)
{
    const struct ts_db_value params[] = {ts_db_int(id), ts_db_text(name), ts_db_null(), ts_db_null(),
                                         ts_db_null()};

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

    assert_int_equal(ts_db_run(db, sql, NULL, 0, note_int, &value), 1);
    return value;
}

/* --- values --- */

struct row {
    int64_t id, at, price;
    bool ok, name_null, at_null, price_null;
    char name[64];
};

struct rows {
    struct row items[64];
    size_t n;
};

static int note_row(const struct ts_row *row, void *ctx)
{
    struct rows *rows = ctx;
    struct row *out = &rows->items[rows->n++];
    ts_str name = ts_row_text(row, 1);

    *out = (struct row){
        .id = ts_row_int(row, 0),
        .at = ts_row_time(row, 2),
        .price = ts_row_price(row, 3),
        .ok = ts_row_bool(row, 4),
        .name_null = ts_str_is_none(name),
        .at_null = ts_row_is_null(row, 2),
        .price_null = ts_row_is_null(row, 3),
    };
    snprintf(out->name, sizeof(out->name), "%.*s", TS_STR_ARG(name));
    return 0;
}

static const int64_t some_prices[] = {
    0,
    1,
    -1,
    10,
    99,
    100,
    9999,
    10000,
    500000,
    999999,
    1000000,
    1000001,
    31400000,
    -31400000,
    9999999999,
    10000000000,
    10000000001,
    12345678901234,
    123456,
    -9,
    7000000,
    99990000,
    100000000,
    1000000000,
    999999999999999999,
    -999999999999999999,
};

static void test_values_written_come_back_the_same(void **state)
{
    struct ts_db *db = *state;
    static struct rows rows;

    rows.n = 0;
    for (size_t i = 0; i < TS_ARRAY_LEN(some_prices); i++) {
        const struct ts_db_value params[] = {ts_db_int((int64_t)i), ts_db_null(),
                                             ts_db_time(-5 + (int64_t)i * 1700000000123457),
                                             ts_db_price(some_prices[i]), ts_db_bool(i % 2 == 1)};
        assert_int_equal(ts_db_run(db, &sql_insert, params, TS_ARRAY_LEN(params), NULL, NULL), 1);
    }
    assert_int_equal(ts_db_run(db, &sql_all, NULL, 0, note_row, &rows), TS_ARRAY_LEN(some_prices));
    for (size_t i = 0; i < rows.n; i++) {
        assert_int_equal(rows.items[i].id, i);
        assert_true(rows.items[i].name_null);
        assert_int_equal(rows.items[i].at, -5 + (int64_t)i * 1700000000123457);
        assert_int_equal(rows.items[i].price, some_prices[i]);
        assert_int_equal(rows.items[i].ok, i % 2 == 1);
    }
}

/* The server's own words for our binary numbers: a codec that errs both ways alike would pass the test above. */
static void test_values_written_mean_the_same_to_the_server(void **state)
{
    struct ts_db *db = *state;
    const struct ts_db_value params[] = {ts_db_int(INT64_MIN), ts_db_text(TS_STR("ação")),
                                         ts_db_time(1700000000123456), ts_db_price(-12345678901),
                                         ts_db_bool(true)};
    char text[128];

    assert_int_equal(ts_db_run(db, &sql_insert, params, TS_ARRAY_LEN(params), NULL, NULL), 1);
    ts_test_pg_sql(&pg, "SELECT concat_ws('|', id, name, at AT TIME ZONE 'UTC', price, ok) FROM t", text,
                   sizeof(text));
    assert_string_equal(text, "-9223372036854775808|ação|2023-11-14 22:13:20.123456|-12345.678901|t");
}

static int note_prices(const struct ts_row *row, void *ctx)
{
    int64_t *out = ctx;

    for (int i = 0; i < 8; i++)
        out[i] = ts_row_price(row, i);
    return 0;
}

static void test_numbers_no_price_can_hold_become_the_nearest(void **state)
{
    static const struct ts_sql sql = {
        "SELECT 1e40::numeric, -1e40::numeric, 'NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric,"
        " 0.0000019::numeric, 123.45678999::numeric, 9223372036854.775807::numeric",
        NULL};
    static const int64_t expected[] = {INT64_MAX, INT64_MIN, 0,         INT64_MAX,
                                       INT64_MIN, 1,         123456789, INT64_MAX};
    int64_t got[8];

    assert_int_equal(ts_db_run(*state, &sql, NULL, 0, note_prices, got), 1);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(got[i], expected[i]);
}

static void test_arrays_become_rows(void **state)
{
    static const struct ts_sql sql = {
        "INSERT INTO t (id, name, at, price, ok) SELECT * FROM unnest($1::bigint[], $2::text[],"
        " $3::timestamptz[], $4::numeric[], $5::boolean[])",
        NULL};
    static const int64_t ids[] = {1, 2, 3}, times[] = {10, 20, 30}, prices[] = {1500000, 0, -250000},
                         flags[] = {1, 0, 1};
    static const ts_str names[] = {{"a", 1}, {NULL, 0}, {"", 0}};
    static const bool second_null[] = {false, true, false};
    const struct ts_db_value params[] = {
        {.type = TS_DB_INT_ARRAY, .array = {.i64 = ids, .n = 3}},
        {.type = TS_DB_TEXT_ARRAY, .array = {.str = names, .n = 3}},
        {.type = TS_DB_TIME_ARRAY, .array = {.i64 = times, .nulls = second_null, .n = 3}},
        {.type = TS_DB_PRICE_ARRAY, .array = {.i64 = prices, .nulls = second_null, .n = 3}},
        {.type = TS_DB_BOOL_ARRAY, .array = {.i64 = flags, .n = 3}},
    };
    struct ts_db_value none[5];
    static struct rows rows;

    rows.n = 0;
    memcpy(none, params, sizeof(none));
    for (size_t i = 0; i < 5; i++)
        none[i].array.n = 0;
    assert_int_equal(ts_db_run(*state, &sql, params, 5, NULL, NULL), 3);
    assert_int_equal(ts_db_run(*state, &sql, none, 5, NULL, NULL), 0);
    assert_int_equal(ts_db_run(*state, &sql_all, NULL, 0, note_row, &rows), 3);
    assert_string_equal(rows.items[0].name, "a");
    assert_int_equal(rows.items[0].price, 1500000);
    assert_true(rows.items[1].name_null && rows.items[1].at_null && rows.items[1].price_null);
    assert_false(rows.items[2].name_null);
    assert_int_equal(rows.items[2].at, 30);
    assert_int_equal(rows.items[2].price, -250000);
    assert_true(rows.items[0].ok && !rows.items[1].ok && rows.items[2].ok);
}

/* More than any socket buffer holds, both ways: whoever only sends, or only reads, hangs here. */
static void test_large_parameters_and_answers_pass(void **state)
{
    static const struct ts_sql sql = {"SELECT x, repeat('y', 1000) FROM unnest($1::text[]) AS x", NULL};
    const size_t n = 20000;
    ts_str *items = calloc(n, sizeof(*items));
    static char text[500];

    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < n; i++)
        items[i] = (ts_str){text, sizeof(text)};
    const struct ts_db_value param = {.type = TS_DB_TEXT_ARRAY, .array = {.str = items, .n = n}};
    struct ts_db_step steps[] = {{.sql = &sql, .params = &param, .n_params = 1},
                                 {.sql = &sql, .params = &param, .n_params = 1}};
    assert_int_equal(ts_db_transaction(*state, steps, 2), 0);
    assert_int_equal(steps[1].changed, n);
    free(items);
}

static void test_null_first_and_a_value_later_is_prepared_again(void **state)
{
    static const struct ts_sql sql = {"SELECT count(*) FROM pg_class WHERE relnatts > $1",
                                      NULL}; /* int2: not what we send */
    const struct ts_db_value null = ts_db_null(), three = ts_db_int(3);
    int64_t n = -1;

    assert_int_equal(ts_db_run(*state, &sql, &null, 1, note_int, &n), 1);
    assert_int_equal(n, 0);
    assert_int_equal(ts_db_run(*state, &sql, &three, 1, note_int, &n), 1);
    assert_true(n > 10);
    assert_int_equal(ts_db_run(*state, &sql, &null, 1, note_int, &n), 1);
    assert_int_equal(n, 0);
}

static void test_statements_beyond_the_cache_still_run(void **state)
{
    static struct ts_sql many[600];

    for (size_t i = 0; i < TS_ARRAY_LEN(many); i++) {
        many[i] = sql_count;
        assert_int_equal(query_int(*state, &many[i]), 0);
    }
    assert_int_equal(query_int(*state, &many[0]), 0);
}

/* --- transactions --- */

static void test_transaction_with_a_bad_step_stores_nothing(void **state)
{
    struct ts_db *db = *state;
    static const struct ts_sql first = {"INSERT INTO t (id) VALUES ($1)", NULL};
    const struct ts_db_value one = ts_db_int(1);
    struct ts_db_step steps[] = {{.sql = &first, .params = &one, .n_params = 1},
                                 {.sql = &first, .params = &one, .n_params = 1}};

    assert_int_equal(ts_db_transaction(db, steps, 2), TS_E_DB_CONSTRAINT);
    assert_string_equal(ts_db_error(db)->sqlstate, "23505");
    assert_int_equal(query_int(db, &sql_count), 0);
    assert_int_equal(ts_db_transaction(db, steps, 1), 0);
    assert_int_equal(steps[0].changed, 1);
    assert_int_equal(query_int(db, &sql_count), 1);
}

static void test_commit_of_a_failed_transaction_is_an_error(void **state)
{
    struct ts_db *db = *state;

    assert_int_equal(ts_db_begin(db), 0);
    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
    assert_int_equal(insert(db, 1, TS_STR_NONE), TS_E_DB_CONSTRAINT);
    assert_int_equal(ts_db_commit(db), TS_E_DB_QUERY);
    assert_int_equal(query_int(db, &sql_count), 0);
    assert_int_equal(ts_db_begin(db), 0);
    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
    assert_int_equal(ts_db_commit(db), 0);
    assert_int_equal(query_int(db, &sql_count), 1);
}

static void test_connection_lost_in_a_transaction_is_not_replaced_in_silence(void **state)
{
    struct ts_db *db = *state;

    assert_int_equal(ts_db_begin(db), 0);
    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
    ts_test_pg_sql(
        &pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
        NULL, 0);
    assert_int_equal(insert(db, 2, TS_STR_NONE), TS_E_DB_CONNECTION);
    assert_int_equal(insert(db, 3, TS_STR_NONE), TS_E_DB_CONNECTION);
    assert_int_equal(ts_db_commit(db), TS_E_DB_CONNECTION);
    assert_int_equal(query_int(db, &sql_count), 0);
}

/* --- errors --- */

static void test_errors_have_their_classes(void **state)
{
    static const struct {
        struct ts_sql sql;
        int error;
        const char *sqlstate;
    } cases[] = {
        {{"INSERT INTO t (id) VALUES (NULL)", NULL}, TS_E_DB_CONSTRAINT, "23502"},
        {{"INSERT INTO t (id, price) VALUES (1, 13)", NULL}, TS_E_DB_CONSTRAINT, "23514"},
        {{"INSERT INTO t (id, price) VALUES (1, 1e15)", NULL}, TS_E_DB_DATA, "22003"},
        {{"SELECT 1 / (SELECT 0)", NULL}, TS_E_DB_DATA, "22012"},
        {{"SELECT nothing FROM nowhere", NULL}, TS_E_DB_QUERY, "42P01"},
        {{"SELEC 1", NULL}, TS_E_DB_QUERY, "42601"},
        {{"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", NULL},
         TS_E_DB_DEADLOCK,
         "40001"},
        {{"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", NULL}, TS_E_DB_FULL, "53100"},
    };
    const struct ts_db_value zero = ts_db_text((ts_str){"a\0b", 3});
    static const struct ts_sql text = {"SELECT $1::text", NULL};

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        assert_int_equal(ts_db_run(*state, &cases[i].sql, NULL, 0, NULL, NULL), cases[i].error);
        assert_string_equal(ts_db_error(*state)->sqlstate, cases[i].sqlstate);
    }
    assert_int_equal(ts_db_run(*state, &text, &zero, 1, NULL, NULL), TS_E_DB_DATA);
    assert_int_equal(query_int(*state, &sql_count), 0);
}

static void test_error_about_a_value_does_not_quote_it(void **state)
{
    static const struct ts_sql sql = {"SELECT $1::text::bigint", NULL};
    const struct ts_db_value secret = ts_db_text(TS_STR("very-private"));

    assert_int_equal(ts_db_run(*state, &sql, &secret, 1, NULL, NULL), TS_E_DB_DATA);
    assert_null(strstr(ts_db_error(*state)->message, "private"));
}

static void test_slow_statement_and_held_lock_time_out(void **state)
{
    const struct ts_db_options quick = {.statement_timeout_us = 200 * TS_US_PER_MS};
    _cleanup_(ts_db_closep) struct ts_db *db = open_db(&quick);

    (void)state;
    assert_int_equal(ts_db_run(db, &sql_sleep, NULL, 0, NULL, NULL), TS_E_DB_TIMEOUT);
    assert_string_equal(ts_db_error(db)->sqlstate, "57014");
    assert_int_equal(ts_db_begin(*state), 0);
    assert_int_equal(ts_db_script(*state, "LOCK TABLE t"), 0);
    assert_int_equal(insert(db, 1, TS_STR_NONE), TS_E_DB_TIMEOUT);
    ts_db_rollback(*state);
    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
}

static void test_read_only_session_and_server_refuse_writes(void **state)
{
    const struct ts_db_options reader = {.read_only = true};
    _cleanup_(ts_db_closep) struct ts_db *db = open_db(&reader);

    assert_int_equal(insert(db, 1, TS_STR_NONE), TS_E_DB_READ_ONLY);
    assert_int_equal(query_int(db, &sql_count), 0);
    assert_int_equal(ts_db_script(*state, "SET default_transaction_read_only = on"), 0);
    assert_int_equal(insert(*state, 1, TS_STR_NONE), TS_E_DB_READ_ONLY);
}

static void test_deadlock_is_told_to_one_of_the_two(void **state)
{
    static const struct ts_sql lock_1 = {"SELECT pg_advisory_xact_lock(1)", NULL},
                               lock_2 = {"SELECT pg_advisory_xact_lock(2)", NULL};
    struct ts_db *ours = *state;
    PGconn *other = PQconnectdb(pg.url);

    assert_int_equal(ts_db_begin(ours), 0);
    assert_int_equal(ts_db_run(ours, &lock_1, NULL, 0, NULL, NULL), 1);
    /* The other waits without a limit of its own to find the deadlock; ours finds it after deadlock_timeout, 1 s. */
    PQclear(PQexec(other, "SET deadlock_timeout = '100s'; BEGIN; SELECT pg_advisory_xact_lock(2)"));
    assert_int_equal(PQsendQuery(other, "SELECT pg_advisory_xact_lock(1)"), 1);
    assert_int_equal(PQflush(other), 0);
    assert_int_equal(ts_db_run(ours, &lock_2, NULL, 0, NULL, NULL), TS_E_DB_DEADLOCK);
    ts_db_rollback(ours);
    PQfinish(other);
    assert_int_equal(query_int(ours, &sql_count), 0);
}

/* --- faults --- */

static void test_server_away_and_back_needs_no_hand(void **state)
{
    struct ts_db *db = *state;

    ts_test_pg_down(&pg);
    assert_int_equal(insert(db, 1, TS_STR_NONE), TS_E_DB_CONNECTION);
    assert_true(ts_db_error(db)->message[0] != '\0');
    assert_int_equal(insert(db, 1, TS_STR_NONE), TS_E_DB_CONNECTION);
    ts_test_pg_boot(&pg);
    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
}

static void test_server_restarted_between_two_uses_fails_nothing(void **state)
{
    struct ts_db *db = *state;

    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
    ts_test_pg_cut(&pg);
    ts_test_pg_boot(&pg);
    assert_int_equal(insert(db, 2, TS_STR_NONE), 1);
    assert_int_equal(query_int(db, &sql_count), 2);
}

static void test_frozen_server_holds_a_call_no_longer_than_its_limits(void **state)
{
    const struct ts_db_options quick = {.statement_timeout_us = 100 * TS_US_PER_MS,
                                        .connect_timeout_us = 300 * TS_US_PER_MS};
    _cleanup_(ts_db_closep) struct ts_db *db = open_db(&quick);

    (void)state;
    assert_int_equal(insert(db, 1, TS_STR_NONE), 1);
    ts_test_pg_freeze(&pg);
    assert_int_equal(insert(db, 2, TS_STR_NONE), TS_E_DB_CONNECTION); /* in the statement */
    assert_string_equal(ts_db_error(db)->message, "no answer within the time limit");
    assert_int_equal(insert(db, 2, TS_STR_NONE), TS_E_DB_CONNECTION); /* in the connecting */
    assert_string_equal(ts_db_error(db)->message, "no connection within the time limit");
    ts_test_pg_thaw(&pg);
    assert_int_equal(ts_db_run(db, &sql_count, NULL, 0, NULL, NULL), 1);
}

static void test_deadline_cuts_a_call(void **state)
{
    const struct ts_db_options patient = {.statement_timeout_us = 60 * TS_US_PER_S};
    _cleanup_(ts_db_closep) struct ts_db *db = open_db(&patient);

    (void)state;
    ts_db_set_deadline(db, ts_clock_mono_us() + 200 * TS_US_PER_MS);
    assert_int_equal(ts_db_run(db, &sql_sleep, NULL, 0, NULL, NULL), TS_E_DB_CONNECTION);
    ts_db_set_deadline(db, 0);
    assert_int_equal(query_int(db, &sql_count), 0);
}

static void test_server_without_a_free_connection_is_a_lost_one(void **state)
{
    PGconn *others[8];
    _cleanup_(ts_db_closep) struct ts_db *db = open_db(NULL);

    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(others); i++)
        others[i] = PQconnectdb(pg.url);
    assert_int_equal(ts_db_run(db, &sql_count, NULL, 0, NULL, NULL), TS_E_DB_CONNECTION);
    assert_non_null(strstr(ts_db_error(db)->message, "too many clients"));
    for (size_t i = 0; i < TS_ARRAY_LEN(others); i++)
        PQfinish(others[i]);
    for (int i = 0; i < 200 && ts_db_run(db, &sql_count, NULL, 0, NULL, NULL) < 0; i++)
        ts_test_sleep_ms(10); /* backends take a moment to go */
    assert_int_equal(query_int(db, &sql_count), 0);
}

static int note_text(const struct ts_row *row, void *ctx)
{
    snprintf(ctx, 256, "%.*s", TS_STR_ARG(ts_row_text(row, 0)));
    return 0;
}

static void test_session_has_the_settings_durability_needs(void **state)
{
    static const struct ts_sql sql = {
        "SELECT concat_ws(' ', current_setting('synchronous_commit'), current_setting('statement_timeout'),"
        " current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'), "
        "current_setting('TimeZone'),"
        " current_setting('search_path'), current_setting('application_name'))",
        NULL};
    const struct ts_db_options options = {.schema = "some_schema", .application_name = "some-program"};
    _cleanup_(ts_db_closep) struct ts_db *db = open_db(&options);
    char settings[256];

    (void)state;
    assert_int_equal(ts_db_run(db, &sql, NULL, 0, note_text, settings), 1);
    assert_string_equal(settings, "on 2s 2s 3s UTC some_schema some-program");
}

static void test_bad_url_or_schema_is_refused_without_quoting_it(void **state)
{
    struct ts_db_error error = {0};
    struct ts_db *db = NULL;
    struct ts_db_options options = {
        .driver = &ts_db_postgres, .url = "postgres://u:hidden@h:x/d?sslmod", .ret_error = &error};

    (void)state;
    assert_int_equal(ts_db_open(&options, &db), TS_E_INVALID);
    assert_null(strstr(error.message, "hidden"));
    options.url = pg.url;
    options.schema = "a,b -c fsync=off";
    assert_int_equal(ts_db_open(&options, &db), TS_E_INVALID);
    assert_null(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values_written_come_back_the_same),
        TEST(test_values_written_mean_the_same_to_the_server),
        TEST(test_numbers_no_price_can_hold_become_the_nearest),
        TEST(test_arrays_become_rows),
        TEST(test_large_parameters_and_answers_pass),
        TEST(test_null_first_and_a_value_later_is_prepared_again),
        TEST(test_statements_beyond_the_cache_still_run),
        TEST(test_transaction_with_a_bad_step_stores_nothing),
        TEST(test_commit_of_a_failed_transaction_is_an_error),
        TEST(test_connection_lost_in_a_transaction_is_not_replaced_in_silence),
        TEST(test_errors_have_their_classes),
        TEST(test_error_about_a_value_does_not_quote_it),
        TEST(test_slow_statement_and_held_lock_time_out),
        TEST(test_read_only_session_and_server_refuse_writes),
        TEST(test_deadlock_is_told_to_one_of_the_two),
        TEST(test_server_away_and_back_needs_no_hand),
        TEST(test_server_restarted_between_two_uses_fails_nothing),
        TEST(test_frozen_server_holds_a_call_no_longer_than_its_limits),
        TEST(test_deadline_cuts_a_call),
        TEST(test_server_without_a_free_connection_is_a_lost_one),
        TEST(test_session_has_the_settings_durability_needs),
        TEST(test_bad_url_or_schema_is_refused_without_quoting_it),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
