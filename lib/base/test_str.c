#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_str(s, literal)                                      \
    do {                                                            \
        assert_int_equal((s).len, sizeof(literal) - 1);             \
        assert_memory_equal((s).ptr, literal, sizeof(literal) - 1); \
    } while (0)

static void test_comparison(void **state)
{
    (void)state;
    assert_true(ts_str_eq(TS_STR("abc"), TS_STR("abc")));
    assert_false(ts_str_eq(TS_STR("abc"), TS_STR("abd")));
    assert_false(ts_str_eq(TS_STR("abc"), TS_STR("ab")));
    assert_false(ts_str_eq(TS_STR("a\0b"), TS_STR("a\0c")));
    assert_true(ts_str_eq(TS_STR(""), TS_STR_NONE));
    assert_true(ts_str_eq_nocase(TS_STR("Content-Type"), TS_STR("cONTENT-tYPE")));
    assert_false(ts_str_eq_nocase(TS_STR("a@"), TS_STR("a`"))); /* 0x20 apart, but no letters */
    assert_false(ts_str_eq_nocase(TS_STR("\xC3\x89"), TS_STR("\xC3\xA9")));
    assert_false(ts_str_eq_nocase(TS_STR("a"), TS_STR("ab")));
}

static void test_none_and_empty_are_two_things(void **state)
{
    (void)state;
    assert_true(ts_str_is_none(TS_STR_NONE));
    assert_false(ts_str_is_none(TS_STR("")));
    assert_true(ts_str_is_none(ts_str_from(NULL)));
    assert_str(ts_str_from("x"), "x");
}

static void test_prefix_and_suffix(void **state)
{
    (void)state;
    assert_true(ts_str_starts_with(TS_STR("/signals/1"), TS_STR("/signals")));
    assert_true(ts_str_starts_with(TS_STR("a"), TS_STR("")));
    assert_true(ts_str_starts_with(TS_STR_NONE, TS_STR("")));
    assert_false(ts_str_starts_with(TS_STR("/sig"), TS_STR("/signals")));
    assert_true(ts_str_ends_with(TS_STR("a.json"), TS_STR(".json")));
    assert_true(ts_str_ends_with(TS_STR_NONE, TS_STR("")));
    assert_false(ts_str_ends_with(TS_STR("json"), TS_STR(".json")));
    assert_false(ts_str_ends_with(TS_STR("a.jsoN"), TS_STR(".json")));
}

static void test_trim_takes_ascii_space_only(void **state)
{
    (void)state;
    assert_str(ts_str_trim(TS_STR(" \t\r\n\v\fa b \t")), "a b");
    assert_str(ts_str_trim(TS_STR("   ")), "");
    assert_str(ts_str_trim(TS_STR("\xC2\xA0x")), "\xC2\xA0x");
    assert_int_equal(ts_str_trim(TS_STR_NONE).len, 0);
}

static size_t split_all(const char *list, ts_str *pieces, size_t max)
{
    ts_str piece, rest = ts_str_from(list);
    size_t n = 0;

    while (ts_str_split(&rest, ',', &piece)) {
        assert_true(n < max);
        pieces[n++] = piece;
    }
    return n;
}

static void test_split_returns_empty_pieces(void **state)
{
    (void)state;
    ts_str p[4] = {0};

    assert_int_equal(split_all("a, b ,c", p, 4), 3);
    assert_str(p[0], "a");
    assert_str(p[1], "b");
    assert_str(p[2], "c");
    assert_int_equal(split_all("a,,b", p, 4), 3);
    assert_str(p[1], "");
    assert_int_equal(split_all("a,", p, 4), 2);
    assert_str(p[1], "");
    assert_int_equal(split_all("", p, 4), 1);
    assert_str(p[0], "");
    assert_int_equal(split_all(NULL, p, 4), 0);
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(ts_str_find(TS_STR("abcabc"), TS_STR("ca")), 2);
    assert_int_equal(ts_str_find(TS_STR("abc"), TS_STR("abcd")), -1);
    assert_int_equal(ts_str_find(TS_STR("abc"), TS_STR("x")), -1);
    assert_int_equal(ts_str_find(TS_STR("a\0b"), TS_STR("\0b")), 1);
    assert_int_equal(ts_str_find(TS_STR("abc"), TS_STR("")), 0);
    assert_int_equal(ts_str_find(TS_STR_NONE, TS_STR("a")), -1);
}

