/*
 * replicas: nginx with the configuration that we ship -> three tp-capital-api -> one PostgreSQL. While 16 connections post to /ingest, others read lists and four
 * readers follow the stream, the replicas are restarted one after the other (SIGTERM), then killed (SIGKILL) at random moments.
 *
 * No request may fail while they are restarted: the first answer to every message is 200, every list is 200, every stream that ends is begun anew
 * with 200. While they are killed that holds for messages still; a list may fail only if it was in flight. At the end every message is stored exactly
 * once, and every reader was told of every change exactly once, in order.
 *
 *   --rounds N   restarts of all replicas (2): first there are two; the third joins after the first round
 *   --kills N    kills after that (4)
 *   --seed N
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "http/client.h"
#include "load.h"
#include "stored.h"
#include "storm.h"
#include "testing/http.h"
#include "testing/nginx.h"
#include "testing/postgres.h"
#include "watcher.h"

#define CHANNELS 4
#define PAUSE_MS \
    20 /* of a connection: a reader that is away for a moment must not fall 1,000 changes behind */
#define LIST_PAUSE_MS 10
#define TICK_MS       20
#define MAX_CALM_MS   200 /* between two strikes */
#define PATIENCE_S    60  /* without any progress */

enum { REPLICAS = 3, WATCHERS = 4, LISTERS = 4 };

enum phase { CALM, LEAVING, DEAD, RISING, FINISHING, CATCHING_UP };

struct lister {
    struct scene *scene;
    uv_timer_t rest;
    size_t n;
};

struct scene {
    int rounds, kills;
    struct dice dice;
    uv_loop_t loop;
    uv_timer_t tick, watch;
    struct ts_test_pg pg;
    struct ts_test_nginx nginx;
    struct victim replicas[REPLICAS];
    char data_dir[TS_TEST_PATH_SIZE]; /* nothing comes to lie there */
    int running;                      /* replicas 0 … running - 1 */
    int step, turn;                   /* of the plan; whose turn it is */
    struct ledger ledger;
    struct load load;
    struct watcher watchers[WATCHERS];
    struct lister listers[LISTERS];
    struct ts_http_client *client;
    enum phase phase;
    int64_t calm_until_ms;
    bool asking, goodbye_seen;
    size_t lists, lists_failed, lists_failed_of_old; /* of_old: before the first kill */
    size_t restarts, goodbyes, killed;
    int64_t last_seq;
    int silent_s;
};

/* --- lists --- */

static void list(struct lister *lister);

static void on_list_rested(uv_timer_t *timer)
{
    list(timer->data);
}

static void on_list(const struct ts_http_client_reply *reply, void *ctx)
{
    struct lister *lister = ctx;
    struct scene *scene = lister->scene;

    if (scene->phase == CATCHING_UP)
        return;
    scene->lists++;
    if (reply->error != 0 || reply->status != 200) {
        scene->lists_failed++;
        fprintf(stderr, "list: status %d, error %d, %.*s\n", reply->status, reply->error,
                TS_STR_ARG(reply->body));
    }
    uv_timer_start(&lister->rest, on_list_rested, LIST_PAUSE_MS, 0);
}

static void list(struct lister *lister)
{
    static const char *const paths[] = {"/signals?limit=50", "/channels", "/signals?type=BUY", "/health"};
    char url[128];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", lister->scene->nginx.port,
             paths[lister->n++ % TS_ARRAY_LEN(paths)]);
    if (ts_http_client_send(lister->scene->client, &(struct ts_http_client_request){.url = url}, on_list,
                            lister, NULL) < 0)
        ts_test_die("the client can't send");
}

/* --- one replica leaves and comes back --- */

static void be_calm(struct scene *scene)
{
    scene->phase = CALM;
    scene->calm_until_ms = ts_test_now_ms() + dice_below(&scene->dice, MAX_CALM_MS);
}

static struct victim *replica_in_turn(struct scene *scene)
{
    return &scene->replicas[scene->turn];
}

