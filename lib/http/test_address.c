#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/error.h"
#include "http/address.h"

static struct ts_address address(const char *text)
{
    struct ts_address parsed = {0};
    assert_int_equal(ts_address_parse(ts_str_from(text), &parsed), 0);
    return parsed;
}

static void test_addresses_are_read_and_written_in_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"127.0.0.1", "127.0.0.1"},
                 {"::ffff:10.0.0.1", "10.0.0.1"},
                 {"::1", "::1"},
                 {"[2001:DB8:0::1]", "2001:db8::1"},
                 {"0.0.0.0", "0.0.0.0"}};
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        char text[TS_ADDRESS_SIZE];
        struct ts_address parsed = address(cases[i].in);
        assert_string_equal(ts_address_format(&parsed, text), cases[i].out);
    }
    static const char *const wrong[] = {
        "",           "1.2.3",
        "1.2.3.4.5",  "256.1.1.1",
        "1.2.3.4:80", "::1%lo",
        "[::1",       "localhost",
        "01.2.3.4x",  "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
    struct ts_address parsed;
    for (size_t i = 0; i < TS_ARRAY_LEN(wrong); i++)
        assert_int_equal(ts_address_parse(ts_str_from(wrong[i]), &parsed), TS_E_INVALID);
}

static void test_socket_addresses_of_both_families(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    struct ts_address found = ts_address_from_sockaddr((struct sockaddr *)&in),
                      expected = address("127.0.0.1");
    assert_true(ts_address_eq(&found, &expected));
    assert_true(ts_address_is_loopback(&found));
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    found = ts_address_from_sockaddr((struct sockaddr *)&in6);
    assert_true(ts_address_is_loopback(&found));
    found = address("128.0.0.1");
    assert_false(ts_address_is_loopback(&found));
}

static void test_networks(void **state)
{
    (void)state;
    static const struct {
        const char *cidr, *inside, *outside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
        {"192.168.4.0/22", "192.168.7.255", "192.168.8.0"},
        {"127.0.0.1", "127.0.0.1", "127.0.0.2"},
        {"0.0.0.0/0", "8.8.8.8", "2001:db8::1"},
        {"fd00::/8", "fdff::1", "fe00::1"},
        {"::1", "::1", "::2"},
        {"::/0", "10.0.0.1", NULL},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        struct ts_cidr cidr;
        assert_int_equal(ts_cidr_parse(ts_str_from(cases[i].cidr), &cidr), 0);
        struct ts_address inside = address(cases[i].inside);
        assert_true(ts_cidr_contains(&cidr, &inside));
        if (!cases[i].outside)
            continue;
        struct ts_address outside = address(cases[i].outside);
        assert_false(ts_cidr_contains(&cidr, &outside));
    }
    static const char *const wrong[] = {"",           "/8",         "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                                        "10.0.0.1/8", "fd00::/129", "x/8",       "10.0.0.0/8/8"};
    struct ts_cidr cidr;
    for (size_t i = 0; i < TS_ARRAY_LEN(wrong); i++)
        assert_int_equal(ts_cidr_parse(ts_str_from(wrong[i]), &cidr), TS_E_INVALID);
}

static void test_table_counts_each_of_many_addresses(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct ts_address_table *table;
    assert_int_equal(ts_address_table_new(N, &table), 0);
    struct ts_address many[N + 1];
    for (uint32_t i = 0; i <= N; i++) {
        char text[32];
        snprintf(text, sizeof(text), "10.%u.%u.7", i / 250, i % 250);
        many[i] = address(text);
    }
    for (int round = 1; round <= 3; round++)
        for (int i = 0; i < N; i++)
            assert_int_equal(ts_address_table_add(table, &many[i]), round);
    assert_true(ts_address_table_add(table, &many[N]) < 0);
    for (int i = 0; i < N; i += 2)
        for (int round = 0; round < 3; round++)
            ts_address_table_remove(table, &many[i]);
    ts_address_table_remove(table, &many[0]); /* unknown: nothing happens */
    for (int i = 0; i < N; i++)
        assert_int_equal(ts_address_table_add(table, &many[i]), i % 2 ? 4 : 1);
    ts_address_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_read_and_written_in_one_form),
        cmocka_unit_test(test_socket_addresses_of_both_families),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_table_counts_each_of_many_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
