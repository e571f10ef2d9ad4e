#include "testing/postgres.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"

#define INSTALLED    "/usr/lib/postgresql"
#define TIMESCALE    "/.cache/timescale" /* tools/timescale made it */
#define MAX_SETTINGS 32
#define BOOT_MS      30000

/* --- where the server lies --- */

static int newest_version(const char *root)
{
    char path[TS_TEST_PATH_SIZE];
    struct dirent *entry;
    int newest = 0;

    snprintf(path, sizeof(path), "%.200s" INSTALLED, root);
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) {
        char initdb[TS_TEST_PATH_SIZE];
        int version = (int)strtol(entry->d_name, NULL, 10);
        snprintf(initdb, sizeof(initdb), "%.200s" INSTALLED "/%d/bin/initdb", root, version);
        if (version > newest && access(initdb, X_OK) == 0)
            newest = version;
    }
    if (dir)
        closedir(dir);
    return newest;
}

bool ts_test_pg_is_installed(void)
{
    return newest_version("") > 0;
}

static const char *timescale_root(char out[TS_TEST_PATH_SIZE])
{
    const char *source = getenv("TS_SOURCE_DIR");

    snprintf(out, TS_TEST_PATH_SIZE, "%.150s" TIMESCALE, source ? source : ".");
    return out;
}

bool ts_test_timescale_is_installed(void)
{
    char root[TS_TEST_PATH_SIZE];

    return geteuid() == 0 && newest_version(timescale_root(root)) > 0;
}

static const char *server_program(const struct ts_test_pg *pg, const char *name, char out[TS_TEST_PATH_SIZE])
{
    snprintf(out, TS_TEST_PATH_SIZE, INSTALLED "/%d/bin/%s", newest_version(pg->root), name);
    return out;
}

/* A path under pg->dir as the server sees it. */
static const char *within(const struct ts_test_pg *pg, const char *path)
{
    return path + strlen(pg->root);
}

/* --- whose it is --- */

/* The user postgres of the machine, or of the root that is entered. */
static void find_user(const char *root, struct ts_test_spawn *spawn)
{
    char path[TS_TEST_PATH_SIZE];
    const struct passwd *user;

    snprintf(path, sizeof(path), "%.200s/etc/passwd", root);
    FILE *file = fopen(path, "re");
    while (file && (user = fgetpwent(file)) != NULL)
        if (strcmp(user->pw_name, "postgres") == 0) {
            spawn->uid = user->pw_uid;
            spawn->gid = user->pw_gid;
        }
    if (file)
        fclose(file);
}

/* PostgreSQL refuses to run as root; its package made a user for it. */
static void set_user(const struct ts_test_pg *pg, struct ts_test_spawn *spawn)
{
    if (pg->root[0])
        spawn->root = pg->root;
    if (geteuid() != 0)
        return;
    find_user(pg->root, spawn);
    if (spawn->uid == 0)
        ts_test_die("PostgreSQL does not run as root, and there is no user postgres");
}

static void run_or_die(struct ts_test_spawn spawn)
{
    char output[TS_TEST_PATH_SIZE];

    if (ts_test_run(&spawn, output) != 0)
        ts_test_die("%s failed: %s", spawn.argv[0], ts_test_read_file(output));
}

static void give_to_server(const struct ts_test_pg *pg)
{
    struct ts_test_spawn spawn = {0};
    char owner[64];

    set_user(pg, &spawn);
    if (spawn.uid == 0)
        return;
    snprintf(owner, sizeof(owner), "%u:%u", spawn.uid, spawn.gid);
    const char *const argv[] = {"chown", "-R", owner, pg->dir, NULL};
    run_or_die((struct ts_test_spawn){.argv = argv});
}

static void copy_tree(const char *from, const char *to)
{
    const char *const argv[] = {"cp", "-a", from, to, NULL};

    run_or_die((struct ts_test_spawn){.argv = argv});
}

/* --- the cluster --- */

