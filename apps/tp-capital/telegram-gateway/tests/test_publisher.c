/*
 * From the outbox to the API: journal, publisher and failures as they run, against a server that answers what the script says. Delays are 1, 2, 4 ms;
 * how long they really are is the business of test_outbox.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmocka_all.h"
#include "failures.h"
#include "fake_server.h"
#include "http/json.h"
#include "publisher.h"
#include "testing/process.h"

#define CHANNEL INT64_C(-1001234567890)

struct fixture {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    uv_loop_t loop;
    struct fake_server api;
    char url_text[2][128];
    ts_str urls[2];
    struct ts_str_list endpoints;
    int64_t timeout_us;
    struct ts_secret token;
    struct ts_metrics *registry;
    struct metrics metrics;
    struct ts_http_client *http;
    struct journal *journal;
    struct delivery *delivery;
    struct publisher *publisher;
    struct failures *failures;
    int durable, stopped, published;
    int accepting;  /* how often it turned true */
    int64_t wanted; /* of the condition that is waited for */
    struct failures_outcome outcome;
    bool round_over;
};

static void on_published(void *ctx, struct message_key key TS_UNUSED)
{
    ((struct fixture *)ctx)->published++;
}

static void on_accepting(void *ctx, bool accepting)
{
    ((struct fixture *)ctx)->accepting += accepting;
}

/* Everything but the loop and the server, so that a test can play a restart. */
static void open_parts(struct fixture *f)
{
    const struct journal_options journal = {.loop = &f->loop,
                                            .path = f->path,
                                            .max_bytes = 1 << 20,
                                            .metrics = &f->metrics,
                                            .accepting = on_accepting,
                                            .ctx = f};
    assert_int_equal(journal_open(&journal, &f->journal), 0);
    assert_int_equal(ts_http_client_new(&f->loop, 16, &f->http), 0);
    const struct delivery_options delivery = {
        .http = f->http, .endpoints = &f->endpoints, .token = &f->token, .timeout_us = f->timeout_us};
    f->delivery = delivery_new(&delivery);
    const struct publisher_options publisher = {
        .loop = &f->loop,
        .journal = f->journal,
        .delivery = f->delivery,
        .metrics = &f->metrics,
        .policy = {.max_retries = 3, .first_delay_us = TS_US_PER_MS},
        .published = on_published,
        .ctx = f,
    };
    assert_int_equal(publisher_new(&publisher, &f->publisher), 0);
    const struct failures_options failures = {
        .loop = &f->loop,
        .journal = f->journal,
        .delivery = f->delivery,
        .metrics = &f->metrics,
        .published = on_published,
        .ctx = f,
    };
    assert_int_equal(failures_new(&failures, &f->failures), 0);
}

static void on_stopped(void *ctx)
{
    ((struct fixture *)ctx)->stopped++;
}

static bool has_stopped(void *ctx)
{
    const struct fixture *f = ctx;
    return f->stopped == f->wanted;
}

static void wait_stopped(struct fixture *f, int parts)
{
    f->wanted = parts;
    assert_true(fake_run_until(&f->loop, has_stopped, f));
    f->stopped = 0;
}

