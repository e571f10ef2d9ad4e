/* Any bytes as the body of POST /signals/reparse: what is accepted lies within its bounds, what is refused names a member and changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "reparse_request.h"
#include "store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static bool is_time(int64_t time_us, int64_t any)
{
    return time_us == any || (time_us >= STORE_TIME_MIN_US && time_us <= STORE_TIME_MAX_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    struct reparse_request request, untouched;

    memset(&request, 0x5a, sizeof(request));
    untouched = request;
    if (ts_json_parse_object((ts_str){(const char *)data, size}, TS_MAX_JSON_DEPTH, &json) != 0)
        return 0;
    const char *bad = reparse_request_read(json, &request);
    if (bad) {
        require(json_object_get(json, bad) != NULL);
        require(memcmp(&request, &untouched, sizeof(request)) == 0);
        return 0;
    }
    const struct store_scan *scan = &request.scan;
    require(scan->limit >= 1 && scan->limit <= REPARSE_LIMIT_MAX && scan->after_id >= 0);
    require(is_time(scan->from_us, INT64_MIN) && is_time(scan->to_us, INT64_MAX));
    require(scan->has_channel_id || scan->channel_id == 0);
    return 0;
}
