/* Registered channels and bots over HTTP: /telegram/channels, /telegram/bots, the older forms, what follows from them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define CHANNELS "/telegram/channels"
#define BOTS     "/telegram/bots"
#define LEGACY   "/telegram-channels"

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

/* --- helpers ------------------------------------------------------------------------------------------------------------ */

/* A token as BotFather makes them, but nobody's; two of them differ. */
static const char *token(int n)
{
    static char text[2][64];
    snprintf(text[n % 2], sizeof(text[0]), "%d:Zz%s%03d", 123450000 + n, "abcdefghijklmnopqrstuvwxyz01234",
             n);
    return text[n % 2];
}

/* A new one; its id. */
static void create(const char *path, const char *body, char id[128])
{
    long status = api_call(&api, "POST", path, NULL, body);
    if (status != 201)
        fail_msg("POST %s %s: %ld %s", path, body, status, api.reply.body);
    json_t *answer = json_loads(api.reply.body, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(answer, "status")), "ok");
    snprintf(id, 128, "%s", json_string_value(json_object_get(answer, "id")));
    json_decref(answer);
}

static void create_channel(const char *label, const char *channel_id, char id[128])
{
    char body[512];
    snprintf(body, sizeof(body), "{\"label\":\"%s\",\"channel_id\":\"%s\"}", label, channel_id);
    create(CHANNELS, body, id);
}

static long change(const char *path, const char *id, const char *body)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "%s/%s", path, id);
    return api_call(&api, "PUT", whole, NULL, body);
}

static long remove_one(const char *path, const char *id)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "%s/%s", path, id);
    return api_call(&api, "DELETE", whole, NULL, NULL);
}

/* The one with this id in the list; NULL when it isn't there. To be decref'd. */
static json_t *listed(const char *path, const char *id)
{
    json_t *list = api_json(&api, path, 200), *row, *found = NULL;
    size_t i;
    json_array_foreach(json_object_get(list, "data"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0) found =
        json_incref(row);
    json_decref(list);
    return found;
}

static void assert_field(const char *path, const char *id, const char *name, json_t *wanted)
{
    json_t *row = listed(path, id);
    assert_non_null(row);
    if (!json_equal(json_object_get(row, name), wanted))
        fail_msg("%s of %s: %s instead of %s", name, id,
                 json_dumps(json_object_get(row, name), JSON_ENCODE_ANY),
                 json_dumps(wanted, JSON_ENCODE_ANY));
    json_decref(row);
    json_decref(wanted);
}

static void send_message(const char *channel_id, long message_id, const char *more)
{
    char body[512];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"%s\",\"messageId\":%ld,\"timestamp\":\"2026-11-03T13:00:00Z\",%s}", channel_id,
             message_id, more);
    assert_int_equal(api_ingest(&api, body), 200);
}

/* --- channels ----------------------------------------------------------------------------------------------------------- */

static void test_channel_when_registered_then_it_is_listed_with_every_field_of_the_contract(void **state)
{
    char id[128];
    (void)state;
    create(CHANNELS,
           "{\"label\":\"Sala Verde \\u00e9\",\"channel_id\":-1001000000101,\"channel_type\":\"destination\","
           "\"description\":\"Para avisos\",\"status\":\"inactive\",\"unknown\":[1]}",
           id);
    assert_int_equal(strncmp(id, "channel-", 8), 0);
    assert_true(strlen(id) >= 40);
    json_t *row = listed(CHANNELS, id), *updated = json_object_get(row, "updated_at");
    assert_int_equal(strlen(json_string_value(updated)), strlen("2026-11-03T13:00:00.123Z"));
    assert_true(json_equal(json_object_get(row, "created_at"), updated));
    json_object_del(row, "created_at");
    json_object_del(row, "updated_at");
    json_t *wanted =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:n}", "id", id, "label", "Sala Verde \xC3\xA9",
                  "channel_id", "-1001000000101", "channel_type", "destination", "description", "Para avisos",
                  "status", "active", "signal_count", 0, "last_signal");
    if (!json_equal(row, wanted))
        fail_msg("%s", json_dumps(row, 0));
    json_decref(wanted);
    json_decref(row);
    json_t *list = api_json(&api, CHANNELS, 200);
    assert_true(json_is_string(json_object_get(list, "timestamp")));
    json_decref(list);
}

