/* Which members differ between two readings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "signal_diff.h"

static struct signal read_text(const char *text)
{
    struct signal signal;
    assert_int_equal(signal_parse(ts_str_from(text), &signal, NULL), 0);
    return signal;
}

static unsigned diff(const char *a, const char *b)
{
    const struct signal one = read_text(a), two = read_text(b);
    assert_int_equal(signal_diff(&one, &two), signal_diff(&two, &one));
    return signal_diff(&one, &two);
}

#define BIT(member) (1U << SIGNAL_MEMBER_##member)
#define TEXT        "COMPRA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35"

static void test_diff_when_the_readings_are_equal_then_nothing(void **state)
{
    (void)state;
    assert_int_equal(diff(TEXT, TEXT), 0);
    assert_int_equal(diff(TEXT, "bom dia! " TEXT), 0);
    assert_int_equal(diff("bom dia", "boa noite"), 0);
}

static void test_diff_when_one_thing_changed_then_its_member_alone(void **state)
{
    static const struct {
        const char *text;
        unsigned bits;
    } cases[] = {
        {"COMPRA VALE3 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(ASSET)},
        {"VENDA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(SIGNAL_TYPE)},
        {"Day Trade COMPRA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(TRADE_TYPE)},
        {"COMPRA PETR4 29,5 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(BUY_MIN)},
        {"COMPRA PETR4 30 a 31,5 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(BUY_MAX)},
        {"COMPRA PETR4 30 a 31 stop 28 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(STOP_LOSS)},
        {"COMPRA PETR4 30 a 31 alvo 1: 32 alvo 2: 33 alvo final: 35", BIT(STOP_LOSS)},
        {"COMPRA PETR4 30 a 31 stop 29 alvo 1: 32,1 alvo 2: 33 alvo final: 35",
         BIT(TARGET_1) | BIT(TAKE_PROFIT)},
        {"COMPRA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 34 alvo final: 35",
         BIT(TARGET_2) | BIT(TAKE_PROFIT)},
        {"COMPRA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 36",
         BIT(TARGET_FINAL) | BIT(TAKE_PROFIT)},
        {"COMPRA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo 3: 34 alvo final: 35", BIT(TAKE_PROFIT)},
        {"COMPRA PETR4 stop 29", BIT(BUY_MIN) | BIT(BUY_MAX) | BIT(TAKE_PROFIT) | BIT(TARGET_1) |
                                     BIT(TARGET_2) | BIT(TARGET_FINAL) | BIT(COMPLETE)},
        {"bom dia", (1U << SIGNAL_MEMBERS) - 1},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++)
        if (diff(TEXT, cases[i].text) != cases[i].bits)
            fail_msg("%s: %x instead of %x", cases[i].text, diff(TEXT, cases[i].text), cases[i].bits);
}

static void test_diff_when_a_flag_is_false_then_its_value_does_not_count(void **state)
{
    struct signal a = read_text("COMPRA PETR4 30"), b = a;
    (void)state;
    b.stop_loss_e6 = 5;
    b.target_1_e6 = 7;
    b.take_profit_e6[0] = 9;
    assert_int_equal(signal_diff(&a, &b), 0);
}

static void test_members_when_named_then_each_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < SIGNAL_MEMBERS; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(signal_member_name((enum signal_member)i),
                                    signal_member_name((enum signal_member)j));
    assert_string_equal(signal_member_name(SIGNAL_MEMBER_STOP_LOSS), "stop_loss");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff_when_the_readings_are_equal_then_nothing),
        cmocka_unit_test(test_diff_when_one_thing_changed_then_its_member_alone),
        cmocka_unit_test(test_diff_when_a_flag_is_false_then_its_value_does_not_count),
        cmocka_unit_test(test_members_when_named_then_each_has_its_own_name),
    };
    return cmocka_run_group_tests_name("signal_diff", tests, NULL, NULL);
}
