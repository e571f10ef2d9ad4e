#include "http/query.h"

#include <errno.h>

#include "base/error.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int unescape(ts_str raw, bool plus_is_space, char *out, size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return TS_E_INVALID;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return TS_E_INVALID;
        out[len++] = c;
    }
    *ret_len = len;
    return 0;
}

int ts_percent_decode(ts_str raw, bool plus_is_space, struct ts_arena *arena, ts_str *ret)
{
    ts_str decoded = raw;
    bool plain = raw.len == 0 ||
                 (!memchr(raw.ptr, '%', raw.len) && !(plus_is_space && memchr(raw.ptr, '+', raw.len)) &&
                  !memchr(raw.ptr, '\0', raw.len));
    if (!plain) {
        char *out = ts_arena_alloc(arena, raw.len);
        if (!out)
            return -ENOMEM;
        int error = unescape(raw, plus_is_space, out, &decoded.len);
        if (error)
            return error;
        decoded.ptr = out;
    }
    if (!ts_utf8_valid(decoded))
        return TS_E_UTF8;
    *ret = decoded;
    return 0;
}

static int add(struct ts_query *query, ts_str name, ts_str value)
{
    if (query->n == TS_MAX_QUERY_PARAMS)
        return TS_E_LIMIT;
    for (size_t i = 0; i < query->n; i++)
        if (ts_str_eq(query->items[i].name, name))
            return TS_E_INVALID;
    query->items[query->n].name = name;
    query->items[query->n].value = value;
    query->n++;
    return 0;
}

/* One `name=value`; *name is set as far as it could be read. */
static int parse_pair(ts_str pair, struct ts_arena *arena, struct ts_query *query, ts_str *name)
{
    ptrdiff_t equals = ts_str_find(pair, TS_STR("="));
    ts_str raw_name = equals < 0 ? pair : (ts_str){pair.ptr, (size_t)equals};
    ts_str raw_value =
        equals < 0 ? TS_STR("") : (ts_str){pair.ptr + equals + 1, pair.len - (size_t)equals - 1};
    int error = ts_percent_decode(raw_name, true, arena, name);
    if (error)
        return error;
    if (name->len == 0)
        return TS_E_INVALID;
    ts_str value;
    error = ts_percent_decode(raw_value, true, arena, &value);
    return error ? error : add(query, *name, value);
}

int ts_query_parse(ts_str raw, struct ts_arena *arena, struct ts_query *ret, ts_str *ret_field)
{
    ret->n = 0;
    while (raw.len > 0) {
        const char *end = memchr(raw.ptr, '&', raw.len);
        ts_str pair = {raw.ptr, end ? (size_t)(end - raw.ptr) : raw.len};
        raw = end ? (ts_str){end + 1, raw.len - pair.len - 1} : (ts_str){0};
        if (pair.len == 0)
            continue;
        ts_str name = TS_STR("");
        int error = parse_pair(pair, arena, ret, &name);
        if (error) {
            *ret_field = name;
            return error;
        }
    }
    return 0;
}

ts_str ts_query_get(const struct ts_query *query, const char *name)
{
    ts_str wanted = ts_str_from(name);
    for (size_t i = 0; i < query->n; i++)
        if (ts_str_eq(query->items[i].name, wanted))
            return query->items[i].value;
    return TS_STR_NONE;
}
