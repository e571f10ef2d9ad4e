/*
 * The service catalogue, config/services.json, as the commands need it. Its schema is checked by the tests, not here: what is
 * read here is checked as far as the commands rely on it.
 * Ownership: everything borrows from the catalogue and lives as long as it. Thread rule: main thread.
 */
#ifndef TSCTL_CATALOGUE_H
#define TSCTL_CATALOGUE_H

#include <stdbool.h>

#include "base/arena.h"
#include "http/json.h"

#define MAX_SERVICES 64

struct service {
    const char *id, *name, *group;
    int port;               /* 0 = none */
    const char *health_url; /* NULL = none: healthy as soon as it runs */
    bool critical;
    int memory_limit_mb; /* 0 = not known */
    const json_t *aliases, *dependencies;

    /* As a local process; `command` is NULL for a service that is none. */
    const char *command, *cwd;
    const json_t *args, *env, *env_files, *set, *prepare; /* NULL = absent */
    int ready_timeout_s;

    bool selected;
};

struct catalogue {
    json_t *json; /* owned */
    struct service services[MAX_SERVICES];
    size_t n;
    const json_t *secrets;       /* array, or NULL */
    const json_t *demonstration; /* object, or NULL */
};

/* 0, or an error and what is wrong in `why`, in the arena. */
TS_MUST_CHECK int catalogue_load(const char *path, struct ts_arena *arena, struct catalogue *ret,
                                 ts_str *why);
void catalogue_done(struct catalogue *catalogue);

/* By id or alias; NULL when there is none. */
struct service *catalogue_find(struct catalogue *catalogue, const char *name);

/*
 * Marks the services that are meant: by id, alias or group; all local ones when `n` is 0. With `dependencies`, also what they
 * need. Returns NULL, or the name that means nothing.
 */
const char *catalogue_select(struct catalogue *catalogue, char *const *names, size_t n, bool dependencies);

#endif
