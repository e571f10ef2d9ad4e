/* POST /ingest over HTTP: every row of tp-capital 3.2, every limit of 3.1, idempotency and revisions. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"

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

static long post(const char *const *headers, const char *body)
{
    const struct ts_test_request request = {
        .method = "POST", .url = api_url(&api, "/ingest"), .headers = headers, .body = body};
    return ts_test_http(&request, &api.reply);
}

static const char *header(const char *name)
{
    static char value[256];
    return ts_test_header(&api.reply, name, value, sizeof(value)) ? value : "";
}

static double counted(const char *status)
{
    char sample[96];
    snprintf(sample, sizeof(sample), "api_ingestion_requests_total{status=\"%s\"}", status);
    struct ts_test_reply kept = api.reply;
    api.reply = (struct ts_test_reply){0};
    double value = api_metric(&api, sample);
    ts_test_reply_done(&api.reply);
    api.reply = kept;
    return value;
}

/* --- 3.2 ---------------------------------------------------------------------------------------------------------------- */

#define VALID                                                                                           \
    "{\"channelId\":\"-1001000000001\",\"messageId\":1,\"text\":\"\",\"timestamp\":\"2026-11-03T13:00:" \
    "00Z\"}"
#define JSON "Content-Type: application/json"

static void test_ingest_when_method_is_not_post_then_405_with_allow(void **state)
{
    (void)state;
    assert_int_equal(api_get(&api, "/ingest"), 405);
    assert_error(&api, 405, "Method not allowed");
    assert_string_equal(header("Allow"), "POST");
}

static void test_ingest_when_token_is_absent_or_empty_then_401(void **state)
{
    (void)state;
    double before = counted("auth_error");
    post((const char *const[]){JSON, NULL}, VALID);
    assert_error(&api, 401, "Missing X-Gateway-Token header");
    post((const char *const[]){JSON, "X-Gateway-Token;", NULL}, VALID);
    assert_error(&api, 401, "Missing X-Gateway-Token header");
    assert_true(counted("auth_error") == before + 2);
}

static void test_ingest_when_token_is_wrong_then_401_even_if_all_else_is_wrong_too(void **state)
{
    (void)state;
    double before = counted("auth_error");
    post((const char *const[]){"X-Gateway-Token: wrong", "Content-Type: text/plain", NULL}, "{");
    assert_error(&api, 401, "Invalid gateway token");
    post((const char *const[]){"X-Gateway-Token: " TOKEN "x", JSON, NULL}, VALID);
    assert_error(&api, 401, "Invalid gateway token");
    assert_true(counted("auth_error") == before + 2);
}

static void test_ingest_when_content_type_is_not_json_then_415(void **state)
{
    (void)state;
    double before = counted("validation_error");
    post((const char *const[]){TOKEN_HEADER, "Content-Type: text/plain", NULL}, VALID);
    assert_error(&api, 415, "Content-Type must be application/json");
    post((const char *const[]){TOKEN_HEADER, "Content-Type: application/json; charset=latin1", NULL}, VALID);
    assert_error(&api, 415, "Content-Type must be application/json");
    post((const char *const[]){TOKEN_HEADER, "Content-Type:", NULL}, VALID);
    assert_error(&api, 415, "Content-Type must be application/json");
    assert_true(counted("validation_error") == before + 3);
    assert_int_equal(
        post((const char *const[]){TOKEN_HEADER, "Content-Type: Application/JSON; Charset=UTF-8", NULL},
             VALID),
        200);
}

static char *body_of(size_t size)
{
    char *body = malloc(size + 1);
    memset(body, ' ', size);
    memcpy(body, VALID, strlen(VALID));
    body[size] = '\0';
    return body;
}

static void test_ingest_when_body_is_over_1_mib_then_413_declared_or_counted(void **state)
{
    (void)state;
    double before = counted("validation_error");
    char *at_limit = body_of(1024 * 1024), *beyond = body_of(1024 * 1024 + 1);
    assert_int_equal(api_ingest(&api, at_limit), 200);
    api_ingest(&api, beyond);
    assert_error(&api, 413, "Payload too large");
    post((const char *const[]){TOKEN_HEADER, JSON, "Transfer-Encoding: chunked", NULL}, beyond);
    assert_error(&api, 413, "Payload too large");
    assert_true(counted("validation_error") == before + 2);
    free(at_limit);
    free(beyond);
}

