/* Any bytes as a query string: what is accepted is valid UTF-8 without NUL, each name once. */
#include <stdint.h>
#include <stdlib.h>

#include "http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(1024 * 1024);
    struct ts_query query;
    ts_str field = TS_STR_NONE;
    int error = ts_query_parse((ts_str){(const char *)data, size}, arena, &query, &field);
    if (error) {
        require(ts_utf8_valid(field) || field.len == 0);
        return 0;
    }
    require(query.n <= TS_MAX_QUERY_PARAMS);
    for (size_t i = 0; i < query.n; i++) {
        ts_str name = query.items[i].name, value = query.items[i].value;
        require(name.len > 0 && ts_utf8_valid(name) && ts_utf8_valid(value));
        require(!ts_str_has_nul(name) && !ts_str_has_nul(value));
        for (size_t j = 0; j < i; j++)
            require(!ts_str_eq(name, query.items[j].name));
    }
    return 0;
}
