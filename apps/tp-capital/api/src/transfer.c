#include "transfer.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/number.h"
#include "base/secret.h"
#include "message.h"
#include "registry.h"
#include "store_internal.h"

/* --- cells -------------------------------------------------------------------------------------------------------------- */

static bool is_digits(ts_str text)
{
    size_t start = text.len > 1 && text.ptr[0] == '-';
    for (size_t i = start; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* What follows the seconds: PostgreSQL writes +00 or -03:30, and nothing for a timestamp without a zone. */
static const char *missing_of_zone(ts_str time)
{
    for (size_t i = time.len; i-- > 10;) {
        if (time.ptr[i] == 'Z' || time.ptr[i] == 'z')
            return "";
        if (time.ptr[i] == '+' || time.ptr[i] == '-')
            return time.len - i == 3 ? ":00" : "";
    }
    return "Z";
}

static int read_time(ts_str text, int64_t *ret_us)
{
    char iso[64];
    int64_t ms;
    if (is_digits(text)) {
        int r = ts_parse_i64(text, STORE_TIME_MIN_US / TS_US_PER_MS, STORE_TIME_MAX_US / TS_US_PER_MS, &ms);
        *ret_us = r < 0 ? 0 : ms * TS_US_PER_MS;
        return r;
    }
    if (text.len < 19 || text.len > 40)
        return TS_E_INVALID;
    int n = snprintf(iso, sizeof(iso), "%.*s%s", TS_STR_ARG(text), missing_of_zone(text));
    if (iso[10] == ' ')
        iso[10] = 'T';
    return ts_time_parse_rfc3339((ts_str){iso, (size_t)n}, ret_us);
}

static int read_bool(ts_str text, bool *ret)
{
    if (ts_str_eq(text, TS_STR("t")) || ts_str_eq(text, TS_STR("f"))) {
        *ret = text.ptr[0] == 't';
        return 0;
    }
    return ts_parse_bool(text, ret);
}

static int read_price(ts_str text, int64_t *ret_e6)
{
    int r = ts_parse_e6(text, ret_e6);
    return r < 0 ? r : *ret_e6 > 0 ? 0 : TS_E_RANGE;
}

/* '{32.1,33}' in our own spelling; an empty list is none. */
static int read_prices(ts_str text, struct ts_arena *arena, struct ts_db_value *ret)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(4096);
    if (text.len < 2 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}')
        return TS_E_INVALID;
    ts_str rest = {text.ptr + 1, text.len - 2}, piece, copy;
    *ret = ts_db_null();
    if (rest.len == 0)
        return 0;
    while (ts_str_split(&rest, ',', &piece)) {
        int64_t price_e6;
        if (read_price(piece, &price_e6) < 0)
            return TS_E_INVALID;
        ts_buf_char(&buf, buf.len == 0 ? '{' : ',');
        ts_buf_e6(&buf, price_e6);
    }
    ts_buf_char(&buf, '}');
    int r = ts_buf_error(&buf) ? TS_E_TOO_LONG : ts_arena_dup(arena, ts_buf_view(&buf), &copy);
    if (r == 0)
        *ret = ts_db_text(copy);
    return r;
}

static int read_text(ts_str text, size_t max, struct ts_arena *arena, struct ts_db_value *ret)
{
    ts_str copy;
    if (text.len > max || !ts_utf8_valid(text) || ts_str_has_nul(text))
        return TS_E_INVALID;
    int r = ts_arena_dup(arena, text, &copy);
    if (r == 0)
        *ret = ts_db_text(copy);
    return r;
}

static int read_cell(const struct transfer_column *column, ts_str text, struct ts_arena *arena,
                     struct ts_db_value *ret)
{
    int64_t number = 0;
    bool flag = false;
    int r;
    switch (column->type) {
    case TRANSFER_INT:
        r = ts_parse_i64(text, INT64_MIN, INT64_MAX, &number);
        *ret = ts_db_int(number);
        return r;
    case TRANSFER_TIME:
        r = read_time(text, &number);
        *ret = ts_db_time(number);
        return r;
    case TRANSFER_PRICE:
        r = read_price(text, &number);
        *ret = ts_db_price(number);
        return r;
    case TRANSFER_PRICES:
        return read_prices(text, arena, ret);
    case TRANSFER_BOOL:
        r = read_bool(text, &flag);
        *ret = ts_db_bool(flag);
        return r;
    default:
        return read_text(text, column->max, arena, ret);
    }
}

/* --- rules -------------------------------------------------------------------------------------------------------------- */

static bool is_null(const struct ts_db_value *value)
{
    return value->type == TS_DB_NULL;
}

static void set_default(struct ts_db_value *value, struct ts_db_value fallback)
{
    if (is_null(value))
        *value = fallback;
}

static bool is_one_of(const struct ts_db_value *value, const char *const *choices)
{
    for (; *choices; choices++)
        if (ts_str_eq(value->str, ts_str_from(*choices)))
            return true;
    return false;
}

static bool is_within(const struct ts_db_value *value, int64_t min, int64_t max)
{
    return value->i64 >= min && value->i64 <= max;
}

/* BUY, SELL and UNKNOWN in any case; what else stands there is a trade type of old. */
static void convert_type(struct ts_db_value *row)
{
    struct ts_db_value *type = &row[SIGNAL_TYPE];
    const char *name = is_null(&row[SIGNAL_BUY_MIN]) ? "UNKNOWN" : "BUY";
    static const char *const names[] = {"BUY", "SELL", "UNKNOWN"};
    bool known = false;
    for (size_t i = 0; i < TS_ARRAY_LEN(names) && !is_null(type); i++)
        if (ts_str_eq_nocase(type->str, ts_str_from(names[i]))) {
            known = true;
            name = names[i];
        }
    if (!known)
        set_default(&row[SIGNAL_TRADE_TYPE], *type);
    *type = ts_db_text(ts_str_from(name));
}

/* An entry is a range; `price` is its lower end. */
static void convert_entry(struct ts_db_value *row)
{
    set_default(&row[SIGNAL_BUY_MIN], row[SIGNAL_PRICE]);
    set_default(&row[SIGNAL_BUY_MIN], row[SIGNAL_BUY_MAX]);
    set_default(&row[SIGNAL_BUY_MAX], row[SIGNAL_BUY_MIN]);
    row[SIGNAL_PRICE] = row[SIGNAL_BUY_MIN];
}

static bool is_complete(const struct ts_db_value *row)
{
    bool target = !is_null(&row[SIGNAL_TARGET_1]) || !is_null(&row[SIGNAL_TARGET_FINAL]) ||
                  !is_null(&row[SIGNAL_TAKE_PROFIT]);
    return !ts_str_eq(row[SIGNAL_TYPE].str, TS_STR("UNKNOWN")) &&
           (!is_null(&row[SIGNAL_BUY_MIN]) || (target && !is_null(&row[SIGNAL_STOP])));
}

static const char *check_signal(const struct ts_db_value *row)
{
    const struct ts_db_value *asset = &row[SIGNAL_ASSET];
    if (is_null(&row[SIGNAL_TS]))
        return "ts";
    if (is_null(&row[SIGNAL_RAW_MESSAGE]))
        return "raw_message";
    if (!is_null(&row[SIGNAL_CHANNEL_ID]) && row[SIGNAL_CHANNEL_ID].i64 == 0)
        return "channel_id";
    if (!is_null(&row[SIGNAL_MESSAGE_ID]) && row[SIGNAL_MESSAGE_ID].i64 < 1)
        return "message_id";
    if (row[SIGNAL_REVISION].i64 < 0)
        return "revision";
    if (!is_null(&row[SIGNAL_BUY_MIN]) && row[SIGNAL_BUY_MIN].i64 > row[SIGNAL_BUY_MAX].i64)
        return "buy_max";
    if ((is_null(asset) || asset->str.len == 0) && !ts_str_eq(row[SIGNAL_TYPE].str, TS_STR("UNKNOWN")))
        return "asset";
    return NULL;
}

static const char *complete_signal(struct ts_db_value *row, int64_t now_us, struct ts_arena *arena)
{
    (void)arena;
    convert_type(row);
    convert_entry(row);
    set_default(&row[SIGNAL_CHANNEL], ts_db_text(TS_STR(STORE_UNKNOWN_CHANNEL)));
    set_default(&row[SIGNAL_REVISION], ts_db_int(MESSAGE_ORIGINAL));
    set_default(&row[SIGNAL_COMPLETE], ts_db_bool(is_complete(row)));
    set_default(&row[SIGNAL_SOURCE], ts_db_text(TS_STR("import")));
    set_default(&row[SIGNAL_INGESTED_AT], row[SIGNAL_CREATED_AT]);
    set_default(&row[SIGNAL_INGESTED_AT], ts_db_time(now_us));
    set_default(&row[SIGNAL_CREATED_AT], row[SIGNAL_INGESTED_AT]);
    set_default(&row[SIGNAL_UPDATED_AT], row[SIGNAL_CREATED_AT]);
    return check_signal(row);
}

static const char *complete_forwarded(struct ts_db_value *row, int64_t now_us, struct ts_arena *arena)
{
    static const char *const methods[] = {"forward", "copy", NULL};
    static const struct {
        int column;
        const char *name;
    } required[] = {{FORWARDED_TS, "ts"},
                    {FORWARDED_SOURCE, "source_channel_id"},
                    {FORWARDED_MESSAGE, "message_id"},
                    {FORWARDED_DESTINATION, "destination_channel_id"}};
    (void)now_us, (void)arena;
    for (size_t i = 0; i < TS_ARRAY_LEN(required); i++)
        if (is_null(&row[required[i].column]))
            return required[i].name;
    set_default(&row[FORWARDED_AT], row[FORWARDED_TS]);
    set_default(&row[FORWARDED_METHOD], ts_db_text(TS_STR("forward")));
    if (!is_null(&row[FORWARDED_WIDTH]) && !is_within(&row[FORWARDED_WIDTH], 0, INT32_MAX))
        return "image_width";
    if (!is_null(&row[FORWARDED_HEIGHT]) && !is_within(&row[FORWARDED_HEIGHT], 0, INT32_MAX))
        return "image_height";
    return is_one_of(&row[FORWARDED_METHOD], methods) ? NULL : "forward_method";
}

/* The id of a row that has none: the same each time it comes. */
static const char *derive_id(struct ts_db_value *id, const char *kind, ts_str of, struct ts_arena *arena)
{
    uint8_t digest[32];
    char digits[33];
    ts_str text;
    if (!is_null(id))
        return id->str.len > 0 ? NULL : "id";
    ts_sha256(of, digest);
    ts_hex(digest, 16, digits);
    if (ts_arena_printf(arena, &text, "%s-%s", kind, digits) < 0)
        return "memory";
    *id = ts_db_text(text);
    return NULL;
}

static const char *const statuses[] = {"active", "inactive", "deleted", NULL};

enum { C_ID, C_LABEL, C_CHANNEL, C_TYPE, C_DESCRIPTION, C_STATUS, C_COUNT, C_LAST, C_CREATED, C_UPDATED };

static const char *complete_channel(struct ts_db_value *row, int64_t now_us, struct ts_arena *arena)
{
    static const char *const types[] = {"source", "destination", NULL};
    char key[64];
    if (is_null(&row[C_LABEL]) || ts_str_trim(row[C_LABEL].str).len == 0)
        return "label";
    if (is_null(&row[C_CHANNEL]) || row[C_CHANNEL].i64 == 0)
        return "channel_id";
    set_default(&row[C_TYPE], ts_db_text(TS_STR("source")));
    set_default(&row[C_STATUS], ts_db_text(TS_STR("active")));
    set_default(&row[C_COUNT], ts_db_int(0));
    set_default(&row[C_CREATED], ts_db_time(now_us));
    set_default(&row[C_UPDATED], row[C_CREATED]);
    if (!is_one_of(&row[C_TYPE], types))
        return "channel_type";
    if (!is_one_of(&row[C_STATUS], statuses))
        return "status";
    if (!is_within(&row[C_COUNT], 0, INT32_MAX))
        return "signal_count";
    int n =
        snprintf(key, sizeof(key), "%lld %.*s", (long long)row[C_CHANNEL].i64, TS_STR_ARG(row[C_TYPE].str));
    return derive_id(&row[C_ID], "channel", (ts_str){key, (size_t)n}, arena);
}

enum { B_ID, B_NAME, B_TOKEN, B_FINGERPRINT, B_TYPE, B_DESCRIPTION, B_STATUS, B_CREATED, B_UPDATED };

/* The token becomes its fingerprint; what the row had of it is wiped. */
static const char *forget_token(struct ts_db_value *row, struct ts_arena *arena)
{
    char fingerprint[BOT_FINGERPRINT_SIZE];
    ts_str copy;
    if (is_null(&row[B_TOKEN])) {
        ts_str given = is_null(&row[B_FINGERPRINT]) ? TS_STR_NONE : row[B_FINGERPRINT].str;
        for (size_t i = 0; i < given.len; i++)
            if (!strchr("0123456789abcdef", given.ptr[i]))
                return "token_fingerprint";
        return given.len == BOT_FINGERPRINT_SIZE - 1 ? NULL : "token_fingerprint";
    }
    int r = registry_fingerprint(row[B_TOKEN].str, fingerprint);
    explicit_bzero((char *)row[B_TOKEN].str.ptr, row[B_TOKEN].str.len); /* the arena's copy */
    row[B_TOKEN] = ts_db_null();
    if (r < 0)
        return "token";
    if (ts_arena_dup(arena, ts_str_from(fingerprint), &copy) < 0)
        return "memory";
    row[B_FINGERPRINT] = ts_db_text(copy);
    return NULL;
}

static const char *complete_bot(struct ts_db_value *row, int64_t now_us, struct ts_arena *arena)
{
    const char *bad = forget_token(row, arena);
    if (bad)
        return bad;
    ts_str name = is_null(&row[B_NAME]) ? TS_STR_NONE : row[B_NAME].str;
    if (name.len > 0 && name.ptr[0] == '@')
        name = (ts_str){name.ptr + 1, name.len - 1};
    if (ts_str_trim(name).len == 0)
        return "username";
    row[B_NAME] = ts_db_text(name);
    set_default(&row[B_TYPE], ts_db_text(TS_STR("Sender")));
    set_default(&row[B_STATUS], ts_db_text(TS_STR("active")));
    set_default(&row[B_CREATED], ts_db_time(now_us));
    set_default(&row[B_UPDATED], row[B_CREATED]);
    if (!is_one_of(&row[B_STATUS], statuses))
        return "status";
    return derive_id(&row[B_ID], "bot", name, arena);
}

/* --- layouts ------------------------------------------------------------------------------------------------------------ */

static const struct transfer_column signal_columns[] = {
    {.name = "id", .type = TRANSFER_INT, .use = TRANSFER_EXPORT_ONLY},
    {.name = "ts", .type = TRANSFER_TIME},
    {.name = "channel", .type = TRANSFER_TEXT, .max = MESSAGE_CHANNEL_MAX},
    {.name = "channel_id", .type = TRANSFER_INT},
    {.name = "message_id", .type = TRANSFER_INT},
    {.name = "revision", .type = TRANSFER_INT},
    {.name = "asset", .type = TRANSFER_TEXT, .max = 64},
    {.name = "signal_type", .type = TRANSFER_TEXT, .max = 64},
    {.name = "trade_type", .type = TRANSFER_TEXT, .max = 64},
    {.name = "price", .type = TRANSFER_PRICE},
    {.name = "buy_min", .type = TRANSFER_PRICE},
    {.name = "buy_max", .type = TRANSFER_PRICE},
    {.name = "target_1", .type = TRANSFER_PRICE},
    {.name = "target_2", .type = TRANSFER_PRICE},
    {.name = "target_final", .type = TRANSFER_PRICE},
    {.name = "take_profit", .type = TRANSFER_PRICES},
    {.name = "stop", .alias = "stop_loss", .type = TRANSFER_PRICE},
    {.name = "complete", .type = TRANSFER_BOOL},
    {.name = "raw_message", .type = TRANSFER_TEXT, .max = MESSAGE_TEXT_MAX},
    {.name = "source", .type = TRANSFER_TEXT, .max = 64},
    {.name = "deleted_at", .type = TRANSFER_TIME},
    {.name = "ingested_at", .type = TRANSFER_TIME},
    {.name = "created_at", .type = TRANSFER_TIME},
    {.name = "updated_at", .type = TRANSFER_TIME},
};

static const struct transfer_column forwarded_columns[] = {
    {.name = "id", .type = TRANSFER_INT, .use = TRANSFER_EXPORT_ONLY},
    {.name = "ts", .type = TRANSFER_TIME},
    {.name = "source_channel_id", .type = TRANSFER_INT},
    {.name = "source_channel_name", .type = TRANSFER_TEXT, .max = MESSAGE_CHANNEL_MAX},
    {.name = "message_id", .type = TRANSFER_INT},
    {.name = "message_text", .type = TRANSFER_TEXT, .max = MESSAGE_TEXT_MAX},
    {.name = "image_url", .type = TRANSFER_TEXT, .max = 2048},
    {.name = "image_width", .type = TRANSFER_INT},
    {.name = "image_height", .type = TRANSFER_INT},
    {.name = "forwarded_at", .type = TRANSFER_TIME},
    {.name = "destination_channel_id", .type = TRANSFER_INT},
    {.name = "forward_method", .type = TRANSFER_TEXT, .max = 16},
};

/* Bytes; the database counts characters, and has the last word. */
static const struct transfer_column channel_columns[] = {
    {.name = "id", .type = TRANSFER_TEXT, .max = REGISTRY_ID_MAX},
    {.name = "label", .type = TRANSFER_TEXT, .max = 4 * REGISTRY_LABEL_MAX},
    {.name = "channel_id", .type = TRANSFER_INT},
    {.name = "channel_type", .type = TRANSFER_TEXT, .max = 16},
    {.name = "description", .type = TRANSFER_TEXT, .max = 4 * REGISTRY_DESCRIPTION_MAX},
    {.name = "status", .type = TRANSFER_TEXT, .max = 16},
    {.name = "signal_count", .type = TRANSFER_INT},
    {.name = "last_signal", .type = TRANSFER_TIME},
    {.name = "created_at", .type = TRANSFER_TIME},
    {.name = "updated_at", .type = TRANSFER_TIME},
};

static const struct transfer_column bot_columns[] = {
    {.name = "id", .type = TRANSFER_TEXT, .max = REGISTRY_ID_MAX},
    {.name = "username", .type = TRANSFER_TEXT, .max = 4 * REGISTRY_USERNAME_MAX},
    {.name = "token", .type = TRANSFER_TEXT, .max = 256, .use = TRANSFER_IMPORT_ONLY},
    {.name = "token_fingerprint", .type = TRANSFER_TEXT, .max = BOT_FINGERPRINT_SIZE},
    {.name = "bot_type", .type = TRANSFER_TEXT, .max = 4 * REGISTRY_BOT_TYPE_MAX},
    {.name = "description", .type = TRANSFER_TEXT, .max = 4 * REGISTRY_DESCRIPTION_MAX},
    {.name = "status", .type = TRANSFER_TEXT, .max = 16},
    {.name = "created_at", .type = TRANSFER_TIME},
    {.name = "updated_at", .type = TRANSFER_TIME},
};

static const struct transfer_layout layouts[] = {
    {"signals", TRANSFER_SIGNALS, signal_columns, TS_ARRAY_LEN(signal_columns), complete_signal},
    {"forwarded_messages", TRANSFER_FORWARDED, forwarded_columns, TS_ARRAY_LEN(forwarded_columns),
     complete_forwarded},
    {"channels", TRANSFER_CHANNELS, channel_columns, TS_ARRAY_LEN(channel_columns), complete_channel},
    {"bots", TRANSFER_BOTS, bot_columns, TS_ARRAY_LEN(bot_columns), complete_bot},
};

const struct transfer_layout *transfer_find_layout(const char *name)
{
    for (size_t i = 0; i < TS_ARRAY_LEN(layouts); i++)
        if (strcmp(layouts[i].name, name) == 0)
            return &layouts[i];
    return NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

const char *transfer_read_row(const struct transfer_layout *layout, const struct transfer_record *record,
                              int64_t now_us, struct ts_arena *arena, struct ts_db_value *row)
{
    if (record->column)
        return record->column;
    for (size_t i = 0; i < layout->n; i++) {
        const struct transfer_column *column = &layout->columns[i];
        row[i] = ts_db_null();
        if (column->use == TRANSFER_EXPORT_ONLY || ts_str_is_none(record->cells[i]))
            continue;
        if (read_cell(column, record->cells[i], arena, &row[i]) < 0)
            return column->name;
    }
    return layout->complete(row, now_us, arena);
}

size_t transfer_params(const struct transfer_layout *layout, const struct ts_db_value *row,
                       struct ts_db_value *out)
{
    size_t n = 0;
    for (size_t i = 0; i < layout->n; i++)
        if (layout->columns[i].use == TRANSFER_BOTH)
            out[n++] = row[i];
    return n;
}

void transfer_put_time(struct ts_buf *buf, int64_t time_us)
{
    char text[TS_TIME_TEXT_SIZE];
    ts_str ms = ts_time_format(time_us, text);
    int64_t rest = ((time_us % TS_US_PER_MS) + TS_US_PER_MS) % TS_US_PER_MS;
    ts_buf_bytes(buf, ms.ptr, ms.len - 1);
    if (rest != 0)
        ts_buf_printf(buf, "%03d", (int)rest);
    ts_buf_char(buf, 'Z');
}
