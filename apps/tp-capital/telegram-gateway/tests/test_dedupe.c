#include "cmocka_all.h"
#include "dedupe.h"

static struct message_key key(int64_t message_id, int64_t revision)
{
    return (struct message_key){-1001234567890, message_id, revision};
}

static void test_has_when_added_then_true_for_the_same_key_only(void **state)
{
    struct dedupe *dedupe = dedupe_new(10);
    (void)state;
    dedupe_add(dedupe, key(1, 0), 7);
    assert_true(dedupe_has(dedupe, key(1, 0), 7, 0));
    assert_false(dedupe_has(dedupe, key(2, 0), 7, 0));
    assert_false(dedupe_has(dedupe, key(1, 5), 7, 0));
    assert_false(dedupe_has(dedupe, (struct message_key){-100, 1, 0}, 7, 0));
    dedupe_free(dedupe);
}

static void test_has_when_content_differs_then_only_an_edit_is_new(void **state)
{
    struct dedupe *dedupe = dedupe_new(10);
    (void)state;
    dedupe_add(dedupe, key(1, 0), 7);
    dedupe_add(dedupe, key(1, 5000), 8);
    assert_true(dedupe_has(dedupe, key(1, 0), 9, 0));
    assert_false(dedupe_has(dedupe, key(1, 5000), 9, 0));
    dedupe_free(dedupe);
}

static void test_add_beyond_the_maximum_then_the_oldest_leaves(void **state)
{
    struct dedupe *dedupe = dedupe_new(3);
    (void)state;
    for (int i = 1; i <= 5; i++)
        dedupe_add(dedupe, key(i, 0), i);
    for (int i = 1; i <= 5; i++)
        assert_int_equal(dedupe_has(dedupe, key(i, 0), i, 0), i > 2);
    dedupe_free(dedupe);
}

static void test_add_again_then_no_second_place(void **state)
{
    struct dedupe *dedupe = dedupe_new(2);
    (void)state;
    dedupe_add(dedupe, key(1, 0), 1);
    dedupe_add(dedupe, key(1, 0), 1);
    dedupe_add(dedupe, key(2, 0), 1);
    assert_true(dedupe_has(dedupe, key(1, 0), 1, 0));
    assert_true(dedupe_has(dedupe, key(2, 0), 1, 0));
    dedupe_free(dedupe);
}

static void test_published_then_forgotten_after_five_minutes(void **state)
{
    struct dedupe *dedupe = dedupe_new(2);
    (void)state;
    dedupe_add(dedupe, key(1, 0), 1);
    dedupe_published(dedupe, key(1, 0), 1000);
    assert_true(dedupe_has(dedupe, key(1, 0), 1, 1000 + DEDUPE_AFTER_PUBLISHING_US - 1));
    assert_false(dedupe_has(dedupe, key(1, 0), 1, 1000 + DEDUPE_AFTER_PUBLISHING_US));
    dedupe_published(dedupe, key(9, 0), 1000); /* unknown: nothing */
    dedupe_add(dedupe, key(1, 0), 1);          /* it came again: known again */
    assert_true(dedupe_has(dedupe, key(1, 0), 1, 1000 + DEDUPE_AFTER_PUBLISHING_US));
    dedupe_free(dedupe);
}

/* Against a plain list: many keys through a small table, so that taking out has to close holes. */
static void test_random_keys_then_same_answers_as_a_list(void **state)
{
    enum { SIZE = 37, ROUNDS = 20000, KEYS = 100 };
    struct dedupe *dedupe = dedupe_new(SIZE);
    int64_t ring[SIZE] = {0};
    size_t next = 0;
    uint32_t random = 12345;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        int64_t id = 1 + (random >> 16) % KEYS;
        bool known = false;
        for (size_t i = 0; i < SIZE; i++)
            known = known || ring[i] == id;
        assert_int_equal(dedupe_has(dedupe, key(id, 0), 0, 0), known);
        dedupe_add(dedupe, key(id, 0), 0);
        if (!known) {
            ring[next] = id;
            next = (next + 1) % SIZE;
        }
    }
    dedupe_free(dedupe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has_when_added_then_true_for_the_same_key_only),
        cmocka_unit_test(test_has_when_content_differs_then_only_an_edit_is_new),
        cmocka_unit_test(test_add_beyond_the_maximum_then_the_oldest_leaves),
        cmocka_unit_test(test_add_again_then_no_second_place),
        cmocka_unit_test(test_published_then_forgotten_after_five_minutes),
        cmocka_unit_test(test_random_keys_then_same_answers_as_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
