#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/number.h"

#define MAX_NAME_BYTES 128

/* What one call of ts_config_load carries along. */
struct loader {
    const struct ts_config_field *field;
    char *config;
    struct ts_arena *arena;
    struct ts_buf *errors;
    ts_config_getenv getenv_fn;
    void *ctx;
    int n_errors;
    bool value_in_arena; /* the last value came from a file */
};

/* A name with its ending, NUL-terminated: PORT + _FILE. */
struct name {
    char text[MAX_NAME_BYTES];
};

static const char *real_getenv(const char *name, void *ctx)
{
    (void)ctx;
    return getenv(name);
}

static void fail(struct loader *loader, const char *name, const char *why)
{
    loader->n_errors++;
    ts_buf_printf(loader->errors, "FATAL: %s is invalid: %s\n", name, why);
}

static void fail_required(struct loader *loader)
{
    loader->n_errors++;
    ts_buf_printf(loader->errors, "FATAL: %s is required\n", loader->field->name);
}

static struct name make_name(ts_str base, const char *ending)
{
    struct name name;

    snprintf(name.text, sizeof(name.text), "%.*s%s", TS_STR_ARG(base), ending);
    return name;
}

/* Empty counts as unset. */
static const char *read_env(const struct loader *loader, const char *name)
{
    const char *value = loader->getenv_fn(name, loader->ctx);

    return value && *value ? value : NULL;
}

static ts_str without_line_end(ts_str s)
{
    if (ts_str_ends_with(s, TS_STR("\n")))
        s.len--;
    if (ts_str_ends_with(s, TS_STR("\r")))
        s.len--;
    return s;
}

static int read_value_file(struct loader *loader, const char *name, const char *path, ts_str *ret)
{
    int r = ts_file_read(path, TS_MAX_CONFIG_VALUE_BYTES, loader->arena, ret);

    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        fail(loader, name, r == TS_E_LIMIT ? "the file is larger than 64 KiB" : ts_error_text(r));
        return TS_E_INVALID;
    }
    *ret = without_line_end(*ret);
    loader->value_in_arena = true;
    return ret->len > 0;
}

/* NAME or NAME_FILE. 1 with the value, 0 when neither is set, TS_E_INVALID (reported) or -ENOMEM. */
static int read_name(struct loader *loader, struct name name, ts_str *ret)
{
    struct name file_name = make_name(ts_str_from(name.text), "_FILE");
    const char *value = read_env(loader, name.text);
    const char *path = read_env(loader, file_name.text);

    if (value && path) {
        struct ts_buf *errors = loader->errors;
        loader->n_errors++;
        ts_buf_printf(errors, "FATAL: %s is invalid: set %s or %s, not both\n", name.text, name.text,
                      file_name.text);
        return TS_E_INVALID;
    }
    if (path)
        return read_value_file(loader, file_name.text, path, ret);
    if (!value)
        return 0;
    *ret = ts_str_from(value);
    return 1;
}

/* The field's name and then its aliases, each with `ending`; `ret_name` is the one that was set. */
static int find_value(struct loader *loader, const char *ending, struct name *ret_name, ts_str *ret)
{
    ts_str alias, rest = ts_str_from(loader->field->aliases);

    loader->value_in_arena = false;
    *ret_name = make_name(ts_str_from(loader->field->name), ending);
    int r = read_name(loader, *ret_name, ret);
    while (r == 0 && ts_str_split(&rest, ',', &alias)) {
        *ret_name = make_name(alias, ending);
        r = read_name(loader, *ret_name, ret);
    }
    return r;
}

/* --- types: each fills `member` or returns NULL-terminated text in `why` --- */

#define WHY_BYTES 512

static int invalid(char *why, const char *text)
{
    snprintf(why, WHY_BYTES, "%s", text);
    return TS_E_INVALID;
}

static bool has_bounds(const struct ts_config_field *field)
{
    return field->min != 0 || field->max != 0;
}

