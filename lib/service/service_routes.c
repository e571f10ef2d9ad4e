#include "service/service_internal.h"

#include <errno.h>

#include "base/limits.h"

#define STANDARD_ROUTES 4

/* The loop turns, or nobody would answer. */
static void get_live(struct ts_http_request *req, void *ctx TS_UNUSED)
{
    ts_http_reply(req, &(struct ts_http_response){.body = TS_STR("{\"status\":\"ok\"}")});
}

static void get_metrics(struct ts_http_request *req, void *ctx)
{
    struct ts_service *service = ctx;
    struct ts_buf text = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES);

    ts_metrics_render(service->metrics, &text);
    ts_http_reply(req, &(struct ts_http_response){.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                                  .body_take = &text});
}

static void get_openapi_json(struct ts_http_request *req, void *ctx)
{
    const struct ts_service *service = ctx;

    ts_http_reply(req, &(struct ts_http_response){.body = ts_str_from(service->def->openapi_json)});
}

static void get_openapi_yaml(struct ts_http_request *req, void *ctx)
{
    const struct ts_service *service = ctx;

    ts_http_reply(req, &(struct ts_http_response){.content_type = "application/yaml",
                                                  .body = ts_str_from(service->def->openapi_yaml)});
}

int ts_service_routes(const struct ts_service_def *def, struct ts_arena *arena,
                      const struct ts_http_route **ret_routes, size_t *ret_n)
{
    const struct ts_http_route standard[STANDARD_ROUTES] = {
        {"GET", "/health/live", get_live, .flags = TS_ROUTE_ANY_HOST | TS_ROUTE_UNLIMITED},
        {"GET", "/metrics", get_metrics, .flags = TS_ROUTE_ANY_HOST | TS_ROUTE_UNLIMITED},
        {"GET", "/openapi.json", get_openapi_json, .flags = 0},
        {"GET", "/openapi.yaml", get_openapi_yaml, .flags = 0},
    };
    size_t n_standard = def->openapi_json ? STANDARD_ROUTES : STANDARD_ROUTES - 2;
    struct ts_http_route *routes = TS_ARENA_ARRAY(arena, def->n_routes + n_standard, struct ts_http_route);

    if (!routes)
        return -ENOMEM;
    memcpy(routes, def->routes, def->n_routes * sizeof(*routes));
    memcpy(routes + def->n_routes, standard, n_standard * sizeof(*routes));
    *ret_routes = routes;
    *ret_n = def->n_routes + n_standard;
    return 0;
}
