/*
 * The messages of the demonstration (samples/signals.jsonl) have the shape that /ingest takes, and show what the parser can do:
 * enough signals of every kind, with noise between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "jsonl.h"
#include "parser.h"

#define CHANNELS_MAX 8

static json_t *messages;

static const char *text_of(const json_t *message)
{
    const char *text = json_string_value(json_object_get(message, "text"));

    assert_non_null(text);
    return *text ? text : json_string_value(json_object_get(message, "caption"));
}

static void test_samples_when_read_then_fields_of_ingest(void **state)
{
    size_t i;
    json_t *message;

    (void)state;
    json_array_foreach(messages, i, message)
    {
        const char *source = json_string_value(json_object_get(message, "source"));
        const char *timestamp = json_string_value(json_object_get(message, "timestamp"));
        const char *edited = json_string_value(json_object_get(message, "editedAt"));
        const char *name = json_string_value(json_object_get(message, "channelName"));

        assert_non_null(text_of(message));
        assert_non_null(name);
        assert_string_equal(source, "replay");
        assert_int_equal(strlen(timestamp), strlen("2026-11-16T12:41:00Z"));
        if (edited)
            assert_true(strcmp(edited, timestamp) > 0);
    }
}

struct channel {
    const char *id;
    json_int_t last_message_id;
};

static struct channel *find_channel(struct channel *channels, const char *id)
{
    size_t i = 0;

    while (channels[i].id && strcmp(channels[i].id, id) != 0)
        i++;
    assert_true(i < CHANNELS_MAX - 1);
    channels[i].id = id;
    return &channels[i];
}

/* Message ids ascend in each channel; an edit repeats one that was there. */
static void test_samples_when_read_then_ids_ascend(void **state)
{
    struct channel channels[CHANNELS_MAX] = {0};
    int edits = 0;
    size_t i;
    json_t *message;

    (void)state;
    json_array_foreach(messages, i, message)
    {
        const char *channel_id = json_string_value(json_object_get(message, "channelId"));
        json_int_t id = json_integer_value(json_object_get(message, "messageId"));
        struct channel *channel = find_channel(channels, channel_id);

        assert_int_equal(strncmp(channel_id, "-100", 4), 0);
        if (json_object_get(message, "editedAt")) {
            assert_true(id > 0 && id <= channel->last_message_id);
            edits++;
        } else {
            assert_true(id > channel->last_message_id);
            channel->last_message_id = id;
        }
    }
    assert_non_null(channels[4].id);
    assert_true(edits >= 2);
}

static void test_samples_when_parsed_then_every_kind(void **state)
{
    int types[3] = {0}, trades[5] = {0}, rules[5] = {0};
    size_t i;
    json_t *message;

    (void)state;
    json_array_foreach(messages, i, message)
    {
        struct signal signal;
        struct signal_explanation explanation;

        assert_int_equal(signal_parse(ts_str_from(text_of(message)), &signal, &explanation), 0);
        types[signal.signal_type]++;
        trades[signal.trade_type]++;
        rules[explanation.rule]++;
    }
    assert_true(types[SIGNAL_BUY] >= 25 && types[SIGNAL_SELL] >= 10 && types[SIGNAL_UNKNOWN] >= 15);
    for (int trade = TRADE_SWING; trade <= TRADE_POSITION; trade++)
        assert_true(trades[trade] >= 5);
    for (int rule = SIGNAL_RULE_UPDATE_NOTICE; rule <= SIGNAL_RULE_NO_VALUE; rule++)
        assert_true(rules[rule] >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_when_read_then_fields_of_ingest),
        cmocka_unit_test(test_samples_when_read_then_ids_ascend),
        cmocka_unit_test(test_samples_when_parsed_then_every_kind),
    };
    int failed;

    messages = jsonl_load("samples/signals.jsonl");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(messages);
    return failed;
}
