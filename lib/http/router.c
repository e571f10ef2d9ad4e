/* Routes: a handful of patterns, compared segment by segment; no table is built, for none would be faster at this size. */
#include "base/error.h"
#include "http/server_internal.h"

static bool is_placeholder(ts_str segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

/* Takes "/segment" off the front. */
static ts_str next_segment(ts_str *rest)
{
    const char *start = rest->ptr + 1;
    size_t left = rest->len - 1;
    const char *slash = memchr(start, '/', left);
    ts_str segment = {start, slash ? (size_t)(slash - start) : left};
    *rest = (ts_str){start + segment.len, left - segment.len};
    return segment;
}

static bool matches(const char *pattern, ts_str path, ts_str params[4])
{
    ts_str rest = ts_str_from(pattern);
    if (!strchr(pattern, '{'))
        return ts_str_eq(rest, path);
    size_t n = 0;
    while (rest.len > 0 && path.len > 0) {
        ts_str wanted = next_segment(&rest), found = next_segment(&path);
        if (is_placeholder(wanted)) {
            if (found.len == 0)
                return false;
            params[n++] = found;
        } else if (!ts_str_eq(wanted, found)) {
            return false;
        }
    }
    return rest.len == 0 && path.len == 0;
}

static bool method_fits(const char *route_method, ts_str method)
{
    return ts_str_eq(method, ts_str_from(route_method)) ||
           (ts_str_eq(method, TS_STR("HEAD")) && strcmp(route_method, "GET") == 0);
}

/* Adds a method to the list once. */
static void allow(char list[TS_ALLOW_SIZE], const char *method)
{
    if (strstr(list, method))
        return;
    size_t len = strlen(list);
    const char *also = strcmp(method, "GET") == 0 ? ", HEAD" : "";
    snprintf(list + len, TS_ALLOW_SIZE - len, "%s%s%s", len > 0 ? ", " : "", method, also);
}

/* The name of a path is no value of a placeholder: where a pattern is the path itself, those with placeholders do not have it. */
static bool is_named(const struct ts_http_server_options *options, ts_str path)
{
    for (size_t i = 0; i < options->n_routes; i++)
        if (ts_str_eq(ts_str_from(options->routes[i].pattern), path))
            return true;
    return false;
}

static bool serves(const struct ts_http_route *route, ts_str path, bool named, ts_str params[4])
{
    return (!named || !strchr(route->pattern, '{')) && matches(route->pattern, path, params);
}

bool ts_route_find(struct ts_http_server *server, struct ts_http_request *req, char ret_allow[TS_ALLOW_SIZE])
{
    const struct ts_http_route *routes = server->options.routes;
    size_t n = server->options.n_routes;
    const bool named = is_named(&server->options, req->path);
    for (size_t i = 0; i < n; i++) {
        ts_str params[4] = {0};
        if (!method_fits(routes[i].method, req->method) || !serves(&routes[i], req->path, named, params))
            continue;
        req->route = &routes[i];
        memcpy(req->params, params, sizeof(params));
        return true;
    }
    ret_allow[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        ts_str ignored[4];
        if (serves(&routes[i], req->path, named, ignored))
            allow(ret_allow, routes[i].method);
    }
    return false;
}

static bool pattern_ok(const char *pattern)
{
    if (!pattern || pattern[0] != '/')
        return false;
    int placeholders = 0;
    ts_str rest = ts_str_from(pattern);
    while (rest.len > 0) {
        ts_str segment = next_segment(&rest);
        bool braces = memchr(segment.ptr, '{', segment.len) || memchr(segment.ptr, '}', segment.len);
        if (braces && (!is_placeholder(segment) || ++placeholders > 4))
            return false;
    }
    return true;
}

int ts_routes_check(const struct ts_http_route *routes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!routes[i].method || !routes[i].handler || !pattern_ok(routes[i].pattern))
            return TS_E_INVALID;
    return 0;
}
