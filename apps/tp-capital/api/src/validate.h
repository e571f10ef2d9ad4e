/*
 * Validate: the body of POST /ingest becomes a message, or the exact answer of tp-capital 3.2, rows 6 to 8.
 *
 * The order of the checks is part of the contract: required fields first (channelId, messageId, text, timestamp), then types and
 * limits in the order of the table of 3.1, then editedAt and deleted. Unknown fields are ignored; null in an optional field means
 * absent, in a required one missing. `text` may be missing when `deleted` is true. Thread rule: pure, but for the clock given to it.
 */
#ifndef TP_CAPITAL_VALIDATE_H
#define TP_CAPITAL_VALIDATE_H

#include "base/arena.h"
#include "http/json.h"
#include "message.h"

enum validate_problem {
    VALIDATE_OK,
    VALIDATE_MISSING, /* "Missing required field: <field>" */
    VALIDATE_INVALID, /* "Invalid field: <field>" */
    VALIDATE_NO_MEMORY,
};

struct validate_result {
    enum validate_problem problem;
    const char *field; /* static; NULL unless MISSING or INVALID */
};

/*
 * `body` is a JSON object (ts_json_parse_object), `now_us` the wall clock. On VALIDATE_OK *ret is filled with texts borrowed from
 * `body` and, for photos, from `arena`; otherwise it is untouched.
 */
TS_MUST_CHECK struct validate_result validate_message(const json_t *body, int64_t now_us,
                                                      struct ts_arena *arena, struct message *ret);

struct store_selection; /* store.h */

/*
 * The body of DELETE /signals: {"id": …}, or {"ingestedAt": …} as it stands in a row; rows show whole milliseconds, so one is all that was
 * stored within it. With both `id` decides. Neither is VALIDATE_MISSING "ingestedAt".
 */
TS_MUST_CHECK struct validate_result validate_deletion(const json_t *body, struct store_selection *ret);

/* A channel's id: a number or its digits, at most max_digits of them; fits int64 and is not 0. 0, or why not. */
TS_MUST_CHECK int validate_channel_id(const json_t *value, size_t max_digits, int64_t *ret);

/* {"text": …} of POST /parse, by the same rules. */
TS_MUST_CHECK struct validate_result validate_text(const json_t *body, ts_str *ret);

#endif
