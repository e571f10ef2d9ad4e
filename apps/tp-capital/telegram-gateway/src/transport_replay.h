/*
 * Replay: messages from a file instead of Telegram, for demonstrations and tests. JSON lines with the fields of /ingest, and mediaGroupId for the parts
 * of an album; `-` is standard input; a pipe may be named too. A line that is no message is logged with its number and the field, and skipped.
 * Every message gets the source `replay`.
 *
 * At the end of the file nothing more happens, except with `rebase`: then each message is stamped with the present time and an id above the last one seen in
 * its channel, edits and deletions follow the message they name, and the file begins again.
 */
#ifndef GATEWAY_TRANSPORT_REPLAY_H
#define GATEWAY_TRANSPORT_REPLAY_H

#include "transport.h"

struct replay_last_seen {
    int64_t channel_id, message_id;
};

struct replay_options {
    uv_loop_t *loop;
    const char *path; /* "-": standard input */
    int64_t speed_e6; /* messages a second, 1e-6; 0: as fast as they become durable */
    bool rebase;
    const struct replay_last_seen *last_seen; /* copied; for rebase */
    size_t n_last_seen;
};

TS_MUST_CHECK int transport_replay_new(const struct replay_options *options,
                                       const struct transport_events *events, struct transport **ret);

#endif
