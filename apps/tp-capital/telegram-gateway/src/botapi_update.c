#include "botapi_update.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "http/json.h"

/* A message may carry several of these keys (an animation is a document too): the first counts. */
static const char *const media_keys[] = {"photo",   "video", "animation",  "document", "audio",  "voice",
                                         "sticker", "poll",  "video_note", "location", "contact"};

static ts_str media_type(const json_t *post)
{
    for (size_t i = 0; i < TS_ARRAY_LEN(media_keys); i++) {
        if (json_object_get(post, media_keys[i]))
            return ts_str_from(media_keys[i]);
    }
    return TS_STR_NONE;
}

static int64_t number_or(const json_t *object, const char *key, int64_t fallback)
{
    int64_t value;
    return ts_json_i64(json_object_get(object, key), 0, INT64_MAX, &value) == 0 ? value : fallback;
}

/* Telegram gives one photo in several sizes; the largest is the photo. */
static int read_photo(const json_t *post, struct ts_arena *arena, struct message *message)
{
    const json_t *sizes = json_object_get(post, "photo"), *best = NULL;
    struct message_photo *photo;
    for (size_t i = 0; i < json_array_size(sizes); i++) {
        const json_t *size = json_array_get(sizes, i);
        if (!best || number_or(size, "width", 0) >= number_or(best, "width", 0))
            best = size;
    }
    ts_str file_id = ts_json_get_str(best, "file_id");
    if (!best || file_id.len == 0 || file_id.len > MESSAGE_MAX_PHOTO_BYTES)
        return 0;
    if (!(photo = TS_ARENA_NEW(arena, struct message_photo)))
        return -ENOMEM;
    *photo = (struct message_photo){
        .file_id = file_id,
        .width = number_or(best, "width", -1),
        .height = number_or(best, "height", -1),
        .file_size = number_or(best, "file_size", -1),
    };
    message->photos = photo;
    message->n_photos = 1;
    return 0;
}

static int read_ids(const json_t *post, const json_t *chat, struct message *message)
{
    int64_t date_s;
    if (ts_json_i64(json_object_get(chat, "id"), INT64_MIN, -1, &message->channel_id) != 0 ||
        ts_json_i64(json_object_get(post, "message_id"), 1, INT64_MAX, &message->message_id) != 0 ||
        ts_json_i64(json_object_get(post, "date"), 1, INT64_MAX / TS_US_PER_S, &date_s) != 0)
        return TS_E_INVALID;
    message->timestamp_us = date_s * TS_US_PER_S;
    return 0;
}

static int read_edit(const json_t *post, struct message *message)
{
    int64_t date_s;
    if (ts_json_i64(json_object_get(post, "edit_date"), 1, INT64_MAX / TS_US_PER_S, &date_s) != 0)
        return TS_E_INVALID;
    message->edited_at_us = TS_MAX(date_s * TS_US_PER_S, message->timestamp_us);
    return 0;
}

int botapi_update_read(const json_t *update, struct ts_arena *arena, struct message *ret)
{
    const json_t *edited = json_object_get(update, "edited_channel_post");
    const json_t *post = edited ? edited : json_object_get(update, "channel_post");
    const json_t *chat = json_object_get(post, "chat");
    struct message message = {.source = TS_STR("bot"), .received_at_us = ts_clock_wall_us()};
    ts_str text = ts_json_get_str(post, "text"), caption = ts_json_get_str(post, "caption");
    int r;
    if (!post)
        return TS_E_NOT_FOUND;
    if ((r = read_ids(post, chat, &message)) != 0 || (edited && (r = read_edit(post, &message)) != 0))
        return r;
    message.media_type = media_type(post);
    if (ts_str_is_none(text) && ts_str_is_none(caption) && ts_str_is_none(message.media_type))
        return TS_E_NOT_FOUND; /* a title changed, a message pinned */
    message.text = ts_str_is_none(text) ? TS_STR("") : ts_utf8_truncate(text, MESSAGE_MAX_TEXT_BYTES);
    message.caption = ts_utf8_truncate(caption, MESSAGE_MAX_TEXT_BYTES);
    message.channel_name = ts_utf8_truncate(ts_json_get_str(chat, "title"), MESSAGE_MAX_CHANNEL_NAME_BYTES);
    message.album = ts_utf8_truncate(ts_json_get_str(post, "media_group_id"), MESSAGE_MAX_ALBUM_BYTES);
    if ((r = read_photo(post, arena, &message)) != 0)
        return r;
    *ret = message;
    return 0;
}
