/* Reading over HTTP: GET /signals with every parameter, paging, ETag and cache; one signal; POST /parse; the small lists; OpenAPI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"
#include "jsonl.h"

static struct api api;

/* id, minute of ts, channel, text */
static const struct {
    long id;
    int minute;
    const char *channel, *channel_id, *text;
} messages[] = {
    {1, 0, "Sala A", "-1001000000001",
     "COMPRA ITUB4\nEntrada: R$ 31,40\nStop: R$ 30,55\nAlvo 1: R$ 32,10\nAlvo 2: 33"},
    {2, 1, "Sala A", "-1001000000001", "VENDA VALE3 stop 69,50"},
    {3, 2, "Sala B", "-1001000000002", "Day Trade\nPapel: PETR4\nEntrada: 30,00\nAlvo: 31"},
    {4, 3, "Sala B", "-1001000000002", "Bom dia! 100% de acerto_hoje"},
    {5, 4, "Sala B", "-1001000000002", "COMPRA ITUB4 31,90"},
    {6, 4, "Sala A", "-1001000000001", "Sem sinal, apenas texto"},
};
enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };

static int start(void **state)
{
    (void)state;
    api_start(&api, NULL);
    for (size_t i = 0; i < MESSAGES; i++) {
        char ts[40];
        snprintf(ts, sizeof(ts), "2026-11-03T13:%02d:00.500Z", messages[i].minute);
        json_t *json = json_pack("{s:s, s:I, s:s, s:s, s:s}", "channelId", messages[i].channel_id,
                                 "messageId", (json_int_t)messages[i].id, "text", messages[i].text,
                                 "timestamp", ts, "channelName", messages[i].channel);
        char *body = json_dumps(json, 0);
        assert_int_equal(api_ingest(&api, body), 200);
        free(body);
        json_decref(json);
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

/* The message ids of the page, as text: "6 5 4". */
static const char *ids(const char *path)
{
    static char text[4096];
    json_t *page = api_json(&api, path, 200), *data = json_object_get(page, "data");
    size_t i, len = 0;
    json_t *row;
    text[0] = '\0';
    json_array_foreach(data, i, row) len +=
        (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld", i ? " " : "",
                         json_integer_value(json_object_get(row, "message_id")));
    json_decref(page);
    return text;
}

/* --- list --------------------------------------------------------------------------------------------------------------- */

static void test_signals_when_filtered_then_only_matching_rows_newest_first(void **state)
{
    static const struct {
        const char *query, *ids;
    } cases[] = {
        {"", "6 5 4 3 2 1"},
        {"?limit=2", "6 5"},
        {"?limit=2&offset=2", "4 3"},
        {"?offset=6", ""},
        {"?channel=-1001000000002", "5 4 3"},
        {"?channel=Sala%20A", "6 2 1"},
        {"?channel=sala%20a", ""},
        {"?channel=1", ""},
        {"?type=BUY", "5 3 1"},
        {"?type=buy", "5 3 1"},
        {"?type=Sell", "2"},
        {"?type=unknown", "6 4"},
        {"?type=day%20trade", "3"},
        {"?type=Swing%20Trade", "5 2 1"},
        {"?type=nothing", ""},
        {"?asset=ITUB4", "5 1"},
        {"?asset=itub4", "5 1"},
        {"?asset=ITUB", ""},
        {"?asset=ITUB4&channel=-1001000000001", "1"},
        {"?asset=ITUB4&type=SELL", ""},
        {"?search=sinal", "6"},
        {"?search=SINAL", "6"},
        {"?search=itub", "5 1"},
        {"?search=100%25", "4"},
        {"?search=%25", "4"},
        {"?search=_", "4"},
        {"?search=o_h", "4"},
        {"?search=%5C", ""},
        {"?search=%27%20OR%201=1--", ""},
        {"?search=dia&limit=1", "4"},
        {"?complete=true", "5 3 1"},
        {"?complete=false", "6 4 2"},
        {"?from=2026-11-03T13:03:00.500Z", "6 5 4"},
        {"?from=2026-11-03T10:03:00.501-03:00", "6 5"},
        {"?to=2026-11-03T13:01:00.500Z", "2 1"},
        {"?to=2026-11-03T13:01:00.499Z", "1"},
        {"?from=1793711040500", "6 5"},
        {"?to=1793710800500", "1"},
        {"?from=2026-11-03&to=2026-11-03", "6 5 4 3 2 1"},
        {"?from=2026-11-04", ""},
        {"?to=2026-11-02", ""},
        {"?surprise=1", "6 5 4 3 2 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[256];
        snprintf(path, sizeof(path), "/signals%s", cases[i].query);
        for (int twice = 0; twice < 2; twice++) { /* computed, and from the cache */
            const char *got = ids(path);
            if (strcmp(got, cases[i].ids) != 0)
                fail_msg("%s: \"%s\" instead of \"%s\"", path, got, cases[i].ids);
        }
    }
}

static void test_signals_when_a_parameter_is_out_of_its_rule_then_400_names_it(void **state)
{
    static const struct {
        const char *query, *name;
    } cases[] = {
        {"limit=0", "limit"},         {"limit=1001", "limit"},
        {"limit=-1", "limit"},        {"limit=2.5", "limit"},
        {"limit=abc", "limit"},       {"limit=", "limit"},
        {"limit=1&limit=2", "limit"}, {"offset=-1", "offset"},
        {"offset=100001", "offset"},  {"from=garbage", "from"},
        {"to=2026-02-30", "to"},      {"from=", "from"},
        {"search=", "search"},        {"asset=", "asset"},
        {"channel=", "channel"},      {"type=", "type"},
        {"complete=yes", "complete"}, {"count=1", "count"},
        {"cursor=zz", "cursor"},      {"channel=99999999999999999999", "channel"},
        {"search=%FF", "search"},     {"search=%00", "search"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[256], error[64];
        snprintf(path, sizeof(path), "/signals?%s", cases[i].query);
        snprintf(error, sizeof(error), "Invalid parameter: %s", cases[i].name);
        api_get(&api, path);
        assert_error(&api, 400, error);
    }
}

/* /signals with one parameter of n letters. */
static long get_letters(const char *name, char letter, size_t n)
{
    char path[512];
    size_t len = (size_t)snprintf(path, sizeof(path), "/signals?%s=", name);
    memset(path + len, letter, n);
    path[len + n] = '\0';
    return api_get(&api, path);
}

static void test_signals_when_a_text_is_at_its_limit_then_200_and_one_byte_more_400(void **state)
{
    static const struct {
        const char *name;
        char letter;
        size_t max;
    } cases[] = {{"search", 'x', 100},
                 {"type", 'x', 40},
                 {"asset", 'x', 20},
                 {"channel", 'x', 200},
                 {"channel", '0', 200}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[64];
        snprintf(error, sizeof(error), "Invalid parameter: %s", cases[i].name);
        assert_int_equal(get_letters(cases[i].name, cases[i].letter, cases[i].max), 200);
        get_letters(cases[i].name, cases[i].letter, cases[i].max + 1);
        assert_error(&api, 400, error);
    }
}

static void test_signals_when_paged_by_cursor_then_every_row_comes_once(void **state)
{
    char path[256] = "/signals?limit=2", all[128] = "";
    size_t len = 0;
    int pages = 0;
    (void)state;
    for (;;) {
        json_t *page = api_json(&api, path, 200), *cursor = json_object_get(page, "nextCursor");
        len += (size_t)snprintf(all + len, sizeof(all) - len, "%s;", ids(path));
        pages++;
        if (!json_is_null(cursor))
            snprintf(path, sizeof(path), "/signals?limit=2&cursor=%s", json_string_value(cursor));
        bool last = json_is_null(cursor);
        json_decref(page);
        if (last)
            break;
    }
    assert_string_equal(all, "6 5;4 3;2 1;");
    assert_int_equal(pages, 3);
    char both[300];
    snprintf(both, sizeof(both), "%s&offset=0", path);
    api_get(&api, both);
    assert_error(&api, 400, "Invalid parameter: cursor");
}

static void test_signals_when_counted_then_total_is_beside_the_data(void **state)
{
    (void)state;
    json_t *page = api_json(&api, "/signals?count=true&limit=1&type=BUY", 200);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), 3);
    assert_null(json_object_get(page, "totalIsMinimum"));
    json_decref(page);
    page = api_json(&api, "/signals?count=false", 200);
    assert_null(json_object_get(page, "total"));
    json_decref(page);
}

static void test_signals_when_read_then_the_row_has_every_field_of_the_contract(void **state)
{
    (void)state;
    json_t *page = api_json(&api, "/signals?asset=ITUB4&limit=1&offset=1", 200);
    json_t *row = json_array_get(json_object_get(page, "data"), 0), *expected;
    json_object_del(row, "ingested_at");
    expected = json_pack("{s:i, s:i, s:i, s:b, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:i, "
                         "s:i, s:[f,i], s:f, s:f, s:b, s:s, s:s}",
                         "id", 1, "seq", 1, "revision", 0, "changed", 0, "ts", "2026-11-03T13:00:00.500Z",
                         "channel", "Sala A", "channel_id", "-1001000000001", "message_id", 1, "asset",
                         "ITUB4", "signal_type", "BUY", "trade_type", "Swing Trade", "price", 31.4, "buy_min",
                         31.4, "buy_max", 31.4, "target_1", 32.1, "target_2", 33, "target_final", 33,
                         "take_profit", 32.1, 33, "stop", 30.55, "stop_loss", 30.55, "complete", 1,
                         "raw_message", messages[0].text, "source", "telegram");
    assert_non_null(expected);
    if (!json_equal(row, expected))
        fail_msg("%s", json_dumps(row, JSON_SORT_KEYS));
    json_decref(expected);
    json_decref(page);
}

static void test_signals_when_not_modified_then_304_until_something_changes(void **state)
{
    char etag[128], header[160];
    (void)state;
    assert_int_equal(api_get(&api, "/signals?limit=3"), 200);
    assert_true(ts_test_header(&api.reply, "ETag", etag, sizeof(etag)));
    snprintf(header, sizeof(header), "If-None-Match: W/\"x\", %s", etag);
    const char *const headers[] = {header, NULL};
    assert_int_equal(
        ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/signals?limit=3"), .headers = headers},
                     &api.reply),
        304);
    assert_int_equal(api.reply.body_len, 0);
    assert_int_equal(
        ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/signals?limit=4"), .headers = headers},
                     &api.reply),
        200);
    /* an edit changes nothing but the row, and the answer */
    assert_int_equal(
        api_ingest(
            &api,
            "{\"channelId\":\"-1001000000002\",\"messageId\":5,\"text\":\"COMPRA ITUB4 31,95\",\"timestamp\":"
            "\"2026-11-03T13:04:00.5Z\",\"editedAt\":\"2026-11-03T13:05:00Z\"}"),
        200);
    assert_int_equal(
        ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/signals?limit=3"), .headers = headers},
                     &api.reply),
        200);
    assert_non_null(strstr(api.reply.body, "31,95"));
}

