/* Adding up groups, and the days of a range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/zone.h"
#include "counts.h"
#include "store_internal.h"

#define DAY(n) ((n)*TS_US_PER_DAY)

static const int64_t days[] = {DAY(0), DAY(1), DAY(2), DAY(3)};

static struct ts_arena *arena;
static struct counts *counts;
static struct ts_buf body;

static int set_up(void **state)
{
    (void)state;
    arena = ts_arena_new(16 * 1024 * 1024);
    counts = arena ? counts_new(arena, days, TS_ARRAY_LEN(days) - 1) : NULL;
    body = (struct ts_buf)TS_BUF_INIT(1024 * 1024);
    return counts && ts_zone_set(TS_STR("UTC")) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    ts_buf_done(&body);
    arena = ts_arena_free(arena);
    return 0;
}

/* A row as SQLite gives it. */
static int add_row(const char *channel, int64_t channel_id, const char *asset, int side, int64_t ts_us)
{
    return counts_add(&(struct store_count){.of_channel = true,
                                            .of_asset = true,
                                            .of_day = true,
                                            .has_channel_id = channel_id != 0,
                                            .channel_id = channel_id,
                                            .channel = ts_str_from(channel),
                                            .asset = asset ? ts_str_from(asset) : TS_STR_NONE,
                                            .messages = 1,
                                            .buy = side > 0,
                                            .sell = side<0, .complete = side> 0,
                                            .last_us = ts_us},
                      counts);
}

static const char *written(void)
{
    ts_buf_clear(&body);
    struct ts_jsonw w = ts_jsonw_begin(&body);
    ts_jsonw_object(&w);
    counts_write(counts, &w);
    ts_jsonw_end(&w);
    ts_buf_char(&body, '\0');
    assert_int_equal(ts_buf_error(&body), 0);
    return body.data;
}

static void assert_has(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("%s\nis not in %s", wanted, text);
}

static void test_counts_when_rows_come_one_by_one_then_each_adds_to_channel_asset_and_day(void **state)
{
    (void)state;
    assert_int_equal(add_row("Sala", -1001, "PETR4", 1, DAY(0)), 0);
    assert_int_equal(add_row("Sala", -1001, "VALE3", -1, DAY(2) - 1), 0);
    assert_int_equal(add_row("Sala", -1001, NULL, 0, DAY(2)), 0);
    const char *text = written();
    assert_has(text, "\"total\":{\"messages\":3,\"signals\":2,\"buy\":1,\"sell\":1,\"complete\":1}");
    assert_has(text,
               "\"channels\":[{\"channel\":\"Sala\",\"channel_id\":\"-1001\",\"messages\":3,\"signals\":2,"
               "\"buy\":1,\"sell\":1,\"complete\":1,\"last_ts\":\"1970-01-03T00:00:00.000Z\"}]");
    assert_has(text, "\"assets\":[{\"asset\":\"PETR4\",\"messages\":1,\"signals\":1,");
    assert_has(text,
               "\"days\":[{\"day\":\"1970-01-01\",\"messages\":1,\"signals\":1,\"buy\":1,\"sell\":0,"
               "\"complete\":1},{\"day\":\"1970-01-02\",\"messages\":1,\"signals\":1,\"buy\":0,\"sell\":1,"
               "\"complete\":0},{\"day\":\"1970-01-03\",\"messages\":1,\"signals\":0,");
    assert_has(text, "\"truncated\":false");
}

/* As PostgreSQL gives them. */
static void test_counts_when_groups_come_then_each_adds_to_what_it_is_of(void **state)
{
    const struct store_count groups[] = {
        {.of_channel = true,
         .channel = TS_STR("Sala"),
         .has_channel_id = true,
         .channel_id = -1,
         .messages = 5,
         .buy = 2,
         .sell = 1,
         .complete = 2,
         .last_us = DAY(1)},
        {.of_asset = true, .asset = TS_STR("PETR4"), .messages = 3, .buy = 2, .sell = 1, .last_us = DAY(1)},
        {.of_asset = true, .asset = TS_STR_NONE, .messages = 2, .last_us = DAY(1)},
        {.of_day = true, .messages = 5, .buy = 2, .sell = 1, .complete = 2, .last_us = DAY(1) + 5},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(groups); i++)
        assert_int_equal(counts_add(&groups[i], counts), 0);
    const char *text = written();
    assert_has(text, "\"total\":{\"messages\":5,\"signals\":3,\"buy\":2,\"sell\":1,\"complete\":2}");
    assert_has(text, "\"assets\":[{\"asset\":\"PETR4\",\"messages\":3,");
    assert_has(text, "{\"day\":\"1970-01-01\",\"messages\":0,");
    assert_has(text, "{\"day\":\"1970-01-02\",\"messages\":5,");
}

