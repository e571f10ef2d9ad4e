#include "gateway.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "queue_file.h"
#include "transport_botapi.h"
#include "transport_replay.h"

enum {
    MAX_PER_HOST = PUBLISHER_MAX_IN_FLIGHT + 4, /* the publisher, a replay of failures, a poll */
    SLOW_RECONNECT_S = 60,
    PRUNE_INTERVAL_MS = 3600 * 1000,
    PRUNE_ROWS_AT_ONCE = 1000,
    KEEP_DAYS = 7,
    KEEP_ROWS = 1000 * 1000,
    MAX_LAST_SEEN = 1024,                /* channels that a replay can rebase */
    MAX_PENDING_BYTES = 8 * 1024 * 1024, /* a million channels */
};

/* --- the transport's events ------------------------------------------------------------------------------------------------ */

static void show_connection(struct gateway *gateway)
{
    bool up = connection_is_up(&gateway->connection) && gateway->transport->ops->is_telegram;
    ts_gauge_set(gateway->metrics.connected, up);
    ts_gauge_set(gateway->metrics.flood_wait_seconds, gateway->connection.flood_wait_s);
}

static void on_reconnect(uv_timer_t *timer)
{
    struct gateway *gateway = timer->data;
    gateway->transport->ops->connect(gateway->transport);
}

static void reconnect_in(struct gateway *gateway, int64_t wait_us)
{
    uv_timer_start(&gateway->reconnect, on_reconnect, (uint64_t)(wait_us / TS_US_PER_MS), 0);
}

static void on_connected(void *ctx)
{
    struct gateway *gateway = ctx;
    int failures = gateway->connection.failures;
    connection_connected(&gateway->connection);
    show_connection(gateway);
    ts_log_info(gateway->transport->ops->is_telegram ? "Telegram connected" : "Transport connected",
                TS_F_CSTR("transport", gateway->transport->ops->name), TS_F_I64("attempt", failures + 1));
}

static void on_lost(void *ctx, const char *why)
{
    struct gateway *gateway = ctx;
    int64_t wait_us = connection_lost(&gateway->connection, why);
    show_connection(gateway);
    ts_log_warn("Telegram connection lost, reconnecting...", TS_F_CSTR("why", why),
                TS_F_I64("attempt", gateway->connection.failures),
                TS_F_I64("delay_ms", wait_us / TS_US_PER_MS));
    reconnect_in(gateway, wait_us);
}

static void on_auth_required(void *ctx, const char *why)
{
    struct gateway *gateway = ctx;
    int64_t wait_us = connection_auth_required(&gateway->connection, why);
    show_connection(gateway);
    ts_log_error("Telegram authorization required", TS_F_CSTR("why", why));
    reconnect_in(gateway, wait_us);
}

static void on_flood_wait(void *ctx, int64_t seconds)
{
    struct gateway *gateway = ctx;
    connection_flood_wait(&gateway->connection, seconds);
    show_connection(gateway);
    if (seconds > 0) {
        char text[64];
        snprintf(text, sizeof text, "Rate limit exceeded, waiting %lld seconds", (long long)seconds);
        ts_log_warn(text, TS_F_I64("seconds", seconds));
    }
}

static void on_message(void *ctx, const struct message *message, uint64_t tag)
{
    struct gateway *gateway = ctx;
    if (reception_offer(gateway->reception, message, tag) == 0)
        return;
    ts_log_error("Out of memory: stopping, the message comes again after the start");
    ts_service_quit(gateway->service, 1);
}

/* --- what the parts tell each other ---------------------------------------------------------------------------------------- */

static void on_durable(void *ctx, uint64_t tag)
{
    struct gateway *gateway = ctx;
    gateway->transport->ops->confirm(gateway->transport, tag);
}

static void on_stored(void *ctx, int64_t channel_id)
{
    struct gateway *gateway = ctx;
    publisher_wake(gateway->publisher, channel_id);
}

