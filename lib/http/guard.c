#include "http/guard.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/ratelimit.h"

#define RATE_SLOTS      4096 /* tp-capital 4.5 */
#define WATCH_SLOTS     1024 /* tp-capital 3.5 */
#define WATCH_THRESHOLD 10
#define WATCH_WINDOW_US (60 * TS_US_PER_S)

struct ts_http_guard {
    struct ts_http_guard_options options;
    struct ts_ratelimit *rate; /* NULL = off */
    struct ts_failure_watch *watch;
};

struct ts_http_guard *ts_http_guard_free(struct ts_http_guard *guard)
{
    if (!guard)
        return NULL;
    ts_ratelimit_free(guard->rate);
    ts_failure_watch_free(guard->watch);
    free(guard);
    return NULL;
}

int ts_http_guard_new(const struct ts_http_guard_options *options, struct ts_http_guard **ret)
{
    struct ts_http_guard *guard = calloc(1, sizeof(*guard));
    if (!guard)
        return -ENOMEM;
    guard->options = *options;
    int error = ts_failure_watch_new(WATCH_THRESHOLD, WATCH_WINDOW_US, WATCH_SLOTS, &guard->watch);
    if (!error && options->rate_limit_max > 0)
        error = ts_ratelimit_new(options->rate_limit_max, options->rate_limit_window_us, RATE_SLOTS,
                                 &guard->rate);
    if (error) {
        ts_http_guard_free(guard);
        return error;
    }
    *ret = guard;
    return 0;
}

static void reply(struct ts_http_request *req, int status, const char *text)
{
    ts_http_reply_error(req, status, text, NULL, NULL);
}

static unsigned flags_of(const struct ts_http_request *req)
{
    return req->route ? req->route->flags : 0;
}

/* --- Host --------------------------------------------------------------------------------------------------------------- */

static ts_str without_brackets(ts_str host)
{
    bool bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    return bracketed ? (ts_str){host.ptr + 1, host.len - 2} : host;
}

static bool is_port(ts_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len <= 5;
}

/* "name", "name:80", "[::1]:80"; TS_STR_NONE for anything that isn't such. */
static ts_str host_name(ts_str host)
{
    size_t end = 0;
    if (host.len == 0)
        return TS_STR_NONE;
    if (host.ptr[0] == '[') {
        const char *bracket = memchr(host.ptr, ']', host.len);
        if (!bracket)
            return TS_STR_NONE;
        end = (size_t)(bracket - host.ptr) + 1;
    } else {
        while (end < host.len && host.ptr[end] != ':')
            end++;
    }
    ts_str rest = {host.ptr + end, host.len - end};
    if (rest.len > 0 && (rest.ptr[0] != ':' || !is_port((ts_str){rest.ptr + 1, rest.len - 1})))
        return TS_STR_NONE;
    return without_brackets((ts_str){host.ptr, end});
}

static bool host_allowed(const struct ts_http_guard *guard, const struct ts_http_request *req)
{
    if (flags_of(req) & TS_ROUTE_ANY_HOST)
        return true;
    ts_str name = host_name(ts_http_header(req, "Host"));
    const struct ts_str_list *allowed = &guard->options.allowed_hosts;
    for (size_t i = 0; i < allowed->n && name.len > 0; i++)
        if (ts_str_eq_nocase(name, without_brackets(allowed->items[i])))
            return true;
    return false;
}

static bool path_public(const struct ts_http_guard *guard, const struct ts_http_request *req)
{
    const char *const *prefix = guard->options.public_only_paths;
    struct ts_address peer;
    if (!prefix || (ts_address_parse(ts_str_from(req->peer), &peer) == 0 && ts_address_is_loopback(&peer)))
        return true;
    for (; *prefix; prefix++)
        if (ts_str_starts_with(req->path, ts_str_from(*prefix)))
            return true;
    return false;
}

/* --- Origin ------------------------------------------------------------------------------------------------------------- */

static bool origin_known(const struct ts_http_guard *guard, ts_str origin)
{
    const struct ts_str_list *origins = &guard->options.cors_origins;
    for (size_t i = 0; i < origins->n; i++)
        if (ts_str_eq(origins->items[i], origin) || ts_str_eq(origins->items[i], TS_STR("*")))
            return true;
    return false;
}

bool ts_http_guard_origin(struct ts_http_guard *guard, struct ts_http_request *req)
{
    ts_str origin = ts_http_header(req, "Origin");
    if (ts_str_is_none(origin) || origin_known(guard, origin))
        return true;
    reply(req, 403, "Origin not allowed");
    return false;
}

