/*
 * Connection: the states of tp-capital 10 and the schedule of 7.7, as pure bookkeeping: what happened goes in, the state and when to connect again
 * come out. (That wait, PAUSED and STOPPING included, is carried out by gateway.c.)
 */
#ifndef GATEWAY_CONNECTION_H
#define GATEWAY_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

enum connection_state {
    CONNECTION_NONE, /* no transport configured */
    CONNECTION_STARTING,
    CONNECTION_CONNECTING,
    CONNECTION_CONNECTED,
    CONNECTION_FLOOD_WAIT,
    CONNECTION_RECONNECTING,
    CONNECTION_FAILED,
    CONNECTION_AUTH_REQUIRED,
    CONNECTION_STOPPING,
};

struct connection_policy {
    int64_t delay_us;      /* between the first attempts */
    int attempts;          /* so many, then slowly */
    int64_t slow_delay_us; /* for ever */
};

struct connection {
    struct connection_policy policy;
    enum connection_state state;
    int failures; /* since it was connected last */
    int64_t flood_wait_s;
    char why[128]; /* it was lost */
};

void connection_begin(struct connection *connection, const struct connection_policy *policy);
void connection_connected(struct connection *connection);
void connection_flood_wait(struct connection *connection, int64_t seconds);

/* Returns how long to wait before the next attempt. */
int64_t connection_lost(struct connection *connection, const char *why);
int64_t connection_auth_required(struct connection *connection, const char *why);

void connection_stop(struct connection *connection);
bool connection_is_up(const struct connection *connection); /* CONNECTED or FLOOD_WAIT */
const char *connection_state_name(enum connection_state state);

#endif
