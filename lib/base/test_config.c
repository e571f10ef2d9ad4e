#include "base/config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

struct config {
    int64_t port, offset;
    bool on;
    int level;
    ts_str host;
    struct ts_secret token, token_previous;
    struct ts_str_list hosts;
    struct ts_i64_list ids;
};

static const char *const levels[] = {"", "debug", "info", "warn", NULL};

static const char *check_host(const void *member)
{
    const ts_str *host = member;

    return ts_str_eq(*host, TS_STR("bad")) ? "is a bad host" : NULL;
}

static const struct ts_config_field fields[] = {
    {.name = "T_PORT",
     .aliases = "PORT,OLD_PORT",
     .type = TS_CONFIG_INT,
     .offset = offsetof(struct config, port),
     .fallback = "4005",
     .min = 1,
     .max = 65535,
     .help = "Port to listen on"},
    {.name = "OFFSET",
     .type = TS_CONFIG_INT,
     .offset = offsetof(struct config, offset),
     .help = "Any number"},
    {.name = "ON",
     .type = TS_CONFIG_BOOL,
     .offset = offsetof(struct config, on),
     .fallback = "true",
     .help = "Switch"},
    {.name = "LEVEL",
     .type = TS_CONFIG_ENUM,
     .offset = offsetof(struct config, level),
     .choices = levels,
     .help = "Level"},
    {.name = "HOST",
     .type = TS_CONFIG_STR,
     .offset = offsetof(struct config, host),
     .check = check_host,
     .help = "Host"},
    {.name = "TOKEN",
     .aliases = "OLD_TOKEN",
     .type = TS_CONFIG_SECRET,
     .offset = offsetof(struct config, token),
     .previous_offset = offsetof(struct config, token_previous),
     .required = true,
     .min = 32,
     .max = 256,
     .help = "Token"},
    {.name = "HOSTS", .type = TS_CONFIG_STR_LIST, .offset = offsetof(struct config, hosts), .help = "Names"},
    {.name = "IDS",
     .type = TS_CONFIG_INT_LIST,
     .offset = offsetof(struct config, ids),
     .min = -10,
     .max = 10,
     .help = "Ids"},
};

#define TOKEN    "0123456789abcdef0123456789abcdef"
#define PREVIOUS "fedcba9876543210fedcba9876543210"

static const char set_token[] = "TOKEN=" TOKEN;
static const char set_previous[] = "TOKEN_PREVIOUS=" PREVIOUS;

