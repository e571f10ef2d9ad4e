/* The bodies of the registry without a server: limits in characters, defaults, what null means, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry.h"

/* n times `character`, between what stands before and behind; to be freed. */
static char *repeat(const char *before, const char *character, int n, const char *behind)
{
    size_t size = strlen(before) + strlen(character) * (size_t)n + strlen(behind) + 1;
    char *text = malloc(size), *at = text;
    at += snprintf(at, size, "%s", before);
    for (int i = 0; i < n; i++)
        at = stpcpy(at, character);
    stpcpy(at, behind);
    return text;
}

static json_t *parse(const char *text)
{
    json_t *body = NULL;
    assert_int_equal(ts_json_parse_object(ts_str_from(text), 16, &body), 0);
    return body;
}

/* The first bad field, or NULL. */
static const char *bad_channel_field(const char *text, bool create)
{
    struct channel_fields fields;
    json_t *body = parse(text);
    struct validate_result result = registry_read_channel(body, create, &fields);
    json_decref(body);
    return result.problem == VALIDATE_OK ? NULL : result.field ? result.field : "(missing)";
}

static const char *bad_bot_field(const char *text, bool create)
{
    struct bot_fields fields;
    json_t *body = parse(text);
    struct validate_result result = registry_read_bot(body, create, &fields);
    json_decref(body);
    return result.problem == VALIDATE_OK ? NULL : result.field ? result.field : "(missing)";
}

static void expect_limit(const char *before, const char *behind, int max, const char *field,
                         const char *(*bad)(const char *text, bool create))
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xF0\x9F\x9F\xA2"}; /* 1, 2 and 4 bytes */
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        char *longest = repeat(before, characters[i], max, behind);
        char *longer = repeat(before, characters[i], max + 1, behind);
        const char *of_longest = bad(longest, false), *of_longer = bad(longer, false);
        if (of_longest)
            fail_msg("%s of %d characters is refused", of_longest, max);
        assert_non_null(of_longer);
        assert_string_equal(of_longer, field);
        free(longest);
        free(longer);
    }
}

static void test_lengths_when_at_their_limit_then_characters_count_not_bytes(void **state)
{
    (void)state;
    expect_limit("{\"label\":\"", "\"}", 200, "label", bad_channel_field);
    expect_limit("{\"description\":\"", "\"}", 1000, "description", bad_channel_field);
    expect_limit("{\"username\":\"", "\"}", 100, "username", bad_bot_field);
    expect_limit("{\"bot_type\":\"", "\"}", 50, "bot_type", bad_bot_field);
    expect_limit("{\"description\":\"", "\"}", 1000, "description", bad_bot_field);
}

static void test_channel_when_created_then_defaults_stand_and_a_put_s_fields_are_unknown(void **state)
{
    struct channel_fields f;
    json_t *body = parse("{\"label\":\"Sala\",\"channel_id\":\"-1001000000001\",\"channel_type\":null,"
                         "\"description\":null,\"status\":\"x\",\"signal_count\":-1,\"last_signal\":7}");
    (void)state;
    assert_int_equal(registry_read_channel(body, true, &f).problem, VALIDATE_OK);
    assert_int_equal(f.given, CHANNEL_LABEL | CHANNEL_ID);
    assert_true(ts_str_eq(f.label, TS_STR("Sala")) && f.channel_id == INT64_C(-1001000000001));
    assert_true(ts_str_eq(f.channel_type, TS_STR("source")) && ts_str_eq(f.status, TS_STR("active")));
    assert_true(ts_str_is_none(f.description) && f.signal_count == 0 && f.last_signal_us == MESSAGE_NO_TIME);
    json_decref(body);
}

static void test_channel_when_changed_then_only_what_is_given(void **state)
{
    struct channel_fields f;
    json_t *body = parse("{\"description\":null,\"last_signal\":null,\"signal_count\":3}");
    (void)state;
    assert_int_equal(registry_read_channel(body, false, &f).problem, VALIDATE_OK);
    assert_int_equal(f.given, CHANNEL_DESCRIPTION | CHANNEL_LAST_SIGNAL | CHANNEL_SIGNAL_COUNT);
    assert_true(ts_str_is_none(f.label) && ts_str_is_none(f.channel_type) && ts_str_is_none(f.status));
    assert_true(ts_str_is_none(f.description) && f.last_signal_us == MESSAGE_NO_TIME && f.signal_count == 3);
    json_decref(body);
}

static void test_fields_when_several_are_bad_then_the_first_of_the_list_is_named(void **state)
{
    (void)state;
    assert_string_equal(bad_channel_field("{\"last_signal\":1,\"status\":1,\"label\":1}", false), "label");
    assert_string_equal(bad_channel_field("{\"last_signal\":1,\"status\":1}", false), "status");
    assert_string_equal(bad_bot_field("{\"token\":\"x\",\"username\":\"\"}", true), "username");
    assert_string_equal(bad_bot_field("{\"status\":\"deleted\",\"bot_type\":3}", false), "bot_type");
    assert_string_equal(bad_bot_field("{\"username\":\"x\"}", true), "(missing)");
    assert_string_equal(bad_channel_field("{}", false), "(missing)");
}

