/* The body of POST /ingest without a server: what a valid one becomes. (Its refusals are in contract_ingest.c, with their bodies.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "validate.h"

#define NOW_US INT64_C(1762174800000000) /* 2025-11-03T13:00:00Z */

static struct validate_result validate(const char *text, struct message *ret)
{
    static struct ts_arena *arena;
    static json_t *body;
    if (!arena)
        arena = ts_arena_new(64 * 1024);
    json_decref(body);
    body = NULL;
    assert_int_equal(ts_json_parse_object(ts_str_from(text), 16, &body), 0);
    struct validate_result result = validate_message(body, NOW_US, arena, ret);
    if (strcmp(text, "{}") == 0) { /* the last call of each test gives everything back */
        json_decref(body);
        body = NULL;
        arena = ts_arena_free(arena);
    }
    return result;
}

static void done(void)
{
    struct message message;
    assert_int_equal(validate("{}", &message).problem, VALIDATE_MISSING);
}

#define HEAD \
    "\"channelId\":\"-1001000000001\",\"messageId\":\"42\",\"timestamp\":\"2025-11-03T10:00:00-03:00\""

static void test_message_when_plain_then_an_original_with_defaults(void **state)
{
    struct message m;
    (void)state;
    assert_int_equal(validate("{" HEAD ",\"text\":\"ola\",\"channelName\":null,\"photos\":[]}", &m).problem,
                     VALIDATE_OK);
    assert_true(m.channel_id == INT64_C(-1001000000001) && m.message_id == 42 && m.ts_us == NOW_US);
    assert_true(m.revision == MESSAGE_ORIGINAL);
    assert_true(ts_str_eq(m.text, TS_STR("ola")) && ts_str_eq(m.source, TS_STR("telegram")));
    assert_true(ts_str_is_none(m.channel) && ts_str_is_none(m.photos) && ts_str_is_none(m.media_type));
    assert_true(m.edited_at_us == MESSAGE_NO_TIME && m.received_at_us == MESSAGE_NO_TIME &&
                !m.forward.present);
    done();
}

static void test_message_when_text_is_empty_then_the_caption_takes_its_place(void **state)
{
    struct message m;
    (void)state;
    assert_int_equal(validate("{" HEAD ",\"text\":\"\",\"caption\":\"foto\"}", &m).problem, VALIDATE_OK);
    assert_true(ts_str_eq(m.text, TS_STR("foto")));
    assert_int_equal(validate("{" HEAD ",\"text\":\"texto\",\"caption\":\"foto\"}", &m).problem, VALIDATE_OK);
    assert_true(ts_str_eq(m.text, TS_STR("texto")));
    done();
}

static void test_message_when_edited_then_the_revision_is_the_millisecond_of_it(void **state)
{
    struct message m;
    (void)state;
    assert_int_equal(
        validate("{" HEAD ",\"text\":\"x\",\"editedAt\":\"2025-11-03T13:01:00.123456Z\"}", &m).problem,
        VALIDATE_OK);
    assert_true(m.revision == NOW_US / 1000 + 60123);
    done();
}

static void test_message_when_deleted_then_it_has_no_text_and_the_highest_revision(void **state)
{
    struct message m;
    (void)state;
    assert_int_equal(
        validate("{" HEAD ",\"deleted\":true,\"text\":\"x\",\"editedAt\":\"2025-11-03T13:01:00Z\"}", &m)
            .problem,
        VALIDATE_OK);
    assert_true(m.revision == MESSAGE_DELETED && ts_str_is_none(m.text));
    assert_int_equal(validate("{" HEAD ",\"deleted\":true}", &m).problem, VALIDATE_OK);
    done();
}

static void test_message_when_the_clock_is_five_minutes_ahead_then_accepted_and_a_microsecond_more_refused(
    void **state)
{
    struct message m = {.message_id = 99};
    (void)state;
    assert_int_equal(
        validate("{\"channelId\":1,\"messageId\":1,\"text\":\"\",\"timestamp\":\"2025-11-03T13:05:00Z\"}", &m)
            .problem,
        VALIDATE_OK);
    m.message_id = 99;
    struct validate_result r = validate(
        "{\"channelId\":1,\"messageId\":1,\"text\":\"\",\"timestamp\":\"2025-11-03T13:05:00.000001Z\"}", &m);
    assert_int_equal(r.problem, VALIDATE_INVALID);
    assert_string_equal(r.field, "timestamp");
    assert_int_equal(m.message_id, 99); /* untouched */
    done();
}

static void test_message_when_photos_are_given_then_they_are_kept_as_they_came(void **state)
{
    struct message m;
    (void)state;
    assert_int_equal(
        validate("{" HEAD ",\"text\":\"x\",\"photos\":[\"a\", {\"fileId\":\"b\",\"width\":1}]}", &m).problem,
        VALIDATE_OK);
    assert_true(ts_str_eq(m.photos, TS_STR("[\"a\",{\"fileId\":\"b\",\"width\":1}]")));
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_when_plain_then_an_original_with_defaults),
        cmocka_unit_test(test_message_when_text_is_empty_then_the_caption_takes_its_place),
        cmocka_unit_test(test_message_when_edited_then_the_revision_is_the_millisecond_of_it),
        cmocka_unit_test(test_message_when_deleted_then_it_has_no_text_and_the_highest_revision),
        cmocka_unit_test(
            test_message_when_the_clock_is_five_minutes_ahead_then_accepted_and_a_microsecond_more_refused),
        cmocka_unit_test(test_message_when_photos_are_given_then_they_are_kept_as_they_came),
    };
    ts_json_init();
    return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
