/*
 * Acknowledged = on disk. The writer works on a VFS that knows what a power cut would leave; at many moments the possible disks are opened
 * and every acknowledged operation must be there. A check that can't fail proves nothing, so the three ways to cheat (acknowledge before the
 * commit, synchronous=NORMAL, OFF) are played too, and each must be found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/error.h"
#include "base/limits.h"
#include "db/db_internal.h"
#include "db/writer.h"
#include "testing/durable_vfs.h"
#include "testing/process.h"

#define OPS         2000
#define AT_ONCE     40  /* operations under way */
#define IMAGE_EVERY 200 /* acknowledgements */
#define SEEDED      3   /* images beside the one without anything unsynced */

struct op {
    struct ts_writer_op head;
    int64_t id;
};

static struct {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE], copy[TS_TEST_PATH_SIZE];
    uv_loop_t loop;
    struct ts_writer *writer;
    struct op ops[OPS];
    bool acknowledged[OPS];
    size_t submitted, answered, n_acknowledged;
    size_t images, lost, damaged;
    int fatals, last_result;
} f;

/* --- the ways to cheat: SQLite's driver with one thing changed --- */

static struct ts_db_driver cheat;
static const char *cheat_pragma;
static bool commit_is_owed;

static int open_with_pragma(const struct ts_db_options *options, struct ts_db **ret)
{
    struct ts_db *db;
    int r = ts_db_sqlite.open(options, &db);

    if (r < 0)
        return r;
    db->driver = &cheat;
    *ret = db;
    return cheat_pragma ? ts_db_sqlite.script(db, cheat_pragma) : 0;
}

/* Says "durable" and commits when the next transaction begins. */
static int commit_later(struct ts_db *db)
{
    (void)db;
    commit_is_owed = true;
    return 0;
}

static int begin_after_commit(struct ts_db *db)
{
    int r = commit_is_owed ? ts_db_sqlite.commit(db) : 0;

    commit_is_owed = false;
    return r < 0 ? r : ts_db_sqlite.begin(db);
}

static const struct ts_db_driver *cheat_with(const char *pragma, bool acknowledge_early)
{
    cheat = ts_db_sqlite;
    cheat.open = open_with_pragma;
    cheat_pragma = pragma;
    commit_is_owed = false;
    if (acknowledge_early) {
        cheat.begin = begin_after_commit;
        cheat.commit = commit_later;
    }
    return &cheat;
}

/* --- the ledger --- */

static int note_id(const struct ts_row *row, void *ctx)
{
    bool *found = ctx;

    found[ts_row_int(row, 0)] = true;
    return 0;
}

static int note_sound(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_str_eq(ts_row_text(row, 0), TS_STR("ok"));
    return 0;
}

/* Opens what the disk would hold as a restarted program does, and compares it with what was promised. */
static void check_image(uint32_t seed)
{
    static const struct ts_sql ids = {"SELECT id FROM t", NULL}, check = {"PRAGMA integrity_check", NULL};
    /* The same VFS, because it spares the system's syncs. */
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = f.copy, .vfs = TS_DURABLE_VFS};
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    bool found[OPS] = {0}, is_sound = false;

    ts_durable_vfs_image(f.path, f.copy, seed);
    f.images++;
    if (ts_db_open(&options, &db) < 0 || ts_db_run(db, &check, NULL, 0, note_sound, &is_sound) < 0 ||
        !is_sound) {
        f.damaged++;
        return;
    }
    if (ts_db_run(db, &ids, NULL, 0, note_id, found) < 0)
        memset(found, 0, sizeof(found)); /* not even the table is there */
    for (size_t i = 0; i < OPS; i++)
        f.lost += f.acknowledged[i] && !found[i];
}

static void check_images(void)
{
    check_image(0);
    for (uint32_t seed = 1; seed <= SEEDED; seed++)
        check_image(seed + (uint32_t)f.n_acknowledged * 7919);
}

/* --- the writer's work --- */

static int apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n)
{
    /* A row fills a page, so that checkpoints come whatever the size of the batches. */
    static const struct ts_sql sql = {"INSERT INTO t (id, filler) VALUES ($1, hex(randomblob(1500)))", NULL};

    (void)store;
    int64_t r = ts_db_begin(db);
    for (size_t i = 0; r >= 0 && i < n; i++) {
        const struct ts_db_value id = ts_db_int(TS_CONTAINER_OF(ops[i], struct op, head)->id);
        r = ts_db_run(db, &sql, &id, 1, NULL, NULL);
    }
    return r < 0 ? (int)r : ts_db_commit(db);
}

static void on_done(struct ts_writer_op *head, int result);
static const struct ts_writer_kind kind = {.name = "insert", .apply = apply, .done = on_done};

static void submit_next(void)
{
    struct op *op = &f.ops[f.submitted];

    *op = (struct op){.head = {.kind = &kind}, .id = (int64_t)f.submitted};
    assert_int_equal(ts_writer_submit(f.writer, &op->head), 0);
    f.submitted++;
}

