/* What the environment means: which transport, what it then requires, what is refused. */
#include <stdlib.h>

#include "cmocka_all.h"
#include "config.h"

#define TOKEN "API_SECRET_TOKEN=0123456789abcdef0123456789abcdef"
#define BOT   "TELEGRAM_BOT_TOKEN=123456:abcdefghijklmnopqrstuvwxyz"

struct loaded {
    struct config config;
    struct ts_arena *arena;
    struct ts_buf errors;
    int n_errors;
};

/* ctx: NAME=value strings, NULL at the end. */
static const char *lookup(const char *name, void *ctx)
{
    size_t len = strlen(name);
    for (const char *const *entry = ctx; *entry; entry++) {
        if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
            return *entry + len + 1;
    }
    return NULL;
}

static struct loaded *load(const char *const *env)
{
    struct loaded *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->arena = ts_arena_new(1024 * 1024);
    l->errors.max_bytes = 64 * 1024;
    l->n_errors = ts_config_load(config_fields, config_n_fields, &l->config, l->arena, &l->errors, lookup,
                                 (void *)(uintptr_t)env);
    assert_true(l->n_errors >= 0);
    l->n_errors += config_check(&l->config, &l->errors);
    ts_buf_char(&l->errors, '\0');
    return l;
}

static void unload(struct loaded *l)
{
    ts_config_wipe(config_fields, config_n_fields, &l->config);
    ts_buf_done(&l->errors);
    ts_arena_free(l->arena);
    free(l);
}

#define ENV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_check_then_every_error_named(void **state)
{
    const struct {
        const char *const *env;
        const char *error; /* NULL: none */
    } cases[] = {
        {ENV("X=1"), "FATAL: API_SECRET_TOKEN is required\n"},
        {ENV(TOKEN), NULL},
        {ENV("API_SECRET_TOKEN=short"), "FATAL: API_SECRET_TOKEN is invalid"},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=replay"), "FATAL: REPLAY_FILE is required\n"},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=-"), NULL},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=-", "NODE_ENV=development"), NULL},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=-", "NODE_ENV=production"),
         "FATAL: GATEWAY_TRANSPORT is invalid: replay"},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=-", "REPLAY_SPEED=fast"),
         "FATAL: REPLAY_SPEED is invalid"},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=-", "REPLAY_SPEED=-1"),
         "FATAL: REPLAY_SPEED is invalid"},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=pigeon"), "FATAL: GATEWAY_TRANSPORT is invalid"},
        {ENV(TOKEN, "GATEWAY_TRANSPORT=botapi"), "FATAL: TELEGRAM_INGESTION_BOT_TOKEN is required\n"},
        {ENV(TOKEN, BOT), "FATAL: TELEGRAM_SOURCE_CHANNEL_IDS is required\n"},
        {ENV(TOKEN, BOT, "TELEGRAM_SOURCE_CHANNEL_IDS=-1001,-1002"), NULL},
        {ENV(TOKEN, BOT, "TELEGRAM_SOURCE_CHANNEL_IDS=-1001,x"),
         "FATAL: TELEGRAM_SOURCE_CHANNEL_IDS is invalid"},
        {ENV(TOKEN, BOT, "GATEWAY_ALLOW_ALL=true"), NULL},
        {ENV(TOKEN, "TELEGRAM_BOT_TOKEN=abcdefghijklmnopqrstuvwxyz", "GATEWAY_ALLOW_ALL=true"),
         "FATAL: TELEGRAM_BOT_TOKEN is invalid"},
        {ENV(TOKEN, "TELEGRAM_API_ID=5"), "FATAL: SESSION_KEY is required\n"},
        {ENV(TOKEN, "API_ENDPOINT=http://api.example.com/ingest"), "FATAL: API_ENDPOINT is invalid"},
        {ENV(TOKEN, "API_ENDPOINT=https://api.example.com/ingest"), NULL},
        {ENV(TOKEN, "API_ENDPOINT=http://localhost.example.com/ingest"), "is invalid"},
        {ENV(TOKEN, "API_ENDPOINT=http://user@localhost/ingest"), "is invalid"},
        {ENV(TOKEN, "API_ENDPOINTS=http://127.0.0.1:1/ingest,ftp://x"), "FATAL: API_ENDPOINTS is invalid"},
        {ENV(TOKEN, "TELEGRAM_BOT_API_URL=http://example.com"), "FATAL: TELEGRAM_BOT_API_URL is invalid"},
        {ENV(TOKEN, "API_TIMEOUT_MS=10s"), "FATAL: API_TIMEOUT_MS is invalid"},
        {ENV(TOKEN, "MAX_RETRIES=11"), "FATAL: MAX_RETRIES is invalid"},
        {ENV(TOKEN, "TELEGRAM_PHONE_NUMBER=5511999999999"), "FATAL: TELEGRAM_PHONE_NUMBER is invalid"},
        {ENV(TOKEN, "SESSION_KEY=zz"), "FATAL: SESSION_KEY is invalid"},
    };
    (void)state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        struct loaded *l = load(cases[i].env);
        if (!cases[i].error && l->n_errors != 0)
            fail_msg("case %zu: %s", i, l->errors.data);
        if (cases[i].error && !strstr(l->errors.data, cases[i].error))
            fail_msg("case %zu: not in: %s", i, l->errors.data);
        unload(l);
    }
}

