#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/error.h"
#include "state.h"

int command_select(struct command *command, bool dependencies)
{
    const char *unknown =
        catalogue_select(&command->catalogue, command->options.names, command->options.n_names, dependencies);

    if (!unknown)
        return EXIT_DONE;
    fprintf(stderr, "tsctl: no such service or group: %s. There are:", unknown);
    for (size_t i = 0; i < command->catalogue.n; i++)
        fprintf(stderr, " %s", command->catalogue.services[i].id);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

int command_lock(struct command *command, int *ret_fd)
{
    ts_str holder = TS_STR("");
    int r = state_prepare();

    if (r == 0)
        r = state_lock(command->options.verb, command->arena, ret_fd, &holder);
    if (r == -EWOULDBLOCK)
        command_complain("another command is at work (%.*s); try again when it has finished",
                         TS_STR_ARG(holder));
    else if (r < 0)
        command_complain(".run: %s", ts_error_text(r));
    if (r == 0)
        return EXIT_DONE;
    return r == -EWOULDBLOCK ? EXIT_LOCKED : EXIT_UNAVAILABLE;
}

static FILE *stream_of(const struct command *command)
{
    return command->options.json ? stderr : stdout;
}

void command_say(const struct command *command, const char *fmt, ...)
{
    va_list args;

    if (command->options.quiet)
        return;
    va_start(args, fmt);
    vfprintf(stream_of(command), fmt, args);
    va_end(args);
    fflush(stream_of(command));
}

void command_complain(const char *fmt, ...)
{
    va_list args;

    fputs("tsctl: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void command_json(const struct command *command, json_t *object_take, int exit_code)
{
    _cleanup_(ts_json_freep) json_t *object = object_take;
    char schema[64];

    if (!command->options.json)
        return;
    snprintf(schema, sizeof(schema), "ts/%s/1", command->options.verb);
    json_object_set_new(object, "schema", json_string(schema));
    json_object_set_new(object, "exitCode", json_integer(exit_code));
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
}

static bool colours(const struct command *command)
{
    return !command->options.no_color && isatty(fileno(stream_of(command)));
}

const char *command_colour(const struct command *command, enum colour colour)
{
    if (!colours(command))
        return "";
    return colour == GREEN ? "\033[32m" : colour == YELLOW ? "\033[33m" : "\033[31m";
}

const char *command_no_colour(const struct command *command)
{
    return colours(command) ? "\033[0m" : "";
}
