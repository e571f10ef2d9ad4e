#include "validate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/number.h"
#include "store.h"

/* 2013-01-01, the year Telegram began: nothing can be older. */
#define OLDEST_US     (INT64_C(1356998400) * TS_US_PER_S)
#define CLOCK_SKEW_US (300 * TS_US_PER_S)

/* Null means absent. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

/* A string of at most max bytes; absent is none. */
static int read_optional(const json_t *body, const char *name, size_t max, ts_str *ret)
{
    const json_t *value = member(body, name);
    if (!value) {
        *ret = TS_STR_NONE;
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) > max)
        return TS_E_INVALID;
    *ret = ts_json_str(value);
    return 0;
}

static int read_i64(const json_t *value, int64_t min, int64_t max, size_t max_digits, int64_t *ret)
{
    ts_str text = ts_json_str(value);
    if (text.ptr && text.len > max_digits + (text.ptr[0] == '-'))
        return TS_E_INVALID;
    return ts_json_i64(value, min, max, ret);
}

int validate_channel_id(const json_t *value, size_t max_digits, int64_t *ret)
{
    int64_t id;
    int r = read_i64(value, INT64_MIN, INT64_MAX, max_digits, &id);
    if (r < 0)
        return r;
    if (id == 0)
        return TS_E_RANGE;
    *ret = id;
    return 0;
}

static int read_channel_id(const json_t *value, int64_t *ret)
{
    return validate_channel_id(value, 20, ret);
}

static int read_message_id(const json_t *value, int64_t *ret)
{
    return read_i64(value, 1, INT64_MAX, 19, ret);
}

static int read_time(const json_t *value, int64_t *ret)
{
    return json_is_string(value) ? ts_time_parse_rfc3339(ts_json_str(value), ret) : TS_E_INVALID;
}

static int read_recent_time(const json_t *value, int64_t now_us, int64_t *ret)
{
    int64_t time_us;
    int r = read_time(value, &time_us);
    if (r < 0)
        return r;
    if (time_us < OLDEST_US || time_us > now_us + CLOCK_SKEW_US)
        return TS_E_RANGE;
    *ret = time_us;
    return 0;
}

static bool is_size(const json_t *value)
{
    return !value || (json_is_integer(value) && json_integer_value(value) >= 0);
}

static bool is_file_id(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) <= MESSAGE_FILE_ID_MAX;
}

static bool is_photo(const json_t *photo)
{
    if (!json_is_object(photo))
        return is_file_id(photo);
    const json_t *file_id = member(photo, "fileId");
    return (!file_id || is_file_id(file_id)) && is_size(member(photo, "width")) &&
           is_size(member(photo, "height")) && is_size(member(photo, "fileSize"));
}

static int check_photos(const json_t *photos)
{
    if (!photos)
        return 0;
    if (!json_is_array(photos) || json_array_size(photos) > MESSAGE_PHOTOS_MAX)
        return TS_E_INVALID;
    for (size_t i = 0; i < json_array_size(photos); i++)
        if (!is_photo(json_array_get(photos, i)))
            return TS_E_INVALID;
    return 0;
}

/* They are kept as they came, as JSON. 0 or -ENOMEM. */
static int copy_photos(const json_t *photos, struct ts_arena *arena, ts_str *ret)
{
    *ret = TS_STR_NONE;
    if (json_array_size(photos) == 0)
        return 0;
    char *dump = json_dumps(photos, JSON_COMPACT);
    if (!dump)
        return -ENOMEM;
    int r = ts_arena_dup(arena, ts_str_from(dump), ret);
    free(dump);
    return r;
}

static int read_source(const json_t *body, ts_str *ret)
{
    static const char *const known[] = {"telegram", "bot",       "user_client", "sync",
                                        "recovery", "forwarder", "replay"};
    ts_str source;
    int r = read_optional(body, "source", 20, &source);
    if (r < 0)
        return r;
    if (ts_str_is_none(source)) {
        *ret = TS_STR("telegram");
        return 0;
    }
    for (size_t i = 0; i < TS_ARRAY_LEN(known); i++)
        if (ts_str_eq(source, ts_str_from(known[i]))) {
            *ret = source;
            return 0;
        }
    return TS_E_INVALID;
}

static int read_forward(const json_t *body, struct message_forward *ret)
{
    const json_t *value = member(body, "forwarded");
    struct message_forward forward = {.present = value != NULL};
    if (value) {
        forward.method = ts_json_get_str(value, "method");
        if (read_channel_id(json_object_get(value, "originalChannelId"), &forward.source_channel_id) < 0 ||
            read_message_id(json_object_get(value, "originalMessageId"), &forward.source_message_id) < 0 ||
            read_channel_id(json_object_get(value, "destinationChannelId"), &forward.destination_channel_id) <
                0)
            return TS_E_INVALID;
        if (!ts_str_eq(forward.method, TS_STR("forward")) && !ts_str_eq(forward.method, TS_STR("copy")))
            return TS_E_INVALID;
    }
    *ret = forward;
    return 0;
}

