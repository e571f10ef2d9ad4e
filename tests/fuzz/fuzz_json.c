/* Any bytes as JSON: accepted texts are valid UTF-8, no deeper than allowed, and come out again as the library wrote them. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static int depth_of(const json_t *json)
{
    int deepest = 0;
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_object(json)) {
        json_object_foreach((json_t *)json, key, member)
        {
            int depth = depth_of(member);
            deepest = TS_MAX(deepest, depth);
        }
    } else if (json_is_array(json)) {
        json_array_foreach(json, i, member)
        {
            int depth = depth_of(member);
            deepest = TS_MAX(deepest, depth);
        }
    } else {
        return 0;
    }
    return deepest + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ts_str text = {(const char *)data, size};
    _cleanup_(ts_json_freep) json_t *json = NULL;
    if (ts_json_parse(text, TS_MAX_JSON_DEPTH, &json) != 0) {
        require(json == NULL);
        return 0;
    }
    require(ts_utf8_valid(text) && depth_of(json) <= TS_MAX_JSON_DEPTH);
    char *written = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    require(written != NULL);
    _cleanup_(ts_json_freep) json_t *again = NULL;
    require(ts_json_parse(ts_str_from(written), TS_MAX_JSON_DEPTH, &again) == 0);
    require(json_equal(json, again));
    free(written);
    return 0;
}
