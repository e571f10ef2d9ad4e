/* What the files of lib/service share. */
#ifndef TS_SERVICE_SERVICE_INTERNAL_H
#define TS_SERVICE_SERVICE_INTERNAL_H

#include "service/service.h"

/* --help, --version, --health-check: print and return an exit code. */
int ts_cli_help(const struct ts_service_def *def);
int ts_cli_version(const struct ts_service_def *def);
int ts_cli_health_check(const struct ts_service_config *config);

bool ts_is_loopback(ts_str address);

/*
 * The program's routes followed by the standard ones, in `arena`. The standard handlers get the service as context too, since a
 * server has one context for all routes.
 */
TS_MUST_CHECK int ts_service_routes(const struct ts_service_def *def, struct ts_arena *arena,
                                    const struct ts_http_route **ret_routes, size_t *ret_n);

#endif