/* An environment of "NAME=value" texts that ends with NULL. */
static const char *fake_getenv(const char *name, void *ctx)
{
    const char *const *environment = ctx;
    size_t len = strlen(name);

    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

struct fixture {
    struct config config;
    struct ts_arena *arena;
    struct ts_buf errors;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    f->arena = ts_arena_new(1024 * 1024);
    f->errors = (struct ts_buf)TS_BUF_INIT(64 * 1024);
    *state = f;
    return f->arena ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ts_config_wipe(fields, TS_ARRAY_LEN(fields), &f->config);
    assert_false(ts_secret_is_set(&f->config.token));
    assert_false(ts_secret_is_set(&f->config.token_previous));
    ts_arena_free(f->arena);
    ts_buf_done(&f->errors);
    free(f);
    return 0;
}

/* Loads, and expects these lines of errors. */
static void load(struct fixture *f, const char *const *environment, const char *errors)
{
    int expected = 0;

    for (const char *p = errors; (p = strchr(p, '\n')); p++)
        expected++;
    ts_config_wipe(fields, TS_ARRAY_LEN(fields), &f->config);
    f->config = (struct config){0};
    ts_buf_clear(&f->errors);
    int n = ts_config_load(fields, TS_ARRAY_LEN(fields), &f->config, f->arena, &f->errors, fake_getenv,
                           (void *)(uintptr_t)environment);
    ts_str got = ts_buf_view(&f->errors);
    if (!ts_str_eq(got, ts_str_from(errors)))
        fail_msg("got %.*s, expected %s", TS_STR_ARG(got), errors);
    assert_int_equal(n, expected);
}

#define ENV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_defaults(void **state)
{
    struct fixture *f = *state;

    load(f, ENV("TOKEN=" TOKEN), "");
    assert_int_equal(f->config.port, 4005);
    assert_int_equal(f->config.offset, 0);
    assert_true(f->config.on);
    assert_int_equal(f->config.level, 0);
    assert_true(ts_str_is_none(f->config.host));
    assert_true(ts_secret_equals(&f->config.token, TS_STR(TOKEN)));
    assert_false(ts_secret_is_set(&f->config.token_previous));
    assert_int_equal(f->config.hosts.n, 0);
}

static void test_all_types(void **state)
{
    struct fixture *f = *state;

    load(f,
         ENV("T_PORT=1", "PORT=2", "OFFSET=-9223372036854775808", "ON=no", "LEVEL=warn", "HOST=a b",
             set_token, set_previous, "HOSTS= localhost ,[::1]", "IDS=-10, 10"),
         "");
    assert_int_equal(f->config.port, 1); /* the name wins over its alias */
    assert_int_equal(f->config.offset, INT64_MIN);
    assert_false(f->config.on);
    assert_int_equal(f->config.level, 3);
    assert_string_equal(f->config.host.ptr, "a b");
    assert_true(ts_secret_equals(&f->config.token_previous, TS_STR(PREVIOUS)));
    assert_int_equal(f->config.hosts.n, 2);
    assert_string_equal(f->config.hosts.items[0].ptr, "localhost");
    assert_string_equal(f->config.hosts.items[1].ptr, "[::1]");
    assert_int_equal(f->config.ids.n, 2);
    assert_int_equal(f->config.ids.items[0], -10);
    assert_int_equal(f->config.ids.items[1], 10);
}

static void test_aliases_in_order_and_empty_counts_as_unset(void **state)
{
    struct fixture *f = *state;

    load(f, ENV("T_PORT=", "PORT=2", "OLD_PORT=3", "OLD_TOKEN=" TOKEN, "OLD_TOKEN_PREVIOUS=" PREVIOUS, "ON="),
         "");
    assert_int_equal(f->config.port, 2);
    assert_true(f->config.on);
    assert_true(ts_secret_equals(&f->config.token, TS_STR(TOKEN)));
    assert_true(ts_secret_equals(&f->config.token_previous, TS_STR(PREVIOUS)));
    load(f, ENV("OLD_PORT=3", set_token), "");
    assert_int_equal(f->config.port, 3);
}

static void test_all_errors_at_once(void **state)
{
    load(*state,
         ENV("PORT=70000", "OFFSET=1x", "ON=perhaps", "LEVEL=INFO", "HOST=bad", "HOSTS=a,,b", "IDS=1,11",
             "TOKEN_PREVIOUS=short"),
         "FATAL: PORT is invalid: must be a whole number from 1 to 65535\n"
         "FATAL: OFFSET is invalid: must be a whole number\n"
         "FATAL: ON is invalid: must be true or false\n"
         "FATAL: LEVEL is invalid: must be one of debug, info, warn\n"
         "FATAL: HOST is invalid: is a bad host\n"
         "FATAL: TOKEN is required\n"
         "FATAL: TOKEN_PREVIOUS is invalid: must have 32 to 256 characters\n"
         "FATAL: HOSTS is invalid: has an empty item\n"
         "FATAL: IDS is invalid: must be a whole number from -10 to 10\n");
}

static void test_wrong_bytes(void **state)
{
    load(*state, ENV("TOKEN=0123456789abcdef0123456789abcd\x01\x02", "HOST=\xFF"),
         "FATAL: HOST is invalid: must be UTF-8\n"
         "FATAL: TOKEN is invalid: must be printable ASCII\n");
    load(*state, ENV("TOKEN=0123456789abcdef0123456789abcd\xC3\xA7"),
         "FATAL: TOKEN is invalid: must be printable ASCII\n");
}

/* An error never shows the value: it may be a secret in the wrong place. */
static void test_errors_do_not_show_values(void **state)
{
    struct fixture *f = *state;

    load(f, ENV(set_token, "T_PORT=" PREVIOUS),
         "FATAL: T_PORT is invalid: must be a whole number from 1 to 65535\n");
    assert_int_equal(ts_str_find(ts_buf_view(&f->errors), TS_STR(PREVIOUS)), -1);
}

/* --- files ---------------------------------------------------------------------------------------------------------- */

struct file {
    char path[PATH_MAX];
    char assignment[PATH_MAX + 64];
};

/* A file with this content, and NAME_FILE= its path. */
static struct file *make_file(const char *name, ts_str content)
{
    static struct file file;
    const char *tmp = getenv("TMPDIR");

    snprintf(file.path, sizeof(file.path), "%s/ts-config-XXXXXX", tmp ? tmp : "/tmp");
    _cleanup_(ts_closep) int fd = mkstemp(file.path);
    assert_true(fd >= 0);
    assert_int_equal(ts_write_all(fd, content), 0);
    snprintf(file.assignment, sizeof(file.assignment), "%s_FILE=%s", name, file.path);
    return &file;
}

static void test_a_secret_from_a_file_without_its_line_end(void **state)
{
    struct fixture *f = *state;
    static const ts_str contents[] = {TS_STR(TOKEN), TS_STR(TOKEN "\n"), TS_STR(TOKEN "\r\n")};

    for (size_t i = 0; i < TS_ARRAY_LEN(contents); i++) {
        const struct file *file = make_file("TOKEN", contents[i]);
        load(f, ENV(file->assignment), "");
        assert_true(ts_secret_equals(&f->config.token, TS_STR(TOKEN)));
        unlink(file->path);
    }
    const struct file *file = make_file("OLD_TOKEN_PREVIOUS", TS_STR(PREVIOUS "\n"));
    load(f, ENV(set_token, file->assignment), "");
    assert_true(ts_secret_equals(&f->config.token_previous, TS_STR(PREVIOUS)));
    unlink(file->path);
}

static void test_file_errors(void **state)
{
    struct fixture *f = *state;
    static char large[70000];

    load(f, ENV("TOKEN_FILE=/nonexistent/token"),
         "FATAL: TOKEN_FILE is invalid: No such file or directory\n");

    const struct file *file = make_file("TOKEN", TS_STR(TOKEN));
    load(f, ENV(set_token, file->assignment), "FATAL: TOKEN is invalid: set TOKEN or TOKEN_FILE, not both\n");
    load(f, ENV("TOKEN=", file->assignment), "");
    unlink(file->path);

    file = make_file("TOKEN", TS_STR("\n"));
    load(f, ENV(file->assignment), "FATAL: TOKEN is required\n");
    unlink(file->path);

    file = make_file("HOST", TS_STR("a\0b"));
    load(f, ENV(set_token, file->assignment), "FATAL: HOST is invalid: contains a NUL byte\n");
    unlink(file->path);

    memset(large, 'x', sizeof(large));
    file = make_file("HOST", (ts_str){large, sizeof(large)});
    load(f, ENV(set_token, file->assignment),
         "FATAL: HOST_FILE is invalid: the file is larger than 64 KiB\n");
    unlink(file->path);
}

/* --- out of memory -------------------------------------------------------------------------------------------------- */

static void test_when_the_arena_is_full_loading_is_enomem(void **state)
{
    struct fixture *f = *state;
    const char *const *environment =
        ENV(set_token, "HOST=0123456789012345", "HOSTS=a,b,c,d", "IDS=1,2,3,4,5,6");
    int r = -ENOMEM;
    size_t max = 0;

    for (; r == -ENOMEM && max < 4096; max += 16) {
        _cleanup_(ts_arena_freep) struct ts_arena *small = ts_arena_new(max);
        struct config config = {0};
        r = ts_config_load(fields, TS_ARRAY_LEN(fields), &config, small, &f->errors, fake_getenv,
                           (void *)(uintptr_t)environment);
        ts_config_wipe(fields, TS_ARRAY_LEN(fields), &config);
        assert_true(r == 0 || r == -ENOMEM);
    }
    assert_int_equal(r, 0);
    assert_true(max > 100);
}

/* --- any text ------------------------------------------------------------------------------------------------------- */

static char random_values[TS_ARRAY_LEN(fields)][80];

static const char *random_getenv(const char *name, void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < TS_ARRAY_LEN(fields); i++)
        if (strcmp(name, fields[i].name) == 0)
            return random_values[i];
    return NULL;
}