static void test_ingest_when_body_is_no_json_object_then_400(void **state)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        "{\"a\":1,\"a\":2}",
        "{\"text\":\"\\u0000\"}",
        "{\"text\":\"\\ud83d\"}",
        "{\"text\":\"\xff\xfe\"}",
        "{\"text\":\"\xed\xa0\x80\"}",
        "{\"messageId\":9223372036854775808}",
        "{\"messageId\":1e400}",
        "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
        VALID " x",
        "{'channelId':1}",
        "{\"channelId\":01}",
        "\xef\xbb\xbf" VALID,
    };
    (void)state;
    double before = counted("validation_error");
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        api_ingest(&api, bodies[i]);
        assert_error(&api, 400, "Invalid JSON");
    }
    assert_true(counted("validation_error") == before + (double)(sizeof(bodies) / sizeof(bodies[0])));
}

static void test_ingest_when_fields_are_missing_then_the_first_in_order_is_named(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{}", "Missing required field: channelId"},
        {"{\"channelId\":null,\"messageId\":0}", "Missing required field: channelId"},
        {"{\"channelId\":\"x\"}", "Missing required field: messageId"},
        {"{\"channelId\":\"x\",\"messageId\":\"x\"}", "Missing required field: text"},
        {"{\"channelId\":\"x\",\"messageId\":\"x\",\"text\":1}", "Missing required field: timestamp"},
        {"{\"channelId\":\"x\",\"messageId\":\"x\",\"text\":1,\"timestamp\":1}", "Invalid field: channelId"},
        {"{\"channelId\":1,\"messageId\":\"x\",\"text\":1,\"timestamp\":1}", "Invalid field: messageId"},
        {"{\"channelId\":1,\"messageId\":1,\"text\":1,\"timestamp\":1}", "Invalid field: text"},
        {"{\"channelId\":1,\"messageId\":1,\"text\":\"\",\"timestamp\":1,\"photos\":1}",
         "Invalid field: timestamp"},
        {"{\"channelId\":1,\"messageId\":1,\"timestamp\":\"2026-11-03T13:00:00Z\",\"deleted\":false}",
         "Missing required field: text"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        api_ingest(&api, cases[i].body);
        assert_error(&api, 400, cases[i].error);
    }
}

