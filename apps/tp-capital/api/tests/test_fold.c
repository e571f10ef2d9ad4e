#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "fold.h"

static struct folded folded;

static void assert_folds(ts_str text, const char *expected)
{
    assert_int_equal(fold(text, &folded), 0);
    if (folded.len != strlen(expected) || memcmp(folded.text, expected, folded.len) != 0)
        fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)folded.len, folded.text);
    assert_int_equal(folded.text[folded.len], '\n');
}

#define FOLDS(literal, expected) assert_folds(TS_STR(literal), expected)

static void test_fold_when_ascii_then_capitals_and_no_markdown(void **state)
{
    (void)state;
    FOLDS("", "");
    FOLDS("Compra petr4 @ R$ 30,50", "COMPRA PETR4 @ R$ 30,50");
    FOLDS("**a** _b_ ~~c~~ `d`", "A B C D");
    FOLDS("a\tb\vc\x7f"
          "d\0e",
          "A B C D E");
    FOLDS("{|}!\"#$%&'()+,-./:;<=>?@[\\]^", "{|}!\"#$%&'()+,-./:;<=>?@[\\]^");
}

static void test_fold_when_line_ends_then_lf(void **state)
{
    (void)state;
    FOLDS("a\r\nb\rc\nd\r\r\n\n\r", "A\nB\nC\nD\n\n\n\n");
    FOLDS("\r", "\n");
}

static void test_fold_when_accented_then_base_letter(void **state)
{
    (void)state;
    FOLDS("ÀÁÂÃÄÅ Ç ÈÉÊË ÌÍÎÏ Ñ ÒÓÔÕÖ ÙÚÛÜ Ý", "AAAAAA C EEEE IIII N OOOOO UUUU Y");
    FOLDS("àáâãäå ç èéêë ìíîï ñ òóôõö ùúûü ýÿ", "AAAAAA C EEEE IIII N OOOOO UUUU YY");
    FOLDS("ĀăąĆĉ Ďě Ğġ Ĥ Ĩİ Ĵ Ķ Ľ Ň ŐŘ Š Ť ŨŰ Ŵ Ŷ Žž", "AAACC DE GG H II J K L N OR S T UU W Y ZZ");
    FOLDS("Ơư Ǎǹ Ȁȳ", "OU AN AY");
    FOLDS("Ḁẙ Ạỹ", "AY AY");
    FOLDS("\u212a\u212b \u037e \u2260\u226e\u226f", "KA ; =<>");
    FOLDS("a\u1fef"
          "b",
          "AB"); /* decomposes to a backquote */
}

static void test_fold_when_decomposed_then_marks_vanish(void **state)
{
    (void)state;
    FOLDS("Ac\u0327a\u0303o ate\u0301", "ACAO ATE");
    FOLDS("e\u0300\u0301\u036f", "E");
}

static void test_fold_when_no_decomposition_then_space(void **state)
{
    (void)state;
    FOLDS("ÆæØøĐđŁłßıŒ", "           ");
    FOLDS("×÷¿§ºª", "      ");
    FOLDS("ΑΒΓ кот 中", "         ");   /* three letters, space, three letters, space, one */
    FOLDS("\uff21\ufb01\u00b2", "   "); /* compatibility forms are not canonical */
}

static void test_fold_when_invisible_then_vanishes(void **state)
{
    (void)state;
    FOLDS("a\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f"
          "b",
          "AB");
    FOLDS("\u200a\u200e\u2061\ufe0d\ufe10", "     ");
}

static void test_fold_when_dash_or_colon_then_ascii(void **state)
{
    (void)state;
    FOLDS("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-------");
    FOLDS("\u200f\u2016\u2213", "   ");
    FOLDS("\uff1a", ":");
}

static void test_fold_when_emoji_or_space_then_one_space(void **state)
{
    (void)state;
    FOLDS("🟢a🔴", " A ");
    FOLDS("⚡️x", " X");
    FOLDS("a\u00a0b\u2009c\u202f\u3000\u2028\xc2\x85", "A B C    ");
    FOLDS("\U0010ffff", " ");
}

