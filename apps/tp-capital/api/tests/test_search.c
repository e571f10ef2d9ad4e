/* What a search finds, and that the spelled form, by which the index finds it, agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "random_text.h"
#include "search_invariants.h"

static bool finds(const char *query, ts_str text, ts_str asset)
{
    return check_search(ts_str_from(query), text, asset);
}

static void test_search_when_case_accents_or_markdown_differ_then_found(void **state)
{
    static const struct {
        const char *query, *text;
    } cases[] = {
        {"pregão", "fim do PREGAO"},
        {"PREGAO", "fim do pregão."},
        {"prega\xCC\x83o", "fim do pregão."}, /* decomposed */
        {"preço: 31", "**Preço:** __31__"},
        {"31,40", "Entrada: R$ 31,40"},
        {"$ 31", "R$ 31,40"},
        {"100%", "100% de acerto"},
        {"%", "100%"},
        {"a_b", "A_B"},
        {"_", "a_b"},
        {"**", "a**b"},
        {"b\nc", "ab\r\ncd"},
        {"🟢", "x 🟢 y"},
        {"🟢 swing", "🟢 Swing Trade"},
        {"привет", "скажи привет"},
        {"a", "A"},
        {" ", "a b"},
        {"\xE2\x80\x8D", "a\xE2\x80\x8D"
                         "b"}, /* invisible: compared as it is */
        {"\\", "a\\b"},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++)
        if (!finds(cases[i].query, ts_str_from(cases[i].text), TS_STR_NONE))
            fail_msg("\"%s\" in \"%s\"", cases[i].query, cases[i].text);
}

static void test_search_when_a_sign_was_asked_for_then_only_texts_with_it(void **state)
{
    static const struct {
        const char *query, *text;
    } cases[] = {
        {"a_b", "ab"},           {"a_b", "axb"},  {"_", "ab"},         {"%", "ab"},
        {"a%b", "axxb"},         {"🟢", "🔴 a"}, {"🟢", "   "},     {"🟢 swing", "🔴 Swing"},
        {"   ", "🟢🟢🟢"}, {"a\tb", "a b"}, {"привет", "пока "}, {"\xE2\x80\x8D", "ab"},
        {"pregões", "pregão"},   {"b\nc", "b c"},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++)
        if (finds(cases[i].query, ts_str_from(cases[i].text), TS_STR_NONE))
            fail_msg("\"%s\" in \"%s\"", cases[i].query, cases[i].text);
}

static void test_search_when_only_the_asset_has_it_then_found(void **state)
{
    (void)state;
    assert_true(finds("itub", TS_STR("sem ativo"), TS_STR("ITUB4")));
    assert_true(finds("itub4", TS_STR("compra itub4"), TS_STR("ITUB4")));
    assert_false(finds("vale", TS_STR("sem ativo"), TS_STR("ITUB4")));
}

/* The index stands on this: each sign one letter of its own, all of them to be taken for letters by pg_trgm, none with a meaning to LIKE or GLOB. */
static void test_spell_when_any_folded_character_then_one_of_its_own_without_meaning(void **state)
{
    _cleanup_(ts_buf_done) struct ts_buf spelled = TS_BUF_INIT(1024);
    char seen[256] = {0};
    (void)state;
    for (int c = 1; c < 127; c++) {
        char one = (char)c, folded;
        if (fold_text((ts_str){&one, 1}, 0, &folded) != 1 || folded != one)
            continue; /* folded text has none */
        ts_buf_clear(&spelled);
        search_spell((ts_str){&one, 1}, TS_STR_NONE, &spelled);
        assert_int_equal(spelled.len, 1);
        unsigned char letter = (unsigned char)spelled.data[0];
        assert_null(strchr("%_\\*?[", letter));
        assert_int_equal(seen[letter]++, 0);
    }
}

static void test_search_when_the_query_is_a_piece_of_the_text_then_found_and_by_the_index(void **state)
{
    uint64_t random = 20261103;
    char text[512];
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = random_sentence(&random, text, sizeof(text), random_below(&random, 40));
        size_t start = random_below(&random, len + 1);
        while (start > 0 && start < len && ((unsigned char)text[start] & 0xC0) == 0x80)
            start--;
        ts_str piece = ts_utf8_truncate((ts_str){text + start, len - start},
                                        1 + random_below(&random, SEARCH_MAX_BYTES));
        if (piece.len > 0 && !memchr(piece.ptr, '\r', piece.len)) /* half a line's end is no character */
            assert_true(check_search(piece, (ts_str){text, len}, TS_STR_NONE));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_when_case_accents_or_markdown_differ_then_found),
        cmocka_unit_test(test_search_when_a_sign_was_asked_for_then_only_texts_with_it),
        cmocka_unit_test(test_search_when_only_the_asset_has_it_then_found),
        cmocka_unit_test(test_spell_when_any_folded_character_then_one_of_its_own_without_meaning),
        cmocka_unit_test(test_search_when_the_query_is_a_piece_of_the_text_then_found_and_by_the_index),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
