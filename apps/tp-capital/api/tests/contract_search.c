/* Searching over HTTP: what is found, at once and after it was indexed, after edits, deletions and losses, page by page. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* The query is not yet escaped. */
static void put_path(char path[1024], const char *resource, const char *search, const char *more)
{
    size_t n = (size_t)snprintf(path, 1024, "%s?search=", resource);
    for (const char *at = search; *at; at++)
        n += (size_t)snprintf(path + n, 1024 - n, "%%%02X", (unsigned char)*at);
    snprintf(path + n, 1024 - n, "%s", more);
}

/* The message ids of the page, as text: "6 5 4". */
static const char *found(struct api *one, const char *search, const char *more)
{
    static char text[4096];
    char path[1024];
    size_t i, len = 0;
    json_t *row;
    put_path(path, "/signals", search, more);
    json_t *page = api_json(one, path, 200);
    text[0] = '\0';
    json_array_foreach(json_object_get(page, "data"), i, row) len +=
        (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld", i ? " " : "",
                         json_integer_value(json_object_get(row, "message_id")));
    json_decref(page);
    return text;
}

static void assert_found(const char *search, const char *ids)
{
    const char *got = found(&api, search, "");
    if (strcmp(got, ids) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", search, got, ids);
}

static void wait_rows(struct api *one, const char *table_and_where, long rows)
{
    long now = -1;
    for (int64_t end = ts_test_now_ms() + 30000; ts_test_now_ms() < end && now != rows; usleep(50000))
        now = api_rows(one, table_and_where);
    if (now != rows)
        fail_msg("%s: %ld instead of %ld", table_and_where, now, rows);
}

static void wait_indexed(struct api *one, long seq)
{
    char where[64];
    snprintf(where, sizeof(where), "search_progress WHERE seq >= %ld", seq);
    wait_rows(one, where, 1);
}

static void change(long message_id, const char *member, const char *value)
{
    char body[512];
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"timestamp\":\"2026-11-03T13:00:00Z\","
             "\"editedAt\":\"2026-11-03T14:00:00Z\",\"%s\":%s}",
             message_id, member, value);
    assert_int_equal(api_ingest(&api, body), 200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\"}");
}

/* --- what is found ------------------------------------------------------------------------------------------------------ */

static const char *const texts[] = {
    "COMPRA ITUB4\n**Preço:** R$ 31,40\nStop: 30,55", /* message id 1 */
    "Atenção ao fim do pregão",
    "FIM DO PREGAO. 100% de acerto",
    "🟢 VENDA VALE3 69,50",
    "🔴 acerto_hoje",
    "acertohoje 🚀🚀",
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static void assert_all_cases(void)
{
    static const struct {
        const char *search, *ids;
    } cases[] = {
        {"pregão", "3 2"},
        {"PREGAO", "3 2"},
        {"pregao", "3 2"},
        {"do pregão", "3 2"},
        {"preço: r$", "1"},
        {"31,40", "1"},
        {"$ 31", "1"},
        {"itub", "1"},
        {"100%", "3"},
        {"%", "3"},
        {"_", "5"},
        {"o_h", "5"},
        {"acerto", "6 5 3"},
        {"acertohoje", "6 5"},
        {"🟢", "4"},
        {"🟢 venda", "4"},
        {"🔴🔴", ""},
        {"🚀🚀", "6"},
        {"%%", ""},
        {"4", "1"},
        {"ão", "3 2"},
        {"  ", ""},
        {" ", "6 5 4 3 2 1"},
        {"nada disso", ""},
        {"40\nstop", "1"},
        {"\xE2\x80\x8D", ""},
        {"**", "1"},
        {"' OR 1=1--", ""},
        {"*", "1"},
        {"A", "6 5 4 3 2 1"},
        {"?", ""},
        {"[a-z]", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_found(cases[i].search, cases[i].ids);
}

static void test_search_when_accents_signs_or_emoji_are_asked_for_then_exactly_the_rows_that_have_them(
    void **state)
{
    (void)state;
    for (long i = 0; i < TEXTS; i++)
        api_store(&api, i + 1, texts[i]);
    assert_all_cases(); /* nothing is indexed so soon */
    wait_indexed(&api, TEXTS);
    assert_all_cases();
    json_t *page = api_json(&api, "/signals?search=PREGAO&count=true&limit=1", 200);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), 2);
    json_decref(page);
    assert_string_equal(found(&api, "acerto", "&type=UNKNOWN&limit=2"), "6 5");
    assert_string_equal(found(&api, "itub", "&asset=ITUB4&complete=true&channel=-1001000000001"), "1");
    assert_string_equal(found(&api, "itub", "&asset=VALE3"), "");
    assert_string_equal(found(&api, "acerto", "&channel=Sala%20de%20Teste&to=2026-11-03"), "6 5 3");
    assert_string_equal(found(&api, "acerto", "&from=2026-11-04"), "");
}

/* All in one channel, on one day, without an asset but for message 1. */
static void assert_counted(const char *search, const char *more, long n)
{
    char path[1024], range[128];
    size_t i;
    json_t *group;
    snprintf(range, sizeof(range), "%s&from=2026-11-01&to=2026-11-30", more);
    put_path(path, "/signals/statistics", search, range);
    json_t *counts = api_json(&api, path, 200);
    json_t *channels = json_object_get(counts, "channels"), *days = json_object_get(counts, "days");
    long of_days = 0;
    assert_int_equal(json_integer_value(json_object_get(json_object_get(counts, "total"), "messages")), n);
    assert_int_equal(json_array_size(channels), n > 0);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(channels, 0), "messages")), n);
    json_array_foreach(days, i, group) of_days += json_integer_value(json_object_get(group, "messages"));
    assert_int_equal(of_days, n);
    json_decref(counts);
}

