#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

static void test_words_when_listed_then_in_order(void **state)
{
    (void)state;
    for (size_t i = 1; words_entry(i); i++) {
        if (strcmp(words_entry(i - 1), words_entry(i)) >= 0)
            fail_msg("words.c: %s must stand after %s", words_entry(i - 1), words_entry(i));
    }
}

/* Every entry is found in a text, whole: this also catches one that is longer than the dictionary's limit. */
static void test_words_when_listed_then_found(void **state)
{
    (void)state;
    for (size_t i = 0; words_entry(i); i++) {
        char text[64];
        const char *end = NULL;
        unsigned roles;

        snprintf(text, sizeof(text), "%s\n", words_entry(i));
        roles = words_lookup(text, &end);
        if (!end || *end != '\n')
            fail_msg("words.c: %s is not found", words_entry(i));
        assert_true(roles != 0);
    }
}

static unsigned roles(const char *text, long expected_len)
{
    const char *end = text;
    unsigned found = words_lookup(text, &end);

    assert_int_equal(end - text, expected_len);
    return found;
}

static void test_words_when_part_of_a_longer_word_then_not_found(void **state)
{
    (void)state;
    assert_int_equal(roles("COMPRADO\n", 0), 0);
    assert_int_equal(roles("COMPR\n", 0), 0);
    assert_int_equal(roles("COMPRA2\n", 0), 0);
    assert_int_equal(roles("STOPLOSSES\n", 0), 0);
    assert_int_equal(roles("DAY\n", 0), 0);
    assert_int_equal(roles("ABCDEFGHIJKLMNOPQRSTUVWXYZ\n", 0), 0);
    assert_int_equal(roles("\n", 0), 0);
    assert_int_equal(roles("1\n", 0), 0);
}

static void test_words_when_target_then_digit_may_follow(void **state)
{
    (void)state;
    assert_int_equal(roles("TP2\n", 2), WORD_TARGET);
    assert_int_equal(roles("ALVO1: 3\n", 4), WORD_TARGET);
    assert_int_equal(roles("STOP GAIN1\n", 9), WORD_TARGET);
    assert_int_equal(roles("STOP1\n", 0), 0);
}

static void test_words_when_two_words_then_longest_wins(void **state)
{
    (void)state;
    assert_int_equal(roles("STOP LOSS 3\n", 9), WORD_STOP);
    assert_int_equal(roles("STOP-LOSS 3\n", 9), WORD_STOP);
    assert_int_equal(roles("STOP   GAIN\n", 11), WORD_TARGET);
    assert_int_equal(roles("TAKE PROFITS\n", 12), WORD_TARGET);
    assert_int_equal(roles("STOP - LOSS\n", 4), WORD_STOP | WORD_NEVER_ASSET);
    assert_int_equal(roles("STOP LOSSES\n", 4), WORD_STOP | WORD_NEVER_ASSET);
    assert_int_equal(roles("STOP\n", 4), WORD_STOP | WORD_NEVER_ASSET);
}

static void test_words_when_never_asset_then_letters_are_exact(void **state)
{
    (void)state;
    assert_true(words_never_asset("ALVO1\n"));
    assert_true(words_never_asset("STOP12\n"));
    assert_false(words_never_asset("ALVOX1\n"));
    assert_false(words_never_asset("ALV1\n"));
    assert_false(words_never_asset("SL1\n"));
    assert_false(words_never_asset("\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_when_listed_then_in_order),
        cmocka_unit_test(test_words_when_listed_then_found),
        cmocka_unit_test(test_words_when_part_of_a_longer_word_then_not_found),
        cmocka_unit_test(test_words_when_target_then_digit_may_follow),
        cmocka_unit_test(test_words_when_two_words_then_longest_wins),
        cmocka_unit_test(test_words_when_never_asset_then_letters_are_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
