/* The commands import and export: dumps of the system before, a second import, rejects, a move from one database to another. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"

static struct api api;
static char dir[TS_TEST_PATH_SIZE]; /* of the files */
static char *output;                /* of the last command */

static int start(void **state)
{
    (void)state;
    ts_test_dir_make(dir);
    api_start(&api, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(output);
    output = NULL;
    api_stop(&api);
    ts_test_dir_remove(dir);
    return 0;
}

/* --- helpers ------------------------------------------------------------------------------------------------------------ */

static const char *file(const char *name)
{
    static char paths[4][TS_TEST_PATH_SIZE];
    static unsigned next;
    return ts_test_path(dir, name, paths[next++ % 4]);
}

static const char *write_file(const char *name, const char *content)
{
    const char *path = file(name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(content, out) >= 0);
    assert_int_equal(fclose(out), 0);
    return path;
}

/* Runs a command with the store of `of`; the exit code. The words end with NULL. */
static int run(struct api *of, const char *const *words)
{
    char program[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    const char *argv[12] = {ts_test_program("tp-capital-api", program)};
    for (size_t i = 0; words[i]; i++)
        argv[i + 1] = words[i];
    int code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = of->env}, path);
    free(output);
    output = ts_test_read_file(path);
    return code;
}
#define RUN(of, ...) run((of), (const char *const[]){__VA_ARGS__, NULL})

/* The embedded database is nobody's while a command writes it. */
static void close_store(struct api *of)
{
    if (!on_postgres())
        ts_test_end(&of->process, SIGTERM);
}

static void open_store(struct api *of)
{
    if (!on_postgres())
        api_again(of);
}

static void expect_import(struct api *of, int code, const char *path, const char *table, const char *counts)
{
    close_store(of);
    int got = RUN(of, "import", path, "--table", table);
    if (got != code || !strstr(output, counts))
        fail_msg("import %s: exit %d, %s instead of %s", path, got, output, counts);
    open_store(of);
}

static void expect_rejects(const char *path, const char *wanted)
{
    char name[TS_TEST_PATH_SIZE + 16];
    snprintf(name, sizeof(name), "%s.rejects", path);
    char *content = ts_test_read_file(name);
    if (strcmp(content, wanted) != 0)
        fail_msg("%s: %s instead of %s", name, content, wanted);
    free(content);
}

static json_t *only_row(struct api *of, const char *path)
{
    json_t *page = api_json(of, path, 200), *data = json_object_get(page, "data");
    assert_int_equal(json_array_size(data), 1);
    json_t *row = json_incref(json_array_get(data, 0));
    json_decref(page);
    return row;
}

