/* The standard variables of every service as configuration fields (DESIGN section 4); included by service.h only. */
#ifndef TS_SERVICE_SERVICE_CONFIG_H
#define TS_SERVICE_SERVICE_CONFIG_H

extern const char *const ts_node_env_names[];  /* "", development, production, test */
extern const char *const ts_log_level_names[]; /* debug, info, warn, error */
const char *ts_check_bind_addresses(const void *list);
const char *ts_check_cidr_list(const void *list);

/* A field of the struct ts_service_config that is member M of struct T. */
#define TS_SERVICE_FIELD_(T, M, field, ...)                                               \
    {                                                                                     \
        .offset = offsetof(T, M) + offsetof(struct ts_service_config, field), __VA_ARGS__ \
    }

/* clang-format off */
#define TS_SERVICE_CONFIG_FIELDS(T, M, port_name, port_aliases, port_default)                                \
    TS_SERVICE_FIELD_(T, M, port, .name = port_name, .aliases = port_aliases, .type = TS_CONFIG_INT,         \
        .fallback = port_default, .min = 0, .max = 65535,                                                    \
        .help = "Port; 0 = any free one, which the log then names"),                                         \
    TS_SERVICE_FIELD_(T, M, bind_addresses, .name = "BIND_ADDRESS", .type = TS_CONFIG_STR_LIST,              \
        .fallback = "127.0.0.1", .check = ts_check_bind_addresses,                                           \
        .help = "IP addresses to listen on"),                                                                \
    TS_SERVICE_FIELD_(T, M, admin_token, .name = "ADMIN_TOKEN", .aliases = "WORKSPACE_TOKEN,STATUS_TOKEN",   \
        .type = TS_CONFIG_SECRET, .min = 32, .max = 256,                                                     \
        .previous_offset = offsetof(T, M) + offsetof(struct ts_service_config, admin_token_previous),        \
        .help = "Bearer token that mutations need; required beyond loopback"),                               \
    TS_SERVICE_FIELD_(T, M, allowed_hosts, .name = "ALLOWED_HOSTS", .type = TS_CONFIG_STR_LIST,              \
        .fallback = "localhost,127.0.0.1,[::1]",                                                             \
        .help = "Host names the service answers to; others get 421"),                                        \
    TS_SERVICE_FIELD_(T, M, behind_proxy, .name = "BEHIND_PROXY", .type = TS_CONFIG_BOOL,                    \
        .fallback = "false",                                                                                 \
        .help = "A proxy authenticates: allows to listen beyond loopback without ADMIN_TOKEN"),              \
    TS_SERVICE_FIELD_(T, M, data_dir, .name = "DATA_DIR", .type = TS_CONFIG_STR, .fallback = "data",         \
        .help = "Folder of the embedded database"),                                                          \
    TS_SERVICE_FIELD_(T, M, max_connections, .name = "MAX_CONNECTIONS", .type = TS_CONFIG_INT,               \
        .fallback = "1024", .min = 1, .max = 100000, .help = "HTTP connections at once"),                    \
    TS_SERVICE_FIELD_(T, M, trusted_proxies, .name = "TRUSTED_PROXIES", .type = TS_CONFIG_STR_LIST,          \
        .check = ts_check_cidr_list, .help = "CIDR list whose X-Forwarded-For is believed"),                 \
    TS_SERVICE_FIELD_(T, M, log_level, .name = "LOG_LEVEL", .type = TS_CONFIG_ENUM,                          \
        .choices = ts_log_level_names, .fallback = "info", .help = "Lowest level that is logged"),           \
    TS_SERVICE_FIELD_(T, M, log_history, .name = "LOG_HISTORY_SIZE", .type = TS_CONFIG_INT,                  \
        .fallback = "200", .min = 1, .max = 10000, .help = "Log lines kept for GET /logs"),                  \
    TS_SERVICE_FIELD_(T, M, node_env, .name = "NODE_ENV", .type = TS_CONFIG_ENUM,                            \
        .choices = ts_node_env_names, .help = "development, production or test")
/* clang-format on */

#endif
