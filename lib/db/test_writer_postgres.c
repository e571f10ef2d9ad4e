/* The writer when a real server stops, freezes or refuses. The promise: every operation is answered within its 9 s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "db/writer.h"
#include "testing/postgres.h"

#define MAX_OPS 600

static struct ts_test_pg pg;

struct op {
    struct ts_writer_op head;
    int64_t id;
    int result, answers;
    int64_t submitted_us, answered_us;
};

static struct {
    uv_loop_t loop;
    uv_timer_t later;
    struct ts_writer *writer;
    struct op ops[MAX_OPS];
    size_t answered, expected;
    size_t next; /* for submit_more */
    int errors, last_error;
    size_t batches, committed_ops;
} f;

/* As the API stores: one pipeline, keys that are there already are passed over. */
static const struct ts_sql sql_insert = {
    "INSERT INTO t (id) SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING", NULL};
static const struct ts_sql sql_lock = {"SELECT pg_advisory_xact_lock(42)", NULL};

static int apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    int64_t ids[MAX_OPS];

    (void)store;
    for (size_t i = 0; i < n; i++)
        ids[i] = TS_CONTAINER_OF(ops[i], struct op, head)->id;
    const struct ts_db_value param = {.type = TS_DB_INT_ARRAY, .array = {.i64 = ids, .n = n}};
    struct ts_db_step steps[] = {{.sql = &sql_lock}, {.sql = &sql_insert, .params = &param, .n_params = 1}};
    return ts_db_transaction(db, steps, TS_ARRAY_LEN(steps));
}

static void on_done(struct ts_writer_op *head, int result)
{
    struct op *op = TS_CONTAINER_OF(head, struct op, head);

    op->result = result;
    op->answers++;
    op->answered_us = ts_clock_mono_us();
    if (++f.answered == f.expected)
        uv_stop(&f.loop);
}

static const struct ts_writer_kind kind = {.name = "insert", .apply = apply, .done = on_done};

static void on_error(const struct ts_db_error *error, int attempt, int64_t wait_us, void *ctx)
{
    (void)attempt, (void)wait_us, (void)ctx;
    f.errors++;
    f.last_error = error->error;
}

static void on_batch(size_t ops, int64_t duration_us, void *ctx)
{
    (void)duration_us, (void)ctx;
    f.batches++;
    f.committed_ops += ops;
}

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
    const struct ts_writer_options options = {
        .db = {.driver = &ts_db_postgres, .url = pg.url}, .on_error = on_error, .on_batch = on_batch};

    (void)state;
    memset(&f, 0, sizeof(f));
    ts_test_pg_sql(&pg, "DROP TABLE IF EXISTS t; CREATE TABLE t (id BIGINT PRIMARY KEY CHECK (id <> 13))",
                   NULL, 0);
    uv_loop_init(&f.loop);
    uv_timer_init(&f.loop, &f.later);
    return ts_writer_new(&f.loop, &options, &f.writer);
}

static int tear_down(void **state)
{
    (void)state;
    ts_writer_stop(f.writer, NULL, NULL);
    uv_close((uv_handle_t *)&f.later, NULL);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    f.writer = ts_writer_free(f.writer);
    return uv_loop_close(&f.loop);
}

static void submit(size_t i)
{
    struct op *op = &f.ops[i];
    const int64_t now_us = ts_clock_mono_us();

    *op = (struct op){.head = {.kind = &kind, .deadline_us = now_us + 9 * TS_US_PER_S},
                      .id = (int64_t)i,
                      .submitted_us = now_us};
    assert_int_equal(ts_writer_submit(f.writer, &op->head), 0);
}

static void run_until(size_t answers)
{
    f.expected = answers;
    if (f.answered < answers)
        uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, answers);
}

static long stored(void)
{
    return ts_test_pg_count(&pg, "SELECT count(*) FROM t");
}

static void test_many_operations_share_commits(void **state)
{
    (void)state;
    for (size_t i = 100; i < MAX_OPS; i++)
        submit(i);
    run_until(MAX_OPS - 100);
    assert_int_equal(stored(), MAX_OPS - 100);
    assert_int_equal(f.committed_ops, MAX_OPS - 100);
    assert_true(f.batches < 100);
}

