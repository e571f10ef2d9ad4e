/* The route table; /health/live and /metrics come with the service. */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "http/server.h"

extern const struct ts_http_route routes[];
extern const size_t n_routes;
extern const char *const public_paths[]; /* all that is answered beyond loopback */

#endif
