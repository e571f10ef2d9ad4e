/* The replay transport: lines, pauses, rates, and the present time. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmocka_all.h"
#include "fake_server.h"
#include "http/json.h"
#include "testing/process.h"
#include "transport_replay.h"

#define CHANNEL INT64_C(-1001234567890)
#define LINE(id, text, more)                                                   \
    "{\"channelId\":\"-1001234567890\",\"messageId\":" #id ",\"text\":\"" text \
    "\",\"timestamp\":\"2024-11-23T13:00:00Z\"" more "}\n"

enum { MAX_SEEN = 4096 };

struct fixture {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    uv_loop_t loop;
    struct transport *transport;
    int connected, lost;
    bool confirm_at_once;
    struct message_key seen[MAX_SEEN];
    int64_t stamps_us[MAX_SEEN];
    uint64_t tags[MAX_SEEN];
    size_t n_seen, wanted;
};

static void on_connected(void *ctx)
{
    ((struct fixture *)ctx)->connected++;
}

static void on_lost(void *ctx, const char *why)
{
    assert_non_null(why);
    ((struct fixture *)ctx)->lost++;
}

static void on_message(void *ctx, const struct message *m, uint64_t tag)
{
    struct fixture *f = ctx;
    assert_true(f->n_seen < MAX_SEEN);
    assert_true(ts_str_eq(m->source, TS_STR("replay")));
    f->seen[f->n_seen] = message_key(m);
    f->stamps_us[f->n_seen] = m->timestamp_us;
    f->tags[f->n_seen++] = tag;
    if (f->confirm_at_once)
        f->transport->ops->confirm(f->transport, tag);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    ts_test_dir_make(f->dir);
    ts_test_path(f->dir, "messages.jsonl", f->path);
    uv_loop_init(&f->loop);
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
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    ts_test_dir_remove(f->dir);
    free(f);
    return 0;
}

static void write_file(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void begin(struct fixture *f, struct replay_options options)
{
    const struct transport_events events = {
        .connected = on_connected, .lost = on_lost, .message = on_message, .ctx = f};
    options.loop = &f->loop;
    options.path = f->path;
    assert_int_equal(transport_replay_new(&options, &events, &f->transport), 0);
    f->transport->ops->connect(f->transport);
}

static bool so_many_seen(void *ctx)
{
    const struct fixture *f = ctx;
    return f->n_seen >= f->wanted;
}

static void wait_seen(struct fixture *f, size_t n)
{
    f->wanted = n;
    assert_true(fake_run_until(&f->loop, so_many_seen, f));
}

static void test_lines_then_messages_and_bad_ones_skipped(void **state)
{
    struct fixture *f = *state;
    write_file(f,
               LINE(1, "um", "") "\n   \nnonsense\n" LINE(0, "bad id", "") LINE(
                   2, "dois",
                   ",\"editedAt\":\"2024-11-23T13:00:01Z\"") "{\"channelId\":\"-1001234567890\","
                                                             "\"messageId\":3,\"text\":\"no line "
                                                             "end\",\"timestamp\":\"2024-11-23T13:00:00Z\"}");
    begin(f, (struct replay_options){0});
    wait_seen(f, 3);
    fake_run_for(&f->loop, 20);
    assert_int_equal(f->n_seen, 3);
    assert_int_equal(f->connected, 1);
    assert_int_equal(f->seen[1].revision, INT64_C(1732366801000));
    assert_int_equal(f->seen[2].message_id, 3);
}

static void test_missing_file_then_lost_and_found_by_the_next_connect(void **state)
{
    struct fixture *f = *state;
    begin(f, (struct replay_options){0});
    assert_int_equal(f->lost, 1);
    write_file(f, LINE(1, "um", ""));
    f->transport->ops->connect(f->transport);
    assert_int_equal(f->connected, 1);
    wait_seen(f, 1);
}

static void test_nothing_confirmed_then_no_more_than_the_maximum(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "w");
    for (int i = 1; i <= 2000; i++)
        fprintf(
            file,
            "{\"channelId\":-100,\"messageId\":%d,\"text\":\"\",\"timestamp\":\"2024-11-23T13:00:00Z\"}\n",
            i);
    fclose(file);
    f->confirm_at_once = false;
    begin(f, (struct replay_options){0});
    wait_seen(f, TRANSPORT_MAX_UNCONFIRMED);
    fake_run_for(&f->loop, 20);
    assert_int_equal(f->n_seen, TRANSPORT_MAX_UNCONFIRMED);
    f->transport->ops->pause(f->transport);
    f->confirm_at_once = true;
    for (size_t i = 0; i < TRANSPORT_MAX_UNCONFIRMED; i++)
        f->transport->ops->confirm(f->transport, f->tags[i]);
    fake_run_for(&f->loop, 20);
    assert_int_equal(f->n_seen, TRANSPORT_MAX_UNCONFIRMED); /* paused */
    f->transport->ops->resume(f->transport);
    wait_seen(f, 2000);
    for (size_t i = 0; i < 2000; i++)
        assert_int_equal(f->seen[i].message_id, i + 1);
}

