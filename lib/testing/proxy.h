/*
 * For tests only: a TCP proxy on 127.0.0.1 that plays a bad network between a program and the server it talks to.
 *
 *     struct ts_test_proxy *proxy = ts_test_proxy_start(pg.port);
 *     … postgresql://postgres@127.0.0.1:<ts_test_proxy_port(proxy)>/postgres …
 *     ts_test_proxy_hold(proxy, TS_PROXY_DOWN);     what is asked gets there, the answers don't come back
 *     ts_test_proxy_cut(proxy);                     every connection is reset, at both ends; new ones are accepted
 *     ts_test_proxy_hold(proxy, 0);                 all is well again
 *
 * It runs on a thread of its own, so it also works while the test waits. A failure of the harness ends the test program. Thread rule: main thread.
 */
#ifndef TS_TESTING_PROXY_H
#define TS_TESTING_PROXY_H

#include <stddef.h>

struct ts_test_proxy;

enum {
    TS_PROXY_UP = 1,
    TS_PROXY_DOWN = 2
}; /* from the client to the server; from the server to the client */

/* Passes everything on to 127.0.0.1:to_port. A client gets a reset when nobody listens there. */
struct ts_test_proxy *ts_test_proxy_start(int to_port);
int ts_test_proxy_port(const struct ts_test_proxy *proxy);
void ts_test_proxy_stop(struct ts_test_proxy *proxy); /* resets what is open; takes NULL */

/*
 * What comes in these directions is kept back, on present and future connections, until a later call leaves the direction out; then it is
 * delivered. Both: a black hole.
 */
void ts_test_proxy_hold(struct ts_test_proxy *proxy, unsigned directions);
/* Each piece is passed on this much later. */
void ts_test_proxy_delay(struct ts_test_proxy *proxy, int ms);

/* Resets every connection at both ends. Done when it returns. What was kept back is lost. */
void ts_test_proxy_cut(struct ts_test_proxy *proxy);
/* Half of a close: every client reads the end of its connection, while what it sends still gets there. Answers are lost. */
void ts_test_proxy_end_answers(struct ts_test_proxy *proxy);

/* Connections that are open, and bytes that are kept back in one direction. */
size_t ts_test_proxy_connections(struct ts_test_proxy *proxy);
size_t ts_test_proxy_held(struct ts_test_proxy *proxy, unsigned direction);

#endif