static void make_cluster(const struct ts_test_pg *pg, const char *data)
{
    char initdb[TS_TEST_PATH_SIZE], output[TS_TEST_PATH_SIZE];
    const char *const argv[] = {server_program(pg, "initdb", initdb),
                                "-D",
                                within(pg, data),
                                "-U",
                                "postgres",
                                "-A",
                                "trust",
                                "-E",
                                "UTF8",
                                "--locale=C",
                                "--no-sync",
                                NULL};
    struct ts_test_spawn spawn = {
        .argv = argv, .cwd = within(pg, pg->dir), .output = ts_test_path(pg->dir, "initdb.log", output)};

    set_user(pg, &spawn);
    run_or_die(spawn);
}

/* The cluster of this build: initdb runs once, under a lock; whoever comes later copies. */
static void get_cluster(const struct ts_test_pg *pg, const char *data)
{
    char lock[TS_TEST_PATH_SIZE], cached[TS_TEST_PATH_SIZE], half[TS_TEST_PATH_SIZE], name[64];
    const char *build = getenv("TS_BUILD_DIR");

    if (!build) {
        make_cluster(pg, data);
        return;
    }
    snprintf(name, sizeof(name), "%s-%d-cluster", pg->root[0] ? "timescale" : "postgres",
             newest_version(pg->root));
    ts_test_path(build, name, cached);
    snprintf(half, sizeof(half), "%.200s.new", cached);
    snprintf(lock, sizeof(lock), "%.200s.lock", cached);
    _cleanup_(ts_closep) int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        ts_test_die("%s: %s", lock, strerror(errno));
    if (access(cached, F_OK) == 0) {
        copy_tree(cached, data);
        return;
    }
    make_cluster(pg, data);
    ts_test_dir_remove(half);
    copy_tree(data, half);
    if (rename(half, cached) != 0)
        ts_test_die("%s: %s", cached, strerror(errno));
}

/* --- start and stop --- */

/* Shared memory in the data folder: there is no /dev/shm of the root's own to be emptied. */
static const char *const timescale_settings[] = {"shared_preload_libraries=timescaledb",
                                                 "dynamic_shared_memory_type=mmap"};

static void spawn_server(struct ts_test_pg *pg)
{
    char program[TS_TEST_PATH_SIZE], data[TS_TEST_PATH_SIZE], port[16];
    const char *argv[2 * MAX_SETTINGS + 16];
    size_t n = 0;

    snprintf(port, sizeof(port), "%d", pg->port);
    argv[n++] = server_program(pg, "postgres", program);
    argv[n++] = "-D";
    argv[n++] = within(pg, ts_test_path(pg->dir, "data", data));
    argv[n++] = "-p";
    argv[n++] = port;
    argv[n++] = "-k";
    argv[n++] = pg->root[0] ? "" : pg->dir; /* a root lies too deep for a socket's name */
    argv[n++] = "-c";
    argv[n++] = "listen_addresses=127.0.0.1";
    argv[n++] = "-c";
    argv[n++] = "logging_collector=off";
    for (size_t i = 0; pg->root[0] && i < TS_ARRAY_LEN(timescale_settings); i++) {
        argv[n++] = "-c";
        argv[n++] = timescale_settings[i];
    }
    for (size_t i = 0; pg->settings && pg->settings[i] && i < MAX_SETTINGS; i++) {
        argv[n++] = "-c";
        argv[n++] = pg->settings[i];
    }
    argv[n] = NULL;
    /* SIGQUIT is the immediate shutdown: the server takes its children with it when the test program dies. */
    struct ts_test_spawn spawn = {
        .argv = argv, .cwd = within(pg, pg->dir), .output = pg->log, .parent_death_signal = SIGQUIT};
    set_user(pg, &spawn);
    ts_test_start(&pg->process, &spawn);
}

static bool accepts_connections(struct ts_test_pg *pg)
{
    const int64_t until = ts_test_now_ms() + BOOT_MS;

    while (ts_test_is_running(&pg->process) && ts_test_now_ms() < until) {
        if (PQping(pg->url) == PQPING_OK)
            return true;
        ts_test_sleep_ms(10);
    }
    return false;
}

