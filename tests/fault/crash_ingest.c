/*
 * crash_ingest: 16 connections post to POST /ingest while the API is killed at random moments and started again on the same data; with --store postgres
 * the database is cut off as well (immediate stop), alone and together with the API. Every message that was not acknowledged is repeated until it
 * is. At the end every message sent has to be stored exactly once: as GET /signals shows it, in the table of signals and in the table of keys.
 *
 *   --rounds N      strikes (3)
 *   --freeze        one strike instead: the API is stopped for 12 s (longer than its clients wait) and goes on
 *   --self-check    three rounds, then the stored data are damaged in every way that this test is there to find: exit 0 when it found them all
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "load.h"
#include "stored.h"
#include "storm.h"
#include "testing/http.h"
#include "testing/postgres.h"

#define CHANNELS          4
#define MAX_KILL_DELAY_MS 250
#define MAX_LOAD_MS       250
#define MAX_GRAVE_MS      30
#define FREEZE_MS         12000
#define AFTER_FREEZE_MS   300
#define PATIENCE_S        60 /* without any acknowledgement */

struct storm {
    struct storm_options options;
    struct dice dice;
    uv_loop_t loop;
    uv_timer_t fate, watch;
    struct victim api;
    struct ts_test_pg pg;
    char data_dir[TS_TEST_PATH_SIZE];
    struct ledger ledger;
    struct load load;
    int round, kills, cuts, under_load;
    bool waiting_for_load; /* the next acknowledgement sets the moment of the strike */
    size_t acknowledged, acknowledged_at_strike;
    int silent_s;
};

/* --- strikes --- */

static void plan_strike(struct storm *storm);

static void restart_api(struct storm *storm)
{
    ts_test_sleep_ms(dice_below(&storm->dice, MAX_GRAVE_MS));
    victim_start(&storm->api);
}

static void strike(struct storm *storm)
{
    int lot = storm->options.postgres ? dice_below(&storm->dice, 3) : 0; /* the API, the database, both */

    storm->under_load += storm->acknowledged > storm->acknowledged_at_strike;
    storm->acknowledged_at_strike = storm->acknowledged;
    if (lot != 1)
        victim_kill(&storm->api);
    if (lot != 0) {
        ts_test_pg_cut(&storm->pg);
        ts_test_pg_boot(&storm->pg);
    }
    if (lot != 1)
        restart_api(storm);
    storm->kills += lot != 1;
    storm->cuts += lot != 0;
}

static void on_fate(uv_timer_t *timer)
{
    struct storm *storm = timer->data;

    strike(storm);
    storm->round++;
    plan_strike(storm);
}

/* One strike in four falls at any moment from the start of the process on, recovery included; the others under load. */
static void plan_strike(struct storm *storm)
{
    if (storm->round == storm->options.rounds)
        load_finish(&storm->load);
    else if (dice_below(&storm->dice, 4) == 0)
        uv_timer_start(&storm->fate, on_fate, (uint64_t)dice_below(&storm->dice, MAX_KILL_DELAY_MS), 0);
    else
        storm->waiting_for_load = true;
}

static void on_calm(uv_timer_t *timer)
{
    struct storm *storm = timer->data;

    load_finish(&storm->load);
}

static void on_thaw(uv_timer_t *timer)
{
    struct storm *storm = timer->data;

    ts_test_signal(&storm->api.process, SIGCONT);
    uv_timer_start(timer, on_calm, AFTER_FREEZE_MS, 0);
}

static void on_freeze(uv_timer_t *timer)
{
    struct storm *storm = timer->data;

    ts_test_signal(&storm->api.process, SIGSTOP);
    storm->under_load++;
    uv_timer_start(timer, on_thaw, FREEZE_MS, 0);
}

static void on_acknowledged(void *ctx)
{
    struct storm *storm = ctx;

    storm->acknowledged++;
    storm->silent_s = 0;
    if (!storm->waiting_for_load)
        return;
    storm->waiting_for_load = false;
    uv_timer_start(&storm->fate, storm->options.kind == STORM_FREEZE ? on_freeze : on_fate,
                   (uint64_t)dice_below(&storm->dice, MAX_LOAD_MS), 0);
}

