/* The rules of tp-capital 7.5, as tables. */
#include <errno.h>

#include "base/error.h"
#include "cmocka_all.h"
#include "outbox.h"

#define S INT64_C(1000000)

static void test_classify_then_as_the_table_says(void **state)
{
    static const struct {
        int error, status;
        bool valid;
        enum attempt attempt;
        enum outbox_reason reason;
    } cases[] = {
        {0, 200, true, ATTEMPT_STORED, REASON_NONE},
        {0, 200, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {0, 204, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {0, 302, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {0, 400, false, ATTEMPT_REJECTED, REASON_REJECTED},
        {0, 401, false, ATTEMPT_AUTH, REASON_AUTH},
        {0, 403, false, ATTEMPT_AUTH, REASON_AUTH},
        {0, 404, false, ATTEMPT_REJECTED, REASON_REJECTED},
        {0, 405, false, ATTEMPT_REJECTED, REASON_REJECTED},
        {0, 408, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {0, 413, false, ATTEMPT_REJECTED, REASON_REJECTED},
        {0, 415, false, ATTEMPT_REJECTED, REASON_REJECTED},
        {0, 421, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {0, 429, false, ATTEMPT_THROTTLED, REASON_SERVER_ERROR},
        {0, 500, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {0, 503, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {-ECONNREFUSED, 0, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {-ECONNRESET, 0, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {-EHOSTUNREACH, 0, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {TS_E_PROTOCOL, 0, false, ATTEMPT_SERVER, REASON_SERVER_ERROR},
        {TS_E_TIMEOUT, 0, false, ATTEMPT_TIMEOUT, REASON_TIMEOUT},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        enum attempt attempt = outbox_classify(cases[i].error, cases[i].status, cases[i].valid);
        assert_int_equal(attempt, cases[i].attempt);
        assert_int_equal(outbox_reason_of(attempt), cases[i].reason);
    }
}

static const struct outbox_policy policy = {.max_retries = 3, .first_delay_us = 5 * S};

static void test_judge_when_the_server_fails_then_5_10_20_seconds_and_four_tries(void **state)
{
    const int64_t waits[] = {5 * S, 10 * S, 20 * S};
    struct outbox_cycle cycle = {0};
    struct outbox_verdict verdict;
    (void)state;
    for (int i = 0; i < 3; i++) {
        verdict = outbox_judge(&policy, &cycle, i == 1 ? ATTEMPT_TIMEOUT : ATTEMPT_SERVER, -1);
        assert_int_equal(verdict.what, VERDICT_RETRY);
        assert_int_equal(verdict.wait_us, waits[i]);
        assert_int_equal(verdict.retry_number, i + 1);
    }
    verdict = outbox_judge(&policy, &cycle, ATTEMPT_TIMEOUT, -1);
    assert_int_equal(verdict.what, VERDICT_FAIL);
    assert_int_equal(verdict.reason, REASON_TIMEOUT);
    assert_int_equal(cycle.attempts, 4);
}

static void test_judge_when_refused_for_good_then_fails_at_once(void **state)
{
    (void)state;
    struct outbox_cycle cycle = {0};
    struct outbox_verdict verdict = outbox_judge(&policy, &cycle, ATTEMPT_AUTH, -1);
    assert_int_equal(verdict.what, VERDICT_FAIL);
    assert_int_equal(verdict.reason, REASON_AUTH);
    cycle = (struct outbox_cycle){0};
    verdict = outbox_judge(&policy, &cycle, ATTEMPT_REJECTED, -1);
    assert_int_equal(verdict.what, VERDICT_FAIL);
    assert_int_equal(verdict.reason, REASON_REJECTED);
}

static void test_judge_when_throttled_then_waits_as_told_ten_times_without_counting(void **state)
{
    struct outbox_cycle cycle = {0};
    struct outbox_verdict verdict;
    (void)state;
    for (int i = 0; i < OUTBOX_MAX_THROTTLED; i++) {
        verdict = outbox_judge(&policy, &cycle, ATTEMPT_THROTTLED, 7 * S);
        assert_int_equal(verdict.what, VERDICT_RETRY);
        assert_int_equal(verdict.wait_us, 7 * S);
        assert_int_equal(verdict.retry_number, 0);
    }
    assert_int_equal(cycle.attempts, 0);
    verdict = outbox_judge(&policy, &cycle, ATTEMPT_THROTTLED, 7 * S);
    assert_int_equal(verdict.what, VERDICT_FAIL);
    assert_int_equal(verdict.reason, REASON_SERVER_ERROR);
}

static void test_judge_when_throttled_without_a_time_then_the_first_delay(void **state)
{
    struct outbox_cycle cycle = {0};
    (void)state;
    assert_int_equal(outbox_judge(&policy, &cycle, ATTEMPT_THROTTLED, -1).wait_us, 5 * S);
}

static void test_judge_when_stored_then_acknowledge(void **state)
{
    struct outbox_cycle cycle = {.attempts = 2};
    (void)state;
    assert_int_equal(outbox_judge(&policy, &cycle, ATTEMPT_STORED, -1).what, VERDICT_ACKNOWLEDGE);
}

static void test_judge_when_no_retries_then_fails_after_the_first(void **state)
{
    const struct outbox_policy none = {.max_retries = 0, .first_delay_us = 5 * S};
    struct outbox_cycle cycle = {0};
    (void)state;
    assert_int_equal(outbox_judge(&none, &cycle, ATTEMPT_SERVER, -1).what, VERDICT_FAIL);
}

static void test_level_then_half_and_full(void **state)
{
    (void)state;
    assert_int_equal(outbox_level(0, 100), LEVEL_ROOM);
    assert_int_equal(outbox_level(49, 100), LEVEL_ROOM);
    assert_int_equal(outbox_level(50, 100), LEVEL_HALF);
    assert_int_equal(outbox_level(99, 100), LEVEL_HALF);
    assert_int_equal(outbox_level(100, 100), LEVEL_FULL);
}

static void test_reason_names_then_back_again(void **state)
{
    (void)state;
    for (int reason = REASON_AUTH; reason < REASON_COUNT; reason++)
        assert_int_equal(outbox_reason_parse(ts_str_from(outbox_reason_name((enum outbox_reason)reason))),
                         reason);
    assert_int_equal(outbox_reason_parse(TS_STR("max_retries")), REASON_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classify_then_as_the_table_says),
        cmocka_unit_test(test_judge_when_the_server_fails_then_5_10_20_seconds_and_four_tries),
        cmocka_unit_test(test_judge_when_refused_for_good_then_fails_at_once),
        cmocka_unit_test(test_judge_when_throttled_then_waits_as_told_ten_times_without_counting),
        cmocka_unit_test(test_judge_when_throttled_without_a_time_then_the_first_delay),
        cmocka_unit_test(test_judge_when_stored_then_acknowledge),
        cmocka_unit_test(test_judge_when_no_retries_then_fails_after_the_first),
        cmocka_unit_test(test_level_then_half_and_full),
        cmocka_unit_test(test_reason_names_then_back_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
