#include "tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"

#define MAX_WORDS 16

static const char *const ids[] = {"alpha", "beta", "gamma"};

void tree_make(struct tree *tree)
{
    *tree = (struct tree){.arena = ts_arena_new(1 << 20)};
    ts_test_dir_make(tree->root);
    for (size_t i = 0; i < TS_ARRAY_LEN(tree->ports); i++)
        tree->ports[i] = ts_test_free_port();
    tree_catalogue(tree, NULL);
}

void tree_remove(struct tree *tree)
{
    RUN(tree, "stop", "--timeout", "1", "--quiet");
    ts_test_dir_remove(tree->root);
    free(tree->out);
    ts_arena_free(tree->arena);
}

void tree_put(struct tree *tree, const char *path, const char *content)
{
    char full[PATH_MAX], folder[PATH_MAX];

    snprintf(full, sizeof(full), "%s/%s", tree->root, path);
    snprintf(folder, sizeof(folder), "%s", full);
    *strrchr(folder, '/') = '\0';
    if (ts_mkdir_all(folder, 0700) < 0 || ts_file_write_atomic(full, ts_str_from(content), 0600) < 0)
        ts_test_die("cannot write %s", full);
}

static json_t *entry(const struct tree *tree, size_t i, const json_t *edit)
{
    char url[64], port[16];
    const char *id = ids[i];
    const char *command = json_string_value(json_object_get(edit, "command"));
    char program[PATH_MAX];

    snprintf(program, sizeof(program), "%s/tests/tsctl-test-service", getenv("TS_BUILD_DIR"));
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/health", tree->ports[i]);
    snprintf(port, sizeof(port), "%d", tree->ports[i]);
    json_t *local =
        json_pack("{s:s, s:[], s:s, s:[s], s:[s, s], s:{s:s}}", "command", command ? command : program,
                  "args", "cwd", ".", "envFiles", ".env", "env", "SEEN", "TOKEN", "set", "PORT", port);
    json_object_update(json_object_get(local, "set"), json_object_get(edit, "set"));
    if (json_object_get(edit, "prepare"))
        json_object_set(local, "prepare", json_object_get(edit, "prepare"));
    return json_pack("{s:s, s:s, s:[], s:s, s:i, s:s, s:s, s:b, s:o, s:o}", "id", id, "name", id, "aliases",
                     "group", i == 2 ? "other" : "main", "port", tree->ports[i], "check", "http", "healthUrl",
                     url, "critical", i != 1, "dependencies",
                     i == 1 ? json_pack("[s]", "alpha") : json_array(), "local", local);
}

void tree_catalogue(struct tree *tree, const char *edit)
{
    json_t *edits = edit ? json_loads(edit, 0, NULL) : json_object();
    json_t *services = json_array();

    if (!edits)
        ts_test_die("not JSON: %s", edit);
    for (size_t i = 0; i < TS_ARRAY_LEN(ids); i++)
        json_array_append_new(services, entry(tree, i, json_object_get(edits, ids[i])));
    json_t *catalogue =
        json_pack("{s:i, s:o, s:[{s:s,s:s}, {s:s,s:s,s:s}], s:{s:s, s:[s], s:{s:s}}}", "version", 1,
                  "services", services, "secrets", "file", ".env", "name", "TOKEN", "file", "other.env",
                  "name", "OTHER", "sameAs", "TOKEN", "demonstration", "service", "alpha", "unlessAnyOf",
                  "SEEN", "set", "DEMO", "{root}|{data}|{x}");
    char *text = json_dumps(catalogue, JSON_INDENT(2));
    tree_put(tree, "config/services.json", text);
    free(text);
    json_decref(catalogue);
    json_decref(edits);
}

int tree_run(struct tree *tree, ...)
{
    char program[TS_TEST_PATH_SIZE], root[PATH_MAX], output[TS_TEST_PATH_SIZE];
    const char *argv[MAX_WORDS] = {ts_test_program("tsctl", program)};
    const char *env[] = {root, "TSCTL_BACKOFF_MS=10", "HIDDEN=no service sees this", NULL};
    va_list words;
    size_t n = 1;

    snprintf(root, sizeof(root), "TSCTL_ROOT=%s", tree->root);
    va_start(words, tree);
    while (n < MAX_WORDS - 1 && (argv[n] = va_arg(words, const char *)))
        n++;
    va_end(words);
    int exit_code = ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output);
    free(tree->out);
    tree->out = ts_test_read_file(output);
    unlink(output);
    return exit_code;
}

static json_t *record(struct tree *tree, const char *id)
{
    char path[PATH_MAX];
    json_t *json = NULL;
    ts_str text;

    snprintf(path, sizeof(path), "%s/.run/services/%s.json", tree->root, id);
    if (ts_file_read(path, 4096, tree->arena, &text) == 0)
        (void)!ts_json_parse_object(text, 4, &json);
    return json;
}

pid_t tree_pid(struct tree *tree, const char *id)
{
    _cleanup_(ts_json_freep) json_t *json = record(tree, id);
    const char *state = json_string_value(json_object_get(json, "state"));

    return state && strcmp(state, "running") == 0 ? (pid_t)json_integer_value(json_object_get(json, "pid"))
                                                  : 0;
}

bool tree_wait_other_pid(struct tree *tree, const char *id, pid_t before, int timeout_ms)
{
    int64_t end = ts_test_now_ms() + timeout_ms;

    while (ts_test_now_ms() < end) {
        pid_t now = tree_pid(tree, id);
        if (now != 0 && now != before && RUN(tree, "status", id) == 0)
            return true;
        ts_test_sleep_ms(20);
    }
    return false;
}