static void on_health(const struct ts_http_client_reply *reply, void *ctx)
{
    struct scene *scene = ctx;

    scene->asking = false;
    if (scene->phase == LEAVING && reply->error == 0 && reply->status == 503)
        scene->goodbye_seen = true;
    if (scene->phase == RISING && reply->error == 0 && reply->status == 200)
        be_calm(scene);
}

/* Not through nginx: of the replica itself. */
static void ask_health(struct scene *scene)
{
    char url[64];

    if (scene->asking)
        return;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/health", replica_in_turn(scene)->port);
    scene->asking = true;
    if (ts_http_client_send(scene->client, &(struct ts_http_client_request){.url = url}, on_health, scene,
                            NULL) < 0)
        ts_test_die("the client can't send");
}

static void rise(struct scene *scene)
{
    victim_start(replica_in_turn(scene));
    scene->phase = RISING;
}

static void begin_restart(struct scene *scene)
{
    victim_check(replica_in_turn(scene));
    ts_test_signal(&replica_in_turn(scene)->process, SIGTERM);
    scene->goodbye_seen = false;
    scene->phase = LEAVING;
}

static void on_leaving(struct scene *scene)
{
    const struct ts_test_process *process = &replica_in_turn(scene)->process;

    if (ts_test_is_running(&replica_in_turn(scene)->process)) {
        ask_health(scene);
        return;
    }
    if (!WIFEXITED(process->status) || WEXITSTATUS(process->status) != 0)
        ts_test_die("a replica did not end well after SIGTERM, wait status %d; see %s", process->status,
                    process->output);
    scene->restarts++;
    scene->goodbyes += scene->goodbye_seen;
    rise(scene);
}

static void begin_kill(struct scene *scene)
{
    if (scene->killed++ == 0)
        scene->lists_failed_of_old = scene->lists_failed;
    scene->turn = dice_below(&scene->dice, scene->running);
    victim_kill(replica_in_turn(scene));
    scene->calm_until_ms = ts_test_now_ms() + dice_below(&scene->dice, MAX_CALM_MS);
    scene->phase = DEAD;
}

/* The plan: two are restarted, a third joins, three are restarted again and again, then any is killed. */
static void next_step(struct scene *scene)
{
    const int step = scene->step++, old = REPLICAS - 1, last_restart = REPLICAS * scene->rounds;

    if (step == old) {
        scene->turn = scene->running++;
        rise(scene);
    } else if (step < last_restart) {
        scene->turn = step % REPLICAS;
        begin_restart(scene);
    } else if (step < last_restart + scene->kills) {
        begin_kill(scene);
    } else {
        scene->phase = FINISHING;
        load_finish(&scene->load);
    }
}

static bool all_caught_up(const struct scene *scene)
{
    for (int i = 0; i < WATCHERS; i++)
        if (scene->watchers[i].seq != scene->last_seq)
            return false;
    return true;
}

static void finish(struct scene *scene)
{
    uv_close((uv_handle_t *)&scene->tick, NULL);
    uv_close((uv_handle_t *)&scene->watch, NULL);
    for (int i = 0; i < WATCHERS; i++)
        watcher_stop(&scene->watchers[i]);
    for (int i = 0; i < LISTERS; i++)
        uv_close((uv_handle_t *)&scene->listers[i].rest, NULL);
    scene->client = ts_http_client_free(scene->client);
    load_done(&scene->load);
}

static void on_tick(uv_timer_t *timer)
{
    struct scene *scene = timer->data;

    switch (scene->phase) {
    case CALM:
        if (ts_test_now_ms() >= scene->calm_until_ms)
            next_step(scene);
        break;
    case LEAVING:
        on_leaving(scene);
        break;
    case DEAD:
        if (ts_test_now_ms() >= scene->calm_until_ms)
            rise(scene);
        break;
    case RISING:
        victim_check(replica_in_turn(scene));
        ask_health(scene);
        break;
    case FINISHING:
        break;
    case CATCHING_UP:
        if (all_caught_up(scene))
            finish(scene);
        break;
    }
}

/* --- load and patience --- */

static void on_acknowledged(void *ctx)
{
    struct scene *scene = ctx;

    scene->silent_s = 0;
}