/* Headers for whatever answer follows. True when the request was a preflight and has been answered. */
static bool cors(const struct ts_http_guard *guard, struct ts_http_request *req)
{
    if (guard->options.cors_disabled)
        return false;
    ts_str origin = ts_http_header(req, "Origin");
    bool known = !ts_str_is_none(origin) && origin_known(guard, origin);
    bool preflight = ts_str_eq(req->method, TS_STR("OPTIONS")) && !ts_str_is_none(origin) &&
                     !ts_str_is_none(ts_http_header(req, "Access-Control-Request-Method"));
    ts_http_add_header(req, TS_STR("Vary"), TS_STR("Origin"));
    if (known) {
        ts_http_add_header(req, TS_STR("Access-Control-Allow-Origin"), origin);
        ts_http_add_header(req, TS_STR("Access-Control-Allow-Credentials"), TS_STR("true"));
    }
    if (known && preflight) {
        ts_http_add_header(req, TS_STR("Access-Control-Allow-Methods"),
                           TS_STR("GET, POST, PUT, DELETE, OPTIONS"));
        ts_http_add_header(req, TS_STR("Access-Control-Allow-Headers"),
                           TS_STR("Content-Type, X-Gateway-Token"));
    }
    if (preflight)
        ts_http_reply(req, &(struct ts_http_response){.status = 204});
    return preflight;
}

/* --- token -------------------------------------------------------------------------------------------------------------- */

static bool is_mutation(const struct ts_http_request *req)
{
    static const char *const harmless[] = {"GET", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < TS_ARRAY_LEN(harmless); i++)
        if (ts_str_eq(req->method, ts_str_from(harmless[i])))
            return false;
    return req->route && !(req->route->flags & (TS_ROUTE_READ | TS_ROUTE_OWN_AUTH));
}

static ts_str bearer_token(const struct ts_http_request *req)
{
    ts_str value = ts_http_header(req, "Authorization");
    ts_str scheme = {value.ptr, TS_MIN(value.len, (size_t)7)};
    if (!ts_str_eq_nocase(scheme, TS_STR("Bearer ")))
        return TS_STR_NONE;
    return ts_str_trim((ts_str){value.ptr + 7, value.len - 7});
}

static bool equals(const struct ts_secret *secret, ts_str token)
{
    return secret && ts_secret_equals(secret, token);
}

static bool authorised(struct ts_http_guard *guard, struct ts_http_request *req)
{
    const struct ts_http_guard_options *o = &guard->options;
    if (!o->admin_token || !ts_secret_is_set(o->admin_token))
        return true;
    ts_str token = bearer_token(req);
    if (equals(o->admin_token, token) || equals(o->admin_token_previous, token))
        return true;
    ts_http_guard_auth_failed(guard, req, token);
    ts_http_add_header(req, TS_STR("WWW-Authenticate"), TS_STR("Bearer"));
    reply(req, 401, "Unauthorized");
    return false;
}

void ts_http_guard_auth_failed(struct ts_http_guard *guard, struct ts_http_request *req, ts_str token)
{
    char fingerprint[TS_FINGERPRINT_SIZE] = "";

    ts_http_slow_down(req);
    if (token.len > 0)
        ts_fingerprint(token, fingerprint);
    ts_log_warn("Unauthorized", TS_F_CSTR("ip", req->peer), TS_F_CSTR("token_hash", fingerprint),
                TS_F_STR("requestId", req->request_id));
    if (!ts_failure_watch_hit(guard->watch, ts_str_from(req->peer), ts_clock_mono_us()))
        return;
    char text[64 + TS_ADDRESS_SIZE];
    snprintf(text, sizeof(text), "SECURITY: Multiple failed auth attempts from IP %s", req->peer);
    ts_log_error(text, TS_F_CSTR("ip", req->peer));
}

/* --- rate --------------------------------------------------------------------------------------------------------------- */

static void add_number(struct ts_http_request *req, const char *name, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)value);
    ts_http_add_header(req, ts_str_from(name), (ts_str){text, (size_t)len});
}

bool ts_http_guard_rate_limit(struct ts_http_guard *guard, struct ts_http_request *req)
{
    if (!guard->rate)
        return true;
    struct ts_ratelimit_state state =
        ts_ratelimit_hit(guard->rate, ts_str_from(req->peer), ts_clock_mono_us());
    add_number(req, "RateLimit-Limit", state.limit);
    add_number(req, "RateLimit-Remaining", state.remaining);
    add_number(req, "RateLimit-Reset", state.reset_s);
    if (!state.exceeded)
        return true;
    add_number(req, "Retry-After", state.reset_s);
    ts_http_slow_down(req);
    reply(req, 429, "Too many requests");
    return false;
}

/* A route with a token of its own is for machines that prove themselves; the limit is for everyone else (tp-capital T13). */
static bool within_rate(struct ts_http_guard *guard, struct ts_http_request *req)
{
    bool exempt = flags_of(req) & (TS_ROUTE_UNLIMITED | TS_ROUTE_OWN_AUTH);
    return exempt || ts_http_guard_rate_limit(guard, req);
}

void ts_http_guard_check(struct ts_http_request *req, void *ctx)
{
    struct ts_http_guard *guard = ctx;
    if (!host_allowed(guard, req)) {
        reply(req, 421, "Misdirected request");
        return;
    }
    if (!path_public(guard, req)) {
        reply(req, 403, "Not available from this address");
        return;
    }
    if (cors(guard, req))
        return;
    if (is_mutation(req) && (!ts_http_guard_origin(guard, req) || !authorised(guard, req)))
        return;
    (void)within_rate(guard, req);
}
