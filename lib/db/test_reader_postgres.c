/* The reader pool when a real server stops or freezes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "db/reader.h"
#include "testing/postgres.h"

static struct ts_test_pg pg;
static uv_loop_t loop;

static int start_server(void **state)
{
    (void)state;
    ts_test_pg_start(&pg, NULL);
    ts_test_pg_sql(&pg, "CREATE TABLE t (id BIGINT PRIMARY KEY)", NULL, 0);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return 0;
}

struct job {
    struct ts_read_job head;
    int64_t value;
    int result;
};

static size_t jobs_answered, jobs_expected;

static int note_int(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int read_count(struct ts_read_job *head, struct ts_db *db)
{
    static const struct ts_sql sql = {"SELECT count(*) FROM t", NULL};

    return (int)TS_MIN(
        ts_db_run(db, &sql, NULL, 0, note_int, &TS_CONTAINER_OF(head, struct job, head)->value), 0);
}

static void on_read(struct ts_read_job *head, int result)
{
    TS_CONTAINER_OF(head, struct job, head)->result = result;
    if (++jobs_answered == jobs_expected)
        uv_stop(&loop);
}

static void read_all(struct ts_reader *reader, struct job *jobs, size_t n)
{
    jobs_answered = 0;
    jobs_expected = n;
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){.head = {.run = read_count, .done = on_read}, .value = -1};
        assert_int_equal(ts_reader_submit(reader, &jobs[i].head), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(jobs_answered, n);
}

static void test_readers_survive_a_restart_and_answer_while_the_server_is_frozen(void **state)
{
    const struct ts_reader_options options = {.db = {.driver = &ts_db_postgres, .url = pg.url}};
    struct ts_reader *reader;
    struct job jobs[12];

    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(ts_reader_new(&loop, &options, &reader), 0);
    read_all(reader, jobs, 12);
    ts_test_pg_cut(&pg);
    read_all(reader, jobs, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(jobs[i].result, TS_E_DB_CONNECTION);
    ts_test_pg_boot(&pg);
    read_all(reader, jobs, 12);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(jobs[i].result, 0);
    ts_test_pg_freeze(&pg);
    read_all(reader, jobs, 12);
    for (size_t i = 0; i < 12; i++)
        assert_true(jobs[i].result == TS_E_DB_CONNECTION || jobs[i].result == TS_E_TIMEOUT);
    ts_test_pg_thaw(&pg);
    read_all(reader, jobs, 12);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(jobs[i].result, 0);
    ts_reader_stop(reader, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ts_reader_free(reader);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_survive_a_restart_and_answer_while_the_server_is_frozen),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
