/*
 * For tests only: a real PostgreSQL server of our own. The installed one (/usr/lib/postgresql/<newest>/bin)
 * is started on a free port of 127.0.0.1 and a socket, with fsync on, on a copy of a cluster that initdb made
 * once for this build. Run by root it runs as the user postgres. Gone with its data when the test program
 * ends, however it ends.
 *
 *     struct ts_test_pg pg = {0};
 *     ts_test_pg_start(&pg, NULL);
 *     … options.url = pg.url …
 *     ts_test_pg_stop(&pg);
 *
 * A real TimescaleDB, in the same way: the server of Debian 13 that tools/timescale put into a root of its own under .cache. It runs there by
 * chroot as its own user postgres, its data in the root's /tmp, and is reached by TCP only.
 *
 * A failure of the harness is printed and aborts the test program. Thread rule: main thread.
 */
#ifndef TS_TESTING_POSTGRES_H
#define TS_TESTING_POSTGRES_H

#include "testing/process.h"

struct ts_test_pg {
    char root[TS_TEST_PATH_SIZE]; /* that the server lives in; "" = the machine's */
    char dir[TS_TEST_PATH_SIZE];  /* data in dir/data, socket in dir */
    int port;
    char url[TS_TEST_PATH_SIZE];        /* postgresql://postgres@127.0.0.1:PORT/postgres */
    char socket_url[TS_TEST_PATH_SIZE]; /* the same through the socket: for benchmarks */
    char log[TS_TEST_PATH_SIZE];
    struct ts_test_process process;
    const char *const *settings; /* as given to start */
};

/* False when no server is installed: then skip(). */
bool ts_test_pg_is_installed(void);

/* settings: "name=value", NULL at the end, for example {"max_connections=5", NULL}; kept for every boot; NULL
 * = none. Returns when it accepts connections. */
void ts_test_pg_start(struct ts_test_pg *pg, const char *const *settings);

/* False without root, or when tools/timescale made none: then TS_TEST_SKIP. */
bool ts_test_timescale_is_installed(void);
/* With timescaledb preloaded; CREATE EXTENSION is the caller's. pg->socket_url does not work. */
void ts_test_timescale_start(struct ts_test_pg *pg, const char *const *settings);

/* Exit code of a test program that could not run here: ctest reports it as skipped (cmake/TsBuild.cmake). */
#define TS_TEST_SKIP 77

/* Ends it and removes its data. */
void ts_test_pg_stop(struct ts_test_pg *pg);

/* The faults: an orderly end (fast), a cut (immediate: no checkpoint, clients torn off), the return on the
 * same port. */
void ts_test_pg_down(struct ts_test_pg *pg);
void ts_test_pg_cut(struct ts_test_pg *pg);
void ts_test_pg_boot(struct ts_test_pg *pg);
/* SIGSTOP and SIGCONT to the server and every process of it: connections stay open, nobody answers. */
void ts_test_pg_freeze(struct ts_test_pg *pg);
void ts_test_pg_thaw(struct ts_test_pg *pg);

/* Runs SQL on a connection of its own and aborts on an error; the first value of the last result into `out`
 * ("" when there is none). out may be NULL. */
void ts_test_pg_sql(struct ts_test_pg *pg, const char *sql, char *out, size_t out_size);
/* The same as a number. */
long ts_test_pg_count(struct ts_test_pg *pg, const char *sql);

#endif
