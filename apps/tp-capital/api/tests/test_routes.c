/* The route table and openapi.yaml describe the same service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "openapi.h"
#include "routes.h"

/* What every service has by itself (service/service.h). */
static const struct ts_http_route standard[] = {
    {.method = "GET", .pattern = "/health/live"},
    {.method = "GET", .pattern = "/metrics"},
    {.method = "GET", .pattern = "/openapi.json"},
    {.method = "GET", .pattern = "/openapi.yaml"},
};

static json_t *paths_of(json_t *document)
{
    json_t *paths = json_object_get(document, "paths");
    assert_true(json_is_object(paths));
    return paths;
}

static void expect_described(json_t *paths, const struct ts_http_route *route)
{
    char method[8];
    size_t len = strlen(route->method);
    for (size_t i = 0; i <= len; i++)
        method[i] = (char)(route->method[i] >= 'A' && route->method[i] <= 'Z' ? route->method[i] + 32
                                                                              : route->method[i]);
    if (!json_object_get(json_object_get(paths, route->pattern), method))
        fail_msg("openapi.yaml does not describe %s %s", route->method, route->pattern);
}

static bool is_route(const struct ts_http_route *routes, size_t n, const char *path, const char *method)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(routes[i].pattern, path) == 0 && strcasecmp(routes[i].method, method) == 0)
            return true;
    return false;
}

static void test_openapi_when_compared_with_the_routes_then_both_name_the_same(void **state)
{
    json_t *document = json_loads(openapi_json, JSON_REJECT_DUPLICATES, NULL), *methods, *operation;
    const char *path, *method;
    (void)state;
    assert_non_null(document);
    for (size_t i = 0; i < api_n_routes; i++)
        expect_described(paths_of(document), &api_routes[i]);
    for (size_t i = 0; i < TS_ARRAY_LEN(standard); i++)
        expect_described(paths_of(document), &standard[i]);
    json_object_foreach(paths_of(document), path, methods)
    {
        json_object_foreach(methods, method, operation)
        {
            if (!is_route(api_routes, api_n_routes, path, method) &&
                !is_route(standard, TS_ARRAY_LEN(standard), path, method))
                fail_msg("openapi.yaml describes %s %s, which is no route", method, path);
        }
    }
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openapi_when_compared_with_the_routes_then_both_name_the_same),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
