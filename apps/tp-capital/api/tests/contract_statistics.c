/* GET /signals/statistics over HTTP. */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct api api;

static int start(void **state)
{
    static const char *const zone[] = {"TZ=America/Sao_Paulo", NULL};
    (void)state;
    api_start(&api, zone);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

static void store(long channel, const char *name, long message, const char *text, const char *at)
{
    char body[1024];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"%ld\",\"messageId\":%ld,\"text\":\"%s\",\"timestamp\":\"%s\",\"channelName\":"
             "\"%s\"}",
             channel, message, text, at, name);
    assert_int_equal(api_ingest(&api, body), 200);
}

static long number(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return (long)json_integer_value(value);
}

static const char *string(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    assert_true(json_is_string(value));
    return json_string_value(value);
}

static void assert_counts(json_t *counts, long messages, long buy, long sell, long complete)
{
    assert_int_equal(number(counts, "messages"), messages);
    assert_int_equal(number(counts, "signals"), buy + sell);
    assert_int_equal(number(counts, "buy"), buy);
    assert_int_equal(number(counts, "sell"), sell);
    assert_int_equal(number(counts, "complete"), complete);
}

static json_t *item(json_t *answer, const char *list, size_t i)
{
    json_t *found = json_array_get(json_object_get(answer, list), i);
    assert_non_null(found);
    return found;
}

static size_t size(json_t *answer, const char *list)
{
    json_t *array = json_object_get(answer, list);
    assert_true(json_is_array(array));
    return json_array_size(array);
}

/* Three days of São Paulo, the first of them empty; around its midnights, which are 03:00 UTC. */
#define RANGE "from=2020-02-28T03:00:00Z&to=2020-03-02T02:59:59.999Z"

static void store_the_range(void)
{
    store(-1001000000001, "Sala A", 1, "COMPRA PETR4 30 stop 29", "2020-02-29T03:00:00Z");
    store(-1001000000001, "Sala A", 2, "VENDA PETR4 30 stop 31", "2020-03-01T02:59:59Z");
    store(-1001000000001, "Sala A", 3, "bom dia", "2020-03-01T03:00:00Z");
    store(-1001000000002, "Sala B", 4, "VENDA VALE3 stop 69,50", "2020-03-02T02:59:59Z");
    store(-1001000000002, "Sala B", 5, "COMPRA VALE3 60 stop 59", "2020-03-02T03:00:00Z"); /* after it */
    store(-1001000000002, "Sala B", 6, "COMPRA VALE3 60 stop 59", "2020-02-28T02:59:59Z"); /* before it */
}