static void assert_exported(const char *search, const char *more, long n)
{
    char path[1024], format[128];
    long lines = 0;
    snprintf(format, sizeof(format), "%s&format=jsonl", more);
    put_path(path, "/signals/export", search, format);
    assert_int_equal(api_get(&api, path), 200);
    for (const char *at = api.reply.body; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, n);
}

static void test_statistics_and_export_when_searched_then_they_tell_of_the_rows_that_the_list_has(
    void **state)
{
    static const struct {
        const char *search, *more;
        long n;
    } cases[] = {
        {"pregão", "", 2},
        {"31,40", "", 1},
        {"_", "", 1},
        {"🚀🚀", "", 1},
        {"A", "", TEXTS},
        {"nada disso", "", 0},
        {"%%", "", 0},
        {"acerto", "&channel=Sala%20de%20Teste", 3},
        {"acerto", "&channel=Outra", 0},
        {"itub", "&asset=ITUB4&complete=true", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_counted(cases[i].search, cases[i].more, cases[i].n);
        assert_exported(cases[i].search, cases[i].more, cases[i].n);
    }
}

/* --- changes ------------------------------------------------------------------------------------------------------------ */

static void test_search_when_a_row_was_stored_then_it_is_found_with_its_200(void **state)
{
    (void)state;
    for (long i = 0; i < 200; i++) {
        char text[64], id[16];
        snprintf(text, sizeof(text), "novidade numero%ld!", i);
        snprintf(id, sizeof(id), "%ld", 1000 + i);
        api_store(&api, 1000 + i, text);
        snprintf(text, sizeof(text), "número%ld!", i);
        assert_found(text, id);
    }
    wait_indexed(&api, TEXTS + 200);
    assert_found("novidade numero77", "1077");
}

static void test_search_when_a_row_was_edited_then_by_its_new_text_only(void **state)
{
    (void)state;
    change(1001, "text", "\"trocado por abacaxi\"");
    assert_found("numero1!", "");
    assert_found("abacaxi", "1001");
    wait_indexed(&api, TEXTS + 201);
    assert_found("numero1!", "");
    assert_found("abacaxi", "1001");
}

static void test_search_when_a_row_was_deleted_then_it_is_not_found_nor_indexed(void **state)
{
    (void)state;
    change(1002, "deleted", "true");
    assert_found("numero2!", "");
    wait_indexed(&api, TEXTS + 202);
    assert_found("numero2!", "");
    wait_rows(&api, "signal_search", TEXTS + 199);
}

/* Retention takes rows without a word to the index. */
static void test_search_when_rows_vanished_then_no_answer_and_the_index_is_swept(void **state)
{
    (void)state;
    api_sql(&api, "DELETE FROM @tp_capital_signals WHERE message_id BETWEEN 1010 AND 1019");
    assert_found("numero10!", "");
    assert_found("numero20!", "1020");
    if (on_postgres()) { /* on SQLite it was just started again */
        ts_test_end(&api.process, SIGTERM);
        api_again(&api);
    }
    wait_rows(&api, "signal_search", TEXTS + 189);
    assert_found("numero20!", "1020");
}

static void test_search_when_there_are_more_pages_then_every_row_comes_once(void **state)
{
    char path[256] = "/signals?search=novidade&limit=50";
    long pages = 0, rows = 0, last = 2000;
    bool more = true;
    (void)state;
    while (more) {
        json_t *page = api_json(&api, path, 200), *row;
        const char *cursor = json_string_value(json_object_get(page, "nextCursor"));
        size_t i;
        json_array_foreach(json_object_get(page, "data"), i, row)
        {
            long id = (long)json_integer_value(json_object_get(row, "message_id"));
            assert_true(id < last);
            last = id;
            rows++;
        }
        more = cursor != NULL;
        snprintf(path, sizeof(path), "/signals?search=novidade&limit=50&cursor=%s", more ? cursor : "");
        json_decref(page);
        pages++;
    }
    assert_int_equal(rows, 200 - 2 - 10);
    assert_int_equal(pages, 4);
    json_t *page = api_json(&api, "/signals?search=novidade&limit=5&offset=180&count=true", 200);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 5);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), rows);
    json_decref(page);
}

