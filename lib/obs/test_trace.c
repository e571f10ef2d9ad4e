#include "obs/trace.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"

#define EXAMPLE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" /* of the recommendation */

static void test_request_id_valid(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "A-Z_a.z-09",
                                       "0123456789012345678901234567890123456789012345678901234567890123"};
    static const char *const bad[] = {"",
                                      "a b",
                                      "a/b",
                                      "a\n",
                                      "caf\xC3\xA9",
                                      "a:b",
                                      "01234567890123456789012345678901234567890123456789012345678901234"};

    for (size_t i = 0; i < TS_ARRAY_LEN(good); i++)
        assert_true(ts_request_id_valid(ts_str_from(good[i])));
    for (size_t i = 0; i < TS_ARRAY_LEN(bad); i++)
        assert_false(ts_request_id_valid(ts_str_from(bad[i])));
    assert_false(ts_request_id_valid(TS_STR("a\0")));
    assert_false(ts_request_id_valid(TS_STR_NONE));
}

#define THREADS 4
#define IDS     20000

static char ids[THREADS * IDS][TS_REQUEST_ID_SIZE];

static void *make_ids(void *arg)
{
    intptr_t thread = (intptr_t)arg;

    for (int i = 0; i < IDS; i++)
        ts_request_id_new(ids[thread * IDS + i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_request_ids_of_all_threads_differ(void **state)
{
    (void)state;
    pthread_t threads[THREADS];

    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_ids, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(ids, TS_ARRAY_LEN(ids), sizeof(ids[0]), compare);
    for (size_t i = 0; i < TS_ARRAY_LEN(ids); i++) {
        assert_true(ts_request_id_valid(ts_str_from(ids[i])));
        assert_int_equal(strlen(ids[i]), 16);
        if (i > 0)
            assert_string_not_equal(ids[i], ids[i - 1]);
    }
}

static void test_parse_then_format_gives_the_same(void **state)
{
    (void)state;
    struct ts_trace trace;
    char text[TS_TRACEPARENT_SIZE], id[TS_TRACE_ID_SIZE];

    assert_int_equal(ts_trace_parse(TS_STR(EXAMPLE), &trace), 0);
    assert_int_equal(trace.trace_id[0], 0x0a);
    assert_int_equal(trace.span_id[7], 0x31);
    assert_int_equal(trace.flags, 1);
    ts_str formatted = ts_trace_format(&trace, text);
    assert_string_equal(formatted.ptr, EXAMPLE);
    assert_int_equal(formatted.len, 55);
    assert_string_equal(ts_trace_id(&trace, id).ptr, "0af7651916cd43dd8448eb211c80319c");
}

static void test_parse_keeps_only_flags_it_knows(void **state)
{
    (void)state;
    struct ts_trace trace;

    assert_int_equal(
        ts_trace_parse(TS_STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"), &trace), 0);
    assert_int_equal(trace.flags, 1);
    assert_int_equal(
        ts_trace_parse(TS_STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02"), &trace), 0);
    assert_int_equal(trace.flags, 0);
}

static void test_parse_reads_later_versions(void **state)
{
    (void)state;
    struct ts_trace trace;

    assert_int_equal(
        ts_trace_parse(TS_STR("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), &trace), 0);
    assert_int_equal(
        ts_trace_parse(TS_STR("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"), &trace), 0);
    assert_int_equal(
        ts_trace_parse(TS_STR("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more"), &trace),
        TS_E_INVALID);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0G",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    const struct ts_trace before = {.flags = 77};

    for (size_t i = 0; i < TS_ARRAY_LEN(bad); i++) {
        struct ts_trace trace = before;
        if (ts_trace_parse(ts_str_from(bad[i]), &trace) != TS_E_INVALID)
            fail_msg("%s", bad[i]);
        assert_memory_equal(&trace, &before, sizeof(trace));
    }
}

static void test_child_and_continue(void **state)
{
    (void)state;
    struct ts_trace parent, none = ts_trace_continue(TS_STR_NONE),
                            wrong = ts_trace_continue(TS_STR("nonsense"));
    char text[TS_TRACEPARENT_SIZE];

    assert_int_equal(ts_trace_parse(TS_STR(EXAMPLE), &parent), 0);
    struct ts_trace child = ts_trace_continue(TS_STR(EXAMPLE));
    assert_memory_equal(child.trace_id, parent.trace_id, 16);
    assert_memory_not_equal(child.span_id, parent.span_id, 8);
    assert_int_equal(child.flags, parent.flags);

    assert_memory_not_equal(none.trace_id, wrong.trace_id, 16);
    assert_int_equal(none.flags, 1);
    assert_int_equal(ts_trace_parse(ts_trace_format(&none, text), &parent), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_id_valid),
        cmocka_unit_test(test_request_ids_of_all_threads_differ),
        cmocka_unit_test(test_parse_then_format_gives_the_same),
        cmocka_unit_test(test_parse_keeps_only_flags_it_knows),
        cmocka_unit_test(test_parse_reads_later_versions),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_child_and_continue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