void ts_test_pg_boot(struct ts_test_pg *pg)
{
    spawn_server(pg);
    if (!accepts_connections(pg))
        ts_test_die("PostgreSQL does not start: %s", ts_test_read_file(pg->log));
}

static void choose_port(struct ts_test_pg *pg)
{
    pg->port = ts_test_free_port();
    snprintf(pg->url, sizeof(pg->url), "postgresql://postgres@127.0.0.1:%d/postgres", pg->port);
    snprintf(pg->socket_url, sizeof(pg->socket_url), "host=%.150s port=%d user=postgres dbname=postgres",
             pg->dir, pg->port);
}

static void start_in(struct ts_test_pg *pg)
{
    char data[TS_TEST_PATH_SIZE];

    ts_test_path(pg->dir, "log", pg->log);
    give_to_server(pg);
    get_cluster(pg, ts_test_path(pg->dir, "data", data));
    give_to_server(pg);
    choose_port(pg);
    spawn_server(pg);
    if (accepts_connections(pg))
        return;
    choose_port(pg); /* somebody was faster with the port */
    ts_test_pg_boot(pg);
}

void ts_test_pg_start(struct ts_test_pg *pg, const char *const *settings)
{
    if (!ts_test_pg_is_installed())
        ts_test_die("no PostgreSQL server under " INSTALLED);
    *pg = (struct ts_test_pg){.settings = settings};
    ts_test_dir_make(pg->dir);
    start_in(pg);
}

void ts_test_timescale_start(struct ts_test_pg *pg, const char *const *settings)
{
    char tmp[TS_TEST_PATH_SIZE];

    if (!ts_test_timescale_is_installed())
        ts_test_die("no TimescaleDB: tools/timescale, as root, makes one");
    *pg = (struct ts_test_pg){.settings = settings};
    timescale_root(pg->root);
    ts_test_dir_make_in(ts_test_path(pg->root, "tmp", tmp), pg->dir);
    start_in(pg);
}

void ts_test_pg_down(struct ts_test_pg *pg)
{
    ts_test_end(&pg->process, SIGINT);
}

void ts_test_pg_cut(struct ts_test_pg *pg)
{
    ts_test_end(&pg->process, SIGQUIT);
}

void ts_test_pg_stop(struct ts_test_pg *pg)
{
    ts_test_pg_thaw(pg);
    ts_test_pg_cut(pg);
    ts_test_dir_remove(pg->dir);
}

/* --- frozen --- */

static pid_t parent_of(const char *pid)
{
    char path[64], line[512] = "";
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const char *after_name = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (after_name)
        sscanf(after_name, ") %*c %d", &parent);
    fclose(file);
    return parent;
}

/* Every child of the server is a session of its own, so they are found by their parent. */
static void signal_all(const struct ts_test_pg *pg, int signal)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;

    if (pg->process.pid == 0 || !dir)
        ts_test_die("no server to signal");
    kill(pg->process.pid, signal); /* first, so that no child is born in between */
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && parent_of(entry->d_name) == pg->process.pid)
            kill((pid_t)strtol(entry->d_name, NULL, 10), signal);
    closedir(dir);
}

void ts_test_pg_freeze(struct ts_test_pg *pg)
{
    signal_all(pg, SIGSTOP);
}

void ts_test_pg_thaw(struct ts_test_pg *pg)
{
    if (pg->process.pid != 0)
        signal_all(pg, SIGCONT);
}

/* --- SQL --- */

static void ignore_notice(void *ctx, const char *message)
{
    (void)ctx, (void)message;
}

void ts_test_pg_sql(struct ts_test_pg *pg, const char *sql, char *out, size_t out_size)
{
    PGconn *conn = PQconnectdb(pg->url);

    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        ts_test_die("%s: %s", sql, PQerrorMessage(conn));
    if (out)
        snprintf(out, out_size, "%s",
                 PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
}

long ts_test_pg_count(struct ts_test_pg *pg, const char *sql)
{
    char text[64];

    ts_test_pg_sql(pg, sql, text, sizeof(text));
    return strtol(text, NULL, 10);
}
