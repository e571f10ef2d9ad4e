#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmocka_all.h"
#include "reserve.h"
#include "testing/process.h"

static void test_make_then_blocks_are_allocated_and_release_gives_them_back(void **state)
{
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    struct stat st;
    (void)state;
    ts_test_dir_make(dir);
    ts_test_path(dir, "reserve", path);
    assert_int_equal(reserve_make(path), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, RESERVE_BYTES);
    assert_true(st.st_blocks * 512 >= RESERVE_BYTES);
    assert_int_equal(reserve_make(path), 0); /* there already */
    reserve_release(path);
    assert_int_equal(stat(path, &st), -1);
    reserve_release(path); /* missing is fine */
    ts_test_dir_remove(dir);
}

static void fill(const char *path, size_t bytes)
{
    static const char block[64 * 1024];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t written = 0; written < bytes; written += sizeof block)
        fwrite(block, 1, sizeof block, file);
    fclose(file);
}

/* A file system of 8 MiB: the reserve fits only while somebody else has not taken its place. */
static void test_make_on_a_full_disk_then_enospc_and_nothing_left_behind(void **state)
{
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE], other[TS_TEST_PATH_SIZE];
    (void)state;
    ts_test_dir_make(dir);
    if (mount("tmpfs", dir, "tmpfs", 0, "size=8m") != 0) {
        print_message("skipped: a small tmpfs can't be mounted here (%s)\n", strerror(errno));
        ts_test_dir_remove(dir);
        skip();
    }
    ts_test_path(dir, "reserve", path);
    ts_test_path(dir, "other", other);
    fill(other, 5 * 1024 * 1024);
    int made = reserve_make(path), exists = access(path, F_OK);
    fill(other, 3584 * 1024); /* the reserve would fit, its margin would not */
    int made_again = reserve_make_again(path);
    unlink(other);
    int made_last = reserve_make_again(path);
    umount(dir);
    ts_test_dir_remove(dir);
    assert_int_equal(made, -ENOSPC);
    assert_int_equal(exists, -1);
    assert_int_equal(made_again, -ENOSPC);
    assert_int_equal(made_last, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_then_blocks_are_allocated_and_release_gives_them_back),
        cmocka_unit_test(test_make_on_a_full_disk_then_enospc_and_nothing_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
