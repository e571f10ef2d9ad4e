#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "http/ratelimit.h"

#define S TS_US_PER_S
#define A TS_STR("203.0.113.1")
#define B TS_STR("203.0.113.2")

static void test_window_counts_down_and_begins_again(void **state)
{
    (void)state;
    _cleanup_(ts_ratelimit_freep) struct ts_ratelimit *limit = NULL;
    assert_int_equal(ts_ratelimit_new(2, 60 * S, 64, &limit), 0);
    struct ts_ratelimit_state s = ts_ratelimit_hit(limit, A, 100 * S);
    assert_int_equal(s.limit, 2);
    assert_int_equal(s.remaining, 1);
    assert_int_equal(s.reset_s, 60);
    assert_false(s.exceeded);
    s = ts_ratelimit_hit(limit, A, 130 * S);
    assert_int_equal(s.remaining, 0);
    assert_int_equal(s.reset_s, 30);
    assert_false(s.exceeded);
    s = ts_ratelimit_hit(limit, A, 159 * S + 999999);
    assert_true(s.exceeded);
    assert_int_equal(s.reset_s, 1);
    assert_false(ts_ratelimit_hit(limit, B, 159 * S).exceeded);
    s = ts_ratelimit_hit(limit, A, 160 * S);
    assert_false(s.exceeded);
    assert_int_equal(s.remaining, 1);
}

static void test_maximum_zero_never_exceeds(void **state)
{
    (void)state;
    _cleanup_(ts_ratelimit_freep) struct ts_ratelimit *limit = NULL;
    assert_int_equal(ts_ratelimit_new(0, 60 * S, 4, &limit), 0);
    for (int i = 0; i < 1000; i++)
        assert_false(ts_ratelimit_hit(limit, A, 0).exceeded);
}

static void test_full_table_drops_the_oldest_and_stays_in_its_memory(void **state)
{
    (void)state;
    _cleanup_(ts_ratelimit_freep) struct ts_ratelimit *limit = NULL;
    assert_int_equal(ts_ratelimit_new(1, 60 * S, 4, &limit), 0);
    for (int i = 0; i < 10000; i++) {
        char key[64];
        int len = snprintf(key, sizeof(key), "a key that is longer than any address can ever be %d", i);
        (void)ts_ratelimit_hit(limit, (ts_str){key, (size_t)len}, i);
        len = snprintf(key, sizeof(key), "%d", i);
        assert_false(ts_ratelimit_hit(limit, (ts_str){key, (size_t)len}, i).exceeded);
    }
    assert_true(ts_ratelimit_hit(limit, TS_STR("9999"), 10000).exceeded);
}

static void test_tenth_failure_in_the_sliding_window_alarms_once_a_window(void **state)
{
    (void)state;
    _cleanup_(ts_failure_watch_freep) struct ts_failure_watch *watch = NULL;
    assert_int_equal(ts_failure_watch_new(10, 60 * S, 64, &watch), 0);
    for (int i = 0; i < 9; i++)
        assert_false(ts_failure_watch_hit(watch, A, i * S));
    assert_false(ts_failure_watch_hit(watch, B, 9 * S));
    assert_true(ts_failure_watch_hit(watch, A, 59 * S + 999999));
    for (int i = 0; i < 50; i++)
        assert_false(ts_failure_watch_hit(watch, A, 60 * S + i));
    assert_false(ts_failure_watch_hit(watch, A, 119 * S));
    assert_true(ts_failure_watch_hit(watch, A, 119 * S + 999999));
}

static void test_slow_failures_never_alarm(void **state)
{
    (void)state;
    _cleanup_(ts_failure_watch_freep) struct ts_failure_watch *watch = NULL;
    assert_int_equal(ts_failure_watch_new(10, 60 * S, 64, &watch), 0);
    for (int i = 0; i < 100; i++) /* nine in any 60 s */
        assert_false(ts_failure_watch_hit(watch, A, i * (60 * S / 9 + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_counts_down_and_begins_again),
        cmocka_unit_test(test_maximum_zero_never_exceeds),
        cmocka_unit_test(test_full_table_drops_the_oldest_and_stays_in_its_memory),
        cmocka_unit_test(test_tenth_failure_in_the_sliding_window_alarms_once_a_window),
        cmocka_unit_test(test_slow_failures_never_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
