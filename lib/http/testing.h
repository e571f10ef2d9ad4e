/*
 * For tests: a server on a loop thread of its own, and a client that speaks raw bytes over a blocking socket, so that it can
 * also say what no decent client says. In the archive like everything else, linked by tests only.
 *
 * Everything here gives up after 20 s, which no passing test ever waits. Thread rule: one test thread; `call` crosses to the loop.
 */
#ifndef TS_HTTP_TESTING_H
#define TS_HTTP_TESTING_H

#include <uv.h>

#include "base/buf.h"
#include "http/server.h"

/* --- server ------------------------------------------------------------------------------------------------------------- */

struct ts_test_server {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t wake;
    uv_sem_t done;
    void (*fn)(void *arg);
    void *arg;
    bool stopping;
    struct ts_http_server *server;
    int port;
};

/* Listens on a free port of 127.0.0.1. `tune` (may be NULL) changes the server before its loop runs. Aborts on failure. */
void ts_test_server_start(struct ts_test_server *ts, const struct ts_http_server_options *options,
                          void (*tune)(struct ts_http_server *server));

/* Runs fn(arg) on the loop's thread and waits for it. */
void ts_test_server_call(struct ts_test_server *ts, void (*fn)(void *arg), void *arg);

struct ts_http_server_stats ts_test_server_stats(struct ts_test_server *ts);

/* Frees the server, ends the thread; aborts when a handle was left open. */
void ts_test_server_stop(struct ts_test_server *ts);

/* Waits until condition(arg) holds; false after 20 s. Runs it on the test's thread, each 2 ms. */
bool ts_test_eventually(bool (*condition)(void *arg), void *arg);

/* --- client ------------------------------------------------------------------------------------------------------------- */

struct ts_test_client {
    int fd;
    int status; /* of the last reply, as are head and body */
    struct ts_buf in;
    size_t taken; /* of `in`, by replies already read */
    ts_str head;  /* status line and header, with the empty line */
    ts_str body;
};

void ts_test_connect(struct ts_test_client *c, int port); /* aborts on failure */
void ts_test_close(struct ts_test_client *c);
void ts_test_reset(struct ts_test_client *c); /* closes with a reset */

/* False when the server has closed the connection meanwhile. */
bool ts_test_send(struct ts_test_client *c, ts_str bytes);
bool ts_test_send_text(struct ts_test_client *c, const char *text);
bool ts_test_printf(struct ts_test_client *c, const char *fmt, ...) TS_PRINTF(2, 3);

/*
 * Reads one reply with Content-Length (or none): its status, 0 when the connection ended before a complete one, -1 after 20 s.
 * ts_test_reply_head: to a HEAD request, or the header of a stream: no body is read.
 */
int ts_test_reply(struct ts_test_client *c);
int ts_test_reply_head(struct ts_test_client *c);

/* The reply's header field, trimmed; TS_STR_NONE when absent. */
ts_str ts_test_reply_header(const struct ts_test_client *c, const char *name);

/* Reads until `needle` has come, and takes everything up to its end; false at the end of the connection or after 20 s. */
bool ts_test_read_until(struct ts_test_client *c, const char *needle);

/* True when the server ends the connection, with or without a reset, within 20 s; what comes before is thrown away. */
bool ts_test_ended(struct ts_test_client *c);

/* Connects, sends, reads one reply, closes: its status, and its body into `body` if not NULL. */
int ts_test_exchange(int port, const char *request, struct ts_buf *body);

#endif