static void close_parts(struct fixture *f)
{
    f->stopped = 0;
    publisher_stop(f->publisher, on_stopped, f);
    failures_stop(f->failures, on_stopped, f);
    wait_stopped(f, 2);
    journal_close(f->journal, on_stopped, f);
    wait_stopped(f, 1);
    f->journal = journal_free(f->journal);
    f->publisher = publisher_free(f->publisher);
    f->failures = failures_free(f->failures);
    f->http = ts_http_client_free(f->http);
    f->delivery = delivery_free(f->delivery);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void set_endpoint(struct fixture *f, size_t i, const char *base)
{
    snprintf(f->url_text[i], sizeof f->url_text[i], "%s/ingest", base);
    f->urls[i] = ts_str_from(f->url_text[i]);
    f->endpoints = (struct ts_str_list){f->urls, TS_MAX(f->endpoints.n, i + 1)};
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    ts_test_dir_make(f->dir);
    ts_test_path(f->dir, "outbox.db", f->path);
    uv_loop_init(&f->loop);
    fake_server_start(&f->api, &f->loop, 0);
    set_endpoint(f, 0, f->api.url);
    assert_int_equal(ts_secret_set(&f->token, TS_STR("0123456789abcdef0123456789abcdef")), 0);
    f->registry = ts_metrics_new();
    metrics_register(f->registry, &f->metrics);
    f->timeout_us = 10 * TS_US_PER_S;
    assert_int_equal(ts_metrics_error(f->registry), 0);
    open_parts(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close_parts(f);
    fake_server_stop(&f->api);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    ts_metrics_free(f->registry);
    ts_secret_done(&f->token);
    ts_test_dir_remove(f->dir);
    free(f);
    return 0;
}

/* --- messages in --- */

static void on_durable(struct store_op *op, int result, void *ctx)
{
    struct fixture *f = ctx;
    assert_int_equal(result, 0);
    f->durable++;
    publisher_wake(f->publisher, op->append.message.channel_id);
}

static void offer(struct fixture *f, int64_t channel_id, int64_t id, const char *text, const char *album)
{
    struct message m = {.channel_id = channel_id,
                        .message_id = id,
                        .text = ts_str_from(text),
                        .timestamp_us = 1700000000 * TS_US_PER_S,
                        .album = ts_str_from(album)};
    assert_int_equal(journal_append(f->journal, &m, on_durable, f), 0);
}

static void offer_many(struct fixture *f, int n)
{
    for (int i = 1; i <= n; i++)
        offer(f, CHANNEL, i, "oi", NULL);
}

/* --- conditions --- */

static bool none_pending(void *ctx)
{
    struct fixture *f = ctx;
    return f->durable > 0 && journal_usage(f->journal).pending == 0 && journal_marks_waiting(f->journal) == 0;
}

static void wait_empty(struct fixture *f)
{
    assert_true(fake_run_until(&f->loop, none_pending, f));
}

static bool so_many_failed(void *ctx)
{
    struct fixture *f = ctx;
    struct outbox_usage usage = journal_usage(f->journal);
    return usage.failed == f->wanted && usage.pending == f->wanted && journal_marks_waiting(f->journal) == 0;
}

/* Until `n` rows have failed and all others are acknowledged, on disk. */
static void wait_failed(struct fixture *f, int64_t n)
{
    f->wanted = n;
    assert_true(fake_run_until(&f->loop, so_many_failed, f));
}

static void on_round(const struct failures_outcome *outcome, void *ctx)
{
    struct fixture *f = ctx;
    f->outcome = *outcome;
    f->round_over = true;
}

static bool round_is_over(void *ctx)
{
    return ((struct fixture *)ctx)->round_over;
}

static void recover(struct fixture *f, bool include_rejected)
{
    f->round_over = false;
    assert_int_equal(failures_recover(f->failures, include_rejected, on_round, f), 0);
    assert_true(fake_run_until(&f->loop, round_is_over, f));
}

static int64_t failures_of(const struct fixture *f, enum outbox_reason reason)
{
    return ts_counter_value(f->metrics.failures[reason]);
}

/* --- tests --- */

static void test_stored_then_in_order_acknowledged_and_traceable(void **state)
{
    struct fixture *f = *state;
    offer_many(f, 100); /* more than three pages */
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 100);
    for (int i = 0; i < 100; i++) {
        char id[32];
        snprintf(id, sizeof id, "\"messageId\":\"%d\"", i + 1);
        assert_non_null(strstr(f->api.calls[i].body, id));
    }
    assert_string_equal(f->api.calls[0].token, "0123456789abcdef0123456789abcdef");
    assert_true(ts_request_id_valid(ts_str_from(f->api.calls[0].request_id)));
    assert_int_equal(strlen(f->api.calls[0].traceparent), TS_TRACEPARENT_SIZE - 1);
    assert_string_not_equal(f->api.calls[0].traceparent, f->api.calls[1].traceparent);
    assert_int_equal(ts_counter_value(f->metrics.published), 100);
    assert_int_equal(ts_gauge_value(f->metrics.queue_pending), 0);
    assert_int_equal(ts_gauge_value(f->metrics.queue_bytes), 0);
}

static void test_skipped_then_acknowledged_too(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 200, .body = "{\"status\":\"ok\",\"skipped\":true}"});
    offer_many(f, 3);
    wait_empty(f);
    assert_int_equal(f->published, 3);
}

