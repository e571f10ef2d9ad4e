#include "reparse_request.h"

#include "base/error.h"
#include "base/number.h"
#include "signals_query.h"

static int read_adopt(const json_t *value, struct reparse_request *out)
{
    out->adopt = json_is_true(value);
    return json_is_boolean(value) ? 0 : TS_E_INVALID;
}

static int read_limit(const json_t *value, struct reparse_request *out)
{
    return json_is_integer(value) ? ts_json_i64(value, 1, REPARSE_LIMIT_MAX, &out->scan.limit) : TS_E_INVALID;
}

static int read_cursor(const json_t *value, struct reparse_request *out)
{
    return json_is_string(value) ? ts_parse_i64(ts_json_str(value), 0, INT64_MAX, &out->scan.after_id)
                                 : TS_E_INVALID;
}

static int read_channel(const json_t *value, struct reparse_request *out)
{
    out->scan.has_channel_id = true;
    return json_is_string(value)
               ? ts_parse_i64(ts_json_str(value), INT64_MIN, INT64_MAX, &out->scan.channel_id)
               : TS_E_INVALID;
}

static int read_from(const json_t *value, struct reparse_request *out)
{
    return json_is_string(value) ? signals_query_instant(ts_json_str(value), false, &out->scan.from_us)
                                 : TS_E_INVALID;
}

static int read_to(const json_t *value, struct reparse_request *out)
{
    return json_is_string(value) ? signals_query_instant(ts_json_str(value), true, &out->scan.to_us)
                                 : TS_E_INVALID;
}

const char *reparse_request_read(const json_t *body, struct reparse_request *ret)
{
    static const struct {
        const char *name;
        int (*read)(const json_t *value, struct reparse_request *out);
    } members[] = {
        {"adopt", read_adopt},       {"limit", read_limit}, {"cursor", read_cursor},
        {"channelId", read_channel}, {"from", read_from},   {"to", read_to},
    };
    struct reparse_request read = {
        .scan = {.limit = REPARSE_LIMIT_DEFAULT, .from_us = INT64_MIN, .to_us = INT64_MAX}};

    for (size_t i = 0; i < TS_ARRAY_LEN(members); i++) {
        const json_t *value = json_object_get(body, members[i].name);
        if (value && !json_is_null(value) && members[i].read(value, &read) < 0)
            return members[i].name;
    }
    *ret = read;
    return NULL;
}
