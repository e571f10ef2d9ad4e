#include "message.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/secret.h"
#include "http/json.h"

struct message_key message_key(const struct message *message)
{
    return (struct message_key){
        .channel_id = message->channel_id,
        .message_id = message->message_id,
        .revision = message->deleted ? MESSAGE_DELETED : message->edited_at_us / TS_US_PER_MS,
    };
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

struct reading {
    const json_t *object;
    struct ts_arena *arena;
    const char *field; /* the one that is being read */
};

/* NULL when the field is absent or null, which are the same (tp-capital 3.1). */
static const json_t *read_value(struct reading *r, const char *field)
{
    const json_t *value = json_object_get(r->object, field);
    r->field = field;
    return value && !json_is_null(value) ? value : NULL;
}

static int read_id(struct reading *r, const char *field, int64_t min, int64_t max, int64_t *ret)
{
    const json_t *value = read_value(r, field);
    if (!value)
        return TS_E_MISSING;
    return ts_json_i64(value, min, max, ret);
}

static int read_channel_id(struct reading *r, const char *field, int64_t *ret)
{
    int e = read_id(r, field, INT64_MIN, INT64_MAX, ret);
    return e == 0 && *ret == 0 ? TS_E_RANGE : e;
}

/* Absent leaves *ret as it is. */
static int read_text(struct reading *r, const char *field, size_t max_bytes, bool cut, ts_str *ret)
{
    const json_t *value = read_value(r, field);
    ts_str text;
    if (!value)
        return 0;
    if (!json_is_string(value))
        return TS_E_INVALID;
    text = ts_json_str(value);
    if (text.len > max_bytes && !cut)
        return TS_E_RANGE;
    return ts_arena_dup(r->arena, ts_utf8_truncate(text, max_bytes), ret);
}

/* Absent leaves *ret as it is. */
static int read_time(struct reading *r, const char *field, int64_t *ret_us)
{
    const json_t *value = read_value(r, field);
    if (!value)
        return 0;
    return json_is_string(value) ? ts_time_parse_rfc3339(ts_json_str(value), ret_us) : TS_E_INVALID;
}

static int read_size(const json_t *object, const char *name, int64_t *ret)
{
    const json_t *value = json_object_get(object, name);
    *ret = -1;
    if (!value || json_is_null(value))
        return 0;
    return ts_json_i64(value, 0, INT64_MAX, ret);
}

static int read_photo(struct ts_arena *arena, const json_t *value, struct message_photo *ret)
{
    ts_str file_id = json_is_object(value) ? ts_json_get_str(value, "fileId") : ts_json_str(value);
    int e;
    *ret = (struct message_photo){.width = -1, .height = -1, .file_size = -1};
    if (ts_str_is_none(file_id) || file_id.len > MESSAGE_MAX_PHOTO_BYTES)
        return TS_E_INVALID;
    if (json_is_object(value) && ((e = read_size(value, "width", &ret->width)) != 0 ||
                                  (e = read_size(value, "height", &ret->height)) != 0 ||
                                  (e = read_size(value, "fileSize", &ret->file_size)) != 0))
        return e;
    return ts_arena_dup(arena, file_id, &ret->file_id);
}

static int read_photos(struct reading *r, struct message *message)
{
    const json_t *value = read_value(r, "photos");
    size_t n = json_array_size(value);
    struct message_photo *photos;
    if (!value)
        return 0;
    if (!json_is_array(value) || n > MESSAGE_MAX_PHOTOS)
        return TS_E_INVALID;
    if (n == 0)
        return 0;
    if (!(photos = TS_ARENA_ARRAY(r->arena, n, struct message_photo)))
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int e = read_photo(r->arena, json_array_get(value, i), &photos[i]);
        if (e != 0)
            return e;
    }
    message->photos = photos;
    message->n_photos = n;
    return 0;
}

static int read_forward(struct reading *r, struct message *message)
{
    const json_t *value = read_value(r, "forwarded");
    struct reading inner = {.object = value, .arena = r->arena};
    struct message_forward *forward;
    ts_str method;
    int e;
    if (!value)
        return 0;
    if (!json_is_object(value))
        return TS_E_INVALID;
    if (!(forward = TS_ARENA_NEW(r->arena, struct message_forward)))
        return -ENOMEM;
    method = ts_json_get_str(value, "method");
    if ((e = read_channel_id(&inner, "originalChannelId", &forward->original_channel_id)) != 0 ||
        (e = read_id(&inner, "originalMessageId", 1, INT64_MAX, &forward->original_message_id)) != 0 ||
        (e = read_channel_id(&inner, "destinationChannelId", &forward->destination_channel_id)) != 0)
        return e == -ENOMEM ? e : TS_E_INVALID;
    forward->copied = ts_str_eq(method, TS_STR("copy"));
    if (!forward->copied && !ts_str_eq(method, TS_STR("forward")))
        return TS_E_INVALID;
    message->forward = forward;
    return 0;
}

