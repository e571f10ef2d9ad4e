#include "environment.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/secret.h"

#define MAX_FILE_BYTES (64 * 1024)
#define SECRET_BYTES   32

static bool is_name(ts_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
              (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return name.len > 0;
}

static ts_str unquoted(ts_str value)
{
    bool quoted = value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
                  value.ptr[value.len - 1] == value.ptr[0];

    return quoted ? (ts_str){value.ptr + 1, value.len - 2} : value;
}

/* One line into `object`. False when it is no assignment. */
static bool read_line(ts_str line, json_t *object)
{
    line = ts_str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return true;
    if (ts_str_starts_with(line, TS_STR("export ")))
        line = ts_str_trim((ts_str){line.ptr + 7, line.len - 7});

    ptrdiff_t equals = ts_str_find(line, TS_STR("="));
    if (equals < 0)
        return false;
    ts_str name = {line.ptr, (size_t)equals};
    ts_str value = unquoted(ts_str_trim((ts_str){line.ptr + equals + 1, line.len - (size_t)equals - 1}));
    char key[64];
    if (!is_name(name) || name.len >= sizeof(key) || ts_str_has_nul(value))
        return false;
    memcpy(key, name.ptr, name.len);
    key[name.len] = '\0';
    return json_object_set_new(object, key, json_stringn(value.ptr, value.len)) == 0;
}

int environment_read(const char *path, struct ts_arena *arena, json_t **ret, ts_str *why)
{
    _cleanup_(ts_json_freep) json_t *object = json_object();
    ts_str content = TS_STR(""), line;
    size_t number = 0;

    int r = ts_file_read(path, MAX_FILE_BYTES, arena, &content);
    if (r < 0 && r != -ENOENT) {
        (void)!ts_arena_printf(arena, why, "%s: %s", path, ts_error_text(r));
        return r;
    }
    while (ts_str_split(&content, '\n', &line)) {
        number++;
        if (!read_line(line, object)) {
            (void)!ts_arena_printf(arena, why, "%s:%zu: not a NAME=value line", path, number);
            return TS_E_INVALID;
        }
    }
    *ret = TS_TAKE(object);
    return 0;
}

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The value of a secret in the files that exist, by its name; NULL when it is nowhere. */
static const char *known_value(const json_t *files, const json_t *secret)
{
    const char *value =
        string_of(json_object_get(files, string_of(secret, "file")), string_of(secret, "name"));

    return value && *value ? value : NULL;
}

static const json_t *secret_of_name(const struct catalogue *catalogue, const char *name)
{
    size_t i;
    const json_t *secret;

    json_array_foreach(catalogue->secrets, i,
                       secret) if (strcmp(string_of(secret, "name"), name) == 0) return secret;
    return NULL;
}

/* The value that `secret` should have: its own, or that of one it must be the same as, in either direction; NULL = none yet. */
static const char *shared_value(const struct catalogue *catalogue, const json_t *files, const json_t *secret)
{
    const char *value = known_value(files, secret);
    const char *same = string_of(secret, "sameAs");
    size_t i;
    const json_t *other;

    if (!value && same)
        value = known_value(files, secret_of_name(catalogue, same));
    json_array_foreach(catalogue->secrets, i, other)
    {
        const char *link = string_of(other, "sameAs");
        if (!value && link && strcmp(link, string_of(secret, "name")) == 0)
            value = known_value(files, other);
    }
    return value;
}

/* Reads every file that a secret stands in: an object of path -> content, null for a file that does not exist. */
static int read_secret_files(const struct catalogue *catalogue, struct ts_arena *arena, json_t *files,
                             ts_str *why)
{
    size_t i;
    const json_t *secret;

    json_array_foreach(catalogue->secrets, i, secret)
    {
        const char *path = string_of(secret, "file");
        json_t *content = NULL;
        if (json_object_get(files, path))
            continue;
        if (access(path, F_OK) < 0) {
            json_object_set_new(files, path, json_null());
            continue;
        }
        int r = environment_read(path, arena, &content, why);
        if (r < 0)
            return r;
        json_object_set_new(files, path, content);
    }
    return 0;
}

/* Gives every secret of the missing file `path` a value, in `content`. */
static void fill(const struct catalogue *catalogue, const json_t *files, const char *path, json_t *content)
{
    size_t i;
    const json_t *secret;

    json_array_foreach(catalogue->secrets, i, secret)
    {
        uint8_t bytes[SECRET_BYTES];
        char hex[2 * SECRET_BYTES + 1];
        if (strcmp(string_of(secret, "file"), path) != 0)
            continue;
        ts_random_bytes(bytes, sizeof(bytes));
        ts_hex(bytes, sizeof(bytes), hex);
        const char *value = shared_value(catalogue, files, secret);
        json_object_set_new(content, string_of(secret, "name"), json_string(value ? value : hex));
    }
}

static int write_file(const char *path, json_t *content, struct ts_arena *arena, ts_str *why)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(MAX_FILE_BYTES);
    const char *name;
    json_t *value;

    ts_buf_cstr(&buf, "# Made by `start` for this machine; never committed. Values you add stay.\n");
    json_object_foreach(content, name, value) ts_buf_printf(&buf, "%s=%s\n", name, json_string_value(value));
    int r = ts_buf_error(&buf);
    if (r == 0)
        r = ts_file_write_atomic(path, ts_buf_view(&buf), 0600);
    if (r < 0)
        (void)!ts_arena_printf(arena, why, "%s: %s", path, ts_error_text(r));
    return r;
}

