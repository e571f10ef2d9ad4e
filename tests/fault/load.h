/*
 * Load for a crash test: a number of connections, each of which posts one message after the other to /ingest and repeats the one in hand until it is
 * acknowledged. Nothing is acknowledged in the ledger but by a complete 200.
 *
 * Thread rule: the loop's thread.
 */
#ifndef FAULT_LOAD_H
#define FAULT_LOAD_H

#include <uv.h>

#include "http/client.h"
#include "ledger.h"

enum { LOAD_LANES = 16 };

struct load;

struct load_lane {
    struct load *load;
    uv_timer_t rest;
    size_t n;     /* the message in hand */
    int attempts; /* how often it was posted */
    bool idle;
};

struct load {
    struct ts_http_client *client;
    struct ledger *ledger;
    char url[128];
    int pause_ms; /* of a connection between two messages */
    bool finishing;
    struct load_lane lanes[LOAD_LANES];
    void (*on_acknowledged)(void *ctx); /* after each */
    void (*on_idle)(void *ctx); /* once, after load_finish, when every message sent was acknowledged */
    void *ctx;
    size_t repeated;    /* posts beyond a message's first */
    size_t skipped;     /* messages that a post which was not answered had stored */
    size_t unavailable; /* 503 as specified */
    size_t bad;         /* answers that nothing explains; each of the first is printed */
};

/* Fill in pause_ms, on_acknowledged, on_idle and ctx before it. */
void load_start(struct load *load, uv_loop_t *loop, int port, struct ledger *ledger);
/* No new messages. */
void load_finish(struct load *load);
/* After on_idle; the loop must run once more. */
void load_done(struct load *load);

#endif
