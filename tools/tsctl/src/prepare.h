/* A command of the tree that has to succeed before a service can be started. Thread rule: main thread; blocks. */
#ifndef TSCTL_PREPARE_H
#define TSCTL_PREPARE_H

#include "base/arena.h"
#include "http/json.h"

/*
 * Runs it in the root of the tree, output to .run/logs/<id>.prepare.log. 0, or TS_E_MISSING with its last line in *ret_why. When it takes
 * longer than a second, slow_text (NULL = nothing) is printed to standard error.
 */
TS_MUST_CHECK int prepare_run(const char *id, const json_t *words, const char *slow_text,
                              struct ts_arena *arena, ts_str *ret_why);

#endif
