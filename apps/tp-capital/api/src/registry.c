#include "registry.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/number.h"
#include "base/secret.h"

/* --- values ------------------------------------------------------------------------------------------------------------- */

/* Of valid UTF-8: bytes that continue a character begin none. */
static size_t count_characters(ts_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return n;
}

static int read_text(const json_t *value, size_t max_characters, ts_str *ret)
{
    ts_str text = ts_json_str(value);
    if (ts_str_is_none(text) || count_characters(text) > max_characters)
        return TS_E_INVALID;
    *ret = text;
    return 0;
}

/* At least one character that is no space. */
static int read_name(const json_t *value, size_t max_characters, ts_str *ret)
{
    ts_str text;
    int r = read_text(value, max_characters, &text);
    if (r < 0 || ts_str_trim(text).len == 0)
        return TS_E_INVALID;
    *ret = text;
    return 0;
}

static int read_choice(const json_t *value, const char *const choices[2], ts_str *ret)
{
    ts_str text = ts_json_str(value);
    for (int i = 0; i < 2; i++)
        if (ts_str_eq(text, ts_str_from(choices[i]))) {
            *ret = ts_str_from(choices[i]);
            return 0;
        }
    return TS_E_INVALID;
}

static int read_status(const json_t *value, ts_str *ret)
{
    static const char *const choices[2] = {"active", "inactive"}; /* `deleted` is what DELETE makes */
    return read_choice(value, choices, ret);
}

/* Null empties it. */
static int read_description(const json_t *value, ts_str *ret)
{
    *ret = TS_STR_NONE;
    return json_is_null(value) ? 0 : read_text(value, REGISTRY_DESCRIPTION_MAX, ret);
}

/* --- members ------------------------------------------------------------------------------------------------------------ */

struct member {
    const char *name;
    unsigned bit;
    bool on_create, nullable;
    int (*read)(const json_t *value, void *fields);
};

/* Each member that is there is read. The name of the first that breaks its rule, or NULL. */
static const char *read_members(const json_t *body, bool create, const struct member *members, size_t n,
                                void *fields, unsigned *ret_given)
{
    for (size_t i = 0; i < n; i++) {
        const struct member *m = &members[i];
        const json_t *value = json_object_get(body, m->name);
        if (!value || (create && (!m->on_create || json_is_null(value))))
            continue;
        if ((json_is_null(value) && !m->nullable) || m->read(value, fields) < 0)
            return m->name;
        *ret_given |= m->bit;
    }
    return NULL;
}

static bool is_there(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    return value && !json_is_null(value);
}

static struct validate_result verdict(const char *bad_field, bool create, unsigned given)
{
    if (bad_field)
        return (struct validate_result){VALIDATE_INVALID, bad_field};
    return (struct validate_result){create || given ? VALIDATE_OK : VALIDATE_MISSING, NULL};
}

/* --- channels ----------------------------------------------------------------------------------------------------------- */

static int read_label(const json_t *value, void *fields)
{
    return read_name(value, REGISTRY_LABEL_MAX, &((struct channel_fields *)fields)->label);
}

static int read_channel_id(const json_t *value, void *fields)
{
    return validate_channel_id(value, 19, &((struct channel_fields *)fields)->channel_id);
}

static int read_channel_type(const json_t *value, void *fields)
{
    static const char *const choices[2] = {"source", "destination"};
    return read_choice(value, choices, &((struct channel_fields *)fields)->channel_type);
}

static int read_channel_description(const json_t *value, void *fields)
{
    return read_description(value, &((struct channel_fields *)fields)->description);
}

static int read_channel_status(const json_t *value, void *fields)
{
    return read_status(value, &((struct channel_fields *)fields)->status);
}

static int read_signal_count(const json_t *value, void *fields)
{
    if (!json_is_integer(value))
        return TS_E_INVALID;
    return ts_json_i64(value, 0, INT32_MAX, &((struct channel_fields *)fields)->signal_count);
}

static int read_last_signal(const json_t *value, void *fields)
{
    int64_t *time_us = &((struct channel_fields *)fields)->last_signal_us;
    *time_us = MESSAGE_NO_TIME;
    if (json_is_null(value))
        return 0;
    return json_is_string(value) ? ts_time_parse_rfc3339(ts_json_str(value), time_us) : TS_E_INVALID;
}

static const struct member channel_members[] = {
    {"label", CHANNEL_LABEL, true, false, read_label},
    {"channel_id", CHANNEL_ID, true, false, read_channel_id},
    {"channel_type", CHANNEL_TYPE, true, false, read_channel_type},
    {"description", CHANNEL_DESCRIPTION, true, true, read_channel_description},
    {"status", CHANNEL_STATUS, false, false, read_channel_status},
    {"signal_count", CHANNEL_SIGNAL_COUNT, false, false, read_signal_count},
    {"last_signal", CHANNEL_LAST_SIGNAL, false, true, read_last_signal},
};

