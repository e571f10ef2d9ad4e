/*
 * crash_chain: a Bot API server of our own -> tp-capital-gateway (botapi) -> tp-capital-api (SQLite), while gateway and API are killed, one or both, at
 * random moments and started again on the same data. At the end every message that was posted to a channel has to be stored exactly once, and in order per
 * channel, but for those whose four attempts all fell into times without an API (tp-capital 10); the gateway names them in its log.
 *
 *   --rounds N   strikes (3)
 *   --freeze     one strike instead: the API is stopped for 12 s, longer than the gateway waits for an answer, and goes on
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bot_api.h"
#include "http/json.h"
#include "stored.h"
#include "storm.h"
#include "testing/http.h"

#define CHANNELS          4
#define FEED_MS           5
#define MAX_FEED          9   /* messages at a time */
#define MAX_UNCONFIRMED   400 /* beyond, the feeder waits for the gateway */
#define MAX_KILL_DELAY_MS 250
#define MAX_LOAD_MS       250
#define MAX_GRAVE_MS      40
#define FREEZE_MS         12000
#define DRAIN_POLL_MS     20
#define PATIENCE_S        60 /* without any progress */

struct chain {
    struct storm_options options;
    struct dice dice;
    uv_loop_t loop;
    uv_timer_t feed, fate, watch;
    struct bot_api bot;
    struct victim gateway, api;
    char gateway_dir[TS_TEST_PATH_SIZE], api_dir[TS_TEST_PATH_SIZE];
    struct ledger ledger;
    int round, gateway_kills, api_kills, under_load;
    bool waiting_for_load, draining;
    size_t confirmed_at_strike, excused;
    long left_in_outbox;
    int silent_s;
};

/* --- strikes --- */

static void plan_strike(struct chain *chain);

/* The dead come back one after the other, in either order. */
static void strike(struct chain *chain)
{
    int lot = dice_below(&chain->dice, 3); /* gateway, API, both */
    bool gateway = lot != 1, api = lot != 0, gateway_first = dice_below(&chain->dice, 2) == 0;

    chain->under_load += chain->bot.confirmed > chain->confirmed_at_strike;
    chain->confirmed_at_strike = chain->bot.confirmed;
    if (gateway)
        victim_kill(&chain->gateway);
    if (api)
        victim_kill(&chain->api);
    if (gateway && gateway_first)
        victim_start(&chain->gateway);
    ts_test_sleep_ms(dice_below(&chain->dice, MAX_GRAVE_MS));
    if (api)
        victim_start(&chain->api);
    if (gateway && !gateway_first)
        victim_start(&chain->gateway);
    chain->gateway_kills += gateway;
    chain->api_kills += api;
}

static void on_fate(uv_timer_t *timer)
{
    struct chain *chain = timer->data;

    strike(chain);
    chain->round++;
    plan_strike(chain);
}

static void on_thaw(uv_timer_t *timer)
{
    struct chain *chain = timer->data;

    ts_test_signal(&chain->api.process, SIGCONT);
    chain->round = chain->options.rounds;
    plan_strike(chain);
}

static void on_freeze(uv_timer_t *timer)
{
    struct chain *chain = timer->data;

    ts_test_signal(&chain->api.process, SIGSTOP);
    chain->under_load++;
    uv_timer_start(timer, on_thaw, FREEZE_MS, 0);
}

/* --- the end: no new messages, until the outbox is empty --- */

static void finish(struct chain *chain)
{
    uv_close((uv_handle_t *)&chain->feed, NULL);
    uv_close((uv_handle_t *)&chain->fate, NULL);
    uv_close((uv_handle_t *)&chain->watch, NULL);
    bot_api_stop(&chain->bot);
}

