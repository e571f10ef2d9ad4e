/*
 * What every verb is given, and how it speaks: lines for people on standard output, which with --format json go to standard error and
 * leave standard output to one JSON object. Thread rule: main thread.
 */
#ifndef TSCTL_COMMAND_H
#define TSCTL_COMMAND_H

#include <stdio.h>

#include "catalogue.h"
#include "options.h"

struct command {
    struct options options;
    struct catalogue catalogue;
    struct ts_arena *arena; /* of the whole run */
};

/* The verbs. Each returns an exit code. */
int command_start(struct command *command);
int command_stop(struct command *command);
int command_status(struct command *command);

/* Marks the services named on the command line; prints what is unknown. 0 or EXIT_USAGE. */
int command_select(struct command *command, bool dependencies);

/* Takes the lock; prints who has it. EXIT_DONE with *ret_fd, EXIT_LOCKED or EXIT_UNAVAILABLE. */
int command_lock(struct command *command, int *ret_fd);

/* A line for people; nothing with --quiet. */
void command_say(const struct command *command, const char *fmt, ...) TS_PRINTF(2, 3);
/* What went wrong, on standard error, also with --quiet. */
void command_complain(const char *fmt, ...) TS_PRINTF(1, 2);
/* The object for --format json, with "schema" and "exitCode" added; nothing otherwise. Takes the object. */
void command_json(const struct command *command, json_t *object_take, int exit_code);

/* "ok" in green and so on, when colours are wanted. */
enum colour { GREEN = 32, YELLOW = 33, RED = 31 };
const char *command_colour(const struct command *command, enum colour colour);
const char *command_no_colour(const struct command *command);

#endif
