/*
 * outages: 16 connections post to POST /ingest while the API's PostgreSQL, which it reaches through a network of our own, fails in one way after the other. Each
 * time the API has to say what is specified (503 with Retry-After to a message that can't be stored, /health 503, live 200, the metric of that kind of
 * error), and to store again as soon as the fault is over, without a hand. At the end every message is stored exactly once.
 *
 *   --rounds N   all faults N times (3)
 */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "stored.h"
#include "storm.h"
#include "testing/http.h"
#include "testing/postgres.h"
#include "testing/proxy.h"

#define CHANNELS        4
#define PAUSE_MS        5
#define TICK_MS         5
#define PATIENCE_MS     30000
#define RECOVERED_AFTER 50 /* messages stored since the fault ended */
#define API_SESSIONS    "FROM pg_stat_activity WHERE application_name = 'tp-capital-api'"

enum { MAX_CONNECTIONS = 12, MAX_TRIES = 5 };

struct scene {
    uv_loop_t loop;
    uv_timer_t tick;
    struct ts_test_pg pg;
    struct ts_test_proxy *proxy;
    struct victim api;
    char data_dir[TS_TEST_PATH_SIZE]; /* nothing comes to lie there */
    struct ledger ledger;
    struct load load;
    size_t acknowledged;
    size_t recovered_at; /* messages acknowledged */
    double errors_before;
    bool idle;
    PGconn *hoard[MAX_CONNECTIONS];
    int n_hoard;
};

struct outage {
    const char *name;
    void (*begin)(struct scene *scene);
    int lasts_ms;
    void (*end)(struct scene *scene);
    const char *error_type; /* of api_timescaledb_errors_total; NULL = none is due */
    bool refuses;           /* messages are answered 503 and /health says so */
};

/* --- time and conditions --- */

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* uv_run comes back */
}

static void play_for(struct scene *scene, int ms)
{
    for (const int64_t until = ts_test_now_ms() + ms; ts_test_now_ms() < until;)
        uv_run(&scene->loop, UV_RUN_ONCE);
}

static void play_until(struct scene *scene, bool (*condition)(struct scene *scene), const char *what)
{
    for (const int64_t until = ts_test_now_ms() + PATIENCE_MS; !condition(scene);) {
        if (ts_test_now_ms() > until)
            ts_test_die("never in %d s: %s; the API's output is in %s", PATIENCE_MS / 1000, what,
                        scene->api.process.output);
        play_for(scene, 2 * TICK_MS);
    }
}

/* --- the API as it is seen from outside --- */

static long api_get(struct scene *scene, const char *path, struct ts_test_reply *reply)
{
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", scene->api.port, path);
    return ts_test_get(url, reply);
}

static long status_of(struct scene *scene, const char *path)
{
    _cleanup_(ts_test_reply_done) struct ts_test_reply reply = {0};

    return api_get(scene, path, &reply);
}

static bool is_healthy(struct scene *scene)
{
    return status_of(scene, "/health") == 200;
}

static bool is_unhealthy(struct scene *scene)
{
    return status_of(scene, "/health") == 503;
}

static double errors_of(struct scene *scene, const char *type)
{
    _cleanup_(ts_test_reply_done) struct ts_test_reply reply = {0};
    char sample[96];

    snprintf(sample, sizeof(sample), "\napi_timescaledb_errors_total{error_type=\"%s\"} ", type);
    if (api_get(scene, "/metrics", &reply) != 200 || !strstr(reply.body, sample))
        ts_test_die("no metric%s", sample);
    return strtod(strstr(reply.body, sample) + strlen(sample), NULL);
}

/* --- SQL of our own --- */

