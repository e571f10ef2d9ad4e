#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "control.h"
#include "environment.h"
#include "prepare.h"
#include "probe.h"
#include "state.h"

#define PREPARING  "the first time this takes a while: fetching packages"
#define TRIES      3 /* restarts that `start` watches before it gives a service up */
#define CALL_MS    10000
#define GIVE_UP_MS 5000

enum outcome { NOT_ASKED, PLANNED, ALREADY, STARTED, SKIPPED, FAILED };
static const char *const outcome_names[] = {"", "planned", "already running", "started", "skipped", "failed"};

struct start {
    struct command *command;
    bool demonstration;
    int64_t began_us, deadline_us; /* monotonic */
    struct {
        enum outcome outcome;
        int64_t took_us;
        pid_t pid;
        ts_str detail;
    } results[MAX_SERVICES];
};

static size_t count(const struct start *start, enum outcome outcome)
{
    size_t n = 0;

    for (size_t i = 0; i < start->command->catalogue.n; i++)
        n += start->results[i].outcome == outcome;
    return n;
}

/* --- what has to be right before anything is started --- */

/* Services whose supervisor was killed: nobody watches them, so they are ended and started anew. */
static void end_orphans(struct start *start)
{
    struct catalogue *catalogue = &start->command->catalogue;

    if (control_reachable())
        return;
    for (size_t i = 0; i < catalogue->n; i++) {
        struct service *service = &catalogue->services[i];
        struct record record = state_read(service->id, start->command->arena);
        if (record.state != STATE_RUNNING)
            continue;
        command_say(start->command, "    %s ran without its supervisor and is started anew\n", service->id);
        service->selected = true;
        if (!start->command->options.dry_run) {
            process_end(&record.process, GIVE_UP_MS);
            state_forget(service->id);
        }
    }
}

/* Sets what runs already; counts the ports that are free. EXIT_CRITICAL when a stranger has one of ours. */
static int check_ports(struct start *start, size_t *ret_free)
{
    struct catalogue *catalogue = &start->command->catalogue;
    int exit_code = EXIT_DONE;
    size_t n_free = 0;

    for (size_t i = 0; i < catalogue->n; i++) {
        const struct service *service = &catalogue->services[i];
        char text[COMMAND_SIZE];
        pid_t pid = 0;
        if (!service->selected)
            continue;
        struct record record = state_read(service->id, start->command->arena);
        if (record.state == STATE_RUNNING && control_reachable()) {
            start->results[i].outcome = ALREADY;
            start->results[i].pid = record.process.pid;
        } else if (service->port && process_listens(service->port, &pid) &&
                   !(record.state == STATE_RUNNING && start->command->options.dry_run)) {
            command_complain("port %d of %s is taken by pid %d: %s", service->port, service->id, pid,
                             pid ? process_command(pid, text) : "(another user's process)");
            exit_code = EXIT_CRITICAL;
        } else {
            n_free++;
        }
    }
    *ret_free = n_free;
    return exit_code;
}

static int check_environment(struct start *start, size_t *ret_made)
{
    struct command *command = start->command;
    ts_str why = TS_STR("");

    int r =
        environment_prepare(&command->catalogue, command->options.dry_run, command->arena, ret_made, &why);
    if (r == 0)
        r = environment_is_demonstration(&command->catalogue, command->arena, &start->demonstration, &why);
    if (r == 0)
        return EXIT_DONE;
    command_complain("%.*s", TS_STR_ARG(why.len ? why : ts_str_from(ts_error_text(r))));
    return EXIT_UNAVAILABLE;
}

static int preflight(struct start *start)
{
    struct command *command = start->command;
    size_t made = 0, n_free = 0;

    int exit_code = check_environment(start, &made);
    if (exit_code != EXIT_DONE)
        return exit_code;
    command_say(command, "TradingSystem %s (%s)   mode: native%s\n", TS_VERSION, TS_COMMIT,
                start->demonstration ? "   demonstration: invented signals" : "");
    end_orphans(start);
    exit_code = check_ports(start, &n_free);
    if (exit_code != EXIT_DONE)
        return exit_code;
    command_say(command, " 1 env         %sok%s     ", command_colour(command, GREEN),
                command_no_colour(command));
    if (made)
        command_say(command, "%zu environment files %s (mode 600), ", made,
                    command->options.dry_run ? "to be made" : "made");
    command_say(command, "%zu %s\n", n_free ? n_free : count(start, ALREADY),
                n_free ? "ports free" : "running already");
    return EXIT_DONE;
}

