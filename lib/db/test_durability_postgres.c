/*
 * Acknowledged = on disk, for PostgreSQL: the server is cut (immediate stop: no checkpoint, nothing flushed) while the writer works. After its
 * recovery every acknowledged operation must be there, and no operation twice, though the writer tried again what it had no answer for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "db/writer.h"
#include "testing/postgres.h"

#define ROUNDS  3
#define AT_ONCE 64
#define MAX_OPS 200000

static struct ts_test_pg pg;

struct op {
    struct ts_writer_op head;
    int64_t id;
};

static struct {
    uv_loop_t loop;
    uv_timer_t timer;
    struct ts_writer *writer;
    struct op ops[AT_ONCE];
    bool acknowledged[MAX_OPS];
    int64_t next_id;
    size_t under_way, n_acknowledged, n_failed;
    bool is_ending;
} f;

/* `t` has no key, so that a row stored twice would show; `keys` makes the operation idempotent, as the API's table of messages does. */
static const struct ts_sql sql_insert = {
    "WITH fresh AS (INSERT INTO keys SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING RETURNING id)"
    " INSERT INTO t SELECT id FROM fresh",
    NULL};

static int apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    int64_t ids[TS_MAX_WRITER_BATCH];

    (void)store;
    for (size_t i = 0; i < n; i++)
        ids[i] = TS_CONTAINER_OF(ops[i], struct op, head)->id;
    const struct ts_db_value param = {.type = TS_DB_INT_ARRAY, .array = {.i64 = ids, .n = n}};
    struct ts_db_step steps[] = {{.sql = &sql_insert, .params = &param, .n_params = 1}};
    return ts_db_transaction(db, steps, 1);
}

static void on_done(struct ts_writer_op *head, int result);
static const struct ts_writer_kind kind = {.name = "insert", .apply = apply, .done = on_done};

static void submit(struct op *op)
{
    *op = (struct op){.head = {.kind = &kind, .deadline_us = ts_clock_mono_us() + 9 * TS_US_PER_S},
                      .id = f.next_id++};
    assert_int_equal(ts_writer_submit(f.writer, &op->head), 0);
    f.under_way++;
}

static void on_done(struct ts_writer_op *head, int result)
{
    struct op *op = TS_CONTAINER_OF(head, struct op, head);

    f.under_way--;
    if (result == 0) {
        f.acknowledged[op->id] = true;
        f.n_acknowledged++;
    } else {
        f.n_failed++;
    }
    if (!f.is_ending && f.next_id < MAX_OPS)
        submit(op);
    else if (f.under_way == 0)
        uv_stop(&f.loop);
}

static void cut_and_boot(uv_timer_t *timer)
{
    (void)timer;
    ts_test_pg_cut(&pg);
    ts_test_pg_boot(&pg);
    f.is_ending = true; /* what is under way is still answered */
}

static int start_server(void **state)
{
    (void)state;
    ts_test_pg_start(&pg, NULL);
    ts_test_pg_sql(&pg, "CREATE TABLE keys (id BIGINT PRIMARY KEY); CREATE TABLE t (id BIGINT)", NULL, 0);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return 0;
}

static void test_server_cut_under_load_loses_nothing_acknowledged_and_stores_nothing_twice(void **state)
{
    const struct ts_writer_options options = {.db = {.driver = &ts_db_postgres, .url = pg.url}};
    static char stored[MAX_OPS];
    char sql[256];

    (void)state;
    uv_loop_init(&f.loop);
    uv_timer_init(&f.loop, &f.timer);
    assert_int_equal(ts_writer_new(&f.loop, &options, &f.writer), 0);
    for (int round = 0; round < ROUNDS; round++) {
        f.is_ending = false;
        for (size_t i = 0; i < AT_ONCE; i++)
            submit(&f.ops[i]);
        uv_timer_start(&f.timer, cut_and_boot, 137 + 71 * (uint64_t)round, 0);
        uv_run(&f.loop, UV_RUN_DEFAULT);
        assert_int_equal(f.under_way, 0);
    }
    assert_true(f.n_acknowledged > 1000);
    for (int64_t from = 0; from < f.next_id; from += 100000) { /* as one text of 0 and 1 */
        snprintf(sql, sizeof(sql),
                 "SELECT string_agg(CASE WHEN keys.id IS NULL THEN '0' ELSE '1' END, '' ORDER BY g) FROM"
                 " generate_series(%lld, %lld) g LEFT JOIN keys ON id = g",
                 (long long)from, (long long)from + 99999);
        ts_test_pg_sql(&pg, sql, stored + from, sizeof(stored) - (size_t)from);
    }
    for (int64_t id = 0; id < f.next_id; id++)
        assert_true(!f.acknowledged[id] || stored[id] == '1');
    assert_int_equal(
        ts_test_pg_count(&pg,
                         "SELECT count(*) FROM (SELECT id FROM t GROUP BY id HAVING count(*) > 1) twice"),
        0);
    assert_int_equal(ts_test_pg_count(&pg, "SELECT count(*) FROM t"),
                     ts_test_pg_count(&pg, "SELECT count(*) FROM keys"));
    ts_writer_stop(f.writer, NULL, NULL);
    uv_close((uv_handle_t *)&f.timer, NULL);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    ts_writer_free(f.writer);
    assert_int_equal(uv_loop_close(&f.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_cut_under_load_loses_nothing_acknowledged_and_stores_nothing_twice),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
