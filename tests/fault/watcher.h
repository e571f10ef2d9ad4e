/*
 * A reader of GET /signals/stream for the crash tests: when its stream ends it comes back with the last position that it got, as a page does, and it
 * counts how often it was told of each change.
 *
 * Thread rule: the loop's thread.
 */
#ifndef FAULT_WATCHER_H
#define FAULT_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"

struct watcher {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uv_timer_t again;
    int port;
    bool stopping;
    char request[256];
    struct ts_buf in;  /* what came and was not yet taken */
    bool in_events;    /* the header of the answer is past */
    char position[96]; /* of the last whole event; "" = none yet */
    int64_t seq;       /* of it */
    uint8_t *seen;     /* by seq: how often it came */
    size_t n_seen;     /* room */
    /* What a test judges. */
    size_t events, streams; /* streams: answered with 200 */
    size_t refused;         /* connections without, or with an answer other than 200 */
    size_t resets, backwards;
};

/* Begins at the first change there is. */
void watcher_start(struct watcher *watcher, uv_loop_t *loop, int port);
/* The loop must run once more. */
void watcher_stop(struct watcher *watcher);
void watcher_done(struct watcher *watcher);

/* How often it was told of this change. */
unsigned watcher_seen(const struct watcher *watcher, int64_t seq);

#endif
