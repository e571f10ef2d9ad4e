/*
 * The parser's time is linear in the text. Time itself proves nothing on a busy machine, so work is counted:
 * this program links the parser's sources compiled with -fsanitize-coverage=trace-pc, which calls the
 * function below at every basic block that is executed. The texts are short patterns repeated to the full
 * length: each entry of the dictionary, and random sentences of the grammar, which is how a quadratic corner
 * would be found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "parser.h"
#include "random_text.h"

void __sanitizer_cov_trace_pc(void);

static uint64_t blocks;

void __sanitizer_cov_trace_pc(void)
{
    blocks++;
}

#define PATTERNS 2000
#define WHOLE    (SIGNAL_TEXT_MAX / 2)

/* Basic blocks a byte. The worst pattern found takes about 160: short words that are each looked up by
 * several rules. */
#define BLOCKS_A_BYTE_MAX 300
/* Doubling the text doubles the work; the constant is for what happens once. */
#define DOUBLING_MAX(work) (2 * (work) + (work) / 16 + 4000)

static uint64_t work(const char *pattern, size_t pattern_len, size_t len)
{
    static char text[SIGNAL_TEXT_MAX];
    struct signal signal;
    struct signal_explanation explanation;

    for (size_t i = 0; i < len; i++)
        text[i] = pattern[i % pattern_len];
    blocks = 0;
    assert_int_equal(signal_parse((ts_str){text, len}, &signal, &explanation), 0);
    return blocks;
}

static uint64_t largest;

static void assert_linear(const char *pattern, size_t len)
{
    uint64_t half = work(pattern, len, WHOLE / 2);
    uint64_t whole = work(pattern, len, WHOLE);

    largest = TS_MAX(largest, whole);
    if (whole > DOUBLING_MAX(half) || whole > (uint64_t)BLOCKS_A_BYTE_MAX * WHOLE)
        fail_msg("%llu blocks for half, %llu for the whole of \"%.*s\" repeated", (unsigned long long)half,
                 (unsigned long long)whole, (int)len, pattern);
}

static void test_work_is_counted(void **state)
{
    (void)state;
    assert_true(work("x", 1, 100) > 100);
    assert_true(work("x", 1, 200) > work("x", 1, 100));
}

static void test_work_when_one_character_repeats_then_linear(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char pattern = (char)c;
        assert_linear(&pattern, 1);
    }
}

static void test_work_when_a_word_repeats_then_linear(void **state)
{
    static const char *const after[] = {" ",  "\n", ":", " 1 ", "1", " 1/", "                              ",
                                        " A "};

    (void)state;
    for (size_t i = 0; words_entry(i); i++) {
        for (size_t j = 0; j < TS_ARRAY_LEN(after); j++) {
            char pattern[128];
            size_t n = strlen(words_entry(i)), m = strlen(after[j]);
            memcpy(pattern, words_entry(i), n);
            memcpy(pattern + n, after[j], m);
            assert_linear(pattern, n + m);
        }
    }
}

static void test_work_when_random_patterns_repeat_then_linear(void **state)
{
    uint64_t random = 3;
    char pattern[512];

    (void)state;
    for (int i = 0; i < PATTERNS; i++) {
        size_t len = random_sentence(&random, pattern, sizeof(pattern), 1 + random_below(&random, 10));
        if (len > 0)
            assert_linear(pattern, len);
    }
    print_message("largest: %llu basic blocks a byte\n", (unsigned long long)(largest / WHOLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_is_counted),
        cmocka_unit_test(test_work_when_one_character_repeats_then_linear),
        cmocka_unit_test(test_work_when_a_word_repeats_then_linear),
        cmocka_unit_test(test_work_when_random_patterns_repeat_then_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