static int check(const struct catalogue *catalogue, const json_t *files, struct ts_arena *arena, ts_str *why)
{
    size_t i;
    const json_t *secret;

    json_array_foreach(catalogue->secrets, i, secret)
    {
        const char *name = string_of(secret, "name"), *path = string_of(secret, "file"),
                   *same = string_of(secret, "sameAs");
        const char *value = known_value(files, secret);
        if (!value && !json_is_true(json_object_get(secret, "optional"))) {
            (void)!ts_arena_printf(
                arena, why, "%s: %s is missing; add it, or remove the file and start again", path, name);
            return TS_E_MISSING;
        }
        const json_t *other = same ? secret_of_name(catalogue, same) : NULL;
        const char *wanted = other ? known_value(files, other) : NULL;
        if (value && wanted && strcmp(value, wanted) != 0) {
            (void)!ts_arena_printf(arena, why, "%s in %s is not the same as %s in %s", name, path, same,
                                   string_of(other, "file"));
            return TS_E_CONFLICT;
        }
    }
    return 0;
}

int environment_prepare(const struct catalogue *catalogue, bool dry_run, struct ts_arena *arena,
                        size_t *ret_made, ts_str *why)
{
    _cleanup_(ts_json_freep) json_t *files = json_object();
    size_t made = 0;
    const char *path;
    json_t *content;

    int r = read_secret_files(catalogue, arena, files, why);
    if (r < 0)
        return r;
    json_object_foreach(files, path, content)
    {
        if (!json_is_null(content))
            continue;
        json_t *fresh = json_object();
        fill(catalogue, files, path, fresh);
        json_object_set_new(files, path, fresh);
        made++;
        r = dry_run ? 0 : write_file(path, fresh, arena, why);
        if (r < 0)
            return r;
    }
    r = check(catalogue, files, arena, why);
    if (r == 0)
        *ret_made = made;
    return r;
}

/* All files of the service, the later winning, then our own environment; only listed names. */
static int visible(const struct service *service, struct ts_arena *arena, json_t **ret, ts_str *why)
{
    _cleanup_(ts_json_freep) json_t *all = json_object();
    _cleanup_(ts_json_freep) json_t *listed = json_object();
    size_t i;
    const json_t *item;

    json_array_foreach(service->env_files, i, item)
    {
        _cleanup_(ts_json_freep) json_t *file = NULL;
        int r = environment_read(json_string_value(item), arena, &file, why);
        if (r < 0)
            return r;
        json_object_update(all, file);
    }
    json_array_foreach(service->env, i, item)
    {
        const char *name = json_string_value(item);
        const char *ours = getenv(name);
        if (ours && *ours)
            json_object_set_new(listed, name, json_string(ours));
        else if (json_object_get(all, name))
            json_object_set(listed, name, json_object_get(all, name));
    }
    *ret = TS_TAKE(listed);
    return 0;
}