static void test_channel_when_registered_twice_then_409_until_it_is_deleted(void **state)
{
    char first[128], second[128], third[128];
    (void)state;
    create_channel("Sala A", "-1001000000102", first);
    api_call(&api, "POST", CHANNELS, NULL, "{\"label\":\"Sala B\",\"channel_id\":\"-1001000000102\"}");
    assert_error(&api, 409, "Channel already exists");
    /* the other type is another registration */
    create(CHANNELS, "{\"label\":\"S\",\"channel_id\":\"-1001000000102\",\"channel_type\":\"destination\"}",
           second);
    assert_int_equal(change(CHANNELS, second, "{\"channel_type\":\"source\"}"), 409);
    assert_error(&api, 409, "Channel already exists");
    assert_int_equal(remove_one(CHANNELS, first), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
    remove_one(CHANNELS, first);
    assert_error(&api, 404, "Channel not found");
    change(CHANNELS, first, "{\"label\":\"x\"}");
    assert_error(&api, 404, "Channel not found");
    assert_null(listed(CHANNELS, first));
    assert_int_equal(
        api_rows(&api, "telegram_channels WHERE channel_id = -1001000000102 AND status = 'deleted'"), 1);
    create_channel("Sala C", "-1001000000102", third);
    assert_string_not_equal(first, third);
    assert_field(CHANNELS, third, "label", json_string("Sala C"));
    assert_int_equal(api_rows(&api, "telegram_channels WHERE channel_id = -1001000000102"), 3);
    assert_int_equal(api_log_count(&api, "\"Change not stored\""), 0);
}

static void test_channel_when_changed_then_what_the_body_names_and_nothing_else(void **state)
{
    char id[128], other[128];
    (void)state;
    create(CHANNELS, "{\"label\":\"Antes\",\"channel_id\":\"-1001000000103\",\"description\":\"d\"}", id);
    create_channel("Outra", "-1001000000104", other);
    static const struct {
        const char *body, *name, *value;
    } cases[] = {
        {"{\"label\":\"Depois\"}", "label", "\"Depois\""},
        {"{\"channel_id\":\"-1001000000105\"}", "channel_id", "\"-1001000000105\""},
        {"{\"channel_type\":\"destination\"}", "channel_type", "\"destination\""},
        {"{\"description\":null}", "description", "null"},
        {"{\"description\":\"\"}", "description", "\"\""},
        {"{\"status\":\"inactive\"}", "status", "\"inactive\""},
        {"{\"signal_count\":2147483647}", "signal_count", "2147483647"},
        {"{\"signal_count\":7}", "signal_count", "7"},
        {"{\"last_signal\":\"2026-11-03T10:00:00.5-03:00\"}", "last_signal", "\"2026-11-03T13:00:00.500Z\""},
        {"{\"last_signal\":null}", "last_signal", "null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *before = listed(CHANNELS, id);
        assert_int_equal(change(CHANNELS, id, cases[i].body), 200);
        assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
        json_t *after = listed(CHANNELS, id), *wanted = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
        if (!json_equal(json_object_get(after, cases[i].name), wanted))
            fail_msg("%s: %s", cases[i].body, json_dumps(after, 0));
        assert_true(strcmp(json_string_value(json_object_get(after, "updated_at")),
                           json_string_value(json_object_get(before, "updated_at"))) >= 0);
        json_object_set(before, cases[i].name, wanted);
        json_object_set(before, "updated_at", json_object_get(after, "updated_at"));
        assert_true(json_equal(before, after));
        json_decref(wanted);
        json_decref(before);
        json_decref(after);
    }
    change(CHANNELS, id, "{\"channel_id\":\"-1001000000104\",\"channel_type\":\"source\"}");
    assert_error(&api, 409, "Channel already exists");
    assert_field(CHANNELS, id, "channel_id", json_string("-1001000000105"));
    assert_int_equal(change(CHANNELS, id, "{\"channel_id\":\"-1001000000105\",\"channel_type\":\"source\"}"),
                     200);
    change(CHANNELS, "channel-none", "{\"label\":\"x\"}");
    assert_error(&api, 404, "Channel not found");
}

static void test_channel_when_the_body_is_wrong_then_400_names_the_field_and_nothing_is_stored(void **state)
{
    static const struct {
        const char *method, *body, *error;
    } cases[] = {
        {"POST", "{", "Invalid JSON"},
        {"POST", "[]", "Invalid JSON"},
        {"POST", "{\"label\":\"a\\u0000\",\"channel_id\":1}", "Invalid JSON"},
        {"POST", "{}", "label and channel_id are required"},
        {"POST", "{\"label\":\"x\"}", "label and channel_id are required"},
        {"POST", "{\"channel_id\":1}", "label and channel_id are required"},
        {"POST", "{\"label\":null,\"channel_id\":1}", "label and channel_id are required"},
        {"POST", "{\"label\":\"\",\"channel_id\":1}", "Invalid field: label"},
        {"POST", "{\"label\":\" \\t\",\"channel_id\":1}", "Invalid field: label"},
        {"POST", "{\"label\":5,\"channel_id\":1}", "Invalid field: label"},
        {"POST", "{\"label\":\"x\",\"channel_id\":0}", "Invalid field: channel_id"},
        {"POST", "{\"label\":\"x\",\"channel_id\":1.5}", "Invalid field: channel_id"},
        {"POST", "{\"label\":\"x\",\"channel_id\":\"@sala\"}", "Invalid field: channel_id"},
        {"POST", "{\"label\":\"x\",\"channel_id\":\"9223372036854775808\"}", "Invalid field: channel_id"},
        {"POST", "{\"label\":\"x\",\"channel_id\":1,\"channel_type\":\"Source\"}",
         "Invalid field: channel_type"},
        {"POST", "{\"label\":\"x\",\"channel_id\":1,\"description\":{}}", "Invalid field: description"},
        {"PUT", "{}", "No fields to update"},
        {"PUT", "{\"created_at\":\"2026-11-03T13:00:00Z\"}", "No fields to update"},
        {"PUT", "{\"label\":null}", "Invalid field: label"},
        {"PUT", "{\"status\":\"deleted\"}", "Invalid field: status"},
        {"PUT", "{\"status\":null}", "Invalid field: status"},
        {"PUT", "{\"signal_count\":-1}", "Invalid field: signal_count"},
        {"PUT", "{\"signal_count\":2147483648}", "Invalid field: signal_count"},
        {"PUT", "{\"signal_count\":\"5\"}", "Invalid field: signal_count"},
        {"PUT", "{\"last_signal\":\"now\"}", "Invalid field: last_signal"},
        {"PUT", "{\"last_signal\":5}", "Invalid field: last_signal"},
    };
    char id[128], path[256];
    (void)state;
    create_channel("Certa", "-1001000000106", id);
    json_t *before = listed(CHANNELS, id);
    long rows = api_rows(&api, "telegram_channels");
    snprintf(path, sizeof(path), CHANNELS "/%s", id);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool post = strcmp(cases[i].method, "POST") == 0;
        api_call(&api, cases[i].method, post ? CHANNELS : path, NULL, cases[i].body);
        assert_error(&api, 400, cases[i].error);
    }
    const char *const plain[] = {"Content-Type: text/plain", NULL};
    ts_test_http(&(struct ts_test_request){.url = api_url(&api, CHANNELS), .headers = plain, .body = "{}"},
                 &api.reply);
    assert_error(&api, 415, "Content-Type must be application/json");
    api_call(&api, "PATCH", path, NULL, "{}");
    assert_error(&api, 405, "Method not allowed");
    char *long_path = malloc(2000);
    memset(long_path, 'x', 1999);
    memcpy(long_path, CHANNELS "/", strlen(CHANNELS "/"));
    long_path[1000] = '\0';
    api_call(&api, "DELETE", long_path, NULL, NULL);
    assert_error(&api, 404, "Channel not found");
    free(long_path);
    json_t *after = listed(CHANNELS, id);
    assert_true(json_equal(before, after));
    assert_int_equal(api_rows(&api, "telegram_channels"), rows);
    json_decref(before);
    json_decref(after);
}

static void test_channels_when_listed_then_newest_update_first_and_counting_is_no_update(void **state)
{
    char first[128], second[128];
    (void)state;
    create_channel("Primeira", "-1001000000107", first);
    ts_test_sleep_ms(5); /* the next millisecond */
    create_channel("Segunda", "-1001000000108", second);
    ts_test_sleep_ms(5);
    send_message("-1001000000107", 1, "\"text\":\"COMPRA PETR4 30\"");
    json_t *list = api_json(&api, CHANNELS, 200);
    const char *top =
        json_string_value(json_object_get(json_array_get(json_object_get(list, "data"), 0), "id"));
    assert_string_equal(top, second);
    json_decref(list);
    ts_test_sleep_ms(5);
    assert_int_equal(change(CHANNELS, first, "{\"description\":\"x\"}"), 200);
    list = api_json(&api, CHANNELS, 200);
    top = json_string_value(json_object_get(json_array_get(json_object_get(list, "data"), 0), "id"));
    assert_string_equal(top, first);
    json_decref(list);
}

static void test_channel_when_signals_come_and_go_then_its_count_follows(void **state)
{
    char id[128], body[64];
    (void)state;
    send_message("-1001000000109", 1, "\"text\":\"COMPRA PETR4 30\"");
    ts_test_sleep_ms(5); /* before the channel: by milliseconds */
    create_channel("Contada", "-1001000000109", id);
    assert_field(CHANNELS, id, "signal_count", json_integer(0));
    send_message("-1001000000109", 2, "\"text\":\"COMPRA PETR4 30\"");
    send_message("-1001000000109", 3, "\"text\":\"VENDA VALE3 60\"");
    send_message("-1001000000109", 4, "\"text\":\"bom dia\"");
    assert_field(CHANNELS, id, "signal_count", json_integer(2));
    assert_field(CHANNELS, id, "last_signal", json_string("2026-11-03T13:00:00.000Z"));
    json_t *page = api_json(&api, "/signals?channel=-1001000000109", 200), *row;
    size_t i;
    /* The first one was stored before the channel was registered, and was never counted. */
    json_array_foreach(json_object_get(page, "data"), i, row)
    {
        snprintf(body, sizeof(body), "{\"id\":%lld}", json_integer_value(json_object_get(row, "id")));
        bool early = json_integer_value(json_object_get(row, "message_id")) == 1;
        bool keep = json_integer_value(json_object_get(row, "message_id")) == 3;
        if (!keep)
            assert_int_equal(api_call(&api, "DELETE", "/signals", NULL, body), 200);
        if (early)
            assert_field(CHANNELS, id, "signal_count", json_integer(1));
    }
    json_decref(page);
    assert_field(CHANNELS, id, "signal_count", json_integer(1));
    /* A number that somebody set does not go below nothing. */
    assert_int_equal(change(CHANNELS, id, "{\"signal_count\":0}"), 200);
    send_message("-1001000000109", 3, "\"deleted\":true");
    assert_field(CHANNELS, id, "signal_count", json_integer(0));
}

static void test_config_when_channels_change_then_it_names_the_active_ones(void **state)
{
    char id[128];
    (void)state;
    create_channel("Ativa", "-1001000000110", id);
    api_get(&api, "/config/channels");
    assert_non_null(strstr(api.reply.body, "{\"channelId\":\"-1001000000110\",\"type\":\"source\"}"));
    assert_int_equal(change(CHANNELS, id, "{\"status\":\"inactive\"}"), 200);
    api_get(&api, "/config/channels");
    assert_null(strstr(api.reply.body, "-1001000000110"));
    assert_int_equal(change(CHANNELS, id, "{\"status\":\"active\"}"), 200);
    api_get(&api, "/config/channels");
    assert_non_null(strstr(api.reply.body, "-1001000000110"));
    /* A message without a name gets the label. */
    send_message("-1001000000110", 1, "\"text\":\"COMPRA PETR4 30\"");
    json_t *page = api_json(&api, "/signals?channel=Ativa", 200);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 1);
    json_decref(page);
    assert_int_equal(remove_one(CHANNELS, id), 200);
    api_get(&api, "/config/channels");
    assert_null(strstr(api.reply.body, "-1001000000110"));
}

