/* Mutations on the writer's side: what one of them meets disturbs no other, and a commit whose answer was lost is found done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
#include "db/db_internal.h"
#include "mutation.h"
#include "registry.h"
#include "testing/process.h"

/* SQLite, but the next commit's answer is lost on the way. */
static struct ts_db_driver driver;
static bool lose;

static int lossy_commit(struct ts_db *db)
{
    int r = ts_db_sqlite.commit(db);
    if (!lose)
        return r;
    lose = false;
    return TS_E_DB_CONNECTION;
}

static char dir[TS_TEST_PATH_SIZE];
static struct ts_db *db;

static int open_store(void **state)
{
    char path[TS_TEST_PATH_SIZE];
    (void)state;
    ts_test_dir_make(dir);
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = ts_test_path(dir, "x.db", path)};
    assert_int_equal(ts_db_open(&options, &db), 0);
    assert_int_equal(store_migrate(db, NULL, NULL), 0);
    driver = ts_db_sqlite;
    driver.commit = lossy_commit;
    db->driver = &driver;
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    db = ts_db_close(db);
    ts_test_dir_remove(dir);
    return 0;
}

static const struct channel_fields fields = {.given = CHANNEL_LABEL | CHANNEL_ID,
                                             .label = {"Sala", 4},
                                             .channel_id = 5,
                                             .channel_type = {"source", 6},
                                             .status = {"active", 6}};

static int run_create(struct mutation *m, struct store_tx *tx)
{
    return store_create_channel(tx, m->subject, &fields, 1000);
}

static int run_delete(struct mutation *m, struct store_tx *tx)
{
    return store_delete_channel(tx, m->subject, 2000);
}

static const struct mutation_kind creates = {.run = run_create}, deletes = {.run = run_delete};

static struct mutation make(const struct mutation_kind *kind, const char *id)
{
    return (struct mutation){.kind = kind, .subject = ts_str_from(id)};
}

static int apply(struct mutation *m)
{
    struct ts_writer_op *op = &m->op;
    return mutation_apply(NULL, db, &op, 1);
}

static int on_row(const struct ts_row *row, void *ctx)
{
    *(int64_t *)ctx = ts_row_int(row, 0);
    return 0;
}

static int live_channels(void)
{
    static const struct ts_sql sql = {.text =
                                          "SELECT count(*) FROM telegram_channels WHERE status <> 'deleted'"};
    int64_t n = -1;
    assert_true(ts_db_run(db, &sql, NULL, 0, on_row, &n) >= 0);
    return (int)n;
}

static void test_creation_when_the_answer_was_lost_then_a_second_attempt_finds_it_done(void **state)
{
    struct mutation m = make(&creates, "channel-1"), other = make(&creates, "channel-2");
    (void)state;
    lose = true;
    assert_int_equal(apply(&m), TS_E_DB_CONNECTION);
    assert_int_equal(apply(&m), 0);
    assert_int_equal(m.outcome, 0);
    assert_int_equal(live_channels(), 1);
    assert_int_equal(apply(&other), 0); /* somebody else's is a conflict */
    assert_int_equal(other.outcome, TS_E_CONFLICT);
}

static void test_deletion_when_the_answer_was_lost_then_a_second_attempt_finds_it_done(void **state)
{
    struct mutation create = make(&creates, "channel-1"), m = make(&deletes, "channel-1");
    (void)state;
    assert_int_equal(apply(&create), 0);
    lose = true;
    assert_int_equal(apply(&m), TS_E_DB_CONNECTION);
    assert_int_equal(apply(&m), 0);
    assert_int_equal(m.outcome, 0);
    struct mutation again = make(&deletes, "channel-1"); /* another request, however, is told */
    assert_int_equal(apply(&again), 0);
    assert_int_equal(again.outcome, TS_E_NOT_FOUND);
    assert_int_equal(live_channels(), 0);
}

static void test_batch_when_one_conflicts_and_one_is_not_found_then_the_others_are_stored(void **state)
{
    struct mutation all[] = {make(&creates, "channel-1"), make(&creates, "channel-2"),
                             make(&deletes, "channel-0"), make(&deletes, "channel-1"),
                             make(&creates, "channel-3")};
    static const int outcomes[] = {0, TS_E_CONFLICT, TS_E_NOT_FOUND, 0, 0};
    struct ts_writer_op *ops[TS_ARRAY_LEN(all)];
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(all); i++)
        ops[i] = &all[i].op;
    assert_int_equal(mutation_apply(NULL, db, ops, TS_ARRAY_LEN(all)), 0);
    for (size_t i = 0; i < TS_ARRAY_LEN(all); i++)
        assert_int_equal(all[i].outcome, outcomes[i]);
    assert_int_equal(live_channels(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_creation_when_the_answer_was_lost_then_a_second_attempt_finds_it_done, open_store,
            close_store),
        cmocka_unit_test_setup_teardown(
            test_deletion_when_the_answer_was_lost_then_a_second_attempt_finds_it_done, open_store,
            close_store),
        cmocka_unit_test_setup_teardown(
            test_batch_when_one_conflicts_and_one_is_not_found_then_the_others_are_stored, open_store,
            close_store),
    };
    return cmocka_run_group_tests_name("mutation", tests, NULL, NULL);
}
