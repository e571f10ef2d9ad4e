/* POST /signals/reparse over HTTP: what differs, adopting it, and what follows. */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct api api;

static int start(void **state)
{
    (void)state;
    api_start(&api, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

static long post(const char *body)
{
    return ts_test_post_json(api_url(&api, "/signals/reparse"), NULL, body, &api.reply);
}

static json_t *reparse(const char *body)
{
    if (post(body) != 200)
        fail_msg("%s: %ld %s", body, api.reply.status, api.reply.body);
    json_t *answer = json_loads(api.reply.body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    assert_string_equal(json_string_value(json_object_get(answer, "status")), "ok");
    return answer;
}

static long number(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return (long)json_integer_value(value);
}

static bool is_null(json_t *object, const char *key)
{
    return json_is_null(json_object_get(object, key));
}

static json_t *difference(json_t *answer, size_t i)
{
    json_t *found = json_array_get(json_object_get(answer, "data"), i);
    assert_non_null(found);
    return found;
}

static void assert_fields(json_t *difference_, const char *fields)
{
    char *text = json_dumps(json_object_get(difference_, "fields"), JSON_COMPACT);
    assert_string_equal(text, fields);
    free(text);
}

static long last_seq(struct api *of)
{
    json_t *page = api_json(of, "/signals?limit=1", 200);
    long seq = number(page, "seq");
    json_decref(page);
    return seq;
}

static long signal_count(void)
{
    json_t *channels = api_json(&api, "/channels", 200);
    long count = number(json_array_get(json_object_get(channels, "data"), 0), "signal_count");
    json_decref(channels);
    return count;
}

static void adopt_all(void)
{
    json_decref(reparse("{\"adopt\":true,\"limit\":1000}"));
}

/*
 * As an earlier parser would have left them: the first row unread, of the second another stop and take profit. The third is deleted
 * on Telegram, and differs too.
 */
static long store_as_an_older_parser_did(long first_message)
{
    char sql[1000], body[256];
    long before = last_seq(&api);
    api_store(&api, first_message, "COMPRA PETR4 30 stop 29 alvo 1: 31");
    api_store(&api, first_message + 1, "VENDA VALE3 60 stop 61 alvo 1: 59");
    api_store(&api, first_message + 2, "COMPRA ITUB4 30 stop 29");
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"timestamp\":\"2026-11-03T13:00:00Z\","
             "\"deleted\":true}",
             first_message + 2);
    assert_int_equal(api_ingest(&api, body), 200);
    snprintf(sql, sizeof(sql),
             "UPDATE @tp_capital_signals SET asset = NULL, signal_type = 'UNKNOWN', trade_type = NULL, price "
             "= NULL,"
             " buy_min = NULL, buy_max = NULL, target_1 = NULL, target_final = NULL, take_profit = NULL, "
             "stop = NULL,"
             " complete = (1 = 0) WHERE id = %ld;"
             " UPDATE @channel_stats SET signal_count = signal_count - 1;"
             " UPDATE @telegram_channels SET signal_count = signal_count - 1;"
             " UPDATE @tp_capital_signals SET stop = %s, take_profit = '{58,57.5}' WHERE id = %ld;"
             " UPDATE @tp_capital_signals SET stop = NULL WHERE id = %ld",
             before + 1, on_postgres() ? "62" : "62000000", before + 2, before + 3);
    api_sql(&api, sql);
    return before;
}

static void test_reparse_when_nothing_differs_then_nothing_is_changed(void **state)
{
    (void)state;
    api_store(&api, 1, "COMPRA PETR4 30 a 31 stop 29 alvo 1: 32 alvo 2: 33 alvo final: 35");
    api_store(&api, 2, "bom dia");
    api_store(&api, 3, "Day Trade VENDA WINZ26 130.450 stop 131.000");
    long before = last_seq(&api);
    for (int adopt = 0; adopt < 2; adopt++) {
        json_t *answer = reparse(adopt ? "{\"adopt\":true}" : "{}");
        assert_true(json_is_boolean(json_object_get(answer, "adopted")));
        assert_int_equal(json_is_true(json_object_get(answer, "adopted")), adopt);
        assert_int_equal(number(answer, "scanned"), 3);
        assert_int_equal(number(answer, "changed"), 0);
        assert_int_equal(json_array_size(json_object_get(answer, "data")), 0);
        assert_true(is_null(answer, "nextCursor"));
        json_decref(answer);
    }
    assert_int_equal(last_seq(&api), before);
}

static void test_reparse_when_dry_then_differences_are_shown_and_nothing_is_changed(void **state)
{
    (void)state;
    long before = store_as_an_older_parser_did(10);
    long seq = last_seq(&api);
    json_t *answer = reparse("{}");
    assert_true(json_is_false(json_object_get(answer, "adopted")));
    assert_int_equal(number(answer, "changed"), 2);
    json_t *unread = difference(answer, 0), *other = difference(answer, 1);
    assert_int_equal(number(unread, "id"), before + 1);
    assert_string_equal(json_string_value(json_object_get(unread, "channel_id")), "-1001000000001");
    assert_int_equal(number(unread, "message_id"), 10);
    assert_string_equal(json_string_value(json_object_get(unread, "raw_message")),
                        "COMPRA PETR4 30 stop 29 alvo 1: 31");
    assert_fields(
        unread,
        "[\"asset\",\"signal_type\",\"trade_type\",\"buy_min\",\"buy_max\",\"stop_loss\",\"take_profit\","
        "\"target_1\",\"target_final\",\"complete\"]");
    assert_true(is_null(json_object_get(unread, "before"), "asset"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(unread, "after"), "asset")),
                        "PETR4");
    assert_fields(other, "[\"stop_loss\",\"take_profit\"]");
    assert_true(json_number_value(json_object_get(json_object_get(other, "before"), "stop_loss")) == 62);
    assert_true(json_number_value(json_object_get(json_object_get(other, "after"), "stop_loss")) == 61);
    assert_int_equal(json_array_size(json_object_get(json_object_get(other, "before"), "take_profit")), 2);
    json_decref(answer);
    assert_int_equal(last_seq(&api), seq);
    answer = reparse("{}");
    assert_int_equal(number(answer, "changed"), 2);
    json_decref(answer);
    adopt_all();
}

/* From this number on, of which a replica may not know yet. */
static int open_stream(const struct api *of, long since)
{
    static char head[4096];
    int fd = raw_connect(of);
    raw_send(fd, "GET /signals/stream?since=%ld HTTP/1.1\r\nHost: localhost\r\n\r\n", since);
    raw_read(fd, head, sizeof(head), ":\n\n", 10000);
    assert_non_null(strstr(head, "200 OK"));
    return fd;
}

static void assert_one_reset(int fd, long seq)
{
    static char text[64 * 1024];
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "data: {\"seq\":%ld}\n\n", seq);
    raw_read(fd, text, sizeof(text), wanted, 10000);
    assert_non_null(strstr(text, "event: reset"));
    assert_non_null(strstr(text, wanted));
    assert_null(strstr(text, "event: signal"));
    close(fd);
}