static void test_signals_when_nothing_matches_then_an_empty_list_and_never_sample_rows(void **state)
{
    (void)state;
    json_t *page = api_json(&api, "/signals?asset=XXXX3", 200);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 0);
    assert_true(json_is_null(json_object_get(page, "nextCursor")));
    json_decref(page);
}

/* --- one signal --------------------------------------------------------------------------------------------------------- */

static void test_signal_when_read_then_message_versions_and_explanation_stand_beside_it(void **state)
{
    (void)state;
    json_t *detail = api_json(&api, "/signals/1", 200);
    json_t *versions = json_object_get(detail, "versions"),
           *explanation = json_object_get(detail, "explanation");
    assert_int_equal(json_array_size(versions), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(versions, 0), "text")),
                        messages[0].text);
    assert_string_equal(json_string_value(json_object_get(json_object_get(detail, "message"), "text")),
                        messages[0].text);
    assert_string_equal(json_string_value(json_object_get(explanation, "direction")), "word");
    assert_true(json_array_size(json_object_get(explanation, "spans")) >= 5);
    json_decref(detail);
}

static void test_signal_when_id_is_unknown_or_no_number_then_404_or_400(void **state)
{
    (void)state;
    api_get(&api, "/signals/999999");
    assert_error(&api, 404, "Signal not found");
    static const char *const bad[] = {"/signals/abc", "/signals/1x", "/signals/-1", "/signals/1.5",
                                      "/signals/99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        api_get(&api, bad[i]);
        assert_error(&api, 400, "Invalid parameter: id");
    }
}