static int read_received_at(const json_t *body, int64_t *ret)
{
    const json_t *value = member(body, "receivedAt");
    if (value)
        return read_time(value, ret);
    *ret = MESSAGE_NO_TIME;
    return 0;
}

/* When this version was written: as `timestamp`, and not before it. */
static int read_edited_at(const json_t *body, int64_t now_us, struct message *message)
{
    const json_t *value = member(body, "editedAt");
    message->edited_at_us = MESSAGE_NO_TIME;
    if (!value)
        return 0;
    int r = read_recent_time(value, now_us, &message->edited_at_us);
    if (r < 0)
        return r;
    message->revision = message->edited_at_us / TS_US_PER_MS;
    return message->edited_at_us < message->ts_us ? TS_E_RANGE : 0;
}

static const char *missing_field(const json_t *body)
{
    static const char *const required[] = {"channelId", "messageId", "text", "timestamp"};
    bool without_text = json_is_true(member(body, "deleted"));
    for (size_t i = 0; i < TS_ARRAY_LEN(required); i++) {
        bool optional = without_text && strcmp(required[i], "text") == 0;
        if (!optional && !member(body, required[i]))
            return required[i];
    }
    return NULL;
}

/* The name of the first field that breaks its rule, in the order of the table; NULL when none does. */
static const char *read_fields(const json_t *body, int64_t now_us, struct message *m)
{
    ts_str caption;
    if (read_channel_id(member(body, "channelId"), &m->channel_id) < 0)
        return "channelId";
    if (read_message_id(member(body, "messageId"), &m->message_id) < 0)
        return "messageId";
    if (read_optional(body, "text", MESSAGE_TEXT_MAX, &m->text) < 0)
        return "text";
    if (read_recent_time(member(body, "timestamp"), now_us, &m->ts_us) < 0)
        return "timestamp";
    if (check_photos(member(body, "photos")) < 0)
        return "photos";
    if (read_optional(body, "channelName", MESSAGE_CHANNEL_MAX, &m->channel) < 0)
        return "channelName";
    if (read_source(body, &m->source) < 0)
        return "source";
    if (read_optional(body, "caption", MESSAGE_TEXT_MAX, &caption) < 0)
        return "caption";
    if (read_optional(body, "mediaType", MESSAGE_MEDIA_TYPE_MAX, &m->media_type) < 0)
        return "mediaType";
    if (read_received_at(body, &m->received_at_us) < 0)
        return "receivedAt";
    if (read_forward(body, &m->forward) < 0)
        return "forwarded";
    if (read_edited_at(body, now_us, m) < 0)
        return "editedAt";
    if (member(body, "deleted") && !json_is_boolean(member(body, "deleted")))
        return "deleted";
    if (m->text.len == 0 && caption.len > 0)
        m->text = caption;
    return NULL;
}

struct validate_result validate_message(const json_t *body, int64_t now_us, struct ts_arena *arena,
                                        struct message *ret)
{
    const char *field = missing_field(body);
    if (field)
        return (struct validate_result){VALIDATE_MISSING, field};

    struct message message = {.revision = MESSAGE_ORIGINAL};
    field = read_fields(body, now_us, &message);
    if (field)
        return (struct validate_result){VALIDATE_INVALID, field};

    if (json_is_true(member(body, "deleted"))) {
        message.revision = MESSAGE_DELETED;
        message.text = TS_STR_NONE;
    }
    if (message.channel.len == 0)
        message.channel = TS_STR_NONE;
    if (copy_photos(member(body, "photos"), arena, &message.photos) < 0)
        return (struct validate_result){VALIDATE_NO_MEMORY, NULL};
    *ret = message;
    return (struct validate_result){VALIDATE_OK, NULL};
}

struct validate_result validate_text(const json_t *body, ts_str *ret)
{
    ts_str text;
    if (!member(body, "text"))
        return (struct validate_result){VALIDATE_MISSING, "text"};
    if (read_optional(body, "text", MESSAGE_TEXT_MAX, &text) < 0)
        return (struct validate_result){VALIDATE_INVALID, "text"};
    *ret = text;
    return (struct validate_result){VALIDATE_OK, NULL};
}

struct validate_result validate_deletion(const json_t *body, struct store_selection *ret)
{
    const json_t *id = member(body, "id"), *time = member(body, "ingestedAt");
    struct store_selection which = {.by_id = id != NULL};

    if (!id && !time)
        return (struct validate_result){VALIDATE_MISSING, "ingestedAt"};
    if (id && ts_json_i64(id, 0, INT64_MAX, &which.id) < 0)
        return (struct validate_result){VALIDATE_INVALID, "id"};
    if (!id && read_time(time, &which.from_us) < 0)
        return (struct validate_result){VALIDATE_INVALID, "ingestedAt"};
    int64_t within_us = which.from_us % TS_US_PER_MS == 0 ? TS_US_PER_MS : 1;
    which.to_us = which.from_us + within_us - 1;
    *ret = which;
    return (struct validate_result){VALIDATE_OK, NULL};
}
