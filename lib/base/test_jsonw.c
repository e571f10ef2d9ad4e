#include "base/jsonw.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static void assert_text(const struct ts_buf *buf, const char *expected)
{
    ts_str view = ts_buf_view(buf);

    assert_int_equal(ts_buf_error(buf), 0);
    if (!ts_str_eq(view, ts_str_from(expected)))
        fail_msg("got %.*s, expected %s", TS_STR_ARG(view), expected);
}

static void test_commas_and_colons_are_the_writers(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(4096);
    struct ts_jsonw w = ts_jsonw_begin(&buf);

    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "status", TS_STR("ok"));
    ts_jsonw_key(&w, "data");
    ts_jsonw_array(&w);
    for (int i = 0; i < 2; i++) {
        ts_jsonw_object(&w);
        ts_jsonw_key_i64(&w, "id", i);
        ts_jsonw_key_e6(&w, "price", -31400000);
        ts_jsonw_key_bool(&w, "live", i == 1);
        ts_jsonw_key_str(&w, "none", TS_STR_NONE);
        ts_jsonw_key_str(&w, "empty", TS_STR(""));
        ts_jsonw_end(&w);
    }
    ts_jsonw_array(&w);
    ts_jsonw_end(&w);
    ts_jsonw_null(&w);
    ts_jsonw_end(&w);
    ts_jsonw_key_time(&w, "ts", 0);
    ts_jsonw_key(&w, "raw");
    ts_jsonw_raw(&w, TS_STR("{\"x\":[]}"));
    ts_jsonw_key(&w, "o");
    ts_jsonw_object(&w);
    ts_jsonw_end(&w);
    ts_jsonw_end(&w);
    assert_text(&buf, "{\"status\":\"ok\",\"data\":["
                      "{\"id\":0,\"price\":-31.4,\"live\":false,\"none\":null,\"empty\":\"\"},"
                      "{\"id\":1,\"price\":-31.4,\"live\":true,\"none\":null,\"empty\":\"\"},[],null],"
                      "\"ts\":\"1970-01-01T00:00:00.000Z\",\"raw\":{\"x\":[]},\"o\":{}}");
}

static void test_integers_that_javascript_cannot_hold_are_strings(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(4096);
    struct ts_jsonw w = ts_jsonw_begin(&buf);

    ts_jsonw_array(&w);
    ts_jsonw_id(&w, INT64_C(9007199254740992));
    ts_jsonw_id(&w, INT64_C(9007199254740993));
    ts_jsonw_id(&w, INT64_C(-9007199254740992));
    ts_jsonw_id(&w, INT64_C(-9007199254740993));
    ts_jsonw_id(&w, INT64_MIN);
    ts_jsonw_end(&w);
    assert_text(&buf, "[9007199254740992,\"9007199254740993\",-9007199254740992,\"-9007199254740993\","
                      "\"-9223372036854775808\"]");
}

