/* Rows that move in, without a database: how files are read, and what their texts become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "transfer_read.h"

#define NOW_US INT64_C(1762174800000000) /* 2025-11-03T13:00:00Z */

/* Every record as one line of text: "line:problem" or "line:cell|cell|…", null as ~. */
struct seen {
    const struct transfer_layout *layout;
    char text[4096];
    size_t len;
};

static void add(struct seen *seen, ts_str text)
{
    seen->len +=
        (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, "%.*s", TS_STR_ARG(text));
}

static int on_record(const struct transfer_record *record, void *ctx)
{
    struct seen *seen = ctx;
    char line[32];
    snprintf(line, sizeof(line), "%lld:", (long long)record->line);
    add(seen, ts_str_from(line));
    if (record->problem)
        add(seen, ts_str_from(record->problem));
    for (size_t i = 0; i < seen->layout->n && !record->problem; i++) {
        if (seen->layout->columns[i].use == TRANSFER_IMPORT_ONLY)
            continue;
        bool none = ts_str_is_none(record->cells[i]);
        if (!none || i < 3) { /* the first columns always, the others when they are there */
            add(seen, none ? TS_STR("~") : record->cells[i]);
            add(seen, TS_STR("|"));
        }
    }
    add(seen, TS_STR("\n"));
    return 0;
}

static int read_bytes(const char *bytes, size_t len, struct seen *seen)
{
    FILE *in = fmemopen((void *)bytes, len, "r");
    assert_non_null(in);
    *seen = (struct seen){.layout = transfer_find_layout("channels")};
    int r = transfer_read(in, seen->layout, on_record, seen);
    fclose(in);
    return r;
}

