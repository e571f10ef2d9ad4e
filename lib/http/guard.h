/*
 * What every service checks before a route is asked (DESIGN section 4): fits ts_http_server_options.guard.
 *
 *   1. Host outside allowed_hosts (port ignored): 421 {"error":"Misdirected request"}, except routes with TS_ROUTE_ANY_HOST.
 *   2. CORS: preflight OPTIONS 204 for a known Origin; a foreign Origin gets no Allow-Origin; on a mutation 403 {"error":"Origin not allowed"}
 *      (for TS_ROUTE_OWN_AUTH routes ts_http_guard_origin is called by the route after its token).
 *   3. Mutations (not GET, HEAD, OPTIONS, TS_ROUTE_READ, TS_ROUTE_OWN_AUTH) need `Authorization: Bearer` ADMIN_TOKEN once it is set: 401.
 *   4. Rate limit by address with RateLimit-* headers: 429 {"error":"Too many requests"} with Retry-After, except
 *      TS_ROUTE_UNLIMITED and TS_ROUTE_OWN_AUTH (tp-capital T13).
 *
 * Failed authentications are logged by address and watched (ts_failure_watch). Nobody is banned, but whoever gets 401 or 429 is read from again only
 * after 10 ms (ts_http_slow_down), so that a flood of them does not slow everybody else. Thread rule: the loop's thread.
 */
#ifndef TS_HTTP_GUARD_H
#define TS_HTTP_GUARD_H

#include "base/config.h"
#include "base/secret.h"
#include "http/server.h"

struct ts_http_guard;

/* Copied; what it points to is borrowed for the guard's life. */
struct ts_http_guard_options {
    struct ts_str_list allowed_hosts; /* names without port */
    struct ts_str_list cors_origins;  /* exact origins, or "*"; empty with cors_disabled */
    bool cors_disabled; /* no CORS headers, no preflight; Origin is still checked on mutations */
    const struct ts_secret *admin_token; /* may be unset */
    const struct ts_secret *admin_token_previous;
    int64_t rate_limit_max; /* 0 = off */
    int64_t rate_limit_window_us;
    /* Beyond loopback the gateway answers only these paths (prefixes); NULL = no such rule. */
    const char *const *public_only_paths;
};

TS_MUST_CHECK int ts_http_guard_new(const struct ts_http_guard_options *options, struct ts_http_guard **ret);
struct ts_http_guard *ts_http_guard_free(struct ts_http_guard *guard);

/*
 * The hook; ctx is the guard. A request that no route takes (404, 405) changes nothing: of it only Host, public paths and rate are
 * checked.
 */
void ts_http_guard_check(struct ts_http_request *req, void *ctx);

/* True when the request has no Origin or one of ours; else 403 was answered. */
bool ts_http_guard_origin(struct ts_http_guard *guard, struct ts_http_request *req);

/*
 * Counts this request for the rate limit and answers 429 when its address is over it: false then. For TS_ROUTE_UNLIMITED routes whose
 * exemption holds only for callers with the right token (tp-capital 4.5): called before the 401.
 */
bool ts_http_guard_rate_limit(struct ts_http_guard *guard, struct ts_http_request *req);

/*
 * A wrong or missing token of this request: logs `Unauthorized` (address, first 8 hex digits of the token's SHA-256), and at the
 * 10th in 60 s of one address `SECURITY: Multiple failed auth attempts from IP <ip>` (tp-capital 3.5).
 */
void ts_http_guard_auth_failed(struct ts_http_guard *guard, struct ts_http_request *req, ts_str token);

#endif