static void test_fault_then_retries_until_stored(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 500, .body = "{\"error\":\"x\"}"}, {.status = 200, .body = "hello"},
                {.status = 0}, {.status = 200});
    offer_many(f, 1);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 4);
    for (int n = 1; n <= 3; n++)
        assert_int_equal(ts_counter_value(f->metrics.retries[n]), 1);
    assert_int_equal(failures_of(f, REASON_SERVER_ERROR), 0);
    assert_string_equal(f->api.calls[0].request_id, f->api.calls[3].request_id);
}

static void test_fault_that_lasts_then_marked_after_four_tries_and_the_next_goes_on(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 503}, {.status = 503}, {.status = 503}, {.status = 503}, {.status = 200});
    offer_many(f, 2);
    wait_failed(f, 1);
    assert_int_equal(failures_of(f, REASON_SERVER_ERROR), 1);
    f->wanted = 5;
    recover(f, false);
    assert_int_equal(f->outcome.recovered, 1);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 6);
    assert_non_null(strstr(f->api.calls[4].body, "\"messageId\":\"2\""));
    assert_non_null(strstr(f->api.calls[5].body, "\"messageId\":\"1\""));
}

static void test_silence_that_lasts_then_reason_timeout(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 0});
    close_parts(f);
    f->timeout_us = 20 * TS_US_PER_MS;
    open_parts(f);
    offer_many(f, 1);
    wait_failed(f, 1);
    assert_int_equal(failures_of(f, REASON_TIMEOUT), 1);
}

static void test_refused_then_kept_and_sent_when_the_api_is_back(void **state)
{
    struct fixture *f = *state;
    int port = f->api.port;
    fake_server_stop(&f->api);
    fake_run_for(&f->loop, 1);
    offer_many(f, 2);
    wait_failed(f, 2);
    assert_int_equal(failures_of(f, REASON_SERVER_ERROR), 2);
    fake_server_start(&f->api, &f->loop, port);
    recover(f, false);
    assert_int_equal(f->outcome.recovered, 2);
    wait_empty(f);
}

static void test_reset_then_reason_server_error(void **state)
{
    struct fixture *f = *state;
    struct fake_resetter resetter = {0};
    fake_resetter_start(&resetter, &f->loop);
    set_endpoint(f, 0, resetter.url);
    offer_many(f, 1);
    wait_failed(f, 1);
    fake_resetter_stop(&resetter);
    assert_true(resetter.connections >= 4);
    assert_int_equal(failures_of(f, REASON_SERVER_ERROR), 1);
}

static void test_wrong_token_then_no_retry_and_one_probe_a_round(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 401, .body = "{\"error\":\"Invalid gateway token\"}"});
    offer_many(f, 3);
    wait_failed(f, 3);
    assert_int_equal(f->api.n_calls, 3);
    assert_int_equal(failures_of(f, REASON_AUTH), 3);
    recover(f, false);
    assert_int_equal(f->api.n_calls, 4); /* the probe */
    assert_int_equal(f->outcome.failed, 1);
    FAKE_SCRIPT(&f->api, {.status = 200});
    recover(f, false);
    assert_int_equal(f->outcome.recovered, 3);
    wait_empty(f);
    assert_int_equal(failures_of(f, REASON_AUTH), 3); /* a cycle counts once, its replays don't */
}

