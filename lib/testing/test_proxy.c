/* The bad network: what it passes, keeps back, cuts. Both ends are sockets of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "testing/process.h"
#include "testing/proxy.h"

static struct ts_test_proxy *proxy;
static int listener, client, server;

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_to(int port)
{
    const struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static int setup(void **state TS_UNUSED)
{
    const int port = ts_test_free_port();
    const struct sockaddr_in here = loopback(port);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&here, sizeof(here)), 0);
    assert_int_equal(listen(listener, 8), 0);
    proxy = ts_test_proxy_start(port);
    client = connect_to(ts_test_proxy_port(proxy));
    server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    return 0;
}

static int teardown(void **state TS_UNUSED)
{
    close(client);
    close(server);
    close(listener);
    ts_test_proxy_stop(proxy);
    return 0;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads exactly this; an end or a reset is no text. */
static void assert_hears(int fd, const char *text)
{
    char got[256] = "";

    assert_int_equal(recv(fd, got, strlen(text), MSG_WAITALL), strlen(text));
    assert_string_equal(got, text);
}

static bool hears_something(int fd, int timeout_ms)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    return poll(&pollfd, 1, timeout_ms) > 0;
}

static void assert_reset(int fd)
{
    char byte;

    assert_true(hears_something(fd, 20000));
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void assert_ended(int fd)
{
    char byte;

    assert_true(hears_something(fd, 20000));
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void await_held(unsigned direction, size_t bytes)
{
    const int64_t until = ts_test_now_ms() + 20000;

    while (ts_test_proxy_held(proxy, direction) != bytes) {
        assert_true(ts_test_now_ms() < until);
        ts_test_sleep_ms(2);
    }
}

static void test_bytes_when_nothing_is_wrong_then_pass_both_ways_and_so_does_the_end(void **state TS_UNUSED)
{
    say(client, "question");
    assert_hears(server, "question");
    say(server, "answer");
    assert_hears(client, "answer");
    shutdown(client, SHUT_WR);
    assert_ended(server);
    say(server, "last words");
    assert_hears(client, "last words");
}

static void test_large_stream_when_the_reader_is_slow_then_every_byte_arrives(void **state TS_UNUSED)
{
    enum { TOTAL = 4 * 1024 * 1024 };
    static char out[TOTAL], in[TOTAL];
    size_t sent = 0, got = 0;

    for (size_t i = 0; i < TOTAL; i++)
        out[i] = (char)(i * 31 + i / 251);
    while (got < TOTAL) {
        ssize_t n = sent < TOTAL ? send(client, out + sent, TOTAL - sent, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
        n = hears_something(server, 20) ? recv(server, in + got, TS_MIN(TOTAL - got, (size_t)30000), 0) : 0;
        assert_true(n >= 0);
        got += (size_t)n;
    }
    assert_memory_equal(in, out, TOTAL);
}

static void test_hold_when_one_direction_then_the_other_passes_and_release_delivers(void **state TS_UNUSED)
{
    ts_test_proxy_hold(proxy, TS_PROXY_DOWN);
    say(client, "commit");
    assert_hears(server, "commit");
    say(server, "done");
    await_held(TS_PROXY_DOWN, 4);
    assert_false(hears_something(client, 50));
    ts_test_proxy_hold(proxy, TS_PROXY_UP);
    assert_hears(client, "done");
    say(client, "more");
    await_held(TS_PROXY_UP, 4);
    assert_false(hears_something(server, 50));
    ts_test_proxy_hold(proxy, 0);
    assert_hears(server, "more");
}

static void test_cut_when_bytes_are_held_then_both_ends_are_reset_and_they_are_lost(void **state TS_UNUSED)
{
    ts_test_proxy_hold(proxy, TS_PROXY_UP | TS_PROXY_DOWN);
    say(client, "lost");
    await_held(TS_PROXY_UP, 4);
    ts_test_proxy_cut(proxy);
    assert_int_equal(ts_test_proxy_connections(proxy), 0);
    assert_reset(client);
    assert_reset(server);
    close(client);
    close(server);
    ts_test_proxy_hold(proxy, 0);
    client = connect_to(ts_test_proxy_port(proxy));
    server = accept(listener, NULL, NULL);
    say(client, "again");
    assert_hears(server, "again");
}

static void test_answers_when_ended_then_the_client_reads_the_end_and_can_still_send(void **state TS_UNUSED)
{
    ts_test_proxy_end_answers(proxy);
    assert_ended(client);
    say(client, "still here");
    assert_hears(server, "still here");
    say(server, "nobody hears this");
    say(client, "and on");
    assert_hears(server, "and on");
}

static void test_delay_when_set_then_bytes_come_later(void **state TS_UNUSED)
{
    ts_test_proxy_delay(proxy, 150);
    const int64_t begin_ms = ts_test_now_ms();
    say(client, "slow");
    assert_hears(server, "slow");
    assert_true(ts_test_now_ms() - begin_ms >= 150);
}

static void test_connect_when_nobody_listens_behind_it_then_reset(void **state TS_UNUSED)
{
    close(listener);
    int late = connect_to(ts_test_proxy_port(proxy));
    assert_reset(late);
    close(late);
    listener = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_bytes_when_nothing_is_wrong_then_pass_both_ways_and_so_does_the_end),
        T(test_large_stream_when_the_reader_is_slow_then_every_byte_arrives),
        T(test_hold_when_one_direction_then_the_other_passes_and_release_delivers),
        T(test_cut_when_bytes_are_held_then_both_ends_are_reset_and_they_are_lost),
        T(test_answers_when_ended_then_the_client_reads_the_end_and_can_still_send),
        T(test_delay_when_set_then_bytes_come_later),
        T(test_connect_when_nobody_listens_behind_it_then_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
