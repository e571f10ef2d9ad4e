/* The writer over a real SQLite file. What only a server can do wrong is in test_writer_postgres.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "db/writer.h"
#include "testing/process.h"

#define MANY 2000

struct op {
    struct ts_writer_op head;
    int64_t id;
    int result;
    int answers;
};

/* What apply is told to do, and what came back. */
struct fixture {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    uv_loop_t loop;
    struct ts_writer *writer;
    struct op ops[MANY];
    sem_t gate; /* apply of the kind `gated` waits here */
    int planned_failures, planned_error;
    int applies;
    size_t answered, expected;
    size_t committed_ops;
    int errors, last_attempt, fatals;
    int64_t last_wait_us;
    int64_t order[MANY];
};

static struct fixture f;

static const struct ts_sql sql_insert = {"INSERT INTO t (id) VALUES ($1)", NULL};

/* Linked with --wrap=malloc: memory is out for the thread that says so. */
static _Thread_local bool memory_is_out;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return memory_is_out ? NULL : __real_malloc(size);
}

static int insert_all(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    (void)store;
    f.applies++;
    int r = ts_db_begin(db);
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct ts_db_value id = ts_db_int(TS_CONTAINER_OF(ops[i], struct op, head)->id);
        int64_t changed = ts_db_run(db, &sql_insert, &id, 1, NULL, NULL);
        r = changed < 0 ? (int)changed : 0;
    }
    return r == 0 ? ts_db_commit(db) : r; /* on an error the writer rolls back */
}

static int apply_gated(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    sem_wait(&f.gate);
    return insert_all(store, db, ops, n);
}

static int apply_failing(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    if (f.planned_failures > 0) {
        f.planned_failures--;
        f.applies++;
        return f.planned_error;
    }
    return insert_all(store, db, ops, n);
}

static int apply_failing_without_memory(void *store, struct ts_db *db, struct ts_writer_op *const *ops,
                                        size_t n)
{
    memory_is_out = true;
    return apply_failing(store, db, ops, n);
}

static void on_done(struct ts_writer_op *head, int result)
{
    struct op *op = TS_CONTAINER_OF(head, struct op, head);

    op->result = result;
    op->answers++;
    f.order[f.answered++] = op->id;
    if (f.answered == f.expected)
        uv_stop(&f.loop);
}

static const struct ts_writer_kind plain = {"plain", insert_all, on_done, 0};
static const struct ts_writer_kind gated = {"gated", apply_gated, on_done, 0};
static const struct ts_writer_kind by_four = {"by four", apply_gated, on_done, 4};
static const struct ts_writer_kind failing = {"failing", apply_failing, on_done, 0};
static const struct ts_writer_kind starving = {"starving", apply_failing_without_memory, on_done, 0};

static void on_error(const struct ts_db_error *error, int attempt, int64_t wait_us, void *ctx)
{
    (void)ctx;
    assert_true(error->error < 0);
    f.errors++;
    f.last_attempt = attempt;
    f.last_wait_us = wait_us;
}

static void on_batch(size_t ops, int64_t duration_us, void *ctx)
{
    (void)ctx;
    assert_true(duration_us >= 0);
    f.committed_ops += ops;
}

static void on_fatal(const struct ts_db_error *error, void *ctx)
{
    (void)ctx;
    assert_int_equal(error->error, TS_E_DB_SYNC);
    f.fatals++;
}

static int set_up(void **state)
{
    struct ts_db *db;

    (void)state;
    f = (struct fixture){0};
    sem_init(&f.gate, 0, 0);
    ts_test_dir_make(f.dir);
    ts_test_path(f.dir, "t.db", f.path);
    const struct ts_writer_options options = {
        .db = {.driver = &ts_db_sqlite, .path = f.path},
        .max_queue = MANY,
        .on_error = on_error,
        .on_batch = on_batch,
        .on_fatal = on_fatal,
    };
    assert_int_equal(ts_db_open(&options.db, &db), 0);
    assert_int_equal(ts_db_script(db, "CREATE TABLE t (id INTEGER PRIMARY KEY)"), 0);
    ts_db_close(db);
    uv_loop_init(&f.loop);
    assert_int_equal(ts_writer_new(&f.loop, &options, &f.writer), 0);
    return 0;
}

static void on_stopped(void *ctx)
{
    *(bool *)ctx = true;
}

static void stop_writer(void)
{
    bool stopped = false;

    ts_writer_stop(f.writer, on_stopped, &stopped);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_true(stopped);
    f.writer = ts_writer_free(f.writer);
}

static int tear_down(void **state)
{
    (void)state;
    if (f.writer)
        stop_writer();
    assert_int_equal(uv_loop_close(&f.loop), 0);
    sem_destroy(&f.gate);
    ts_test_dir_remove(f.dir);
    return 0;
}

