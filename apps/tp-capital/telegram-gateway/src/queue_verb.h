/* The commands `queue list|export|import` and `recover`. Blocking; they return the exit code. */
#ifndef GATEWAY_QUEUE_VERB_H
#define GATEWAY_QUEUE_VERB_H

#include "service/service.h"

#define QUEUE_HELP                                                                                      \
    "list | export | import FILE: the outbox as a table, as JSON lines, from JSON lines (- = standard " \
    "input; gateway stopped)"
#define RECOVER_HELP                                                                                       \
    "[--dry-run] [--include-rejected]: try every failed message again, through the running gateway or by " \
    "itself; exit 0 when none failed"

int queue_verb(struct ts_service *service, int argc, char **argv);
int recover_verb(struct ts_service *service, int argc, char **argv);

#endif