static void test_rebase_then_new_ids_present_time_and_again_from_the_start(void **state)
{
    struct fixture *f = *state;
    const struct replay_last_seen last = {CHANNEL, 500};
    int64_t now_us = ts_clock_wall_us();
    write_file(f, LINE(7, "um", "") LINE(8, "dois", "")
                      LINE(7, "um!", ",\"editedAt\":\"2024-11-23T13:05:00Z\""));
    begin(f, (struct replay_options){
                 .rebase = true, .speed_e6 = 200 * 1000000LL, .last_seen = &last, .n_last_seen = 1});
    wait_seen(f, 6);
    assert_int_equal(f->seen[0].message_id, 501);
    assert_int_equal(f->seen[1].message_id, 502);
    assert_int_equal(f->seen[2].message_id, 501); /* the edit follows its message */
    assert_true(f->seen[2].revision > 0);
    assert_int_equal(f->stamps_us[2], f->stamps_us[0]);
    assert_int_equal(f->seen[3].message_id, 503);
    assert_int_equal(f->seen[4].message_id, 504);
    assert_int_equal(f->seen[5].message_id, 503);
    assert_true(f->stamps_us[0] >= now_us - TS_US_PER_S);
}

static void test_rebase_of_a_file_without_messages_then_no_endless_loop(void **state)
{
    struct fixture *f = *state;
    write_file(f, "nonsense\n");
    begin(f, (struct replay_options){.rebase = true});
    fake_run_for(&f->loop, 30);
    assert_int_equal(f->n_seen, 0);
}

static void test_speed_then_not_all_at_once(void **state)
{
    struct fixture *f = *state;
    write_file(f, LINE(1, "a", "") LINE(2, "b", "") LINE(3, "c", ""));
    begin(f, (struct replay_options){.speed_e6 = 100000}); /* one in ten seconds */
    fake_run_for(&f->loop, 30);
    assert_true(f->n_seen <= 1);
}

static void test_pipe_then_lines_as_they_come(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    begin(f, (struct replay_options){0});
    FILE *pipe = fopen(f->path, "w");
    assert_non_null(pipe);
    fputs(LINE(1, "a", ""), pipe);
    fflush(pipe);
    wait_seen(f, 1);
    fputs("{\"channelId\":\"-1001234567890\",\"messageId\":2,",
          pipe); /* half a line waits for its other half */
    fflush(pipe);
    fake_run_for(&f->loop, 20);
    assert_int_equal(f->n_seen, 1);
    fputs("\"text\":\"b\",\"timestamp\":\"2024-11-23T13:00:00Z\"}\n", pipe);
    fflush(pipe);
    wait_seen(f, 2);
    fclose(pipe);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_lines_then_messages_and_bad_ones_skipped),
        CASE(test_missing_file_then_lost_and_found_by_the_next_connect),
        CASE(test_nothing_confirmed_then_no_more_than_the_maximum),
        CASE(test_rebase_then_new_ids_present_time_and_again_from_the_start),
        CASE(test_rebase_of_a_file_without_messages_then_no_endless_loop),
        CASE(test_speed_then_not_all_at_once),
        CASE(test_pipe_then_lines_as_they_come),
    };
    ts_json_init();
    if (ts_log_init("test", TS_LOG_ERROR, 0) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
