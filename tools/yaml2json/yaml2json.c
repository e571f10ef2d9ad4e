/*
 * Build step: a YAML file becomes JSON and both become C strings, so that a program can serve its OpenAPI file in either form from one
 * source.
 *
 *     yaml2json openapi.yaml openapi.c openapi.h openapi      defines openapi_yaml and openapi_json
 *
 * Plain scalars follow YAML 1.2's JSON schema (null, true, false, numbers); quoted and block scalars are strings. Anchors, tags and several
 * documents are refused: the file is also read by other tools.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

struct text {
    char *data;
    size_t len, size;
};

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "yaml2json: %s\n", what);
    _exit(1);
}

static void put(struct text *out, const char *bytes, size_t len)
{
    if (out->len + len + 1 > out->size) {
        out->size = (out->len + len + 1) * 2;
        out->data = realloc(out->data, out->size);
        if (!out->data)
            fail("out of memory");
    }
    memcpy(out->data + out->len, bytes, len);
    out->len += len;
    out->data[out->len] = '\0';
}

static void put_string(struct text *out, const char *s, size_t len)
{
    put(out, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        char escaped[8];
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            put(out, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\%c", c));
        else if (c == '\n')
            put(out, "\\n", 2);
        else if (c < ' ')
            put(out, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", c));
        else
            put(out, &s[i], 1);
    }
    put(out, "\"", 1);
}

/* -?int frac? exp? as JSON writes it. */
static bool is_number(const char *s)
{
    s += *s == '-';
    if (*s == '0' && s[1] >= '0' && s[1] <= '9')
        return false;
    size_t digits = strspn(s, "0123456789");
    if (digits == 0)
        return false;
    s += digits;
    if (*s == '.') {
        digits = strspn(s + 1, "0123456789");
        if (digits == 0)
            return false;
        s += 1 + digits;
    }
    return *s == '\0';
}

static void put_scalar(struct text *out, const yaml_node_t *node)
{
    const char *value = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool word = strcmp(value, "true") == 0 || strcmp(value, "false") == 0 || strcmp(value, "null") == 0;

    if (plain && (word || is_number(value)))
        put(out, value, strlen(value));
    else if (plain && (*value == '\0' || strcmp(value, "~") == 0))
        put(out, "null", 4);
    else
        put_string(out, value, node->data.scalar.length);
}

static void put_node(struct text *out, yaml_document_t *document, int index)
{
    const yaml_node_t *node = yaml_document_get_node(document, index);
    if (!node)
        fail("missing node");
    if (node->type == YAML_SCALAR_NODE) {
        put_scalar(out, node);
    } else if (node->type == YAML_SEQUENCE_NODE) {
        put(out, "[", 1);
        for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
             item++) {
            if (item != node->data.sequence.items.start)
                put(out, ",", 1);
            put_node(out, document, *item);
        }
        put(out, "]", 1);
    } else {
        put(out, "{", 1);
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
             pair++) {
            const yaml_node_t *key = yaml_document_get_node(document, pair->key);
            if (pair != node->data.mapping.pairs.start)
                put(out, ",", 1);
            if (!key || key->type != YAML_SCALAR_NODE)
                fail("a key is not a scalar");
            put_string(out, (const char *)key->data.scalar.value, key->data.scalar.length);
            put(out, ":", 1);
            put_node(out, document, pair->value);
        }
        put(out, "}", 1);
    }
}

static struct text read_file(const char *path)
{
    struct text out = {0};
    char chunk[8192];
    size_t n;
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        put(&out, chunk, n);
    fclose(file);
    return out;
}

static struct text convert(const struct text *yaml)
{
    struct text out = {0};
    yaml_parser_t parser;
    yaml_document_t document;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->data, yaml->len);
    if (!yaml_parser_load(&parser, &document)) {
        fprintf(stderr, "yaml2json: line %zu: %s\n", parser.problem_mark.line + 1,
                parser.problem ? parser.problem : "?");
        _exit(1);
    }
    put_node(&out, &document, 1);
    put(&out, "\n", 1);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return out;
}

/* As an array of bytes: a string literal has a length that compilers may refuse. */
static void write_array(FILE *file, const char *name, const char *suffix, const struct text *text)
{
    fprintf(file, "const char %s_%s[] = {", name, suffix);
    for (size_t i = 0; i < text->len; i++)
        fprintf(file, "%s%d,", i % 32 == 0 ? "\n    " : "", (signed char)text->data[i]);
    fprintf(file, "\n    0};\n");
}

static FILE *create(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        fail(path);
    return file;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        fail("usage: yaml2json file.yaml out.c out.h name");
    struct text yaml = read_file(argv[1]), json = convert(&yaml);
    FILE *source = create(argv[2]), *header = create(argv[3]);

    fprintf(header,
            "/* Made from %s.yaml by tools/yaml2json. */\n#pragma once\nextern const char %s_yaml[], "
            "%s_json[];\n",
            argv[4], argv[4], argv[4]);
    fprintf(source, "#include \"%s.h\"\n\n", argv[4]);
    write_array(source, argv[4], "yaml", &yaml);
    write_array(source, argv[4], "json", &json);
    free(yaml.data);
    free(json.data);
    return fclose(source) == 0 && fclose(header) == 0 ? 0 : 1;
}
