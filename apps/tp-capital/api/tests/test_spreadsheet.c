/* Cells and lines of the spreadsheet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"
#include "spreadsheet.h"

static struct ts_buf buf;

static int set_up(void **state)
{
    (void)state;
    buf = (struct ts_buf)TS_BUF_INIT(64 * 1024);
    return ts_zone_set(TS_STR("America/Sao_Paulo"));
}

static int tear_down(void **state)
{
    (void)state;
    ts_buf_done(&buf);
    return 0;
}

static const char *text_of(ts_str text)
{
    ts_buf_clear(&buf);
    spreadsheet_put_text(&buf, text);
    ts_buf_char(&buf, '\0');
    return buf.data;
}

static const char *price_of(int64_t price_e6)
{
    ts_buf_clear(&buf);
    spreadsheet_put_price(&buf, price_e6);
    ts_buf_char(&buf, '\0');
    return buf.data;
}

static void test_text_when_it_has_marks_of_the_format_then_it_is_quoted(void **state)
{
    (void)state;
    assert_string_equal(text_of(TS_STR("simples")), "simples");
    assert_string_equal(text_of(TS_STR("a;b")), "\"a;b\"");
    assert_string_equal(text_of(TS_STR("diz \"já\"")), "\"diz \"\"já\"\"\"");
    assert_string_equal(text_of(TS_STR("duas\nlinhas")), "\"duas\nlinhas\"");
    assert_string_equal(text_of(TS_STR("a\rb")), "\"a\rb\"");
    assert_string_equal(text_of(TS_STR("")), "");
    assert_string_equal(text_of(TS_STR_NONE), "");
}

static void test_text_when_it_would_run_as_a_formula_then_an_apostrophe_stands_before_it(void **state)
{
    (void)state;
    assert_string_equal(text_of(TS_STR("=HYPERLINK(\"http://x\")")), "\"'=HYPERLINK(\"\"http://x\"\")\"");
    assert_string_equal(text_of(TS_STR("+55 11")), "'+55 11");
    assert_string_equal(text_of(TS_STR("-1")), "'-1");
    assert_string_equal(text_of(TS_STR("@SUM(A1)")), "'@SUM(A1)");
    assert_string_equal(text_of(TS_STR("\t=1")), "'\t=1");
    assert_string_equal(text_of(TS_STR("\r=1")), "\"'\r=1\"");
    assert_string_equal(text_of(TS_STR("1+1")), "1+1");
}

static void test_price_when_written_then_every_digit_is_there_and_two_at_least(void **state)
{
    (void)state;
    assert_string_equal(price_of(31400000), "31,40");
    assert_string_equal(price_of(INT64_C(1234567125000)), "1234567,125");
    assert_string_equal(price_of(5000000), "5,00");
    assert_string_equal(price_of(1), "0,000001");
    assert_string_equal(price_of(100000), "0,10");
    assert_string_equal(price_of(INT64_C(999999999999999999)),
                        "999999999999,999999"); /* no double has that */
    assert_string_equal(price_of(0), "");
}

static struct store_signal a_row(void)
{
    int64_t ts_us;
    assert_int_equal(ts_time_parse_rfc3339(TS_STR("2026-11-23T13:00:00Z"), &ts_us), 0);
    return (struct store_signal){.ts_us = ts_us,
                                 .ingested_at_us = ts_us + 1500 * TS_US_PER_MS,
                                 .channel = TS_STR("Sala de Swing"),
                                 .asset = TS_STR("ITUB4"),
                                 .signal_type = TS_STR("BUY"),
                                 .trade_type = TS_STR("Swing Trade"),
                                 .raw_message = TS_STR("COMPRA ITUB4\nEntrada: R$ 31,40"),
                                 .buy_min_e6 = 31400000,
                                 .buy_max_e6 = 31400000,
                                 .target_1_e6 = 32100000,
                                 .target_2_e6 = 33000000,
                                 .target_final_e6 = 33000000,
                                 .stop_e6 = 30550000,
                                 .complete = true};
}

static void test_row_when_written_in_portuguese_then_it_is_a_line_with_the_clock_of_the_zone(void **state)
{
    const struct store_signal row = a_row();
    (void)state;
    spreadsheet_put_head(&buf, SPREADSHEET_PT_BR);
    spreadsheet_put_row(&buf, SPREADSHEET_PT_BR, &row);
    ts_buf_char(&buf, '\0');
    assert_string_equal(
        buf.data,
        "\xEF\xBB\xBF"
        "DATA;CANAL;TIPO;ATIVO;PRAZO;COMPRA MIN;COMPRA MAX;ALVO 1;ALVO 2;ALVO FINAL;STOP;Completo;Recebida;"
        "Mensagem original\r\n"
        "23/11/2026 10:00:00;Sala de Swing;COMPRA;ITUB4;Swing Trade;31,40;31,40;32,10;33,00;33,00;30,55;sim;"
        "23/11/2026 10:00:01;\"COMPRA ITUB4\nEntrada: R$ 31,40\"\r\n");
}

static void test_row_when_written_in_english_then_words_and_dates_are_english(void **state)
{
    struct store_signal row = a_row();
    (void)state;
    row = (struct store_signal){.ts_us = row.ts_us,
                                .ingested_at_us = row.ts_us,
                                .channel = TS_STR("=x"),
                                .signal_type = TS_STR("UNKNOWN"),
                                .raw_message = TS_STR("hi")};
    spreadsheet_put_head(&buf, SPREADSHEET_EN);
    spreadsheet_put_row(&buf, SPREADSHEET_EN, &row);
    row.signal_type = TS_STR("SELL");
    spreadsheet_put_row(&buf, SPREADSHEET_EN, &row);
    ts_buf_char(&buf, '\0');
    assert_string_equal(buf.data,
                        "\xEF\xBB\xBF"
                        "DATE;CHANNEL;SIDE;ASSET;HORIZON;ENTRY MIN;ENTRY MAX;TARGET 1;TARGET 2;FINAL TARGET;"
                        "STOP;Complete;Received;Original message\r\n"
                        "11/23/2026 10:00:00;'=x;MESSAGE;;;;;;;;;no;11/23/2026 10:00:00;hi\r\n"
                        "11/23/2026 10:00:00;'=x;SELL;;;;;;;;;no;11/23/2026 10:00:00;hi\r\n");
}

#define UNIT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_text_when_it_has_marks_of_the_format_then_it_is_quoted),
        UNIT(test_text_when_it_would_run_as_a_formula_then_an_apostrophe_stands_before_it),
        UNIT(test_price_when_written_then_every_digit_is_there_and_two_at_least),
        UNIT(test_row_when_written_in_portuguese_then_it_is_a_line_with_the_clock_of_the_zone),
        UNIT(test_row_when_written_in_english_then_words_and_dates_are_english),
    };
    return cmocka_run_group_tests_name("spreadsheet", tests, NULL, NULL);
}