/* --- parse -------------------------------------------------------------------------------------------------------------- */

static json_t *parse(const char *text)
{
    json_t *body = json_pack("{s:s}", "text", text);
    char *dump = json_dumps(body, 0);
    assert_int_equal(ts_test_post_json(api_url(&api, "/parse"), NULL, dump, &api.reply), 200);
    free(dump);
    json_decref(body);
    return json_loads(api.reply.body, JSON_REJECT_DUPLICATES, NULL);
}

/* Numbers are compared by value: 33 = 33.0. */
static bool same_value(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) > json_number_value(b) - 1e-9 &&
               json_number_value(a) < json_number_value(b) + 1e-9;
    if (!json_is_array(a) || !json_is_array(b))
        return json_equal(a, b);
    bool same = json_array_size(a) == json_array_size(b);
    for (size_t i = 0; same && i < json_array_size(a); i++)
        same = same_value(json_array_get(a, i), json_array_get(b, i));
    return same;
}

static void test_parse_when_asked_for_every_case_then_the_reading_is_right_and_explained(void **state)
{
    json_t *cases = jsonl_load("apps/tp-capital/api/tests/data/signal-cases.jsonl"), *one, *expected;
    size_t i;
    const char *key;
    (void)state;
    assert_int_equal(json_array_size(cases), 91);
    json_array_foreach(cases, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *text = json_string_value(json_object_get(one, "text"));
        json_t *answer = parse(text), *signal = json_object_get(answer, "signal"),
               *why = json_object_get(answer, "explanation");
        json_object_foreach(json_object_get(one, "expect"), key,
                            expected) if (!same_value(json_object_get(signal, key), expected))
            fail_msg("%s: %s", name, key);
        bool unknown = strcmp(json_string_value(json_object_get(signal, "signal_type")), "UNKNOWN") == 0;
        if (unknown != json_is_string(json_object_get(why, "rule")))
            fail_msg("%s: an UNKNOWN message has a rule, a signal has none", name);
        json_t *span;
        size_t s;
        json_array_foreach(json_object_get(why, "spans"), s, span)
        {
            size_t from = (size_t)json_integer_value(json_object_get(span, "start")),
                   to = (size_t)json_integer_value(json_object_get(span, "end"));
            const char *words = json_string_value(json_object_get(span, "text"));
            if (to > strlen(text) || from >= to || strlen(words) != to - from ||
                strncmp(text + from, words, to - from) != 0)
                fail_msg("%s: span %zu", name, s);
        }
        if (!unknown && json_array_size(json_object_get(why, "spans")) == 0)
            fail_msg("%s: a signal that was read nowhere", name);
        json_decref(answer);
    }
    json_decref(cases);
}