static void test_ingest_when_stored_then_200_and_when_known_then_skipped(void **state)
{
    (void)state;
    double success = counted("success"), duplicate = counted("duplicate");
    const char *message = "{\"channelId\":-1001000000009,\"messageId\":\"7\",\"text\":\"COMPRA PETR4 "
                          "30\",\"timestamp\":\"2026-11-03T13:00:00Z\"}";
    const char *other_time = "{\"channelId\":\"-1001000000009\",\"messageId\":7,\"text\":\"x\",\"timestamp\":"
                             "\"2026-11-03T14:00:00Z\"}";
    assert_int_equal(api_ingest(&api, message), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
    assert_int_equal(api_ingest(&api, message), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\",\"skipped\":true}");
    assert_int_equal(api_ingest(&api, other_time), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\",\"skipped\":true}");
    assert_true(counted("success") == success + 1);
    assert_true(counted("duplicate") == duplicate + 2);
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE channel_id = -1001000000009"), 1);
}

static void test_ingest_when_request_id_is_given_then_it_is_echoed_and_kept(void **state)
{
    (void)state;
    const char *message = "{\"channelId\":\"-1001000000010\",\"messageId\":1,\"text\":\"x\",\"timestamp\":"
                          "\"2026-11-03T13:00:00Z\"}";
    assert_int_equal(
        post((const char *const[]){TOKEN_HEADER, JSON, "X-Request-Id: from-gateway.1", NULL}, message), 200);
    assert_string_equal(header("X-Request-Id"), "from-gateway.1");
    assert_int_equal(
        api_rows(&api, "ingested_messages WHERE request_id = 'from-gateway.1' AND traceparent IS NOT NULL"),
        1);
}

/* --- 3.1 ---------------------------------------------------------------------------------------------------------------- */

static long next_id = 1000;

/* A valid message with one member set to a value (JSON text); the id is new each time. */
static long ingest_with(const char *member, const char *value)
{
    static char body[128 * 1024];
    json_t *message = json_pack("{s:s, s:I, s:s, s:s}", "channelId", "-1001000000002", "messageId",
                                (json_int_t)next_id++, "text", "x", "timestamp", "2026-11-03T13:00:00Z");
    char *text;
    json_object_del(message, member);
    text = json_dumps(message, JSON_COMPACT);
    snprintf(body, sizeof(body), "{\"%s\":%s,%s", member, value, text + 1);
    free(text);
    json_decref(message);
    return api_ingest(&api, body);
}

static void test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400(void **state)
{
    static const struct {
        const char *member, *good, *bad;
    } cases[] = {
        {"channelId", "\"-9223372036854775808\"", "\"-9223372036854775809\""},
        {"channelId", "9223372036854775807", "\"9223372036854775808\""},
        {"channelId", "\"-100100000000000000\"", "\"-100100000000000000x\""},
        {"channelId", "\"00000000000000000005\"", "\"000000000000000000005\""},
        {"channelId", "1", "0"},
        {"channelId", "-1", "\"\""},
        {"channelId", "-2", "1.5"},
        {"channelId", "-3", "{}"},
        {"channelId", "-4", "\"hello; world\""},
        {"messageId", "9223372036854775807", "\"9223372036854775808\""},
        {"messageId", "\"9223372036854775806\"", "0"},
        {"messageId", "\"900\"", "\"12xyz\""},
        {"messageId", "901", "-5"},
        {"messageId", "902", "1.9"},
        {"messageId", "903", "1e300"},
        {"messageId", "906", "907.0"},
        {"messageId", "904", "\"abc\""},
        {"messageId", "905", "true"},
        {"text", "\"\"", "1"},
        {"text", "\"x\"", "{}"},
        {"timestamp", "\"2013-01-01T00:00:00Z\"", "\"2012-12-31T23:59:59Z\""},
        {"timestamp", "\"2026-11-03T13:00:00.123456-03:00\"", "\"2026-11-03T13:00:00.1234567Z\""},
        {"timestamp", "\"2026-11-03T13:00:00+00:00\"", "\"2026-11-03T13:00:00\""},
        {"timestamp", "\"2024-02-29T00:00:00Z\"", "\"2026-02-29T00:00:00Z\""},
        {"timestamp", "\"2026-11-03T13:00:01Z\"", "\"2099-01-01T00:00:00Z\""},
        {"timestamp", "\"2026-11-03T13:00:02Z\"", "\"1\""},
        {"photos", "[]", "\"x\""},
        {"photos", "[\"a\",{\"fileId\":\"b\",\"width\":1,\"height\":2,\"fileSize\":3}]", "[1]"},
        {"photos", "[1,2,3]", NULL},
        {"photos", "null", "[{\"width\":-1}]"},
        {"photos", "[{\"fileId\":null,\"width\":null}]", "[{\"width\":1.0}]"},
        {"source", "\"bot\"", "\"postman\""},
        {"source", "\"replay\"", "\"\""},
        {"source", "null", "1"},
        {"mediaType", "\"12345678901234567890\"", "\"123456789012345678901\""},
        {"receivedAt", "\"2026-11-03T13:00:05Z\"", "\"now\""},
        {"caption", "\"c\"", "[]"},
        {"forwarded",
         "{\"originalChannelId\":\"-1001\",\"originalMessageId\":5,\"destinationChannelId\":-1002,\"method\":"
         "\"copy\"}",
         "{}"},
        {"forwarded", "null",
         "{\"originalChannelId\":\"-1001\",\"originalMessageId\":5,\"destinationChannelId\":-1002,\"method\":"
         "\"steal\"}"},
        {"editedAt", "\"2026-11-03T13:00:00Z\"", "\"2026-11-03T12:59:59Z\""},
        {"deleted", "true", "\"yes\""},
        {"unknown", "{\"a\":[1]}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[64];
        snprintf(error, sizeof(error), "Invalid field: %s", cases[i].member);
        bool good = strcmp(cases[i].good, "[1,2,3]") != 0;
        if (ingest_with(cases[i].member, cases[i].good) != (good ? 200 : 400))
            fail_msg("%s = %s: %ld %s", cases[i].member, cases[i].good, api.reply.status, api.reply.body);
        if (!cases[i].bad)
            continue;
        if (ingest_with(cases[i].member, cases[i].bad) != 400)
            fail_msg("%s = %s: %ld %s", cases[i].member, cases[i].bad, api.reply.status, api.reply.body);
        assert_error(&api, 400, error);
    }
}

/* A JSON string of n letters. */
static const char *letters(size_t n)
{
    static char text[20000];
    text[0] = '"';
    memset(text + 1, 'a', n);
    text[n + 1] = '"';
    text[n + 2] = '\0';
    return text;
}

static void test_ingest_when_a_text_is_at_its_limit_then_200_and_one_byte_more_400(void **state)
{
    static const struct {
        const char *member;
        size_t max;
    } cases[] = {{"text", 16384}, {"channelName", 200}, {"caption", 16384}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ingest_with(cases[i].member, letters(cases[i].max)), 200);
        assert_int_equal(ingest_with(cases[i].member, letters(cases[i].max + 1)), 400);
    }
}

static void test_ingest_when_photos_are_20_then_200_and_21_then_400(void **state)
{
    char list[128], more[160];
    size_t len = (size_t)snprintf(list, sizeof(list), "[\"p\"");
    (void)state;
    for (int i = 1; i < 20; i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, ",\"p\"");
    snprintf(more, sizeof(more), "%s,\"p\"]", list);
    snprintf(list + len, sizeof(list) - len, "]");
    assert_int_equal(ingest_with("photos", list), 200);
    assert_int_equal(ingest_with("photos", more), 400);
    assert_error(&api, 400, "Invalid field: photos");
}

static void test_ingest_when_text_is_empty_then_the_caption_is_parsed(void **state)
{
    (void)state;
    api_ingest(&api, "{\"channelId\":\"-1001000000003\",\"messageId\":1,\"text\":\"\",\"caption\":\"COMPRA "
                     "VALE3 60,00 stop 58\","
                     "\"timestamp\":\"2026-11-03T13:00:00Z\"}");
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE channel_id = -1001000000003 AND asset = "
                                    "'VALE3' AND signal_type = 'BUY'"),
                     1);
}

