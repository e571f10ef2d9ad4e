#include "base/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"

/* The waits of a schedule until it ends, at most `max`; time passes by the waits alone. */
static size_t waits_of(const struct ts_retry_policy *policy, int64_t deadline_us, int64_t *waits, size_t max)
{
    struct ts_retry retry = ts_retry_begin(policy, deadline_us);
    int64_t now_us = 0;
    size_t n = 0;

    ts_retry_attempt(&retry);
    while (n < max && ts_retry_next(&retry, now_us, &waits[n])) {
        now_us += waits[n++];
        ts_retry_attempt(&retry);
    }
    return n;
}

static void test_constant_wait_counts_all_attempts(void **state)
{
    (void)state;
    const struct ts_retry_policy connection = {
        .max_attempts = 3, .first_wait_us = 2 * TS_US_PER_S, .factor = 1};
    int64_t waits[10];

    assert_int_equal(waits_of(&connection, 0, waits, 10), 2);
    assert_int_equal(waits[0], 2 * TS_US_PER_S);
    assert_int_equal(waits[1], 2 * TS_US_PER_S);
}

static void test_one_attempt_is_never_repeated(void **state)
{
    (void)state;
    const struct ts_retry_policy once = {.max_attempts = 1, .first_wait_us = 1, .factor = 1};
    int64_t waits[1] = {4711};

    assert_int_equal(waits_of(&once, 0, waits, 1), 0);
    assert_int_equal(waits[0], 4711);
}

static void test_doubling_up_to_the_cap(void **state)
{
    (void)state;
    const struct ts_retry_policy policy = {.first_wait_us = 1000, .max_wait_us = 6000, .factor = 2};
    const int64_t expected[] = {1000, 2000, 4000, 6000, 6000, 6000};
    int64_t waits[6];

    assert_int_equal(waits_of(&policy, 0, waits, 6), 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(waits[i], expected[i]);
}

static void test_doubling_without_cap_does_not_overflow(void **state)
{
    (void)state;
    const struct ts_retry_policy policy = {.first_wait_us = 3, .factor = 10};
    struct ts_retry retry = {.policy = &policy, .attempts = 100000};
    int64_t wait;

    assert_true(ts_retry_next(&retry, 0, &wait));
    assert_int_equal(wait, INT64_MAX);
    retry.deadline_us = 1000;
    assert_false(ts_retry_next(&retry, 0, &wait));
}

static void test_no_attempt_starts_at_or_after_the_deadline(void **state)
{
    (void)state;
    const struct ts_retry_policy policy = {.first_wait_us = 1000, .factor = 1};
    int64_t waits[20];

    assert_int_equal(waits_of(&policy, 5001, waits, 20), 5);
    assert_int_equal(waits_of(&policy, 5000, waits, 20), 4);
    assert_int_equal(waits_of(&policy, 1, waits, 20), 0);
}

static void test_deadline_that_has_passed(void **state)
{
    (void)state;
    const struct ts_retry_policy policy = {.first_wait_us = 0, .factor = 1};
    struct ts_retry retry = ts_retry_begin(&policy, 1000);
    int64_t wait = 4711;

    ts_retry_attempt(&retry);
    assert_false(ts_retry_next(&retry, 1000, &wait));
    assert_int_equal(wait, 4711);
    assert_true(ts_retry_next(&retry, 999, &wait));
}

static void test_jitter_takes_at_most_its_share_off(void **state)
{
    (void)state;
    const struct ts_retry_policy policy = {.first_wait_us = 1000000, .factor = 1, .jitter_percent = 20};
    struct ts_retry retry = {.policy = &policy, .attempts = 1};
    int64_t lowest = INT64_MAX, highest = 0;

    for (int i = 0; i < 1000; i++) {
        int64_t wait;
        assert_true(ts_retry_next(&retry, 0, &wait));
        lowest = TS_MIN(lowest, wait);
        highest = TS_MAX(highest, wait);
    }
    assert_in_range(lowest, 800000, 850000);
    assert_in_range(highest, 950000, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant_wait_counts_all_attempts),
        cmocka_unit_test(test_one_attempt_is_never_repeated),
        cmocka_unit_test(test_doubling_up_to_the_cap),
        cmocka_unit_test(test_doubling_without_cap_does_not_overflow),
        cmocka_unit_test(test_no_attempt_starts_at_or_after_the_deadline),
        cmocka_unit_test(test_deadline_that_has_passed),
        cmocka_unit_test(test_jitter_takes_at_most_its_share_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
