/* GET /forwarded-messages over HTTP: every filter, and pages by cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

static struct api api;

/* What is forwarded, by message id; minute of ts, source channel, name, text, method. */
static const struct {
    long id;
    int minute;
    const char *channel_id, *name, *text, *method;
} messages[] = {
    {1, 0, "-1001000000001", "Sala A", "COMPRA ITUB4 31,40", "forward"},
    {2, 1, "-1001000000001", "Sala A", "bom dia 100%", "copy"},
    {3, 2, "-1001000000002", "Mesa B", "VENDA VALE3 60", "copy"},
    {4, 2, "-1001000000002", "Mesa B", "abc_def", "forward"},
    {5, 3, "-1001000000002", "Mesa B", "fim", "forward"},
};
enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };

static int start(void **state)
{
    (void)state;
    api_start(&api, NULL);
    for (size_t i = 0; i < MESSAGES; i++) {
        char ts[40];
        snprintf(ts, sizeof(ts), "2026-11-03T13:%02d:00.500Z", messages[i].minute);
        json_t *json = json_pack("{s:s, s:I, s:s, s:s, s:s, s:{s:s, s:I, s:s, s:s}}", "channelId",
                                 messages[i].channel_id, "messageId", (json_int_t)messages[i].id, "text",
                                 messages[i].text, "timestamp", ts, "channelName", messages[i].name,
                                 "forwarded", "originalChannelId", messages[i].channel_id,
                                 "originalMessageId", (json_int_t)messages[i].id, "destinationChannelId",
                                 "-1001000000009", "method", messages[i].method);
        char *body = json_dumps(json, 0);
        assert_int_equal(api_ingest(&api, body), 200);
        free(body);
        json_decref(json);
    }
    /* Pictures come from the system before, by import. */
    api_sql(&api, "UPDATE @forwarded_messages SET image_url = 'photo.jpg', image_width = 10 WHERE message_id "
                  "IN (2, 4)");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop(&api);
    return 0;
}

/* The message ids of the page, as text: "5 4 3". */
static const char *ids(const char *path)
{
    static char text[256];
    json_t *page = api_json(&api, path, 200), *row;
    size_t i, len = 0;
    text[0] = '\0';
    json_array_foreach(json_object_get(page, "data"), i, row) len +=
        (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld", i ? " " : "",
                         json_integer_value(json_object_get(row, "message_id")));
    json_decref(page);
    return text;
}

static void test_forwarded_when_filtered_then_only_matching_rows_newest_first(void **state)
{
    static const struct {
        const char *query, *ids;
    } cases[] = {
        {"", "5 4 3 2 1"},
        {"?limit=2", "5 4"},
        {"?channelId=-1001000000001", "2 1"},
        {"?from=2026-11-03T13:02:00.500Z", "5 4 3"},
        {"?to=2026-11-03T13:01:00.500Z", "2 1"},
        {"?to=2026-11-02", ""},
        {"?search=compra", "1"},
        {"?search=MESA", "5 4 3"},
        {"?search=%25", "2"},
        {"?search=_", "4"},
        {"?search=%27%20OR%201=1--", ""},
        {"?media=true", "4 2"},
        {"?media=false", "5 3 1"},
        {"?method=copy", "3 2"},
        {"?method=forward", "5 4 1"},
        {"?method=forward&media=true&search=mesa&channelId=-1001000000002", "4"},
        {"?surprise=1", "5 4 3 2 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[256];
        snprintf(path, sizeof(path), "/forwarded-messages%s", cases[i].query);
        const char *got = ids(path);
        if (strcmp(got, cases[i].ids) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", path, got, cases[i].ids);
    }
    json_t *page = api_json(&api, "/forwarded-messages?search=abc", 200),
           *row = json_array_get(json_object_get(page, "data"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "image_url")), "photo.jpg");
    assert_int_equal(json_integer_value(json_object_get(row, "image_width")), 10);
    assert_true(json_is_null(json_object_get(row, "image_height")));
    json_decref(page);
}

static void test_forwarded_when_paged_by_cursor_then_every_row_comes_once(void **state)
{
    char path[256] = "/forwarded-messages?limit=2", all[128] = "";
    size_t len = 0;
    (void)state;
    for (bool more = true; more;) {
        json_t *page = api_json(&api, path, 200), *cursor = json_object_get(page, "nextCursor");
        assert_non_null(cursor);
        len += (size_t)snprintf(all + len, sizeof(all) - len, "%s;", ids(path));
        assert_true(len < 64);
        more = !json_is_null(cursor);
        if (more)
            snprintf(path, sizeof(path), "/forwarded-messages?limit=2&cursor=%s", json_string_value(cursor));
        json_decref(page);
    }
    assert_string_equal(all, "5 4;3 2;1;");
    json_t *page = api_json(&api, "/forwarded-messages?limit=5", 200); /* exactly all: no next one */
    assert_true(json_is_null(json_object_get(page, "nextCursor")));
    json_decref(page);
}

static void test_forwarded_when_a_parameter_is_out_of_its_rule_then_400_names_it(void **state)
{
    static const struct {
        const char *query, *name;
    } cases[] = {
        {"limit=0", "limit"},
        {"limit=1001", "limit"},
        {"channelId=x", "channelId"},
        {"from=x", "from"},
        {"to=", "to"},
        {"search=", "search"},
        {"search=%FF", "search"},
        {"search=%00", "search"},
        {"media=yes", "media"},
        {"media=", "media"},
        {"method=Copy", "method"},
        {"method=", "method"},
        {"cursor=x", "cursor"},
        {"cursor=", "cursor"},
        {"limit=1&limit=1", "limit"},
    };
    char path[256], error[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(path, sizeof(path), "/forwarded-messages?%s", cases[i].query);
        snprintf(error, sizeof(error), "Invalid parameter: %s", cases[i].name);
        api_get(&api, path);
        assert_error(&api, 400, error);
    }
    int n = snprintf(path, sizeof(path), "/forwarded-messages?search=");
    memset(path + n, 'x', 101);
    path[n + 101] = '\0';
    api_get(&api, path);
    assert_error(&api, 400, "Invalid parameter: search");
    path[n + 100] = '\0';
    assert_int_equal(api_get(&api, path), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forwarded_when_filtered_then_only_matching_rows_newest_first),
        cmocka_unit_test(test_forwarded_when_paged_by_cursor_then_every_row_comes_once),
        cmocka_unit_test(test_forwarded_when_a_parameter_is_out_of_its_rule_then_400_names_it),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("forwarded", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