static void test_utf8_table(void **state)
{
    (void)state;
    static const struct {
        ts_str text;
        bool valid;
    } cases[] = {
        {TS_STR(""), true},
        {TS_STR("plain"), true},
        {TS_STR("a\0b"), true},
        {TS_STR("\x7F"), true},
        {TS_STR("Opera\xC3\xA7\xC3\xA3o"), true},
        {TS_STR("\xC2\x80"), true},
        {TS_STR("\xDF\xBF"), true},
        {TS_STR("\xE0\xA0\x80"), true},
        {TS_STR("\xED\x9F\xBF"), true},
        {TS_STR("\xEE\x80\x80"), true},
        {TS_STR("\xEF\xBF\xBF"), true},
        {TS_STR("\xF0\x90\x80\x80"), true},
        {TS_STR("\xF0\x9F\x9A\x80"), true},
        {TS_STR("\xF4\x8F\xBF\xBF"), true},
        {TS_STR("\x80"), false}, /* continuation alone */
        {TS_STR("\xBF"), false},
        {TS_STR("\xC0\x80"), false}, /* overlong NUL */
        {TS_STR("\xC1\xBF"), false}, /* overlong */
        {TS_STR("\xC2"), false},     /* cut */
        {TS_STR("\xC2 "), false},
        {TS_STR("\xE0\x9F\xBF"), false}, /* overlong */
        {TS_STR("\xE1\x80"), false},     /* cut */
        {TS_STR("\xE1\x80 "), false},
        {TS_STR("\xED\xA0\x80"), false}, /* surrogates */
        {TS_STR("\xED\xBF\xBF"), false},
        {TS_STR("\xF0\x8F\xBF\xBF"), false}, /* overlong */
        {TS_STR("\xF0\x90\x80"), false},     /* cut */
        {TS_STR("\xF0\x90\x80 "), false},
        {TS_STR("\xF4\x90\x80\x80"), false}, /* U+110000 */
        {TS_STR("\xF5\x80\x80\x80"), false},
        {TS_STR("\xFE"), false},
        {TS_STR("\xFF"), false},
        {TS_STR("12345678\xFF"), false}, /* behind the fast path */
        {TS_STR("12345678 12345\xC3"), false},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++)
        if (ts_utf8_valid(cases[i].text) != cases[i].valid)
            fail_msg("case %zu", i);
}

/* Every code point, encoded by the definition, is valid exactly when it is no surrogate; U+FFFF + n needs four bytes. */
static void test_utf8_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0x800; c <= 0xFFFF; c++) {
        char three[3] = {(char)(0xE0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3F)), (char)(0x80 | (c & 0x3F))};
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        assert_int_equal(ts_utf8_sequence((ts_str){three, 3}), surrogate ? 0 : 3);
    }
    for (uint32_t c = 0; c <= 0x1FFFFF; c += 7) {
        char four[4] = {(char)(0xF0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3F)),
                        (char)(0x80 | (c >> 6 & 0x3F)), (char)(0x80 | (c & 0x3F))};
        assert_int_equal(ts_utf8_sequence((ts_str){four, 4}), c >= 0x10000 && c <= 0x10FFFF ? 4 : 0);
    }
}

static void test_truncate_keeps_characters_whole(void **state)
{
    (void)state;
    ts_str s = TS_STR("a\xC3\xA7\xF0\x9F\x9A\x80z"); /* a ç rocket z: 1 2 4 1 */
    const size_t expected[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};

    for (size_t max = 0; max < TS_ARRAY_LEN(expected); max++)
        assert_int_equal(ts_utf8_truncate(s, max).len, expected[max]);
    assert_int_equal(ts_utf8_truncate(TS_STR_NONE, 0).len, 0);
}

static void test_has_nul(void **state)
{
    (void)state;
    assert_true(ts_str_has_nul(TS_STR("a\0")));
    assert_false(ts_str_has_nul(TS_STR("a")));
    assert_false(ts_str_has_nul(TS_STR_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_none_and_empty_are_two_things),
        cmocka_unit_test(test_prefix_and_suffix),
        cmocka_unit_test(test_trim_takes_ascii_space_only),
        cmocka_unit_test(test_split_returns_empty_pieces),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_utf8_table),
        cmocka_unit_test(test_utf8_every_code_point),
        cmocka_unit_test(test_truncate_keeps_characters_whole),
        cmocka_unit_test(test_has_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
