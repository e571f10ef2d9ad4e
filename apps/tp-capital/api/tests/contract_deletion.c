/* DELETE /signals over HTTP: what is gone, what stays, who is told, who may. */
#include <stdio.h>
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

/* The answer of DELETE /signals must be that so many were deleted. */
static void expect_deleted(const char *body, int n)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "{\"status\":\"ok\",\"deleted\":%d}", n);
    assert_int_equal(api_call(&api, "DELETE", "/signals", NULL, body), 200);
    assert_string_equal(api.reply.body, wanted);
}

static json_t *row_of(long message_id)
{
    json_t *page = api_json(&api, "/signals?limit=1000", 200), *row, *found = NULL;
    size_t i;
    json_array_foreach(json_object_get(page, "data"), i,
                       row) if (json_integer_value(json_object_get(row, "message_id")) == message_id) found =
        json_incref(row);
    json_decref(page);
    return found;
}

static long id_of(long message_id)
{
    json_t *row = row_of(message_id);
    assert_non_null(row);
    long id = (long)json_integer_value(json_object_get(row, "id"));
    json_decref(row);
    return id;
}

static void assert_gone(long message_id)
{
    json_t *row = row_of(message_id);
    assert_null(row);
}

static void delete_id(long id, int n)
{
    char body[64];
    snprintf(body, sizeof(body), "{\"id\":%ld}", id);
    expect_deleted(body, n);
}

/* What GET /channels counts, whose only channel is that of api_store(). */
static int counted(void)
{
    json_t *list = api_json(&api, "/channels", 200);
    int n = (int)json_integer_value(
        json_object_get(json_array_get(json_object_get(list, "data"), 0), "signal_count"));
    json_decref(list);
    return n;
}

static void send_version(long message_id, const char *more)
{
    char body[512];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"timestamp\":\"2026-11-03T13:00:00Z\",%s}",
             message_id, more);
    assert_int_equal(api_ingest(&api, body), 200);
}

static void test_deletion_when_by_id_then_the_signal_is_gone_and_its_copy_is_kept(void **state)
{
    char path[64], where[256], etag[128], header[160];
    (void)state;
    api_store(&api, 1, "COMPRA ITUB4 31,40 alvo 32,10/33 stop 30");
    api_store(&api, 2, "COMPRA PETR4 30");
    long id = id_of(1);
    int before = counted();
    assert_int_equal(api_get(&api, "/signals"), 200);
    assert_true(ts_test_header(&api.reply, "ETag", etag, sizeof(etag)));

    delete_id(id, 1);
    assert_gone(1);
    snprintf(path, sizeof(path), "/signals/%ld", id);
    api_get(&api, path);
    assert_error(&api, 404, "Signal not found");
    assert_int_equal(counted(), before - 1);
    snprintf(header, sizeof(header), "If-None-Match: %s", etag);
    assert_int_equal(api_call(&api, "GET", "/signals", header, NULL), 200); /* not 304 */
    snprintf(where, sizeof(where),
             "tp_capital_signals_deleted WHERE id = %ld AND seq = id AND asset = 'ITUB4' AND complete AND "
             "raw_message LIKE 'COMPRA%%' AND deleted_at >= ingested_at",
             id);
    assert_int_equal(api_rows(&api, where), 1);
    delete_id(id, 0);
    assert_int_equal(api_rows(&api, "tp_capital_signals_deleted"), 1);
    assert_int_equal(counted(), before - 1);
    assert_int_equal(api_log_count(&api, "\"Signals deleted\""), 2);
}

static void test_deletion_when_the_message_comes_again_then_it_is_known_and_not_revived(void **state)
{
    (void)state;
    api_store(&api, 11, "COMPRA VALE3 60");
    int before = counted();
    delete_id(id_of(11), 1);
    send_version(11, "\"text\":\"COMPRA VALE3 60\"");
    assert_string_equal(api.reply.body, "{\"status\":\"ok\",\"skipped\":true}");
    send_version(11, "\"text\":\"COMPRA VALE3 61\",\"editedAt\":\"2026-11-03T13:05:00Z\"");
    assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
    assert_int_equal(api_rows(&api, "ingested_messages WHERE message_id = 11"), 2);
    assert_gone(11);
    assert_int_equal(counted(), before - 1);
    send_version(11, "\"deleted\":true");
    send_version(11, "\"text\":\"COMPRA VALE3 62\",\"editedAt\":\"2026-11-03T13:06:00Z\"");
    assert_int_equal(api_rows(&api, "ingested_messages WHERE message_id = 11"), 4);
    assert_gone(11);
    assert_int_equal(counted(), before - 1);
}

