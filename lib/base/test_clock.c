#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"

static void test_rfc3339_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1970-01-01t00:00:00z", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T21:00:00-03:00", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"1970-01-01T23:59:00+23:59", 0},
        {"2013-01-01T00:00:00Z", INT64_C(1356998400000000)},
        {"2012-12-31T23:59:59.999999Z", INT64_C(1356998399999999)},
        {"2012-12-31T21:00:00-03:00", INT64_C(1356998400000000)},
        {"2000-02-29T12:00:00Z", INT64_C(951825600000000)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000000)},
        {"2026-11-23T14:02:11.12Z", INT64_C(1795442531120000)},
        {"2026-11-23T11:02:11.120-03:00", INT64_C(1795442531120000)},
        {"2026-11-23T14:02:11.1Z", INT64_C(1795442531100000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228799000000)},
        {"2016-12-31T20:59:60.5-03:00", INT64_C(1483228799500000)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000)},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        int64_t us = 4711;
        int r = ts_time_parse_rfc3339(ts_str_from(cases[i].text), &us);
        if (r != 0 || us != cases[i].us)
            fail_msg("%s: %d, %lld", cases[i].text, r, (long long)us);
    }
}

static void test_rfc3339_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-23",
        "2026-11-23T14:02:11",          /* no zone */
        "2026-11-23 14:02:11Z",         /* space */
        "2026-11-23T14:02Z",            /* no seconds */
        "2026-11-23T14:02:11.Z",        /* a dot without digits */
        "2026-11-23T14:02:11.1234567Z", /* seven digits */
        "2026-11-23T14:02:11,5Z",
        "2026-11-23T14:02:11Zx",
        "2026-11-23T14:02:11Z ",
        " 2026-11-23T14:02:11Z",
        "2026-11-23T14:02:11+3:00",
        "2026-11-23T14:02:11+0300",
        "2026-11-23T14:02:11+03",
        "2026-11-23T14:02:11+24:00",
        "2026-11-23T14:02:11+03:60",
        "2026-11-23T24:00:00Z",
        "2026-11-23T23:60:00Z",
        "2026-11-23T23:59:61Z",
        "2026-11-23T12:00:60Z", /* no leap second there */
        "2016-12-31T23:59:60-03:00",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "0001-01-01T00:00:00+00:01", /* before year 1 in UTC */
        "9999-12-31T23:59:59-00:01", /* after year 9999 in UTC */
        "-2026-11-23T14:02:11Z",
        "12026-11-23T14:02:11Z",
        "2026/11/23T14:02:11Z",
        "2026-11-23T14.02.11Z",
        "2026-1-23T14:02:11Z",
        "20261123T140211Z",
        "+026-11-23T14:02:11Z",
        "1795442531",
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        int64_t us = 4711;
        int r = ts_time_parse_rfc3339(ts_str_from(cases[i]), &us);
        if (r != TS_E_INVALID || us != 4711)
            fail_msg("%s: %d", cases[i], r);
    }
    int64_t us;
    assert_int_equal(ts_time_parse_rfc3339(TS_STR("2026-11-23T14:02:11Z\0"), &us), TS_E_INVALID);
    assert_int_equal(ts_time_parse_rfc3339(TS_STR_NONE, &us), TS_E_INVALID);
}

/* Every day of four centuries and more, against the C library's calendar. */
static void test_every_day_agrees_with_timegm(void **state)
{
    (void)state;
    char text[TS_TIME_TEXT_SIZE];

    for (int64_t day = -150000; day < 200000; day++) {
        time_t seconds = day * 86400;
        struct tm tm;
        char expected[64];
        int64_t us;
        gmtime_r(&seconds, &tm);
        size_t n = strftime(expected, sizeof(expected), "%Y-%m-%d", &tm);
        assert_int_equal(n, 10);
        ts_str formatted = ts_time_format(day * TS_US_PER_DAY, text);
        assert_memory_equal(formatted.ptr, expected, 10);
        assert_int_equal(ts_time_parse_date((ts_str){expected, 10}, &us), 0);
        assert_int_equal(us, day * TS_US_PER_DAY);
    }
}

static void test_format_and_parse_are_inverse(void **state)
{
    (void)state;
    char text[TS_TIME_TEXT_SIZE];

    for (int64_t us = INT64_C(-62135596800000000); us < INT64_C(253402300799999999);
         us += INT64_C(987654321987654)) {
        int64_t back, ms = us / 1000 * 1000;
        ts_str s = ts_time_format(ms, text);
        assert_int_equal(ts_time_parse_rfc3339(s, &back), 0);
        assert_int_equal(back, ms);
    }
}

static void test_format_edges(void **state)
{
    (void)state;
    char text[TS_TIME_TEXT_SIZE];

    assert_string_equal(ts_time_format(0, text).ptr, "1970-01-01T00:00:00.000Z");
    assert_int_equal(ts_time_format(0, text).len, 24);
    assert_string_equal(ts_time_format(-1, text).ptr, "1969-12-31T23:59:59.999Z");
    assert_string_equal(ts_time_format(INT64_C(1795442531120999), text).ptr, "2026-11-23T14:02:11.120Z");
    assert_string_equal(ts_time_format(INT64_MIN, text).ptr, "0001-01-01T00:00:00.000Z");
    assert_string_equal(ts_time_format(INT64_MAX, text).ptr, "9999-12-31T23:59:59.999Z");
}

static void test_date_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {"",           "2026-11",  "2026-11-23T", "2026-11-2",
                                        "2026-02-29", "26-11-23", "2026-11-23 "};
    int64_t us = 4711;

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++)
        assert_int_equal(ts_time_parse_date(ts_str_from(cases[i]), &us), TS_E_INVALID);
    assert_int_equal(us, 4711);
}

static void test_clocks_and_the_fake_one(void **state)
{
    (void)state;
    int64_t mono = ts_clock_mono_us();

    assert_true(ts_clock_mono_us() >= mono);
    assert_true(ts_clock_wall_us() > INT64_C(1700000000000000));
    ts_clock_fake(123, 456);
    assert_int_equal(ts_clock_wall_us(), 123);
    assert_int_equal(ts_clock_mono_us(), 456);
    ts_clock_fake(-1, 0);
    assert_true(ts_clock_mono_us() >= mono);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3339_table),
        cmocka_unit_test(test_rfc3339_refuses),
        cmocka_unit_test(test_every_day_agrees_with_timegm),
        cmocka_unit_test(test_format_and_parse_are_inverse),
        cmocka_unit_test(test_format_edges),
        cmocka_unit_test(test_date_refuses),
        cmocka_unit_test(test_clocks_and_the_fake_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