static void expect_records(const char *file, const char *wanted)
{
    struct seen seen;
    assert_int_equal(read_bytes(file, strlen(file), &seen), 0);
    if (strcmp(seen.text, wanted) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", file, seen.text, wanted);
}

static void test_csv_when_read_then_rfc_4180_and_each_record_knows_its_line(void **state)
{
    (void)state;
    expect_records("id,label,channel_id\na,b,1\nc,d,2", "2:a|b|1|\n3:c|d|2|\n");
    expect_records("id,label,channel_id\r\na,\"b\r\n,\"\"c\"\"\",1\r\nc,d,2\r\n",
                   "2:a|b\r\n,\"c\"|1|\n4:c|d|2|\n");
    expect_records("\xEF\xBB\xBFlabel , id,x\n one ,,3\n",
                   "2:~| one |~|\n"); /* spaces are of the field, not of the name */
    expect_records("id,label,channel_id\n\"\",,5\n", "2:|~|5|\n"); /* an empty text, and null */
    expect_records("id,id,label\na,b,c\n", "2:a|c|~|\n");
    expect_records("id,label\n", "");
    expect_records("id,label\n\n\na,b\n", "4:a|b|~|\n");
}

static void test_csv_when_a_line_is_no_record_then_the_next_one_is_read(void **state)
{
    (void)state;
    expect_records("id,label\na\nb,c,d\ne,f\n", "2:another number of fields than the header\n"
                                                "3:another number of fields than the header\n4:e|f|~|\n");
    expect_records("id,label\na,b\"c\nd,e\n", "2:broken quotes\n3:d|e|~|\n");
    expect_records("id,label\na,\"b\"c\nd,e\n", "2:broken quotes\n3:d|e|~|\n");
    expect_records("id,label\na,\"b\nc,d\n", "2:broken quotes\n");
}

static void test_csv_when_a_record_is_too_long_then_it_is_refused_and_the_next_one_is_read(void **state)
{
    size_t size = 3 * TRANSFER_MAX_BYTES;
    char *file = malloc(size);
    struct seen seen;
    (void)state;
    memset(file, 'x', size);
    memcpy(file, "id,label\n", 9);
    memcpy(file + size - 6, "\na,b,\n", 6);
    file[size - 2] = '\n';
    assert_int_equal(read_bytes(file, size - 1, &seen), 0);
    assert_string_equal(seen.text, "2:too long\n3:a|b|~|\n");
    file[0] = '{'; /* the same as JSON */
    assert_int_equal(read_bytes(file, size - 1, &seen), 0);
    assert_string_equal(seen.text, "1:invalid JSON\n2:too long\n3:invalid JSON\n");
    free(file);
}

static void test_csv_when_the_header_is_not_of_this_table_then_nothing_is_read(void **state)
{
    struct seen seen;
    (void)state;
    assert_int_equal(read_bytes("a,b\n1,2\n", 8, &seen), TS_E_MISSING);
    assert_int_equal(read_bytes("\"a\n1,2\n", 7, &seen), TS_E_MISSING);
    assert_string_equal(seen.text, "");
}

static void test_json_when_read_then_values_become_the_same_texts(void **state)
{
    (void)state;
    expect_records("\n{\"id\":\"a\",\"label\":\"b\",\"channel_id\":-5,\"more\":[{}]}\n\n{\"label\":null}\r\n",
                   "2:a|b|-5|\n4:~|~|~|\n");
    expect_records("{\"id\":\"a\"}\nnot\n[1]\n{\"id\":\"b\",\"id\":\"c\"}\n{\"id\":\"d\"}",
                   "1:a|~|~|\n2:invalid JSON\n3:invalid JSON\n4:invalid JSON\n5:d|~|~|\n");
    expect_records("", "");
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static struct ts_arena *arena;
static struct ts_db_value row[TRANSFER_MAX_COLUMNS];

static int make_arena(void **state)
{
    (void)state;
    arena = ts_arena_new(256 * 1024);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena = ts_arena_free(arena);
    return 0;
}

struct one {
    const struct transfer_layout *layout;
    const char *bad;
};

static int on_one(const struct transfer_record *record, void *ctx)
{
    struct one *one = ctx;
    assert_null(record->problem);
    one->bad = transfer_read_row(one->layout, record, NOW_US, arena, row);
    return 0;
}

/* The column at fault, or NULL; the values are in `row`. */
static const char *read_row(const char *table, const char *json)
{
    struct one one = {.layout = transfer_find_layout(table)};
    FILE *in = fmemopen((void *)json, strlen(json), "r");
    assert_int_equal(transfer_read(in, one.layout, on_one, &one), 0);
    fclose(in);
    return one.bad;
}

static void expect_bad(const char *table, const char *json, const char *column)
{
    const char *bad = read_row(table, json);
    if (!bad || strcmp(bad, column) != 0)
        fail_msg("%s: %s instead of %s", json, bad ? bad : "accepted", column);
}

static void test_time_when_written_in_any_of_the_ways_then_it_is_the_same_moment(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1762174800123", NOW_US + 123000},
        {"2025-11-03T13:00:00Z", NOW_US},
        {"2025-11-03 13:00:00", NOW_US},
        {"2025-11-03 13:00:00.123456", NOW_US + 123456},
        {"2025-11-03 13:00:00.5+00", NOW_US + 500000},
        {"2025-11-03 10:00:00-03", NOW_US},
        {"2025-11-03 09:30:00-03:30", NOW_US},
        {"2025-11-03T13:00:00.000001+00:00", NOW_US + 1},
        {"-1", -1000},
    };
    static const char *const bad[] = {
        "",    "x",     "2025-11-03",          "2025-02-30 00:00:00",   "2025-11-03 13:00",
        "1e9", "now()", "9999999999999999999", "2025-11-03 13:00:00+0", "infinity"};
    char json[256];
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        snprintf(json, sizeof(json), "{\"ts\":\"%s\",\"raw_message\":\"\"}", cases[i].text);
        const char *column = read_row("signals", json);
        if (column || row[SIGNAL_TS].i64 != cases[i].us)
            fail_msg("%s: %s %lld", cases[i].text, column ? column : "", (long long)row[SIGNAL_TS].i64);
    }
    for (size_t i = 0; i < TS_ARRAY_LEN(bad); i++) {
        snprintf(json, sizeof(json), "{\"ts\":\"%s\",\"raw_message\":\"\"}", bad[i]);
        expect_bad("signals", json, "ts");
    }
    assert_null(read_row("signals", "{\"ts\":1762174800123,\"raw_message\":\"\"}"));
    assert_true(row[SIGNAL_TS].i64 == NOW_US + 123000);
}

static void expect_types(const char *fields, const char *type, const char *trade_type, bool complete)
{
    char json[512];
    snprintf(json, sizeof(json), "{\"ts\":1,\"raw_message\":\"\",\"asset\":\"PETR4\",%s}", fields);
    const char *bad = read_row("signals", json);
    if (bad)
        fail_msg("%s: %s", fields, bad);
    assert_true(ts_str_eq(row[SIGNAL_TYPE].str, ts_str_from(type)));
    assert_true(trade_type ? ts_str_eq(row[SIGNAL_TRADE_TYPE].str, ts_str_from(trade_type))
                           : row[SIGNAL_TRADE_TYPE].type == TS_DB_NULL);
    assert_int_equal(row[SIGNAL_COMPLETE].i64, complete);
}