static void on_idle(void *ctx)
{
    struct storm *storm = ctx;

    uv_close((uv_handle_t *)&storm->fate, NULL);
    uv_close((uv_handle_t *)&storm->watch, NULL);
    load_done(&storm->load);
}

static void on_watch(uv_timer_t *timer)
{
    struct storm *storm = timer->data;

    victim_check(&storm->api);
    if (++storm->silent_s == PATIENCE_S)
        ts_test_die("no message was acknowledged for %d s; the API's output is in %s", PATIENCE_S,
                    storm->api.process.output);
}

/* --- one run --- */

static void begin(struct storm *storm)
{
    if (storm->options.postgres)
        ts_test_pg_start(&storm->pg, NULL);
    ts_test_dir_make(storm->data_dir);
    victim_init_api(&storm->api, storm->data_dir, storm->options.postgres ? storm->pg.url : NULL);
    victim_start(&storm->api);
}

static void rage(struct storm *storm)
{
    uv_loop_init(&storm->loop);
    uv_timer_init(&storm->loop, &storm->fate);
    uv_timer_init(&storm->loop, &storm->watch);
    storm->fate.data = storm->watch.data = storm;
    uv_timer_start(&storm->watch, on_watch, 1000, 1000);
    storm->load.on_acknowledged = on_acknowledged;
    storm->load.on_idle = on_idle;
    storm->load.ctx = storm;
    load_start(&storm->load, &storm->loop, storm->api.port, &storm->ledger);
    if (storm->options.kind == STORM_FREEZE)
        storm->waiting_for_load = true;
    else
        plan_strike(storm);
    uv_run(&storm->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&storm->loop) != 0)
        ts_test_die("a handle was left open");
    printf("%d strikes: %d kills of the API, %d cuts of PostgreSQL, %d of them under load; %zu posts "
           "repeated, %zu of these known already\n",
           storm->options.kind == STORM_FREEZE ? 1 : storm->round, storm->kills, storm->cuts,
           storm->under_load, storm->load.repeated, storm->load.skipped);
}

static bool check(const struct ledger_count *count)
{
    return ledger_is_clean(count) && count->stored == count->sent;
}

static bool judge(struct storm *storm)
{
    char path[TS_TEST_PATH_SIZE];
    struct ledger_count shown = stored_by_api(&storm->ledger, storm->api.port), signals, keys;

    victim_stop(&storm->api);
    if (storm->options.postgres) {
        signals = stored_signals_postgres(&storm->ledger, storm->pg.url, false);
        keys = stored_keys_postgres(&storm->ledger, storm->pg.url);
    } else {
        ts_test_path(storm->data_dir, "tp-capital.db", path);
        signals = stored_signals_sqlite(&storm->ledger, path, false);
        keys = stored_keys_sqlite(&storm->ledger, path);
    }
    return check(&shown) && check(&signals) && check(&keys) && storm->load.bad == 0 && storm->under_load > 0;
}

/* --- self-check: data damaged on purpose --- */

struct damage {
    const char *what;
    const char *sql;
    size_t (*found)(const struct ledger_count *count); /* how often it was noticed; it was done once */
};

static size_t found_lost(const struct ledger_count *count)
{
    return count->lost;
}

static size_t found_twice(const struct ledger_count *count)
{
    return count->twice;
}

static size_t found_foreign(const struct ledger_count *count)
{
    return count->foreign;
}

static size_t found_altered(const struct ledger_count *count)
{
    return count->altered;
}

static size_t found_disordered(const struct ledger_count *count)
{
    return count->disordered;
}

#define COPY                                                                                      \
    "INSERT INTO tp_capital_signals (id, seq, ts, channel, channel_id, message_id, signal_type, " \
    "raw_message, source, ingested_at,"                                                           \
    " created_at, updated_at) SELECT id + 1000000000, seq + 1000000000, ts, channel, channel_id, "
