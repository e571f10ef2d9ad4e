#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "control.h"
#include "state.h"

#define DEFAULT_TIMEOUT_S 30
#define GRACE_MS          10000 /* for the supervisor to answer, on top */

enum outcome { NOT_RUNNING, STOPPED, KILLED };
static const char *const outcome_names[] = {"not running", "stopped", "killed"};

/* Through the supervisor, which knows whether it has to start it again. TS_E_TIMEOUT: it does not answer. */
static int ask_supervisor(struct command *command, const char *id, int timeout_ms, enum outcome *ret)
{
    _cleanup_(ts_json_freep) json_t *reply = NULL;
    ts_str refused;

    int r = control_call(json_pack("{s:s, s:s, s:i}", "op", "stop", "id", id, "timeoutMs", timeout_ms),
                         timeout_ms + GRACE_MS, command->arena, &reply, &refused);
    if (r == 0)
        *ret = json_is_true(json_object_get(reply, "killed")) ? KILLED : STOPPED;
    else if (r == TS_E_PROTOCOL)
        *ret = NOT_RUNNING;
    return r == TS_E_PROTOCOL ? 0 : r;
}

/* Without a supervisor: the process that its record names, if it is still the same. */
static enum outcome end_orphan(struct command *command, const char *id, int timeout_ms)
{
    struct record record = state_read(id, command->arena);
    enum outcome outcome = NOT_RUNNING;

    if (record.state == STATE_RUNNING)
        outcome = process_end(&record.process, timeout_ms) ? KILLED : STOPPED;
    state_forget(id);
    return outcome;
}

static void tell_of_stranger(struct command *command, const struct service *service)
{
    char text[COMMAND_SIZE];
    pid_t pid = 0;

    if (service->port && process_listens(service->port, &pid))
        command_say(command, "    port %d is held by pid %d, which `start` did not make; it stays: %s\n",
                    service->port, pid, pid ? process_command(pid, text) : "?");
}

static enum outcome stop_service(struct command *command, const struct service *service)
{
    int timeout_ms = (command->options.timeout_s ? command->options.timeout_s : DEFAULT_TIMEOUT_S) * 1000;
    int64_t began_us = ts_clock_mono_us();
    enum outcome outcome = NOT_RUNNING;

    if (!control_reachable() || ask_supervisor(command, service->id, timeout_ms, &outcome) < 0)
        outcome = end_orphan(command, service->id, timeout_ms);
    if (outcome == NOT_RUNNING) {
        tell_of_stranger(command, service);
        return outcome;
    }
    command_say(command, " %-18s %s%s%s %.1fs\n", service->id,
                command_colour(command, outcome == STOPPED ? GREEN : YELLOW), outcome_names[outcome],
                command_no_colour(command), (double)(ts_clock_mono_us() - began_us) / 1e6);
    return outcome;
}

/* The supervisor goes when it has nothing left; one that does not answer is ended. */
static void dismiss_supervisor(struct command *command)
{
    _cleanup_(ts_json_freep) json_t *reply = NULL;
    struct record supervisor = state_read(STATE_SUPERVISOR_ID, command->arena);
    ts_str refused;

    if (supervisor.state != STATE_RUNNING)
        return;
    int r = control_reachable()
                ? control_call(json_pack("{s:s}", "op", "quit"), GRACE_MS, command->arena, &reply, &refused)
                : TS_E_CLOSED;
    if (r == TS_E_PROTOCOL) /* other services still run */
        return;
    for (int i = 0; r == 0 && i < 500 && process_lives(&supervisor.process); i++)
        poll(NULL, 0, 10);
    if (process_lives(&supervisor.process))
        process_end(&supervisor.process, GRACE_MS);
    state_forget(STATE_SUPERVISOR_ID);
}

int command_stop(struct command *command)
{
    _cleanup_(ts_closep) int lock = -1;
    json_t *services = json_array();
    size_t stopped = 0;

    int exit_code = command_select(command, false);
    if (exit_code == EXIT_DONE)
        exit_code = command_lock(command, &lock);
    for (size_t i = command->catalogue.n; exit_code == EXIT_DONE && i-- > 0;) {
        const struct service *service = &command->catalogue.services[i];
        if (!service->selected)
            continue;
        enum outcome outcome = stop_service(command, service);
        stopped += outcome != NOT_RUNNING;
        json_array_append_new(services,
                              json_pack("{s:s, s:s}", "id", service->id, "result", outcome_names[outcome]));
    }
    if (exit_code == EXIT_DONE) {
        dismiss_supervisor(command);
        if (stopped == 0)
            command_say(command, "Nothing was running.\n");
    }
    command_json(command, json_pack("{s:o}", "services", services), exit_code);
    return exit_code;
}
