/*
 * Service: what every daemon of ours is: one loop, one configuration table, one HTTP server, signals, the standard command line.
 *
 *   NAME                    run until SIGTERM or SIGINT (the end: below); the second signal exits 1 at once
 *   NAME --help             what it is and every variable
 *   NAME --version          name, version, commit
 *   NAME --check-config     all errors of the environment at once, exit 1; else "configuration ok"
 *   NAME --health-check     asks the running service's /health, exit 0 when it answers 200; for containers without a shell
 *   NAME VERB …             verbs of the program itself (queue list, migrate, …)
 *
 * Routes every service has are added by it: GET /health/live (200 as long as the loop turns), GET /metrics, GET /openapi.json, /openapi.yaml.
 * The standard variables (BIND_ADDRESS, ADMIN_TOKEN, ALLOWED_HOSTS, BEHIND_PROXY, DATA_DIR, MAX_CONNECTIONS, TRUSTED_PROXIES, LOG_LEVEL, LOG_HISTORY_SIZE,
 * NODE_ENV) are in `struct ts_service_config`, whose fields a program appends to its own table by TS_SERVICE_CONFIG_FIELDS(type, member, port name, port aliases, port default). Beyond loopback without ADMIN_TOKEN
 * and without BEHIND_PROXY=true the service refuses to listen (exit 1).
 *
 * The end, for one that has replicas, comes in two steps. First the farewell, `farewell_us` of the definition: ts_service_is_stopping() is true, by
 * which the program's /health says 503, every answer says `Connection: close`, and all else goes on, so that whoever shares out the requests has the
 * time to notice. It lasts to its end when a proxy stands in front (TRUSTED_PROXIES, BEHIND_PROXY): that one's next connection may come at any moment.
 * Otherwise it is over as soon as no connection but streams is open, so that nobody waits for a service on his own machine. Then the server stops
 * accepting and drains; the definition's `stop_timeout_us` counts from here.
 *
 * Handlers get the `struct ts_service` as their context; the program's own state is its `app`. Thread rule: main thread.
 */
#ifndef TS_SERVICE_SERVICE_H
#define TS_SERVICE_SERVICE_H

#include <uv.h>

#include "base/config.h"
#include "http/guard.h"
#include "http/server.h"
#include "obs/metrics.h"
#include "service/request_metrics.h"

struct ts_service_config {
    struct ts_str_list bind_addresses;
    int64_t port;
    struct ts_secret admin_token, admin_token_previous;
    struct ts_str_list allowed_hosts;
    bool behind_proxy;
    ts_str data_dir;
    int64_t max_connections;
    struct ts_str_list trusted_proxies;
    int log_level; /* enum ts_log_level */
    int64_t log_history;
    int node_env; /* enum ts_node_env */
    /* Set by programs that want CORS and a rate limit. */
    struct ts_str_list cors_origins;
    bool cors_disabled;
    int64_t rate_limit_max, rate_limit_window_ms;
};

enum ts_node_env { TS_ENV_UNSET, TS_ENV_DEVELOPMENT, TS_ENV_PRODUCTION, TS_ENV_TEST };

struct ts_service {
    const struct ts_service_def *def;
    uv_loop_t *loop;
    struct ts_arena *arena;                 /* the configuration's */
    void *config;                           /* the program's struct, filled */
    const struct ts_service_config *common; /* inside it */
    struct ts_metrics *metrics;
    struct ts_request_metrics *requests;
    struct ts_http_server *
        server; /* listening before `start` is called, so /health can say 503 while it waits for a database */
    struct ts_http_guard *guard;
    void *app;               /* the program's state, set by start */
    int64_t started_us;      /* monotonic */
    int64_t stop_timeout_us; /* the definition's; `start` may set another that the configuration names */
};

struct ts_service_verb {
    const char *name; /* "queue" */
    const char *help;
    int (*run)(struct ts_service *service, int argc,
               char **argv); /* exit code; configuration is loaded, no server runs */
};

struct ts_service_def {
    const char *name, *version, *commit;
    const char *summary;                  /* one line for --help */
    const struct ts_config_field *fields; /* the program's and the standard ones */
    size_t n_fields;
    size_t config_size;
    size_t common_offset; /* of struct ts_service_config in the program's */
    /* Rules over several variables: appends lines `FATAL: …`, returns their number. May be NULL. */
    int (*check_config)(const void *config, struct ts_buf *errors);
    const struct ts_http_route *routes;
    size_t n_routes;
    const char *openapi_json, *openapi_yaml; /* compiled in; NULL = none */
    const char *request_histogram;           /* metric name: "api_http_request_duration_seconds" */
    const char *const *public_only_paths;    /* http/guard.h */
    const struct ts_service_verb *verbs;
    size_t n_verbs;
    int64_t farewell_us;                      /* 0 = none; see above */
    int64_t stop_timeout_us;                  /* for drain and stop together */
    int (*start)(struct ts_service *service); /* 0, or an error: logged, exit 1 */
    /* Begin to stop: what `start` began. Call ts_service_stopped() when finished. HTTP is drained before. May be NULL. */
    void (*stop)(struct ts_service *service);
    /* After each answer was handed to the socket, besides the request histogram. May be NULL. */
    void (*on_answered)(struct ts_service *service, const struct ts_http_request *req, int status);
    /*
     * When true, `stop` is called first and HTTP is drained after it (the gateway: publish first, close last). Default: drain, then stop.
     */
    bool stop_before_drain;
};

/* All of main(): returns the exit code. */
int ts_service_main(const struct ts_service_def *def, int argc, char **argv);

void ts_service_stopped(struct ts_service *service);

/* True from the signal on, the farewell included. */
bool ts_service_is_stopping(const struct ts_service *service);

/* Ask to stop from inside (a fatal database fault), without farewell; the process exits with `exit_code` after the orderly stop. */
void ts_service_quit(struct ts_service *service, int exit_code);

#include "service/service_config.h"

#endif
