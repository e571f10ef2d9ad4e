/*
 * Configuration of the gateway: tp-capital 6.2 with DESIGN section 6. What is required depends on the transport; API_SECRET_TOKEN always is.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "service/service.h"

enum transport_kind { TRANSPORT_UNSET, TRANSPORT_TDLIB, TRANSPORT_BOTAPI, TRANSPORT_REPLAY };

struct config {
    struct ts_service_config service;
    int transport; /* as set; config_transport() is what it comes to */
    int64_t api_id;
    struct ts_secret api_hash, phone_number, bot_token, session, session_key;
    ts_str session_dir;
    ts_str bot_api_url;
    struct ts_i64_list channels;
    bool allow_all;
    int64_t destination_channel_id;
    struct ts_str_list endpoints;
    struct ts_secret api_token;
    int64_t api_timeout_ms, max_retries, retry_delay_ms;
    ts_str outbox_path, failure_queue_path;
    int64_t failure_queue_max_bytes, replay_interval_ms;
    int64_t reconnect_delay_ms, reconnect_attempts;
    int64_t dedup_size, shutdown_timeout_ms;
    ts_str replay_file, replay_speed;
    int replay_rebase; /* 0: as in the file; 1: now */
};

extern const struct ts_config_field config_fields[];
extern const size_t config_n_fields;

/* Rules over several variables, as ts_service_def wants them. */
int config_check(const void *filled, struct ts_buf *errors);

/* Set, or chosen by the credentials there are; TRANSPORT_UNSET: none. */
enum transport_kind config_transport(const struct config *config);
bool config_allows_all(const struct config *config);
int64_t config_replay_speed_e6(const struct config *config);

/* Their variable, or the default under DATA_DIR; NUL-terminated, in the arena. NULL when out of memory. */
const char *config_outbox_path(const struct config *config, struct ts_arena *arena);
const char *config_failure_queue_path(const struct config *config, struct ts_arena *arena);

#endif
