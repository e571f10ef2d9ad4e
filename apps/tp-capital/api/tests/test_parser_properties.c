/*
 * What holds for every text, tried on many that nobody wrote: random bytes, and random sentences of the
 * grammar's own pieces. The seed is fixed, so a failure repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "parser_invariants.h"
#include "random_text.h"

#define ROUNDS 5000

static void test_parser_when_random_bytes_then_invariants_hold(void **state)
{
    uint64_t random = 1;
    char text[512];

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        size_t len = random_below(&random, sizeof(text));
        for (size_t j = 0; j < len; j++)
            text[j] = (char)random_below(&random, 256);
        check_invariants((ts_str){text, len});
    }
}

/* Every second sentence follows a line with a signal, so that the words of updates don't hide all the rest.
 */
static void test_parser_when_random_sentence_then_invariants_hold(void **state)
{
    static const char first_line[] = "COMPRA PETR4 28\n";
    const size_t first_len = sizeof(first_line) - 1;
    uint64_t random = 2;
    char text[1024];
    int signals = 0;

    (void)state;
    memcpy(text, first_line, first_len);
    for (int i = 0; i < ROUNDS; i++) {
        size_t len =
            random_sentence(&random, text + first_len, sizeof(text) - first_len, random_below(&random, 60));
        ts_str sentence = i % 2 ? (ts_str){text, first_len + len} : (ts_str){text + first_len, len};
        struct signal signal;

        check_invariants(sentence);
        assert_int_equal(signal_parse(sentence, &signal, NULL), 0);
        signals += signal.signal_type != SIGNAL_UNKNOWN;
    }
    assert_true(signals > ROUNDS / 3 && signals < ROUNDS); /* both kinds were tried */
}

/* Cutting a message anywhere, also inside a character, is safe. */
static void test_parser_when_cut_anywhere_then_invariants_hold(void **state)
{
    static const char text[] =
        "🟢 Day Trade\r\n**Ação:** VALE3 — Preço de entrada: R$ 60,10 até 60,50\r\n"
        "Alvos: 61,00 / 62,00 e 63,00; Alvo final – 65\r\nStop-Loss → 59,00 ⚡️ cancelada";

    (void)state;
    for (size_t from = 0; from < sizeof(text); from++) {
        for (size_t to = from; to < sizeof(text); to++)
            check_invariants((ts_str){text + from, to - from});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parser_when_random_bytes_then_invariants_hold),
        cmocka_unit_test(test_parser_when_random_sentence_then_invariants_hold),
        cmocka_unit_test(test_parser_when_cut_anywhere_then_invariants_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
