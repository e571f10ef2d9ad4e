/*
 * Message: one version of one Telegram post, as the gateway knows it whatever transport it came by, and as POST /ingest wants it
 * (tp-capital 3.1).
 *
 * Its key is (channel_id, message_id, revision). The revision is 0 for the original, the time of the edit in epoch milliseconds for an edit
 * and MESSAGE_DELETED for a deletion. Ids are Telegram's: server ids, channels in the `-100…` form.
 *
 * Texts are valid UTF-8 without NUL and are borrowed from whoever made the message (an arena). Thread rule: pure functions.
 */
#ifndef GATEWAY_MESSAGE_H
#define GATEWAY_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

#define MESSAGE_DELETED INT64_MAX

enum {
    MESSAGE_MAX_TEXT_BYTES = 16384,
    MESSAGE_MAX_CHANNEL_NAME_BYTES = 200,
    MESSAGE_MAX_MEDIA_TYPE_BYTES = 20,
    MESSAGE_MAX_PHOTOS = 20,
    MESSAGE_MAX_PHOTO_BYTES = 512,
    MESSAGE_MAX_ALBUM_BYTES = 64,
    MESSAGE_MAX_JSON_BYTES = 512 * 1024 /* every limit above reached, every character escaped */
};

struct message_key {
    int64_t channel_id, message_id, revision;
};

struct message_photo {
    ts_str file_id;
    int64_t width, height, file_size; /* -1: not told, as with a photo that is a bare string */
};

struct message_forward {
    int64_t original_channel_id, original_message_id, destination_channel_id;
    bool copied; /* method: copy, else forward */
};

struct message {
    int64_t channel_id, message_id;
    ts_str text; /* never TS_STR_NONE, may be empty */
    int64_t timestamp_us;
    int64_t edited_at_us; /* 0: never edited */
    bool deleted;
    ts_str caption, channel_name, source, media_type; /* TS_STR_NONE: absent */
    int64_t received_at_us;                           /* 0: absent */
    const struct message_photo *photos;
    size_t n_photos;
    const struct message_forward *forward; /* NULL: not forwarded */
    ts_str album; /* Telegram's media group; TS_STR_NONE: none. Never sent, kept in the outbox */
};

struct message_key message_key(const struct message *message);

/*
 * Reads and checks the fields of /ingest from a JSON object: one line of a replay file, of an exported queue, or an outbox row. Strings that are too
 * long are an error, except channelName and caption, which are cut at a character boundary. Unknown fields are ignored. Everything is copied into
 * the arena. 0; TS_E_MISSING, TS_E_INVALID or TS_E_RANGE with *ret_field naming the field (static text); -ENOMEM.
 */
TS_MUST_CHECK int message_from_json(const json_t *object, struct ts_arena *arena, struct message *ret,
                                    const char **ret_field);

/* The body of POST /ingest. */
void message_write_json(struct ts_buf *buf, const struct message *message);

/* A copy whose every byte is in the arena. 0 or -ENOMEM. */
TS_MUST_CHECK int message_dup(const struct message *message, struct ts_arena *arena, struct message *ret);

/*
 * A digest of what a reader of the channel sees: text, caption, media, photos, deletion. Equal digests of two versions mean that the later says
 * nothing new.
 */
int64_t message_content(const struct message *message);

/*
 * The parts of an album as one message: the caption and text of each part that has one, in order, a line apart, and all photos. Everything
 * else is that of the first part. `parts` are ordered by message_id; texts that had to be joined are made in the arena. 0 or -ENOMEM.
 */
TS_MUST_CHECK int message_merge(const struct message *parts, size_t n, struct ts_arena *arena,
                                struct message *ret);

#endif
