/* The Bot API transport against a Bot API of our own. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmocka_all.h"
#include "fake_server.h"
#include "http/json.h"
#include "transport_botapi.h"

#define TOKEN "123456:abcdefghijklmnopqrstuvwxyz012345678"
#define ME                                                           \
    {                                                                \
        .status = 200, .body = "{\"ok\":true,\"result\":{\"id\":1}}" \
    }
#define NONE                                                 \
    {                                                        \
        .status = 200, .body = "{\"ok\":true,\"result\":[]}" \
    }
#define HANG        \
    {               \
        .status = 0 \
    }

#define POST(update, id, text)                                                                       \
    "{\"update_id\":" #update ",\"channel_post\":{\"message_id\":" #id                               \
    ",\"chat\":{\"id\":-1001234567890,\"title\":\"Sala\",\"type\":\"channel\"},\"date\":1700000000," \
    "\"text\":\"" text "\"}}"
#define UPDATES(list)                                                \
    {                                                                \
        .status = 200, .body = "{\"ok\":true,\"result\":[" list "]}" \
    }

struct seen {
    int64_t message_id, edited_at_us;
    char text[64], caption[64], album[64], photo[64], media[32];
    uint64_t tag;
};

struct fixture {
    uv_loop_t loop;
    struct fake_server telegram;
    struct ts_http_client *http;
    struct ts_secret token;
    struct transport *transport;
    int connected, lost, auth;
    char why[128];
    int64_t flood_wait_s;
    int flood_waits;
    bool confirm_at_once, no_memory_after_the_first;
    struct seen seen[32];
    size_t n_seen;
    size_t wanted;
};

static bool no_memory; /* for the next arena; the hook has no context */

static void *alloc_or_not(size_t size)
{
    bool fails = no_memory;
    no_memory = false;
    return fails ? NULL : malloc(size);
}

static void on_connected(void *ctx)
{
    ((struct fixture *)ctx)->connected++;
}

static void on_lost(void *ctx, const char *why)
{
    struct fixture *f = ctx;
    f->lost++;
    snprintf(f->why, sizeof f->why, "%s", why);
}

static void on_auth(void *ctx, const char *why)
{
    struct fixture *f = ctx;
    f->auth++;
    snprintf(f->why, sizeof f->why, "%s", why);
}

static void on_flood_wait(void *ctx, int64_t seconds)
{
    struct fixture *f = ctx;
    f->flood_wait_s = seconds;
    f->flood_waits++;
}

#define KEEP(target, str) snprintf(target, sizeof(target), "%.*s", (int)(str).len, (str).ptr ? (str).ptr : "")

static void on_message(void *ctx, const struct message *m, uint64_t tag)
{
    struct fixture *f = ctx;
    struct seen *seen = &f->seen[f->n_seen++];
    assert_true(f->n_seen <= TS_ARRAY_LEN(f->seen));
    seen->message_id = m->message_id;
    seen->edited_at_us = m->edited_at_us;
    seen->tag = tag;
    KEEP(seen->text, m->text);
    KEEP(seen->caption, m->caption);
    KEEP(seen->album, m->album);
    KEEP(seen->media, m->media_type);
    if (m->n_photos > 0)
        KEEP(seen->photo, m->photos[0].file_id);
    assert_true(ts_str_eq(m->source, TS_STR("bot")));
    assert_int_equal(m->channel_id, INT64_C(-1001234567890));
    no_memory = f->no_memory_after_the_first && f->n_seen == 1;
    if (f->confirm_at_once)
        f->transport->ops->confirm(f->transport, tag);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct transport_events events = {on_connected, on_lost, on_auth, on_flood_wait, on_message, f};
    uv_loop_init(&f->loop);
    fake_server_start(&f->telegram, &f->loop, 0);
    assert_int_equal(ts_http_client_new(&f->loop, 4, &f->http), 0);
    assert_int_equal(ts_secret_set(&f->token, TS_STR(TOKEN)), 0);
    const struct botapi_options options = {
        .loop = &f->loop, .http = f->http, .base_url = f->telegram.url, .token = &f->token};
    assert_int_equal(transport_botapi_new(&options, &events, &f->transport), 0);
    f->confirm_at_once = true;
    *state = f;
    return 0;
}

