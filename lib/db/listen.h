/*
 * PostgreSQL NOTIFY, received on the loop: a connection of its own, which reconnects by itself (after 1, 2, 5, then each 10 s).
 * Nothing is trusted to arrive: after every (re)connect `on_connected` is called, and the owner reads from the last number it knows.
 * A server that is frozen or cut off is noticed within 10 s (each 5 s it is asked for a sign of life).
 *
 * Nothing here blocks, names are resolved by libuv; only a URL with several hosts leaves that to libpq.
 * Thread rule: the loop's thread.
 */
#ifndef TS_DB_LISTEN_H
#define TS_DB_LISTEN_H

#include <uv.h>

#include "db/db.h"

struct ts_listener;

struct ts_listener_options {
    struct ts_db_options db;
    const char *channel;             /* [a-z_]+ */
    void (*on_connected)(void *ctx); /* listening */
    void (*on_lost)(void *ctx);      /* after on_connected; may be NULL */
    void (*on_notify)(ts_str payload, void *ctx);
    void *ctx;
};

/* Begins to connect. -ENOMEM; TS_E_INVALID for the URL, the schema or the channel's name. Strings are copied. */
TS_MUST_CHECK int ts_listener_new(uv_loop_t *loop, const struct ts_listener_options *options,
                                  struct ts_listener **ret);
bool ts_listener_is_connected(const struct ts_listener *listener);
/* Also from a call-back; no call-back comes after it. The loop must turn once more to release its handles. Takes NULL. */
struct ts_listener *ts_listener_free(struct ts_listener *listener);

#endif
