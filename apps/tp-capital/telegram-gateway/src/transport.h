/*
 * Transport: where messages come from. The seam between the gateway and Telegram; botapi, replay and tdlib are behind it.
 *
 * A transport knows how to reach its source and how to read it. It does not know of channels allowed, duplicates, disks or schedules: it is told to
 * connect, says what came of it, and delivers messages.
 *
 *   gateway ── connect ──▶ transport            transport ── connected │ lost │ flood_wait │ auth_required ──▶ gateway
 *   gateway ── confirm(tag) ──▶ transport       transport ── message(message, tag) ──▶ gateway
 *   gateway ── pause, resume, disconnect ──▶ transport
 *
 * Delivery. Every message carries a tag, a number of the transport's own. `confirm` is called once for each tag when the message is durable (or
 * needs not be: filtered, known), in any order, possibly from inside `message`. Only what is confirmed may be forgotten by the source: botapi moves
 * its offset, tdlib its last-seen id, replay its place in the file. After a crash the unconfirmed comes again; the outbox drops what it has.
 * At most TRANSPORT_MAX_UNCONFIRMED messages may be unconfirmed.
 *
 * Pause. After `pause` the transport delivers nothing new; what it delivered stays with the gateway, which confirms it when there is room. `resume` ends it.
 * Both may come in any state and twice. A transport may be called from inside its own events.
 *
 * Connection. `connect` begins; exactly one of connected, lost, auth_required follows. After `connected`, `lost` or `auth_required` may come at any
 * time; then the gateway waits (connection.h) and calls `connect` again. A flood wait keeps the connection: the transport itself pauses its
 * requests so long, and reports `flood_wait 0` when it is over.
 *
 * Disconnect. Ends everything but keeps a session; `done` once nothing is under way any more; no event after the call. Then free.
 *
 * For tdlib: its child process is the transport's own; authorisation states other than "ready" are auth_required; updates map to `message`
 * with server ids (TDLib's >> 20) and channel ids in the `-100…` form; catch-up from last-seen comes between `connected` and the first update; POST /sync-messages becomes a method here.
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_TRANSPORT_H
#define GATEWAY_TRANSPORT_H

#include <uv.h>

#include "message.h"

enum { TRANSPORT_MAX_UNCONFIRMED = 512 };

struct transport_events {
    void (*connected)(void *ctx);
    void (*lost)(void *ctx, const char *why); /* why: for logs and /health, no secrets */
    void (*auth_required)(void *ctx, const char *why);
    void (*flood_wait)(void *ctx, int64_t seconds);                          /* 0: over */
    void (*message)(void *ctx, const struct message *message, uint64_t tag); /* borrowed during the call */
    void *ctx;
};

struct transport;

struct transport_ops {
    const char *name;   /* "botapi": /health, logs */
    bool is_telegram;   /* connected means connected to Telegram */
    const char *limits; /* what /health says this transport can't do; NULL */
    void (*connect)(struct transport *transport);
    void (*confirm)(struct transport *transport, uint64_t tag);
    void (*pause)(struct transport *transport);
    void (*resume)(struct transport *transport);
    void (*disconnect)(struct transport *transport, void (*done)(void *ctx), void *ctx);
    void (*free)(struct transport *transport); /* after disconnect's done; the loop must run once more */
};

/* The head of every transport; its own struct embeds it first. */
struct transport {
    const struct transport_ops *ops;
    struct transport_events events;
};

#endif
