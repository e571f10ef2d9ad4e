#include "base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void *at(struct ts_arena *arena, size_t size)
{
    void *p = ts_arena_alloc(arena, size);

    assert_non_null(p);
    return p;
}

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(1024 * 1024);
    static const char zeros[5000];
    unsigned char *previous = NULL;
    size_t previous_size = 0;

    for (size_t size = 1; size <= 5000; size += 61) {
        unsigned char *p = at(arena, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_memory_equal(p, zeros, size);
        memset(p, 0xAA, size);
        for (size_t i = 0; i < previous_size; i++)
            assert_int_equal(previous[i], 0xAA);
        previous = p;
        previous_size = size;
    }
}

static void test_alloc_at_the_maximum_returns_null(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(100);

    at(arena, 48);
    assert_null(ts_arena_alloc(arena, 53));
    at(arena, 48);
    assert_null(ts_arena_alloc(arena, 1)); /* four bytes are left, 16 would be taken */
    assert_int_equal(ts_arena_used_bytes(arena), 96);
    assert_null(ts_arena_alloc(arena, 0));
    assert_null(ts_arena_alloc(arena, SIZE_MAX));
    assert_null(ts_arena_alloc(arena, SIZE_MAX - 15));
}

static void test_alloc_with_no_maximum_does_not_wrap(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(SIZE_MAX);

    assert_null(ts_arena_alloc(arena, SIZE_MAX));
    assert_null(ts_arena_alloc(arena, SIZE_MAX - 20));
    at(arena, 16);
}

static void test_array_when_product_overflows_returns_null(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(SIZE_MAX);

    assert_null(ts_arena_array(arena, SIZE_MAX / 2, 3));
    assert_null(ts_arena_array(arena, 0, 8));
    int64_t *numbers = TS_ARENA_ARRAY(arena, 10, int64_t);
    assert_non_null(numbers);
    numbers[9] = 1;
}

static void test_reset_keeps_the_arena_usable(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(300 * 1024);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            memset(at(arena, 60 * 1024), 0xFF, 60 * 1024);
        char *small = at(arena, 100);
        assert_int_equal(small[99], 0);
        ts_arena_reset(arena);
        assert_int_equal(ts_arena_used_bytes(arena), 0);
        char *again = at(arena, 100); /* of the block that was kept: zeroed once more */
        assert_int_equal(again[0], 0);
        ts_arena_reset(arena);
    }
    ts_arena_reset(arena);
}

static void test_dup_and_printf_are_nul_terminated(void **state)
{
    (void)state;
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(4096);
    ts_str s = TS_STR("x");

    assert_int_equal(ts_arena_dup(arena, TS_STR("a\0b"), &s), 0);
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.ptr, "a\0b", 4);
    assert_int_equal(ts_arena_dup(arena, TS_STR_NONE, &s), 0);
    assert_true(ts_str_is_none(s));
    assert_int_equal(ts_arena_dup(arena, TS_STR(""), &s), 0);
    assert_false(ts_str_is_none(s));
    assert_int_equal(ts_arena_printf(arena, &s, "%s-%d", "n", 7), 0);
    assert_string_equal(s.ptr, "n-7");
    assert_int_equal(s.len, 3);

    ts_str untouched = TS_STR("untouched");
    char long_text[5000] = {0};
    assert_int_equal(ts_arena_dup(arena, (ts_str){long_text, sizeof(long_text)}, &untouched), -ENOMEM);
    assert_int_equal(ts_arena_printf(arena, &untouched, "%5000d", 1), -ENOMEM);
    assert_string_equal(untouched.ptr, "untouched");
}

/* --- the allocator that fails ------------------------------------------------------------------------------------- */

static struct {
    long fail_at, calls, alive;
} failing;

static void *failing_alloc(size_t size)
{
    if (++failing.calls == failing.fail_at)
        return NULL;
    failing.alive++;
    return malloc(size);
}

static void counting_release(void *p)
{
    failing.alive -= p != NULL;
    free(p);
}

/* 0 when everything was had. */
static int scenario(void)
{
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(1024 * 1024);
    ts_str s;

    if (!arena)
        return -ENOMEM;
    for (int i = 0; i < 40; i++)
        if (!ts_arena_alloc(arena, 3000))
            return -ENOMEM;
    ts_arena_reset(arena);
    if (!ts_arena_alloc(arena, 200 * 1024))
        return -ENOMEM;
    return ts_arena_printf(arena, &s, "%90000d", 1);
}

static void test_nth_allocation_fails_until_it_passes(void **state)
{
    (void)state;
    int r = -ENOMEM;

    ts_arena_set_allocator(failing_alloc, counting_release);
    for (failing.fail_at = 1; r != 0 && failing.fail_at < 100; failing.fail_at++) {
        failing.calls = 0;
        r = scenario();
        assert_int_equal(failing.alive, 0);
        assert_true(r == 0 || r == -ENOMEM);
    }
    ts_arena_set_allocator(NULL, NULL);
    assert_int_equal(r, 0);
    assert_in_range(failing.fail_at, 5, 99);
}

static void test_blocks_grow_so_that_many_small_ones_are_few_calls(void **state)
{
    (void)state;
    failing.calls = failing.fail_at = 0;
    ts_arena_set_allocator(failing_alloc, counting_release);
    struct ts_arena *arena = ts_arena_new(1024 * 1024);
    for (int i = 0; i < 1000 * 1000 / 16; i++)
        at(arena, 16);
    assert_in_range(failing.calls, 2, 24);
    arena = ts_arena_free(arena);
    ts_arena_set_allocator(NULL, NULL);
    assert_null(arena);
    assert_int_equal(failing.alive, 0);
}

/* A large piece gets a block of its own and leaves the room of the current block to those that follow. */
static void test_large_pieces_between_small_ones_waste_no_blocks(void **state)
{
    (void)state;
    failing.calls = failing.fail_at = 0;
    ts_arena_set_allocator(failing_alloc, counting_release);
    struct ts_arena *arena = ts_arena_new(8 * 1024 * 1024);
    for (int i = 0; i < 20; i++) {
        at(arena, 16);
        at(arena, 70 * 1024);
    }
    assert_int_equal(failing.calls, 1 + 1 + 20);
    ts_arena_free(arena);
    ts_arena_set_allocator(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(test_alloc_at_the_maximum_returns_null),
        cmocka_unit_test(test_alloc_with_no_maximum_does_not_wrap),
        cmocka_unit_test(test_array_when_product_overflows_returns_null),
        cmocka_unit_test(test_reset_keeps_the_arena_usable),
        cmocka_unit_test(test_dup_and_printf_are_nul_terminated),
        cmocka_unit_test(test_nth_allocation_fails_until_it_passes),
        cmocka_unit_test(test_blocks_grow_so_that_many_small_ones_are_few_calls),
        cmocka_unit_test(test_large_pieces_between_small_ones_waste_no_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