/* --- faults of the system that this one replaces ------------------------------------------------------------------------ */

static void test_ingest_when_ids_are_almost_numbers_then_nothing_is_stored_under_another_id(void **state)
{
    static const char *const ids[] = {"1.9",    "\"12xyz\"", "-5",     "1e300", "\"0x10\"",
                                      "\" 7\"", "\"7 \"",    "\"+7\"", "[7]"};
    (void)state;
    long before = api_rows(&api, "ingested_messages");
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        assert_int_equal(ingest_with("messageId", ids[i]), 400);
    assert_int_equal(api_rows(&api, "ingested_messages"), before);
}

static void test_ingest_when_text_is_a_number_then_400_and_no_row(void **state)
{
    (void)state;
    long before = api_rows(&api, "ingested_messages");
    assert_int_equal(ingest_with("text", "123"), 400);
    assert_int_equal(api_rows(&api, "ingested_messages"), before);
}

static void test_ingest_when_timestamp_differs_then_the_message_is_not_stored_twice(void **state)
{
    (void)state;
    api_ingest(&api, "{\"channelId\":\"-1001000000004\",\"messageId\":1,\"text\":\"x\",\"timestamp\":\"2026-"
                     "11-03T13:00:00Z\"}");
    api_ingest(&api, "{\"channelId\":\"-1001000000004\",\"messageId\":1,\"text\":\"x\",\"timestamp\":\"2026-"
                     "11-03T13:00:01Z\"}");
    assert_int_equal(api_rows(&api, "ingested_messages WHERE channel_id = -1001000000004"), 1);
}