static void test_parse_when_body_is_wrong_then_400_and_nothing_is_stored(void **state)
{
    (void)state;
    long before = api_rows(&api, "ingested_messages");
    ts_test_post_json(api_url(&api, "/parse"), NULL, "{", &api.reply);
    assert_error(&api, 400, "Invalid JSON");
    ts_test_post_json(api_url(&api, "/parse"), NULL, "{}", &api.reply);
    assert_error(&api, 400, "Missing required field: text");
    ts_test_post_json(api_url(&api, "/parse"), NULL, "{\"text\":5}", &api.reply);
    assert_error(&api, 400, "Invalid field: text");
    json_decref(parse("COMPRA PETR4 30"));
    assert_int_equal(api_rows(&api, "ingested_messages"), before);
}

/* --- small lists -------------------------------------------------------------------------------------------------------- */

static void test_channels_when_messages_came_then_most_signals_first(void **state)
{
    (void)state;
    json_t *list = api_json(&api, "/channels", 200), *data = json_object_get(list, "data");
    assert_string_equal(json_string_value(json_object_get(list, "source")), "timescale");
    assert_int_equal(json_array_size(data), 2);
    json_int_t first = json_integer_value(json_object_get(json_array_get(data, 0), "signal_count"));
    json_int_t second = json_integer_value(json_object_get(json_array_get(data, 1), "signal_count"));
    assert_int_equal(first, 2);
    assert_int_equal(second, 2);
    json_decref(list);
}

