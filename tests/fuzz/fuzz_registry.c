/* Any bytes as the body of a registration or a change: what is accepted keeps every limit, and never the token. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* At most four bytes a character. */
static void require_text(ts_str text, size_t max)
{
    require(text.len <= 4 * max && ts_utf8_valid(text) && !ts_str_has_nul(text));
}

static void check_channel(const json_t *body, bool create, struct ts_arena *arena)
{
    struct channel_fields f;
    struct validate_result result = registry_read_channel(body, create, &f);
    if (result.problem != VALIDATE_OK) {
        require(result.problem == VALIDATE_MISSING || result.field != NULL);
        return;
    }
    require(f.given != 0 && (!create || (f.given & CHANNEL_LABEL && f.given & CHANNEL_ID)));
    require(registry_keep_channel(&f, arena) == 0);
    require_text(f.label, REGISTRY_LABEL_MAX);
    require_text(f.description, REGISTRY_DESCRIPTION_MAX);
    require((f.channel_id != 0) == !!(f.given & CHANNEL_ID));
    require(f.signal_count >= 0 && f.signal_count <= INT32_MAX);
    require(!ts_str_eq(f.status, TS_STR("deleted")));
}

static void check_bot(const json_t *body, bool create, struct ts_arena *arena)
{
    struct bot_fields f;
    if (registry_read_bot(body, create, &f).problem != VALIDATE_OK)
        return;
    require(f.given != 0 && (!create || (f.given & BOT_USERNAME && f.given & BOT_TOKEN)));
    require(registry_keep_bot(&f, arena) == 0);
    require_text(f.username, REGISTRY_USERNAME_MAX);
    require_text(f.bot_type, REGISTRY_BOT_TYPE_MAX);
    require_text(f.description, REGISTRY_DESCRIPTION_MAX);
    require(strlen(f.token_fingerprint) == (f.given & BOT_TOKEN ? BOT_FINGERPRINT_SIZE - 1 : 0));
    require(!ts_str_eq(f.status, TS_STR("deleted")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(ts_json_freep) json_t *body = NULL;
    if (ts_json_parse_object((ts_str){(const char *)data, size}, TS_MAX_JSON_DEPTH, &body) < 0)
        return 0;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(64 * 1024);
    require(arena != NULL);
    for (int create = 0; create < 2; create++) {
        check_channel(body, create, arena);
        check_bot(body, create, arena);
    }
    return 0;
}
