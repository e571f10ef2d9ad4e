/*
 * Environment files (`NAME=value` lines) and what of them a service gets to see.
 *
 * A file is lines `NAME=value`; blank lines and lines that begin with # are skipped, `export ` before a name is ignored, and a value
 * may stand in single or double quotes, taken as it is. Nothing is expanded.
 * Thread rule: main thread. All strings live in the arena.
 */
#ifndef TSCTL_ENVIRONMENT_H
#define TSCTL_ENVIRONMENT_H

#include "catalogue.h"

/* What one file says: a JSON object of strings, empty when there is no such file. TS_E_INVALID: a line is none, see `why`. */
TS_MUST_CHECK int environment_read(const char *path, struct ts_arena *arena, json_t **ret, ts_str *why);

/*
 * Makes the files of the catalogue's `secrets` that do not exist, mode 600, with random secrets; a secret that is `sameAs` another
 * has its value. Then checks that in every file each required secret is there and that those that must be the same are.
 * *ret_made: how many files were made (would be made, when `dry_run`). TS_E_MISSING or TS_E_CONFLICT with `why` when a check fails.
 */
TS_MUST_CHECK int environment_prepare(const struct catalogue *catalogue, bool dry_run, struct ts_arena *arena,
                                      size_t *ret_made, ts_str *why);

/* True when no file and no variable of ours gives the credentials that would end the demonstration. */
TS_MUST_CHECK int environment_is_demonstration(struct catalogue *catalogue, struct ts_arena *arena, bool *ret,
                                               ts_str *why);

/* The folder of a service's data, relative to the root. */
TS_MUST_CHECK int environment_data_folder(const struct service *service, bool demonstration,
                                          struct ts_arena *arena, ts_str *ret);

/*
 * What the service is started with: PATH, HOME, LANG and TZ, the variables that its entry lists (from its files, then from our own
 * environment, which wins), its fixed settings, and those of the demonstration. A JSON array of "NAME=value".
 */
TS_MUST_CHECK int environment_of(const struct catalogue *catalogue, const struct service *service,
                                 bool demonstration, struct ts_arena *arena, json_t **ret, ts_str *why);

#endif