static void test_deletion_when_by_time_then_all_of_that_moment_go(void **state)
{
    char body[128];
    (void)state;
    for (long id = 21; id <= 24; id++)
        api_store(&api, id, id == 23 ? "bom dia" : "COMPRA BBAS3 27");
    /* 21, 22 and 23 at one time, the second of them in the middle of its millisecond; 24 a millisecond later */
    api_sql(
        &api,
        on_postgres()
            ? "UPDATE @tp_capital_signals SET ingested_at = TIMESTAMPTZ '2026-11-03T13:00:00.123Z' + "
              "CASE message_id WHEN 22 THEN INTERVAL '500 us' WHEN 24 THEN INTERVAL '1 ms' ELSE INTERVAL '0' "
              "END WHERE message_id BETWEEN 21 AND 24"
            : "UPDATE tp_capital_signals SET ingested_at = 1793710800123000 + CASE message_id WHEN 22 "
              "THEN 500 WHEN 24 THEN 1000 ELSE 0 END WHERE message_id BETWEEN 21 AND 24");
    int before = counted();
    json_t *row = row_of(22);
    snprintf(body, sizeof(body), "{\"ingestedAt\":\"%s\"}",
             json_string_value(json_object_get(row, "ingested_at")));
    json_decref(row);
    assert_non_null(strstr(body, ".123Z"));
    expect_deleted(body, 3);
    assert_gone(21);
    assert_gone(22);
    assert_gone(23);
    assert_int_equal(counted(), before - 2);
    expect_deleted(body, 0);
    expect_deleted("{\"ingestedAt\":\"2026-11-03T10:00:00.1245-03:00\"}", 0);
    long id = id_of(24);
    expect_deleted("{\"id\":null,\"ingestedAt\":\"2026-11-03T10:00:00.124-03:00\"}", 1);
    delete_id(id, 0);
}

static void test_deletion_when_id_and_time_are_given_then_the_id_decides(void **state)
{
    (void)state;
    char body[128];
    api_store(&api, 31, "COMPRA BBAS3 27");
    api_store(&api, 32, "COMPRA BBAS3 27");
    json_t *row = row_of(31);
    snprintf(body, sizeof(body), "{\"id\":\"%ld\",\"ingestedAt\":\"%s\"}", id_of(32),
             json_string_value(json_object_get(row, "ingested_at")));
    json_decref(row);
    expect_deleted(body, 1);
    assert_gone(32);
    (void)id_of(31);
}

static void test_deletion_when_the_body_is_wrong_then_400_says_why_and_nothing_goes(void **state)
{
    static const struct {
        const char *body, *error;
    } cases[] = {
        {"{}", "ingestedAt is required"},
        {"{\"id\":null}", "ingestedAt is required"},
        {"{\"ID\":1}", "ingestedAt is required"},
        {"{\"id\":-1}", "Invalid field: id"},
        {"{\"id\":1.5}", "Invalid field: id"},
        {"{\"id\":\"1x\"}", "Invalid field: id"},
        {"{\"id\":[1]}", "Invalid field: id"},
        {"{\"id\":true,\"ingestedAt\":\"2026-11-03T13:00:00Z\"}", "Invalid field: id"},
        {"{\"ingestedAt\":\"yesterday\"}", "Invalid field: ingestedAt"},
        {"{\"ingestedAt\":\"2026-11-03\"}", "Invalid field: ingestedAt"},
        {"{\"ingestedAt\":1793710800123}", "Invalid field: ingestedAt"},
        {"{\"ingestedAt\":\"\"}", "Invalid field: ingestedAt"},
        {"{\"id\":1,\"id\":2}", "Invalid JSON"},
        {"[1]", "Invalid JSON"},
        {"", "Invalid JSON"},
        {"{\"id\":99999999999999999999}", "Invalid JSON"},
    };
    (void)state;
    long before = api_rows(&api, "tp_capital_signals WHERE deleted_at IS NULL");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        api_call(&api, "DELETE", "/signals", NULL, cases[i].body);
        assert_error(&api, 400, cases[i].error);
    }
    const char *const text[] = {"Content-Type: text/plain", NULL};
    ts_test_http(
        &(struct ts_test_request){
            .method = "DELETE", .url = api_url(&api, "/signals"), .headers = text, .body = "{\"id\":1}"},
        &api.reply);
    assert_error(&api, 415, "Content-Type must be application/json");
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE deleted_at IS NULL"), before);
}