static void test_reading_when_nothing_is_registered_then_the_lists_are_empty(void **state)
{
    (void)state;
    json_t *list = api_json(&api, "/config/channels", 200);
    assert_int_equal(json_array_size(json_object_get(list, "data")), 0);
    json_decref(list);
    list = api_json(&api, "/bots", 200);
    assert_true(json_is_false(json_object_get(json_object_get(list, "data"), "configured")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(list, "data"), "mode")), "gateway");
    json_decref(list);
    assert_int_equal(api_get(&api, "/"), 200);
    assert_string_equal(api.reply.body,
                        "{\"status\":\"ok\",\"message\":\"TP Capital ingestion API\",\"endpoints\":"
                        "[\"/health\",\"/signals\",\"/logs\",\"/metrics\"]}");
    api_get(&api, "/x");
    assert_error(&api, 404, "Not Found");
    assert_non_null(strstr(api.reply.body, "\"message\":\"Route GET /x not found\""));
}

static void test_forwarded_when_a_message_was_forwarded_then_it_is_listed(void **state)
{
    (void)state;
    assert_int_equal(api_ingest(&api, "{\"channelId\":\"-1001000000003\",\"messageId\":77,\"text\":\"x\","
                                      "\"timestamp\":\"2026-11-01T13:00:00Z\","
                                      "\"channelName\":\"Origem\",\"forwarded\":{\"originalChannelId\":\"-"
                                      "1001000000003\",\"originalMessageId\":77,"
                                      "\"destinationChannelId\":\"-1001000000004\",\"method\":\"copy\"}}"),
                     200);
    json_t *list =
        api_json(&api, "/forwarded-messages?channelId=-1001000000003&from=2026-11-01&to=2026-11-01", 200);
    json_t *row = json_array_get(json_object_get(list, "data"), 0);
    assert_int_equal(json_array_size(json_object_get(list, "data")), 1);
    assert_string_equal(json_string_value(json_object_get(row, "destination_channel_id")), "-1001000000004");
    assert_string_equal(json_string_value(json_object_get(row, "forward_method")), "copy");
    json_decref(list);
    api_get(&api, "/forwarded-messages?limit=1001");
    assert_error(&api, 400, "Invalid parameter: limit");
    api_get(&api, "/forwarded-messages?channelId=9223372036854775808");
    assert_error(&api, 400, "Invalid parameter: channelId");
}

static void test_logs_when_asked_then_newest_first_without_secrets(void **state)
{
    (void)state;
    const char *const headers[] = {"Content-Type: application/json", "X-Gateway-Token: " TOKEN "-wrong",
                                   NULL};
    ts_test_http(&(struct ts_test_request){.url = api_url(&api, "/ingest"), .headers = headers, .body = "{}"},
                 &api.reply);
    json_t *list = api_json(&api, "/logs?limit=5&level=warn", 200),
           *row = json_array_get(json_object_get(list, "data"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "message")), "Unauthorized");
    assert_null(strstr(api.reply.body, TOKEN));
    json_decref(list);
    api_get(&api, "/logs?limit=201");
    assert_error(&api, 400, "Invalid parameter: limit");
    api_get(&api, "/logs?level=loud");
    assert_error(&api, 400, "Invalid parameter: level");
}

/* --- OpenAPI ------------------------------------------------------------------------------------------------------------ */