#define OF_ONE                                                                                             \
    ", 'UNKNOWN', raw_message, source, ingested_at, created_at, updated_at FROM tp_capital_signals WHERE " \
    "message_id = 3 LIMIT 1"

static const struct damage damages[] = {
    {"one acknowledged message dropped",
     "DELETE FROM tp_capital_signals WHERE id = (SELECT max(id) / 2 FROM tp_capital_signals)", found_lost},
    {"one row doubled", COPY "message_id" OF_ONE, found_twice},
    {"one row that was never sent", COPY "999999999" OF_ONE, found_foreign},
    {"one text altered", "UPDATE tp_capital_signals SET raw_message = raw_message || '0' WHERE id = 3",
     found_altered},
    /* The last message of a channel first: all others of it are out of order then, whatever the connections had done to it before. */
    {"one row out of its turn",
     "UPDATE tp_capital_signals SET id = 0 WHERE id = (SELECT id FROM tp_capital_signals ORDER BY message_id "
     "DESC LIMIT 1)",
     found_disordered},
};

static void execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK || sqlite3_changes(db) != 1)
        ts_test_die("%s: %s", sql, error ? error : "no row changed");
    sqlite3_close(db);
}

static void copy_file(const char *from, const char *to)
{
    const char *const argv[] = {"cp", from, to, NULL};

    if (ts_test_run(&(struct ts_test_spawn){.argv = argv}, NULL) != 0)
        ts_test_die("cp %s %s", from, to);
}

static void wait_healthy(struct storm *storm)
{
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/health", storm->api.port);
    if (!ts_test_wait_status(url, 200, 20000))
        ts_test_die("the API does not start on damaged data; its output is in %s", storm->api.process.output);
}

/* Noticed exactly as often as it was done, in the file and through the API; out of order at all, in the file. */
static bool is_noticed(struct storm *storm, const char *intact, const struct damage *damage)
{
    char path[TS_TEST_PATH_SIZE];

    ts_test_path(storm->data_dir, "tp-capital.db", path);
    copy_file(intact, path);
    struct ledger_count before =
        stored_signals_sqlite(&storm->ledger, path, damage->found == found_disordered);
    execute(path, damage->sql);
    struct ledger_count after =
        stored_signals_sqlite(&storm->ledger, path, damage->found == found_disordered);
    victim_start(&storm->api);
    wait_healthy(storm);
    struct ledger_count shown = stored_by_api(&storm->ledger, storm->api.port);
    victim_stop(&storm->api);
    size_t more = damage->found(&after) - damage->found(&before);
    bool noticed = damage->found == found_disordered ? more > 0 : more == 1 && damage->found(&shown) == 1;
    printf("%s: %s\n", damage->what, noticed ? "noticed" : "NOT NOTICED");
    return noticed;
}

static bool self_check(struct storm *storm)
{
    char path[TS_TEST_PATH_SIZE], intact[TS_TEST_PATH_SIZE];
    bool all = true;

    ts_test_path(storm->data_dir, "tp-capital.db", path);
    ts_test_path(storm->data_dir, "intact", intact);
    copy_file(path, intact);
    for (size_t i = 0; i < TS_ARRAY_LEN(damages); i++)
        all = is_noticed(storm, intact, &damages[i]) && all;
    return all;
}

int main(int argc, char **argv)
{
    static struct storm storm;
    bool good;

    storm.options = storm_options_parse(argc, argv);
    storm.dice = dice_from(storm.options.seed);
    if (storm.options.postgres && !ts_test_pg_is_installed()) {
        puts("skipped: no PostgreSQL server is installed");
        return 77;
    }
    ledger_init(&storm.ledger, CHANNELS);
    begin(&storm);
    rage(&storm);
    good = judge(&storm);
    if (good && storm.options.kind == STORM_SELF_CHECK)
        good = self_check(&storm);
    if (storm.options.postgres)
        ts_test_pg_stop(&storm.pg);
    ledger_done(&storm.ledger);
    puts(good ? "good" : "FAILED");
    return !good;
}
