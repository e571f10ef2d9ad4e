#include "routes.h"

#include "ingest.h"

/* Says before the body is read that it must be JSON. */
static void check_json(struct ts_http_request *req, void *ctx)
{
    (void)ctx;
    (void)ingest_accepts_json(req);
}

const struct ts_http_route api_routes[] = {
    {"POST", "/ingest", ingest_post, .on_headers = ingest_check_headers,
     .flags = TS_ROUTE_OWN_AUTH | TS_ROUTE_UNLIMITED},
    {"GET", "/signals", signals_list, .flags = 0},
    {"DELETE", "/signals", signals_delete, .on_headers = check_json},
    {"GET", "/signals/stream", stream_get, .flags = 0},
    {"GET", "/signals/{id}", signals_get, .flags = 0},
    {"POST", "/parse", parse_post, .on_headers = check_json, .flags = TS_ROUTE_READ},
    {"GET", "/channels", reading_channels, .flags = 0},
    {"GET", "/telegram/channels", channels_list, .flags = 0},
    {"POST", "/telegram/channels", channels_create, .on_headers = check_json},
    {"PUT", "/telegram/channels/{id}", channels_update, .on_headers = check_json},
    {"DELETE", "/telegram/channels/{id}", channels_delete, .flags = 0},
    {"GET", "/telegram/bots", bots_list, .flags = 0},
    {"POST", "/telegram/bots", bots_create, .on_headers = check_json},
    {"PUT", "/telegram/bots/{id}", bots_update, .on_headers = check_json},
    {"DELETE", "/telegram/bots/{id}", bots_delete, .flags = 0},
    {"GET", "/telegram-channels", channels_list_legacy, .flags = 0},
    {"POST", "/telegram-channels", channels_create_legacy, .on_headers = check_json},
    {"PUT", "/telegram-channels/{id}", channels_update_legacy, .on_headers = check_json},
    {"DELETE", "/telegram-channels/{id}", channels_delete_legacy, .flags = 0},
    {"GET", "/config/channels", channels_configured, .flags = 0},
    {"GET", "/bots", bots_summary, .flags = 0},
    {"GET", "/forwarded-messages", forwarded_list, .flags = 0},
    {"GET", "/logs", reading_logs, .flags = 0},
    {"GET", "/", reading_root, .flags = 0},
    {"GET", "/health", health_get, .flags = TS_ROUTE_UNLIMITED},
    /* and /health/live, /metrics, /openapi.json, /openapi.yaml: every service's */
};
const size_t api_n_routes = sizeof(api_routes) / sizeof(api_routes[0]);