/* The metric's value, or -1 while the gateway does not answer. */
static long gateway_metric(const struct chain *chain, const char *name)
{
    _cleanup_(ts_test_reply_done) struct ts_test_reply reply = {0};
    char url[64], line[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/metrics", chain->gateway.port);
    snprintf(line, sizeof(line), "\n%s ", name);
    if (ts_test_http(&(struct ts_test_request){.url = url, .timeout_ms = 2000}, &reply) != 200)
        return -1;
    const char *found = strstr(reply.body, line);
    if (!found)
        ts_test_die("the gateway has no metric %s", name);
    return strtol(found + strlen(line), NULL, 10);
}

static void on_drain(uv_timer_t *timer)
{
    struct chain *chain = timer->data;

    long left = gateway_metric(chain, "telegram_outbox_size");

    if (left != chain->left_in_outbox)
        chain->silent_s = 0;
    chain->left_in_outbox = left;
    if (left == 0 && chain->bot.confirmed == chain->ledger.n_sent)
        finish(chain);
}

static void drain(struct chain *chain)
{
    chain->draining = true;
    uv_timer_stop(&chain->feed);
    uv_timer_start(&chain->fate, on_drain, DRAIN_POLL_MS, DRAIN_POLL_MS);
}

/* One strike in four falls at any moment from the start of the processes on, recovery included; the others under load. */
static void plan_strike(struct chain *chain)
{
    if (chain->round == chain->options.rounds)
        drain(chain);
    else if (dice_below(&chain->dice, 4) == 0)
        uv_timer_start(&chain->fate, on_fate, (uint64_t)dice_below(&chain->dice, MAX_KILL_DELAY_MS), 0);
    else
        chain->waiting_for_load = true;
}

/* --- load --- */

static void on_feed(uv_timer_t *timer)
{
    struct chain *chain = timer->data;

    if (chain->ledger.n_sent - chain->bot.confirmed < MAX_UNCONFIRMED)
        bot_api_feed(&chain->bot, dice_below(&chain->dice, MAX_FEED + 1));
}

static void on_confirmed(void *ctx)
{
    struct chain *chain = ctx;

    chain->silent_s = 0;
    if (!chain->waiting_for_load)
        return;
    chain->waiting_for_load = false;
    uv_timer_start(&chain->fate, chain->options.kind == STORM_FREEZE ? on_freeze : on_fate,
                   (uint64_t)dice_below(&chain->dice, MAX_LOAD_MS), 0);
}

static void on_watch(uv_timer_t *timer)
{
    struct chain *chain = timer->data;

    victim_check(&chain->gateway);
    victim_check(&chain->api);
    if (++chain->silent_s == PATIENCE_S)
        ts_test_die("no progress for %d s (%s): %zu sent, %zu confirmed; see %s and %s", PATIENCE_S,
                    chain->draining ? "draining" : "under load", chain->ledger.n_sent, chain->bot.confirmed,
                    chain->gateway.process.output, chain->api.process.output);
}

/* --- one run --- */

/* Short waits, so that a message outlives many strikes in one run; the schedule is the same. */
static void init_gateway(struct chain *chain)
{
    struct victim *gateway = &chain->gateway;

    victim_init(gateway, "tp-capital-gateway", storm_port());
    victim_env(gateway, "GATEWAY_PORT=%d", gateway->port);
    victim_env(gateway, "API_SECRET_TOKEN=%s", STORM_TOKEN);
    victim_env(gateway, "API_ENDPOINT=http://127.0.0.1:%d/ingest", chain->api.port);
    victim_env(gateway, "DATA_DIR=%s", chain->gateway_dir);
    victim_env(gateway, "GATEWAY_TRANSPORT=botapi");
    victim_env(gateway, "GATEWAY_ALLOW_ALL=true");
    victim_env(gateway, "TELEGRAM_INGESTION_BOT_TOKEN=%s", BOT_API_TOKEN);
    victim_env(gateway, "TELEGRAM_BOT_API_URL=http://127.0.0.1:%d", chain->bot.port);
    victim_env(gateway, "API_TIMEOUT_MS=%d", chain->options.kind == STORM_FREEZE ? 2000 : 10000);
    victim_env(gateway, "RETRY_DELAY_MS=200");
    victim_env(gateway, "RECONNECT_DELAY_MS=100");
    victim_env(gateway, "REPLAY_INTERVAL_MS=500");
    victim_env(gateway, "LOG_LEVEL=warn");
}

static void begin(struct chain *chain)
{
    uv_loop_init(&chain->loop);
    uv_timer_init(&chain->loop, &chain->feed);
    uv_timer_init(&chain->loop, &chain->fate);
    uv_timer_init(&chain->loop, &chain->watch);
    chain->feed.data = chain->fate.data = chain->watch.data = chain;
    ledger_init(&chain->ledger, CHANNELS);
    chain->bot = (struct bot_api){.ledger = &chain->ledger, .on_confirmed = on_confirmed, .ctx = chain};
    bot_api_start(&chain->bot, &chain->loop);
    ts_test_dir_make(chain->gateway_dir);
    ts_test_dir_make(chain->api_dir);
    victim_init_api(&chain->api, chain->api_dir, NULL);
    init_gateway(chain);
}

static void rage(struct chain *chain)
{
    victim_start(&chain->api);
    victim_start(&chain->gateway);
    uv_timer_start(&chain->watch, on_watch, 1000, 1000);
    uv_timer_start(&chain->feed, on_feed, 0, FEED_MS);
    if (chain->options.kind == STORM_FREEZE)
        chain->waiting_for_load = true;
    else
        plan_strike(chain);
    uv_run(&chain->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&chain->loop) != 0)
        ts_test_die("a handle was left open");
}

