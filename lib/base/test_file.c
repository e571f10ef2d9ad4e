#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

/* Each test has a directory of its own, empty again when it ends. */
static char dir[PATH_MAX];

static const char *in_dir(const char *name)
{
    static char path[2 * PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/ts-file-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int entries(void)
{
    DIR *d = opendir(dir);
    int n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void test_write_then_read_gives_the_same(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(1024 * 1024);
    struct stat st;
    ts_str back;

    assert_int_equal(ts_file_write_atomic(in_dir("f"), TS_STR("first"), 0640), 0);
    assert_int_equal(ts_file_write_atomic(in_dir("f"), TS_STR("a\0b"), 0600), 0);
    assert_int_equal(ts_file_read(in_dir("f"), 3, arena, &back), 0);
    assert_true(ts_str_eq(back, TS_STR("a\0b")));
    assert_int_equal(back.ptr[3], 0);
    assert_int_equal(stat(in_dir("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(entries(), 1);
}

static void test_read_limits_and_errors(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(100 * 1024);
    _cleanup_(ts_arena_freep) struct ts_arena *small = ts_arena_new(1024);
    static char large[50000];
    ts_str text = TS_STR("untouched");

    memset(large, 'x', sizeof(large));
    assert_int_equal(ts_file_write_atomic(in_dir("f"), (ts_str){large, sizeof(large)}, 0600), 0);
    assert_int_equal(ts_file_read(in_dir("f"), sizeof(large) - 1, arena, &text), TS_E_LIMIT);
    assert_int_equal(ts_file_read(in_dir("f"), 0, arena, &text), TS_E_LIMIT);
    assert_int_equal(ts_file_read(in_dir("f"), sizeof(large), small, &text), -ENOMEM);
    assert_int_equal(ts_file_read(in_dir("none"), 10, arena, &text), -ENOENT);
    assert_int_equal(ts_file_read(dir, 10, arena, &text), -EISDIR);
    assert_string_equal(text.ptr, "untouched");
    assert_int_equal(ts_file_read(in_dir("f"), sizeof(large), arena, &text), 0);
    assert_int_equal(text.len, sizeof(large));
}

static void test_read_of_an_empty_file_and_one_without_size(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(1024 * 1024);
    ts_str text;

    assert_int_equal(ts_file_write_atomic(in_dir("f"), TS_STR(""), 0600), 0);
    assert_int_equal(ts_file_read(in_dir("f"), 0, arena, &text), 0);
    assert_int_equal(text.len, 0);
    assert_false(ts_str_is_none(text));
    assert_int_equal(ts_file_read("/proc/self/stat", 4096, arena, &text), 0);
    assert_true(text.len > 20);
}

static void test_failed_write_leaves_the_old_content_and_no_litter(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_dir("d"), 0700), 0);
    assert_int_equal(mkdir(in_dir("d/sub"), 0700), 0);
    assert_int_equal(ts_file_write_atomic(in_dir("d"), TS_STR("x"), 0600), -EISDIR);
    assert_int_equal(entries(), 1);
    assert_int_equal(ts_file_write_atomic(in_dir("none/f"), TS_STR("x"), 0600), -ENOENT);

    char too_long[PATH_MAX + 2];
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(ts_file_write_atomic(too_long, TS_STR("x"), 0600), -ENAMETOOLONG);
}

static void test_write_atomic_without_a_slash_in_the_path(void **state)
{
    (void)state;
    char before[PATH_MAX];

    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(ts_file_write_atomic("plain", TS_STR("x"), 0600), 0);
    assert_int_equal(access("plain", R_OK), 0);
    assert_int_equal(chdir(before), 0);
}

static void test_write_all_tells_the_error(void **state)
{
    (void)state;
    assert_int_equal(ts_write_all(-1, TS_STR("x")), -EBADF);
    assert_int_equal(ts_write_all(-1, TS_STR("")), 0);
    _cleanup_(ts_closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        assert_int_equal(ts_write_all(fd, TS_STR("x")), -ENOSPC);
}

/* Linked with --wrap=fsync: the last folders or files that were synced. */
static char synced[4][PATH_MAX];
static size_t n_synced;
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, synced[n_synced % 4], PATH_MAX - 1);
    synced[n_synced++ % 4][n > 0 ? n : 0] = '\0';
    return __real_fsync(fd);
}

static void test_mkdir_all_syncs_the_parent_of_each_folder_it_made(void **state)
{
    (void)state;
    assert_int_equal(ts_mkdir_all(in_dir("made"), 0700), 0);
    n_synced = 0;
    assert_int_equal(ts_mkdir_all(in_dir("made/a/b"), 0700), 0);
    assert_int_equal(n_synced, 2);
    assert_string_equal(synced[0], in_dir("made"));
    assert_string_equal(synced[1], in_dir("made/a"));
}

static void test_mkdir_all(void **state)
{
    (void)state;
    struct stat st;

    assert_int_equal(ts_mkdir_all(in_dir("a/b//c/"), 0700), 0);
    assert_int_equal(stat(in_dir("a/b/c"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(ts_mkdir_all(in_dir("a/b/c"), 0700), 0);
    assert_int_equal(ts_mkdir_all("/", 0700), 0);
    assert_int_equal(ts_mkdir_all("", 0700), -ENOENT);
    assert_int_equal(ts_file_write_atomic(in_dir("a/f"), TS_STR("x"), 0600), 0);
    assert_int_equal(ts_mkdir_all(in_dir("a/f"), 0700), -ENOTDIR);
    assert_int_equal(ts_mkdir_all(in_dir("a/f/g"), 0700), -ENOTDIR);
}

static void test_a_lock_is_held_by_one_until_it_is_closed(void **state)
{
    (void)state;
    int first = -1, second = -1;

    assert_int_equal(ts_file_lock(in_dir("lock"), &first), 0);
    assert_int_equal(ts_file_lock(in_dir("lock"), &second), -EWOULDBLOCK);
    assert_int_equal(second, -1);
    first = ts_close(first);
    assert_int_equal(first, -1);
    assert_int_equal(ts_file_lock(in_dir("lock"), &second), 0);
    ts_close(second);
    assert_int_equal(ts_file_lock(in_dir("none/lock"), &second), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_write_then_read_gives_the_same),
        TEST(test_read_limits_and_errors),
        TEST(test_read_of_an_empty_file_and_one_without_size),
        TEST(test_failed_write_leaves_the_old_content_and_no_litter),
        TEST(test_write_atomic_without_a_slash_in_the_path),
        TEST(test_write_all_tells_the_error),
        TEST(test_mkdir_all),
        TEST(test_mkdir_all_syncs_the_parent_of_each_folder_it_made),
        TEST(test_a_lock_is_held_by_one_until_it_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