/* --- one service --- */

/* A name is looked up in the service's own PATH; a path is one of the tree. Always absolute, or TS_E_MISSING. */
static int resolve(const char *command, const json_t *env, struct ts_arena *arena, ts_str *ret)
{
    char folder[PATH_MAX];
    ts_str path = TS_STR_NONE, piece;
    size_t i;
    const json_t *line;

    if (strchr(command, '/')) {
        if (!getcwd(folder, sizeof(folder)))
            return -errno;
        int r = command[0] == '/' ? ts_arena_printf(arena, ret, "%s", command)
                                  : ts_arena_printf(arena, ret, "%s/%s", folder, command);
        return r < 0 ? r : access(ret->ptr, X_OK) == 0 ? 0 : TS_E_MISSING;
    }
    json_array_foreach(env, i, line) if (strncmp(json_string_value(line), "PATH=", 5) == 0) path =
        ts_str_from(json_string_value(line) + 5);
    while (ts_str_split(&path, ':', &piece)) {
        int r = ts_arena_printf(arena, ret, "%.*s/%s", TS_STR_ARG(piece), command);
        if (r < 0)
            return r;
        if (access(ret->ptr, X_OK) == 0)
            return 0;
    }
    return TS_E_MISSING;
}

/* The request to the supervisor. TS_E_MISSING with `why`: its program is not there. */
static int describe(struct start *start, const struct service *service, json_t **ret, ts_str *why)
{
    _cleanup_(ts_json_freep) json_t *env = NULL;
    _cleanup_(ts_json_freep) json_t *argv = json_array();
    struct ts_arena *arena = start->command->arena;
    ts_str program, data;
    size_t i;
    json_t *word;

    int r = environment_of(&start->command->catalogue, service, start->demonstration, arena, &env, why);
    if (r == 0)
        r = environment_data_folder(service, start->demonstration, arena, &data);
    if (r == 0)
        r = ts_mkdir_all(data.ptr, 0700);
    if (r < 0)
        return r;
    r = resolve(service->command, env, arena, &program);
    if (r < 0) {
        (void)!ts_arena_printf(arena, why, "%s is not there", service->command);
        return r;
    }
    json_array_append_new(argv, json_string(program.ptr));
    json_array_foreach(service->args, i, word) json_array_append(argv, word);
    *ret = json_pack("{s:s, s:s, s:O, s:O, s:s, s:b}", "op", "start", "id", service->id, "argv", argv, "env",
                     env, "cwd", service->cwd, "demonstration", start->demonstration);
    return *ret ? 0 : -ENOMEM;
}

/* What its log says last, or `otherwise`. */
static ts_str last_words(struct start *start, const struct service *service, const char *otherwise)
{
    ts_str tail = state_log_tail(service->id, 2048, start->command->arena);
    size_t from = tail.len;

    while (from > 0 && tail.ptr[from - 1] != '\n')
        from--;
    tail = (ts_str){tail.ptr + from, tail.len - from};
    return tail.len ? tail : ts_str_from(otherwise);
}

static bool is_healthy(const struct service *service, int timeout_ms)
{
    struct probe probe = {.url = service->health_url};
    pid_t pid;

    if (!service->health_url)
        return service->port == 0 || process_listens(service->port, &pid);
    probe_all(&probe, 1, timeout_ms);
    return probe.status == 200;
}

/* Until it is healthy. TS_E_CLOSED: it ended again and again; TS_E_TIMEOUT. */
static int wait_healthy(struct start *start, const struct service *service)
{
    int seconds =
        start->command->options.timeout_s ? start->command->options.timeout_s : service->ready_timeout_s;
    int64_t deadline_us = TS_MIN(start->deadline_us, ts_clock_mono_us() + seconds * TS_US_PER_S);

    for (;;) {
        struct record record = state_read(service->id, start->command->arena);
        if (record.state == STATE_FAILED || record.restarts >= TRIES)
            return TS_E_CLOSED;
        if (record.state == STATE_RUNNING && is_healthy(service, 1000))
            return 0;
        if (ts_clock_mono_us() >= deadline_us)
            return TS_E_TIMEOUT;
        poll(NULL, 0, 20);
    }
}

