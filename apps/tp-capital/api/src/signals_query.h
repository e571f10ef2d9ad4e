/*
 * The query of GET /signals (tp-capital 4.1, DESIGN section 6): parameters become a store_filter and a normalised text that is the same
 * for equal questions, the key of the cache and part of the ETag. Thread rule: pure.
 */
#ifndef TP_CAPITAL_SIGNALS_QUERY_H
#define TP_CAPITAL_SIGNALS_QUERY_H

#include "base/arena.h"
#include "store.h"

#define SIGNALS_LIMIT_DEFAULT 200
#define SIGNALS_LIMIT_MAX     1000
#define SIGNALS_OFFSET_MAX    100000
#define SIGNALS_COUNT_MAX     10000

struct signals_query {
    struct store_filter filter; /* limit is as asked for; texts lie in the arena */
    bool count;
    ts_str key;
};

/* 0; TS_E_INVALID with *ret_field naming the parameter (in the arena); -ENOMEM. raw: as in the request, without `?`. */
TS_MUST_CHECK int signals_query_parse(ts_str raw, struct ts_arena *arena, struct signals_query *ret,
                                      ts_str *ret_field);

/* The same, of a path that has the filters only: the others are unknown there, and ignored. */
TS_MUST_CHECK int signals_query_parse_filters(ts_str raw, struct ts_arena *arena, struct signals_query *ret,
                                              ts_str *ret_field);

/*
 * An instant of a query: epoch milliseconds, RFC 3339, or YYYY-MM-DD. The upper end covers what it names: the whole millisecond, the whole
 * day. TS_E_INVALID otherwise.
 */
TS_MUST_CHECK int signals_query_instant(ts_str text, bool upper, int64_t *ret_us);

/* The place after a row, in the order of the list. */
#define SIGNALS_CURSOR_SIZE 33
void signals_cursor_format(int64_t ts_us, int64_t id, char out[SIGNALS_CURSOR_SIZE]);
TS_MUST_CHECK int signals_cursor_parse(ts_str cursor, int64_t *ret_ts_us, int64_t *ret_id);

#endif