static void on_done(struct ts_writer_op *head, int result)
{
    f.answered++;
    f.last_result = result;
    if (result == 0) {
        f.acknowledged[TS_CONTAINER_OF(head, struct op, head)->id] = true;
        if (++f.n_acknowledged % IMAGE_EVERY == 0)
            check_images();
    }
    if (f.submitted < OPS && f.fatals == 0)
        submit_next();
    else if (f.answered == f.submitted)
        uv_stop(&f.loop);
}

static void on_fatal(const struct ts_db_error *error, void *ctx)
{
    (void)ctx;
    assert_int_equal(error->error, TS_E_DB_SYNC);
    f.fatals++;
}

static void make_table(void)
{
    struct ts_db *db = NULL;
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = f.path, .vfs = TS_DURABLE_VFS};

    assert_int_equal(ts_db_open(&options, &db), 0);
    assert_int_equal(ts_db_script(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, filler TEXT)"), 0);
    ts_db_close(db);
}

/* All operations through a writer on `driver`; the disk is looked at on the way. */
static void run_writer(const struct ts_db_driver *driver)
{
    const struct ts_writer_options options = {.db = {.driver = driver, .path = f.path, .vfs = TS_DURABLE_VFS},
                                              .on_fatal = on_fatal};

    assert_int_equal(ts_writer_new(&f.loop, &options, &f.writer), 0);
    for (int i = 0; i < AT_ONCE; i++)
        submit_next();
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, f.submitted);
    ts_writer_stop(f.writer, NULL, NULL);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    f.writer = ts_writer_free(f.writer);
}

static int set_up(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    ts_durable_vfs_register();
    ts_durable_vfs_reset();
    ts_test_dir_make(f.dir);
    ts_test_path(f.dir, "t.db", f.path);
    ts_test_path(f.dir, "after-the-cut.db", f.copy);
    uv_loop_init(&f.loop);
    make_table();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ts_durable_vfs_reset();
    ts_test_dir_remove(f.dir);
    return uv_loop_close(&f.loop);
}

static void test_power_cut_at_any_moment_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    run_writer(&ts_db_sqlite);
    assert_int_equal(f.n_acknowledged, OPS);
    assert_int_equal(f.images, OPS / IMAGE_EVERY * (1 + SEEDED));
    assert_int_equal(f.lost, 0);
    assert_int_equal(f.damaged, 0);
    assert_true(ts_durable_vfs_syncs() > OPS / TS_MAX_WRITER_BATCH);
}

static void test_acknowledging_before_the_commit_is_found_out(void **state)
{
    (void)state;
    run_writer(cheat_with(NULL, true));
    assert_int_equal(f.n_acknowledged, OPS);
    assert_true(f.lost > 0);
}

static void test_synchronous_normal_is_found_out(void **state)
{
    (void)state;
    run_writer(cheat_with("PRAGMA synchronous = NORMAL", false));
    assert_int_equal(f.n_acknowledged, OPS);
    assert_true(f.lost > 0);
}

static void test_synchronous_off_is_found_out(void **state)
{
    (void)state;
    run_writer(cheat_with("PRAGMA synchronous = OFF", false));
    assert_int_equal(f.n_acknowledged, OPS);
    assert_true(f.lost + f.damaged > 0);
}

/* The driver with one thing changed and nothing changed must behave alike, or the three tests above prove something else. */
static void test_driver_in_disguise_without_a_cheat_loses_nothing(void **state)
{
    (void)state;
    run_writer(cheat_with(NULL, false));
    assert_int_equal(f.lost + f.damaged, 0);
}

static void test_failed_sync_of_the_log_ends_the_writer_and_loses_nothing_acknowledged(void **state)
{
    (void)state;
    ts_durable_vfs_fail_syncs("/t.db-wal", 20);
    run_writer(&ts_db_sqlite);
    assert_int_equal(f.fatals, 1);
    assert_int_equal(f.last_result, TS_E_DB_SYNC);
    assert_true(f.n_acknowledged > 0 && f.n_acknowledged < f.answered);
    ts_durable_vfs_fail_syncs(NULL, 0);
    check_images();
    assert_int_equal(f.lost + f.damaged, 0);
}

/* SQLite swallows this one: the commit is durable in the log, only the checkpoint behind it failed. */
static void test_failed_sync_of_a_checkpoint_ends_the_writer_and_loses_nothing_acknowledged(void **state)
{
    (void)state;
    ts_durable_vfs_fail_syncs("/t.db", 0);
    run_writer(&ts_db_sqlite);
    assert_int_equal(f.fatals, 1);
    assert_int_equal(f.last_result, TS_E_DB_SYNC);
    assert_true(f.n_acknowledged > 0 && f.n_acknowledged < OPS);
    ts_durable_vfs_fail_syncs(NULL, 0);
    check_images();
    assert_int_equal(f.lost + f.damaged, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_power_cut_at_any_moment_keeps_what_was_acknowledged),
        TEST(test_acknowledging_before_the_commit_is_found_out),
        TEST(test_synchronous_normal_is_found_out),
        TEST(test_synchronous_off_is_found_out),
        TEST(test_driver_in_disguise_without_a_cheat_loses_nothing),
        TEST(test_failed_sync_of_the_log_ends_the_writer_and_loses_nothing_acknowledged),
        TEST(test_failed_sync_of_a_checkpoint_ends_the_writer_and_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