static void test_openapi_when_asked_in_both_forms_then_it_is_one_document(void **state)
{
    (void)state;
    json_t *document = api_json(&api, "/openapi.json", 200);
    json_t *operation =
        json_object_get(json_object_get(json_object_get(document, "paths"), "/ingest"), "post");
    char line[128];
    assert_string_equal(json_string_value(json_object_get(document, "openapi")), "3.1.0");
    assert_int_equal(api_get(&api, "/openapi.yaml"), 200);
    assert_int_equal(strncmp(api.reply.body, "openapi: 3.1.0", 14), 0);
    snprintf(line, sizeof(line), "operationId: %s\n",
             json_string_value(json_object_get(operation, "operationId")));
    assert_non_null(strstr(api.reply.body, line));
    json_decref(document);
}

/* More than any answer may hold: 700 rows of 16 KiB, each byte of which takes two in JSON. */
static void test_list_when_the_rows_are_the_longest_then_the_page_ends_early_and_goes_on(void **state)
{
    enum { ROWS = 700, BYTES = 16384 };
    static char body[2 * BYTES + 512], answer[1024], path[256];
    (void)state;
    struct api own;
    api_start(&own, NULL);
    int fd = raw_connect(&own);
    for (int id = 1; id <= ROWS; id++) {
        int n = snprintf(body, sizeof(body),
                         "{\"channelId\":\"-1001000000001\",\"messageId\":%d,\"timestamp\":"
                         "\"2026-11-03T13:00:00Z\",\"text\":\"",
                         id);
        for (int i = 0; i < BYTES; i++, n += 2)
            memcpy(body + n, "\\\"", 2);
        memcpy(body + n, "\"}", 3);
        raw_send_ingest(fd, body);
        raw_read(fd, answer, sizeof(answer), "\"ok\"}", 10000);
        assert_non_null(strstr(answer, "\"ok\"}"));
    }
    close(fd);
    size_t seen = 0, pages = 0;
    snprintf(path, sizeof(path), "/signals?limit=1000");
    for (bool more = true; more; pages++) {
        json_t *page = api_json(&own, path, 200);
        const char *cursor = json_string_value(json_object_get(page, "nextCursor"));
        seen += json_array_size(json_object_get(page, "data"));
        more = cursor != NULL;
        if (more)
            snprintf(path, sizeof(path), "/signals?limit=1000&cursor=%s", cursor);
        json_decref(page);
        assert_true(pages < 10);
    }
    assert_int_equal(seen, ROWS);
    assert_true(pages > 1);
    api_stop(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals_when_filtered_then_only_matching_rows_newest_first),
        cmocka_unit_test(test_signals_when_a_parameter_is_out_of_its_rule_then_400_names_it),
        cmocka_unit_test(test_signals_when_a_text_is_at_its_limit_then_200_and_one_byte_more_400),
        cmocka_unit_test(test_signals_when_paged_by_cursor_then_every_row_comes_once),
        cmocka_unit_test(test_signals_when_counted_then_total_is_beside_the_data),
        cmocka_unit_test(test_signals_when_read_then_the_row_has_every_field_of_the_contract),
        cmocka_unit_test(test_channels_when_messages_came_then_most_signals_first),
        cmocka_unit_test(test_signals_when_not_modified_then_304_until_something_changes),
        cmocka_unit_test(test_signals_when_nothing_matches_then_an_empty_list_and_never_sample_rows),
        cmocka_unit_test(test_signal_when_read_then_message_versions_and_explanation_stand_beside_it),
        cmocka_unit_test(test_signal_when_id_is_unknown_or_no_number_then_404_or_400),
        cmocka_unit_test(test_parse_when_asked_for_every_case_then_the_reading_is_right_and_explained),
        cmocka_unit_test(test_parse_when_body_is_wrong_then_400_and_nothing_is_stored),
        cmocka_unit_test(test_reading_when_nothing_is_registered_then_the_lists_are_empty),
        cmocka_unit_test(test_forwarded_when_a_message_was_forwarded_then_it_is_listed),
        cmocka_unit_test(test_logs_when_asked_then_newest_first_without_secrets),
        cmocka_unit_test(test_list_when_the_rows_are_the_longest_then_the_page_ends_early_and_goes_on),
        cmocka_unit_test(test_openapi_when_asked_in_both_forms_then_it_is_one_document),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("signals", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
