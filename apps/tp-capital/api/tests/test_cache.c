/* The cache of answers: truth by number, bounds, eviction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache.h"

static int start(void **state)
{
    *state = cache_new();
    return *state ? 0 : -1;
}

static int stop(void **state)
{
    *state = cache_free(*state);
    return 0;
}

static void assert_cached(struct cache *cache, const char *key, int64_t seq, const char *answer)
{
    int64_t of = -1;
    ts_str got = cache_get(cache, ts_str_from(key), seq, &of);
    if (!answer) {
        assert_true(ts_str_is_none(got));
        return;
    }
    assert_true(ts_str_eq(got, ts_str_from(answer)));
    assert_true(of >= seq);
}

static void test_cache_when_nothing_newer_was_committed_then_the_answer_is_given(void **state)
{
    cache_put(*state, TS_STR("a"), 7, TS_STR("seven"));
    assert_cached(*state, "a", 7, "seven");
    assert_cached(*state, "a", 6, "seven"); /* it knows more than we asked for */
    assert_cached(*state, "b", 7, NULL);
}

static void test_cache_when_something_newer_was_committed_then_the_answer_is_dropped(void **state)
{
    cache_put(*state, TS_STR("a"), 7, TS_STR("seven"));
    assert_cached(*state, "a", 8, NULL);
    assert_cached(*state, "a", 7, NULL);
}

static void test_cache_when_put_again_then_the_new_answer_replaces_the_old(void **state)
{
    cache_put(*state, TS_STR("a"), 7, TS_STR("seven"));
    cache_put(*state, TS_STR("a"), 8, TS_STR("eight"));
    assert_cached(*state, "a", 8, "eight");
}

static void test_cache_when_full_of_entries_then_the_one_used_longest_ago_goes(void **state)
{
    char key[16];
    for (int i = 0; i < CACHE_MAX_ENTRIES; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        cache_put(*state, ts_str_from(key), 1, TS_STR("x"));
    }
    assert_cached(*state, "k0", 1, "x");
    cache_put(*state, TS_STR("more"), 1, TS_STR("y"));
    assert_cached(*state, "k0", 1, "x");
    assert_cached(*state, "k1", 1, NULL);
    assert_cached(*state, "more", 1, "y");
}

static void test_cache_when_full_of_bytes_then_the_oldest_go_and_giants_never_come_in(void **state)
{
    size_t half = CACHE_MAX_BYTES / 2 - 16;
    char *bytes = calloc(1, CACHE_MAX_BYTES), key[16];
    assert_non_null(bytes);
    for (int i = 0; i < 3; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        cache_put(*state, ts_str_from(key), 1, (ts_str){bytes, half});
    }
    int64_t seq;
    assert_true(ts_str_is_none(cache_get(*state, TS_STR("k0"), 1, &seq)));
    assert_int_equal(cache_get(*state, TS_STR("k2"), 1, &seq).len, half);
    cache_put(*state, TS_STR("giant"), 1, (ts_str){bytes, CACHE_MAX_BYTES / 2});
    assert_true(ts_str_is_none(cache_get(*state, TS_STR("giant"), 1, &seq)));
    free(bytes);
}

static void test_cache_when_cleared_then_it_knows_nothing_and_can_be_used_again(void **state)
{
    cache_put(*state, TS_STR("a"), 40, TS_STR("of another database"));
    cache_clear(*state);
    assert_cached(*state, "a", 1, NULL);
    cache_put(*state, TS_STR("a"), 3, TS_STR("three"));
    assert_cached(*state, "a", 3, "three");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cache_when_nothing_newer_was_committed_then_the_answer_is_given,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            test_cache_when_something_newer_was_committed_then_the_answer_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(test_cache_when_put_again_then_the_new_answer_replaces_the_old, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_cache_when_full_of_entries_then_the_one_used_longest_ago_goes,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            test_cache_when_full_of_bytes_then_the_oldest_go_and_giants_never_come_in, start, stop),
        cmocka_unit_test_setup_teardown(test_cache_when_cleared_then_it_knows_nothing_and_can_be_used_again,
                                        start, stop),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
