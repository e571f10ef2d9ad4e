#include "cmocka_all.h"
#include "connection.h"

#define S INT64_C(1000000)

static const struct connection_policy policy = {.delay_us = 5 * S, .attempts = 10, .slow_delay_us = 60 * S};

static void test_lost_then_ten_quick_attempts_and_slow_ones_for_ever(void **state)
{
    struct connection c;
    (void)state;
    connection_begin(&c, &policy);
    assert_int_equal(c.state, CONNECTION_CONNECTING);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(connection_lost(&c, "away"), 5 * S);
        assert_int_equal(c.state, CONNECTION_RECONNECTING);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(connection_lost(&c, "away"), 60 * S);
        assert_int_equal(c.state, CONNECTION_FAILED);
    }
    assert_string_equal(c.why, "away");
    connection_connected(&c);
    assert_true(connection_is_up(&c));
    assert_string_equal(c.why, "");
    assert_int_equal(connection_lost(&c, "again"), 5 * S); /* the count began anew */
}

static void test_flood_wait_then_up_until_it_is_over(void **state)
{
    struct connection c;
    (void)state;
    connection_begin(&c, &policy);
    connection_connected(&c);
    connection_flood_wait(&c, 17);
    assert_int_equal(c.state, CONNECTION_FLOOD_WAIT);
    assert_true(connection_is_up(&c));
    assert_int_equal(c.flood_wait_s, 17);
    connection_flood_wait(&c, 0);
    assert_int_equal(c.state, CONNECTION_CONNECTED);
}

static void test_flood_wait_while_connecting_then_not_up(void **state)
{
    struct connection c;
    (void)state;
    connection_begin(&c, &policy);
    connection_flood_wait(&c, 17);
    assert_false(connection_is_up(&c));
    assert_int_equal(c.flood_wait_s, 17);
}

static void test_auth_required_then_slow_attempts(void **state)
{
    struct connection c;
    (void)state;
    connection_begin(&c, &policy);
    assert_int_equal(connection_auth_required(&c, "refused"), 60 * S);
    assert_int_equal(c.state, CONNECTION_AUTH_REQUIRED);
    assert_false(connection_is_up(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_then_ten_quick_attempts_and_slow_ones_for_ever),
        cmocka_unit_test(test_flood_wait_then_up_until_it_is_over),
        cmocka_unit_test(test_flood_wait_while_connecting_then_not_up),
        cmocka_unit_test(test_auth_required_then_slow_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