static struct op *submit(size_t i, const struct ts_writer_kind *kind, int64_t id, int64_t deadline_us)
{
    struct op *op = &f.ops[i];

    *op = (struct op){.head = {.kind = kind, .deadline_us = deadline_us}, .id = id};
    assert_int_equal(ts_writer_submit(f.writer, &op->head), 0);
    return op;
}

static void run_until(size_t answers)
{
    f.expected = answers;
    if (f.answered < answers)
        uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, answers);
}

static int note_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int64_t stored(void)
{
    static const struct ts_sql sql = {"SELECT count(*) FROM t", NULL};
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = f.path, .read_only = true};
    int64_t n = -1;

    assert_int_equal(ts_db_open(&options, &db), 0);
    assert_int_equal(ts_db_run(db, &sql, NULL, 0, note_int, &n), 1);
    return n;
}

static void test_many_operations_share_commits_and_keep_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        submit(i, &plain, (int64_t)i + 1, 0);
    assert_int_equal(ts_writer_pending(f.writer), MANY);
    run_until(MANY);
    assert_int_equal(ts_writer_pending(f.writer), 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(f.ops[i].result, 0);
        assert_int_equal(f.order[i], i + 1);
    }
    assert_int_equal(f.committed_ops, MANY);
    assert_true(f.applies < MANY / 4);
    assert_int_equal(stored(), MANY);
}

static void test_operation_at_fault_fails_alone(void **state)
{
    (void)state;
    submit(0, &gated, 1000, 0); /* holds the thread, so that the rest makes one batch */
    for (size_t i = 1; i <= 100; i++)
        submit(i, &plain, i == 77 ? 1000 : (int64_t)i, 0);
    sem_post(&f.gate);
    run_until(101);
    for (size_t i = 0; i <= 100; i++)
        assert_int_equal(f.ops[i].result, i == 77 ? TS_E_DB_CONSTRAINT : 0);
    assert_int_equal(stored(), 100);
}

static void test_full_queue_refuses_until_it_was_worked_off(void **state)
{
    struct op extra = {.head = {.kind = &plain}, .id = MANY + 1};

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        assert_false(ts_writer_is_full(f.writer));
        submit(i, i == 0 ? &gated : &plain, (int64_t)i + 1, 0);
    }
    assert_true(ts_writer_is_full(f.writer));
    assert_int_equal(ts_writer_submit(f.writer, &extra.head), TS_E_OVERLOADED);
    sem_post(&f.gate);
    run_until(MANY);
    assert_false(ts_writer_is_full(f.writer));
    assert_int_equal(stored(), MANY);
}

static void test_stop_finishes_what_is_queued_and_refuses_more(void **state)
{
    struct op extra = {.head = {.kind = &plain}, .id = 999};
    bool stopped = false;

    (void)state;
    for (size_t i = 0; i < 50; i++)
        submit(i, i == 0 ? &gated : &plain, (int64_t)i + 1, 0);
    ts_writer_stop(f.writer, on_stopped, &stopped);
    assert_int_equal(ts_writer_submit(f.writer, &extra.head), TS_E_CLOSED);
    sem_post(&f.gate);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_true(stopped);
    f.writer = ts_writer_free(f.writer);
    assert_int_equal(f.answered, 50);
    assert_int_equal(stored(), 50);
}

static void test_operation_waiting_past_its_deadline_is_answered_while_the_thread_hangs(void **state)
{
    (void)state;
    submit(0, &gated, 1, 0);
    submit(1, &plain, 2, ts_clock_mono_us() + 50 * TS_US_PER_MS);
    submit(2, &plain, 3, ts_clock_mono_us() + 60 * TS_US_PER_S);
    run_until(1); /* the gate is still shut */
    assert_int_equal(f.ops[1].answers, 1);
    assert_int_equal(f.ops[1].result, TS_E_TIMEOUT);
    sem_post(&f.gate);
    run_until(3);
    assert_int_equal(f.ops[1].answers, 1);
    assert_int_equal(f.ops[2].result, 0);
    assert_int_equal(stored(), 2);
}

static void test_deadlock_is_tried_again_with_all_operations(void **state)
{
    (void)state;
    f.planned_failures = 1;
    f.planned_error = TS_E_DB_DEADLOCK;
    for (size_t i = 0; i < 3; i++)
        submit(i, &failing, (int64_t)i + 1, ts_clock_mono_us() + 9 * TS_US_PER_S);
    run_until(3);
    assert_int_equal(f.errors, 1);
    assert_int_equal(f.last_attempt, 1);
    assert_int_equal(f.last_wait_us, 1 * TS_US_PER_S);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f.ops[i].result, 0);
    assert_int_equal(stored(), 3);
}