static void test_legacy_when_used_then_the_same_channels_in_the_older_form(void **state)
{
    (void)state;
    assert_int_equal(
        api_call(&api, "POST", LEGACY, NULL, "{\"label\":\"Antiga\",\"channel_id\":-1001000000111}"), 201);
    json_t *answer = json_loads(api.reply.body, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_true(json_object_get(answer, "success")));
    json_t *channel = json_object_get(answer, "channel");
    const char *id = json_string_value(json_object_get(channel, "id"));
    json_t *row = listed(CHANNELS, id), *same = listed(LEGACY, id);
    if (!json_equal(channel, row))
        fail_msg("%s instead of %s", json_dumps(channel, 0), json_dumps(row, 0));
    assert_true(json_equal(same, row));
    json_decref(row);
    json_decref(same);
    json_t *list = api_json(&api, LEGACY, 200);
    assert_int_equal(json_object_size(list), 1);
    json_decref(list);
    assert_int_equal(change(LEGACY, id, "{\"label\":\"Nova\"}"), 200);
    assert_string_equal(api.reply.body, "{\"success\":true}");
    assert_field(CHANNELS, id, "label", json_string("Nova"));
    api_call(&api, "POST", LEGACY, NULL, "{\"label\":\"Antiga\",\"channel_id\":-1001000000111}");
    assert_error(&api, 409, "Channel already exists");
    assert_int_equal(remove_one(LEGACY, id), 200);
    assert_string_equal(api.reply.body, "{\"success\":true}");
    remove_one(LEGACY, id);
    assert_error(&api, 404, "Channel not found");
    json_decref(answer);
}