static void test_reparse_when_adopted_then_rows_counters_and_streams_follow(void **state)
{
    struct api other;
    (void)state;
    api_sql(&api,
            "INSERT INTO @telegram_channels (id, label, channel_id, signal_count, created_at, updated_at)"
            " SELECT 'channel-test', 'Sala', -1001000000001, 5, ingested_at, ingested_at"
            " FROM @tp_capital_signals ORDER BY id LIMIT 1");
    long counted = signal_count();
    long before = store_as_an_older_parser_did(20);
    if (on_postgres())
        api_start_replica(&api, &other);
    long seq = last_seq(&api), messages = api_rows(&api, "ingested_messages");
    int ours = open_stream(&api, seq), theirs = on_postgres() ? open_stream(&other, seq) : -1;
    json_t *answer = reparse("{\"adopt\":true,\"limit\":1000}");
    assert_true(json_is_true(json_object_get(answer, "adopted")));
    assert_int_equal(number(answer, "changed"), 2);
    assert_int_equal(number(difference(answer, 0), "id"), before + 1);
    json_decref(answer);
    assert_one_reset(ours, seq + 1);
    assert_int_equal(last_seq(&api), seq + 1);
    json_t *page = api_json(&api, "/signals?limit=1000&asset=PETR4", 200);
    json_t *row = json_array_get(json_object_get(page, "data"), 0);
    assert_int_equal(number(row, "id"), before + 1);
    assert_int_equal(number(row, "seq"), seq + 1);
    assert_int_equal(number(row, "revision"), 0);
    assert_true(json_is_false(json_object_get(row, "changed")));
    assert_string_equal(json_string_value(json_object_get(row, "signal_type")), "BUY");
    assert_true(json_number_value(json_object_get(row, "stop_loss")) == 29);
    assert_string_equal(json_string_value(json_object_get(row, "raw_message")),
                        "COMPRA PETR4 30 stop 29 alvo 1: 31");
    json_decref(page);
    char where[128];
    snprintf(where, sizeof(where), "tp_capital_signals WHERE seq = %ld", seq + 1);
    assert_int_equal(api_rows(&api, where), 2);
    assert_int_equal(api_rows(&api, "ingested_messages"), messages);
    assert_int_equal(signal_count(), counted + 2);
    assert_int_equal(api_rows(&api, "telegram_channels WHERE signal_count = 7"), 1);
    answer = reparse("{\"adopt\":true,\"limit\":1000}");
    assert_int_equal(number(answer, "changed"), 0);
    json_decref(answer);
    assert_int_equal(last_seq(&api), seq + 1);
    if (on_postgres()) {
        assert_one_reset(theirs, seq + 1);
        api_stop(&other);
    }
}

