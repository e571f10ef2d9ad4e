/*
 * The commands' side of the supervisor: one request, one answer, each a line of JSON over the socket under .run/. Nobody but the user
 * who started it can reach it: the folder has mode 700.
 *
 *   {"op":"start","id":…,"argv":[…],"env":["NAME=value",…],"cwd":…,"demonstration":false}   {"ok":true,"pid":4711}
 *   {"op":"stop","id":…,"timeoutMs":30000}                                                  {"ok":true,"killed":false}
 *   {"op":"quit"}                                                                            {"ok":true}, refused while it has services
 *   otherwise                                                                                {"ok":false,"error":"…"}
 *
 * Thread rule: main thread; calls block.
 */
#ifndef TSCTL_CONTROL_H
#define TSCTL_CONTROL_H

#include "base/arena.h"
#include "http/json.h"

#define CONTROL_MAX_BYTES (1024 * 1024)

/* Starts a supervisor unless one answers. 0, or an error: its log says why. */
TS_MUST_CHECK int control_ensure_supervisor(void);

/* True when one answers. */
bool control_reachable(void);

/*
 * Sends the request (taken) and waits for the answer. 0 with the answer when it is "ok"; TS_E_TIMEOUT when none comes in time, -ECONNREFUSED or
 * -ENOENT when there is no supervisor, TS_E_PROTOCOL with *ret_error (in the arena) when it refuses.
 */
TS_MUST_CHECK int control_call(json_t *request_take, int timeout_ms, struct ts_arena *arena, json_t **ret,
                               ts_str *ret_error);

#endif