static void test_string_table(void **state)
{
    (void)state;
    static const struct {
        ts_str value;
        const char *json;
    } cases[] = {
        {TS_STR(""), "\"\""},
        {TS_STR_NONE, "\"\""},
        {TS_STR("plain"), "\"plain\""},
        {TS_STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {TS_STR("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
        {TS_STR("\0\x01\x1F\x7F"), "\"\\u0000\\u0001\\u001f\x7F\""},
        {TS_STR("\x0B\x0E"), "\"\\u000b\\u000e\""},
        {TS_STR("Opera\xC3\xA7\xC3\xA3o \xF0\x9F\x9A\x80"), "\"Opera\xC3\xA7\xC3\xA3o \xF0\x9F\x9A\x80\""},
        {TS_STR("\xFF"), "\"" REPLACEMENT "\""},
        {TS_STR("a\x80z"), "\"a" REPLACEMENT "z\""},
        {TS_STR("\xC3"), "\"" REPLACEMENT "\""},
        {TS_STR("\xC3\""), "\"" REPLACEMENT "\\\"\""}, /* the quote is not swallowed */
        {TS_STR("\xED\xA0\x80"), "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\""},
        {TS_STR("\xC3\xA7\xFF\xC3\xA7"), "\"\xC3\xA7" REPLACEMENT "\xC3\xA7\""},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(4096);
        ts_buf_json_str(&buf, cases[i].value);
        assert_text(&buf, cases[i].json);
    }
}

/* Reads a JSON string back by the grammar of RFC 8259; `out` has room for it. Returns its bytes, fails on what is not allowed. */
static size_t read_back(ts_str json, char *out)
{
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    size_t n = 0;

    assert_true(json.len >= 2 && json.ptr[0] == '"' && json.ptr[json.len - 1] == '"');
    for (size_t i = 1; i < json.len - 1; i++) {
        char c = json.ptr[i];
        assert_true((unsigned char)c >= 0x20 && c != '"');
        if (c == '\\' && json.ptr[++i] == 'u') {
            char hex[5] = {0};
            memcpy(hex, json.ptr + i + 1, 4);
            c = (char)strtol(hex, NULL, 16);
            i += 4;
        } else if (c == '\\') {
            const char *at = strchr(letters, json.ptr[i]);
            assert_non_null(at);
            c = at[1];
        }
        out[n++] = c;
    }
    return n;
}

static void test_any_bytes_become_a_valid_string_and_valid_text_comes_back(void **state)
{
    (void)state;
    char value[64], back[64 * 6];
    int whole = 0;

    srandom(7);
    for (int round = 0; round < 50000; round++) {
        _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(4096);
        size_t len = (size_t)random() % sizeof(value);
        long mask = round % 2 ? 0xFF : 0x7F;
        for (size_t i = 0; i < len; i++)
            value[i] = (char)(random() & mask);
        ts_buf_json_str(&buf, (ts_str){value, len});
        assert_true(ts_utf8_valid(ts_buf_view(&buf)));
        size_t n = read_back(ts_buf_view(&buf), back);
        if (ts_utf8_valid((ts_str){value, len})) {
            assert_int_equal(n, len);
            assert_memory_equal(back, value, len);
            whole++;
        }
    }
    assert_true(whole > 20000);
}

static void test_nesting_beyond_32_is_an_error(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(4096);
    struct ts_jsonw w = ts_jsonw_begin(&buf);

    for (int i = 0; i < 32; i++) {
        if (i % 2)
            ts_jsonw_object(&w), ts_jsonw_key(&w, "k");
        else
            ts_jsonw_array(&w);
    }
    ts_jsonw_i64(&w, 1);
    for (int i = 0; i < 32; i++)
        ts_jsonw_end(&w);
    assert_int_equal(ts_buf_error(&buf), 0);
    assert_int_equal(buf.len, 16 * 2 + 16 * 6 + 1);

    ts_buf_clear(&buf);
    w = ts_jsonw_begin(&buf);
    for (int i = 0; i < 33; i++)
        ts_jsonw_array(&w);
    assert_int_equal(ts_buf_error(&buf), TS_E_LIMIT);
    for (int i = 0; i < 40; i++)
        ts_jsonw_end(&w); /* one too many is no harm */
}

static void test_when_the_buffer_is_full_the_error_stays(void **state)
{
    (void)state;
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(20);
    struct ts_jsonw w = ts_jsonw_begin(&buf);

    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "much", TS_STR("longer than the buffer"));
    ts_jsonw_key_i64(&w, "a", 1);
    ts_jsonw_end(&w);
    assert_int_equal(ts_buf_error(&buf), TS_E_LIMIT);
    assert_true(buf.len <= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_and_colons_are_the_writers),
        cmocka_unit_test(test_integers_that_javascript_cannot_hold_are_strings),
        cmocka_unit_test(test_string_table),
        cmocka_unit_test(test_any_bytes_become_a_valid_string_and_valid_text_comes_back),
        cmocka_unit_test(test_nesting_beyond_32_is_an_error),
        cmocka_unit_test(test_when_the_buffer_is_full_the_error_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
