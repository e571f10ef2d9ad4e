#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"

static int calls;

static int called(int value)
{
    calls++;
    return value;
}

static void test_min_when_an_argument_has_an_effect_then_it_happens_once(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(TS_MIN(called(-5), 0), -5);
    assert_int_equal(calls, 1);
    assert_int_equal(TS_MIN(3, called(2)), 2);
    assert_int_equal(calls, 2);
}

static void test_max_when_an_argument_has_an_effect_then_it_happens_once(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(TS_MAX(called(5), 0), 5);
    assert_int_equal(calls, 1);
    assert_int_equal(TS_MAX(3, called(4)), 4);
    assert_int_equal(calls, 2);
}

static void test_min_and_max_when_nested_then_the_value_is_held_between_both(void **state)
{
    (void)state;
    for (int value = -2; value <= 7; value++)
        assert_int_equal(TS_MAX(TS_MIN(value, 5), 0), value < 0 ? 0 : value > 5 ? 5 : value);
    assert_int_equal(TS_MIN(TS_MIN(4, 3), TS_MIN(2, 6)), 2);
}

static void test_min_when_types_differ_then_the_result_has_the_wider_one(void **state)
{
    (void)state;
    int64_t wide = INT64_MIN;
    assert_true(TS_MIN(wide, 0) == INT64_MIN);
    assert_true(TS_MAX(0, INT64_MAX) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_min_when_an_argument_has_an_effect_then_it_happens_once),
        cmocka_unit_test(test_max_when_an_argument_has_an_effect_then_it_happens_once),
        cmocka_unit_test(test_min_and_max_when_nested_then_the_value_is_held_between_both),
        cmocka_unit_test(test_min_when_types_differ_then_the_result_has_the_wider_one),
    };
    return cmocka_run_group_tests_name("compiler", tests, NULL, NULL);
}