static void on_published(void *ctx, struct message_key key)
{
    struct gateway *gateway = ctx;
    gateway->last_published_us = ts_clock_wall_us();
    reception_published(gateway->reception, key);
}

static void on_accepting(void *ctx, bool accepting)
{
    struct gateway *gateway = ctx;
    struct transport *transport = gateway->transport;
    if (!transport) /* not made yet; begin() looks */
        return;
    if (accepting)
        transport->ops->resume(transport);
    else
        transport->ops->pause(transport);
}

static void on_fatal(void *ctx)
{
    struct gateway *gateway = ctx;
    ts_service_quit(gateway->service, 1);
}

/* --- old rows -------------------------------------------------------------------------------------------------------------- */

static void prune(struct gateway *gateway);

static void on_pruned(struct store_op *op, int result, void *ctx)
{
    if (result == 0 && op->prune.removed == PRUNE_ROWS_AT_ONCE)
        prune(ctx);
}

static void prune(struct gateway *gateway)
{
    const struct store_prune bounds = {
        .before_us = ts_clock_wall_us() - KEEP_DAYS * TS_US_PER_DAY,
        .keep_rows = KEEP_ROWS,
        .max_rows = PRUNE_ROWS_AT_ONCE,
    };
    if (journal_prune(gateway->journal, &bounds, on_pruned, gateway) != 0)
        ts_log_warn("Out of memory: old rows stay until the next hour");
}

static void on_prune_timer(uv_timer_t *timer)
{
    prune(timer->data);
}

/* --- starting -------------------------------------------------------------------------------------------------------------- */

/* Read while the journal is being opened, used when the parts are there. */
struct first_reading {
    struct gateway *gateway;
    const char *failure_queue_path;
    struct ts_buf pending; /* int64_t each */
    struct replay_last_seen last_seen[MAX_LAST_SEEN];
    size_t n_last_seen;
};

static int add_pending(int64_t channel_id, int64_t last_message_id TS_UNUSED, void *ctx)
{
    struct first_reading *first = ctx;
    ts_buf_bytes(&first->pending, &channel_id, sizeof channel_id);
    return ts_buf_error(&first->pending);
}

static int add_last_seen(int64_t channel_id, int64_t last_message_id, void *ctx)
{
    struct first_reading *first = ctx;
    if (first->n_last_seen < MAX_LAST_SEEN)
        first->last_seen[first->n_last_seen++] = (struct replay_last_seen){channel_id, last_message_id};
    return 0;
}

static int read_first(void *ctx, struct ts_db *db)
{
    struct gateway *gateway = ctx;
    struct first_reading *first = gateway->service->app;
    int r = queue_file_import_once(first->failure_queue_path, db);
    if (r != 0) /* the file stays where it is; its messages are taken at the next start */
        ts_log_error("Old failure queue can't be imported", TS_F_CSTR("path", first->failure_queue_path),
                     TS_F_ERR(r));
    if ((r = store_pending_channels(db, add_pending, first)) != 0)
        return r;
    return store_last_seen(db, add_last_seen, first);
}

static int open_journal(struct gateway *gateway, const char *path)
{
    const struct journal_options options = {
        .loop = gateway->service->loop,
        .path = path,
        .max_bytes = gateway->config->failure_queue_max_bytes,
        .metrics = &gateway->metrics,
        .at_start = read_first,
        .accepting = on_accepting,
        .fatal = on_fatal,
        .ctx = gateway,
    };
    int r = journal_open(&options, &gateway->journal);
    if (r == -EWOULDBLOCK)
        ts_log_error("Another gateway has this outbox", TS_F_CSTR("path", path));
    return r;
}

struct delivery_options gateway_delivery_options(const struct config *config, struct ts_http_client *http)
{
    return (struct delivery_options){
        .http = http,
        .endpoints = &config->endpoints,
        .token = &config->api_token,
        .timeout_us = config->api_timeout_ms * TS_US_PER_MS,
    };
}