static void on_disconnected(void *ctx)
{
    struct fixture *f = ctx;
    f->transport->ops->free(f->transport);
    f->transport = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->transport->ops->disconnect(f->transport, on_disconnected, f);
    assert_null(f->transport);
    ts_http_client_free(f->http);
    fake_server_stop(&f->telegram);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    ts_secret_done(&f->token);
    free(f);
    return 0;
}

static void connect_now(struct fixture *f)
{
    f->transport->ops->connect(f->transport);
}

static bool so_many_calls(void *ctx)
{
    const struct fixture *f = ctx;
    return f->telegram.n_calls >= f->wanted;
}

static void wait_calls(struct fixture *f, size_t n)
{
    f->wanted = n;
    assert_true(fake_run_until(&f->loop, so_many_calls, f));
}

static bool is_lost(void *ctx)
{
    const struct fixture *f = ctx;
    return f->lost + f->auth > 0;
}

static void wait_lost(struct fixture *f)
{
    assert_true(fake_run_until(&f->loop, is_lost, f));
}

static void test_updates_then_delivered_and_the_offset_moves_on(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, ME, UPDATES(POST(700, 5, "um") "," POST(701, 6, "dois")), HANG);
    connect_now(f);
    wait_calls(f, 3);
    assert_int_equal(f->connected, 1);
    assert_int_equal(f->n_seen, 2);
    assert_string_equal(f->seen[0].text, "um");
    assert_int_equal(f->seen[1].message_id, 6);
    assert_string_equal(f->telegram.calls[0].path, "/bot" TOKEN "/getMe");
    assert_string_equal(f->telegram.calls[1].path, "/bot" TOKEN "/getUpdates");
    assert_null(strstr(f->telegram.calls[1].body, "offset"));
    assert_non_null(
        strstr(f->telegram.calls[1].body, "\"allowed_updates\":[\"channel_post\",\"edited_channel_post\"]"));
    assert_non_null(strstr(f->telegram.calls[2].body, "\"offset\":702"));
}

static void test_not_yet_durable_then_no_poll_confirms_it(void **state)
{
    struct fixture *f = *state;
    f->confirm_at_once = false;
    FAKE_SCRIPT(&f->telegram, ME, UPDATES(POST(700, 5, "um") "," POST(701, 6, "dois")), HANG);
    connect_now(f);
    wait_calls(f, 2);
    fake_run_for(&f->loop, 400); /* longer than any pause between polls */
    assert_int_equal(f->n_seen, 2);
    assert_int_equal(f->telegram.n_calls, 2);
    f->transport->ops->confirm(f->transport, f->seen[1].tag);
    fake_run_for(&f->loop, 50);
    assert_int_equal(f->telegram.n_calls, 2); /* the first is not durable yet */
    f->transport->ops->confirm(f->transport, f->seen[0].tag);
    wait_calls(f, 3);
    assert_non_null(strstr(f->telegram.calls[2].body, "\"offset\":702"));
}