static void test_any_text_is_taken_or_refused_with_a_line(void **state)
{
    struct fixture *f = *state;
    static const char alphabet[] = "0123456789,,, -+.xtruefalsinodbg\"\\\x01\xC3\xA7\xFF";

    srandom(11);
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < TS_ARRAY_LEN(fields); i++) {
            size_t len = (size_t)random() % (sizeof(random_values[i]) - 1);
            for (size_t j = 0; j < len; j++)
                random_values[i][j] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
            random_values[i][len] = '\0';
        }
        struct config config = {0};
        ts_arena_reset(f->arena);
        ts_buf_clear(&f->errors);
        int n =
            ts_config_load(fields, TS_ARRAY_LEN(fields), &config, f->arena, &f->errors, random_getenv, NULL);
        ts_config_wipe(fields, TS_ARRAY_LEN(fields), &config);
        int lines = 0;
        for (size_t i = 0; i < f->errors.len; i++)
            lines += f->errors.data[i] == '\n';
        assert_in_range(n, 0, TS_ARRAY_LEN(fields));
        assert_int_equal(n, lines);
        assert_true(ts_utf8_valid(ts_buf_view(&f->errors)));
    }
}

static void test_help_names_every_variable(void **state)
{
    struct fixture *f = *state;

    ts_config_help(fields, TS_ARRAY_LEN(fields), &f->errors);
    ts_str help = ts_buf_view(&f->errors);
    for (size_t i = 0; i < TS_ARRAY_LEN(fields); i++) {
        assert_true(ts_str_find(help, ts_str_from(fields[i].name)) >= 0);
        assert_true(ts_str_find(help, ts_str_from(fields[i].help)) >= 0);
    }
    static const char *const parts[] = {
        "number, 1 to 65535; default 4005; also PORT,OLD_PORT\n",
        "one of debug, info, warn\n",
        "secret, 32 to 256 characters; required; also OLD_TOKEN; during a rotation also TOKEN_PREVIOUS\n",
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(parts); i++)
        if (ts_str_find(help, ts_str_from(parts[i])) < 0)
            fail_msg("%s not in\n%.*s", parts[i], TS_STR_ARG(help));
}

static void test_without_a_getenv_the_real_environment_is_read(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setenv("TOKEN", TOKEN, 1), 0);
    assert_int_equal(ts_config_load(fields + 5, 1, &f->config, f->arena, &f->errors, NULL, NULL), 0);
    assert_true(ts_secret_equals(&f->config.token, TS_STR(TOKEN)));
    unsetenv("TOKEN");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_all_types),
        TEST(test_aliases_in_order_and_empty_counts_as_unset),
        TEST(test_all_errors_at_once),
        TEST(test_wrong_bytes),
        TEST(test_errors_do_not_show_values),
        TEST(test_a_secret_from_a_file_without_its_line_end),
        TEST(test_file_errors),
        TEST(test_when_the_arena_is_full_loading_is_enomem),
        TEST(test_any_text_is_taken_or_refused_with_a_line),
        TEST(test_help_names_every_variable),
        TEST(test_without_a_getenv_the_real_environment_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