int environment_is_demonstration(struct catalogue *catalogue, struct ts_arena *arena, bool *ret, ts_str *why)
{
    _cleanup_(ts_json_freep) json_t *seen = NULL;
    const char *id = string_of(catalogue->demonstration, "service");
    const struct service *service = id ? catalogue_find(catalogue, id) : NULL;
    size_t i;
    const json_t *name;

    if (!service) {
        *ret = false;
        return 0;
    }
    int r = visible(service, arena, &seen, why);
    if (r < 0)
        return r;
    json_array_foreach(json_object_get(catalogue->demonstration, "unlessAnyOf"), i, name)
    {
        const char *value = string_of(seen, json_string_value(name));
        if (value && *value) {
            *ret = false;
            return 0;
        }
    }
    *ret = true;
    return 0;
}

int environment_data_folder(const struct service *service, bool demonstration, struct ts_arena *arena,
                            ts_str *ret)
{
    return ts_arena_printf(arena, ret, ".run/%s/%s", demonstration ? "demo" : "data", service->id);
}

/* Settings into `seen`, {root} and {data} replaced by absolute paths. */
static int settle(const json_t *set, ts_str root, ts_str data, json_t *seen)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)set, name, value)
    {
        _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(8192);
        ts_str rest = ts_str_from(json_string_value(value));
        ptrdiff_t at;
        while ((at = ts_str_find(rest, TS_STR("{"))) >= 0) {
            ts_str from = {rest.ptr + at, rest.len - (size_t)at};
            bool is_root = ts_str_starts_with(from, TS_STR("{root}"));
            bool is_data = ts_str_starts_with(from, TS_STR("{data}"));
            ts_buf_bytes(&buf, rest.ptr, (size_t)at);
            ts_buf_str(&buf, is_root || is_data ? root : TS_STR("{"));
            if (is_data) {
                ts_buf_char(&buf, '/');
                ts_buf_str(&buf, data);
            }
            size_t skip = (size_t)at + (is_root || is_data ? 6 : 1);
            rest = (ts_str){rest.ptr + skip, rest.len - skip};
        }
        ts_buf_str(&buf, rest);
        if (ts_buf_error(&buf))
            return ts_buf_error(&buf);
        json_object_set_new(seen, name, json_stringn(buf.data ? buf.data : "", buf.len));
    }
    return 0;
}

/* PATH with our own Node first, as tools/env.sh does it. */
static int add_basics(json_t *seen, ts_str root, struct ts_arena *arena)
{
    static const char *const basics[] = {"HOME", "LANG", "TZ"};
    const char *path = getenv("PATH");
    ts_str with_node;

    int r = ts_arena_printf(arena, &with_node, "%.*s/.cache/node/bin:%s", TS_STR_ARG(root),
                            path ? path : "/usr/bin:/bin");
    if (r < 0)
        return r;
    json_object_set_new(seen, "PATH", json_string(with_node.ptr));
    for (size_t i = 0; i < TS_ARRAY_LEN(basics); i++)
        if (getenv(basics[i]))
            json_object_set_new(seen, basics[i], json_string(getenv(basics[i])));
    return 0;
}

int environment_of(const struct catalogue *catalogue, const struct service *service, bool demonstration,
                   struct ts_arena *arena, json_t **ret, ts_str *why)
{
    _cleanup_(ts_json_freep) json_t *seen = NULL;
    _cleanup_(ts_json_freep) json_t *lines = json_array();
    char folder[4096];
    const char *name;
    _cleanup_(ts_json_freep) json_t *set = json_object();
    const char *demo = string_of(catalogue->demonstration, "service");
    json_t *value;
    ts_str data, line;

    if (!getcwd(folder, sizeof(folder)))
        return -errno;
    ts_str root = ts_str_from(folder);
    int r = visible(service, arena, &seen, why);
    if (r == 0)
        r = environment_data_folder(service, demonstration, arena, &data);
    if (r == 0)
        r = settle(service->set, root, data, set);
    if (r == 0)
        r = json_object_update_missing(seen, set) < 0 ? -ENOMEM : 0; /* what the user says wins */
    if (r == 0 && demonstration && demo && strcmp(demo, service->id) == 0)
        r = settle(json_object_get(catalogue->demonstration, "set"), root, data, seen);
    if (r == 0)
        r = add_basics(seen, root, arena);
    if (r < 0)
        return r;
    json_object_foreach(seen, name, value)
    {
        r = ts_arena_printf(arena, &line, "%s=%s", name, json_string_value(value));
        if (r < 0 || json_array_append_new(lines, json_stringn(line.ptr, line.len)) < 0)
            return r < 0 ? r : TS_E_UTF8;
    }
    *ret = TS_TAKE(lines);
    return 0;
}
