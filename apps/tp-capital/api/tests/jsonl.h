/* Test data in JSON lines. */
#ifndef TP_CAPITAL_TESTS_JSONL_H
#define TP_CAPITAL_TESTS_JSONL_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* The objects of a file of the source tree, one a line, as an array. A file that is missing, empty or broken aborts the test. */
static inline json_t *jsonl_load(const char *path)
{
    const char *root = getenv("TS_SOURCE_DIR");
    char full_path[4096], line[32768];
    json_t *list = json_array();
    json_error_t error;

    snprintf(full_path, sizeof(full_path), "%s/%s", root ? root : ".", path);
    FILE *file = fopen(full_path, "r");
    if (!file) {
        perror(full_path);
        abort();
    }
    while (fgets(line, sizeof(line), file)) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        if (!object) {
            fprintf(stderr, "%s:%zu: %s\n", full_path, json_array_size(list) + 1, error.text);
            abort();
        }
        json_array_append_new(list, object);
    }
    fclose(file);
    if (json_array_size(list) == 0) {
        fprintf(stderr, "%s is empty\n", full_path);
        abort();
    }
    return list;
}

#endif
