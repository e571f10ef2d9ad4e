/*
 * Query strings (`a=1&b=x%20y`): percent- and plus-decoded into the request's arena, valid UTF-8, no NUL, at most 64 parameters.
 * A repeated name is an error, so nothing is silently ignored. Thread rule: pure.
 */
#ifndef TS_HTTP_QUERY_H
#define TS_HTTP_QUERY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

#define TS_MAX_QUERY_PARAMS 64

struct ts_query {
    struct {
        ts_str name, value;
    } items[TS_MAX_QUERY_PARAMS];
    size_t n;
};

/* 0; TS_E_INVALID, TS_E_UTF8, TS_E_LIMIT with *ret_field (may be empty) naming the parameter; -ENOMEM. *ret is scratch on failure. */
TS_MUST_CHECK int ts_query_parse(ts_str raw, struct ts_arena *arena, struct ts_query *ret, ts_str *ret_field);

/*
 * `%xx` undone (and `+` as a space, if wanted); borrows `raw` when there is nothing to undo. TS_E_INVALID for a broken escape or a
 * NUL, TS_E_UTF8, -ENOMEM.
 */
TS_MUST_CHECK int ts_percent_decode(ts_str raw, bool plus_is_space, struct ts_arena *arena, ts_str *ret);

/* TS_STR_NONE when absent. */
ts_str ts_query_get(const struct ts_query *query, const char *name);

#endif