static void test_signal_type_when_it_is_a_trade_type_of_old_then_it_moves(void **state)
{
    (void)state;
    expect_types("\"signal_type\":\"Swing Trade\",\"buy_min\":1", "BUY", "Swing Trade", true);
    expect_types("\"signal_type\":\"Swing Trade\"", "UNKNOWN", "Swing Trade", false);
    expect_types("\"signal_type\":\"Swing Trade\",\"trade_type\":\"Day Trade\",\"buy_min\":1", "BUY",
                 "Day Trade", true);
    expect_types("\"signal_type\":\"sell\",\"buy_min\":1", "SELL", NULL, true);
    expect_types("\"signal_type\":\"UNKNOWN\",\"buy_min\":1", "UNKNOWN", NULL, false);
    expect_types("\"buy_min\":1", "BUY", NULL, true);
    expect_types("\"signal_type\":\"BUY\",\"target_1\":2", "BUY", NULL, false);
    expect_types("\"signal_type\":\"BUY\",\"target_1\":2,\"stop_loss\":1", "BUY", NULL, true);
    expect_types("\"signal_type\":\"BUY\",\"take_profit\":[1],\"stop\":1", "BUY", NULL, true);
    expect_types("\"signal_type\":\"BUY\",\"buy_min\":1,\"complete\":false", "BUY", NULL, false);
}

static void test_prices_when_read_then_exact_and_an_entry_has_both_ends(void **state)
{
    (void)state;
    assert_null(read_row(
        "signals", "{\"ts\":1,\"raw_message\":\"\",\"asset\":\"A\",\"signal_type\":\"BUY\",\"price\":31.4,"
                   "\"target_1\":\"999999999999.999999\",\"take_profit\":\"{1.100000,2}\"}"));
    assert_true(row[SIGNAL_BUY_MIN].i64 == 31400000 && row[SIGNAL_BUY_MAX].i64 == 31400000);
    assert_true(row[SIGNAL_PRICE].i64 == 31400000);
    assert_true(row[SIGNAL_TARGET_1].i64 == INT64_C(999999999999999999));
    assert_true(ts_str_eq(row[SIGNAL_TAKE_PROFIT].str, TS_STR("{1.1,2}")));
    assert_null(read_row("signals", "{\"ts\":1,\"raw_message\":\"\",\"take_profit\":\"{}\"}"));
    assert_int_equal(row[SIGNAL_TAKE_PROFIT].type, TS_DB_NULL);
}

static void test_row_when_a_value_breaks_a_rule_then_its_column_is_named(void **state)
{
    static const struct {
        const char *table, *json, *column;
    } cases[] = {
        {"signals", "{\"raw_message\":\"\"}", "ts"},
        {"signals", "{\"ts\":1}", "raw_message"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"channel_id\":0}", "channel_id"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"channel_id\":{}}", "channel_id"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"message_id\":0}", "message_id"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"message_id\":\"9223372036854775808\"}", "message_id"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"revision\":-1}", "revision"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"stop\":0}", "stop"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"stop\":-1}", "stop"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"stop\":1e300}", "stop"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"take_profit\":[1,0]}", "take_profit"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"take_profit\":[[1]]}", "take_profit"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"complete\":\"maybe\"}", "complete"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"signal_type\":\"BUY\"}", "asset"},
        {"signals", "{\"ts\":1,\"raw_message\":\"\",\"buy_min\":2,\"buy_max\":1,\"asset\":\"A\"}", "buy_max"},
        {"forwarded_messages", "{\"ts\":1,\"source_channel_id\":1,\"message_id\":1}",
         "destination_channel_id"},
        {"forwarded_messages",
         "{\"ts\":1,\"source_channel_id\":1,\"message_id\":1,\"destination_channel_id\":2,\"forward_method\":"
         "\"x\"}",
         "forward_method"},
        {"forwarded_messages",
         "{\"ts\":1,\"source_channel_id\":1,\"message_id\":1,\"destination_channel_id\":2,\"image_width\":-"
         "1}",
         "image_width"},
        {"channels", "{\"channel_id\":1}", "label"},
        {"channels", "{\"label\":\" \",\"channel_id\":1}", "label"},
        {"channels", "{\"label\":\"x\",\"channel_id\":0}", "channel_id"},
        {"channels", "{\"label\":\"x\",\"channel_id\":1,\"channel_type\":\"x\"}", "channel_type"},
        {"channels", "{\"label\":\"x\",\"channel_id\":1,\"signal_count\":2147483648}", "signal_count"},
        {"channels", "{\"id\":\"\",\"label\":\"x\",\"channel_id\":1}", "id"},
        {"bots", "{\"username\":\"x\"}", "token_fingerprint"},
        {"bots", "{\"username\":\"x\",\"token_fingerprint\":\"0123456789aG\"}", "token_fingerprint"},
        {"bots", "{\"username\":\"x\",\"token\":\"x\"}", "token"},
        {"bots", "{\"username\":\"@\",\"token_fingerprint\":\"0123456789ab\"}", "username"},
        {"bots", "{\"username\":\"x\",\"token_fingerprint\":\"0123456789ab\",\"status\":\"x\"}", "status"},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++)
        expect_bad(cases[i].table, cases[i].json, cases[i].column);
}