static int read_deleted(struct reading *r, struct message *message)
{
    const json_t *value = read_value(r, "deleted");
    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return TS_E_INVALID;
    message->deleted = json_is_true(value);
    return 0;
}

static int read_required(struct reading *r, struct message *m)
{
    int e;
    m->text = TS_STR_NONE;
    if ((e = read_channel_id(r, "channelId", &m->channel_id)) != 0 ||
        (e = read_id(r, "messageId", 1, INT64_MAX, &m->message_id)) != 0 || (e = read_deleted(r, m)) != 0 ||
        (e = read_text(r, "text", MESSAGE_MAX_TEXT_BYTES, false, &m->text)) != 0)
        return e;
    if (ts_str_is_none(m->text)) {
        if (!m->deleted)
            return TS_E_MISSING;
        m->text = TS_STR("");
    }
    if (!read_value(r, "timestamp"))
        return TS_E_MISSING;
    return read_time(r, "timestamp", &m->timestamp_us);
}

static int read_optional(struct reading *r, struct message *m)
{
    int e;
    if ((e = read_photos(r, m)) != 0 ||
        (e = read_text(r, "channelName", MESSAGE_MAX_CHANNEL_NAME_BYTES, true, &m->channel_name)) != 0 ||
        (e = read_text(r, "source", MESSAGE_MAX_MEDIA_TYPE_BYTES, false, &m->source)) != 0 ||
        (e = read_text(r, "caption", MESSAGE_MAX_TEXT_BYTES, true, &m->caption)) != 0 ||
        (e = read_text(r, "mediaType", MESSAGE_MAX_MEDIA_TYPE_BYTES, false, &m->media_type)) != 0 ||
        (e = read_time(r, "receivedAt", &m->received_at_us)) != 0 || (e = read_forward(r, m)) != 0 ||
        (e = read_time(r, "editedAt", &m->edited_at_us)) != 0)
        return e;
    return read_text(r, "mediaGroupId", MESSAGE_MAX_ALBUM_BYTES, false, &m->album);
}

