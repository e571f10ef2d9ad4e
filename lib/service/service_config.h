/* The standard variables of DESIGN section 4 as configuration fields; included by service.h only. */
#ifndef TS_SERVICE_SERVICE_CONFIG_H
#define TS_SERVICE_SERVICE_CONFIG_H

extern const char *const ts_node_env_names[];  /* "", development, production, test */
extern const char *const ts_log_level_names[]; /* debug, info, warn, error */
const char *ts_check_bind_addresses(const void *list);
const char *ts_check_cidr_list(const void *list);

#define TS_SERVICE_OFFSET_(type, member, field) \
    (offsetof(type, member) + offsetof(struct ts_service_config, field))

#define TS_SERVICE_CONFIG_FIELDS(config_type, member, port_name, port_aliases, port_default)       \
    {.name = port_name,                                                                            \
     .aliases = port_aliases,                                                                      \
     .type = TS_CONFIG_INT,                                                                        \
     .offset = TS_SERVICE_OFFSET_(config_type, member, port),                                      \
     .fallback = port_default,                                                                     \
     .min = 0,                                                                                     \
     .max = 65535,                                                                                 \
     .help = "Port; 0 = any free one (printed in the log)"},                                       \
        {.name = "BIND_ADDRESS",                                                                   \
         .type = TS_CONFIG_STR_LIST,                                                               \
         .offset = TS_SERVICE_OFFSET_(config_type, member, bind_addresses),                        \
         .fallback = "127.0.0.1",                                                                  \
         .check = ts_check_bind_addresses,                                                         \
         .help = "IP addresses to listen on"},                                                     \
        {.name = "ADMIN_TOKEN",                                                                    \
         .aliases = "WORKSPACE_TOKEN,STATUS_TOKEN",                                                \
         .type = TS_CONFIG_SECRET,                                                                 \
         .offset = TS_SERVICE_OFFSET_(config_type, member, admin_token),                           \
         .min = 32,                                                                                \
         .max = 256,                                                                               \
         .previous_offset = TS_SERVICE_OFFSET_(config_type, member, admin_token_previous),         \
         .help = "Bearer token that mutations need; required beyond loopback"},                    \
        {.name = "ALLOWED_HOSTS",                                                                  \
         .type = TS_CONFIG_STR_LIST,                                                               \
         .offset = TS_SERVICE_OFFSET_(config_type, member, allowed_hosts),                         \
         .fallback = "localhost,127.0.0.1,[::1]",                                                  \
         .help = "Host names the service answers to; others get 421"},                             \
        {.name = "BEHIND_PROXY",                                                                   \
         .type = TS_CONFIG_BOOL,                                                                   \
         .offset = TS_SERVICE_OFFSET_(config_type, member, behind_proxy),                          \
         .fallback = "false",                                                                      \
         .help = "A proxy authenticates: allows listening beyond loopback without ADMIN_TOKEN"},   \
        {.name = "DATA_DIR",                                                                       \
         .type = TS_CONFIG_STR,                                                                    \
         .offset = TS_SERVICE_OFFSET_(config_type, member, data_dir),                              \
         .fallback = "data",                                                                       \
         .help = "Folder of the embedded database"},                                               \
        {.name = "MAX_CONNECTIONS",                                                                \
         .type = TS_CONFIG_INT,                                                                    \
         .offset = TS_SERVICE_OFFSET_(config_type, member, max_connections),                       \
         .fallback = "1024",                                                                       \
         .min = 1,                                                                                 \
         .max = 100000,                                                                            \
         .help = "HTTP connections at once"},                                                      \
        {.name = "TRUSTED_PROXIES",                                                                \
         .type = TS_CONFIG_STR_LIST,                                                               \
         .offset = TS_SERVICE_OFFSET_(config_type, member, trusted_proxies),                       \
         .check = ts_check_cidr_list,                                                              \
         .help = "CIDR list whose X-Forwarded-For is believed"},                                   \
        {.name = "LOG_LEVEL",                                                                      \
         .type = TS_CONFIG_ENUM,                                                                   \
         .offset = TS_SERVICE_OFFSET_(config_type, member, log_level),                             \
         .choices = ts_log_level_names,                                                            \
         .fallback = "info",                                                                       \
         .help = "Lowest level that is logged"},                                                   \
        {.name = "LOG_HISTORY_SIZE",                                                               \
         .type = TS_CONFIG_INT,                                                                    \
         .offset = TS_SERVICE_OFFSET_(config_type, member, log_history),                           \
         .fallback = "200",                                                                        \
         .min = 1,                                                                                 \
         .max = 10000,                                                                             \
         .help = "Log lines kept for GET /logs"},                                                  \
    {                                                                                              \
        .name = "NODE_ENV", .type = TS_CONFIG_ENUM,                                                \
        .offset = TS_SERVICE_OFFSET_(config_type, member, node_env), .choices = ts_node_env_names, \
        .help = "development, production or test"                                                  \
    }

#endif
