/* The Telegram gateway: wiring only. */
#include "gateway.h"
#include "queue_verb.h"
#include "routes.h"

int main(int argc, char **argv)
{
    const struct ts_service_verb verbs[] = {
        {"queue", QUEUE_HELP, queue_verb},
        {"recover", RECOVER_HELP, recover_verb},
    };
    const struct ts_service_def def = {
        .name = "tp-capital-gateway",
        .version = TS_VERSION,
        .commit = TS_COMMIT,
        .summary = "takes the posts of Telegram channels and hands them to the TP Capital API, losing none",
        .fields = config_fields,
        .n_fields = config_n_fields,
        .config_size = sizeof(struct config),
        .common_offset = offsetof(struct config, service),
        .check_config = config_check,
        .routes = routes,
        .n_routes = n_routes,
        .request_histogram = "telegram_http_request_duration_seconds",
        .public_only_paths = public_paths,
        .verbs = verbs,
        .n_verbs = TS_ARRAY_LEN(verbs),
        .stop_timeout_us = INT64_C(30000000), /* SHUTDOWN_TIMEOUT_MS replaces it */
        .start = gateway_start,
        .stop = gateway_stop,
        .stop_before_drain = true,
    };
    return ts_service_main(&def, argc, argv);
}