static void test_check_then_all_errors_at_once(void **state)
{
    struct loaded *l = load(ENV("GATEWAY_TRANSPORT=botapi", "API_TIMEOUT_MS=0"));
    (void)state;
    assert_int_equal(l->n_errors, 4); /* both tokens, the channels, the time-out */
    unload(l);
}

static void test_transport_when_unset_then_by_the_credentials(void **state)
{
    (void)state;
    struct loaded *l = load(ENV(TOKEN));
    assert_int_equal(config_transport(&l->config), TRANSPORT_UNSET);
    unload(l);
    l = load(ENV(TOKEN, BOT));
    assert_int_equal(config_transport(&l->config), TRANSPORT_BOTAPI);
    unload(l);
    l = load(ENV(TOKEN, BOT, "TELEGRAM_API_ID=5"));
    assert_int_equal(config_transport(&l->config), TRANSPORT_TDLIB);
    unload(l);
    l = load(ENV(TOKEN, BOT, "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=x"));
    assert_int_equal(config_transport(&l->config), TRANSPORT_REPLAY);
    unload(l);
}

static void test_values_then_defaults_aliases_and_paths(void **state)
{
    (void)state;
    struct loaded *l = load(ENV(TOKEN, "MAX_RETRIES=7", "REPLAY_SPEED=0.5", "DATA_DIR=/d",
                                "GATEWAY_TRANSPORT=replay", "REPLAY_FILE=x"));
    assert_int_equal(l->config.max_retries, 7);
    assert_int_equal(l->config.retry_delay_ms, 5000);
    assert_int_equal(l->config.service.port, 4006);
    assert_int_equal(config_replay_speed_e6(&l->config), 500000);
    assert_true(config_allows_all(&l->config)); /* a file has no strangers in it */
    assert_string_equal(config_outbox_path(&l->config, l->arena), "/d/outbox.db");
    assert_string_equal(config_failure_queue_path(&l->config, l->arena), "/d/failure-queue.jsonl");
    assert_true(ts_str_eq(l->config.endpoints.items[0], TS_STR("http://localhost:4005/ingest")));
    unload(l);
    l = load(ENV(TOKEN, "OUTBOX_PATH=/o/x.db", "API_ENDPOINT=https://a.example/ingest",
                 "API_ENDPOINTS=https://b.example/ingest"));
    assert_string_equal(config_outbox_path(&l->config, l->arena), "/o/x.db");
    assert_int_equal(l->config.endpoints.n, 1);
    assert_true(ts_str_eq(l->config.endpoints.items[0], TS_STR("https://b.example/ingest")));
    unload(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_then_every_error_named),
        cmocka_unit_test(test_check_then_all_errors_at_once),
        cmocka_unit_test(test_transport_when_unset_then_by_the_credentials),
        cmocka_unit_test(test_values_then_defaults_aliases_and_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
