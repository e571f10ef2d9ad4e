#include "routes.h"

const struct ts_http_route api_routes[] = {
    {"POST", "/ingest", ingest_post, .on_headers = ingest_check_headers,
     .flags = TS_ROUTE_OWN_AUTH | TS_ROUTE_UNLIMITED},
    {"GET", "/signals", signals_list, .flags = 0},
    {"GET", "/signals/export", export_get, .flags = 0},
    {"GET", "/signals/statistics", statistics_get, .flags = 0},
    {"POST", "/signals/reparse", reparse_post, .on_headers = parse_check_headers, .flags = 0},
    {"GET", "/signals/stream", stream_get, .flags = 0},
    {"GET", "/signals/{id}", signals_get, .flags = 0},
    {"POST", "/parse", parse_post, .on_headers = parse_check_headers, .flags = TS_ROUTE_READ},
    {"GET", "/channels", reading_channels, .flags = 0},
    {"GET", "/config/channels", reading_configured_channels, .flags = 0},
    {"GET", "/bots", reading_bots, .flags = 0},
    {"GET", "/forwarded-messages", reading_forwarded, .flags = 0},
    {"GET", "/logs", reading_logs, .flags = 0},
    {"GET", "/", reading_root, .flags = 0},
    {"GET", "/health", health_get, .flags = TS_ROUTE_UNLIMITED},
    /* and /health/live, /metrics, /openapi.json, /openapi.yaml: every service's */
};
const size_t api_n_routes = sizeof(api_routes) / sizeof(api_routes[0]);
