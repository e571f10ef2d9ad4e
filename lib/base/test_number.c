#include "base/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/error.h"

static void test_i64_table(void **state)
{
    (void)state;
    static const struct {
        ts_str text;
        int error;
        int64_t value;
    } cases[] = {
        {TS_STR("0"), 0, 0},
        {TS_STR("-0"), 0, 0},
        {TS_STR("007"), 0, 7},
        {TS_STR("-100123"), 0, -100123},
        {TS_STR("9223372036854775807"), 0, INT64_MAX},
        {TS_STR("-9223372036854775808"), 0, INT64_MIN},
        {TS_STR("00000000000000000000000000001"), 0, 1},
        {TS_STR("9223372036854775808"), TS_E_RANGE, 0},
        {TS_STR("-9223372036854775809"), TS_E_RANGE, 0},
        {TS_STR("99999999999999999999999999999999999"), TS_E_RANGE, 0},
        {TS_STR(""), TS_E_INVALID, 0},
        {TS_STR_NONE, TS_E_INVALID, 0},
        {TS_STR("-"), TS_E_INVALID, 0},
        {TS_STR("--1"), TS_E_INVALID, 0},
        {TS_STR("+1"), TS_E_INVALID, 0},
        {TS_STR(" 1"), TS_E_INVALID, 0},
        {TS_STR("1 "), TS_E_INVALID, 0},
        {TS_STR("1x"), TS_E_INVALID, 0},
        {TS_STR("0x10"), TS_E_INVALID, 0},
        {TS_STR("1.0"), TS_E_INVALID, 0},
        {TS_STR("1e3"), TS_E_INVALID, 0},
        {TS_STR("1\0"), TS_E_INVALID, 0},
        {TS_STR("\xD9\xA1"), TS_E_INVALID, 0}, /* Arabic digit one */
        {TS_STR("99999999999999999999999999999999999x"), TS_E_INVALID, 0},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        int64_t value = 4711;
        int r = ts_parse_i64(cases[i].text, INT64_MIN, INT64_MAX, &value);
        int64_t expected = cases[i].error ? 4711 : cases[i].value;
        if (r != cases[i].error || value != expected)
            fail_msg("\"%.*s\": %d", TS_STR_ARG(cases[i].text), r);
    }
}

static void test_i64_outside_the_bounds_is_out_of_range(void **state)
{
    (void)state;
    int64_t value = 1;

    assert_int_equal(ts_parse_i64(TS_STR("65536"), 1, 65535, &value), TS_E_RANGE);
    assert_int_equal(ts_parse_i64(TS_STR("0"), 1, 65535, &value), TS_E_RANGE);
    assert_int_equal(value, 1);
    assert_int_equal(ts_parse_i64(TS_STR("65535"), 1, 65535, &value), 0);
    assert_int_equal(value, 65535);
}

static void test_bool_table(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "TRUE", "1", "yes", "On"};
    static const char *const no[] = {"false", "False", "0", "no", "OFF"};
    static const char *const neither[] = {"", "2", "y", "tru", "true ", " 1", "truee"};
    bool value;

    for (size_t i = 0; i < TS_ARRAY_LEN(yes); i++) {
        value = false;
        assert_int_equal(ts_parse_bool(ts_str_from(yes[i]), &value), 0);
        assert_true(value);
        value = true;
        assert_int_equal(ts_parse_bool(ts_str_from(no[i]), &value), 0);
        assert_false(value);
    }
    for (size_t i = 0; i < TS_ARRAY_LEN(neither); i++)
        assert_int_equal(ts_parse_bool(ts_str_from(neither[i]), &value), TS_E_INVALID);
}

static void test_e6_table(void **state)
{
    (void)state;
    static const struct {
        ts_str text;
        int error;
        int64_t value;
    } cases[] = {
        {TS_STR("0"), 0, 0},
        {TS_STR("1234.5"), 0, 1234500000},
        {TS_STR("-0.5"), 0, -500000},
        {TS_STR("31.40"), 0, 31400000},
        {TS_STR("0.000001"), 0, 1},
        {TS_STR("0.0000004"), 0, 0},
        {TS_STR("0.0000005"), 0, 1},
        {TS_STR("-0.0000005"), 0, -1},
        {TS_STR("0.00000049999"), 0, 0},
        {TS_STR("0.9999995"), 0, 1000000},
        {TS_STR("999999999999.999999"), 0, INT64_C(999999999999999999)},
        {TS_STR("-999999999999.999999"), 0, INT64_C(-999999999999999999)},
        {TS_STR("999999999999.9999995"), TS_E_RANGE, 0},
        {TS_STR("1000000000000"), TS_E_RANGE, 0},
        {TS_STR("99999999999999999999999"), TS_E_RANGE, 0},
        {TS_STR(""), TS_E_INVALID, 0},
        {TS_STR_NONE, TS_E_INVALID, 0},
        {TS_STR("-"), TS_E_INVALID, 0},
        {TS_STR("."), TS_E_INVALID, 0},
        {TS_STR(".5"), TS_E_INVALID, 0},
        {TS_STR("5."), TS_E_INVALID, 0},
        {TS_STR("1.-5"), TS_E_INVALID, 0},
        {TS_STR("--1"), TS_E_INVALID, 0},
        {TS_STR("1.2.3"), TS_E_INVALID, 0},
        {TS_STR("1,5"), TS_E_INVALID, 0},
        {TS_STR("1e5"), TS_E_INVALID, 0},
        {TS_STR("nan"), TS_E_INVALID, 0},
        {TS_STR("1 "), TS_E_INVALID, 0},
        {TS_STR("1.5\0"), TS_E_INVALID, 0},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        int64_t value = 4711;
        int r = ts_parse_e6(cases[i].text, &value);
        int64_t expected = cases[i].error ? 4711 : cases[i].value;
        if (r != cases[i].error || value != expected)
            fail_msg("\"%.*s\": %d, %lld", TS_STR_ARG(cases[i].text), r, (long long)value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i64_table),
        cmocka_unit_test(test_i64_outside_the_bounds_is_out_of_range),
        cmocka_unit_test(test_bool_table),
        cmocka_unit_test(test_e6_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
