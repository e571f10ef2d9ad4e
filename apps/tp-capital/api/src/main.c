/* tp-capital-api: messages in, signals out (port 4005). Wiring only: the rest is named by the files beside this one. */
#include "app.h"
#include "base/clock.h"
#include "config.h"
#include "database.h"
#include "openapi.h"
#include "routes.h"

static const struct ts_service_verb verbs[] = {
    {"migrate", "apply the migrations with MIGRATION_DATABASE_URL, then exit", database_migrate_verb},
};

int main(int argc, char **argv)
{
    const struct ts_service_def def = {
        .name = "tp-capital-api",
        .version = TS_VERSION,
        .commit = TS_COMMIT,
        .summary = "Stores Telegram messages, reads trading signals from them, serves them as pages and as a "
                   "live stream.",
        .fields = api_config_fields,
        .n_fields = api_config_n_fields,
        .config_size = sizeof(struct api_config),
        .common_offset = offsetof(struct api_config, common),
        .check_config = api_config_check,
        .routes = api_routes,
        .n_routes = api_n_routes,
        .openapi_json = openapi_json,
        .openapi_yaml = openapi_yaml,
        .request_histogram = "api_http_request_duration_seconds",
        .verbs = verbs,
        .n_verbs = TS_ARRAY_LEN(verbs),
        .farewell_us = 2 * TS_US_PER_S,
        .stop_timeout_us = 10 * TS_US_PER_S,
        .start = app_start,
        .stop = app_stop,
        .on_answered = app_on_answered,
    };
    return ts_service_main(&def, argc, argv);
}