static void test_statistics_when_asked_then_channels_assets_and_days_are_counted(void **state)
{
    (void)state;
    store_the_range();
    json_t *answer = api_json(&api, "/signals/statistics?" RANGE, 200);
    assert_string_equal(string(answer, "from"), "2020-02-28T03:00:00.000Z");
    assert_string_equal(string(answer, "timezone"), "America/Sao_Paulo");
    assert_counts(json_object_get(answer, "total"), 4, 1, 2, 2);
    assert_int_equal(size(answer, "channels"), 2);
    assert_string_equal(string(item(answer, "channels", 0), "channel"), "Sala A");
    assert_string_equal(string(item(answer, "channels", 0), "channel_id"), "-1001000000001");
    assert_string_equal(string(item(answer, "channels", 0), "last_ts"), "2020-03-01T03:00:00.000Z");
    assert_counts(item(answer, "channels", 0), 3, 1, 1, 2);
    assert_counts(item(answer, "channels", 1), 1, 0, 1, 0);
    assert_int_equal(size(answer, "assets"), 2);
    assert_string_equal(string(item(answer, "assets", 0), "asset"), "PETR4");
    assert_counts(item(answer, "assets", 0), 2, 1, 1, 2);
    assert_string_equal(string(item(answer, "assets", 1), "last_ts"), "2020-03-02T02:59:59.000Z");
    static const char *const days[] = {"2020-02-28", "2020-02-29", "2020-03-01"};
    assert_int_equal(size(answer, "days"), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(string(item(answer, "days", i), "day"), days[i]);
    assert_counts(item(answer, "days", 0), 0, 0, 0, 0);
    assert_counts(item(answer, "days", 1), 2, 1, 1, 2);
    assert_counts(item(answer, "days", 2), 2, 0, 1, 0);
    assert_true(json_is_false(json_object_get(answer, "truncated")));
    json_decref(answer);
}

static void test_statistics_when_filtered_then_only_what_the_list_would_show_is_counted(void **state)
{
    static const struct {
        const char *filter;
        long messages;
    } cases[] = {
        {"", 4},
        {"&asset=petr4", 2},
        {"&channel=-1001000000002", 1},
        {"&channel=Sala%20A", 3},
        {"&type=SELL", 2},
        {"&type=swing%20trade", 3},
        {"&complete=true", 2},
        {"&complete=false", 2},
        {"&search=BOM", 1},
        {"&search=nothing", 0},
        {"&asset=PETR4&channel=-1001000000001&type=BUY", 1},
        {"&limit=abc&offset=-1&cursor=x&count=maybe", 4}, /* not parameters of this path */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[256];
        snprintf(path, sizeof(path), "/signals/statistics?" RANGE "%s", cases[i].filter);
        json_t *answer = api_json(&api, path, 200);
        long in_days = 0;
        for (size_t d = 0; d < 3; d++)
            in_days += number(item(answer, "days", d), "messages");
        if (number(json_object_get(answer, "total"), "messages") != cases[i].messages ||
            in_days != cases[i].messages)
            fail_msg("%s: %s", path, api.reply.body);
        json_decref(answer);
        if (strstr(cases[i].filter, "limit"))
            continue;
        snprintf(path, sizeof(path), "/signals?limit=1000&" RANGE "%s", cases[i].filter);
        json_t *page = api_json(&api, path, 200);
        assert_int_equal(size(page, "data"), cases[i].messages);
        json_decref(page);
    }
}

/* Also: what was counted before is not served again. */
static void test_statistics_when_a_message_is_edited_or_deleted_then_the_counts_follow(void **state)
{
    static const char path[] = "/signals/statistics?from=2020-05-01&to=2020-05-02";
    (void)state;
    store(-1001000000003, "Sala C", 1, "COMPRA PETR4 30 stop 29", "2020-05-01T12:00:00Z");
    for (int again = 0; again < 2; again++) {
        json_t *answer = api_json(&api, path, 200);
        assert_counts(json_object_get(answer, "total"), 1, 1, 0, 1);
        json_decref(answer);
    }
    assert_int_equal(
        api_ingest(&api, "{\"channelId\":\"-1001000000003\",\"messageId\":1,\"text\":\"bom dia\","
                         "\"timestamp\":\"2020-05-01T12:00:00Z\",\"editedAt\":\"2020-05-01T12:01:00Z\"}"),
        200);
    json_t *edited = api_json(&api, path, 200);
    assert_counts(json_object_get(edited, "total"), 1, 0, 0, 0);
    assert_int_equal(api_ingest(&api, "{\"channelId\":\"-1001000000003\",\"messageId\":1,"
                                      "\"timestamp\":\"2020-05-01T12:00:00Z\",\"deleted\":true}"),
                     200);
    json_t *deleted = api_json(&api, path, 200);
    assert_counts(json_object_get(deleted, "total"), 0, 0, 0, 0);
    assert_int_equal(size(deleted, "channels"), 0);
    assert_int_equal(number(deleted, "seq"), number(edited, "seq") + 1);
    json_decref(edited);
    json_decref(deleted);
}

/* In São Paulo; our own TZ stays unset, because programs inherit it. */
static void write_local_date(time_t now, char out[16])
{
    struct tm tm;
    assert_int_equal(setenv("TZ", "America/Sao_Paulo", 1), 0);
    tzset();
    strftime(out, 16, "%Y-%m-%d", localtime_r(&now, &tm));
    unsetenv("TZ");
}

static void test_statistics_when_no_range_is_given_then_it_is_30_days_until_now(void **state)
{
    char today[16], now_text[32];
    (void)state;
    for (int attempt = 0; attempt < 2; attempt++) { /* midnight may pass meanwhile */
        time_t now = time(NULL);
        struct tm tm;
        write_local_date(now, today);
        strftime(now_text, sizeof(now_text), "%Y-%m-%dT%H:%M", gmtime_r(&now, &tm));
        json_t *answer = api_json(&api, "/signals/statistics", 200);
        assert_int_equal(size(answer, "days"), 30);
        bool same_day = strcmp(string(item(answer, "days", 29), "day"), today) == 0;
        assert_true(strncmp(string(answer, "to"), now_text, strlen(now_text)) >= 0);
        assert_non_null(strstr(string(answer, "from"), "T03:00:00.000Z"));
        json_decref(answer);
        if (same_day)
            return;
    }
    fail_msg("the last day is not today");
}

static void test_statistics_when_only_to_is_given_then_the_range_begins_29_days_before_its_day(void **state)
{
    (void)state;
    json_t *answer = api_json(&api, "/signals/statistics?to=2020-03-01T02:00:00Z", 200);
    assert_int_equal(size(answer, "days"), 30);
    assert_string_equal(string(answer, "from"), "2020-01-31T03:00:00.000Z");
    assert_string_equal(string(item(answer, "days", 29), "day"), "2020-02-29");
    json_decref(answer);
}

static void test_statistics_when_the_range_is_empty_then_so_are_the_counts(void **state)
{
    (void)state;
    json_t *answer = api_json(&api, "/signals/statistics?from=2020-03-02&to=2020-02-01", 200);
    assert_int_equal(size(answer, "days"), 0);
    assert_counts(json_object_get(answer, "total"), 0, 0, 0, 0);
    json_decref(answer);
}

static void test_statistics_when_a_parameter_is_bad_then_400_names_it(void **state)
{
    static const struct {
        const char *query, *error;
    } cases[] = {
        {"from=2017-01-01T03:00:00Z&to=2020-01-06T02:59:59Z", NULL}, /* 1,100 days */
        {"from=2017-01-01T03:00:00Z&to=2020-01-06T03:00:00Z", "Invalid parameter: from"},
        {"from=0001-01-01", "Invalid parameter: from"},
        {"from=yesterday", "Invalid parameter: from"},
        {"to=", "Invalid parameter: to"},
        {"complete=1", "Invalid parameter: complete"},
        {"asset=A&asset=B", "Invalid parameter: asset"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[256];
        snprintf(path, sizeof(path), "/signals/statistics?%s", cases[i].query);
        long status = api_get(&api, path);
        if (cases[i].error)
            assert_error(&api, 400, cases[i].error);
        else
            assert_int_equal(status, 200);
    }
}

static void test_statistics_when_there_are_more_than_100_assets_then_truncated(void **state)
{
    char text[64];
    (void)state;
    for (int n = 0; n < 101; n++) {
        snprintf(text, sizeof(text), "COMPRA AA%c%c3 30", 'A' + n / 26, 'A' + n % 26);
        store(-1001000000004, "Sala D", n + 1, text, "2020-06-01T12:00:00Z");
    }
    json_t *answer = api_json(&api, "/signals/statistics?from=2020-06-01&to=2020-06-02", 200);
    assert_int_equal(size(answer, "assets"), 100);
    assert_string_equal(string(item(answer, "assets", 0), "asset"), "AAAA3");
    assert_true(json_is_true(json_object_get(answer, "truncated")));
    assert_counts(json_object_get(answer, "total"), 101, 101, 0, 101);
    json_decref(answer);
}

static void test_statistics_when_the_zone_is_another_then_the_days_are_its_own(void **state)
{
    static const char *const utc[] = {"TZ=UTC", NULL};
    struct api mine = api;
    (void)state;
    api_start(&api, utc);
    store_the_range();
    json_t *answer = api_json(&api, "/signals/statistics?from=2020-02-29&to=2020-03-01", 200);
    assert_string_equal(string(answer, "timezone"), "UTC");
    assert_int_equal(size(answer, "days"), 2);
    assert_counts(item(answer, "days", 0), 1, 1, 0, 1);
    assert_counts(item(answer, "days", 1), 2, 0, 1, 1);
    json_decref(answer);
    api_stop(&api);
    api = mine;
}

static void test_statistics_when_many_ask_at_once_then_each_is_answered(void **state)
{
    enum { N = 40 };
    int fds[N];
    char text[16384];
    int answered = 0, refused = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        fds[i] = raw_connect(&api);
        raw_send(fds[i],
                 "GET /signals/statistics?from=2020-01-01&to=2020-01-%02d HTTP/1.1\r\nHost: localhost\r\n"
                 "Connection: close\r\n\r\n",
                 i % 20 + 1);
    }
    for (int i = 0; i < N; i++) {
        raw_read(fds[i], text, sizeof(text), NULL, 10000);
        answered += strstr(text, "HTTP/1.1 200 OK") != NULL;
        refused += strstr(text, "HTTP/1.1 503 ") && strstr(text, "Retry-After: 5");
        close(fds[i]);
    }
    assert_true(answered >= 1);
    assert_int_equal(answered + refused, N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics_when_asked_then_channels_assets_and_days_are_counted),
        cmocka_unit_test(test_statistics_when_filtered_then_only_what_the_list_would_show_is_counted),
        cmocka_unit_test(test_statistics_when_a_message_is_edited_or_deleted_then_the_counts_follow),
        cmocka_unit_test(test_statistics_when_no_range_is_given_then_it_is_30_days_until_now),
        cmocka_unit_test(test_statistics_when_only_to_is_given_then_the_range_begins_29_days_before_its_day),
        cmocka_unit_test(test_statistics_when_the_range_is_empty_then_so_are_the_counts),
        cmocka_unit_test(test_statistics_when_a_parameter_is_bad_then_400_names_it),
        cmocka_unit_test(test_statistics_when_there_are_more_than_100_assets_then_truncated),
        cmocka_unit_test(test_statistics_when_the_zone_is_another_then_the_days_are_its_own),
        cmocka_unit_test(test_statistics_when_many_ask_at_once_then_each_is_answered),
    };
    unsetenv("TZ");
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("statistics", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