static void test_counts_when_written_then_most_signals_come_first_and_equal_ones_by_name(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++)
        assert_int_equal(add_row("B", -3, "CCCC3", 1, DAY(0)), 0);
    assert_int_equal(add_row("B", -2, "BBBB3", 1, DAY(0)), 0);
    assert_int_equal(add_row("A", -1, "AAAA3", 1, DAY(0)), 0);
    assert_int_equal(add_row("A", 0, "DDDD3", 0, DAY(0)), 0);
    const char *text = written(), *at = text;
    static const char *const order[] = {"\"channel_id\":\"-3\"",
                                        "\"channel_id\":\"-1\"",
                                        "\"channel_id\":\"-2\"",
                                        "\"channel_id\":null",
                                        "CCCC3",
                                        "AAAA3",
                                        "BBBB3",
                                        "DDDD3"};
    for (size_t i = 0; i < TS_ARRAY_LEN(order); i++) {
        at = strstr(at, order[i]);
        if (!at)
            fail_msg("%s is not where it belongs: %s", order[i], text);
    }
}

static void test_counts_when_one_channel_had_two_names_then_it_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(add_row("Antes", -1, NULL, 0, DAY(0)), 0);
    assert_int_equal(add_row("Depois", -1, NULL, 0, DAY(0)), 0);
    assert_has(written(), "\"channel\":\"Antes\"");
    assert_has(body.data, "\"channel\":\"Depois\"");
}

static void test_counts_when_there_are_more_than_100_then_the_rest_is_left_out_and_said(void **state)
{
    char asset[16];
    (void)state;
    for (int n = 0; n < 101; n++) {
        snprintf(asset, sizeof(asset), "A%03d3", n);
        for (int times = n == 100 ? 2 : 1; times > 0; times--)
            assert_int_equal(add_row("Sala", -1, asset, 1, DAY(0)), 0);
    }
    assert_has(written(), "\"assets\":[{\"asset\":\"A1003\",\"messages\":2");
    assert_has(body.data, "\"A0983\"");
    assert_null(strstr(body.data, "\"A0993\""));
    assert_has(body.data, "\"total\":{\"messages\":102,");
    assert_has(body.data, "\"truncated\":true");
}

static void test_counts_when_there_are_too_many_kinds_then_limit(void **state)
{
    char channel[16];
    (void)state;
    for (int n = 0; n < COUNTS_MAX_KINDS; n++) {
        snprintf(channel, sizeof(channel), "%05d", (n * 7919) % COUNTS_MAX_KINDS);
        assert_int_equal(add_row(channel, -1, NULL, 0, DAY(0)), 0);
    }
    assert_int_equal(add_row("another", -1, NULL, 0, DAY(0)), TS_E_LIMIT);
}

static void test_days_when_a_range_touches_them_then_they_have_no_gap(void **state)
{
    int64_t found[COUNTS_MAX_DAYS + 1];
    (void)state;
    assert_int_equal(counts_days(DAY(4) + 5, DAY(6), found), 3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(found[i], DAY(4 + i));
    assert_int_equal(counts_days(DAY(4), DAY(5) - 1, found), 1);
    assert_int_equal(counts_days(DAY(4) + 1, DAY(4), found), 0);
}

static void test_days_when_they_are_more_than_the_limit_then_range(void **state)
{
    int64_t found[COUNTS_MAX_DAYS + 1];
    (void)state;
    assert_int_equal(counts_days(DAY(1) - 1, DAY(COUNTS_MAX_DAYS) - 1, found), COUNTS_MAX_DAYS);
    assert_int_equal(counts_days(DAY(1) - 1, DAY(COUNTS_MAX_DAYS), found), TS_E_RANGE);
    assert_int_equal(counts_days(STORE_TIME_MIN_US, STORE_TIME_MAX_US, found), TS_E_RANGE);
}

#define UNIT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_counts_when_rows_come_one_by_one_then_each_adds_to_channel_asset_and_day),
        UNIT(test_counts_when_groups_come_then_each_adds_to_what_it_is_of),
        UNIT(test_counts_when_written_then_most_signals_come_first_and_equal_ones_by_name),
        UNIT(test_counts_when_one_channel_had_two_names_then_it_is_told_apart),
        UNIT(test_counts_when_there_are_more_than_100_then_the_rest_is_left_out_and_said),
        UNIT(test_counts_when_there_are_too_many_kinds_then_limit),
        UNIT(test_days_when_a_range_touches_them_then_they_have_no_gap),
        UNIT(test_days_when_they_are_more_than_the_limit_then_range),
    };
    return cmocka_run_group_tests_name("counts", tests, NULL, NULL);
}
