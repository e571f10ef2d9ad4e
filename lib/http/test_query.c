#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/error.h"
#include "http/query.h"

static struct ts_arena *arena;
static struct ts_query query;
static ts_str field;

static int setup(void **state)
{
    (void)state;
    arena = ts_arena_new(64 * 1024);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena = ts_arena_free(arena);
    return 0;
}

static int parse(const char *raw)
{
    field = TS_STR_NONE;
    return ts_query_parse(ts_str_from(raw), arena, &query, &field);
}

static void assert_value(const char *name, const char *value)
{
    ts_str found = ts_query_get(&query, name);
    assert_false(ts_str_is_none(found));
    assert_int_equal(found.len, strlen(value));
    assert_memory_equal(found.ptr, value, found.len);
}

static void test_values_are_decoded(void **state)
{
    (void)state;
    assert_int_equal(parse("a=1&b=x%20y+z&c=&d&%C3%A9=%f0%9f%9f%a2&e=1=2"), 0);
    assert_int_equal(query.n, 6);
    assert_value("a", "1");
    assert_value("b", "x y z");
    assert_value("c", "");
    assert_value("d", "");
    assert_value("\xc3\xa9", "\xf0\x9f\x9f\xa2");
    assert_value("e", "1=2");
    assert_true(ts_str_is_none(ts_query_get(&query, "f")));
}

static void test_empty_pieces_are_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse(""), 0);
    assert_int_equal(query.n, 0);
    assert_int_equal(parse("&&a=1&"), 0);
    assert_int_equal(query.n, 1);
}

static void test_faults_name_the_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        int error;
        const char *field;
    } cases[] = {
        {"a=1&a=2", TS_E_INVALID, "a"},
        {"a=1&%61=2", TS_E_INVALID, "a"},
        {"limit=%zz", TS_E_INVALID, "limit"},
        {"limit=%4", TS_E_INVALID, "limit"},
        {"limit=%", TS_E_INVALID, "limit"},
        {"q=%00", TS_E_INVALID, "q"},
        {"q=%ff", TS_E_UTF8, "q"},
        {"q=%c0%af", TS_E_UTF8, "q"},
        {"q=%ed%a0%80", TS_E_UTF8, "q"},
        {"q=\xff", TS_E_UTF8, "q"},
        {"%zz=1", TS_E_INVALID, ""},
        {"=1", TS_E_INVALID, ""},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        assert_int_equal(parse(cases[i].raw), cases[i].error);
        assert_true(ts_str_eq(field, ts_str_from(cases[i].field)));
    }
}

static void test_parameters_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    char raw[1024] = "";
    size_t len = 0;
    for (int i = 0; i < TS_MAX_QUERY_PARAMS; i++)
        len += (size_t)snprintf(raw + len, sizeof(raw) - len, "p%d=1&", i);
    assert_int_equal(parse(raw), 0);
    snprintf(raw + len, sizeof(raw) - len, "one=more");
    assert_int_equal(parse(raw), TS_E_LIMIT);
    assert_true(ts_str_eq(field, TS_STR("one")));
}

static void test_plus_is_a_space_only_where_asked(void **state)
{
    (void)state;
    ts_str decoded;
    assert_int_equal(ts_percent_decode(TS_STR("/a+b%2Bc"), false, arena, &decoded), 0);
    assert_true(ts_str_eq(decoded, TS_STR("/a+b+c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_values_are_decoded),
        T(test_empty_pieces_are_nothing),
        T(test_faults_name_the_parameter),
        T(test_parameters_beyond_the_limit_are_refused),
        T(test_plus_is_a_space_only_where_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
