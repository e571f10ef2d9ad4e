/*
 * Queue file: the outbox as JSON lines (tp-capital 7.6), for `queue export` and `queue import` and for the file of an older gateway.
 *
 *   a message           all /ingest fields, mediaGroupId, queuedAt; with failedAt and reason beside them it carries its failure mark
 *   a failure mark      {"failed":{"channelId":"..","messageId":1,"revision":0},"failedAt":"..","reason":"timeout","attempts":4}
 *   an acknowledgement  {"ack":{"channelId":"..","messageId":1,"revision":0},"at":".."}
 *
 * A revision that is missing is 0. Blocking; at start and for the commands.
 */
#ifndef GATEWAY_QUEUE_FILE_H
#define GATEWAY_QUEUE_FILE_H

#include <stdio.h>

#include "store.h"

struct queue_file_counts {
    int64_t messages; /* taken into the outbox */
    int64_t known;    /* there already */
    int64_t marks;
    int64_t bad;
};

/*
 * Reads `in` to its end into the outbox. A line that is none of the above goes to `bad` (may be NULL) as it is; a last line without LF that can't be read
 * is a torn write and is dropped. 0 or an error of the database; lines up to the last commit are then in.
 */
TS_MUST_CHECK int queue_file_import(FILE *in, FILE *bad, struct ts_db *db, struct queue_file_counts *ret);

/* Imports the file at `path`, if there is one, and renames it to <path>.imported.<epoch>; bad lines are added to <path>.bad. */
TS_MUST_CHECK int queue_file_import_once(const char *path, struct ts_db *db);

/* Everything not acknowledged, oldest first. */
TS_MUST_CHECK int queue_file_export(struct ts_db *db, FILE *out);

#endif
