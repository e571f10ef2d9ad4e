#include "signals_query.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/number.h"
#include "http/query.h"
#include "store_internal.h"

/* --- instants ----------------------------------------------------------------------------------------------------------- */

static bool is_integer(ts_str s)
{
    size_t start = s.len > 1 && s.ptr[0] == '-';
    for (size_t i = start; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

int signals_query_instant(ts_str text, bool upper, int64_t *ret_us)
{
    int64_t value, within = TS_US_PER_MS; /* what the text names, as a length of time */
    if (is_integer(text)) {
        int r =
            ts_parse_i64(text, STORE_TIME_MIN_US / TS_US_PER_MS, STORE_TIME_MAX_US / TS_US_PER_MS, &value);
        if (r < 0)
            return TS_E_INVALID;
        value *= TS_US_PER_MS;
    } else if (ts_time_parse_date(text, &value) == 0) {
        within = TS_US_PER_DAY;
    } else {
        if (ts_time_parse_rfc3339(text, &value) < 0)
            return TS_E_INVALID;
        within = value % TS_US_PER_MS == 0 ? TS_US_PER_MS : 1;
    }
    *ret_us = upper ? value + within - 1 : value;
    return 0;
}

/* --- cursor ------------------------------------------------------------------------------------------------------------- */

void signals_cursor_format(int64_t ts_us, int64_t id, char out[SIGNALS_CURSOR_SIZE])
{
    snprintf(out, SIGNALS_CURSOR_SIZE, "%016llx%016llx", (unsigned long long)ts_us, (unsigned long long)id);
}

static int parse_hex(const char *digits, int64_t *ret)
{
    uint64_t value = 0;
    for (int i = 0; i < 16; i++) {
        char c = digits[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit > 15)
            return TS_E_INVALID;
        value = value << 4 | digit;
    }
    *ret = (int64_t)value;
    return 0;
}

int signals_cursor_parse(ts_str cursor, int64_t *ret_ts_us, int64_t *ret_id)
{
    int64_t ts_us, id;
    if (cursor.len != SIGNALS_CURSOR_SIZE - 1 || parse_hex(cursor.ptr, &ts_us) < 0 ||
        parse_hex(cursor.ptr + 16, &id) < 0)
        return TS_E_INVALID;
    if (ts_us < STORE_TIME_MIN_US || ts_us > STORE_TIME_MAX_US || id < 0)
        return TS_E_INVALID;
    *ret_ts_us = ts_us;
    *ret_id = id;
    return 0;
}

/* --- parameters --------------------------------------------------------------------------------------------------------- */

struct parsing {
    const struct ts_query *query;
    struct ts_arena *arena;
    struct signals_query *out;
};

static int check_length(ts_str value, size_t max)
{
    return value.len < 1 || value.len > max ? TS_E_INVALID : 0;
}

static int set_limit(struct parsing *p, ts_str value)
{
    return ts_parse_i64(value, 1, SIGNALS_LIMIT_MAX, &p->out->filter.limit);
}

static int set_offset(struct parsing *p, ts_str value)
{
    return ts_parse_i64(value, 0, SIGNALS_OFFSET_MAX, &p->out->filter.offset);
}

static int set_cursor(struct parsing *p, ts_str value)
{
    if (!ts_str_is_none(ts_query_get(p->query, "offset")))
        return TS_E_INVALID;
    return signals_cursor_parse(value, &p->out->filter.before_ts_us, &p->out->filter.before_id);
}

static int set_channel(struct parsing *p, ts_str value)
{
    struct store_filter *filter = &p->out->filter;
    int r = check_length(value, MESSAGE_CHANNEL_MAX);
    if (r < 0)
        return r;
    if (is_integer(value)) {
        filter->has_channel_id = true;
        return ts_parse_i64(value, INT64_MIN, INT64_MAX, &filter->channel_id);
    }
    filter->channel = value;
    return 0;
}

/* BUY, SELL and UNKNOWN are directions; anything else is a trade type. */
static int set_type(struct parsing *p, ts_str value)
{
    for (int type = SIGNAL_UNKNOWN; type <= SIGNAL_SELL; type++) {
        ts_str name = ts_str_from(signal_type_name((enum signal_type)type));
        if (ts_str_eq_nocase(value, name)) {
            p->out->filter.signal_type = name;
            return 0;
        }
    }
    p->out->filter.trade_type = value;
    for (int type = TRADE_SWING; type <= TRADE_POSITION; type++) {
        ts_str name = ts_str_from(signal_trade_type_name((enum trade_type)type));
        if (ts_str_eq_nocase(value, name))
            p->out->filter.trade_type = name;
    }
    return check_length(value, 40);
}

/* Assets are stored in capitals. */
static int set_asset(struct parsing *p, ts_str value)
{
    int r = check_length(value, 20);
    if (r < 0)
        return r;
    char *capitals = ts_arena_alloc(p->arena, value.len);
    if (!capitals)
        return TS_E_INVALID;
    for (size_t i = 0; i < value.len; i++)
        capitals[i] =
            value.ptr[i] >= 'a' && value.ptr[i] <= 'z' ? (char)(value.ptr[i] - 'a' + 'A') : value.ptr[i];
    p->out->filter.asset = (ts_str){capitals, value.len};
    return 0;
}

static int set_search(struct parsing *p, ts_str value)
{
    p->out->filter.search = value;
    return check_length(value, 100);
}

static int set_from(struct parsing *p, ts_str value)
{
    return signals_query_instant(value, false, &p->out->filter.from_us);
}

static int set_to(struct parsing *p, ts_str value)
{
    return signals_query_instant(value, true, &p->out->filter.to_us);
}

static int parse_true_false(ts_str value, bool *ret)
{
    *ret = ts_str_eq(value, TS_STR("true"));
    return *ret || ts_str_eq(value, TS_STR("false")) ? 0 : TS_E_INVALID;
}

static int set_complete(struct parsing *p, ts_str value)
{
    bool complete;
    int r = parse_true_false(value, &complete);
    p->out->filter.complete = complete;
    return r;
}

static int set_count(struct parsing *p, ts_str value)
{
    return parse_true_false(value, &p->out->count);
}

static const struct {
    const char *name;
    int (*set)(struct parsing *p, ts_str value);
    bool is_filter;
} parameters[] = {
    {"limit", set_limit, false},      {"offset", set_offset, false}, {"cursor", set_cursor, false},
    {"channel", set_channel, true},   {"type", set_type, true},      {"asset", set_asset, true},
    {"search", set_search, true},     {"from", set_from, true},      {"to", set_to, true},
    {"complete", set_complete, true}, {"count", set_count, false},
};

/* Every filter in one order, texts with their lengths, so that two questions have one key only if they are equal. */
static int make_key(struct signals_query *q, struct ts_arena *arena)
{
    const struct store_filter *f = &q->filter;
    return ts_arena_printf(
        arena, &q->key,
        "%lld,%lld,%lld,%lld,%d,%lld,%d,%d,%lld,%lld|%zu:%.*s|%zu:%.*s|%zu:%.*s|%zu:%.*s|%zu:%.*s",
        (long long)f->from_us, (long long)f->to_us, (long long)f->before_ts_us, (long long)f->before_id,
        f->has_channel_id, (long long)f->channel_id, f->complete, q->count, (long long)f->limit,
        (long long)f->offset, f->channel.len, TS_STR_ARG(f->channel), f->asset.len, TS_STR_ARG(f->asset),
        f->signal_type.len, TS_STR_ARG(f->signal_type), f->trade_type.len, TS_STR_ARG(f->trade_type),
        f->search.len, TS_STR_ARG(f->search));
}

static int parse(ts_str raw, bool only_filters, struct ts_arena *arena, struct signals_query *ret,
                 ts_str *ret_field)
{
    struct ts_query query;
    struct signals_query parsed = {.filter = STORE_FILTER_ANY};
    struct parsing parsing = {.query = &query, .arena = arena, .out = &parsed};

    parsed.filter.limit = SIGNALS_LIMIT_DEFAULT;
    int r = ts_query_parse(raw, arena, &query, ret_field);
    if (r < 0)
        return r == -ENOMEM ? r : TS_E_INVALID;
    for (size_t i = 0; i < TS_ARRAY_LEN(parameters); i++) {
        if (only_filters && !parameters[i].is_filter)
            continue;
        ts_str value = ts_query_get(&query, parameters[i].name);
        if (!ts_str_is_none(value) && parameters[i].set(&parsing, value) < 0) {
            *ret_field = ts_str_from(parameters[i].name);
            return TS_E_INVALID;
        }
    }
    r = make_key(&parsed, arena);
    if (r == 0)
        *ret = parsed;
    return r;
}

int signals_query_parse(ts_str raw, struct ts_arena *arena, struct signals_query *ret, ts_str *ret_field)
{
    return parse(raw, false, arena, ret, ret_field);
}

int signals_query_parse_filters(ts_str raw, struct ts_arena *arena, struct signals_query *ret,
                                ts_str *ret_field)
{
    return parse(raw, true, arena, ret, ret_field);
}