static const char *text_of(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static long last_seq(struct api *of)
{
    json_t *page = api_json(of, "/signals?limit=1", 200);
    long seq = (long)json_integer_value(json_object_get(page, "seq"));
    json_decref(page);
    return seq;
}

/* --- the system before -------------------------------------------------------------------------------------------------- */

static const char old_signals[] =
    "\xEF\xBB\xBFid,ts,channel,asset,signal_type,price,buy_min,buy_max,target_1,target_2,target_final,stop,"
    "raw_message,"
    "source,created_at,surplus\r\n"
    "1,1762174800123,Sala Antiga,PETR4,Swing Trade,30.10,30.10,30.50,32.000000,,33,29.9,\"Ativo: "
    "PETR4\nCompra: 30,10 "
    "\"\"a\"\" 30,50\",forwarder,2025-11-03 13:00:05.5+00,\r\n"
    "2,2025-11-03 10:00:00-03,Sala Antiga,VALE3,Day Trade,,,,,,,,bom dia,,,x\r\n"
    "3,2025-11-03 14:00:00,,ITUB4,sell,,31.4,,,,,,VENDA ITUB4,,,\r\n";

static void test_import_when_it_is_a_dump_of_old_then_its_rows_are_converted(void **state)
{
    (void)state;
    const char *path = write_file("signals.csv", old_signals);
    expect_import(&api, 0, path, "signals", "3 read, 3 stored, 0 already there, 0 rejected");
    json_t *row = only_row(&api, "/signals?asset=PETR4");
    assert_string_equal(text_of(row, "ts"), "2025-11-03T13:00:00.123Z");
    assert_string_equal(text_of(row, "signal_type"), "BUY");
    assert_string_equal(text_of(row, "trade_type"), "Swing Trade");
    assert_string_equal(text_of(row, "raw_message"), "Ativo: PETR4\nCompra: 30,10 \"a\" 30,50");
    assert_string_equal(text_of(row, "ingested_at"), "2025-11-03T13:00:05.500Z");
    assert_string_equal(text_of(row, "source"), "forwarder");
    assert_true(json_is_true(json_object_get(row, "complete")));
    assert_true(json_is_null(json_object_get(row, "message_id")) &&
                json_is_null(json_object_get(row, "channel_id")));
    assert_true(json_number_value(json_object_get(row, "stop")) == 29.9);
    json_decref(row);
    row = only_row(&api, "/signals?asset=VALE3");
    assert_string_equal(text_of(row, "signal_type"), "UNKNOWN");
    assert_string_equal(text_of(row, "trade_type"), "Day Trade");
    assert_string_equal(text_of(row, "ts"), "2025-11-03T13:00:00.000Z");
    json_decref(row);
    row = only_row(&api, "/signals?asset=ITUB4");
    assert_string_equal(text_of(row, "signal_type"), "SELL");
    assert_string_equal(text_of(row, "channel"), "Desconhecido");
    assert_string_equal(text_of(row, "ts"), "2025-11-03T14:00:00.000Z");
    assert_true(json_number_value(json_object_get(row, "buy_max")) == 31.4);
    json_decref(row);

    long seq = last_seq(&api);
    expect_import(&api, 0, path, "signals", "3 read, 0 stored, 3 already there, 0 rejected");
    assert_int_equal(last_seq(&api), seq);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), 3);
}

static void test_import_when_done_then_search_finds_the_rows_and_its_index_follows(void **state)
{
    const char *path = write_file("searched.csv", old_signals);
    long indexed = 0;
    struct api own;
    (void)state;
    api_start(&own, NULL);
    expect_import(&own, 0, path, "signals", "3 read, 3 stored, 0 already there, 0 rejected");
    json_decref(only_row(&own, "/signals?search=BOM%20DIA"));
    for (int64_t end = ts_test_now_ms() + 30000; ts_test_now_ms() < end && indexed != 3; usleep(50000))
        indexed = api_rows(&own, "signal_search");
    assert_int_equal(indexed, 3);
    json_decref(only_row(&own, "/signals?search=BOM%20DIA"));
    api_stop(&own);
}

static void test_import_when_rows_have_a_message_then_it_is_known(void **state)
{
    static const char *const lines =
        "{\"ts\":\"2026-11-03T13:00:00.123456+00:00\",\"channel\":\"Sala\",\"channel_id\":-1001000000201,"
        "\"message_id\":7,"
        "\"asset\":\"PETR4\",\"signal_type\":\"BUY\",\"buy_min\":30.1,\"take_profit\":[31.5,\"32\"],\"stop_"
        "loss\":29,"
        "\"raw_message\":\"COMPRA PETR4 30,10\"}\n\n"
        "{\"ts\":1793710800000,\"channel\":\"Sala\",\"channel_id\":\"-1001000000201\",\"message_id\":8,"
        "\"signal_type\":\"UNKNOWN\",\"raw_message\":\"\"}";
    (void)state;
    const char *path = write_file("messages.jsonl", lines);
    expect_import(&api, 0, path, "signals", "2 read, 2 stored, 0 already there, 0 rejected");
    assert_int_equal(
        api_ingest(&api, "{\"channelId\":\"-1001000000201\",\"messageId\":7,\"text\":\"COMPRA PETR4 30,10\","
                         "\"timestamp\":\"2026-11-03T13:00:00Z\"}"),
        200);
    assert_string_equal(api.reply.body, "{\"status\":\"ok\",\"skipped\":true}");
    json_t *row = only_row(&api, "/signals?channel=-1001000000201&type=BUY");
    json_t *targets = json_object_get(row, "take_profit");
    assert_int_equal(json_array_size(targets), 2);
    assert_true(json_number_value(json_array_get(targets, 1)) == 32);
    assert_true(json_number_value(json_object_get(row, "stop")) == 29);
    json_decref(row);
    /* an edit reaches it as any other message */
    assert_int_equal(
        api_ingest(&api, "{\"channelId\":\"-1001000000201\",\"messageId\":7,\"text\":\"COMPRA PETR4 30,20\","
                         "\"timestamp\":\"2026-11-03T13:00:00Z\",\"editedAt\":\"2026-11-03T13:05:00Z\"}"),
        200);
    row = only_row(&api, "/signals?channel=-1001000000201&type=BUY");
    assert_string_equal(text_of(row, "raw_message"), "COMPRA PETR4 30,20");
    json_decref(row);
    expect_import(&api, 0, path, "signals", "2 read, 0 stored, 2 already there, 0 rejected");
    /* the channel counts it: once */
    assert_int_equal(api_rows(&api, "channel_stats WHERE channel_id = -1001000000201 AND signal_count = 1"),
                     1);
}

