#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/str.h"

static void test_ours(void **state)
{
    (void)state;
    assert_string_equal(ts_error_code(TS_E_JSON), "invalid_json");
    assert_string_equal(ts_error_text(TS_E_OVERLOADED), "Overloaded, please retry");
    assert_int_equal(ts_error_http_status(TS_E_LIMIT), 413);
    assert_int_equal(ts_error_http_status(TS_E_DB_SCHEMA), 500); /* the last of the table */
    assert_string_equal(ts_error_code(TS_E_INVALID), "invalid"); /* the first */
}

static void test_every_error_of_ours_has_code_text_and_a_status(void **state)
{
    (void)state;
    static const int errors[] = {
#define X(name, code, http, text) TS_E_##name,
        TS_ERRORS(X)
#undef X
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(errors); i++) {
        assert_true(errors[i] < -10000);
        assert_true(strlen(ts_error_text(errors[i])) > 0);
        assert_in_range(ts_error_http_status(errors[i]), 400, 599);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ts_error_code(errors[i]), ts_error_code(errors[j]));
    }
}

static void test_the_systems(void **state)
{
    (void)state;
    assert_string_equal(ts_error_code(-ENOSPC), "ENOSPC");
    assert_string_equal(ts_error_text(-ENOSPC), "No space left on device");
    assert_int_equal(ts_error_http_status(-ENOSPC), 500);
}

static void test_what_is_no_error_number(void **state)
{
    (void)state;
    static const int strange[] = {1, 4711, -9999, TS_E_BASE_, TS_E_END_, -19000, -2147483647 - 1};

    for (size_t i = 0; i < TS_ARRAY_LEN(strange); i++) {
        assert_string_equal(ts_error_code(strange[i]), "unknown");
        assert_string_equal(ts_error_text(strange[i]), "Unknown error");
        assert_int_equal(ts_error_http_status(strange[i]), 500);
    }
    assert_string_equal(ts_error_code(0), "ok");
    assert_int_equal(ts_error_http_status(0), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_every_error_of_ours_has_code_text_and_a_status),
        cmocka_unit_test(test_the_systems),
        cmocka_unit_test(test_what_is_no_error_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