/* Starts it through the supervisor and waits; the outcome, with `detail` where it is not STARTED. */
static enum outcome launch(struct start *start, const struct service *service, ts_str *detail)
{
    _cleanup_(ts_json_freep) json_t *reply = NULL;
    struct ts_arena *arena = start->command->arena;
    json_t *request = NULL;

    if (service->prepare && prepare_run(service->id, service->prepare,
                                        start->command->options.quiet ? NULL : PREPARING, arena, detail) < 0)
        return SKIPPED;
    int r = describe(start, service, &request, detail);
    if (r < 0)
        return r == TS_E_MISSING ? SKIPPED : FAILED;
    r = control_ensure_supervisor();
    if (r == 0)
        r = control_call(request, CALL_MS, arena, &reply, detail);
    else
        json_decref(request);
    if (r < 0) {
        if (detail->len == 0)
            *detail = ts_str_from(ts_error_text(r));
        return FAILED;
    }
    if (start->command->options.no_wait)
        return STARTED;
    r = wait_healthy(start, service);
    if (r == TS_E_CLOSED) {
        _cleanup_(ts_json_freep) json_t *stopped = NULL;
        ts_str error;
        *detail = last_words(start, service, "ended again and again");
        (void)!control_call(
            json_pack("{s:s, s:s, s:i}", "op", "stop", "id", service->id, "timeoutMs", GIVE_UP_MS),
            GIVE_UP_MS * 2, arena, &stopped, &error);
    } else if (r == TS_E_TIMEOUT) {
        *detail = TS_STR("runs, but is not healthy yet");
    }
    return r < 0 ? FAILED : STARTED;
}

static void start_service(struct start *start, size_t i)
{
    const struct service *service = &start->command->catalogue.services[i];
    int64_t began_us = ts_clock_mono_us();

    if (start->results[i].outcome == ALREADY)
        return;
    if (start->command->options.dry_run) {
        start->results[i].outcome = PLANNED;
        return;
    }
    start->results[i].outcome = launch(start, service, &start->results[i].detail);
    start->results[i].took_us = ts_clock_mono_us() - began_us;
    start->results[i].pid = state_read(service->id, start->command->arena).process.pid;
}

/* --- the report --- */

static void say_result(const struct start *start, size_t i)
{
    const char *id = start->command->catalogue.services[i].id;
    enum outcome outcome = start->results[i].outcome;

    if (outcome == STARTED)
        command_say(start->command, "%s %.1fs  ", id, (double)start->results[i].took_us / 1e6);
    else if (start->results[i].detail.len)
        command_say(start->command, "%s: %.*s  ", id, TS_STR_ARG(start->results[i].detail));
    else
        command_say(start->command, "%s %s  ", id, outcome_names[outcome]);
}

/* One group: starts its services, then its line. */
static void start_group(struct start *start, const char *group, int number)
{
    struct command *command = start->command;
    enum outcome worst = NOT_ASKED;

    for (size_t i = 0; i < command->catalogue.n; i++) {
        if (!command->catalogue.services[i].selected ||
            strcmp(command->catalogue.services[i].group, group) != 0)
            continue;
        start_service(start, i);
        worst = TS_MAX(worst, start->results[i].outcome);
    }
    command_say(command, " %d %-11s %s%-6s%s ", number, group,
                command_colour(command, worst == FAILED    ? RED
                                        : worst == SKIPPED ? YELLOW
                                                           : GREEN),
                worst == FAILED    ? "FAILED"
                : worst == SKIPPED ? "SKIP"
                                   : "ok",
                command_no_colour(command));
    for (size_t i = 0; i < command->catalogue.n; i++)
        if (command->catalogue.services[i].selected &&
            strcmp(command->catalogue.services[i].group, group) == 0)
            say_result(start, i);
    command_say(command, "\n");
}

static bool group_was_before(const struct catalogue *catalogue, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (catalogue->services[j].selected &&
            strcmp(catalogue->services[j].group, catalogue->services[i].group) == 0)
            return true;
    return false;
}