static void test_import_when_rows_are_refused_then_the_reasons_are_told_and_the_rest_is_stored(void **state)
{
    (void)state;
    const char *path = write_file("bad.csv", "ts,channel,asset,signal_type,buy_min,buy_max,raw_message\n"
                                             "yesterday,Ruim,PETR4,BUY,1,2,a\n"
                                             "1762174800000,Ruim,PETR4,BUY,2,1,b\n"
                                             "1762174800000,Ruim,PETR4,BUY,0,1,c\n"
                                             "1762174800000,Ruim,,BUY,1,1,\"d\nd\"\n"
                                             "1762174800000,Ruim,PETR4,BUY,1\n"
                                             "1762174800000,Ruim,PETR4,BUY,1,1,\"e\"f\n"
                                             "1762174800000,Ruim,PETR4,BUY,1,1,\xFF\n"
                                             "1762174800000,Ruim,PETR4,BUY,1,1,\n"
                                             "1762174800000,Ruim,PETR4,BUY,1,1,good\n");
    expect_import(&api, 1, path, "signals", "9 read, 1 stored, 0 already there, 8 rejected");
    expect_rejects(path,
                   "line 2: invalid ts\nline 3: invalid buy_max\nline 4: invalid buy_min\n"
                   "line 5: invalid asset\nline 7: another number of fields than the header\n"
                   "line 8: broken quotes\nline 9: invalid raw_message\nline 10: invalid raw_message\n");
    /* repaired: the file of rejects goes away */
    path = write_file(
        "bad.csv", "ts,channel,asset,signal_type,buy_min,raw_message\n1762174800000,Ruim,PETR4,BUY,1,good\n");
    expect_import(&api, 0, path, "signals", "1 read, 0 stored, 1 already there, 0 rejected");
    char rejects[TS_TEST_PATH_SIZE + 16];
    snprintf(rejects, sizeof(rejects), "%s.rejects", path);
    assert_int_not_equal(access(rejects, F_OK), 0);
    path = write_file("foreign.csv", "a;b\n1;2\n");
    expect_import(&api, 1, path, "signals", "the first line names no column of this table");
    expect_import(&api, 1, file("none.csv"), "signals", "No such file");
    close_store(&api);
    assert_int_equal(RUN(&api, "import", "--table", "nothing", path), 64);
    assert_int_equal(RUN(&api, "import"), 64);
    assert_int_equal(RUN(&api, "export"), 64);
    open_store(&api);
}