static void test_fold_when_bad_utf8_then_a_space_a_byte(void **state)
{
    (void)state;
    FOLDS("a\x80"
          "b",
          "A B");
    FOLDS("\xc3", " ");             /* cut at the end */
    FOLDS("\xe2\x80", "  ");        /* cut at the end */
    FOLDS("\xf0\x9f\x9f", "   ");   /* cut at the end */
    FOLDS("\xc3(", " (");           /* no continuation */
    FOLDS("\xf0\x9f\x9fZ", "   Z"); /* no continuation */
    FOLDS("\xc1\x81", "  ");        /* overlong A */
    FOLDS("\xe0\x81\x81", "   ");   /* overlong A */
    FOLDS("\xf0\x80\x81\x81", "    ");
    FOLDS("\xed\xa0\x80", "   ");      /* surrogate */
    FOLDS("\xf4\x90\x80\x80", "    "); /* above U+10FFFF */
    FOLDS("\xf5\xff\xfe", "   ");
}

static void test_fold_when_text_is_too_long_then_refuses(void **state)
{
    static char text[FOLD_TEXT_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(fold((ts_str){text, FOLD_TEXT_MAX}, &folded), 0);
    assert_int_equal(folded.len, FOLD_TEXT_MAX);
    folded.len = 7;
    assert_int_equal(fold((ts_str){text, FOLD_TEXT_MAX + 1}, &folded), TS_E_TOO_LONG);
    assert_int_equal(folded.len, 7);
}

/* The original bytes of the folded characters from..to. */
static void assert_origin(size_t from, size_t to, const char *expected)
{
    struct fold_span span = fold_origin(&folded, folded.text + from, folded.text + to);

    assert_true(span.start < span.end && span.end <= folded.original.len);
    assert_int_equal(span.end - span.start, strlen(expected));
    assert_memory_equal(folded.original.ptr + span.start, expected, strlen(expected));
}

static void test_fold_origin_when_text_shrank_then_original_bytes(void **state)
{
    (void)state;
    FOLDS("🟢 **Ação**: 3\u200b0", "  ACAO: 30");
    assert_origin(0, 1, "🟢");
    assert_origin(2, 6, "Ação");
    assert_origin(3, 4, "ç");
    assert_origin(8, 10, "3\u200b0");
    assert_origin(9, 10, "0");
    assert_origin(0, 10, "🟢 **Ação**: 3\u200b0");
}

static void test_fold_origin_when_bad_utf8_then_single_byte(void **state)
{
    (void)state;
    FOLDS("a\xf0\x9f", "A  ");
    assert_origin(1, 2, "\xf0");
    assert_origin(2, 3, "\x9f");
}

/* Every character that is alone in a text folds to at most one, and folding that again changes nothing. */
static void test_fold_when_any_byte_pair_then_idempotent(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair <= 0xffff; pair++) {
        char text[2] = {(char)(pair >> 8), (char)(pair & 0xff)};
        char once[2];
        size_t len;

        assert_int_equal(fold((ts_str){text, 2}, &folded), 0);
        len = folded.len;
        assert_true(len <= 2);
        memcpy(once, folded.text, len);
        assert_int_equal(fold((ts_str){once, len}, &folded), 0);
        assert_int_equal(folded.len, len);
        assert_memory_equal(folded.text, once, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold_when_ascii_then_capitals_and_no_markdown),
        cmocka_unit_test(test_fold_when_line_ends_then_lf),
        cmocka_unit_test(test_fold_when_accented_then_base_letter),
        cmocka_unit_test(test_fold_when_decomposed_then_marks_vanish),
        cmocka_unit_test(test_fold_when_no_decomposition_then_space),
        cmocka_unit_test(test_fold_when_invisible_then_vanishes),
        cmocka_unit_test(test_fold_when_dash_or_colon_then_ascii),
        cmocka_unit_test(test_fold_when_emoji_or_space_then_one_space),
        cmocka_unit_test(test_fold_when_bad_utf8_then_a_space_a_byte),
        cmocka_unit_test(test_fold_when_text_is_too_long_then_refuses),
        cmocka_unit_test(test_fold_origin_when_text_shrank_then_original_bytes),
        cmocka_unit_test(test_fold_origin_when_bad_utf8_then_single_byte),
        cmocka_unit_test(test_fold_when_any_byte_pair_then_idempotent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