struct validate_result registry_read_channel(const json_t *body, bool create, struct channel_fields *ret)
{
    struct channel_fields fields = {.last_signal_us = MESSAGE_NO_TIME};
    if (create && (!is_there(body, "label") || !is_there(body, "channel_id")))
        return (struct validate_result){VALIDATE_MISSING, NULL};
    if (create) {
        fields.channel_type = TS_STR("source");
        fields.status = TS_STR("active");
    }
    const char *bad =
        read_members(body, create, channel_members, TS_ARRAY_LEN(channel_members), &fields, &fields.given);
    struct validate_result result = verdict(bad, create, fields.given);
    if (result.problem == VALIDATE_OK)
        *ret = fields;
    return result;
}

int registry_keep_channel(struct channel_fields *fields, struct ts_arena *arena)
{
    int r = ts_arena_dup(arena, fields->label, &fields->label);
    return r < 0 ? r : ts_arena_dup(arena, fields->description, &fields->description);
}

/* --- bots --------------------------------------------------------------------------------------------------------------- */

static int read_username(const json_t *value, void *fields)
{
    ts_str name;
    int r = read_name(value, REGISTRY_USERNAME_MAX, &name);
    if (r < 0)
        return r;
    if (name.ptr[0] == '@')
        name = (ts_str){name.ptr + 1, name.len - 1};
    ((struct bot_fields *)fields)->username = name;
    return ts_str_trim(name).len == 0 ? TS_E_INVALID : 0;
}

static bool is_token_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

int registry_fingerprint(ts_str token, char out[BOT_FINGERPRINT_SIZE])
{
    uint8_t digest[32];
    size_t digits = 0;
    while (digits < token.len && token.ptr[digits] >= '0' && token.ptr[digits] <= '9')
        digits++;
    if (digits < 5 || digits > 20 || digits == token.len || token.ptr[digits] != ':')
        return TS_E_INVALID;
    size_t rest = token.len - digits - 1;
    for (size_t i = digits + 1; i < token.len; i++)
        if (!is_token_character(token.ptr[i]))
            return TS_E_INVALID;
    if (rest < 30 || rest > 64)
        return TS_E_INVALID;
    ts_sha256(token, digest);
    ts_hex(digest, (BOT_FINGERPRINT_SIZE - 1) / 2, out);
    return 0;
}

static int read_token(const json_t *value, void *fields)
{
    return registry_fingerprint(ts_json_str(value), ((struct bot_fields *)fields)->token_fingerprint);
}

static int read_bot_type(const json_t *value, void *fields)
{
    return read_name(value, REGISTRY_BOT_TYPE_MAX, &((struct bot_fields *)fields)->bot_type);
}

static int read_bot_description(const json_t *value, void *fields)
{
    return read_description(value, &((struct bot_fields *)fields)->description);
}

static int read_bot_status(const json_t *value, void *fields)
{
    return read_status(value, &((struct bot_fields *)fields)->status);
}

static const struct member bot_members[] = {
    {"username", BOT_USERNAME, true, false, read_username},
    {"token", BOT_TOKEN, true, false, read_token},
    {"bot_type", BOT_TYPE, true, false, read_bot_type},
    {"description", BOT_DESCRIPTION, true, true, read_bot_description},
    {"status", BOT_STATUS, true, false, read_bot_status},
};

struct validate_result registry_read_bot(const json_t *body, bool create, struct bot_fields *ret)
{
    struct bot_fields fields = {0};
    if (create && (!is_there(body, "username") || !is_there(body, "token")))
        return (struct validate_result){VALIDATE_MISSING, NULL};
    if (create) {
        fields.bot_type = TS_STR("Sender");
        fields.status = TS_STR("active");
    }
    const char *bad =
        read_members(body, create, bot_members, TS_ARRAY_LEN(bot_members), &fields, &fields.given);
    struct validate_result result = verdict(bad, create, fields.given);
    if (result.problem == VALIDATE_OK)
        *ret = fields;
    return result;
}

int registry_keep_bot(struct bot_fields *fields, struct ts_arena *arena)
{
    int r = ts_arena_dup(arena, fields->username, &fields->username);
    if (r == 0)
        r = ts_arena_dup(arena, fields->bot_type, &fields->bot_type);
    return r < 0 ? r : ts_arena_dup(arena, fields->description, &fields->description);
}

/* --- ids ---------------------------------------------------------------------------------------------------------------- */

ts_str registry_new_id(const char *kind, char out[REGISTRY_NEW_ID_SIZE])
{
    uint8_t random[16];
    char digits[2 * sizeof(random) + 1];
    ts_random_bytes(random, sizeof(random));
    ts_hex(random, sizeof(random), digits);
    int n = snprintf(out, REGISTRY_NEW_ID_SIZE, "%s-%s", kind, digits);
    return (ts_str){out, (size_t)n};
}