static void test_operation_at_fault_fails_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 64; i++)
        submit(i);
    run_until(64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(f.ops[i].result, i == 13 ? TS_E_DB_CONSTRAINT : 0);
    assert_int_equal(stored(), 63);
}

static void boot_later(uv_timer_t *timer)
{
    (void)timer;
    ts_test_pg_boot(&pg);
}

static void test_server_back_before_the_attempts_are_used_up_loses_nothing(void **state)
{
    (void)state;
    ts_test_pg_cut(&pg);
    for (size_t i = 0; i < 10; i++)
        submit(i);
    uv_timer_start(&f.later, boot_later, 500, 0);
    run_until(10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(f.ops[i].result, 0);
    assert_true(f.errors >= 1);
    assert_int_equal(f.last_error, TS_E_DB_CONNECTION);
    assert_int_equal(stored(), 10);
}

static void submit_more(uv_timer_t *timer)
{
    submit(f.next++);
    if (f.next == 40)
        uv_timer_stop(timer);
}

/* The promise itself, so time is looked at: 9 s and what a busy machine may add; the client gives up at 10 s. */
static void test_frozen_server_leaves_no_operation_without_an_answer_in_its_9_seconds(void **state)
{
    (void)state;
    submit(0);
    run_until(1); /* connected */
    ts_test_pg_freeze(&pg);
    for (size_t i = 1; i < 10; i++)
        submit(i);
    f.next = 10;
    uv_timer_start(&f.later, submit_more, 30, 30); /* 30 more, which come upon a hanging writer */
    run_until(40);
    ts_test_pg_thaw(&pg);
    for (size_t i = 1; i < 40; i++) {
        assert_true(f.ops[i].result == TS_E_TIMEOUT || f.ops[i].result == TS_E_DB_CONNECTION);
        assert_int_equal(f.ops[i].answers, 1);
        assert_true(f.ops[i].answered_us - f.ops[i].submitted_us < 9700 * TS_US_PER_MS);
    }
    submit(50);
    run_until(41);
    assert_int_equal(f.ops[50].result, 0);
}

static void test_read_only_server_fails_the_batch_at_once(void **state)
{
    (void)state;
    ts_test_pg_sql(&pg, "ALTER SYSTEM SET default_transaction_read_only = on", NULL, 0);
    ts_test_pg_sql(&pg, "SELECT pg_reload_conf()", NULL, 0);
    ts_test_sleep_ms(200); /* the server reads its configuration when it comes to it */
    submit(0);
    run_until(1);
    assert_int_equal(f.ops[0].result, TS_E_DB_READ_ONLY);
    assert_int_equal(f.errors, 1);
    ts_test_pg_sql(&pg, "ALTER SYSTEM RESET default_transaction_read_only", NULL, 0);
    ts_test_pg_sql(&pg, "SELECT pg_reload_conf()", NULL, 0);
    ts_test_sleep_ms(200);
}

/* To the server a replica that is frozen with the lock in its hand is a session that does nothing: so is this one. */
static void test_lock_held_by_a_frozen_replica_is_freed_within_the_9_seconds(void **state)
{
    const struct ts_db_options options = {.driver = &ts_db_postgres, .url = pg.url};
    _cleanup_(ts_db_closep) struct ts_db *frozen = NULL;

    (void)state;
    assert_int_equal(ts_db_open(&options, &frozen), 0);
    assert_int_equal(ts_db_begin(frozen), 0);
    assert_int_equal(ts_db_run(frozen, &sql_lock, NULL, 0, NULL, NULL), 1);
    for (size_t i = 0; i < 5; i++)
        submit(i);
    run_until(5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(f.ops[i].result, 0);
    assert_int_equal(f.last_error, TS_E_DB_TIMEOUT);
    assert_int_equal(ts_db_commit(frozen), TS_E_DB_CONNECTION);
    assert_int_equal(stored(), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_many_operations_share_commits),
        TEST(test_operation_at_fault_fails_alone),
        TEST(test_server_back_before_the_attempts_are_used_up_loses_nothing),
        TEST(test_frozen_server_leaves_no_operation_without_an_answer_in_its_9_seconds),
        TEST(test_read_only_server_fails_the_batch_at_once),
        TEST(test_lock_held_by_a_frozen_replica_is_freed_within_the_9_seconds),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