static void execute(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        ts_test_die("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

/* --- the faults --- */

static void begin_read_only(struct scene *scene)
{
    ts_test_pg_sql(&scene->pg, "ALTER SYSTEM SET default_transaction_read_only = on", NULL, 0);
    ts_test_pg_sql(&scene->pg, "SELECT pg_reload_conf()", NULL, 0);
}

static void end_read_only(struct scene *scene)
{
    PGconn *conn = PQconnectdb(scene->pg.url);

    execute(conn, "SET default_transaction_read_only = off");
    execute(conn, "ALTER SYSTEM RESET default_transaction_read_only");
    execute(conn, "SELECT pg_reload_conf()");
    PQfinish(conn);
}

/* Takes every connection there may be, those that the API had included. */
static void begin_hoarding(struct scene *scene)
{
    for (const int64_t until = ts_test_now_ms() + PATIENCE_MS; scene->n_hoard < MAX_CONNECTIONS;) {
        PGconn *conn = PQconnectdb(scene->pg.url);

        if (PQstatus(conn) == CONNECTION_OK) {
            scene->hoard[scene->n_hoard++] = conn;
            continue;
        }
        if (scene->n_hoard == 0 || ts_test_now_ms() > until)
            ts_test_die("can't take every connection: %s", PQerrorMessage(conn));
        PQfinish(conn);
        execute(scene->hoard[0], "SELECT pg_terminate_backend(pid) " API_SESSIONS);
    }
}

static void end_hoarding(struct scene *scene)
{
    while (scene->n_hoard > 0)
        PQfinish(scene->hoard[--scene->n_hoard]);
}

static bool api_waits_for_a_lock(struct scene *scene)
{
    return ts_test_pg_count(&scene->pg, "SELECT count(*) " API_SESSIONS " AND wait_event_type = 'Lock'") > 0;
}

/* We hold a channel's row; the API holds the row of numbers and waits for ours; then we want that one. The API looks for a deadlock first. */
static bool deadlock_once(struct scene *scene)
{
    const double before = errors_of(scene, "deadlock");
    PGconn *conn = PQconnectdb(scene->pg.url);

    execute(conn, "SET search_path = tp_capital; SET deadlock_timeout = '60s'");
    execute(conn, "BEGIN");
    execute(conn, "SELECT * FROM channel_stats FOR UPDATE");
    play_until(scene, api_waits_for_a_lock, "the API waits for the row");
    PQclear(PQexec(conn, "UPDATE change_seq SET last_seq = last_seq"));
    execute(conn, "ROLLBACK");
    PQfinish(conn);
    return errors_of(scene, "deadlock") > before;
}

static void begin_deadlock(struct scene *scene)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        if (deadlock_once(scene))
            return;
    }
}

static bool has_given_up_once(struct scene *scene)
{
    return errors_of(scene, "connection") > scene->errors_before;
}

static void begin_black_hole(struct scene *scene)
{
    ts_test_proxy_hold(scene->proxy, TS_PROXY_UP | TS_PROXY_DOWN);
    play_until(scene, has_given_up_once, "an attempt ends by its time limit");
}

static void end_hold(struct scene *scene)
{
    ts_test_proxy_hold(scene->proxy, 0);
}

static bool has_committed_unheard(struct scene *scene)
{
    return ts_test_proxy_held(scene->proxy, TS_PROXY_DOWN) > 0;
}

/* The commit gets there and its answer is lost. */
static void begin_loss_of_answers(struct scene *scene)
{
    ts_test_proxy_hold(scene->proxy, TS_PROXY_DOWN);
    play_until(scene, has_committed_unheard, "an answer is kept back");
}

static void end_loss_of_answers(struct scene *scene)
{
    ts_test_proxy_cut(scene->proxy);
    ts_test_proxy_hold(scene->proxy, 0);
}

static void begin_half_close(struct scene *scene)
{
    ts_test_proxy_end_answers(scene->proxy);
}

static void begin_delay(struct scene *scene)
{
    ts_test_proxy_delay(scene->proxy, 100);
}

static void end_delay(struct scene *scene)
{
    ts_test_proxy_delay(scene->proxy, 0);
}

static void begin_restart(struct scene *scene)
{
    ts_test_pg_cut(&scene->pg);
    ts_test_pg_boot(&scene->pg);
}

/* A connection that breaks while nothing is asked of it is opened again without a word; so only where a request is certainly under way an error is due. */
static const struct outage outages[] = {
    {"read-only", begin_read_only, 200, end_read_only, "query", true},
    {"out of connections", begin_hoarding, 200, end_hoarding, "connection", true},
    {"deadlock", begin_deadlock, 0, NULL, "deadlock", false},
    {"black hole", begin_black_hole, 0, end_hold, "connection", false},
    {"answer to the commit lost", begin_loss_of_answers, 100, end_loss_of_answers, "connection", false},
    {"half closed", begin_half_close, 0, NULL, NULL, false},
    {"slow network", begin_delay, 500, end_delay, NULL, false},
    {"cut and restarted", begin_restart, 0, NULL, NULL, false},
};

/* --- one after the other --- */

static bool has_recovered(struct scene *scene)
{
    return scene->acknowledged >= scene->recovered_at && is_healthy(scene);
}

static bool refuses(struct scene *scene)
{
    return is_unhealthy(scene) && scene->load.unavailable > 0;
}

