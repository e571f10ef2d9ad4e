#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "price.h"

/* `text` up to `read` bytes is the price; value 0: it is none. */
struct row {
    const char *text;
    int64_t value_e6;
    size_t read;
};

static void check(const struct row *rows, size_t n, enum price_dates dates)
{
    for (size_t i = 0; i < n; i++) {
        char text[64];
        struct price price = {.value_e6 = -1};
        bool found;

        snprintf(text, sizeof(text), "%s\n", rows[i].text);
        found = price_read(text, dates, &price);
        if (found != (rows[i].value_e6 != 0))
            fail_msg("\"%s\" is %sread as a price", rows[i].text, found ? "" : "not ");
        if (!found) {
            assert_int_equal(price.value_e6, -1); /* untouched */
            continue;
        }
        if (price.value_e6 != rows[i].value_e6 || (size_t)(price.end - text) != rows[i].read)
            fail_msg("\"%s\": %" PRId64 "e-6 in %td bytes", rows[i].text, price.value_e6, price.end - text);
        assert_ptr_equal(price.begin, text);
    }
}

#define CHECK(rows, dates) check(rows, TS_ARRAY_LEN(rows), dates)

static void test_price_when_marked_then_read_as_the_table_says(void **state)
{
    static const struct row rows[] = {
        {"28", 28000000, 2},
        {"012", 12000000, 3},
        {"1.250,50", 1250500000, 8},
        {"130,450.50", 130450500000, 10},
        {"1.234.567,891", 1234567891000, 13},
        {"12,85", 12850000, 5},
        {"1,125", 1125000, 5},
        {"1234,5", 1234500000, 6},
        {"130.450", 130450000000, 7},
        {"45.999", 45999000000, 6},
        {"5.450", 5450000000, 5},
        {"12.85", 12850000, 5},
        {"0.125", 125000, 5},
        {"00.125", 125000, 6},
        {"1250.500", 1250500000, 8},
        {"1.2345", 1234500, 6},
        {"1.234.567", 1234567000000, 9},
        {"1,234,567", 1234567000000, 9},
        {"1.25.3", 0, 0},
        {"1.2345.678", 0, 0},
        {"1.234.5678", 0, 0},
        {"1234.567.890", 0, 0},
        {"1.25,50", 0, 0},
        {"1.250,50,1", 0, 0},
        {"1.250,500.250", 0, 0},
        {"1,250.500,250", 0, 0},
        {"1..5", 0, 0},
        {"1.,5", 0, 0},
        {"1,.5", 0, 0},
    };

    (void)state;
    CHECK(rows, PRICE_NO_DATES);
}

static void test_price_when_marks_at_the_end_then_not_its_own(void **state)
{
    static const struct row rows[] = {
        {"28,", 28000000, 2},
        {"28.", 28000000, 2},
        {"28,50.,", 28500000, 5},
        {"28,50, 29", 28500000, 5},
        {",50", 0, 0},
        {".5", 0, 0},
        {"-28", 0, 0},
        {" 28", 0, 0},
        {"28.a", 28000000, 2},
        {"", 0, 0},
        {"x", 0, 0},
    };

    (void)state;
    CHECK(rows, PRICE_NO_DATES);
}

static void test_price_when_currency_or_points_then_part_of_it(void **state)
{
    static const struct row rows[] = {
        {"R$28", 28000000, 4},
        {"R$ 28,5 ", 28500000, 7},
        {"R$    28", 28000000, 8},
        {"R$", 0, 0},
        {"R 28", 0, 0},
        {"$28", 0, 0},
        {"R$ R$ 28", 0, 0},
        {"130450PTS", 130450000000, 9},
        {"130450PT", 130450000000, 8},
        {"130450 PTS", 130450000000, 6},
        {"28PTSX", 0, 0},
        {"28PT1", 0, 0},
        {"28P", 0, 0},
        {"28K", 0, 0},
        {"28PTS.", 28000000, 5},
    };

    (void)state;
    CHECK(rows, PRICE_NO_DATES);
}

