#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void set(struct ts_secret *secret, ts_str value)
{
    assert_int_equal(ts_secret_set(secret, value), 0);
}

static void assert_redacted(ts_str text, const char *expected)
{
    char copy[512];
    size_t len = text.len;

    memcpy(copy, text.ptr, text.len);
    ts_secret_redact(copy, &len);
    if (!ts_str_eq((ts_str){copy, len}, ts_str_from(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", (int)len, copy, expected);
}

static void test_equals_only_itself(void **state)
{
    (void)state;
    _cleanup_(ts_secret_done) struct ts_secret secret = {0};

    assert_false(ts_secret_is_set(&secret));
    assert_false(ts_secret_equals(&secret, TS_STR("")));
    assert_false(ts_secret_equals(&secret, TS_STR_NONE));
    set(&secret, TS_STR("correct horse battery"));
    assert_true(ts_secret_is_set(&secret));
    assert_true(ts_secret_equals(&secret, TS_STR("correct horse battery")));
    assert_false(ts_secret_equals(&secret, TS_STR("correct horse batterY")));
    assert_false(ts_secret_equals(&secret, TS_STR("correct horse batter")));
    assert_false(ts_secret_equals(&secret, TS_STR("correct horse battery\0")));
    assert_false(ts_secret_equals(&secret, TS_STR("")));
    assert_false(ts_secret_equals(&secret, TS_STR_NONE));
}

static void test_set_again_forgets_the_first(void **state)
{
    (void)state;
    _cleanup_(ts_secret_done) struct ts_secret secret = {0};

    set(&secret, TS_STR("first-value-of-it"));
    set(&secret, (ts_str){secret.value, 11}); /* of its own bytes */
    assert_string_equal(secret.value, "first-value");
    assert_false(ts_secret_equals(&secret, TS_STR("first-value-of-it")));
    assert_redacted(TS_STR("first-value-of-it"), "[redacted]-of-it");
    ts_secret_done(&secret);
    assert_false(ts_secret_is_set(&secret));
    assert_redacted(TS_STR("first-value-of-it"), "first-value-of-it");
}

static void test_sha256_known_answers(void **state)
{
    (void)state;
    uint8_t digest[32];
    char hex[65], fingerprint[TS_FINGERPRINT_SIZE];

    ts_sha256(TS_STR("abc"), digest); /* FIPS 180-4 */
    ts_hex(digest, sizeof(digest), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ts_sha256(TS_STR_NONE, digest);
    ts_hex(digest, sizeof(digest), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ts_fingerprint(TS_STR("abc"), fingerprint);
    assert_string_equal(fingerprint, "ba7816bf");
}

static void test_redaction(void **state)
{
    (void)state;
    _cleanup_(ts_secret_done) struct ts_secret token = {0}, longer = {0}, eight = {0}, brief = {0};

    set(&token, TS_STR("token-0123456789"));
    set(&longer, TS_STR("token-0123456789-and-more"));
    set(&eight, TS_STR("zyxwvuts"));
    set(&brief, TS_STR("short"));
    assert_redacted(TS_STR("nothing here"), "nothing here");
    assert_redacted(TS_STR(""), "");
    assert_redacted(TS_STR("token-0123456789"), "[redacted]");
    assert_redacted(TS_STR("a token-0123456789 b token-0123456789."), "a [redacted] b [redacted].");
    assert_redacted(TS_STR("token-0123456789token-0123456789"), "[redacted][redacted]");
    assert_redacted(TS_STR("token-0123456789-and-more!"), "[redacted]!"); /* not "[redacted]-and-more!" */
    assert_redacted(TS_STR("xzyxwvutsy"), "x[redactey");                  /* never longer than it was */
    assert_redacted(TS_STR("short is too short to be a secret"), "short is too short to be a secret");
    assert_redacted(TS_STR("token-012345678"), "token-012345678");
}

static void test_cut_takes_the_beginning_of_a_secret_off(void **state)
{
    (void)state;
    _cleanup_(ts_secret_done) struct ts_secret token = {0};

    set(&token, TS_STR("token-0123456789"));
    assert_int_equal(ts_secret_cut(TS_STR("see token-01234")), 4);
    assert_int_equal(ts_secret_cut(TS_STR("see t")), 4);
    assert_int_equal(ts_secret_cut(TS_STR("see x")), 5);
    assert_int_equal(ts_secret_cut(TS_STR("")), 0);
    assert_int_equal(ts_secret_cut(TS_STR("token-0123456789")), 0);
}

static void test_random_bytes_differ(void **state)
{
    (void)state;
    uint8_t a[32], b[32];

    ts_random_bytes(a, sizeof(a));
    ts_random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    ts_random_bytes(a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_only_itself),
        cmocka_unit_test(test_set_again_forgets_the_first),
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_redaction),
        cmocka_unit_test(test_cut_takes_the_beginning_of_a_secret_off),
        cmocka_unit_test(test_random_bytes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