/* --- what others change: the index follows ------------------------------------------------------------------------------ */

static void test_search_when_a_person_deleted_a_row_then_it_is_not_found_and_leaves_the_index(void **state)
{
    char body[64];
    struct api own;
    (void)state;
    api_start(&own, NULL);
    api_store(&own, 1, "COMPRA ITUB4 31,40");
    wait_rows(&own, "signal_search", 1);
    json_t *page = api_json(&own, "/signals", 200);
    json_t *row = json_array_get(json_object_get(page, "data"), 0);
    snprintf(body, sizeof(body), "{\"id\":%lld}", json_integer_value(json_object_get(row, "id")));
    json_decref(page);
    assert_int_equal(api_call(&own, "DELETE", "/signals", NULL, body), 200);
    assert_string_equal(found(&own, "itub4", ""), "");
    wait_rows(&own, "signal_search", 0);
    assert_string_equal(found(&own, "itub4", ""), "");
    api_stop(&own);
}

static void test_search_when_rows_are_read_again_then_by_what_is_read_now(void **state)
{
    struct api own;
    (void)state;
    api_start(&own, NULL);
    api_store(&own, 1, "COMPRA ITUB4 31,40");
    /* as an older parser might have read it */
    api_sql(&own,
            "UPDATE @change_seq SET first_seq = last_seq + 1, last_seq = last_seq + 1;"
            " UPDATE @tp_capital_signals SET asset = 'ZZZZ3', seq = (SELECT last_seq FROM @change_seq)");
    wait_rows(&own, "signal_search WHERE spelled LIKE '%ZZZZ3%'", 1);
    assert_string_equal(found(&own, "zzzz3", ""), "1");
    assert_int_equal(api_call(&own, "POST", "/signals/reparse", NULL, "{\"adopt\":true}"), 200);
    assert_string_equal(found(&own, "zzzz3", ""), "");
    assert_string_equal(found(&own, "itub4", ""), "1");
    wait_rows(&own, "signal_search WHERE spelled LIKE '%ZZZZ3%'", 0);
    assert_string_equal(found(&own, "zzzz3", ""), "");
    assert_string_equal(found(&own, "itub4", ""), "1");
    api_stop(&own);
}

static void ingest_days_ago(struct api *one, long id, long days)
{
    char body[512], when[32];
    time_t then = time(NULL) - days * 86400;
    struct tm tm;
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&then, &tm));
    snprintf(body, sizeof(body),
             "{\"channelId\":\"-1001000000001\",\"messageId\":%ld,\"text\":\"palavra\",\"timestamp\":\"%s\"}",
             id, when);
    assert_int_equal(api_ingest(one, body), 200);
}