/* --- idempotency -------------------------------------------------------------------------------------------------------- */

enum { CLIENTS = 16 };

static void test_ingest_when_equal_requests_come_at_once_then_one_is_stored_and_the_others_are_skipped(
    void **state)
{
    const char *message = "{\"channelId\":\"-1001000000005\",\"messageId\":1,\"text\":\"COMPRA PETR4 "
                          "30\",\"timestamp\":\"2026-11-03T13:00:00Z\"}";
    int fds[CLIENTS], stored = 0, skipped = 0;
    char answer[4096];
    (void)state;
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = raw_connect(&api);
    for (int i = 0; i < CLIENTS; i++)
        raw_send_ingest(fds[i], message);
    for (int i = 0; i < CLIENTS; i++) {
        raw_read(fds[i], answer, sizeof(answer), "\"ok\"", 10000);
        raw_read(fds[i], answer + strlen(answer), 256, "}", 200);
        stored += strstr(answer, "{\"status\":\"ok\"}") != NULL;
        skipped += strstr(answer, "{\"status\":\"ok\",\"skipped\":true}") != NULL;
        close(fds[i]);
    }
    assert_int_equal(stored, 1);
    assert_int_equal(skipped, CLIENTS - 1);
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE channel_id = -1001000000005"), 1);
}

static void test_ingest_when_clients_vanish_before_the_answer_then_their_messages_are_stored(void **state)
{
    char body[256];
    (void)state;
    for (int i = 1; i <= 20; i++) {
        int fd = raw_connect(&api);
        snprintf(body, sizeof(body),
                 "{\"channelId\":\"-1001000000006\",\"messageId\":%d,\"text\":\"x\",\"timestamp\":\"2026-11-"
                 "03T13:00:00Z\"}",
                 i);
        raw_send_ingest(fd, body);
        close(fd);
    }
    for (int tries = 0;
         tries < 100 && api_rows(&api, "ingested_messages WHERE channel_id = -1001000000006") < 20; tries++)
        ts_test_sleep_ms(50);
    assert_int_equal(api_rows(&api, "ingested_messages WHERE channel_id = -1001000000006"), 20);
    assert_int_equal(api_get(&api, "/health"), 200);
}

/* --- revisions ---------------------------------------------------------------------------------------------------------- */

static const char *version(long id, const char *text, const char *edited_at)
{
    static char body[1024];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000007\",\"messageId\":%ld,\"text\":\"%s\",\"timestamp\":\"2026-11-"
             "03T13:00:00Z\"%s%s%s}",
             id, text, edited_at ? ",\"editedAt\":\"" : "", edited_at ? edited_at : "",
             edited_at ? "\"" : "");
    return body;
}

static void ingest_version(long id, const char *text, const char *edited_at, bool skipped)
{
    assert_int_equal(api_ingest(&api, version(id, text, edited_at)), 200);
    assert_string_equal(api.reply.body,
                        skipped ? "{\"status\":\"ok\",\"skipped\":true}" : "{\"status\":\"ok\"}");
}

static void delete_message(long id, bool skipped)
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000007\",\"messageId\":%ld,\"timestamp\":\"2026-11-03T13:00:00Z\","
             "\"deleted\":true}",
             id);
    assert_int_equal(api_ingest(&api, body), 200);
    assert_string_equal(api.reply.body,
                        skipped ? "{\"status\":\"ok\",\"skipped\":true}" : "{\"status\":\"ok\"}");
}

static void assert_shown(long id, const char *text, int versions)
{
    char where[256];
    snprintf(
        where, sizeof(where),
        "tp_capital_signals WHERE channel_id = -1001000000007 AND message_id = %ld AND raw_message = '%s'",
        id, text);
    assert_int_equal(api_rows(&api, where), 1);
    snprintf(where, sizeof(where), "ingested_messages WHERE channel_id = -1001000000007 AND message_id = %ld",
             id);
    assert_int_equal(api_rows(&api, where), versions);
}

