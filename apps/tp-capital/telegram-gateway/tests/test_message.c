#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "cmocka_all.h"
#include "http/json.h"
#include "message.h"

#define ARENA_BYTES ((size_t)4 * 1024 * 1024)

static int set_up(void **state)
{
    *state = ts_arena_new(ARENA_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    ts_arena_free(*state);
    return 0;
}

static int read_text(ts_str text, struct ts_arena *arena, struct message *ret, const char **ret_field)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    assert_int_equal(ts_json_parse_object(text, TS_MAX_JSON_DEPTH, &json), 0);
    return message_from_json(json, arena, ret, ret_field);
}

static int read_message(const char *text, struct ts_arena *arena, struct message *ret)
{
    const char *field = "";
    return read_text(ts_str_from(text), arena, ret, &field);
}

#define MINIMUM                                                                                           \
    "\"channelId\":\"-1001234567890\",\"messageId\":42,\"text\":\"oi\",\"timestamp\":\"2026-11-23T13:00:" \
    "00Z\""

static void test_read_then_written_again_the_same(void **state)
{
    static const char full[] =
        "{\"channelId\":\"-1001234567890\",\"messageId\":\"9007199254740993\",\"text\":\"COMPRA\\nITUB4 "
        "\\u20ac\","
        "\"timestamp\":\"2026-11-23T13:00:00.125Z\",\"photos\":[{\"fileId\":\"abc\",\"width\":1280,"
        "\"height\":720,\"fileSize\":99}],"
        "\"channelName\":\"Sala\",\"source\":\"replay\",\"caption\":\"c\",\"mediaType\":\"photo\","
        "\"receivedAt\":\"2026-11-23T13:00:01.000Z\",\"forwarded\":{\"originalChannelId\":\"-1001\","
        "\"originalMessageId\":\"7\","
        "\"destinationChannelId\":\"-1002\",\"method\":\"copy\"},\"editedAt\":\"2026-11-23T13:05:00.000Z\"}";
    _cleanup_(ts_buf_done) struct ts_buf first = TS_BUF_INIT(MESSAGE_MAX_JSON_BYTES);
    _cleanup_(ts_buf_done) struct ts_buf second = TS_BUF_INIT(MESSAGE_MAX_JSON_BYTES);
    struct message message, again, copy;
    const char *field = "";
    assert_int_equal(read_message(full, *state, &message), 0);
    assert_int_equal(message.message_id, INT64_C(9007199254740993));
    assert_int_equal(message_key(&message).revision, message.edited_at_us / 1000);
    message_write_json(&first, &message);
    assert_int_equal(ts_buf_error(&first), 0);
    assert_int_equal(read_text(ts_buf_view(&first), *state, &again, &field), 0);
    assert_int_equal(message_dup(&again, *state, &copy), 0);
    message_write_json(&second, &copy);
    assert_true(ts_str_eq(ts_buf_view(&first), ts_buf_view(&second)));
    assert_true(ts_str_find(ts_buf_view(&first), TS_STR("\"messageId\":\"9007199254740993\"")) > 0);
    assert_true(ts_str_find(ts_buf_view(&first), TS_STR("\"method\":\"copy\"")) > 0);
}

static void test_read_when_a_field_is_wrong_then_it_is_named(void **state)
{
    static const struct {
        const char *json, *field;
        int error;
    } cases[] = {
        {"{}", "channelId", TS_E_MISSING},
        {"{\"channelId\":0}", "channelId", TS_E_RANGE},
        {"{\"channelId\":\"abc\"}", "channelId", TS_E_INVALID},
        {"{\"channelId\":\"99999999999999999999\"}", "channelId", TS_E_RANGE},
        {"{\"channelId\":-100}", "messageId", TS_E_MISSING},
        {"{\"channelId\":-100,\"messageId\":0}", "messageId", TS_E_RANGE},
        {"{\"channelId\":-100,\"messageId\":1.5}", "messageId", TS_E_INVALID},
        {"{\"channelId\":-100,\"messageId\":1}", "text", TS_E_MISSING},
        {"{\"channelId\":-100,\"messageId\":1,\"text\":null}", "text", TS_E_MISSING},
        {"{\"channelId\":-100,\"messageId\":1,\"text\":7}", "text", TS_E_INVALID},
        {"{\"channelId\":-100,\"messageId\":1,\"text\":\"\"}", "timestamp", TS_E_MISSING},
        {"{\"channelId\":-100,\"messageId\":1,\"text\":\"\",\"timestamp\":\"yesterday\"}", "timestamp",
         TS_E_INVALID},
        {"{\"channelId\":-100,\"messageId\":1,\"text\":\"\",\"timestamp\":17}", "timestamp", TS_E_INVALID},
        {"{\"deleted\":1,\"channelId\":-100,\"messageId\":1}", "deleted", TS_E_INVALID},
        {"{" MINIMUM ",\"photos\":\"x\"}", "photos", TS_E_INVALID},
        {"{" MINIMUM ",\"photos\":[{}]}", "photos", TS_E_INVALID},
        {"{" MINIMUM ",\"photos\":[{\"fileId\":\"a\",\"width\":-1}]}", "photos", TS_E_RANGE},
        {"{" MINIMUM ",\"mediaType\":\"123456789012345678901\"}", "mediaType", TS_E_RANGE},
        {"{" MINIMUM ",\"receivedAt\":\"x\"}", "receivedAt", TS_E_INVALID},
        {"{" MINIMUM ",\"forwarded\":{\"originalChannelId\":1}}", "forwarded", TS_E_INVALID},
        {"{" MINIMUM ",\"editedAt\":\"2026-11-23T12:00:00Z\"}", "editedAt", TS_E_INVALID},
    };
    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        struct message message;
        const char *field = "";
        assert_int_equal(read_text(ts_str_from(cases[i].json), *state, &message, &field), cases[i].error);
        assert_string_equal(field, cases[i].field);
    }
}

