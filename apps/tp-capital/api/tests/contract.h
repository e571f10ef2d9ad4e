/*
 * For the contract tests: the real program on a store of its own, asked over HTTP. TS_TEST_STORE says which: `sqlite` (default) or
 * `postgres`, a server that the test program starts once; every api_start() gets an empty store.
 */
#ifndef TP_CAPITAL_TESTS_CONTRACT_H
#define TP_CAPITAL_TESTS_CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>

#include "testing/http.h"
#include "testing/postgres.h"
#include "testing/process.h"

#define TOKEN        "contract-token-0123456789abcdef0123"
#define TOKEN_HEADER "X-Gateway-Token: " TOKEN

struct api {
    struct ts_test_process process;
    int port;
    char dir[TS_TEST_PATH_SIZE];
    char schema[32];
    const char *env[32];
    char env_text[8][TS_TEST_PATH_SIZE];
    struct ts_test_reply reply; /* of the last call */
};

bool on_postgres(void);
extern struct ts_test_pg contract_pg;

/* extra: NAME=value, NULL at the end, wins over the defaults; NULL = none. Returns when /health is 200. */
void api_start(struct api *api, const char *const *extra);
void api_launch(struct api *api, const char *const *extra); /* without waiting */
void api_again(struct api *api);                            /* the same store, after an end */
/* A second process on the same store (PostgreSQL only); returns when it is healthy. */
void api_start_replica(const struct api *api, struct api *ret);
void api_stop(struct api *api); /* SIGTERM; must leave with 0 */
void api_wait_healthy(struct api *api);

/* The whole address of a path, in one of a few buffers that are used in turn. */
const char *api_url(const struct api *api, const char *path);

long api_get(struct api *api, const char *path);
/* The answer of a GET that must have this status; to be decref'd. */
json_t *api_json(struct api *api, const char *path, long status);
/* A mutation: body and header (a whole line) may be NULL; the body goes as JSON. Returns the status. */
long api_call(struct api *api, const char *method, const char *path, const char *header, const char *body);
/* With the right token; returns the status, the body is in api->reply. */
long api_ingest(struct api *api, const char *json);
/* A message of this id and text that is nobody's concern otherwise; must be stored. */
void api_store(struct api *api, long message_id, const char *text);
/* The value of a sample of /metrics, by its whole name with labels; -1 when it isn't there. */
double api_metric(struct api *api, const char *sample);
/* The number of rows that a statement counts in the store, from outside. */
long api_rows(struct api *api, const char *table_and_where);
/* Changes the store from outside. SQLite belongs to one process: it is stopped for that, and started again. In SQL, "@" before a
 * table's name becomes the schema. */
void api_sql(struct api *api, const char *sql);
/* How often the text stands in the log of the process. */
int api_log_count(const struct api *api, const char *text);

void assert_error(struct api *api, long status, const char *error);

/* --- bare connections --- */

int raw_connect(const struct api *api);
void raw_send(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Everything until `until` was seen, the connection ended, or the time was over; NUL-terminated. */
size_t raw_read(int fd, char *out, size_t size, const char *until, int timeout_ms);
/* A whole POST /ingest with the right token. */
void raw_send_ingest(int fd, const char *json);

int contract_setup(void **state);
int contract_teardown(void **state);

#endif