static void suffer(struct scene *scene, const struct outage *outage)
{
    const int64_t begin_ms = ts_test_now_ms();

    scene->load.unavailable = 0;
    scene->errors_before = outage->error_type ? errors_of(scene, outage->error_type) : 0;
    outage->begin(scene);
    play_for(scene, outage->lasts_ms);
    if (outage->refuses)
        play_until(scene, refuses, "503 to messages and from /health");
    if (status_of(scene, "/health/live") != 200)
        ts_test_die("%s: the loop does not turn", outage->name);
    if (outage->end)
        outage->end(scene);
    const int64_t end_ms = ts_test_now_ms();
    scene->recovered_at = scene->acknowledged + RECOVERED_AFTER;
    play_until(scene, has_recovered, outage->name);
    victim_check(&scene->api);
    if (outage->error_type && errors_of(scene, outage->error_type) <= scene->errors_before)
        ts_test_die("%s: no error of type %s was counted", outage->name, outage->error_type);
    printf("%-26s lasted %5.1f s, %5zu times 503, recovered %4.1f s later\n", outage->name,
           (double)(end_ms - begin_ms) / 1000, scene->load.unavailable,
           (double)(ts_test_now_ms() - end_ms) / 1000);
    fflush(stdout);
}

/* --- one run --- */

static void on_acknowledged(void *ctx)
{
    struct scene *scene = ctx;

    scene->acknowledged++;
}

static void on_idle(void *ctx)
{
    struct scene *scene = ctx;

    scene->idle = true;
}

static bool is_idle(struct scene *scene)
{
    return scene->idle;
}

static void begin(struct scene *scene)
{
    static char most[32];
    static const char *const settings[] = {most, NULL}; /* kept for each boot */
    char url[128];

    snprintf(most, sizeof(most), "max_connections=%d", MAX_CONNECTIONS);
    ts_test_pg_start(&scene->pg, settings);
    scene->proxy = ts_test_proxy_start(scene->pg.port);
    ts_test_dir_make(scene->data_dir);
    snprintf(url, sizeof(url), "postgresql://postgres@127.0.0.1:%d/postgres",
             ts_test_proxy_port(scene->proxy));
    victim_init_api(&scene->api, scene->data_dir, url);
    victim_start(&scene->api);
    uv_loop_init(&scene->loop);
    uv_timer_init(&scene->loop, &scene->tick);
    uv_timer_start(&scene->tick, on_tick, TICK_MS, TICK_MS);
    play_until(scene, is_healthy, "the API starts");
    scene->load.pause_ms = PAUSE_MS;
    scene->load.on_acknowledged = on_acknowledged;
    scene->load.on_idle = on_idle;
    scene->load.ctx = scene;
    load_start(&scene->load, &scene->loop, scene->api.port, &scene->ledger);
    scene->recovered_at = RECOVERED_AFTER;
    play_until(scene, has_recovered, "the first messages");
}

static void end(struct scene *scene)
{
    load_finish(&scene->load);
    play_until(scene, is_idle, "every message is acknowledged");
    load_done(&scene->load);
    uv_close((uv_handle_t *)&scene->tick, NULL);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&scene->loop) != 0)
        ts_test_die("a handle was left open");
}

static bool check(const struct ledger_count *stored)
{
    return ledger_is_clean(stored) && stored->stored == stored->sent;
}

static bool judge(struct scene *scene)
{
    const struct ledger_count shown = stored_by_api(&scene->ledger, scene->api.port);

    victim_stop(&scene->api);
    ts_test_proxy_stop(scene->proxy);
    const struct ledger_count signals = stored_signals_postgres(&scene->ledger, scene->pg.url, false),
                              keys = stored_keys_postgres(&scene->ledger, scene->pg.url);
    printf("%zu posts repeated, %zu of these known already, %zu answers that nothing explains\n",
           scene->load.repeated, scene->load.skipped, scene->load.bad);
    return check(&shown) && check(&signals) && check(&keys) && scene->load.bad == 0 &&
           scene->load.skipped > 0; /* an answer was lost after its commit */
}

int main(int argc, char **argv)
{
    static struct scene scene;
    const struct storm_options options = storm_options_parse(argc, argv);
    const int n = options.rounds * (int)TS_ARRAY_LEN(outages);

    if (!ts_test_pg_is_installed()) {
        puts("skipped: no PostgreSQL server is installed");
        return 77;
    }
    ledger_init(&scene.ledger, CHANNELS);
    begin(&scene);
    for (int i = 0; i < n; i++)
        suffer(&scene, &outages[i % (int)TS_ARRAY_LEN(outages)]);
    end(&scene);
    bool good = judge(&scene);
    ts_test_pg_stop(&scene.pg);
    ledger_done(&scene.ledger);
    puts(good ? "good" : "FAILED");
    return !good;
}