static void test_reparse_when_a_signal_is_none_any_more_then_it_is_not_counted(void **state)
{
    (void)state;
    long counted = signal_count();
    api_store(&api, 30, "bom dia a todos");
    char sql[512];
    snprintf(sql, sizeof(sql),
             "UPDATE @tp_capital_signals SET asset = 'BOMD3', signal_type = 'SELL', trade_type = 'Swing' "
             "WHERE id = %ld;"
             " UPDATE @channel_stats SET signal_count = signal_count + 1",
             last_seq(&api));
    api_sql(&api, sql);
    json_t *answer = reparse("{\"adopt\":true,\"limit\":1000}");
    assert_int_equal(number(answer, "changed"), 1);
    json_t *old = json_object_get(difference(answer, 0), "before");
    assert_string_equal(json_string_value(json_object_get(old, "trade_type")), "Swing");
    json_decref(answer);
    assert_int_equal(signal_count(), counted);
    json_t *page = api_json(&api, "/signals?asset=BOMD3", 200);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 0);
    json_decref(page);
}

/* Page by page, as the screen does it: each row once, each change found. */
static void test_reparse_when_paged_then_every_row_is_looked_at_once(void **state)
{
    (void)state;
    store_as_an_older_parser_did(40);
    json_t *whole = reparse("{\"limit\":1000}");
    long rows = number(whole, "scanned"), scanned = 0, changed = 0, calls = 0;
    json_decref(whole);
    char body[128] = "{\"limit\":2,\"cursor\":null}";
    for (bool more = true; more; calls++) {
        json_t *answer = reparse(body);
        scanned += number(answer, "scanned");
        changed += number(answer, "changed");
        assert_in_range(number(answer, "scanned"), 1, 2);
        const char *cursor = json_string_value(json_object_get(answer, "nextCursor"));
        more = cursor != NULL;
        snprintf(body, sizeof(body), "{\"limit\":2,\"cursor\":\"%s\"}", more ? cursor : "");
        json_decref(answer);
    }
    assert_int_equal(scanned, rows);
    assert_int_equal(changed, 2);
    assert_int_equal(calls, (rows + 1) / 2);
    adopt_all();
}

static void test_reparse_when_narrowed_then_only_those_rows_are_looked_at(void **state)
{
    static const struct {
        const char *body;
        long scanned;
    } cases[] = {
        {"{\"channelId\":\"-1001000000009\"}", 2},
        {"{\"channelId\":\"-1001000000009\",\"from\":\"2020-01-02\"}", 1},
        {"{\"channelId\":\"-1001000000009\",\"to\":\"2020-01-01\"}", 1},
        {"{\"from\":\"1577836800000\",\"to\":\"2020-01-01T00:00:00Z\"}", 1},
        {"{\"channelId\":\"-1\",\"from\":null,\"unknown\":5}", 0},
    };
    (void)state;
    for (int day = 1; day <= 2; day++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"channelId\":\"-1001000000009\",\"messageId\":%d,\"text\":\"x\",\"timestamp\":\"2020-01-"
                 "0%dT00:00:00Z\"}",
                 day, day);
        assert_int_equal(api_ingest(&api, body), 200);
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *answer = reparse(cases[i].body);
        if (number(answer, "scanned") != cases[i].scanned)
            fail_msg("%s: %s", cases[i].body, api.reply.body);
        json_decref(answer);
    }
}