static void test_revision_when_edited_then_the_signal_shows_the_edit_and_keeps_both(void **state)
{
    (void)state;
    ingest_version(1, "COMPRA PETR4 30", NULL, false);
    ingest_version(1, "COMPRA PETR4 31", "2026-11-03T13:01:00Z", false);
    assert_shown(1, "COMPRA PETR4 31", 2);
    ingest_version(1, "COMPRA PETR4 31", "2026-11-03T13:01:00Z", true);
}

static void test_revision_when_an_older_one_comes_late_then_it_is_kept_and_not_shown(void **state)
{
    (void)state;
    ingest_version(2, "COMPRA PETR4 32", "2026-11-03T13:02:00Z", false);
    ingest_version(2, "COMPRA PETR4 31", "2026-11-03T13:01:00Z", false);
    ingest_version(2, "COMPRA PETR4 30", NULL, false);
    assert_shown(2, "COMPRA PETR4 32", 3);
    ingest_version(2, "COMPRA PETR4 30", NULL, true);
}

/* The row is found by the time of the message first; an edit that tells another one must find it, too. */
static void test_revision_when_the_edit_tells_another_time_then_the_signal_follows(void **state)
{
    (void)state;
    static const char *const edit =
        "{\"channelId\":\"-1001000000007\",\"messageId\":12,\"text\":\"COMPRA PETR4 31\",\"timestamp\":"
        "\"2026-09-01T09:00:00Z\",\"editedAt\":\"2026-11-03T13:01:00Z\"}";
    static const char *const deletion =
        "{\"channelId\":\"-1001000000007\",\"messageId\":12,\"timestamp\":\"2026-09-01T09:00:00Z\","
        "\"deleted\":true}";
    ingest_version(12, "COMPRA PETR4 30", NULL, false);
    assert_int_equal(api_ingest(&api, edit), 200);
    assert_shown(12, "COMPRA PETR4 31", 2);
    assert_int_equal(api_ingest(&api, deletion), 200);
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE channel_id = -1001000000007 AND message_id = 12"
                                    " AND deleted_at IS NOT NULL"),
                     1);
}

static void test_revision_when_content_is_equal_then_skipped(void **state)
{
    (void)state;
    ingest_version(3, "COMPRA PETR4 30", NULL, false);
    ingest_version(3, "COMPRA PETR4 30", "2026-11-03T13:01:00Z", true);
    assert_shown(3, "COMPRA PETR4 30", 1);
}

static void test_revision_when_two_edits_have_one_time_then_the_second_takes_the_next_millisecond(
    void **state)
{
    (void)state;
    ingest_version(4, "a", NULL, false);
    ingest_version(4, "b", "2026-11-03T13:01:00Z", false);
    ingest_version(4, "c", "2026-11-03T13:01:00Z", false);
    ingest_version(4, "d", "2026-11-03T13:01:00Z", false);
    ingest_version(4, "c", "2026-11-03T13:01:00Z", true);
    assert_shown(4, "d", 4);
}

static void test_revision_when_deleted_then_the_signal_is_gone_and_its_versions_stay(void **state)
{
    (void)state;
    ingest_version(5, "COMPRA PETR4 30", NULL, false);
    delete_message(5, false);
    delete_message(5, true);
    ingest_version(5, "COMPRA PETR4 31", "2026-11-03T13:01:00Z", false); /* late: does not bring it back */
    json_t *list = api_json(&api, "/signals?channel=-1001000000007&search=PETR4%2030", 200);
    for (size_t i = 0; i < json_array_size(json_object_get(list, "data")); i++)
        assert_int_not_equal(json_integer_value(json_object_get(
                                 json_array_get(json_object_get(list, "data"), i), "message_id")),
                             5);
    json_decref(list);
    assert_shown(5, "COMPRA PETR4 30", 3);
}