static int make_senders(struct gateway *gateway)
{
    const struct config *config = gateway->config;
    uv_loop_t *loop = gateway->service->loop;
    int r = ts_http_client_new(loop, MAX_PER_HOST, &gateway->http);
    if (r != 0)
        return r;
    const struct delivery_options delivery = gateway_delivery_options(config, gateway->http);
    if (!(gateway->delivery = delivery_new(&delivery)))
        return -ENOMEM;
    const struct publisher_options publisher = {
        .loop = loop,
        .journal = gateway->journal,
        .delivery = gateway->delivery,
        .metrics = &gateway->metrics,
        .policy = {(int)config->max_retries, config->retry_delay_ms * TS_US_PER_MS},
        .published = on_published,
        .ctx = gateway,
    };
    const struct failures_options failures = {
        .loop = loop,
        .journal = gateway->journal,
        .delivery = gateway->delivery,
        .metrics = &gateway->metrics,
        .interval_us = config->replay_interval_ms * TS_US_PER_MS,
        .published = on_published,
        .ctx = gateway,
    };
    r = publisher_new(&publisher, &gateway->publisher);
    return r == 0 ? failures_new(&failures, &gateway->failures) : r;
}

static int make_reception(struct gateway *gateway)
{
    const struct config *config = gateway->config;
    const struct reception_options options = {
        .journal = gateway->journal,
        .metrics = &gateway->metrics,
        .channels = &config->channels,
        .allow_all = config_allows_all(config),
        .dedupe_keys = (size_t)config->dedup_size,
        .durable = on_durable,
        .stored = on_stored,
        .ctx = gateway,
    };
    return reception_new(&options, &gateway->reception);
}

static int make_transport(struct gateway *gateway, const struct first_reading *first)
{
    const struct config *config = gateway->config;
    const struct transport_events events = {on_connected,  on_lost,    on_auth_required,
                                            on_flood_wait, on_message, gateway};
    const struct replay_options replay = {
        .loop = gateway->service->loop,
        .path = config->replay_file.ptr,
        .speed_e6 = config_replay_speed_e6(config),
        .rebase = config->replay_rebase == 1,
        .last_seen = first->last_seen,
        .n_last_seen = first->n_last_seen,
    };
    const struct botapi_options botapi = {
        .loop = gateway->service->loop,
        .http = gateway->http,
        .base_url = config->bot_api_url.ptr,
        .token = &config->bot_token,
    };
    switch (config_transport(config)) {
    case TRANSPORT_REPLAY:
        return transport_replay_new(&replay, &events, &gateway->transport);
    case TRANSPORT_BOTAPI:
        return transport_botapi_new(&botapi, &events, &gateway->transport);
    case TRANSPORT_TDLIB: /* config_check refused it */
    case TRANSPORT_UNSET:
        break;
    }
    return 0;
}

static void log_configuration(const struct gateway *gateway, const char *outbox_path)
{
    const struct config *config = gateway->config;
    char token_hash[TS_FINGERPRINT_SIZE];
    ts_fingerprint((ts_str){config->api_token.value, config->api_token.len}, token_hash);
    ts_log_info("Configuration loaded successfully", TS_F_I64("port", config->service.port),
                TS_F_STR("endpoint", config->endpoints.items[0]), TS_F_I64("endpoints", config->endpoints.n),
                TS_F_CSTR("outbox", outbox_path), TS_F_CSTR("token_hash", token_hash),
                TS_F_CSTR("transport", gateway->transport ? gateway->transport->ops->name : "none"));
}

static void wake_pending(struct gateway *gateway, struct ts_buf *channels)
{
    for (size_t at = 0; at < channels->len; at += sizeof(int64_t)) {
        int64_t channel_id;
        memcpy(&channel_id, channels->data + at, sizeof channel_id);
        publisher_wake(gateway->publisher, channel_id);
    }
    ts_buf_done(channels);
}

