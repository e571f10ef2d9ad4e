/* The reader pool over a real SQLite file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>

#include "base/clock.h"
#include "base/error.h"
#include "db/reader.h"
#include "testing/process.h"

#define MANY 500

struct job {
    struct ts_read_job head;
    int64_t value;
    int result, answers, runs;
};

static struct {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    uv_loop_t loop;
    struct ts_reader *reader;
    sem_t gate;
    struct job jobs[MANY];
    size_t answered, expected;
} f;

static const struct ts_sql sql_max = {"SELECT max(id) FROM t", NULL};
static const struct ts_sql sql_write = {"DELETE FROM t", NULL};

static int note_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int read_max(struct ts_read_job *head, struct ts_db *db)
{
    struct job *job = TS_CONTAINER_OF(head, struct job, head);

    job->runs++;
    return (int)TS_MIN(ts_db_run(db, &sql_max, NULL, 0, note_int, &job->value), 0);
}

static int read_behind_gate(struct ts_read_job *head, struct ts_db *db)
{
    sem_wait(&f.gate);
    return read_max(head, db);
}

static int try_to_write(struct ts_read_job *head, struct ts_db *db)
{
    (void)head;
    return (int)TS_MIN(ts_db_run(db, &sql_write, NULL, 0, NULL, NULL), 0);
}

static void on_done(struct ts_read_job *head, int result)
{
    struct job *job = TS_CONTAINER_OF(head, struct job, head);

    job->result = result;
    job->answers++;
    if (++f.answered == f.expected)
        uv_stop(&f.loop);
}

static int set_up(void **state)
{
    struct ts_db *db;

    (void)state;
    memset(&f, 0, sizeof(f));
    sem_init(&f.gate, 0, 0);
    ts_test_dir_make(f.dir);
    ts_test_path(f.dir, "t.db", f.path);
    const struct ts_reader_options options = {
        .db = {.driver = &ts_db_sqlite, .path = f.path}, .threads = 3, .max_queue = MANY};
    assert_int_equal(ts_db_open(&options.db, &db), 0);
    assert_int_equal(
        ts_db_script(db, "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (41), (42)"), 0);
    ts_db_close(db);
    uv_loop_init(&f.loop);
    assert_int_equal(ts_reader_new(&f.loop, &options, &f.reader), 0);
    return 0;
}

static void on_stopped(void *ctx)
{
    *(bool *)ctx = true;
}

static int tear_down(void **state)
{
    bool stopped = false;

    (void)state;
    ts_reader_stop(f.reader, on_stopped, &stopped);
    assert_int_equal(ts_reader_submit(f.reader, &f.jobs[0].head), TS_E_CLOSED);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_true(stopped);
    f.reader = ts_reader_free(f.reader);
    assert_int_equal(uv_loop_close(&f.loop), 0);
    sem_destroy(&f.gate);
    ts_test_dir_remove(f.dir);
    return 0;
}

static int submit(size_t i, int (*run)(struct ts_read_job *, struct ts_db *), int64_t deadline_us)
{
    f.jobs[i] = (struct job){.head = {.run = run, .done = on_done, .deadline_us = deadline_us}};
    return ts_reader_submit(f.reader, &f.jobs[i].head);
}

static void run_until(size_t answers)
{
    f.expected = answers;
    if (f.answered < answers)
        uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, answers);
}

static void test_many_jobs_are_each_answered_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(submit(i, read_max, 0), 0);
    run_until(MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(f.jobs[i].result, 0);
        assert_int_equal(f.jobs[i].value, 42);
        assert_int_equal(f.jobs[i].answers, 1);
    }
}

static void test_job_past_its_deadline_is_not_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(submit(i, read_behind_gate, ts_clock_mono_us() + 60 * TS_US_PER_S), 0);
    assert_int_equal(submit(3, read_max, 1), 0);
    for (int i = 0; i < 3; i++)
        sem_post(&f.gate);
    run_until(4);
    assert_int_equal(f.jobs[3].result, TS_E_TIMEOUT);
    assert_int_equal(f.jobs[3].runs, 0);
    assert_int_equal(f.jobs[3].head.error_detail.error, TS_E_TIMEOUT);
    assert_int_equal(f.jobs[0].result, 0);
}

static void test_full_queue_refuses(void **state)
{
    struct job extra = {.head = {.run = read_max, .done = on_done}};
    const int64_t later = ts_clock_mono_us() + 60 * TS_US_PER_S;
    size_t accepted = 0;

    (void)state;
    for (; accepted < 3; accepted++)
        assert_int_equal(submit(accepted, read_behind_gate, later), 0);
    while (ts_reader_stats(f.reader).active < 3)
        ts_test_sleep_ms(1);
    for (; accepted < MANY; accepted++)
        assert_int_equal(submit(accepted, read_max, later), 0);
    assert_int_equal(ts_reader_stats(f.reader).waiting, MANY - 3);
    static struct job fill[3];
    for (int i = 0; i < 3; i++) {
        fill[i] = (struct job){.head = {.run = read_max, .done = on_done, .deadline_us = later}};
        assert_int_equal(ts_reader_submit(f.reader, &fill[i].head), 0);
    }
    assert_int_equal(ts_reader_submit(f.reader, &extra.head), TS_E_OVERLOADED);
    for (int i = 0; i < 3; i++)
        sem_post(&f.gate);
    run_until(MANY + 3);
    assert_int_equal(ts_reader_stats(f.reader).idle, 3);
}

static void test_job_that_writes_is_refused_with_its_reason(void **state)
{
    (void)state;
    assert_int_equal(submit(0, try_to_write, 0), 0);
    run_until(1);
    assert_int_equal(f.jobs[0].result, TS_E_DB_READ_ONLY);
    assert_int_equal(f.jobs[0].head.error_detail.error, TS_E_DB_READ_ONLY);
    assert_true(f.jobs[0].head.error_detail.message[0] != '\0');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_many_jobs_are_each_answered_once),
        TEST(test_job_past_its_deadline_is_not_run),
        TEST(test_full_queue_refuses),
        TEST(test_job_that_writes_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