static void on_idle(void *ctx)
{
    struct scene *scene = ctx;

    scene->last_seq = ts_test_pg_count(&scene->pg, "SELECT last_seq FROM tp_capital.change_seq");
    scene->phase = CATCHING_UP;
}

static void on_watch(uv_timer_t *timer)
{
    struct scene *scene = timer->data;

    if (++scene->silent_s < PATIENCE_S)
        return;
    for (int i = 0; i < WATCHERS; i++)
        fprintf(stderr, "reader %d: at %lld of %lld\n", i, (long long)scene->watchers[i].seq,
                (long long)scene->last_seq);
    ts_test_die("no progress for %d s in phase %d; a replica's output is in %s", PATIENCE_S, scene->phase,
                replica_in_turn(scene)->process.output);
}

/* --- one run --- */

static void start_nginx(struct scene *scene)
{
    char listen[64], list[512] = "";
    const struct ts_test_file files[] = {{"tp-capital-listen.conf", listen},
                                         {"tp-capital-replicas.conf", list}};
    int port = storm_port();

    snprintf(listen, sizeof(listen), "listen 127.0.0.1:%d;\n", port);
    for (int i = 0; i < REPLICAS; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "server 127.0.0.1:%d max_fails=0;\n",
                 scene->replicas[i].port);
    ts_test_nginx_start(&scene->nginx, "apps/tp-capital/api/nginx/replicas.conf", port, files,
                        TS_ARRAY_LEN(files));
}

static void begin(struct scene *scene)
{
    char url[64];

    ts_test_pg_start(&scene->pg, NULL);
    ts_test_dir_make(scene->data_dir);
    for (int i = 0; i < REPLICAS; i++) {
        victim_init_api(&scene->replicas[i], scene->data_dir, scene->pg.url);
        victim_env(&scene->replicas[i], "TRUSTED_PROXIES=127.0.0.1");
    }
    for (; scene->running < REPLICAS - 1; scene->running++) {
        victim_start(&scene->replicas[scene->running]);
        snprintf(url, sizeof(url), "http://127.0.0.1:%d/health", scene->replicas[scene->running].port);
        if (!ts_test_wait_status(url, 200, 20000))
            ts_test_die("a replica does not start; see %s", scene->replicas[scene->running].process.output);
    }
    start_nginx(scene);
}

static void play(struct scene *scene)
{
    uv_loop_init(&scene->loop);
    uv_timer_init(&scene->loop, &scene->tick);
    uv_timer_init(&scene->loop, &scene->watch);
    scene->tick.data = scene->watch.data = scene;
    uv_timer_start(&scene->tick, on_tick, TICK_MS, TICK_MS);
    uv_timer_start(&scene->watch, on_watch, 1000, 1000);
    if (ts_http_client_new(&scene->loop, LISTERS, &scene->client) < 0)
        ts_test_die("no HTTP client");
    for (int i = 0; i < WATCHERS; i++)
        watcher_start(&scene->watchers[i], &scene->loop, scene->nginx.port);
    for (int i = 0; i < LISTERS; i++) {
        scene->listers[i].scene = scene;
        uv_timer_init(&scene->loop, &scene->listers[i].rest);
        scene->listers[i].rest.data = &scene->listers[i];
        list(&scene->listers[i]);
    }
    scene->load.pause_ms = PAUSE_MS;
    scene->load.on_acknowledged = on_acknowledged;
    scene->load.on_idle = on_idle;
    scene->load.ctx = scene;
    load_start(&scene->load, &scene->loop, scene->nginx.port, &scene->ledger);
    be_calm(scene);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&scene->loop) != 0)
        ts_test_die("a handle was left open");
}

/* --- judgement --- */

struct comparison {
    const struct watcher *watcher;
    size_t missed, twice;
};

static void compare(int64_t seq, void *ctx)
{
    struct comparison *comparison = ctx;
    unsigned seen = watcher_seen(comparison->watcher, seq);

    comparison->missed += seen == 0;
    comparison->twice += seen > 1;
}

