/* GET /health of the gateway (tp-capital 7.9 and 10): cheap and truthful. Also what it says in one place for people. */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "gateway.h"

/* Writes the body and returns the status: 200 or 503. gateway: NULL while it starts. */
int health_write(const struct gateway *gateway, int64_t uptime_us, struct ts_buf *body);

#endif