int message_from_json(const json_t *object, struct ts_arena *arena, struct message *ret,
                      const char **ret_field)
{
    struct reading r = {.object = object, .arena = arena};
    struct message message = {0};
    int e = read_required(&r, &message);
    if (e == 0)
        e = read_optional(&r, &message);
    if (e == 0 && message.edited_at_us != 0 && message.edited_at_us < message.timestamp_us) {
        r.field = "editedAt";
        e = TS_E_INVALID;
    }
    if (e != 0) {
        *ret_field = r.field;
        return e;
    }
    *ret = message;
    return 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------------- */

static void write_id_text(struct ts_jsonw *w, const char *key, int64_t id)
{
    _cleanup_(ts_buf_done) struct ts_buf digits = TS_BUF_INIT(32);
    ts_buf_i64(&digits, id);
    ts_jsonw_key_str(w, key, ts_buf_view(&digits));
}

static void write_text(struct ts_jsonw *w, const char *key, ts_str text)
{
    if (!ts_str_is_none(text))
        ts_jsonw_key_str(w, key, text);
}

static void write_size(struct ts_jsonw *w, const char *key, int64_t size)
{
    if (size >= 0)
        ts_jsonw_key_i64(w, key, size);
}

static void write_photos(struct ts_jsonw *w, const struct message *message)
{
    if (message->n_photos == 0)
        return;
    ts_jsonw_key(w, "photos");
    ts_jsonw_array(w);
    for (size_t i = 0; i < message->n_photos; i++) {
        const struct message_photo *photo = &message->photos[i];
        ts_jsonw_object(w);
        ts_jsonw_key_str(w, "fileId", photo->file_id);
        write_size(w, "width", photo->width);
        write_size(w, "height", photo->height);
        write_size(w, "fileSize", photo->file_size);
        ts_jsonw_end(w);
    }
    ts_jsonw_end(w);
}

static void write_forward(struct ts_jsonw *w, const struct message_forward *forward)
{
    if (!forward)
        return;
    ts_jsonw_key(w, "forwarded");
    ts_jsonw_object(w);
    write_id_text(w, "originalChannelId", forward->original_channel_id);
    write_id_text(w, "originalMessageId", forward->original_message_id);
    write_id_text(w, "destinationChannelId", forward->destination_channel_id);
    ts_jsonw_key_str(w, "method", forward->copied ? TS_STR("copy") : TS_STR("forward"));
    ts_jsonw_end(w);
}

/* Ids are written as text: a message id may lie beyond 2^53, and whoever reads an exported queue may be JavaScript. */
void message_write_json(struct ts_buf *buf, const struct message *message)
{
    struct ts_jsonw w = ts_jsonw_begin(buf);
    ts_jsonw_object(&w);
    write_id_text(&w, "channelId", message->channel_id);
    write_id_text(&w, "messageId", message->message_id);
    ts_jsonw_key_str(&w, "text", message->text);
    ts_jsonw_key_time(&w, "timestamp", message->timestamp_us);
    write_photos(&w, message);
    write_text(&w, "channelName", message->channel_name);
    write_text(&w, "source", message->source);
    write_text(&w, "caption", message->caption);
    write_text(&w, "mediaType", message->media_type);
    if (message->received_at_us != 0)
        ts_jsonw_key_time(&w, "receivedAt", message->received_at_us);
    write_forward(&w, message->forward);
    if (message->edited_at_us != 0)
        ts_jsonw_key_time(&w, "editedAt", message->edited_at_us);
    if (message->deleted)
        ts_jsonw_key_bool(&w, "deleted", true);
    ts_jsonw_end(&w);
}

/* --- copies, digests, albums ----------------------------------------------------------------------------------------------- */

static int dup_photos(const struct message *message, struct ts_arena *arena, struct message *copy)
{
    struct message_photo *photos;
    if (message->n_photos == 0)
        return 0;
    if (!(photos = TS_ARENA_ARRAY(arena, message->n_photos, struct message_photo)))
        return -ENOMEM;
    for (size_t i = 0; i < message->n_photos; i++) {
        photos[i] = message->photos[i];
        if (ts_arena_dup(arena, message->photos[i].file_id, &photos[i].file_id) != 0)
            return -ENOMEM;
    }
    copy->photos = photos;
    return 0;
}

static int dup_forward(const struct message *message, struct ts_arena *arena, struct message *copy)
{
    struct message_forward *forward;
    if (!message->forward)
        return 0;
    if (!(forward = TS_ARENA_NEW(arena, struct message_forward)))
        return -ENOMEM;
    *forward = *message->forward;
    copy->forward = forward;
    return 0;
}

int message_dup(const struct message *message, struct ts_arena *arena, struct message *ret)
{
    struct message copy = *message;
    ts_str *const texts[] = {&copy.text,   &copy.caption,    &copy.channel_name,
                             &copy.source, &copy.media_type, &copy.album};
    for (size_t i = 0; i < TS_ARRAY_LEN(texts); i++) {
        if (ts_arena_dup(arena, *texts[i], texts[i]) != 0)
            return -ENOMEM;
    }
    if (dup_photos(message, arena, &copy) != 0 || dup_forward(message, arena, &copy) != 0)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

/* Lengths stand before the texts, so that no two different messages give the same bytes. */
static void content_text(struct ts_buf *buf, ts_str text)
{
    ts_buf_i64(buf, (int64_t)text.len);
    ts_buf_char(buf, ':');
    ts_buf_str(buf, text);
}

int64_t message_content(const struct message *message)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(MESSAGE_MAX_JSON_BYTES);
    uint8_t digest[32];
    int64_t content;
    ts_buf_char(&buf, message->deleted ? 'd' : 'm');
    content_text(&buf, message->text);
    content_text(&buf, message->caption);
    content_text(&buf, message->media_type);
    for (size_t i = 0; i < message->n_photos; i++)
        content_text(&buf, message->photos[i].file_id);
    ts_sha256(ts_buf_view(&buf), digest);
    memcpy(&content, digest, sizeof content);
    return content;
}

static int join(const struct message *parts, size_t n, size_t offset, struct ts_arena *arena, ts_str *ret)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(n * (MESSAGE_MAX_TEXT_BYTES + 1));
    ts_str last = TS_STR_NONE;
    for (size_t i = 0; i < n; i++) {
        ts_str text = *(const ts_str *)(const void *)((const char *)&parts[i] + offset);
        if (text.len == 0 || ts_str_eq(text, last))
            continue;
        if (last.len > 0)
            ts_buf_char(&buf, '\n');
        ts_buf_str(&buf, text);
        last = text;
    }
    if (ts_buf_error(&buf))
        return -ENOMEM;
    if (last.len == 0)
        return 0;
    return ts_arena_dup(arena, ts_utf8_truncate(ts_buf_view(&buf), MESSAGE_MAX_TEXT_BYTES), ret);
}

static int merge_photos(const struct message *parts, size_t n, struct ts_arena *arena, struct message *merged)
{
    struct message_photo *photos = TS_ARENA_ARRAY(arena, MESSAGE_MAX_PHOTOS, struct message_photo);
    if (!photos)
        return -ENOMEM;
    merged->photos = photos;
    merged->n_photos = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < parts[i].n_photos && merged->n_photos < MESSAGE_MAX_PHOTOS; p++)
            photos[merged->n_photos++] = parts[i].photos[p];
    }
    return 0;
}

int message_merge(const struct message *parts, size_t n, struct ts_arena *arena, struct message *ret)
{
    struct message merged = parts[0];
    if (join(parts, n, offsetof(struct message, text), arena, &merged.text) != 0 ||
        join(parts, n, offsetof(struct message, caption), arena, &merged.caption) != 0 ||
        merge_photos(parts, n, arena, &merged) != 0)
        return -ENOMEM;
    *ret = merged;
    return 0;
}