static void test_revision_when_the_deletion_comes_first_then_the_message_never_appears(void **state)
{
    (void)state;
    delete_message(6, false);
    ingest_version(6, "COMPRA PETR4 30", NULL, false);
    assert_int_equal(
        api_rows(&api, "tp_capital_signals WHERE channel_id = -1001000000007 AND message_id = 6"), 0);
    assert_int_equal(api_rows(&api, "ingested_messages WHERE channel_id = -1001000000007 AND message_id = 6"),
                     2);
}

static void test_revision_when_direction_changes_then_the_channel_counts_follow(void **state)
{
    (void)state;
    json_t *before = api_json(&api, "/channels", 200);
    (void)before;
    ingest_version(7, "COMPRA PETR4 30", NULL, false);
    ingest_version(7, "bom dia", "2026-11-03T13:01:00Z", false);
    json_t *after = api_json(&api, "/channels", 200);
    json_t *x = json_object_get(before, "data"), *y = json_object_get(after, "data");
    json_int_t count[2] = {0, 0};
    for (size_t i = 0; i < json_array_size(x); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(x, i), "channel_id")),
                   "-1001000000007") == 0)
            count[0] = json_integer_value(json_object_get(json_array_get(x, i), "signal_count"));
    for (size_t i = 0; i < json_array_size(y); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(y, i), "channel_id")),
                   "-1001000000007") == 0)
            count[1] = json_integer_value(json_object_get(json_array_get(y, i), "signal_count"));
    assert_int_equal(count[0], count[1]);
    json_decref(before);
    json_decref(after);
}

static void test_store_when_killed_and_started_again_then_what_was_acknowledged_is_there(void **state)
{
    (void)state;
    long before = api_rows(&api, "ingested_messages");
    for (long id = 5000; id < 5050; id++)
        api_store(&api, id, "COMPRA PETR4 30");
    ts_test_signal(&api.process, SIGKILL);
    assert_true(ts_test_wait_exit(&api.process, 5000));
    api_again(&api);
    assert_int_equal(api_rows(&api, "ingested_messages"), before + 50);
}