static void test_edit_caption_photo_album_then_read(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(
        &f->telegram, ME,
        UPDATES("{\"update_id\":1,\"edited_channel_post\":{\"message_id\":5,\"chat\":{\"id\":-1001234567890},"
                "\"date\":1700000000,\"edit_date\":1700000007,\"text\":\"novo\"}},"
                "{\"update_id\":2,\"channel_post\":{\"message_id\":6,\"chat\":{\"id\":-1001234567890},"
                "\"date\":1700000000,"
                "\"caption\":\"leg\",\"media_group_id\":\"g9\",\"photo\":[{\"file_id\":\"small\",\"width\":"
                "90,\"height\":90},"
                "{\"file_id\":\"large\",\"width\":1280,\"height\":720,\"file_size\":5}]}},"
                "{\"update_id\":3,\"channel_post\":{\"message_id\":7,\"chat\":{\"id\":-1001234567890},"
                "\"date\":1700000000,"
                "\"new_chat_title\":\"x\"}},"
                "{\"update_id\":4,\"message\":{}},{\"update_id\":5,\"channel_post\":{}},7,"
                "{\"update_id\":6,\"channel_post\":{\"message_id\":8,\"chat\":{\"id\":-1001234567890},"
                "\"date\":1700000000,"
                "\"video\":{},\"caption\":\"v\"}}"),
        HANG);
    connect_now(f);
    wait_calls(f, 3);
    assert_int_equal(f->n_seen, 3);
    assert_int_equal(f->seen[0].edited_at_us, 1700000007 * TS_US_PER_S);
    assert_string_equal(f->seen[1].caption, "leg");
    assert_string_equal(f->seen[1].text, "");
    assert_string_equal(f->seen[1].album, "g9");
    assert_string_equal(f->seen[1].photo, "large");
    assert_string_equal(f->seen[1].media, "photo");
    assert_string_equal(f->seen[2].media, "video");
    assert_non_null(strstr(f->telegram.calls[2].body, "\"offset\":7"));
}

static void test_caption_of_a_medium_we_do_not_know_then_delivered(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(
        &f->telegram, ME,
        UPDATES("{\"update_id\":1,\"channel_post\":{\"message_id\":5,\"chat\":{\"id\":-1001234567890},"
                "\"date\":1700000000,\"paid_media\":{},\"caption\":\"COMPRA\"}}"),
        HANG);
    connect_now(f);
    wait_calls(f, 3);
    assert_int_equal(f->n_seen, 1);
    assert_string_equal(f->seen[0].caption, "COMPRA");
}

static void test_no_memory_for_an_update_then_it_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, ME, UPDATES(POST(41, 1, "um") "," POST(42, 2, "dois") "," POST(43, 3, "tres")),
                UPDATES(POST(42, 2, "dois") "," POST(43, 3, "tres")), HANG);
    f->no_memory_after_the_first = true;
    ts_arena_set_allocator(alloc_or_not, free);
    connect_now(f);
    wait_calls(f, 4);
    ts_arena_set_allocator(NULL, NULL);
    assert_non_null(strstr(f->telegram.calls[2].body, "\"offset\":42"));
    assert_non_null(strstr(f->telegram.calls[3].body, "\"offset\":44"));
    assert_int_equal(f->n_seen, 3);
    assert_int_equal(f->seen[1].message_id, 2);
}

static void test_faults_then_lost_and_the_next_connect_goes_on_where_it_was(void **state)
{
    static const struct {
        struct fake_step step;
        const char *why;
    } cases[] = {
        {{.status = 502, .body = "<html>"}, "Telegram answered 502"},
        {{.status = 409, .body = "{\"ok\":false}"},
         "Another process polls with this bot token, or a webhook is set"},
        {{.status = 200, .body = "garbage"}, "Telegram's answer is not readable"},
        {{.status = 200, .body = "{\"ok\":false}"}, "Telegram's answer is not readable"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        size_t before = f->telegram.n_calls;
        f->lost = 0;
        f->n_seen = 0;
        FAKE_SCRIPT(&f->telegram, ME, UPDATES(POST(700, 5, "um")), cases[i].step, ME, HANG);
        connect_now(f);
        wait_lost(f);
        assert_string_equal(f->why, cases[i].why);
        assert_int_equal(f->n_seen, 1);
        connect_now(f);
        wait_calls(f, before + 5);
        assert_non_null(strstr(f->telegram.calls[before + 4].body, "\"offset\":701"));
        f->transport->ops->pause(f->transport); /* ends the poll that hangs, for the next case */
        f->transport->ops->resume(f->transport);
        f->transport->ops->pause(f->transport);
        fake_run_for(&f->loop, 1);
        FAKE_SCRIPT(&f->telegram, {.status = 500});
        f->transport->ops->resume(f->transport);
        f->lost = 0;
        wait_lost(f);
    }
}

static void test_dropped_connection_then_lost_without_the_token_in_its_reason(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, ME, HANG);
    connect_now(f);
    wait_calls(f, 2);
    fake_server_stop(&f->telegram);
    wait_lost(f);
    assert_true(f->why[0] != '\0');
    assert_null(strstr(f->why, "abcdefghij"));
    f->lost = 0;
    connect_now(f); /* nobody listens */
    wait_lost(f);
    assert_null(strstr(f->why, "abcdefghij"));
    fake_server_start(&f->telegram, &f->loop, 0); /* for tear_down */
}