static void test_search_when_retention_removed_rows_then_they_are_not_found_and_swept(void **state)
{
    struct api own;
    (void)state;
    api_start(&own, NULL);
    ingest_days_ago(&own, 1, 60);
    ingest_days_ago(&own, 2, 1);
    wait_rows(&own, "signal_search", 2);
    assert_string_equal(found(&own, "palavra", ""), "2 1");
    ts_test_end(&own.process, SIGTERM);
    api_again_with(&own, (const char *const[]){"SIGNALS_RETENTION_DAYS=30", NULL});
    wait_rows(&own, "tp_capital_signals", 1);
    assert_string_equal(found(&own, "palavra", ""), "2");
    ts_test_end(&own.process, SIGTERM); /* the index is swept at start, and each hour */
    api_again(&own);
    wait_rows(&own, "signal_search", 1);
    assert_string_equal(found(&own, "palavra", ""), "2");
    api_stop(&own);
}

/* --- many rows: the ways of store_search.c ------------------------------------------------------------------------------ */

/*
 * 30,000 rows, more than is walked or taken from the index at once. All have "frequente"; the oldest are complete, and one of them has "raridade". The texts
 * are written to the index, too, as indexing them would take its time.
 */
static void make_many(struct api *many)
{
    static const char *const postgres =
        "INSERT INTO @tp_capital_signals (id, seq, ts, channel, channel_id, message_id, asset, signal_type, "
        "complete, raw_message, source,"
        " ingested_at, created_at, updated_at) SELECT n, n, timestamptz '2026-01-01' + n * interval '1 "
        "second', 'C', 1, n, 'ABCD3', 'BUY', n <= 10,"
        " 'frequente ' || n || CASE WHEN n = 7 THEN ' raridade' ELSE '' END, 'x', now(), now(), now() FROM "
        "generate_series(1, 30000) n;"
        "INSERT INTO @signal_search SELECT id, ts, replace(upper(raw_message), ' ', 'k') FROM "
        "@tp_capital_signals;"
        "UPDATE @change_seq SET last_seq = 30000; UPDATE @search_progress SET seq = 30000, id = 30000";
    static const char *const sqlite =
        "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 30000)"
        " INSERT INTO tp_capital_signals (id, seq, ts, channel, channel_id, message_id, asset, signal_type, "
        "complete, raw_message, source,"
        " ingested_at, created_at, updated_at) SELECT n, n, 1767225600000000 + n * 1000000, 'C', 1, n, "
        "'ABCD3', 'BUY', n <= 10,"
        " 'frequente ' || n || CASE WHEN n = 7 THEN ' raridade' ELSE '' END, 'x', 0, 0, 0 FROM g;"
        "INSERT INTO signal_search SELECT id, ts, replace(upper(raw_message), ' ', 'k') FROM "
        "tp_capital_signals;"
        "UPDATE change_seq SET last_seq = 30000; UPDATE search_progress SET seq = 30000, id = 30000";
    api_start(many, NULL);
    api_sql(many, on_postgres() ? postgres : sqlite);
}

static void assert_many(struct api *many)
{
    assert_string_equal(found(many, "FREQUENTE", "&limit=3"), "30000 29999 29998");
    assert_string_equal(found(many, "frequente", "&complete=true&limit=4"), "10 9 8 7");
    assert_string_equal(found(many, "frequente", "&complete=true&channel=1&offset=8"), "2 1");
    assert_string_equal(found(many, "frequente", "&complete=true&asset=abcd3&offset=9"), "1");
    assert_string_equal(found(many, "raridade", ""), "7");
    assert_string_equal(found(many, "e 7 r", "&asset=ABCD3"), "7");
    assert_string_equal(found(many, "raridade", "&channel=1"), "7");
    assert_string_equal(found(many, "raridade", "&type=SELL"), "");
    assert_string_equal(found(many, "frequente 4999", ""), "4999");
    json_t *page = api_json(many, "/signals?search=frequente&count=true&limit=1", 200);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), 10000);
    assert_true(json_is_true(json_object_get(page, "totalIsMinimum")));
    json_decref(page);
    page = api_json(many, "/signals?search=frequente%2029&count=true&limit=1", 200);
    assert_int_equal(json_integer_value(json_object_get(page, "total")), 1 + 10 + 100 + 1000);
    json_decref(page);
}

