/*
 * A message: one version of one Telegram message, as POST /ingest accepts it (tp-capital 3.1, with the revision of DESIGN
 * section 6). All texts are borrowed, valid UTF-8 without NUL. Thread rule: plain data.
 */
#ifndef TP_CAPITAL_MESSAGE_H
#define TP_CAPITAL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define MESSAGE_ORIGINAL INT64_C(0)
#define MESSAGE_DELETED  INT64_MAX

#define MESSAGE_TEXT_MAX       16384
#define MESSAGE_CHANNEL_MAX    200
#define MESSAGE_MEDIA_TYPE_MAX 20
#define MESSAGE_PHOTOS_MAX     20
#define MESSAGE_FILE_ID_MAX    512

/* A time that was not given. */
#define MESSAGE_NO_TIME INT64_MIN

struct message_forward {
    bool present;
    int64_t source_channel_id, source_message_id, destination_channel_id;
    ts_str method; /* "forward" or "copy" */
};

struct message {
    int64_t channel_id, message_id;
    int64_t revision;       /* MESSAGE_ORIGINAL, the edit's epoch milliseconds, or MESSAGE_DELETED */
    int64_t ts_us;          /* when Telegram says it was sent */
    int64_t edited_at_us;   /* or MESSAGE_NO_TIME */
    int64_t received_at_us; /* by the gateway; or MESSAGE_NO_TIME */
    ts_str text; /* what is parsed and kept: the text, or the caption when it is empty; NONE for a deletion */
    ts_str channel; /* its name, NONE when not given */
    ts_str source;
    ts_str media_type; /* or NONE */
    ts_str photos;     /* JSON, or NONE */
    struct message_forward forward;
};

#endif
