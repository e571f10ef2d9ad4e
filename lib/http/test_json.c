/* Every row of the strictness table of the comparison of JSON libraries, and the numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/limits.h"
#include "http/json.h"

static int parse(ts_str text)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    int error = ts_json_parse(text, TS_MAX_JSON_DEPTH, &json);
    assert_true((error == 0) == (json != NULL));
    return error;
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        ts_str text;
        int error;
    } cases[] = {
#define ROW(text, error) {{text, sizeof(text) - 1}, error}
        ROW("", TS_E_JSON),
        ROW(" ", TS_E_JSON),
        ROW("{\"a\":1,\"a\":2}", TS_E_JSON),
        ROW("{\"a\":1,\"\\u0061\":2}", TS_E_JSON),
        ROW("\"\xff\xfe\"", TS_E_UTF8),
        ROW("\"\xc0\xaf\"", TS_E_UTF8),
        ROW("\"\xed\xa0\x80\"", TS_E_UTF8),
        ROW("\"\\u0000\"", TS_E_JSON),
        ROW("{\"\\u0000\":1}", TS_E_JSON),
        ROW("\"a\0b\"", TS_E_JSON),
        ROW("\"a\nb\"", TS_E_JSON),
        ROW("\"\\ud83d\"", TS_E_JSON),
        ROW("\"\\ude80\"", TS_E_JSON),
        ROW("9223372036854775808", TS_E_JSON),
        ROW("-9223372036854775809", TS_E_JSON),
        ROW("1e400", TS_E_JSON),
        ROW("{} x", TS_E_JSON),
        ROW("{}{}", TS_E_JSON),
        ROW("[1,]", TS_E_JSON),
        ROW("{\"a\":1,}", TS_E_JSON),
        ROW("[1] // c", TS_E_JSON),
        ROW("01", TS_E_JSON),
        ROW("+1", TS_E_JSON),
        ROW("1.", TS_E_JSON),
        ROW(".5", TS_E_JSON),
        ROW("0x10", TS_E_JSON),
        ROW("NaN", TS_E_JSON),
        ROW("Infinity", TS_E_JSON),
        ROW("{'a':1}", TS_E_JSON),
        ROW("{a:1}", TS_E_JSON),
        ROW("\xef\xbb\xbf{}", TS_E_JSON),
        ROW("{\"a\":1", TS_E_JSON),
        ROW("\"abc", TS_E_JSON),
        ROW("tru", TS_E_JSON),
        ROW("{}\0", TS_E_JSON),
#undef ROW
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        int error = parse(cases[i].text);
        if (error != cases[i].error)
            fail_msg("%.*s: %d instead of %d", TS_STR_ARG(cases[i].text), error, cases[i].error);
    }
}

static void test_what_is_accepted_is_exact(void **state)
{
    (void)state;
    _cleanup_(ts_json_freep) json_t *json = NULL;
    ts_str text = TS_STR(" {\"id\":9223372036854775807,\"channel\":-1001234567890,\"s\":\"\\ud83d\\udfe2 "
                         "\xc3\xa9\",\"n\":null} ");
    assert_int_equal(ts_json_parse_object(text, TS_MAX_JSON_DEPTH, &json), 0);
    int64_t number;
    assert_int_equal(ts_json_i64(json_object_get(json, "id"), 1, INT64_MAX, &number), 0);
    assert_true(number == INT64_MAX);
    assert_int_equal(ts_json_i64(json_object_get(json, "channel"), INT64_MIN, INT64_MAX, &number), 0);
    assert_true(number == -1001234567890);
    assert_true(ts_str_eq(ts_json_get_str(json, "s"), TS_STR("\xf0\x9f\x9f\xa2 \xc3\xa9")));
    assert_true(ts_str_is_none(ts_json_get_str(json, "n")));
    assert_true(ts_str_is_none(ts_json_get_str(json, "id")));
    assert_true(ts_str_is_none(ts_json_get_str(json, "absent")));
}

static void test_only_objects_where_an_object_is_asked_for(void **state)
{
    (void)state;
    static const char *const others[] = {"[]", "1", "\"a\"", "null", "true"};
    for (size_t i = 0; i < TS_ARRAY_LEN(others); i++) {
        json_t *json = NULL;
        assert_int_equal(ts_json_parse_object(ts_str_from(others[i]), TS_MAX_JSON_DEPTH, &json), TS_E_JSON);
        assert_null(json);
        assert_int_equal(parse(ts_str_from(others[i])), 0);
    }
}

static void test_depth_is_limited_before_the_library_sees_the_text(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc((size_t)2 * DEEP);
    static const int depths[] = {1, TS_MAX_JSON_DEPTH, TS_MAX_JSON_DEPTH + 1, DEEP};
    for (size_t i = 0; i < TS_ARRAY_LEN(depths); i++) {
        int depth = depths[i];
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        int expected = depth <= TS_MAX_JSON_DEPTH ? 0 : TS_E_JSON_DEPTH;
        assert_int_equal(parse((ts_str){text, 2 * (size_t)depth}), expected);
    }
    memset(text, '{', DEEP);
    assert_int_equal(parse((ts_str){text, DEEP}), TS_E_JSON_DEPTH);
    free(text);
    assert_int_equal(parse(TS_STR("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[\"")), 0);
}

static void test_integers_from_numbers_and_decimal_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        int64_t value;
    } cases[] = {
        {"12", 0, 12},
        {"\"12\"", 0, 12},
        {"\"12xyz\"", TS_E_INVALID, 0},
        {"1.9", TS_E_INVALID, 0},
        {"1e3", TS_E_INVALID, 0},
        {"true", TS_E_INVALID, 0},
        {"null", TS_E_INVALID, 0},
        {"{}", TS_E_INVALID, 0},
        {"\"\"", TS_E_INVALID, 0},
        {"0", TS_E_RANGE, 0},
        {"\"0\"", TS_E_RANGE, 0},
        {"101", TS_E_RANGE, 0},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        _cleanup_(ts_json_freep) json_t *json = NULL;
        assert_int_equal(ts_json_parse(ts_str_from(cases[i].text), 4, &json), 0);
        int64_t value = -1;
        assert_int_equal(ts_json_i64(json, 1, 100, &value), cases[i].error);
        assert_true(value == (cases[i].error ? -1 : cases[i].value));
    }
    int64_t value;
    assert_int_equal(ts_json_i64(NULL, 1, 100, &value), TS_E_INVALID);
}

int main(void)
{
    ts_json_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_is_accepted_is_exact),
        cmocka_unit_test(test_only_objects_where_an_object_is_asked_for),
        cmocka_unit_test(test_depth_is_limited_before_the_library_sees_the_text),
        cmocka_unit_test(test_integers_from_numbers_and_decimal_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
