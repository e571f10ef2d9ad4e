#include "connection.h"

#include <stdio.h>

void connection_begin(struct connection *connection, const struct connection_policy *policy)
{
    *connection = (struct connection){.policy = *policy, .state = CONNECTION_CONNECTING};
}

void connection_connected(struct connection *connection)
{
    connection->state = CONNECTION_CONNECTED;
    connection->failures = 0;
    connection->flood_wait_s = 0;
    connection->why[0] = '\0';
}

void connection_flood_wait(struct connection *connection, int64_t seconds)
{
    connection->flood_wait_s = seconds;
    if (connection_is_up(connection))
        connection->state = seconds > 0 ? CONNECTION_FLOOD_WAIT : CONNECTION_CONNECTED;
}

static void note(struct connection *connection, const char *why)
{
    connection->flood_wait_s = 0;
    snprintf(connection->why, sizeof connection->why, "%s", why);
}

int64_t connection_lost(struct connection *connection, const char *why)
{
    note(connection, why);
    if (++connection->failures > connection->policy.attempts) {
        connection->state = CONNECTION_FAILED;
        return connection->policy.slow_delay_us;
    }
    connection->state = CONNECTION_RECONNECTING;
    return connection->policy.delay_us;
}

int64_t connection_auth_required(struct connection *connection, const char *why)
{
    note(connection, why);
    connection->state = CONNECTION_AUTH_REQUIRED;
    return connection->policy.slow_delay_us;
}

void connection_stop(struct connection *connection)
{
    connection->state = CONNECTION_STOPPING;
}

bool connection_is_up(const struct connection *connection)
{
    return connection->state == CONNECTION_CONNECTED || connection->state == CONNECTION_FLOOD_WAIT;
}

const char *connection_state_name(enum connection_state state)
{
    static const char *const names[] = {
        [CONNECTION_NONE] = "none",
        [CONNECTION_STARTING] = "starting",
        [CONNECTION_CONNECTING] = "connecting",
        [CONNECTION_CONNECTED] = "connected",
        [CONNECTION_FLOOD_WAIT] = "flood_wait",
        [CONNECTION_RECONNECTING] = "reconnecting",
        [CONNECTION_FAILED] = "failed",
        [CONNECTION_AUTH_REQUIRED] = "auth_required",
        [CONNECTION_STOPPING] = "stopping",
    };
    return names[state];
}
