/* Environment files: what is a line of one, and which variables come out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "environment.h"
#include "testing/process.h"

struct fixture {
    char folder[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    struct ts_arena *arena;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    ts_test_dir_make(f->folder);
    ts_test_path(f->folder, "env", f->path);
    f->arena = ts_arena_new(1 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ts_test_dir_remove(f->folder);
    ts_arena_free(f->arena);
    free(f);
    return 0;
}

/* The file's variables; NULL when it is refused, with the reason in `why`. */
static json_t *read_text(struct fixture *f, ts_str text, ts_str *why)
{
    json_t *json = NULL;

    assert_int_equal(ts_file_write_atomic(f->path, text, 0600), 0);
    int r = environment_read(f->path, f->arena, &json, why);
    assert_true(r == 0 || (r == TS_E_INVALID && !json));
    return json;
}

static void test_read_when_lines_are_good_then_gives_their_values(void **state)
{
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        {"A=1", "A", "1"},
        {"  A = 1  ", NULL, NULL}, /* a blank before = is no name */
        {"A= 1 ", "A", "1"},
        {"A=", "A", ""},
        {"A=x=y", "A", "x=y"},
        {"export A=1", "A", "1"},
        {"A=\"two words\"", "A", "two words"},
        {"A='$HOME'", "A", "$HOME"},
        {"A=\"", "A", "\""},
        {"A=it's", "A", "it's"},
        {"A=x # not a comment", "A", "x # not a comment"},
        {"_A9=1", "_A9", "1"},
        {"9A=1", NULL, NULL},
        {"A-B=1", NULL, NULL},
        {"=1", NULL, NULL},
        {"no assignment", NULL, NULL},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        ts_str why = TS_STR("");
        _cleanup_(ts_json_freep) json_t *json = read_text(*state, ts_str_from(cases[i].line), &why);
        if (!cases[i].name) {
            assert_null(json);
            assert_true(ts_str_ends_with(why, TS_STR(":1: not a NAME=value line")));
            continue;
        }
        if (!json)
            fail_msg("refused: %s", cases[i].line);
        assert_int_equal(json_object_size(json), 1);
        assert_string_equal(json_string_value(json_object_get(json, cases[i].name)), cases[i].value);
    }
}

static void test_read_skips_blank_lines_and_comments_and_names_the_bad_line(void **state)
{
    ts_str why = TS_STR("");
    _cleanup_(ts_json_freep) json_t *json =
        read_text(*state, TS_STR("# one\n\n  # two\r\nA=1\r\nB=2\nA=3\n"), &why);

    assert_int_equal(json_object_size(json), 2);
    assert_string_equal(json_string_value(json_object_get(json, "A")), "3");
    assert_null(read_text(*state, TS_STR("A=1\n\nbad\n"), &why));
    assert_true(ts_str_ends_with(why, TS_STR(":3: not a NAME=value line")));
}

static void test_read_when_value_is_no_text_then_refuses(void **state)
{
    ts_str why = TS_STR("");

    assert_null(read_text(*state, TS_STR("A=\xff\xfe"), &why));
    assert_null(read_text(*state, TS_STR("A=a\0b"), &why));
}

static void test_read_when_there_is_no_file_then_it_is_empty(void **state)
{
    struct fixture *f = *state;
    _cleanup_(ts_json_freep) json_t *json = NULL;
    ts_str why = TS_STR("");

    assert_int_equal(environment_read(f->path, f->arena, &json, &why), 0);
    assert_int_equal(json_object_size(json), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_read_when_lines_are_good_then_gives_their_values),
        CASE(test_read_skips_blank_lines_and_comments_and_names_the_bad_line),
        CASE(test_read_when_value_is_no_text_then_refuses),
        CASE(test_read_when_there_is_no_file_then_it_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
