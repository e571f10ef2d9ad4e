/*
 * Registry: channels and bots as a person registers them (tp-capital 4.3, 5): what the body of a POST or PUT names.
 *
 * The readers are pure: a JSON object in, fields out, or the name of the first field that breaks its rule, in the order of the structs.
 * Lengths are characters. Unknown fields are ignored. A POST takes null as absent; in a PUT only description and last_signal may be
 * null, which empties them. Texts are borrowed from the body.
 */
#ifndef TP_CAPITAL_REGISTRY_H
#define TP_CAPITAL_REGISTRY_H

#include "base/arena.h"
#include "http/json.h"
#include "message.h"
#include "validate.h"

#define REGISTRY_ID_MAX          100 /* bytes of what a path may hold; ours are shorter */
#define REGISTRY_LABEL_MAX       200
#define REGISTRY_USERNAME_MAX    100
#define REGISTRY_BOT_TYPE_MAX    50
#define REGISTRY_DESCRIPTION_MAX 1000

/* Bits of `given`. */
enum {
    CHANNEL_LABEL = 1 << 0,
    CHANNEL_ID = 1 << 1,
    CHANNEL_TYPE = 1 << 2,
    CHANNEL_DESCRIPTION = 1 << 3,
    CHANNEL_STATUS = 1 << 4,
    CHANNEL_SIGNAL_COUNT = 1 << 5,
    CHANNEL_LAST_SIGNAL = 1 << 6,
};

/* What is not given is NONE or 0, or the default of a POST. */
struct channel_fields {
    unsigned given;
    ts_str label;
    int64_t channel_id;
    ts_str channel_type; /* "source", "destination" */
    ts_str description;  /* NONE = null */
    ts_str status;       /* "active", "inactive" */
    int64_t signal_count;
    int64_t last_signal_us; /* MESSAGE_NO_TIME = null */
};

enum {
    BOT_USERNAME = 1 << 0,
    BOT_TOKEN = 1 << 1,
    BOT_TYPE = 1 << 2,
    BOT_DESCRIPTION = 1 << 3,
    BOT_STATUS = 1 << 4,
};

/* The first 12 hexadecimal digits of the SHA-256: all that is ever kept of a token. */
#define BOT_FINGERPRINT_SIZE 13

struct bot_fields {
    unsigned given;
    ts_str username; /* without its @ */
    char token_fingerprint[BOT_FINGERPRINT_SIZE];
    ts_str bot_type;
    ts_str description;
    ts_str status;
};

/*
 * VALIDATE_MISSING: `create` and a required field is not there (label, channel_id; username, token), or otherwise no field at all.
 * A POST takes label, channel_id, channel_type and description of a channel, and everything of a bot.
 */
TS_MUST_CHECK struct validate_result registry_read_channel(const json_t *body, bool create,
                                                           struct channel_fields *ret);
TS_MUST_CHECK struct validate_result registry_read_bot(const json_t *body, bool create,
                                                       struct bot_fields *ret);

/* Texts become copies in `arena`. 0 or -ENOMEM. */
TS_MUST_CHECK int registry_keep_channel(struct channel_fields *fields, struct ts_arena *arena);
TS_MUST_CHECK int registry_keep_bot(struct bot_fields *fields, struct ts_arena *arena);

/* `token` has BotFather's form: digits, a colon, 30 to 64 of [A-Za-z0-9_-]. Otherwise TS_E_INVALID. */
TS_MUST_CHECK int registry_fingerprint(ts_str token, char out[BOT_FINGERPRINT_SIZE]);

/* "channel-" and 32 random hexadecimal digits: nobody guesses it, and there are no two. */
#define REGISTRY_NEW_ID_SIZE 48
ts_str registry_new_id(const char *kind, char out[REGISTRY_NEW_ID_SIZE]);

#endif
