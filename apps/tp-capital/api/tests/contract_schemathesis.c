/*
 * The API against its own description: schemathesis reads what the running program says at /openapi.json, and asks all that it allows and much that it
 * forbids. What it is told not to mind stands in schemathesis/exclusions.py.
 *
 * TS_TEST_EXAMPLES: test cases an operation (30). TS_TEST_SEED: of the generator; `random` draws one and prints it (1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "contract.h"

#define ADMIN_TOKEN "admin-token-0123456789abcdef01234567"
#define FOLDER      "apps/tp-capital/api/tests/schemathesis"

static struct api api;

static const char *in_source(const char *path)
{
    static char paths[4][2 * TS_TEST_PATH_SIZE];
    static unsigned next;
    const char *root = getenv("TS_SOURCE_DIR");
    if (!root)
        ts_test_die("TS_SOURCE_DIR is not set");
    char *out = paths[next++ % 4];
    snprintf(out, sizeof(paths[0]), "%s/%s", root, path);
    return out;
}

static int start(void **state)
{
    static const char *const extra[] = {"ADMIN_TOKEN=" ADMIN_TOKEN, NULL};
    contract_setup(state);
    api_start(&api, extra);
    return 0;
}

static int stop(void **state)
{
    api_stop(&api);
    return contract_teardown(state);
}

/* A row of each kind, so that the lists are not empty. */
static void store_some(void)
{
    static const char forwarded[] = "{\"channelId\":\"-1001000000001\",\"messageId\":4,\"text\":\"VENDA "
                                    "BBAS3 27,35 stop 28,10\",\"timestamp\":"
                                    "\"2025-11-03T13:00:00Z\",\"forwarded\":{\"originalChannelId\":\"-"
                                    "1001000000002\",\"originalMessageId\":9,"
                                    "\"destinationChannelId\":\"-1001000000003\",\"method\":\"copy\"}}";
    static const char edited[] =
        "{\"channelId\":\"-1001000000001\",\"messageId\":1,\"text\":\"COMPRA ITUB4 31,50\",\"timestamp\":"
        "\"2025-11-03T13:00:00Z\",\"editedAt\":\"2025-11-03T13:05:00Z\"}";
    api_store(&api, 1, "COMPRA ITUB4\nEntrada: R$ 31,40\nStop: R$ 30,55\nAlvo 1: R$ 32,10");
    api_store(&api, 2, "VENDA BBAS3 @ R$ 27,35\nStop: R$ 28,10");
    api_store(&api, 3, "Bom dia");
    assert_int_equal(api_ingest(&api, forwarded), 200);
    assert_int_equal(api_ingest(&api, edited), 200);
}

/*
 * What the program says at /openapi.json, as a file: of an address, schemathesis would leave out the path that it got the description from.
 * Returns the number of operations.
 */
static size_t save_description(char path[TS_TEST_PATH_SIZE])
{
    json_t *document = api_json(&api, "/openapi.json", 200), *methods;
    const char *name;
    size_t n = 0;
    if (json_dump_file(document, ts_test_path(api.dir, "openapi.json", path), 0) < 0)
        ts_test_die("cannot write %s", path);
    json_object_foreach(json_object_get(document, "paths"), name, methods)
    {
        n += json_object_size(methods);
    }
    json_decref(document);
    return n;
}

static const char *seed(void)
{
    static char text[16];
    const char *wanted = getenv("TS_TEST_SEED");
    uint32_t drawn;
    if (!wanted || strcmp(wanted, "random") != 0)
        return wanted ? wanted : "1";
    if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
        ts_test_die("getrandom");
    snprintf(text, sizeof(text), "%u", drawn);
    return text;
}

/* Returns its exit code; *ret_output is what it said, to be freed. */
static int run_schemathesis(const char *description, char **ret_output)
{
    const char *examples = getenv("TS_TEST_EXAMPLES"), *used_seed = seed();
    char hooks[2 * TS_TEST_PATH_SIZE + 32], output[TS_TEST_PATH_SIZE];
    const char *const argv[] = {in_source(".cache/schemathesis/bin/schemathesis"),
                                "--config-file",
                                in_source(FOLDER "/schemathesis.toml"),
                                "--no-color",
                                "run",
                                description,
                                "--url",
                                api_url(&api, ""),
                                "--max-examples",
                                examples ? examples : "30",
                                "--seed",
                                used_seed,
                                NULL};
    const char *const env[] = {"GATEWAY_TOKEN=" TOKEN, "ADMIN_TOKEN=" ADMIN_TOKEN,  hooks,
                               "COLUMNS=120",          "PYTHONDONTWRITEBYTECODE=1", NULL};

    snprintf(hooks, sizeof(hooks), "SCHEMATHESIS_HOOKS=%s", in_source(FOLDER "/exclusions.py"));
    printf("schemathesis: seed %s\n", used_seed);
    fflush(stdout);
    int code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output);
    *ret_output = ts_test_read_file(output);
    return code;
}

static void test_description_when_all_that_it_says_is_tried_then_the_api_keeps_to_it(void **state)
{
    char description[TS_TEST_PATH_SIZE], tested[32], *output;
    (void)state;
    store_some();
    snprintf(tested, sizeof(tested), "Tested: %zu\n", save_description(description));
    int code = run_schemathesis(description, &output);
    const char *summary = strstr(output, " SUMMARY ");
    bool all_tested = summary && strstr(summary, tested);
    puts(code == 0 && all_tested ? summary : output);
    free(output);
    assert_int_equal(code, 0);
    assert_true(all_tested);
    assert_true(ts_test_is_running(&api.process));
}

/* The next name of a test in *at. False at the end. */
static bool next_test_name(const char **at, char *name, size_t size)
{
    const char *start = strstr(*at, "test_");
    if (!start)
        return false;
    size_t len = strspn(start, "abcdefghijklmnopqrstuvwxyz0123456789_");
    assert_true(len < size);
    snprintf(name, size, "%.*s", (int)len, start);
    *at = start + len;
    return true;
}

static void test_exclusions_when_they_name_a_test_then_there_is_one(void **state)
{
    char *exclusions = ts_test_read_file(in_source(FOLDER "/exclusions.py"));
    char name[128], output[TS_TEST_PATH_SIZE];
    int n = 0;
    (void)state;
    for (const char *at = exclusions; next_test_name(&at, name, sizeof(name)); n++) {
        const char *const argv[] = {
            "grep", "-rqw", "--include=*.c", name, in_source("lib"), in_source("apps"), NULL};
        if (ts_test_run(&(struct ts_test_spawn){.argv = argv}, output) != 0)
            fail_msg("exclusions.py relies on %s, which is no test", name);
    }
    assert_true(n > 10);
    free(exclusions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusions_when_they_name_a_test_then_there_is_one),
        cmocka_unit_test(test_description_when_all_that_it_says_is_tried_then_the_api_keeps_to_it),
    };
    return cmocka_run_group_tests_name("schemathesis", tests, start, stop);
}