/* --- bots --------------------------------------------------------------------------------------------------------------- */

static void create_bot(const char *username, int n, char id[128])
{
    char body[512];
    snprintf(body, sizeof(body), "{\"username\":\"%s\",\"token\":\"%s\"}", username, token(n));
    create(BOTS, body, id);
}

static bool bot_is_configured(void)
{
    json_t *list = api_json(&api, "/bots", 200);
    bool configured = json_is_true(json_object_get(json_object_get(list, "data"), "configured"));
    json_decref(list);
    return configured;
}

static void test_bot_when_registered_changed_and_deleted_then_the_lists_follow(void **state)
{
    char id[128], again[128], body[256];
    (void)state;
    assert_false(bot_is_configured());
    create_bot("@Aviso_Bot", 1, id);
    assert_int_equal(strncmp(id, "bot-", 4), 0);
    assert_true(bot_is_configured());
    json_t *row = listed(BOTS, id);
    const char *fingerprint = json_string_value(json_object_get(row, "token_fingerprint"));
    assert_int_equal(strspn(fingerprint, "0123456789abcdef"), 12);
    assert_int_equal(strlen(fingerprint), 12);
    assert_true(json_is_true(json_object_get(row, "has_token")));
    assert_int_equal(json_object_size(row), 9);
    assert_field(BOTS, id, "username", json_string("Aviso_Bot"));
    assert_field(BOTS, id, "bot_type", json_string("Sender"));
    assert_field(BOTS, id, "status", json_string("active"));
    assert_field(BOTS, id, "description", json_null());

    snprintf(body, sizeof(body), "{\"username\":\"aviso_bot\",\"token\":\"%s\"}", token(2));
    api_call(&api, "POST", BOTS, NULL, body);
    assert_error(&api, 409, "Bot already exists");
    snprintf(body, sizeof(body), "{\"token\":\"%s\",\"bot_type\":\"Reader\",\"description\":\"d\"}",
             token(2));
    assert_int_equal(change(BOTS, id, body), 200);
    json_t *after = listed(BOTS, id);
    assert_false(
        json_equal(json_object_get(after, "token_fingerprint"), json_object_get(row, "token_fingerprint")));
    assert_field(BOTS, id, "bot_type", json_string("Reader"));
    json_decref(row);
    json_decref(after);

    create_bot("Outro_Bot", 3, again);
    change(BOTS, again, "{\"username\":\"@AVISO_BOT\"}");
    assert_error(&api, 409, "Bot already exists");
    assert_int_equal(change(BOTS, again, "{\"username\":\"@outro_BOT\"}"), 200);
    assert_field(BOTS, again, "username", json_string("outro_BOT"));
    assert_int_equal(change(BOTS, again, "{\"status\":\"inactive\"}"), 200);
    assert_int_equal(remove_one(BOTS, id), 200);
    assert_false(bot_is_configured());
    remove_one(BOTS, id);
    assert_error(&api, 404, "Bot not found");
    change(BOTS, id, "{\"status\":\"active\"}");
    assert_error(&api, 404, "Bot not found");
    create_bot("Aviso_Bot", 1, id);
    assert_true(bot_is_configured());
}