static void test_import_when_it_is_a_dry_run_then_it_counts_and_changes_nothing(void **state)
{
    (void)state;
    const char *path =
        write_file("dry.csv", "ts,asset,signal_type,buy_min,raw_message\n1762174800000,PETR4,BUY,1,seco\n");
    long seq = last_seq(&api), rows = api_rows(&api, "tp_capital_signals");
    close_store(&api);
    assert_int_equal(RUN(&api, "import", "--dry-run", path), 0);
    assert_non_null(strstr(output, "dry run: "));
    assert_non_null(strstr(output, "1 read, 1 stored, 0 already there, 0 rejected"));
    open_store(&api);
    assert_int_equal(last_seq(&api), seq);
    assert_int_equal(api_rows(&api, "tp_capital_signals"), rows);
}

static void test_import_when_there_are_many_rows_then_all_of_them_in_several_transactions(void **state)
{
    enum { ROWS = 1201 };
    (void)state;
    const char *path = file("many.csv");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("ts,channel,channel_id,message_id,asset,signal_type,buy_min,raw_message\n", out);
    for (int i = 1; i <= ROWS; i++) /* the last two are the same message */
        fprintf(out, "%lld,Muitas,-1001000000202,%d,PETR4,BUY,30,m%d\n", 1762174800000LL + i,
                i == ROWS ? i - 1 : i, i);
    assert_int_equal(fclose(out), 0);
    expect_import(&api, 0, path, "signals", "1201 read, 1200 stored, 1 already there, 0 rejected");
    assert_int_equal(api_rows(&api, "tp_capital_signals WHERE channel_id = -1001000000202"), ROWS - 1);
    assert_int_equal(
        api_rows(&api, "channel_stats WHERE channel_id = -1001000000202 AND signal_count = 1200"), 1);
}

/* A row that the database alone refuses, amid others: it is found, and the others are stored. */
static void test_import_when_the_database_refuses_a_row_then_the_others_are_stored(void **state)
{
    char *content = NULL;
    size_t size;
    (void)state;
    if (!on_postgres()) /* SQLite knows no lengths */
        skip();
    FILE *out = open_memstream(&content, &size);
    fputs("label,channel_id\n", out);
    for (int i = 0; i < 9; i++)
        fprintf(out, "%0*d,%d\n", i == 5 ? 201 : 3, i, 9000 + i);
    fclose(out);
    const char *path = write_file("long.csv", content);
    free(content);
    expect_import(&api, 1, path, "channels", "9 read, 8 stored, 0 already there, 1 rejected");
    expect_rejects(path, "line 7: refused by the database\n");
}

static void test_import_when_bots_have_tokens_then_only_the_fingerprint_is_kept(void **state)
{
    char content[512], secret[64];
    (void)state;
    snprintf(secret, sizeof(secret), "Zz%s%d", "abcdefghijklmnopqrstuvwxyz01234", 555);
    snprintf(content, sizeof(content),
             "id,username,token,bot_type,status\nbot-1,@Velho_Bot,%d:%s,Sender,active\nbot-2,Outro,%s,Sender,"
             "active\n"
             "bot-3,Terceiro,%d:%s,Sender,gone\n",
             123450, secret, secret, 123451, secret);
    const char *path = write_file("bots.csv", content);
    expect_import(&api, 1, path, "bots", "3 read, 1 stored, 0 already there, 2 rejected");
    expect_rejects(path, "line 3: invalid token\nline 4: invalid status\n");
    assert_null(strstr(output, secret));
    json_t *row = only_row(&api, "/telegram/bots");
    assert_string_equal(text_of(row, "username"), "Velho_Bot");
    assert_string_equal(text_of(row, "id"), "bot-1");
    assert_int_equal(strlen(text_of(row, "token_fingerprint")), 12);
    json_decref(row);
    char grepped[TS_TEST_PATH_SIZE];
    const char *const argv[] = {"grep", "-rqF", secret, on_postgres() ? contract_pg.dir : api.dir, NULL};
    assert_int_equal(ts_test_run(&(struct ts_test_spawn){.argv = argv}, grepped), 1);
    expect_import(&api, 1, path, "bots", "3 read, 0 stored, 1 already there, 2 rejected");
}

/* --- from one database to another --------------------------------------------------------------------------------------- */

