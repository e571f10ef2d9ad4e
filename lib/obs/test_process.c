#include "obs/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_cpu_time_grows_with_work(void **state)
{
    (void)state;
    int64_t before = ts_process_cpu_us(NULL);
    volatile unsigned sum = 0;

    assert_true(before > 0);
    while (ts_process_cpu_us(NULL) == before)
        sum++;
    assert_true(ts_process_cpu_us(NULL) > before);
}

static void test_resident_memory_is_plausible(void **state)
{
    (void)state;
    assert_in_range(ts_process_resident_bytes(NULL), 100 * 1024, INT64_C(1) << 32);
}

static void test_start_lies_before_now_and_after_boot(void **state)
{
    (void)state;
    int64_t start = ts_process_start_us();

    assert_true(start <= ts_clock_wall_us());
    assert_true(start > ts_clock_wall_us() - TS_US_PER_DAY); /* a test does not run for days */
}

static void test_open_fds_counts_exactly(void **state)
{
    (void)state;
    int64_t before = ts_process_open_fds(NULL);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ts_process_open_fds(NULL), before + 1);
    close(fd);
    assert_int_equal(ts_process_open_fds(NULL), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_time_grows_with_work),
        cmocka_unit_test(test_resident_memory_is_plausible),
        cmocka_unit_test(test_start_lies_before_now_and_after_boot),
        cmocka_unit_test(test_open_fds_counts_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