static void test_deletion_when_a_stream_is_open_then_it_is_told(void **state)
{
    static char text[65536];
    char wanted[64];
    (void)state;
    api_store(&api, 41, "COMPRA BBAS3 27");
    long id = id_of(41);
    int fd = raw_connect(&api);
    raw_send(fd, "GET /signals/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read(fd, text, sizeof(text), ":\n\n", 5000);
    delete_id(id, 1);
    raw_read(fd, text, sizeof(text), "\n\n", 10000);
    assert_non_null(strstr(text, "event: signal.deleted"));
    snprintf(wanted, sizeof(wanted), "\"id\":%ld,", id);
    assert_non_null(strstr(text, wanted));
    close(fd);
}

static void test_deletion_when_there_is_an_admin_token_or_a_foreign_page_then_only_who_may(void **state)
{
    struct api own;
    (void)state;
    api_start(&own, (const char *const[]){"ADMIN_TOKEN=deletion-admin-token-0123456789abcdef", NULL});
    api_store(&own, 1, "COMPRA BBAS3 27");
    api_call(&own, "DELETE", "/signals", NULL, "{\"id\":1}");
    assert_error(&own, 401, "Unauthorized");
    api_call(&own, "DELETE", "/signals", TOKEN_HEADER, "{\"id\":1}");
    assert_error(&own, 401, "Unauthorized");
    api_call(&own, "DELETE", "/signals", "Authorization: Bearer wrong", "{\"id\":1}");
    assert_error(&own, 401, "Unauthorized");
    api_call(&own, "DELETE", "/signals", "Origin: http://evil.example", "{\"id\":1}");
    assert_error(&own, 403, "Origin not allowed");
    assert_int_equal(api_rows(&own, "tp_capital_signals WHERE deleted_at IS NULL"), 1);
    assert_int_equal(api_call(&own, "DELETE", "/signals",
                              "Authorization: Bearer deletion-admin-token-0123456789abcdef", "{\"id\":1}"),
                     200);
    assert_int_equal(api_rows(&own, "tp_capital_signals WHERE deleted_at IS NULL"), 0);
    api_stop(&own);
}

static void test_deletion_when_the_database_is_away_then_503_and_it_can_be_asked_again(void **state)
{
    char retry[16];
    (void)state;
    if (!on_postgres())
        skip();
    api_store(&api, 51, "COMPRA BBAS3 27");
    long id = id_of(51);
    ts_test_pg_down(&contract_pg);
    assert_int_equal(api_call(&api, "DELETE", "/signals", NULL, "{\"id\":1}"), 503);
    assert_error(&api, 503, "Database unavailable, please retry");
    assert_true(ts_test_header(&api.reply, "Retry-After", retry, sizeof(retry)));
    ts_test_pg_boot(&contract_pg);
    api_wait_healthy(&api);
    delete_id(id, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deletion_when_by_id_then_the_signal_is_gone_and_its_copy_is_kept),
        cmocka_unit_test(test_deletion_when_the_message_comes_again_then_it_is_known_and_not_revived),
        cmocka_unit_test(test_deletion_when_by_time_then_all_of_that_moment_go),
        cmocka_unit_test(test_deletion_when_id_and_time_are_given_then_the_id_decides),
        cmocka_unit_test(test_deletion_when_the_body_is_wrong_then_400_says_why_and_nothing_goes),
        cmocka_unit_test(test_deletion_when_a_stream_is_open_then_it_is_told),
        cmocka_unit_test(test_deletion_when_there_is_an_admin_token_or_a_foreign_page_then_only_who_may),
        cmocka_unit_test(test_deletion_when_the_database_is_away_then_503_and_it_can_be_asked_again),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("deletion", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
