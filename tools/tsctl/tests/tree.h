/*
 * A small tree with a catalogue of test services, and the commands run in it. Removed at the end; the supervisor ends itself when its
 * folder is gone. Thread rule: main thread.
 */
#ifndef TSCTL_TESTS_TREE_H
#define TSCTL_TESTS_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "http/json.h"
#include "testing/process.h"

struct tree {
    char root[TS_TEST_PATH_SIZE];
    int ports[3];
    struct ts_arena *arena;
    char *out; /* of the last command: standard output and error together; owned */
};

void tree_make(struct tree *tree);
void tree_remove(struct tree *tree);

/*
 * Writes config/services.json with services alpha (critical), beta (not critical, needs alpha) and gamma (critical, group other). `edit` is a
 * JSON object of id -> {"set": {…}, "prepare": […], "command": …} laid over them; NULL = as they are.
 */
void tree_catalogue(struct tree *tree, const char *edit);

/* Writes a file of the tree. */
void tree_put(struct tree *tree, const char *path, const char *content);

/* Runs `tsctl` with these words (NULL at the end) and returns its exit code; what it printed is in tree->out. */
int tree_run(struct tree *tree, ...) __attribute__((sentinel));
#define RUN(tree, ...) tree_run(tree, __VA_ARGS__, (char *)NULL)

/* The pid in the record of a service; 0 = no record, or it does not run. */
pid_t tree_pid(struct tree *tree, const char *id);
/* True as soon as the service runs under another pid than `before` and answers. */
bool tree_wait_other_pid(struct tree *tree, const char *id, pid_t before, int timeout_ms);

#endif
