#include "catalogue.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const json_t *array(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_array(value) ? value : NULL;
}

static const json_t *members(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_object(value) ? value : NULL;
}

static int number(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 && value <= 1000000 ? (int)value : 0;
}

static bool read_service(const json_t *json, struct service *ret)
{
    const json_t *local = members(json, "local");
    const char *check = text(json, "check");

    *ret = (struct service){
        .id = text(json, "id"),
        .name = text(json, "name"),
        .group = text(json, "group"),
        .port = number(json, "port"),
        .health_url = check && strcmp(check, "http") == 0 ? text(json, "healthUrl") : NULL,
        .critical = json_is_true(json_object_get(json, "critical")),
        .memory_limit_mb = number(json, "memoryLimitMb"),
        .aliases = array(json, "aliases"),
        .dependencies = array(json, "dependencies"),
    };
    if (local) {
        ret->command = text(local, "command");
        ret->cwd = text(local, "cwd");
        ret->args = array(local, "args");
        ret->env = array(local, "env");
        ret->env_files = array(local, "envFiles");
        ret->set = members(local, "set");
        ret->prepare = array(local, "prepare");
        ret->ready_timeout_s = number(local, "readyTimeout");
    }
    if (ret->ready_timeout_s == 0)
        ret->ready_timeout_s = 60;
    return ret->id && ret->name && ret->group && (!local || (ret->command && ret->cwd));
}

int catalogue_load(const char *path, struct ts_arena *arena, struct catalogue *ret, ts_str *why)
{
    struct catalogue catalogue = {0};
    ts_str content;
    size_t i;
    const json_t *item;

    int r = ts_file_read(path, TS_MAX_BODY_BYTES, arena, &content);
    if (r == 0)
        r = ts_json_parse_object(content, TS_MAX_JSON_DEPTH, &catalogue.json);
    if (r < 0) {
        (void)!ts_arena_printf(arena, why, "%s: %s", path, ts_error_text(r));
        return r;
    }
    json_array_foreach(array(catalogue.json, "services"), i, item)
    {
        if (catalogue.n < MAX_SERVICES && read_service(item, &catalogue.services[catalogue.n])) {
            catalogue.n++;
            continue;
        }
        (void)!ts_arena_printf(arena, why, "%s: service %zu is not complete", path, i + 1);
        json_decref(catalogue.json);
        return TS_E_INVALID;
    }
    catalogue.secrets = array(catalogue.json, "secrets");
    catalogue.demonstration = members(catalogue.json, "demonstration");
    *ret = catalogue;
    return 0;
}

void catalogue_done(struct catalogue *catalogue)
{
    json_decref(catalogue->json);
    catalogue->json = NULL;
}

static bool contains(const json_t *strings, const char *name)
{
    size_t i;
    const json_t *item;

    json_array_foreach(strings, i, item)
    {
        const char *value = json_string_value(item);
        if (value && strcmp(value, name) == 0)
            return true;
    }
    return false;
}

struct service *catalogue_find(struct catalogue *catalogue, const char *name)
{
    for (size_t i = 0; i < catalogue->n; i++) {
        struct service *service = &catalogue->services[i];
        if (strcmp(service->id, name) == 0 || contains(service->aliases, name))
            return service;
    }
    return NULL;
}

/* A service stands after those it depends on, so one walk backwards finds them all. */
static void select_dependencies(struct catalogue *catalogue)
{
    for (size_t i = catalogue->n; i-- > 0;)
        for (size_t j = 0; j < i && catalogue->services[i].selected; j++)
            if (contains(catalogue->services[i].dependencies, catalogue->services[j].id))
                catalogue->services[j].selected = true;
}

const char *catalogue_select(struct catalogue *catalogue, char *const *names, size_t n, bool dependencies)
{
    for (size_t i = 0; i < n; i++) {
        struct service *service = catalogue_find(catalogue, names[i]);
        bool found = service != NULL;
        if (service)
            service->selected = true;
        for (size_t j = 0; !service && j < catalogue->n; j++)
            if (strcmp(catalogue->services[j].group, names[i]) == 0)
                found = catalogue->services[j].selected = true;
        if (!found)
            return names[i];
    }
    for (size_t i = 0; i < catalogue->n; i++)
        if (n == 0)
            catalogue->services[i].selected = true;
    if (dependencies)
        select_dependencies(catalogue);
    for (size_t i = 0; i < catalogue->n; i++)
        catalogue->services[i].selected &= catalogue->services[i].command != NULL;
    return NULL;
}