static void test_channel_id_when_at_its_bounds_then_int64_without_0(void **state)
{
    static const struct {
        const char *body;
        bool good;
    } cases[] = {
        {"{\"channel_id\":\"9223372036854775807\"}", true},
        {"{\"channel_id\":-9223372036854775808}", true},
        {"{\"channel_id\":\"-9223372036854775809\"}", false},
        {"{\"channel_id\":\"0\"}", false},
        {"{\"channel_id\":\"-0\"}", false},
        {"{\"channel_id\":\"+1\"}", false},
        {"{\"channel_id\":\" 1\"}", false},
        {"{\"channel_id\":\"\"}", false},
        {"{\"channel_id\":1e3}", false},
        {"{\"channel_id\":\"0000000000000000001\"}", true},
        {"{\"channel_id\":\"00000000000000000001\"}", false},
        {"{\"channel_id\":true}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if ((bad_channel_field(cases[i].body, false) == NULL) != cases[i].good)
            fail_msg("%s", cases[i].body);
}

static void test_username_when_it_has_an_at_then_it_is_taken_off_once(void **state)
{
    struct bot_fields f;
    json_t *body = parse("{\"username\":\"@@x\"}");
    (void)state;
    assert_int_equal(registry_read_bot(body, false, &f).problem, VALIDATE_OK);
    assert_true(ts_str_eq(f.username, TS_STR("@x")));
    json_decref(body);
    assert_string_equal(bad_bot_field("{\"username\":\"@ \"}", false), "username");
}

static int fingerprint_of(int digits, const char *colon, int rest, const char *character)
{
    char out[BOT_FINGERPRINT_SIZE], *head = repeat("", "1", digits, colon);
    char *token = repeat(head, character, rest, "");
    int r = registry_fingerprint(ts_str_from(token), out);
    assert_true(r < 0 || strlen(out) == 12);
    free(head);
    free(token);
    return r;
}

static void test_token_when_its_form_is_off_then_it_is_refused(void **state)
{
    (void)state;
    assert_int_equal(fingerprint_of(5, ":", 30, "a"), 0);
    assert_int_equal(fingerprint_of(20, ":", 64, "_"), 0);
    assert_int_equal(fingerprint_of(8, ":", 35, "-"), 0);
    assert_int_equal(fingerprint_of(4, ":", 30, "a"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(21, ":", 30, "a"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(5, ":", 29, "a"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(5, ":", 65, "a"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(5, "", 30, "a"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(5, "::", 30, "a"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(5, ":", 30, " "), TS_E_INVALID);
    assert_int_equal(fingerprint_of(5, ":", 15, "\xC3\xA9"), TS_E_INVALID);
    assert_int_equal(fingerprint_of(8, "", 0, ""), TS_E_INVALID);
}

static void test_fingerprint_when_made_then_the_first_half_dozen_bytes_of_sha_256(void **state)
{
    char out[BOT_FINGERPRINT_SIZE], token[64];
    (void)state;
    snprintf(token, sizeof(token), "%s:%s", "123456", "abcdefghijklmnopqrstuvwxyzABCD");
    assert_int_equal(registry_fingerprint(ts_str_from(token), out), 0);
    assert_string_equal(out, "98adc92e1d56");
}

static void test_id_when_made_then_no_two_are_equal(void **state)
{
    char a[REGISTRY_NEW_ID_SIZE], b[REGISTRY_NEW_ID_SIZE];
    (void)state;
    ts_str first = registry_new_id("channel", a), second = registry_new_id("channel", b);
    assert_int_equal(first.len, strlen("channel-") + 32);
    assert_true(ts_str_starts_with(first, TS_STR("channel-")));
    assert_false(ts_str_eq(first, second));
}

static void test_fields_when_kept_then_they_outlive_the_body(void **state)
{
    struct channel_fields channel;
    struct bot_fields bot;
    struct ts_arena *arena = ts_arena_new(4096);
    (void)state;
    json_t *body =
        parse("{\"label\":\"Sala\",\"channel_id\":1,\"description\":\"d\",\"channel_type\":\"destination\"}");
    assert_int_equal(registry_read_channel(body, true, &channel).problem, VALIDATE_OK);
    assert_int_equal(registry_keep_channel(&channel, arena), 0);
    json_decref(body);
    body = parse("{\"username\":\"b\",\"bot_type\":\"t\",\"description\":\"e\",\"status\":\"inactive\"}");
    assert_int_equal(registry_read_bot(body, false, &bot).problem, VALIDATE_OK);
    assert_int_equal(registry_keep_bot(&bot, arena), 0);
    json_decref(body);
    assert_true(ts_str_eq(channel.label, TS_STR("Sala")) && ts_str_eq(channel.description, TS_STR("d")));
    assert_true(ts_str_eq(channel.channel_type, TS_STR("destination")));
    assert_true(ts_str_eq(bot.username, TS_STR("b")) && ts_str_eq(bot.bot_type, TS_STR("t")));
    assert_true(ts_str_eq(bot.description, TS_STR("e")) && ts_str_eq(bot.status, TS_STR("inactive")));
    ts_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths_when_at_their_limit_then_characters_count_not_bytes),
        cmocka_unit_test(test_channel_when_created_then_defaults_stand_and_a_put_s_fields_are_unknown),
        cmocka_unit_test(test_channel_when_changed_then_only_what_is_given),
        cmocka_unit_test(test_fields_when_several_are_bad_then_the_first_of_the_list_is_named),
        cmocka_unit_test(test_channel_id_when_at_its_bounds_then_int64_without_0),
        cmocka_unit_test(test_username_when_it_has_an_at_then_it_is_taken_off_once),
        cmocka_unit_test(test_token_when_its_form_is_off_then_it_is_refused),
        cmocka_unit_test(test_fingerprint_when_made_then_the_first_half_dozen_bytes_of_sha_256),
        cmocka_unit_test(test_id_when_made_then_no_two_are_equal),
        cmocka_unit_test(test_fields_when_kept_then_they_outlive_the_body),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