/* Numbers that lag behind the rows: another unique key refuses the row, and that must not look like a duplicate. */
static void test_ingest_when_another_key_refuses_the_row_then_500_and_it_is_not_stored(void **state)
{
    (void)state;
    static const char *const body =
        "{\"channelId\":\"-1001000000077\",\"messageId\":2,\"text\":\"COMPRA PETR4 30\",\"timestamp\":"
        "\"2026-11-03T13:00:00Z\"}";
    static const char *const edited_first =
        "{\"channelId\":\"-1001000000077\",\"messageId\":3,\"text\":\"COMPRA PETR4 30\",\"timestamp\":"
        "\"2026-11-03T13:00:00Z\",\"editedAt\":\"2026-11-03T13:01:00Z\"}";
    api_store(&api, 7001, "COMPRA PETR4 30");
    api_sql(&api, "UPDATE @change_seq SET last_seq = last_seq - 1");
    double before = counted("duplicate_db");
    assert_int_equal(api_ingest(&api, body), 500);
    assert_error(&api, 500, "Internal server error");
    assert_int_equal(api_ingest(&api, edited_first), 500);
    assert_int_equal(api_rows(&api, "ingested_messages WHERE channel_id = -1001000000077"), 0);
    assert_true(counted("duplicate_db") <= before);
    api_sql(&api, "UPDATE @change_seq SET last_seq = last_seq + 1");
    assert_int_equal(api_ingest(&api, body), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
}

static void test_revision_when_a_signal_ceases_to_be_one_then_the_registered_channel_follows(void **state)
{
    (void)state;
    static const char *const registered =
        "telegram_channels WHERE channel_id = -1001000000001 AND signal_count = ";
    char where[128];
    api_sql(
        &api,
        on_postgres()
            ? "INSERT INTO @telegram_channels (id, label, channel_id) VALUES ('a', 'Sala', -1001000000001)"
            : "INSERT INTO telegram_channels (id, label, channel_id, created_at, updated_at)"
              " VALUES ('a', 'Sala', -1001000000001, 0, 0)");
    api_store(&api, 7101, "COMPRA PETR4 30");
    api_store(&api, 7102, "COMPRA PETR4 30");
    snprintf(where, sizeof(where), "%s2", registered);
    assert_int_equal(api_rows(&api, where), 1);
    assert_int_equal(
        api_ingest(&api, "{\"channelId\":\"-1001000000001\",\"messageId\":7101,\"text\":\"bom dia\","
                         "\"timestamp\":\"2026-11-03T13:00:00Z\",\"editedAt\":\"2026-11-03T13:01:00Z\"}"),
        200);
    snprintf(where, sizeof(where), "%s1", registered);
    assert_int_equal(api_rows(&api, where), 1);
    assert_int_equal(api_ingest(&api, "{\"channelId\":\"-1001000000001\",\"messageId\":7102,\"timestamp\":"
                                      "\"2026-11-03T13:00:00Z\",\"deleted\":true}"),
                     200);
    snprintf(where, sizeof(where), "%s0 AND last_signal IS NOT NULL", registered);
    assert_int_equal(api_rows(&api, where), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_when_method_is_not_post_then_405_with_allow),
        cmocka_unit_test(test_ingest_when_token_is_absent_or_empty_then_401),
        cmocka_unit_test(test_ingest_when_token_is_wrong_then_401_even_if_all_else_is_wrong_too),
        cmocka_unit_test(test_ingest_when_content_type_is_not_json_then_415),
        cmocka_unit_test(test_ingest_when_body_is_over_1_mib_then_413_declared_or_counted),
        cmocka_unit_test(test_ingest_when_body_is_no_json_object_then_400),
        cmocka_unit_test(test_ingest_when_fields_are_missing_then_the_first_in_order_is_named),
        cmocka_unit_test(test_ingest_when_stored_then_200_and_when_known_then_skipped),
        cmocka_unit_test(test_ingest_when_request_id_is_given_then_it_is_echoed_and_kept),
        cmocka_unit_test(test_ingest_when_a_field_is_at_its_bound_then_200_and_beyond_400),
        cmocka_unit_test(test_ingest_when_a_text_is_at_its_limit_then_200_and_one_byte_more_400),
        cmocka_unit_test(test_ingest_when_photos_are_20_then_200_and_21_then_400),
        cmocka_unit_test(test_ingest_when_text_is_empty_then_the_caption_is_parsed),
        cmocka_unit_test(test_ingest_when_ids_are_almost_numbers_then_nothing_is_stored_under_another_id),
        cmocka_unit_test(test_ingest_when_text_is_a_number_then_400_and_no_row),
        cmocka_unit_test(test_ingest_when_timestamp_differs_then_the_message_is_not_stored_twice),
        cmocka_unit_test(
            test_ingest_when_equal_requests_come_at_once_then_one_is_stored_and_the_others_are_skipped),
        cmocka_unit_test(test_ingest_when_clients_vanish_before_the_answer_then_their_messages_are_stored),
        cmocka_unit_test(test_revision_when_edited_then_the_signal_shows_the_edit_and_keeps_both),
        cmocka_unit_test(test_revision_when_an_older_one_comes_late_then_it_is_kept_and_not_shown),
        cmocka_unit_test(test_revision_when_the_edit_tells_another_time_then_the_signal_follows),
        cmocka_unit_test(test_revision_when_content_is_equal_then_skipped),
        cmocka_unit_test(
            test_revision_when_two_edits_have_one_time_then_the_second_takes_the_next_millisecond),
        cmocka_unit_test(test_revision_when_deleted_then_the_signal_is_gone_and_its_versions_stay),
        cmocka_unit_test(test_revision_when_the_deletion_comes_first_then_the_message_never_appears),
        cmocka_unit_test(test_revision_when_direction_changes_then_the_channel_counts_follow),
        cmocka_unit_test(test_ingest_when_another_key_refuses_the_row_then_500_and_it_is_not_stored),
        cmocka_unit_test(test_revision_when_a_signal_ceases_to_be_one_then_the_registered_channel_follows),
        cmocka_unit_test(test_store_when_killed_and_started_again_then_what_was_acknowledged_is_there),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("ingest", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
