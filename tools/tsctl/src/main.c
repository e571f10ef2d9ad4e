/* tsctl: the commands start, stop and status. bin/ holds a launcher for each. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "command.h"
#include "supervisor.h"

#define MAX_RUN_BYTES (16 * 1024 * 1024)

/* Everything is said relative to the root of the tree: $TSCTL_ROOT, or three folders above build/release/bin/tsctl. */
static int go_to_root(void)
{
    const char *given = getenv("TSCTL_ROOT");
    char path[PATH_MAX];

    if (given && *given)
        return chdir(given) < 0 ? -errno : 0;
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n < 0)
        return -errno;
    path[n] = '\0';
    for (int i = 0; i < 4; i++) {
        char *slash = strrchr(path, '/');
        if (!slash)
            return -ENOENT;
        *slash = '\0';
    }
    return chdir(*path ? path : "/") < 0 ? -errno : 0;
}

static int run(struct command *command)
{
    ts_str why = TS_STR("");
    int r = go_to_root();

    if (r < 0) {
        command_complain("cannot find the root of the tree: %s", ts_error_text(r));
        return EXIT_UNAVAILABLE;
    }
    if (catalogue_load(command->options.catalogue, command->arena, &command->catalogue, &why) < 0) {
        command_complain("%.*s", TS_STR_ARG(why));
        return EXIT_UNAVAILABLE;
    }
    if (strcmp(command->options.verb, "start") == 0)
        return command_start(command);
    if (strcmp(command->options.verb, "stop") == 0)
        return command_stop(command);
    return command_status(command);
}

int main(int argc, char **argv)
{
    struct command command = {0};
    int exit_code;

    if (argc == 2 && strcmp(argv[1], "supervise") == 0)
        return supervise();
    if (options_parse(argc, argv, &command.options, &exit_code) < 0)
        return exit_code;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(MAX_RUN_BYTES);
    command.arena = arena;
    ts_json_init();
    exit_code = run(&command);
    catalogue_done(&command.catalogue);
    return exit_code;
}
