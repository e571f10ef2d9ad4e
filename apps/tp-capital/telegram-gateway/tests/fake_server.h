/*
 * A server of the test's own on the loop of what is tested: it answers what the script says, in order, and keeps what it was asked. After the
 * script's end it gives the last step again. Every assertion that fails ends the test (cmocka).
 */
#ifndef GATEWAY_TESTS_FAKE_SERVER_H
#define GATEWAY_TESTS_FAKE_SERVER_H

#include <uv.h>

#include "http/server.h"

enum { FAKE_MAX_STEPS = 64, FAKE_MAX_CALLS = 512, FAKE_URL_SIZE = 64 };

struct fake_step {
    int status;       /* 0: never answer */
    const char *body; /* NULL: {"status":"ok"} */
    const char *retry_after;
};

struct fake_call {
    char *path, *body, *token, *request_id, *traceparent; /* owned */
};

struct fake_server {
    uv_loop_t *loop;
    struct ts_http_server *server;
    int port;
    char url[FAKE_URL_SIZE]; /* http://127.0.0.1:PORT */
    const char *version;     /* of GET /health; NULL: not told */
    struct fake_step steps[FAKE_MAX_STEPS];
    size_t n_steps, at;
    struct fake_call calls[FAKE_MAX_CALLS]; /* POSTs */
    size_t n_calls;
    int open, most_open; /* POSTs that wait for their answer, with `hold` */
    bool hold;           /* answers wait for fake_server_answer_all */
    ts_http_ticket held[FAKE_MAX_STEPS];
};

/* port 0: a free one. */
void fake_server_start(struct fake_server *fake, uv_loop_t *loop, int port);
void fake_server_stop(struct fake_server *fake); /* the loop must run once more */

void fake_server_script(struct fake_server *fake, const struct fake_step *steps, size_t n);
#define FAKE_SCRIPT(fake, ...)                                        \
    fake_server_script(fake, (const struct fake_step[]){__VA_ARGS__}, \
                       sizeof((const struct fake_step[]){__VA_ARGS__}) / sizeof(struct fake_step))

void fake_server_answer_all(struct fake_server *fake);

/* Turns the loop until the condition holds; false after 20 s. */
bool fake_run_until(uv_loop_t *loop, bool (*condition)(void *ctx), void *ctx);
/* Turns the loop so long; for what must not happen. */
void fake_run_for(uv_loop_t *loop, int ms);

/* Whoever connects to the port is reset before it gets an answer. */
struct fake_resetter {
    uv_tcp_t listener;
    char url[FAKE_URL_SIZE];
    int connections;
};
void fake_resetter_start(struct fake_resetter *resetter, uv_loop_t *loop);
void fake_resetter_stop(struct fake_resetter *resetter);

#endif