static void test_token_refused_then_auth_required(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, {.status = 401, .body = "{\"ok\":false,\"error_code\":401}"});
    connect_now(f);
    wait_lost(f);
    assert_int_equal(f->auth, 1);
    assert_int_equal(f->lost, 0);
    assert_int_equal(f->connected, 0);
    f->auth = 0;
    FAKE_SCRIPT(&f->telegram, ME, {.status = 401, .body = "{\"ok\":false}"}); /* revoked while it polls */
    connect_now(f);
    wait_lost(f);
    assert_int_equal(f->connected, 1);
    assert_int_equal(f->auth, 1);
}

static bool flood_is_over(void *ctx)
{
    const struct fixture *f = ctx;
    return f->flood_waits == 2;
}

static void test_flood_then_waits_as_told_and_goes_on_connected(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, ME,
                {.status = 429, .body = "{\"ok\":false,\"parameters\":{\"retry_after\":1}}"},
                UPDATES(POST(700, 5, "um")), HANG);
    connect_now(f);
    wait_calls(f, 2);
    assert_true(fake_run_until(&f->loop, flood_is_over, f));
    assert_int_equal(f->flood_wait_s, 0);
    wait_calls(f, 4);
    assert_int_equal(f->n_seen, 1);
    assert_int_equal(f->lost, 0);
}

static void test_pause_then_no_poll_until_resume(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, ME, HANG);
    connect_now(f);
    wait_calls(f, 2);
    f->transport->ops->pause(f->transport);
    f->transport->ops->pause(f->transport);
    fake_run_for(&f->loop, 100);
    assert_int_equal(f->telegram.n_calls, 2);
    assert_int_equal(f->lost, 0);
    FAKE_SCRIPT(&f->telegram, UPDATES(POST(9, 5, "um")), HANG);
    f->transport->ops->resume(f->transport);
    wait_calls(f, 4);
    assert_int_equal(f->n_seen, 1);
}

static void test_server_that_does_not_hold_polls_then_no_busy_loop(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->telegram, ME, NONE);
    connect_now(f);
    fake_run_for(&f->loop, 600);
    assert_true(f->telegram.n_calls <= 5);
    assert_true(f->telegram.n_calls >= 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_updates_then_delivered_and_the_offset_moves_on),
        CASE(test_not_yet_durable_then_no_poll_confirms_it),
        CASE(test_edit_caption_photo_album_then_read),
        CASE(test_caption_of_a_medium_we_do_not_know_then_delivered),
        CASE(test_no_memory_for_an_update_then_it_is_asked_for_again),
        CASE(test_faults_then_lost_and_the_next_connect_goes_on_where_it_was),
        CASE(test_dropped_connection_then_lost_without_the_token_in_its_reason),
        CASE(test_token_refused_then_auth_required),
        CASE(test_flood_then_waits_as_told_and_goes_on_connected),
        CASE(test_pause_then_no_poll_until_resume),
        CASE(test_server_that_does_not_hold_polls_then_no_busy_loop),
    };
    ts_json_init();
    if (ts_log_init("test", TS_LOG_ERROR, 0) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