static void test_rejected_then_kept_until_asked_for_or_another_version(void **state)
{
    static const int statuses[] = {400, 404, 405, 413, 415};
    struct fixture *f = *state;
    struct fake_step steps[TS_ARRAY_LEN(statuses) + 1];
    f->api.version = "1.0.0";
    for (size_t i = 0; i < TS_ARRAY_LEN(statuses); i++)
        steps[i] = (struct fake_step){.status = statuses[i], .body = "{\"error\":\"Invalid field: text\"}"};
    steps[TS_ARRAY_LEN(statuses)] = (struct fake_step){.status = 200};
    fake_server_script(&f->api, steps, TS_ARRAY_LEN(steps));
    offer_many(f, 6); /* the sixth is stored: nobody is blocked */
    wait_failed(f, 5);
    assert_int_equal(failures_of(f, REASON_REJECTED), 5);
    assert_int_equal(journal_usage(f->journal).pending, 5);
    FAKE_SCRIPT(&f->api, {.status = 400, .body = "{\"error\":\"Invalid field: text\"}"});
    recover(f, false); /* marked by nobody knows which version: once more */
    assert_int_equal(f->api.n_calls, 11);
    wait_failed(f, 5);
    recover(f, false); /* the same version: no */
    assert_int_equal(f->api.n_calls, 11);
    f->api.version = "1.0.1";
    recover(f, false);
    assert_int_equal(f->api.n_calls, 16);
    wait_failed(f, 5);
    recover(f, false);
    assert_int_equal(f->api.n_calls, 16);
    FAKE_SCRIPT(&f->api, {.status = 200});
    recover(f, true); /* a person asks */
    assert_int_equal(f->outcome.recovered, 5);
    wait_empty(f);
}

static void test_throttled_then_sent_again_without_counting(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 429, .retry_after = "0"}, {.status = 429, .retry_after = "0"},
                {.status = 200});
    offer_many(f, 1);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 3);
    assert_int_equal(ts_counter_value(f->metrics.retries[1]), 0);
}

static void test_many_channels_then_eight_in_flight_and_one_each(void **state)
{
    struct fixture *f = *state;
    f->api.hold = true;
    for (int channel = 0; channel < 20; channel++) {
        for (int i = 1; i <= 2; i++)
            offer(f, CHANNEL - channel, i, "oi", NULL);
    }
    fake_run_for(&f->loop, 60);
    assert_int_equal(f->api.open, PUBLISHER_MAX_IN_FLIGHT);
    for (int i = 0; i < PUBLISHER_MAX_IN_FLIGHT; i++)
        assert_non_null(strstr(f->api.calls[i].body, "\"messageId\":\"1\""));
    f->api.hold = false;
    fake_server_answer_all(&f->api);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 40);
}

static void test_failover_then_the_second_endpoint_stores(void **state)
{
    struct fixture *f = *state;
    static struct fake_server second; /* it outlives its close call-backs */
    fake_server_start(&second, &f->loop, 0);
    set_endpoint(f, 1, second.url);
    FAKE_SCRIPT(&f->api, {.status = 500});
    offer_many(f, 3);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 3);
    assert_int_equal(second.n_calls, 3);
    assert_int_equal(ts_counter_value(f->metrics.retries[1]), 0); /* inside one attempt */
    fake_server_stop(&second);
}

static void test_restart_then_pending_rows_are_published(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 500});
    offer_many(f, 40);
    f->wanted = 1;
    fake_run_for(&f->loop, 5);
    close_parts(f); /* in the middle of retries */
    FAKE_SCRIPT(&f->api, {.status = 200});
    open_parts(f);
    f->durable = 1;
    assert_true(journal_usage(f->journal).pending > 0);
    publisher_wake(f->publisher, CHANNEL);
    recover(f, false);
    wait_empty(f);
}

static void test_album_then_one_call_after_a_quiet_second_and_a_late_part_as_revision(void **state)
{
    struct fixture *f = *state;
    offer(f, CHANNEL, 8, "", "g");
    offer(f, CHANNEL, 7, "COMPRA", "g");
    offer(f, CHANNEL, 9, "depois", NULL);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 2);
    assert_non_null(strstr(f->api.calls[0].body, "\"messageId\":\"7\",\"text\":\"COMPRA\""));
    assert_null(strstr(f->api.calls[0].body, "editedAt"));
    assert_non_null(strstr(f->api.calls[1].body, "depois"));
    offer(f, CHANNEL, 10, "Alvo", "g");
    f->durable = 0;
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 3);
    assert_non_null(strstr(f->api.calls[2].body, "\"messageId\":\"7\",\"text\":\"COMPRA\\nAlvo\""));
    assert_non_null(strstr(f->api.calls[2].body, "editedAt"));
}