static int exit_code_of(const struct start *start)
{
    int exit_code = count(start, SKIPPED) ? EXIT_PARTLY : EXIT_DONE;

    for (size_t i = 0; i < start->command->catalogue.n; i++)
        if (start->results[i].outcome == FAILED)
            exit_code = TS_MAX(exit_code,
                               start->command->catalogue.services[i].critical ? EXIT_CRITICAL : EXIT_PARTLY);
    return exit_code;
}

/* Which file ends the demonstration. */
static void say_how_to_be_real(const struct command *command)
{
    const char *id = json_string_value(json_object_get(command->catalogue.demonstration, "service"));

    for (size_t i = 0; i < command->catalogue.n; i++) {
        const char *file = json_string_value(json_array_get(command->catalogue.services[i].env_files, 0));
        if (file && strcmp(command->catalogue.services[i].id, id) == 0)
            command_say(command,
                        "Demonstration: the signals are invented. For real ones put credentials into %s, "
                        "then stop and start.\n",
                        file);
    }
}

static void say_summary(const struct start *start)
{
    const struct command *command = start->command;
    size_t planned = count(start, PLANNED), skipped = count(start, SKIPPED), failed = count(start, FAILED);

    if (command->options.dry_run)
        command_say(command, "Nothing was done: %zu to start.", planned);
    else if (count(start, STARTED) + skipped + failed == 0)
        command_say(command, "Already running.");
    else
        command_say(command, "%s in %.1fs", failed ? "Not ready" : "Ready",
                    (double)(ts_clock_mono_us() - start->began_us) / 1e6);
    if (failed)
        command_say(command, ", %zu failed", failed);
    if (skipped)
        command_say(command, ", %zu skipped", skipped);
    for (size_t i = 0; i < command->catalogue.n; i++) {
        const struct service *service = &command->catalogue.services[i];
        bool up = start->results[i].outcome == STARTED || start->results[i].outcome == ALREADY;
        if (up && service->port && strcmp(service->group, "frontend") == 0)
            command_say(command, "  %s http://localhost:%d", service->name, service->port);
    }
    command_say(command, "\n");
    if (start->demonstration)
        say_how_to_be_real(command);
    if (failed)
        command_say(command, "What they say is in .run/logs/.\n");
}

static json_t *report(const struct start *start)
{
    const struct catalogue *catalogue = &start->command->catalogue;
    json_t *services = json_array();

    for (size_t i = 0; i < catalogue->n; i++) {
        if (start->results[i].outcome == NOT_ASKED)
            continue;
        ts_str detail = start->results[i].detail;
        json_array_append_new(
            services,
            json_pack("{s:s, s:s, s:i, s:f, s:i, s:s%}", "id", catalogue->services[i].id, "result",
                      outcome_names[start->results[i].outcome], "port", catalogue->services[i].port,
                      "seconds", (double)start->results[i].took_us / 1e6, "pid", (int)start->results[i].pid,
                      "detail", detail.ptr ? detail.ptr : "", detail.len));
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "version", TS_VERSION, "commit", TS_COMMIT, "mode",
                     "native", "demonstration", start->demonstration, "services", services);
}

/* A supervisor without services has no reason to be. */
static void dismiss_idle_supervisor(struct start *start)
{
    _cleanup_(ts_json_freep) json_t *reply = NULL;
    ts_str refused;

    if (control_reachable())
        (void)!control_call(json_pack("{s:s}", "op", "quit"), CALL_MS, start->command->arena, &reply,
                            &refused);
}

int command_start(struct command *command)
{
    struct start start = {.command = command, .began_us = ts_clock_mono_us()};
    _cleanup_(ts_closep) int lock = -1;
    int number = 1;

    start.deadline_us = start.began_us + command->options.wait_s * TS_US_PER_S;
    int exit_code = command_select(command, true);
    if (exit_code == EXIT_DONE)
        exit_code = command_lock(command, &lock);
    if (exit_code == EXIT_DONE)
        exit_code = preflight(&start);
    if (exit_code == EXIT_DONE) {
        for (size_t i = 0; i < command->catalogue.n; i++)
            if (command->catalogue.services[i].selected && !group_was_before(&command->catalogue, i))
                start_group(&start, command->catalogue.services[i].group, ++number);
        say_summary(&start);
        dismiss_idle_supervisor(&start);
        exit_code = exit_code_of(&start);
    }
    command_json(command, report(&start), exit_code);
    return exit_code;
}
