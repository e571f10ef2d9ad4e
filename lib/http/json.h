/*
 * JSON from outside, read strictly: one value in valid UTF-8, no duplicate keys, no NUL in strings, no lone surrogates, no numbers
 * beyond int64/double, depth at most max_depth (counted before the library sees the bytes). jansson underneath; its seed is
 * set by ts_json_init before threads start. (Writing is base/jsonw.h.) Thread rule: values belong to one thread.
 */
#ifndef TS_HTTP_JSON_H
#define TS_HTTP_JSON_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/str.h"

static inline json_t *ts_json_free(json_t *json)
{
    json_decref(json);
    return NULL;
}
TS_DEFINE_CLEANUP(json_t *, ts_json_free)

void ts_json_init(void);

/* 0 with a value the caller owns; TS_E_JSON, TS_E_JSON_DEPTH, TS_E_UTF8 or -ENOMEM. */
TS_MUST_CHECK int ts_json_parse(ts_str text, int max_depth, json_t **ret);

/* As above and the value must be an object: TS_E_JSON otherwise. */
TS_MUST_CHECK int ts_json_parse_object(ts_str text, int max_depth, json_t **ret);

/* The member's string, borrowed from the value; TS_STR_NONE when absent, null or no string. */
ts_str ts_json_get_str(const json_t *object, const char *key);

/* A string value as ts_str; TS_STR_NONE for anything else. */
ts_str ts_json_str(const json_t *value);

/* An integer, or a string that is a decimal integer, within [min, max]: TS_E_INVALID or TS_E_RANGE otherwise. */
TS_MUST_CHECK int ts_json_i64(const json_t *value, int64_t min, int64_t max, int64_t *ret);

#endif