static void test_bot_when_the_body_is_wrong_then_400_names_the_field(void **state)
{
    static const struct {
        const char *method, *body, *error;
    } cases[] = {
        {"POST", "{\"username\":\"x\"}", "username and token are required"},
        {"POST", "{\"token\":\"x\"}", "username and token are required"},
        {"POST", "{\"username\":\"@\",\"token\":\"x\"}", "Invalid field: username"},
        {"POST", "{\"username\":\"x\",\"token\":\"x\"}", "Invalid field: token"},
        {"PUT", "{}", "No fields to update"},
        {"PUT", "{\"id\":\"x\"}", "No fields to update"},
        {"PUT", "{\"token\":null}", "Invalid field: token"},
        {"PUT", "{\"token\":\"12345:\"}", "Invalid field: token"},
        {"PUT", "{\"bot_type\":\"\"}", "Invalid field: bot_type"},
        {"PUT", "{\"status\":\"deleted\"}", "Invalid field: status"},
        {"PUT", "{\"description\":1}", "Invalid field: description"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool post = strcmp(cases[i].method, "POST") == 0;
        api_call(&api, cases[i].method, post ? BOTS : BOTS "/bot-none", NULL, cases[i].body);
        assert_error(&api, 400, cases[i].error);
    }
    change(BOTS, "bot-none", "{\"status\":\"active\"}");
    assert_error(&api, 404, "Bot not found");
}

static void assert_not_in(const char *where, const char *text, size_t len, const char *secret)
{
    if (memmem(text, len, secret, strlen(secret)))
        fail_msg("the token stands in %s", where);
}

/* True when the text stands in a file of the database. */
static bool is_in_files(const char *text)
{
    char output[TS_TEST_PATH_SIZE];
    const char *const argv[] = {"grep", "-rqF", text, on_postgres() ? contract_pg.dir : api.dir, NULL};
    return ts_test_run(&(struct ts_test_spawn){.argv = argv}, output) == 0;
}

/* The secret part after the colon is looked for everywhere: answers, log ring, process log, files of the database. */
static void test_bot_when_its_token_was_given_then_it_is_kept_nowhere(void **state)
{
    char id[128], body[256], secret[64];
    static const char *const pages[] = {BOTS, "/bots", "/logs?limit=200", "/metrics"};
    (void)state;
    create_bot("Segredo_Bot", 777, id);
    snprintf(secret, sizeof(secret), "%s", strchr(token(777), ':') + 1);
    snprintf(body, sizeof(body), "{\"username\":\"Segredo_Bot\",\"token\":\"%s\"}", token(777));
    api_call(&api, "POST", BOTS, NULL, body); /* 409 */
    assert_not_in("an answer", api.reply.body, api.reply.body_len, secret);
    snprintf(body, sizeof(body), "{\"token\":\"%s!\"}", token(777));
    change(BOTS, id, body); /* 400 */
    assert_not_in("an answer", api.reply.body, api.reply.body_len, secret);
    snprintf(body, sizeof(body), "{\"username\":\"b\",\"token\":\"%s\"", token(777));
    api_call(&api, "POST", BOTS, NULL, body); /* cut */
    assert_not_in("an answer", api.reply.body, api.reply.body_len, secret);
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        assert_int_equal(api_get(&api, pages[i]), 200);
        assert_not_in(pages[i], api.reply.body, api.reply.body_len, secret);
    }
    assert_int_equal(api_log_count(&api, secret), 0);
    assert_true(api_log_count(&api, "\"Bot registered\"") > 0);
    assert_true(is_in_files("Segredo_Bot"));
    assert_false(is_in_files(secret));
}

