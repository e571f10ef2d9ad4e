#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/zone.h"

static int64_t at(const char *rfc3339)
{
    int64_t time_us;
    assert_int_equal(ts_time_parse_rfc3339(ts_str_from(rfc3339), &time_us), 0);
    return time_us;
}

static void assert_time(int64_t time_us, const char *rfc3339)
{
    char text[TS_TIME_TEXT_SIZE];
    if (time_us != at(rfc3339))
        fail_msg("%s instead of %s", ts_time_format(time_us, text).ptr, rfc3339);
}

static void assert_day(int64_t time_us, const char *day)
{
    char text[TS_DAY_TEXT_SIZE];
    ts_zone_format_day(time_us, text);
    assert_string_equal(text, day);
}

static void use(const char *zone)
{
    assert_int_equal(ts_zone_set(ts_str_from(zone)), 0);
}

static void test_zone_when_the_database_has_it_then_it_is_known(void **state)
{
    static const char *const known[] = {"America/Sao_Paulo", "UTC", "Etc/GMT+3", "Asia/Kathmandu"};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(known); i++)
        assert_true(ts_zone_is_known(ts_str_from(known[i])));
}

static void test_zone_when_it_is_a_path_a_rule_or_nothing_then_it_is_not_known(void **state)
{
    static const char *const unknown[] = {"",         "America/Atlantis",          "America",
                                          "<-03>3",   "/usr/share/zoneinfo/UTC",   "../zoneinfo/UTC",
                                          ":UTC",     "America/Sao_Paulo/nothing", "zone.tab",
                                          "UTC; DROP"};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(unknown); i++) {
        assert_false(ts_zone_is_known(ts_str_from(unknown[i])));
        assert_int_equal(ts_zone_set(ts_str_from(unknown[i])), TS_E_INVALID);
    }
}

static void test_day_when_the_zone_is_behind_utc_then_it_begins_at_its_own_midnight(void **state)
{
    (void)state;
    use("America/Sao_Paulo");
    const int64_t evening = at("2026-11-24T02:30:00.5Z"); /* 23:30 of the 23rd there */
    assert_day(evening, "2026-11-23");
    assert_time(ts_zone_day_start(evening), "2026-11-23T03:00:00Z");
    assert_time(ts_zone_next_day(evening), "2026-11-24T03:00:00Z");
    assert_time(ts_zone_day_start(at("2026-11-24T03:00:00Z")), "2026-11-24T03:00:00Z");
    assert_time(ts_zone_day_start(at("2026-11-24T02:59:59.999999Z")), "2026-11-23T03:00:00Z");
    const struct tm tm = ts_zone_local(evening);
    assert_int_equal(tm.tm_hour, 23);
    assert_int_equal(tm.tm_min, 30);
}

/* In São Paulo clocks went from 00:00 to 01:00 on 2018-11-04, and from 00:00 back to 23:00 on 2019-02-17. */
static void test_day_when_clocks_change_at_midnight_then_it_begins_where_its_date_does(void **state)
{
    (void)state;
    use("America/Sao_Paulo");
    const int64_t forward = at("2018-11-04T12:00:00Z");
    assert_time(ts_zone_day_start(forward), "2018-11-04T03:00:00Z");
    assert_time(ts_zone_next_day(forward), "2018-11-05T02:00:00Z");
    const int64_t back = at("2019-02-16T12:00:00Z");
    assert_time(ts_zone_day_start(back), "2019-02-16T02:00:00Z");
    assert_time(ts_zone_next_day(back), "2019-02-17T03:00:00Z"); /* 25 h */
}

/* Samoa went from the 29th of December 2011 to the 31st. */
static void test_day_when_the_zone_leaves_one_out_then_the_next_is_the_one_that_came(void **state)
{
    (void)state;
    use("Pacific/Apia");
    const int64_t before = at("2011-12-29T20:00:00Z");
    assert_day(before, "2011-12-29");
    assert_time(ts_zone_next_day(before), "2011-12-30T10:00:00Z");
    assert_day(ts_zone_next_day(before), "2011-12-31");
}

static void test_day_when_months_and_years_end_then_the_calendar_goes_on(void **state)
{
    (void)state;
    use("UTC");
    assert_day(ts_zone_next_day(at("2026-12-31T12:00:00Z")), "2027-01-01");
    assert_day(ts_zone_next_day(at("2028-02-28T12:00:00Z")), "2028-02-29");
    assert_day(ts_zone_next_day(at("2026-02-28T12:00:00Z")), "2026-03-01");
    assert_time(ts_zone_day_start(at("1969-12-31T23:59:59.5Z")), "1969-12-31T00:00:00Z");
}

static void test_days_when_walked_over_years_then_each_date_comes_once(void **state)
{
    static const char *const zones[] = {"America/Sao_Paulo", "Europe/Lisbon", "Pacific/Kiritimati",
                                        "Pacific/Pago_Pago", "Australia/Lord_Howe"};
    (void)state;
    for (size_t z = 0; z < TS_ARRAY_LEN(zones); z++) {
        use(zones[z]);
        int64_t day = ts_zone_day_start(at("2017-01-01T12:00:00Z"));
        for (int n = 0; n < 1000; n++) {
            const int64_t next = ts_zone_next_day(day);
            const struct tm tm = ts_zone_local(next), last = ts_zone_local(next - 1);
            assert_in_range(next - day, 22 * 3600 * TS_US_PER_S, 26 * 3600 * TS_US_PER_S);
            assert_int_equal(ts_zone_day_start(next), next);
            assert_int_equal(ts_zone_day_start(next - 1), day);
            assert_int_not_equal(tm.tm_mday, last.tm_mday);
            day = next;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone_when_the_database_has_it_then_it_is_known),
        cmocka_unit_test(test_zone_when_it_is_a_path_a_rule_or_nothing_then_it_is_not_known),
        cmocka_unit_test(test_day_when_the_zone_is_behind_utc_then_it_begins_at_its_own_midnight),
        cmocka_unit_test(test_day_when_clocks_change_at_midnight_then_it_begins_where_its_date_does),
        cmocka_unit_test(test_day_when_the_zone_leaves_one_out_then_the_next_is_the_one_that_came),
        cmocka_unit_test(test_day_when_months_and_years_end_then_the_calendar_goes_on),
        cmocka_unit_test(test_days_when_walked_over_years_then_each_date_comes_once),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
