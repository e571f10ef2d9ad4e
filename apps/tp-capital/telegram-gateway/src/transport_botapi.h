/*
 * Bot API: long polling of getUpdates (https://core.telegram.org/bots/api). Channel posts and their edits.
 *
 * The offset that makes Telegram forget updates is only sent with the next poll, and the next poll only goes out when every message of the
 * last one is durable; so nothing need be remembered here, and what was not durable comes again after a crash.
 *
 * What a bot can't do, whoever programs it: Telegram keeps updates for 24 hours, and shows a bot only the channels that made it an
 * administrator; there is no history to catch up from, and deletions are not told.
 *
 * The token is part of every URL. URLs are never logged, and the log's redaction knows the token.
 */
#ifndef GATEWAY_TRANSPORT_BOTAPI_H
#define GATEWAY_TRANSPORT_BOTAPI_H

#include "base/secret.h"
#include "http/client.h"
#include "transport.h"

#define BOTAPI_LIMITS                                                                                        \
    "A bot sees only channels that made it administrator, and cannot fetch what it missed for more than 24 " \
    "hours"

struct botapi_options {
    uv_loop_t *loop;
    struct ts_http_client *http;   /* borrowed */
    const char *base_url;          /* https://api.telegram.org */
    const struct ts_secret *token; /* borrowed */
};

TS_MUST_CHECK int transport_botapi_new(const struct botapi_options *options,
                                       const struct transport_events *events, struct transport **ret);

#endif