/* --- who may, and faults ------------------------------------------------------------------------------------------------ */

#define ADMIN "registry-admin-token-0123456789abcdef"

static void test_mutations_when_there_is_an_admin_token_or_a_foreign_page_then_only_who_may(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } mutations[] = {
        {"POST", CHANNELS, "{\"label\":\"x\",\"channel_id\":1}"},
        {"PUT", CHANNELS "/a", "{\"label\":\"x\"}"},
        {"DELETE", CHANNELS "/a", NULL},
        {"POST", LEGACY, "{\"label\":\"x\",\"channel_id\":1}"},
        {"PUT", LEGACY "/a", "{\"label\":\"x\"}"},
        {"DELETE", LEGACY "/a", NULL},
        {"POST", BOTS, "{\"username\":\"x\",\"token\":\"x\"}"},
        {"PUT", BOTS "/a", "{\"username\":\"x\"}"},
        {"DELETE", BOTS "/a", NULL},
    };
    struct api own;
    (void)state;
    api_start(&own, (const char *const[]){"ADMIN_TOKEN=" ADMIN, NULL});
    for (size_t i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++) {
        const char *method = mutations[i].method, *path = mutations[i].path, *body = mutations[i].body;
        api_call(&own, method, path, NULL, body);
        assert_error(&own, 401, "Unauthorized");
        api_call(&own, method, path, "Authorization: Bearer " ADMIN "x", body);
        assert_error(&own, 401, "Unauthorized");
        api_call(&own, method, path, "Origin: http://evil.example", body);
        assert_error(&own, 403, "Origin not allowed");
        long status = api_call(&own, method, path, "Authorization: Bearer " ADMIN, body);
        assert_true(status == 201 || status == 404 || status == 400 || status == 409);
    }
    assert_int_equal(api_rows(&own, "telegram_channels"), 1);
    assert_int_equal(api_get(&own, CHANNELS), 200); /* reading needs none */
    assert_int_equal(api_get(&own, BOTS), 200);
    api_stop(&own);
}

