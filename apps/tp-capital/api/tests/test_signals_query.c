/* The query of GET /signals: defaults, instants, cursor, and the key that tells questions apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "signals_query.h"

static struct ts_arena *arena;

static int start(void **state)
{
    (void)state;
    arena = ts_arena_new(256 * 1024);
    return arena ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    arena = ts_arena_free(arena);
    return 0;
}

static struct signals_query parse(const char *raw)
{
    struct signals_query query;
    ts_str field;
    assert_int_equal(signals_query_parse(ts_str_from(raw), arena, &query, &field), 0);
    return query;
}

static void test_query_when_empty_then_the_defaults_hold(void **state)
{
    struct signals_query query = parse("");
    (void)state;
    assert_int_equal(query.filter.limit, 200);
    assert_int_equal(query.filter.offset, 0);
    assert_int_equal(query.filter.complete, -1);
    assert_false(query.count);
    assert_true(ts_str_is_none(query.filter.asset));
    assert_true(query.filter.from_us == INT64_MIN && query.filter.to_us == INT64_MAX);
}

static void test_query_when_spelled_differently_then_the_key_is_the_same(void **state)
{
    (void)state;
    assert_true(ts_str_eq(parse("asset=petr4&type=buy").key, parse("type=BUY&asset=PETR4").key));
    assert_true(ts_str_eq(parse("limit=200").key, parse("").key));
    assert_true(ts_str_eq(parse("type=day%20trade").key, parse("type=Day+Trade").key));
}

static void test_query_when_different_then_the_keys_differ(void **state)
{
    static const char *const questions[] = {
        "",           "limit=1",         "offset=1",      "asset=A",           "channel=A",
        "search=A",   "type=A",          "channel=1",     "complete=true",     "complete=false",
        "count=true", "from=2026-01-01", "to=2026-01-01", "asset=A&channel=B", "asset=A%7C1%3AB"};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(questions); i++)
        for (size_t j = 0; j < i; j++)
            if (ts_str_eq(parse(questions[i]).key, parse(questions[j]).key))
                fail_msg("\"%s\" and \"%s\" have one key", questions[i], questions[j]);
}

static void test_instant_when_it_names_a_stretch_of_time_then_the_upper_end_covers_it(void **state)
{
    static const struct {
        const char *text;
        int64_t lower_us, length_us;
    } cases[] = {
        {"1762174800123", INT64_C(1762174800123000), 1000},
        {"0", 0, 1000},
        {"-1", -1000, 1000},
        {"2025-11-03", INT64_C(1762128000000000), INT64_C(86400000000)},
        {"2025-11-03T13:00:00Z", INT64_C(1762174800000000), 1000},
        {"2025-11-03T10:00:00.000001-03:00", INT64_C(1762174800000001), 1},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        int64_t lower, upper;
        assert_int_equal(signals_query_instant(ts_str_from(cases[i].text), false, &lower), 0);
        assert_int_equal(signals_query_instant(ts_str_from(cases[i].text), true, &upper), 0);
        assert_true(lower == cases[i].lower_us);
        assert_true(upper == cases[i].lower_us + cases[i].length_us - 1);
    }
}

static void test_instant_when_it_is_none_then_invalid(void **state)
{
    static const char *const bad[] = {
        "", "-", "x", "2025-11", "2025-13-01", "2025-11-03T13:00:00", "99999999999999999999", "1.5"};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(bad); i++) {
        int64_t us = 42;
        assert_int_equal(signals_query_instant(ts_str_from(bad[i]), false, &us), TS_E_INVALID);
        assert_int_equal(us, 42);
    }
}

static void test_cursor_when_formatted_then_it_reads_back_as_the_same_place(void **state)
{
    static const int64_t places[][2] = {{0, 0}, {INT64_C(1762174800000001), 7}, {-5, INT64_MAX}};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(places); i++) {
        char text[SIGNALS_CURSOR_SIZE];
        int64_t ts_us, id;
        signals_cursor_format(places[i][0], places[i][1], text);
        assert_int_equal(signals_cursor_parse(ts_str_from(text), &ts_us, &id), 0);
        assert_true(ts_us == places[i][0] && id == places[i][1]);
    }
}

static void test_cursor_when_it_is_not_ours_then_invalid(void **state)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "000000000000000000000000000000000",
                                      "0000000000000000000000000000000G",
                                      "0000000000000000ffffffffffffffff",
                                      "7fffffffffffffff0000000000000000",
                                      "0000000000000000000000000000000A"};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(bad); i++) {
        int64_t ts_us, id;
        assert_int_equal(signals_cursor_parse(ts_str_from(bad[i]), &ts_us, &id), TS_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_when_empty_then_the_defaults_hold),
        cmocka_unit_test(test_query_when_spelled_differently_then_the_key_is_the_same),
        cmocka_unit_test(test_query_when_different_then_the_keys_differ),
        cmocka_unit_test(test_instant_when_it_names_a_stretch_of_time_then_the_upper_end_covers_it),
        cmocka_unit_test(test_instant_when_it_is_none_then_invalid),
        cmocka_unit_test(test_cursor_when_formatted_then_it_reads_back_as_the_same_place),
        cmocka_unit_test(test_cursor_when_it_is_not_ours_then_invalid),
    };
    return cmocka_run_group_tests_name("signals_query", tests, start, stop);
}