static void test_search_when_rows_are_many_then_rare_and_frequent_words_are_found_on_every_way(void **state)
{
    struct api many;
    (void)state;
    make_many(&many);
    assert_many(&many);
    if (on_postgres()) { /* without trigrams it walks */
        api_sql(&many, "DROP INDEX @signal_search_trigrams");
        assert_many(&many);
    }
    api_sql(&many,
            "UPDATE @search_progress SET seq = 0, id = 0"); /* nothing counts as indexed, until it is anew */
    assert_many(&many);
    api_stop(&many);
}

/* --- without pg_trgm ---------------------------------------------------------------------------------------------------- */

static void test_search_when_trigrams_are_not_allowed_then_one_warning_and_all_is_found(void **state)
{
    char url[TS_TEST_PATH_SIZE];
    struct api bare;
    (void)state;
    if (!on_postgres())
        skip();
    ts_test_pg_sql(&contract_pg,
                   "DROP EXTENSION IF EXISTS pg_trgm CASCADE; CREATE ROLE plain LOGIN; CREATE SCHEMA bare "
                   "AUTHORIZATION plain",
                   NULL, 0);
    snprintf(url, sizeof(url), "TP_CAPITAL_DATABASE_URL=postgresql://plain@127.0.0.1:%d/postgres",
             contract_pg.port);
    api_start(&bare, (const char *const[]){url, "TIMESCALEDB_SCHEMA=bare", NULL});
    snprintf(bare.schema, sizeof(bare.schema), "bare");
    assert_int_equal(api_log_count(&bare, "No trigram index"), 1);
    for (long i = 0; i < TEXTS; i++)
        api_store(&bare, i + 1, texts[i]);
    wait_indexed(&bare, TEXTS);
    assert_string_equal(found(&bare, "pregão", ""), "3 2");
    ts_test_pg_sql(&contract_pg, "CREATE EXTENSION pg_trgm SCHEMA public", NULL, 0);
    ts_test_end(&bare.process, SIGTERM);
    api_again(&bare);
    assert_int_equal(ts_test_pg_count(&contract_pg,
                                      "SELECT count(*) FROM pg_indexes WHERE schemaname = 'bare' AND"
                                      " indexname = 'signal_search_trigrams'"),
                     1);
    assert_int_equal(api_log_count(&bare, "No trigram index"), 1); /* still that of the first start */
    assert_string_equal(found(&bare, "pregão", ""), "3 2");
    api_stop(&bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_search_when_accents_signs_or_emoji_are_asked_for_then_exactly_the_rows_that_have_them),
        cmocka_unit_test(
            test_statistics_and_export_when_searched_then_they_tell_of_the_rows_that_the_list_has),
        cmocka_unit_test(test_search_when_a_row_was_stored_then_it_is_found_with_its_200),
        cmocka_unit_test(test_search_when_a_row_was_edited_then_by_its_new_text_only),
        cmocka_unit_test(test_search_when_a_row_was_deleted_then_it_is_not_found_nor_indexed),
        cmocka_unit_test(test_search_when_rows_vanished_then_no_answer_and_the_index_is_swept),
        cmocka_unit_test(test_search_when_there_are_more_pages_then_every_row_comes_once),
        cmocka_unit_test(test_search_when_a_person_deleted_a_row_then_it_is_not_found_and_leaves_the_index),
        cmocka_unit_test(test_search_when_rows_are_read_again_then_by_what_is_read_now),
        cmocka_unit_test(test_search_when_retention_removed_rows_then_they_are_not_found_and_swept),
        cmocka_unit_test(test_search_when_rows_are_many_then_rare_and_frequent_words_are_found_on_every_way),
        cmocka_unit_test(test_search_when_trigrams_are_not_allowed_then_one_warning_and_all_is_found),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("search", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
