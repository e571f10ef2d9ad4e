#include "base/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"

static void assert_text(const struct ts_buf *buf, const char *expected)
{
    ts_str view = ts_buf_view(buf);

    if (!ts_str_eq(view, ts_str_from(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", TS_STR_ARG(view), expected);
}

static void test_appends(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(1000);

    assert_text(&buf, "");
    ts_buf_str(&buf, TS_STR("a"));
    ts_buf_str(&buf, TS_STR_NONE);
    ts_buf_cstr(&buf, "bc");
    ts_buf_char(&buf, '-');
    ts_buf_i64(&buf, INT64_MIN);
    ts_buf_char(&buf, ' ');
    ts_buf_i64(&buf, INT64_MAX);
    ts_buf_i64(&buf, 0);
    ts_buf_printf(&buf, " %s=%d", "x", 5);
    ts_buf_printf(&buf, "%s", "");
    assert_text(&buf, "abc--9223372036854775808 92233720368547758070 x=5");
    ts_buf_clear(&buf);
    assert_text(&buf, "");
    assert_int_equal(ts_buf_error(&buf), 0);
}

static void test_e6_table(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "0.000001"},
        {-1, "-0.000001"},
        {31400000, "31.4"},
        {-500000, "-0.5"},
        {1000000, "1"},
        {100000000, "100"},
        {123456789, "123.456789"},
        {10, "0.00001"},
        {1000001, "1.000001"},
        {INT64_MAX, "9223372036854.775807"},
        {INT64_MIN, "-9223372036854.775808"},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(100);
        ts_buf_e6(&buf, cases[i].value);
        assert_text(&buf, cases[i].text);
    }
}

static void test_i64_agrees_with_printf(void **state)
{
    (void)state;
    for (int64_t value = 1; value > 0 && value < INT64_MAX / 7; value = value * 7 - 3)
        for (int sign = -1; sign <= 1; sign += 2) {
            _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(100);
            char expected[32];
            snprintf(expected, sizeof(expected), "%" PRId64, sign * value);
            ts_buf_i64(&buf, sign * value);
            assert_text(&buf, expected);
        }
}

static void test_append_at_the_maximum_is_a_sticky_error(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(10);

    ts_buf_cstr(&buf, "123456789");
    ts_buf_char(&buf, '0');
    assert_int_equal(ts_buf_error(&buf), 0);
    ts_buf_cstr(&buf, ""); /* nothing more is no error */
    assert_int_equal(ts_buf_error(&buf), 0);
    ts_buf_char(&buf, 'x');
    assert_int_equal(ts_buf_error(&buf), TS_E_LIMIT);
    assert_null(ts_buf_reserve(&buf, 1));
    assert_text(&buf, "1234567890");
    ts_buf_clear(&buf);
    ts_buf_cstr(&buf, "ok");
    assert_text(&buf, "ok");
    ts_buf_bytes(&buf, "", SIZE_MAX);
    assert_int_equal(ts_buf_error(&buf), TS_E_LIMIT);
}

static void test_after_an_error_nothing_is_appended(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(10);

    ts_buf_cstr(&buf, "12345678");
    ts_buf_cstr(&buf, "too long");
    ts_buf_cstr(&buf, "ab"); /* would fit, but the text would have a hole */
    ts_buf_i64(&buf, 1);
    ts_buf_printf(&buf, "%d", 1);
    assert_text(&buf, "12345678");
}

static void test_printf_fills_to_the_last_byte(void **state)
{
    (void)state;
    for (int width = 1; width < 600; width++) {
        _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT((size_t)width);
        ts_buf_printf(&buf, "%*d", width, 7);
        assert_int_equal(ts_buf_error(&buf), 0);
        assert_int_equal(buf.len, width);
        assert_int_equal(buf.data[width - 1], '7');
        ts_buf_printf(&buf, "%d", 1);
        assert_int_equal(ts_buf_error(&buf), TS_E_LIMIT);
    }
}

static void test_reserve_then_added(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(5000);

    for (int i = 0; i < 50; i++) {
        char *p = ts_buf_reserve(&buf, 100);
        assert_non_null(p);
        memset(p, 'x', 100);
        ts_buf_added(&buf, 100);
    }
    assert_int_equal(buf.len, 5000);
    assert_null(ts_buf_reserve(&buf, 1));
}

static void test_time(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(100);

    ts_buf_time(&buf, INT64_C(1385215331120999));
    assert_text(&buf, "2013-11-23T14:02:11.120Z");
}

static int allocations_left;

static void *failing_realloc(void *p, size_t size)
{
    return allocations_left-- > 0 ? realloc(p, size) : NULL;
}

static void test_when_memory_is_out_the_text_so_far_stays(void **state)
{
    (void)state;
    int n = 0;

    ts_buf_set_realloc(failing_realloc);
    for (bool passed = false; !passed; n++) {
        _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(100000);
        size_t before = 0;
        allocations_left = n;
        for (int i = 0; i < 1000 && !ts_buf_error(&buf); i++) {
            before = buf.len;
            ts_buf_printf(&buf, "%050d", i);
        }
        passed = ts_buf_error(&buf) == 0;
        assert_true(passed || (ts_buf_error(&buf) == -ENOMEM && buf.len == before));
    }
    ts_buf_set_realloc(NULL);
    assert_in_range(n, 5, 20); /* growth doubles */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_e6_table),
        cmocka_unit_test(test_i64_agrees_with_printf),
        cmocka_unit_test(test_append_at_the_maximum_is_a_sticky_error),
        cmocka_unit_test(test_after_an_error_nothing_is_appended),
        cmocka_unit_test(test_printf_fills_to_the_last_byte),
        cmocka_unit_test(test_reserve_then_added),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_when_memory_is_out_the_text_so_far_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