/* Messages with a failed cycle may come late: the gateway said which. */
static void excuse_failed(struct chain *chain)
{
    char *log = ts_test_read_file(chain->gateway.process.output), *rest = log, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        _cleanup_(ts_json_freep) json_t *event = NULL;
        int64_t channel_id, message_id;
        if (!strstr(line, "Message saved to failure queue") ||
            ts_json_parse_object(ts_str_from(line), 8, &event) < 0 ||
            ts_json_i64(json_object_get(event, "channelId"), INT64_MIN, INT64_MAX, &channel_id) < 0 ||
            ts_json_i64(json_object_get(event, "messageId"), 1, INT64_MAX, &message_id) < 0)
            continue;
        ledger_excuse(&chain->ledger, channel_id, message_id);
        chain->excused++;
    }
    free(log);
}

static bool check(const struct ledger_count *count)
{
    return ledger_is_clean(count) && count->stored == count->sent;
}

static bool judge(struct chain *chain)
{
    char path[TS_TEST_PATH_SIZE];

    excuse_failed(chain);
    printf("%d strikes: %d kills of the gateway, %d of the API, %d of them under load; %zu updates given "
           "again, %zu messages with a failed cycle\n",
           chain->options.kind == STORM_FREEZE ? 1 : chain->round, chain->gateway_kills, chain->api_kills,
           chain->under_load, chain->bot.given_again, chain->excused);
    struct ledger_count shown = stored_by_api(&chain->ledger, chain->api.port);
    victim_stop(&chain->gateway);
    victim_stop(&chain->api);
    ts_test_path(chain->api_dir, "tp-capital.db", path);
    struct ledger_count signals = stored_signals_sqlite(&chain->ledger, path, true);
    struct ledger_count keys = stored_keys_sqlite(&chain->ledger, path);
    return check(&shown) && check(&signals) && check(&keys) && chain->under_load > 0;
}

int main(int argc, char **argv)
{
    static struct chain chain;
    bool good;

    chain.options = storm_options_parse(argc, argv);
    chain.dice = dice_from(chain.options.seed);
    begin(&chain);
    rage(&chain);
    good = judge(&chain);
    ledger_done(&chain.ledger);
    puts(good ? "good" : "FAILED");
    return !good;
}
