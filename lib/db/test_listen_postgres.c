/* The listener against a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/error.h"
#include "db/listen.h"
#include "testing/postgres.h"

#define LIMIT_MS 30000

static struct ts_test_pg pg;

static struct {
    uv_loop_t loop;
    uv_timer_t limit;
    struct ts_listener *listener;
    int connected, lost, notified;
    int *awaited, awaited_value;
    char last[64];
    bool free_on_notify;
} f;

static void check_awaited(void)
{
    if (f.awaited && *f.awaited >= f.awaited_value)
        uv_stop(&f.loop);
}

static void on_connected(void *ctx)
{
    (void)ctx;
    f.connected++;
    assert_true(ts_listener_is_connected(f.listener));
    check_awaited();
}

static void on_lost(void *ctx)
{
    (void)ctx;
    f.lost++;
    assert_false(ts_listener_is_connected(f.listener));
    check_awaited();
}

static void on_notify(ts_str payload, void *ctx)
{
    (void)ctx;
    f.notified++;
    snprintf(f.last, sizeof(f.last), "%.*s", TS_STR_ARG(payload));
    if (f.free_on_notify)
        f.listener = ts_listener_free(f.listener);
    check_awaited();
}

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
    uv_stop(&f.loop);
}

/* Turns the loop until the counter has the value. */
static void await_value(int *counter, int value)
{
    f.awaited = counter;
    f.awaited_value = value;
    uv_timer_start(&f.limit, on_limit, LIMIT_MS, 0);
    if (*counter < value)
        uv_run(&f.loop, UV_RUN_DEFAULT);
    uv_timer_stop(&f.limit);
    f.awaited = NULL;
    assert_true(*counter >= value);
}

static void notify(const char *payload)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "NOTIFY some_channel, '%s'", payload);
    ts_test_pg_sql(&pg, sql, NULL, 0);
}

static struct ts_listener_options options_for(const char *url)
{
    return (struct ts_listener_options){
        .db = {.driver = &ts_db_postgres, .url = url},
        .channel = "some_channel",
        .on_connected = on_connected,
        .on_lost = on_lost,
        .on_notify = on_notify,
    };
}

static int start_server(void **state)
{
    (void)state;
    ts_test_pg_start(&pg, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    ts_test_pg_stop(&pg);
    return 0;
}

static int set_up(void **state)
{
    const struct ts_listener_options options = options_for(pg.url);

    (void)state;
    memset(&f, 0, sizeof(f));
    uv_loop_init(&f.loop);
    uv_timer_init(&f.loop, &f.limit);
    return ts_listener_new(&f.loop, &options, &f.listener);
}

static int tear_down(void **state)
{
    (void)state;
    f.listener = ts_listener_free(f.listener);
    uv_close((uv_handle_t *)&f.limit, NULL);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&f.loop);
}

static void test_notifications_arrive_in_order_with_their_payload(void **state)
{
    (void)state;
    await_value(&f.connected, 1);
    notify("1-3");
    notify("4-9");
    await_value(&f.notified, 2);
    assert_string_equal(f.last, "4-9");
    assert_int_equal(f.lost, 0);
}

static void test_server_restarted_is_found_again(void **state)
{
    (void)state;
    await_value(&f.connected, 1);
    ts_test_pg_cut(&pg);
    await_value(&f.lost, 1);
    ts_test_pg_boot(&pg);
    await_value(&f.connected, 2);
    notify("after");
    await_value(&f.notified, 1);
    assert_string_equal(f.last, "after");
}

static void test_frozen_server_is_noticed_without_traffic(void **state)
{
    (void)state;
    await_value(&f.connected, 1);
    ts_test_pg_freeze(&pg);
    await_value(&f.lost, 1);
    ts_test_pg_thaw(&pg);
    await_value(&f.connected, 2);
}

static void test_name_is_resolved_and_each_of_its_addresses_tried(void **state)
{
    char url[TS_TEST_PATH_SIZE];

    (void)state;
    f.listener = ts_listener_free(f.listener);
    snprintf(url, sizeof(url), "postgresql://postgres@localhost:%d/postgres", pg.port);
    const struct ts_listener_options options = options_for(url);
    assert_int_equal(ts_listener_new(&f.loop, &options, &f.listener), 0);
    await_value(&f.connected, 1);
}

static void test_free_within_a_callback_is_the_end_of_callbacks(void **state)
{
    (void)state;
    await_value(&f.connected, 1);
    f.free_on_notify = true;
    ts_test_pg_sql(&pg, "NOTIFY some_channel, 'a'; NOTIFY some_channel, 'b'", NULL, 0);
    await_value(&f.notified, 1);
    assert_null(f.listener);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.notified, 1);
    assert_int_equal(f.lost, 0);
}

static void test_free_before_it_connected_leaves_nothing(void **state)
{
    (void)state;
    f.listener = ts_listener_free(f.listener);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.connected, 0);
}

static void test_channel_that_is_no_plain_name_is_refused(void **state)
{
    struct ts_listener *listener = NULL;
    struct ts_listener_options options = options_for(pg.url);

    (void)state;
    options.channel = "x; DROP TABLE t";
    assert_int_equal(ts_listener_new(&f.loop, &options, &listener), TS_E_INVALID);
    options.channel = "";
    assert_int_equal(ts_listener_new(&f.loop, &options, &listener), TS_E_INVALID);
    assert_null(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_notifications_arrive_in_order_with_their_payload),
        TEST(test_server_restarted_is_found_again),
        TEST(test_frozen_server_is_noticed_without_traffic),
        TEST(test_name_is_resolved_and_each_of_its_addresses_tried),
        TEST(test_free_within_a_callback_is_the_end_of_callbacks),
        TEST(test_free_before_it_connected_leaves_nothing),
        TEST(test_channel_that_is_no_plain_name_is_refused),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