static void fill(struct api *of)
{
    static const char *const messages[] = {
        "{\"channelId\":\"-1001000000301\",\"messageId\":1,\"text\":\"COMPRA ITUB4 31,40 alvo 32,10/33 stop "
        "30\","
        "\"timestamp\":\"2026-11-03T13:00:00.123456Z\",\"channelName\":\"Sala \\\"A\\\", s\\u00e9rie\"}",
        "{\"channelId\":\"-1001000000301\",\"messageId\":2,\"text\":\"linha 1\\r\\nlinha 2, \\\"fim\\\"\","
        "\"timestamp\":\"2026-11-03T13:01:00Z\"}",
        "{\"channelId\":\"-1001000000301\",\"messageId\":2,\"text\":\"VENDA VALE3 60\","
        "\"timestamp\":\"2026-11-03T13:01:00Z\",\"editedAt\":\"2026-11-03T13:02:00Z\"}",
        "{\"channelId\":\"-1001000000301\",\"messageId\":3,\"text\":\"\",\"timestamp\":\"2026-11-03T13:03:"
        "00Z\","
        "\"forwarded\":{\"originalChannelId\":\"-1001000000301\",\"originalMessageId\":3,"
        "\"destinationChannelId\":\"-1001000000302\",\"method\":\"copy\"}}",
        "{\"channelId\":\"-1001000000301\",\"messageId\":4,\"text\":\"COMPRA PETR4 999999999999,999999\","
        "\"timestamp\":\"2026-11-03T13:04:00Z\"}",
        "{\"channelId\":\"-1001000000301\",\"messageId\":5,\"text\":\"COMPRA PETR4 30\","
        "\"timestamp\":\"2026-11-03T13:05:00Z\"}",
        "{\"channelId\":\"-1001000000301\",\"messageId\":5,\"timestamp\":\"2026-11-03T13:05:00Z\","
        "\"deleted\":true}",
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (api_ingest(of, messages[i]) != 200)
            fail_msg("%s: %s", messages[i], of->reply.body);
    assert_int_equal(
        api_call(of, "POST", "/telegram/channels", NULL,
                 "{\"label\":\"Sala, \\\"A\\\"\",\"channel_id\":\"-1001000000301\",\"description\":\"\"}"),
        201);
    assert_int_equal(api_call(of, "POST", "/telegram/channels", NULL, "{\"label\":\"B\",\"channel_id\":5}"),
                     201);
    char body[256], path[256];
    json_t *created = json_loads(of->reply.body, 0, NULL);
    snprintf(path, sizeof(path), "/telegram/channels/%s", text_of(created, "id"));
    json_decref(created);
    assert_int_equal(api_call(of, "DELETE", path, NULL, NULL), 200);
    snprintf(body, sizeof(body), "{\"username\":\"Bot\",\"token\":\"%d:%s\"}", 123456,
             "abcdefghijklmnopqrstuvwxyz0123");
    assert_int_equal(api_call(of, "POST", "/telegram/bots", NULL, body), 201);
}

static const char *const tables[] = {"signals", "forwarded_messages", "channels", "bots"};
static const int rows_of[] = {5, 1, 2, 1};

static char *export_to(struct api *of, const char *table, const char *format, const char *name)
{
    assert_int_equal(RUN(of, "export", "--table", table, "--format", format, file(name)), 0);
    return ts_test_read_file(file(name));
}

/* Both are JSON lines; the numbers of signals and forwarded messages are those of their database. */
static void assert_same_rows(const char *table, char *a, char *b)
{
    int n = 0;
    char *rest_a = a, *rest_b = b, *line_a, *line_b;
    while ((line_a = strsep(&rest_a, "\n")) && *line_a) {
        line_b = strsep(&rest_b, "\n");
        json_t *x = json_loads(line_a, JSON_REJECT_DUPLICATES, NULL),
               *y = line_b ? json_loads(line_b, 0, NULL) : NULL;
        assert_true(x && y);
        if (json_is_integer(json_object_get(x, "id"))) {
            json_object_del(x, "id");
            json_object_del(y, "id");
        }
        if (!json_equal(x, y))
            fail_msg("%s: %s became %s", table, line_a, line_b);
        json_decref(x);
        json_decref(y);
        n++;
    }
    assert_true(rest_b && !*rest_b);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(tables[i], table) == 0)
            assert_int_equal(n, rows_of[i]);
}