static bool all_durable(void *ctx)
{
    const struct fixture *f = ctx;
    return f->durable == f->wanted;
}

static void wait_durable(struct fixture *f, int n)
{
    f->wanted = n;
    assert_true(fake_run_until(&f->loop, all_durable, f));
}

static bool one_is_open(void *ctx)
{
    return ((const struct fixture *)ctx)->api.open == 1;
}

static void test_album_when_a_part_comes_between_timeout_and_retry_then_the_same_letter_again(void **state)
{
    struct fixture *f = *state;
    close_parts(f);
    f->timeout_us = 300 * TS_US_PER_MS;
    open_parts(f);
    f->api.hold = true; /* the API stores it, but its answer is lost */
    offer(f, CHANNEL, 7, "COMPRA", "g");
    offer(f, CHANNEL, 8, "", "g");
    assert_true(fake_run_until(&f->loop, one_is_open, f));
    f->api.hold = false;
    offer(f, CHANNEL, 9, "Alvo", "g");
    wait_durable(f, 3);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 3);
    assert_string_equal(f->api.calls[1].body, f->api.calls[0].body);
    assert_non_null(strstr(f->api.calls[2].body, "\"messageId\":\"7\",\"text\":\"COMPRA\\nAlvo\""));
    assert_non_null(strstr(f->api.calls[2].body, "editedAt"));
}

/* Acknowledgements wait behind a lock while the outbox is read on. */
static void test_album_when_a_part_comes_before_the_acknowledgement_is_durable_then_a_revision(void **state)
{
    struct fixture *f = *state;
    struct ts_db *other = NULL;
    f->api.hold = true;
    offer(f, CHANNEL, 7, "COMPRA", "g");
    offer(f, CHANNEL, 8, "", "g");
    assert_true(fake_run_until(&f->loop, one_is_open, f));
    offer(f, CHANNEL, 9, "Alvo", "g");
    wait_durable(f, 3);
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = f->path};
    assert_int_equal(ts_db_open(&options, &other), 0);
    assert_int_equal(ts_db_begin(other), 0);
    f->api.hold = false;
    fake_server_answer_all(&f->api);
    fake_run_for(&f->loop, 1500); /* longer than an album must be quiet */
    assert_int_equal(f->api.n_calls, 1);
    ts_db_rollback(other);
    ts_db_close(other);
    wait_empty(f);
    assert_int_equal(f->api.n_calls, 2);
    assert_non_null(strstr(f->api.calls[1].body, "\"messageId\":\"7\",\"text\":\"COMPRA\\nAlvo\""));
    assert_non_null(strstr(f->api.calls[1].body, "editedAt"));
}

static void test_queue_limit_then_not_accepting_until_there_is_room(void **state)
{
    struct fixture *f = *state;
    char *text = calloc(1, 16001);
    memset(text, 'a', 16000);
    FAKE_SCRIPT(&f->api, {.status = 400});
    for (int i = 1; i <= 80; i++) /* 1.3 MB, the limit is 1 MiB */
        offer(f, CHANNEL, i, text, NULL);
    free(text);
    fake_run_for(&f->loop, 300);
    assert_false(journal_is_accepting(f->journal));
    assert_string_equal(journal_trouble(f->journal), "Failure queue full");
    FAKE_SCRIPT(&f->api, {.status = 200});
    while (journal_usage(f->journal).pending > 0 || f->durable < 80)
        recover(f, true);
    wait_empty(f);
    assert_true(journal_is_accepting(f->journal));
    assert_null(journal_trouble(f->journal));
    assert_int_equal(f->durable, 80);
}

static void test_mark_made_twice_then_one_failed(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 400});
    offer_many(f, 1);
    wait_failed(f, 1);
    const struct store_fail fail = {.ref = {.id = 1}, .reason = REASON_TIMEOUT, .at_us = 1};
    assert_int_equal(journal_fail(f->journal, &fail, NULL, NULL),
                     0); /* by one who read it before the first */
    wait_failed(f, 1);
    assert_int_equal(ts_gauge_value(f->metrics.queue_failed), 1);
    assert_int_equal(journal_acknowledge(f->journal, fail.ref, NULL, NULL), 0);
    wait_failed(f, 0);
    assert_int_equal(ts_gauge_value(f->metrics.queue_failed), 0);
}