static void test_reparse_when_the_body_is_bad_then_400_names_what(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"", "Invalid JSON"},
        {"[]", "Invalid JSON"},
        {"{\"adopt\":true,\"adopt\":true}", "Invalid JSON"},
        {"{\"adopt\":1}", "Invalid field: adopt"},
        {"{\"limit\":0}", "Invalid field: limit"},
        {"{\"limit\":1001}", "Invalid field: limit"},
        {"{\"limit\":\"5\"}", "Invalid field: limit"},
        {"{\"limit\":5.0}", "Invalid field: limit"},
        {"{\"cursor\":5}", "Invalid field: cursor"},
        {"{\"cursor\":\"-5\"}", "Invalid field: cursor"},
        {"{\"cursor\":\"\"}", "Invalid field: cursor"},
        {"{\"cursor\":\"9223372036854775808\"}", "Invalid field: cursor"},
        {"{\"channelId\":\"Sala\"}", "Invalid field: channelId"},
        {"{\"channelId\":\"-9223372036854775809\"}", "Invalid field: channelId"},
        {"{\"from\":\"yesterday\"}", "Invalid field: from"},
        {"{\"to\":5}", "Invalid field: to"},
        {"{\"to\":5,\"adopt\":\"yes\"}", "Invalid field: adopt"},
    };
    static const char *const plain[] = {"Content-Type: text/plain", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        post(cases[i].body);
        assert_error(&api, 400, cases[i].error);
    }
    assert_int_equal(ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/signals/reparse"),
                                                            .headers = plain,
                                                            .body = "{}"},
                                  &api.reply),
                     415);
    assert_int_equal(
        post("{\"adopt\":null,\"limit\":null,\"cursor\":null,\"channelId\":null,\"from\":null,\"to\":null}"),
        200);
    assert_int_equal(api_get(&api, "/signals/reparse"), 405);
    assert_int_equal(ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/signals/reparse"),
                                                            .method = "PUT",
                                                            .headers = plain,
                                                            .body = "{}"},
                                  &api.reply),
                     405);
}

static void test_reparse_when_an_admin_token_is_set_then_it_is_asked_for(void **state)
{
    static const char *const admin[] = {"ADMIN_TOKEN=admin-token-0123456789abcdef0123456789", NULL};
    static const char *const bearer[] = {"Authorization: Bearer admin-token-0123456789abcdef0123456789",
                                         "Content-Type: application/json", NULL};
    static const char *const foreign[] = {"Origin: https://evil.example", "Content-Type: application/json",
                                          "Authorization: Bearer admin-token-0123456789abcdef0123456789",
                                          NULL};
    struct api mine = api;
    (void)state;
    api_start(&api, admin);
    post("{}");
    assert_error(&api, 401, "Unauthorized");
    struct ts_test_request request = {
        .url = api_url(&api, "/signals/reparse"), .headers = bearer, .body = "{\"adopt\":true}"};
    assert_int_equal(ts_test_http(&request, &api.reply), 200);
    request.headers = foreign;
    assert_int_equal(ts_test_http(&request, &api.reply), 403);
    api_stop(&api);
    api = mine;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reparse_when_nothing_differs_then_nothing_is_changed),
        cmocka_unit_test(test_reparse_when_dry_then_differences_are_shown_and_nothing_is_changed),
        cmocka_unit_test(test_reparse_when_adopted_then_rows_counters_and_streams_follow),
        cmocka_unit_test(test_reparse_when_a_signal_is_none_any_more_then_it_is_not_counted),
        cmocka_unit_test(test_reparse_when_paged_then_every_row_is_looked_at_once),
        cmocka_unit_test(test_reparse_when_narrowed_then_only_those_rows_are_looked_at),
        cmocka_unit_test(test_reparse_when_the_body_is_bad_then_400_names_what),
        cmocka_unit_test(test_reparse_when_an_admin_token_is_set_then_it_is_asked_for),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("reparse", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