static void test_id_when_a_row_has_none_then_it_gets_the_same_each_time(void **state)
{
    char first[64];
    (void)state;
    assert_null(read_row("channels", "{\"label\":\"x\",\"channel_id\":1}"));
    snprintf(first, sizeof(first), "%.*s", TS_STR_ARG(row[0].str));
    assert_int_equal(strlen(first), strlen("channel-") + 32);
    assert_null(read_row("channels", "{\"label\":\"other\",\"channel_id\":1}"));
    assert_true(ts_str_eq(row[0].str, ts_str_from(first)));
    assert_null(read_row("channels", "{\"label\":\"x\",\"channel_id\":1,\"channel_type\":\"destination\"}"));
    assert_false(ts_str_eq(row[0].str, ts_str_from(first)));
}

static void test_bot_when_read_then_what_is_stored_has_no_token(void **state)
{
    char json[256], secret[64];
    struct ts_db_value params[TRANSFER_MAX_COLUMNS];
    (void)state;
    snprintf(secret, sizeof(secret), "%d:%s", 123456, "abcdefghijklmnopqrstuvwxyzABCD");
    snprintf(json, sizeof(json), "{\"username\":\"@x\",\"token\":\"%s\"}", secret);
    assert_null(read_row("bots", json));
    size_t n = transfer_params(transfer_find_layout("bots"), row, params);
    assert_int_equal(n, 8);
    for (size_t i = 0; i < n; i++)
        assert_false(params[i].type == TS_DB_TEXT && ts_str_eq(params[i].str, ts_str_from(secret)));
    assert_int_equal(params[2].str.len, 12);
    assert_true(ts_str_eq(params[1].str, TS_STR("x")));
}

static void test_time_when_written_then_its_microseconds_are_kept(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {{NOW_US, "2025-11-03T13:00:00.000Z"},
                 {NOW_US + 123456, "2025-11-03T13:00:00.123456Z"},
                 {NOW_US + 7, "2025-11-03T13:00:00.000007Z"},
                 {-1, "1969-12-31T23:59:59.999999Z"}};
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        struct ts_buf buf = TS_BUF_INIT(64);
        transfer_put_time(&buf, cases[i].us);
        assert_true(ts_str_eq(ts_buf_view(&buf), ts_str_from(cases[i].text)));
        ts_buf_done(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_when_read_then_rfc_4180_and_each_record_knows_its_line),
        cmocka_unit_test(test_csv_when_a_line_is_no_record_then_the_next_one_is_read),
        cmocka_unit_test(test_csv_when_a_record_is_too_long_then_it_is_refused_and_the_next_one_is_read),
        cmocka_unit_test(test_csv_when_the_header_is_not_of_this_table_then_nothing_is_read),
        cmocka_unit_test(test_json_when_read_then_values_become_the_same_texts),
        cmocka_unit_test(test_time_when_written_in_any_of_the_ways_then_it_is_the_same_moment),
        cmocka_unit_test(test_signal_type_when_it_is_a_trade_type_of_old_then_it_moves),
        cmocka_unit_test(test_prices_when_read_then_exact_and_an_entry_has_both_ends),
        cmocka_unit_test(test_row_when_a_value_breaks_a_rule_then_its_column_is_named),
        cmocka_unit_test(test_id_when_a_row_has_none_then_it_gets_the_same_each_time),
        cmocka_unit_test(test_bot_when_read_then_what_is_stored_has_no_token),
        cmocka_unit_test(test_time_when_written_then_its_microseconds_are_kept),
    };
    return cmocka_run_group_tests_name("transfer", tests, make_arena, free_arena);
}