static void run_sql(struct fixture *f, const char *text)
{
    struct ts_db *other = NULL;
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = f->path};
    const struct ts_sql sql = {.text = text};
    assert_int_equal(ts_db_open(&options, &other), 0);
    assert_true(ts_db_run(other, &sql, NULL, 0, NULL, NULL) >= 0);
    ts_db_close(other);
}

static bool is_not_accepting(void *ctx)
{
    return !journal_is_accepting(((const struct fixture *)ctx)->journal);
}

static void test_writes_fail_then_not_accepting_until_one_succeeds_and_in_order(void **state)
{
    struct fixture *f = *state;
    run_sql(f, "ALTER TABLE last_seen RENAME TO away");
    offer_many(f, 5);
    assert_true(fake_run_until(&f->loop, is_not_accepting, f));
    fake_run_for(&f->loop, 2500); /* two tries */
    assert_int_equal(f->accepting, 0);
    assert_non_null(journal_trouble(f->journal));
    assert_int_equal(f->durable, 0);
    run_sql(f, "ALTER TABLE away RENAME TO last_seen");
    wait_durable(f, 5);
    wait_empty(f);
    assert_int_equal(f->accepting, 1);
    assert_null(journal_trouble(f->journal));
    assert_int_equal(f->api.n_calls, 5);
    for (int i = 0; i < 5; i++) {
        char id[32];
        snprintf(id, sizeof id, "\"messageId\":\"%d\"", i + 1);
        assert_non_null(strstr(f->api.calls[i].body, id));
    }
}

static void test_recover_when_the_outbox_can_not_be_read_then_an_error_and_no_success(void **state)
{
    struct fixture *f = *state;
    FAKE_SCRIPT(&f->api, {.status = 400});
    offer_many(f, 1);
    wait_failed(f, 1);
    run_sql(f, "ALTER TABLE outbox RENAME TO away");
    recover(f, true);
    assert_int_not_equal(f->outcome.error, 0);
    assert_int_equal(f->outcome.recovered + f->outcome.failed, 0);
    run_sql(f, "ALTER TABLE away RENAME TO outbox");
    FAKE_SCRIPT(&f->api, {.status = 200});
    recover(f, true);
    assert_int_equal(f->outcome.error, 0);
    assert_int_equal(f->outcome.recovered, 1);
    wait_empty(f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_stored_then_in_order_acknowledged_and_traceable),
        CASE(test_skipped_then_acknowledged_too),
        CASE(test_fault_then_retries_until_stored),
        CASE(test_fault_that_lasts_then_marked_after_four_tries_and_the_next_goes_on),
        CASE(test_silence_that_lasts_then_reason_timeout),
        CASE(test_refused_then_kept_and_sent_when_the_api_is_back),
        CASE(test_reset_then_reason_server_error),
        CASE(test_wrong_token_then_no_retry_and_one_probe_a_round),
        CASE(test_rejected_then_kept_until_asked_for_or_another_version),
        CASE(test_throttled_then_sent_again_without_counting),
        CASE(test_many_channels_then_eight_in_flight_and_one_each),
        CASE(test_failover_then_the_second_endpoint_stores),
        CASE(test_restart_then_pending_rows_are_published),
        CASE(test_album_then_one_call_after_a_quiet_second_and_a_late_part_as_revision),
        CASE(test_album_when_a_part_comes_between_timeout_and_retry_then_the_same_letter_again),
        CASE(test_album_when_a_part_comes_before_the_acknowledgement_is_durable_then_a_revision),
        CASE(test_mark_made_twice_then_one_failed),
        CASE(test_writes_fail_then_not_accepting_until_one_succeeds_and_in_order),
        CASE(test_recover_when_the_outbox_can_not_be_read_then_an_error_and_no_success),
        CASE(test_queue_limit_then_not_accepting_until_there_is_room),
    };
    ts_json_init();
    if (ts_log_init("test", TS_LOG_ERROR, 0) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
