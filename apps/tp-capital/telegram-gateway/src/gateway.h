/*
 * Gateway: the parts put together and kept going: a transport's events, the state of its connection, the order of starting and stopping.
 *
 *   transport ─▶ reception ─▶ journal (outbox on disk) ─▶ publisher, failures ─▶ delivery ─▶ API
 *
 * Thread rule: the loop's thread.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "config.h"
#include "connection.h"
#include "failures.h"
#include "publisher.h"
#include "reception.h"
#include "transport.h"

struct gateway {
    struct ts_service *service;
    const struct config *config;
    struct metrics metrics;
    struct ts_http_client *http;
    struct journal *journal; /* NULL before the start and after the stop */
    struct delivery *delivery;
    struct publisher *publisher;
    struct failures *failures;
    struct reception *reception;
    struct transport *transport; /* NULL: none configured */
    struct connection connection;
    uv_timer_t reconnect, prune;
    int64_t last_published_us; /* wall clock; 0: nothing yet */
    int parts_stopping;
};

/* ts_service_def.start and .stop; the gateway is service->app. */
int gateway_start(struct ts_service *service);
void gateway_stop(struct ts_service *service);

/* The options that the recover command shares. */
struct delivery_options gateway_delivery_options(const struct config *config, struct ts_http_client *http);

#endif