static void test_export_when_imported_elsewhere_then_the_rows_are_the_same(void **state)
{
    static const char *const formats[] = {"jsonl", "csv"};
    struct api from;
    (void)state;
    api_start(&from, NULL);
    fill(&from);
    for (size_t f = 0; f < 2; f++) {
        struct api to;
        api_start(&to, NULL);
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
            char name[64], counts[128];
            snprintf(name, sizeof(name), "%s.%s", tables[i], formats[f]);
            free(export_to(&from, tables[i], formats[f], name)); /* while the service runs */
            snprintf(counts, sizeof(counts), "%d read, %d stored, 0 already there, 0 rejected", rows_of[i],
                     rows_of[i]);
            expect_import(&to, 0, file(name), tables[i], counts);
            snprintf(counts, sizeof(counts), "%d read, 0 stored, %d already there, 0 rejected", rows_of[i],
                     rows_of[i]);
            expect_import(&to, 0, file(name), tables[i], counts);
            expect_import(&from, 0, file(name), tables[i], counts); /* where they come from they are, too */
            char *a = export_to(&from, tables[i], "jsonl", "a.jsonl"),
                 *b = export_to(&to, tables[i], "jsonl", "b.jsonl");
            assert_same_rows(tables[i], a, b);
            free(a);
            free(b);
        }
        assert_int_equal(api_rows(&to, "tp_capital_signals WHERE deleted_at IS NULL"), 4);
        assert_int_equal(api_rows(&to, "tp_capital_signals WHERE price = buy_min"), 4);
        api_stop(&to);
    }
    api_stop(&from);
}

static void test_import_when_the_service_runs_then_sqlite_refuses_and_postgres_resets_the_streams(
    void **state)
{
    static char text[65536];
    (void)state;
    const char *path =
        write_file("live.csv", "ts,asset,signal_type,buy_min,raw_message\n1762174800000,PETR4,BUY,1,vivo\n");
    int fd = raw_connect(&api);
    raw_send(fd, "GET /signals/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read(fd, text, sizeof(text), ":\n\n", 5000);
    int code = RUN(&api, "import", path);
    if (on_postgres()) {
        assert_int_equal(code, 0);
        raw_read(fd, text, sizeof(text), "\n\n", 10000);
        assert_non_null(strstr(text, "event: reset"));
        assert_null(strstr(text, "signal.created"));
    } else {
        assert_int_equal(code, 1);
        assert_non_null(strstr(output, "the service is running: stop it first"));
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_when_it_is_a_dump_of_old_then_its_rows_are_converted),
        cmocka_unit_test(test_import_when_done_then_search_finds_the_rows_and_its_index_follows),
        cmocka_unit_test(test_import_when_rows_have_a_message_then_it_is_known),
        cmocka_unit_test(test_import_when_rows_are_refused_then_the_reasons_are_told_and_the_rest_is_stored),
        cmocka_unit_test(test_import_when_it_is_a_dry_run_then_it_counts_and_changes_nothing),
        cmocka_unit_test(test_import_when_there_are_many_rows_then_all_of_them_in_several_transactions),
        cmocka_unit_test(test_import_when_the_database_refuses_a_row_then_the_others_are_stored),
        cmocka_unit_test(test_import_when_bots_have_tokens_then_only_the_fingerprint_is_kept),
        cmocka_unit_test(test_export_when_imported_elsewhere_then_the_rows_are_the_same),
        cmocka_unit_test(
            test_import_when_the_service_runs_then_sqlite_refuses_and_postgres_resets_the_streams),
    };
    contract_setup(NULL);
    int failed = cmocka_run_group_tests_name("transfer", tests, start, stop);
    contract_teardown(NULL);
    return failed;
}