static void begin(struct gateway *gateway, struct first_reading *first)
{
    const struct connection_policy policy = {
        .delay_us = gateway->config->reconnect_delay_ms * TS_US_PER_MS,
        .attempts = (int)gateway->config->reconnect_attempts,
        .slow_delay_us = SLOW_RECONNECT_S * TS_US_PER_S,
    };
    uv_timer_init(gateway->service->loop, &gateway->reconnect);
    uv_timer_init(gateway->service->loop, &gateway->prune);
    gateway->reconnect.data = gateway->prune.data = gateway;
    uv_timer_start(&gateway->prune, on_prune_timer, 0, PRUNE_INTERVAL_MS);
    wake_pending(gateway, &first->pending);
    failures_start(gateway->failures);
    if (!gateway->transport)
        return;
    connection_begin(&gateway->connection, &policy);
    if (!journal_is_accepting(gateway->journal))
        gateway->transport->ops->pause(gateway->transport);
    gateway->transport->ops->connect(gateway->transport);
}

int gateway_start(struct ts_service *service)
{
    struct gateway *gateway = TS_ARENA_NEW(service->arena, struct gateway);
    struct first_reading *first = TS_ARENA_NEW(service->arena, struct first_reading);
    const char *outbox_path = config_outbox_path(service->config, service->arena);
    int r;
    if (!gateway || !first || !outbox_path ||
        !(first->failure_queue_path = config_failure_queue_path(service->config, service->arena)))
        return -ENOMEM;
    first->pending.max_bytes = MAX_PENDING_BYTES;
    gateway->service = service;
    gateway->config = service->config;
    service->stop_timeout_us = gateway->config->shutdown_timeout_ms * TS_US_PER_MS;
    service->app = first; /* for read_first; the loop does not turn yet */
    metrics_register(service->metrics, &gateway->metrics);
    if ((r = open_journal(gateway, outbox_path)) != 0 || (r = make_senders(gateway)) != 0 ||
        (r = make_reception(gateway)) != 0 || (r = make_transport(gateway, first)) != 0)
        return r;
    service->app = gateway;
    log_configuration(gateway, outbox_path);
    begin(gateway, first);
    return 0;
}

/* --- stopping: reception, then sending, then the outbox ---------------------------------------------------------------------- */

static void on_journal_closed(void *ctx)
{
    struct gateway *gateway = ctx;
    gateway->journal = journal_free(gateway->journal);
    gateway->reception = reception_free(gateway->reception);
    gateway->publisher = publisher_free(gateway->publisher);
    gateway->failures = failures_free(gateway->failures);
    if (gateway->transport)
        gateway->transport->ops->free(gateway->transport);
    gateway->transport = NULL;
    gateway->http = ts_http_client_free(gateway->http);
    gateway->delivery = delivery_free(gateway->delivery);
    uv_close((uv_handle_t *)&gateway->reconnect, NULL);
    uv_close((uv_handle_t *)&gateway->prune, NULL);
    ts_service_stopped(gateway->service);
}

static void sender_stopped(void *ctx)
{
    struct gateway *gateway = ctx;
    if (--gateway->parts_stopping == 0)
        journal_close(gateway->journal, on_journal_closed, gateway);
}

static void on_disconnected(void *ctx)
{
    struct gateway *gateway = ctx;
    gateway->parts_stopping = 2;
    publisher_stop(gateway->publisher, sender_stopped, gateway);
    failures_stop(gateway->failures, sender_stopped, gateway);
}

void gateway_stop(struct ts_service *service)
{
    struct gateway *gateway = service->app;
    connection_stop(&gateway->connection);
    ts_gauge_set(gateway->metrics.connected, 0);
    uv_timer_stop(&gateway->reconnect);
    uv_timer_stop(&gateway->prune);
    if (gateway->transport)
        gateway->transport->ops->disconnect(gateway->transport, on_disconnected, gateway);
    else
        on_disconnected(gateway);
}
