#include "http/json.h"

#include <errno.h>

#include "base/error.h"
#include "base/number.h"
#include "base/secret.h"

void ts_json_init(void)
{
    size_t seed;
    ts_random_bytes(&seed, sizeof(seed));
    json_object_seed(seed | 1); /* 0 would make jansson choose one later, in whichever thread is first */
}

/* Deepest nesting of brackets outside strings. Wrong texts may be counted wrongly; the parser refuses them anyway. */
static int depth_of(ts_str text)
{
    int depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            deepest = TS_MAX(deepest, depth);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return deepest;
}

static int error_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return -ENOMEM;
    case json_error_stack_overflow:
        return TS_E_JSON_DEPTH;
    case json_error_invalid_utf8:
        return TS_E_UTF8;
    default:
        return TS_E_JSON;
    }
}

int ts_json_parse(ts_str text, int max_depth, json_t **ret)
{
    if (text.len == 0)
        return TS_E_JSON;
    if (!ts_utf8_valid(text))
        return TS_E_UTF8;
    if (depth_of(text) > max_depth)
        return TS_E_JSON_DEPTH;
    json_error_t error;
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json)
        return error_of(&error);
    *ret = json;
    return 0;
}

int ts_json_parse_object(ts_str text, int max_depth, json_t **ret)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    int error = ts_json_parse(text, max_depth, &json);
    if (error)
        return error;
    if (!json_is_object(json))
        return TS_E_JSON;
    *ret = TS_TAKE(json);
    return 0;
}

ts_str ts_json_str(const json_t *value)
{
    if (!json_is_string(value))
        return TS_STR_NONE;
    return (ts_str){json_string_value(value), json_string_length(value)};
}

ts_str ts_json_get_str(const json_t *object, const char *key)
{
    return ts_json_str(json_object_get(object, key));
}

int ts_json_i64(const json_t *value, int64_t min, int64_t max, int64_t *ret)
{
    if (json_is_string(value))
        return ts_parse_i64(ts_json_str(value), min, max, ret);
    if (!json_is_integer(value))
        return TS_E_INVALID;
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return TS_E_RANGE;
    *ret = number;
    return 0;
}