static void test_price_when_something_else_then_none(void **state)
{
    static const struct row rows[] = {
        {"0", 0, 0},     {"0,00", 0, 0},          {"000.000", 0, 0},    {"5%", 0, 0},
        {"5   %", 0, 0}, {"10:30", 0, 0},         {"10:", 10000000, 2}, {"10: 30", 10000000, 2},
        {"2PTS%", 0, 0}, {"10 :30", 10000000, 2},
    };

    (void)state;
    CHECK(rows, PRICE_NO_DATES);
    CHECK(rows, PRICE_DATES_ALLOWED);
}

static void test_price_when_date_then_none_in_entry_and_stop(void **state)
{
    static const struct row dates[] = {
        {"28/10", 0, 0},       {"8/1", 0, 0},       {"28/10/26", 0, 0},
        {"28/10/2026", 0, 0},  {"28/10/202", 0, 0}, {"28/10.", 0, 0},
        {"28/10/2026.", 0, 0}, {"99/99", 0, 0},     {"28/10/5", 0, 0},
    };
    static const struct row prices[] = {
        {"28/100", 28000000, 2},  {"128/10", 128000000, 3}, {"28/10,5", 28000000, 2},
        {"28,5/10", 28500000, 4}, {"28 / 10", 28000000, 2}, {"R$ 28/10", 28000000, 5},
        {"28/", 28000000, 2},     {"28/A", 28000000, 2},    {"28/29/30,5", 28000000, 2},
    };
    static const struct row allowed[] = {{"28/10", 28000000, 2}, {"28/10/26", 28000000, 2}};

    (void)state;
    CHECK(dates, PRICE_NO_DATES);
    CHECK(prices, PRICE_NO_DATES);
    CHECK(allowed, PRICE_DATES_ALLOWED);
}

static void test_price_when_many_places_then_rounded_half_up(void **state)
{
    static const struct row rows[] = {
        {"1,0000004", 1000000, 9},
        {"1,0000005", 1000001, 9},
        {"1,00000049999", 1000000, 13},
        {"0,0000004", 0, 0},
        {"0,0000005", 1, 9},
        {"0,9999995", 1000000, 9},
        {"1,12345678901234567890", 1123457, 22},
    };

    (void)state;
    CHECK(rows, PRICE_NO_DATES);
}

static void test_price_when_large_then_twelve_integer_digits(void **state)
{
    static const struct row rows[] = {
        {"999999999999", INT64_C(999999999999000000), 12},
        {"999.999.999.999,999999", INT64_C(999999999999999999), 22},
        {"999999999999,9999999", INT64_C(1000000000000000000), 20},
        {"1000000000000", 0, 0},
        {"0000000000001", 0, 0},
        {"1.000.000.000.000", 0, 0},
        {"99999999999999999999999999999999999999", 0, 0},
    };

    (void)state;
    CHECK(rows, PRICE_NO_DATES);
}

static void test_price_when_digits_only_then_plain(void **state)
{
    static const struct {
        const char *text;
        bool plain;
    } rows[] = {{"100 \n", true},    {"100,\n", true},    {"1.000\n", false},
                {"100,00\n", false}, {"R$ 100\n", false}, {"100PTS\n", false}};

    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(rows); i++) {
        struct price price;
        assert_true(price_read(rows[i].text, PRICE_NO_DATES, &price));
        assert_int_equal(price.plain, rows[i].plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_price_when_marked_then_read_as_the_table_says),
        cmocka_unit_test(test_price_when_marks_at_the_end_then_not_its_own),
        cmocka_unit_test(test_price_when_currency_or_points_then_part_of_it),
        cmocka_unit_test(test_price_when_something_else_then_none),
        cmocka_unit_test(test_price_when_date_then_none_in_entry_and_stop),
        cmocka_unit_test(test_price_when_many_places_then_rounded_half_up),
        cmocka_unit_test(test_price_when_large_then_twelve_integer_digits),
        cmocka_unit_test(test_price_when_digits_only_then_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