static int parse_int(const struct ts_config_field *field, ts_str text, int64_t *ret, char *why)
{
    int64_t min = has_bounds(field) ? field->min : INT64_MIN;
    int64_t max = has_bounds(field) ? field->max : INT64_MAX;

    if (ts_parse_i64(text, min, max, ret) == 0)
        return 0;
    if (has_bounds(field))
        snprintf(why, WHY_BYTES, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
    else
        snprintf(why, WHY_BYTES, "must be a whole number");
    return TS_E_INVALID;
}

static int parse_enum(const struct ts_config_field *field, ts_str text, int *ret, char *why)
{
    struct ts_buf buf = {.data = why, .capacity = WHY_BYTES - 1, .max_bytes = WHY_BYTES - 1};

    for (int i = 0; field->choices[i]; i++)
        if (ts_str_eq(text, ts_str_from(field->choices[i]))) {
            *ret = i;
            return 0;
        }
    ts_buf_cstr(&buf, "must be one of");
    for (int i = 0; field->choices[i]; i++)
        if (field->choices[i][0]) /* "" stands for unset */
            ts_buf_printf(&buf, " %s%s", field->choices[i], field->choices[i + 1] ? "," : "");
    why[buf.len] = '\0';
    return TS_E_INVALID;
}

static bool is_printable(ts_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

static int parse_secret(const struct ts_config_field *field, ts_str text, struct ts_secret *ret, char *why)
{
    int64_t min = has_bounds(field) ? field->min : 1;
    int64_t max = has_bounds(field) ? field->max : TS_MAX_SECRET_BYTES;

    if (!is_printable(text))
        return invalid(why, "must be printable ASCII");
    if ((int64_t)text.len < min || (int64_t)text.len > max) {
        snprintf(why, WHY_BYTES, "must have %lld to %lld characters", (long long)min, (long long)max);
        return TS_E_INVALID;
    }
    return ts_secret_set(ret, text);
}

static size_t count_pieces(ts_str list)
{
    ts_str piece;
    size_t n = 0;

    while (ts_str_split(&list, ',', &piece))
        n++;
    return n;
}

static int parse_str_list(struct ts_arena *arena, ts_str text, struct ts_str_list *ret, char *why)
{
    ts_str piece, *items = TS_ARENA_ARRAY(arena, count_pieces(text), ts_str);
    size_t n = 0;

    if (!items)
        return -ENOMEM;
    while (ts_str_split(&text, ',', &piece)) {
        if (piece.len == 0)
            return invalid(why, "has an empty item");
        int r = ts_arena_dup(arena, piece, &items[n++]);
        if (r < 0)
            return r;
    }
    *ret = (struct ts_str_list){items, n};
    return 0;
}

static int parse_int_list(const struct ts_config_field *field, struct ts_arena *arena, ts_str text,
                          struct ts_i64_list *ret, char *why)
{
    ts_str piece;
    int64_t *items = TS_ARENA_ARRAY(arena, count_pieces(text), int64_t);
    size_t n = 0;

    if (!items)
        return -ENOMEM;
    while (ts_str_split(&text, ',', &piece)) {
        int r = parse_int(field, piece, &items[n++], why);
        if (r < 0)
            return r;
    }
    *ret = (struct ts_i64_list){items, n};
    return 0;
}

static int parse(struct loader *loader, ts_str text, void *member, char *why)
{
    const struct ts_config_field *field = loader->field;

    if (ts_str_has_nul(text))
        return invalid(why, "contains a NUL byte");
    if (!ts_utf8_valid(text))
        return invalid(why, "must be UTF-8");
    switch (field->type) {
    case TS_CONFIG_STR:
        return ts_arena_dup(loader->arena, text, member);
    case TS_CONFIG_INT:
        return parse_int(field, text, member, why);
    case TS_CONFIG_BOOL:
        return ts_parse_bool(text, member) == 0 ? 0 : invalid(why, "must be true or false");
    case TS_CONFIG_ENUM:
        return parse_enum(field, text, member, why);
    case TS_CONFIG_SECRET:
        return parse_secret(field, text, member, why);
    case TS_CONFIG_STR_LIST:
        return parse_str_list(loader->arena, text, member, why);
    case TS_CONFIG_INT_LIST:
        return parse_int_list(field, loader->arena, text, member, why);
    }
    return invalid(why, "has an unknown type");
}

/* Parses and checks; reports what is wrong under `name`. 0, also when reported, or -ENOMEM. */
static int store(struct loader *loader, const char *name, ts_str text, void *member)
{
    char why[WHY_BYTES];
    int r = parse(loader, text, member, why);

    /* Arenas are not wiped when they are freed. */
    if (loader->field->type == TS_CONFIG_SECRET && loader->value_in_arena)
        explicit_bzero((char *)text.ptr, text.len);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        fail(loader, name, why);
        return 0;
    }
    const char *objection = loader->field->check ? loader->field->check(member) : NULL;
    if (objection)
        fail(loader, name, objection);
    return 0;
}

/* --- fields --- */

static int load_field(struct loader *loader)
{
    const struct ts_config_field *field = loader->field;
    char *member = loader->config + field->offset;
    struct name name;
    ts_str value = TS_STR_NONE;

    int r = find_value(loader, "", &name, &value);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return 0; /* reported */
    if (r == 0 && field->fallback)
        return store(loader, field->name, ts_str_from(field->fallback), member);
    if (r == 0) {
        if (field->required)
            fail_required(loader);
        return 0;
    }
    return store(loader, name.text, value, member);
}

static int load_previous(struct loader *loader)
{
    const struct ts_config_field *field = loader->field;
    struct name name;
    ts_str value;

    if (field->type != TS_CONFIG_SECRET || field->previous_offset == 0)
        return 0;
    int r = find_value(loader, "_PREVIOUS", &name, &value);
    if (r <= 0)
        return r == -ENOMEM ? r : 0;
    return store(loader, name.text, value, loader->config + field->previous_offset);
}

int ts_config_load(const struct ts_config_field *fields, size_t n, void *config, struct ts_arena *arena,
                   struct ts_buf *errors, ts_config_getenv getenv_fn, void *ctx)
{
    struct loader loader = {
        .config = config,
        .arena = arena,
        .errors = errors,
        .getenv_fn = getenv_fn ? getenv_fn : real_getenv,
        .ctx = ctx,
    };

    for (size_t i = 0; i < n; i++) {
        loader.field = &fields[i];
        if (load_field(&loader) < 0 || load_previous(&loader) < 0)
            return -ENOMEM;
    }
    return ts_buf_error(errors) == -ENOMEM ? -ENOMEM : loader.n_errors;
}

void ts_config_wipe(const struct ts_config_field *fields, size_t n, void *config)
{
    for (size_t i = 0; i < n; i++) {
        if (fields[i].type != TS_CONFIG_SECRET)
            continue;
        ts_secret_done((void *)((char *)config + fields[i].offset));
        if (fields[i].previous_offset > 0)
            ts_secret_done((void *)((char *)config + fields[i].previous_offset));
    }
}

/* --- help --- */

static void put_kind(const struct ts_config_field *field, struct ts_buf *out)
{
    static const char *const kinds[] = {
        [TS_CONFIG_STR] = "text",
        [TS_CONFIG_INT] = "number",
        [TS_CONFIG_BOOL] = "true or false",
        [TS_CONFIG_ENUM] = "one of",
        [TS_CONFIG_SECRET] = "secret",
        [TS_CONFIG_STR_LIST] = "comma-separated list",
        [TS_CONFIG_INT_LIST] = "comma-separated numbers",
    };

    ts_buf_cstr(out, kinds[field->type]);
    if (field->type == TS_CONFIG_ENUM)
        for (int i = 0; field->choices[i]; i++)
            if (field->choices[i][0])
                ts_buf_printf(out, " %s%s", field->choices[i], field->choices[i + 1] ? "," : "");
    if (has_bounds(field)) {
        const char *unit = field->type == TS_CONFIG_SECRET ? " characters" : "";
        ts_buf_printf(out, ", %lld to %lld%s", (long long)field->min, (long long)field->max, unit);
    }
}

void ts_config_help(const struct ts_config_field *fields, size_t n, struct ts_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct ts_config_field *field = &fields[i];
        ts_buf_printf(out, "  %-36s %s\n  %-36s ", field->name, field->help, "");
        put_kind(field, out);
        if (field->required)
            ts_buf_cstr(out, "; required");
        else if (field->fallback)
            ts_buf_printf(out, "; default %s", field->fallback);
        if (field->aliases)
            ts_buf_printf(out, "; also %s", field->aliases);
        if (field->previous_offset > 0)
            ts_buf_printf(out, "; during a rotation also %s_PREVIOUS", field->name);
        ts_buf_char(out, '\n');
    }
}