static void test_mutation_when_the_database_is_away_then_503_and_it_can_be_asked_again(void **state)
{
    char retry[16], id[128];
    (void)state;
    if (!on_postgres())
        skip();
    ts_test_pg_down(&contract_pg);
    api_call(&api, "POST", CHANNELS, NULL, "{\"label\":\"x\",\"channel_id\":-1001000000112}");
    assert_error(&api, 503, "Database unavailable, please retry");
    assert_true(ts_test_header(&api.reply, "Retry-After", retry, sizeof(retry)));
    api_get(&api, CHANNELS);
    assert_error(&api, 503, "Database unavailable, please retry");
    ts_test_pg_boot(&contract_pg);
    api_wait_healthy(&api);
    create_channel("x", "-1001000000112", id);
}

/* A foreign hand without our lock has the place, and commits while we wait for it. */
static void test_channel_when_somebody_else_is_faster_then_409(void **state)
{
    char id[128], sql[512];
    struct ts_test_process psql = {0};
    (void)state;
    if (!on_postgres())
        skip();
    create_channel("Disputada", "-1001000000113", id);
    snprintf(sql, sizeof(sql),
             "BEGIN; INSERT INTO %s.telegram_channels (id, label, channel_id) VALUES ('foreign', 'x', "
             "-1001000000114); SELECT pg_sleep(0.7); COMMIT",
             api.schema);
    const char *const argv[] = {"psql", "-qX", contract_pg.url, "-c", sql, NULL};
    ts_test_start(&psql, &(struct ts_test_spawn){.argv = argv});
    const int64_t until = ts_test_now_ms() + 10000;
    while (ts_test_pg_count(&contract_pg,
                            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == 0)
        assert_true(ts_test_now_ms() < until);
    change(CHANNELS, id, "{\"channel_id\":\"-1001000000114\"}");
    assert_error(&api, 409, "Channel already exists");
    assert_true(ts_test_wait_exit(&psql, 10000));
    assert_int_equal(WEXITSTATUS(psql.status), 0);
    api_call(&api, "POST", CHANNELS, NULL, "{\"label\":\"x\",\"channel_id\":-1001000000114}");
    assert_error(&api, 409, "Channel already exists");
}

static void test_registry_when_killed_after_an_answer_then_it_is_still_there(void **state)
{
    char id[128];
    (void)state;
    create_channel("Firme", "-1001000000115", id);
    ts_test_end(&api.process, SIGKILL);
    api_again(&api);
    assert_field(CHANNELS, id, "label", json_string("Firme"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_when_registered_then_it_is_listed_with_every_field_of_the_contract),
        cmocka_unit_test(test_channel_when_registered_twice_then_409_until_it_is_deleted),
        cmocka_unit_test(test_channel_when_changed_then_what_the_body_names_and_nothing_else),
        cmocka_unit_test(test_channel_when_the_body_is_wrong_then_400_names_the_field_and_nothing_is_stored),
        cmocka_unit_test(test_channels_when_listed_then_newest_update_first_and_counting_is_no_update),
        cmocka_unit_test(test_channel_when_signals_come_and_go_then_its_count_follows),
        cmocka_unit_test(test_config_when_channels_change_then_it_names_the_active_ones),
        cmocka_unit_test(test_legacy_when_used_then_the_same_channels_in_the_older_form),
        cmocka_unit_test(test_bot_when_registered_changed_and_deleted_then_the_lists_follow),
        cmocka_unit_test(test_bot_when_the_body_is_wrong_then_400_names_the_field),
        cmocka_unit_test(test_bot_when_its_token_was_given_then_it_is_kept_nowhere),
        cmocka_unit_test(test_mutations_when_there_is_an_admin_token_or_a_foreign_page_then_only_who_may),
        cmocka_unit_test(test_mutation_when_the_database_is_away_then_503_and_it_can_be_asked_again),
        cmocka_unit_test(test_channel_when_somebody_else_is_faster_then_409),
        cmocka_unit_test(test_registry_when_killed_after_an_answer_then_it_is_still_there),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("registry", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