static void test_connection_lost_three_times_gives_up(void **state)
{
    (void)state;
    f.planned_failures = 100;
    f.planned_error = TS_E_DB_CONNECTION;
    submit(0, &failing, 1, ts_clock_mono_us() + 60 * TS_US_PER_S);
    run_until(1);
    assert_int_equal(f.ops[0].result, TS_E_DB_CONNECTION);
    assert_int_equal(f.errors, 3);
    assert_int_equal(f.last_attempt, 3);
    assert_true(f.last_wait_us < 0);
    assert_int_equal(f.applies, 3);
    assert_int_equal(stored(), 0);
}

static void test_no_wait_starts_that_would_pass_an_operations_deadline(void **state)
{
    (void)state;
    f.planned_failures = 1;
    f.planned_error = TS_E_DB_CONNECTION;
    submit(0, &gated, 1, 0);
    submit(1, &failing, 2, ts_clock_mono_us() + 1500 * TS_US_PER_MS); /* shorter than the wait of 2 s */
    submit(2, &failing, 3, ts_clock_mono_us() + 60 * TS_US_PER_S);
    sem_post(&f.gate);
    run_until(2);
    assert_int_equal(f.ops[1].result, TS_E_TIMEOUT);
    assert_int_equal(f.ops[2].answers, 0);
    run_until(3);
    assert_int_equal(f.ops[2].result, 0);
    assert_int_equal(stored(), 2);
}

static void test_other_errors_fail_the_batch_at_once(void **state)
{
    static const int errors[] = {TS_E_DB_READ_ONLY, TS_E_DB_FULL, TS_E_DB_QUERY};

    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(errors); i++) {
        f.planned_failures = 1;
        f.planned_error = errors[i];
        submit(i, &failing, (int64_t)i + 1, 0);
        run_until(i + 1);
        assert_int_equal(f.ops[i].result, errors[i]);
    }
    assert_int_equal(f.applies, TS_ARRAY_LEN(errors));
    assert_int_equal(f.fatals, 0);
    assert_int_equal(stored(), 0);
}

static void test_failed_sync_is_never_retried_and_told_once(void **state)
{
    (void)state;
    f.planned_failures = 2;
    f.planned_error = TS_E_DB_SYNC;
    submit(0, &failing, 1, 0);
    run_until(1);
    submit(1, &failing, 2, 0);
    run_until(2);
    assert_int_equal(f.ops[0].result, TS_E_DB_SYNC);
    assert_int_equal(f.ops[1].result, TS_E_DB_SYNC);
    assert_int_equal(f.applies, 2);
    assert_int_equal(f.fatals, 1);
}

static void test_failed_sync_is_told_even_without_memory_for_a_report(void **state)
{
    (void)state;
    f.planned_failures = 1;
    f.planned_error = TS_E_DB_SYNC;
    submit(0, &starving, 1, 0);
    run_until(1);
    assert_int_equal(f.ops[0].result, TS_E_DB_SYNC);
    assert_int_equal(f.fatals, 1);
    assert_int_equal(f.errors, 0);
}

static void test_a_kind_with_a_maximum_is_committed_in_pieces_of_it(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        submit((size_t)i, &by_four, i + 1, 0);
    for (int i = 0; i < 12; i++)
        sem_post(&f.gate);
    run_until(12);
    assert_true(f.applies >= 3);
    assert_int_equal(f.committed_ops, 12);
    assert_int_equal(stored(), 12);
}

static void test_writer_without_a_folder_is_not_made(void **state)
{
    struct ts_writer *writer = NULL;
    struct ts_db_error error = {0};
    const struct ts_writer_options options = {
        .db = {.driver = &ts_db_sqlite, .path = "/nonexistent/t.db", .ret_error = &error}};

    (void)state;
    assert_int_equal(ts_writer_new(&f.loop, &options, &writer), TS_E_DB_QUERY);
    assert_null(writer);
    assert_true(error.message[0] != '\0');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_many_operations_share_commits_and_keep_their_order),
        TEST(test_operation_at_fault_fails_alone),
        TEST(test_full_queue_refuses_until_it_was_worked_off),
        TEST(test_stop_finishes_what_is_queued_and_refuses_more),
        TEST(test_operation_waiting_past_its_deadline_is_answered_while_the_thread_hangs),
        TEST(test_deadlock_is_tried_again_with_all_operations),
        TEST(test_connection_lost_three_times_gives_up),
        TEST(test_no_wait_starts_that_would_pass_an_operations_deadline),
        TEST(test_other_errors_fail_the_batch_at_once),
        TEST(test_failed_sync_is_never_retried_and_told_once),
        TEST(test_failed_sync_is_told_even_without_memory_for_a_report),
        TEST(test_a_kind_with_a_maximum_is_committed_in_pieces_of_it),
        TEST(test_writer_without_a_folder_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