static bool judge_watcher(const struct scene *scene, const struct watcher *watcher)
{
    struct comparison comparison = {.watcher = watcher};
    size_t stored = stored_seqs_postgres(scene->pg.url, compare, &comparison);
    bool good =
        stored > 0 && watcher->events == stored && watcher->streams > 1 &&
        comparison.missed + comparison.twice + watcher->refused + watcher->resets + watcher->backwards == 0;

    printf("reader: %zu changes in %zu streams, %zu stored: %zu missed, %zu twice, %zu out of order, %zu "
           "never stored, %zu resets, %zu streams refused: %s\n",
           watcher->events, watcher->streams, stored, comparison.missed, comparison.twice, watcher->backwards,
           watcher->events + comparison.missed - comparison.twice - stored, watcher->resets, watcher->refused,
           good ? "good" : "BAD");
    return good;
}

static bool judge(struct scene *scene)
{
    const struct ledger_count signals = stored_signals_postgres(&scene->ledger, scene->pg.url, false),
                              keys = stored_keys_postgres(&scene->ledger, scene->pg.url);
    bool good = ledger_is_clean(&signals) && signals.stored == signals.sent && ledger_is_clean(&keys) &&
                keys.stored == keys.sent;

    printf("%zu restarts, %zu of them with /health 503 first, %zu kills; posts: %zu, %zu failed, %zu bad; "
           "lists: %zu, %zu failed, %zu of them before the kills\n",
           scene->restarts, scene->goodbyes, scene->killed, scene->ledger.n_sent, scene->load.repeated,
           scene->load.bad, scene->lists, scene->lists_failed,
           scene->killed > 0 ? scene->lists_failed_of_old : scene->lists_failed);
    good = good && scene->load.repeated == 0 && scene->load.bad == 0 && scene->goodbyes == scene->restarts &&
           (scene->killed > 0 ? scene->lists_failed_of_old : scene->lists_failed) == 0 &&
           scene->lists_failed <= scene->killed * LISTERS;
    for (int i = 0; i < WATCHERS; i++)
        good = judge_watcher(scene, &scene->watchers[i]) && good;
    return good;
}

static void end(struct scene *scene)
{
    ts_test_nginx_stop(&scene->nginx);
    for (int i = 0; i < scene->running; i++)
        victim_check(&scene->replicas[i]);
    for (int i = 0; i < scene->running; i++)
        ts_test_signal(&scene->replicas[i].process, SIGTERM);
    for (int i = 0; i < scene->running; i++)
        ts_test_end(&scene->replicas[i].process, SIGCONT); /* they have been told */
    ts_test_pg_stop(&scene->pg);
    for (int i = 0; i < WATCHERS; i++)
        watcher_done(&scene->watchers[i]);
    ledger_done(&scene->ledger);
}

static int number(const char *text)
{
    long value = strtol(text, NULL, 10);

    if (value < 0 || value > 100000)
        exit(64);
    return (int)value;
}

static void parse(struct scene *scene, int argc, char **argv)
{
    static const struct option known[] = {{"rounds", required_argument, NULL, 'r'},
                                          {"kills", required_argument, NULL, 'k'},
                                          {"seed", required_argument, NULL, 'x'},
                                          {0}};
    uint64_t seed = (uint64_t)ts_test_now_ms();

    scene->rounds = 2;
    scene->kills = 4;
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 'r')
            scene->rounds = TS_MAX(number(optarg), 1);
        else if (c == 'k')
            scene->kills = number(optarg);
        else if (c == 'x')
            seed = strtoull(optarg, NULL, 0);
        else
            exit(64);
    }
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    scene->dice = dice_from(seed);
}

int main(int argc, char **argv)
{
    static struct scene scene;

    parse(&scene, argc, argv);
    if (!ts_test_pg_is_installed() || !ts_test_nginx_is_installed()) {
        puts("skipped: PostgreSQL or nginx is not installed");
        return 77;
    }
    ledger_init(&scene.ledger, CHANNELS);
    begin(&scene);
    play(&scene);
    bool good = judge(&scene);
    end(&scene);
    puts(good ? "good" : "FAILED");
    return !good;
}