static void test_read_when_deleted_then_text_may_be_absent(void **state)
{
    struct message message;
    assert_int_equal(
        read_message(
            "{\"channelId\":-100,\"messageId\":1,\"timestamp\":\"2026-11-23T13:00:00Z\",\"deleted\":true}",
            *state, &message),
        0);
    assert_true(message_key(&message).revision == MESSAGE_DELETED);
    assert_int_equal(message.text.len, 0);
}

static char *long_name_message(size_t n_accents)
{
    char *json = calloc(1, 1024 + 2 * n_accents);
    strcpy(json, "{" MINIMUM ",\"channelName\":\"x");
    for (size_t i = 0; i < n_accents; i++)
        strcat(json, "é");
    strcat(json, "\"}");
    return json;
}

static void test_read_when_the_channel_name_is_long_then_cut_between_characters(void **state)
{
    struct message message;
    char *json = long_name_message(150); /* 301 bytes; the 200th is the first half of an é */
    assert_int_equal(read_message(json, *state, &message), 0);
    assert_int_equal(message.channel_name.len, 199);
    assert_true(ts_utf8_valid(message.channel_name));
    free(json);
}

static void test_read_when_text_is_too_long_then_refused_and_a_caption_cut(void **state)
{
    enum { LONG = MESSAGE_MAX_TEXT_BYTES + 1 };
    char *json = malloc(2 * LONG + 1024);
    char *text = malloc(LONG + 1);
    struct message message;
    const char *field = "";
    memset(text, 'a', LONG);
    text[LONG] = '\0';
    sprintf(json, "{" MINIMUM ",\"caption\":\"%s\"}", text);
    assert_int_equal(read_message(json, *state, &message), 0);
    assert_int_equal(message.caption.len, MESSAGE_MAX_TEXT_BYTES);
    sprintf(json,
            "{\"channelId\":-100,\"messageId\":1,\"text\":\"%s\",\"timestamp\":\"2026-11-23T13:00:00Z\"}",
            text);
    assert_int_equal(read_text(ts_str_from(json), *state, &message, &field), TS_E_RANGE);
    assert_string_equal(field, "text");
    free(json);
    free(text);
}

static void test_content_then_differs_with_what_is_seen_only(void **state)
{
    struct message a, b;
    assert_int_equal(read_message("{" MINIMUM "}", *state, &a), 0);
    b = a;
    b.received_at_us = 5;
    b.edited_at_us = 7;
    assert_true(message_content(&a) == message_content(&b));
    b.text = TS_STR("o");
    b.caption = TS_STR("i"); /* the same letters in other places */
    assert_true(message_content(&a) != message_content(&b));
    b = a;
    b.deleted = true;
    assert_true(message_content(&a) != message_content(&b));
}

static void test_merge_then_captions_joined_and_all_photos(void **state)
{
    const struct message_photo photos[3] = {
        {TS_STR("p1"), -1, -1, -1}, {TS_STR("p2"), -1, -1, -1}, {TS_STR("p3"), -1, -1, -1}};
    struct message parts[3] = {
        {.channel_id = -100,
         .message_id = 5,
         .text = TS_STR(""),
         .timestamp_us = 9,
         .photos = &photos[0],
         .n_photos = 1},
        {.channel_id = -100,
         .message_id = 6,
         .text = TS_STR(""),
         .caption = TS_STR("COMPRA"),
         .photos = &photos[1],
         .n_photos = 1},
        {.channel_id = -100,
         .message_id = 7,
         .text = TS_STR(""),
         .caption = TS_STR("Stop"),
         .photos = &photos[2],
         .n_photos = 1},
    };
    struct message merged;
    assert_int_equal(message_merge(parts, 3, *state, &merged), 0);
    assert_int_equal(merged.message_id, 5);
    assert_int_equal(merged.timestamp_us, 9);
    assert_true(ts_str_eq(merged.caption, TS_STR("COMPRA\nStop")));
    assert_int_equal(merged.text.len, 0);
    assert_false(ts_str_is_none(merged.text));
    assert_int_equal(merged.n_photos, 3);
    assert_true(ts_str_eq(merged.photos[2].file_id, TS_STR("p3")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_read_then_written_again_the_same),
        CASE(test_read_when_a_field_is_wrong_then_it_is_named),
        CASE(test_read_when_deleted_then_text_may_be_absent),
        CASE(test_read_when_the_channel_name_is_long_then_cut_between_characters),
        CASE(test_read_when_text_is_too_long_then_refused_and_a_caption_cut),
        CASE(test_content_then_differs_with_what_is_seen_only),
        CASE(test_merge_then_captions_joined_and_all_photos),
    };
    ts_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
