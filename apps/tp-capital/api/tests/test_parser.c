/*
 * The parser against its cases. tests/data holds them, one JSON object a line: `name`, `text`, `expect` (the
 * record of tp-capital 2.1; a field left out is null), and where it matters `rule`, `direction` and `spans`
 * of the explanation, the latter as [field, text] in text order. Each case is a test by its own name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "jsonl.h"
#include "parser.h"

static json_t *price_json(bool has, int64_t value_e6)
{
    return has ? json_integer(value_e6) : json_null();
}

static json_t *text_json(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *take_profit_json(const struct signal *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < s->take_profit_count; i++)
        json_array_append_new(list, json_integer(s->take_profit_e6[i]));
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return json_null();
}

/* The record as the cases write it, with prices in 1e-6. */
static json_t *signal_json(const struct signal *s)
{
    json_t *o = json_object();

    json_object_set_new(o, "asset", text_json(s->asset));
    json_object_set_new(o, "signal_type", text_json(signal_type_name(s->signal_type)));
    json_object_set_new(o, "trade_type", text_json(signal_trade_type_name(s->trade_type)));
    json_object_set_new(o, "price", price_json(s->has_entry, s->buy_min_e6));
    json_object_set_new(o, "buy_min", price_json(s->has_entry, s->buy_min_e6));
    json_object_set_new(o, "buy_max", price_json(s->has_entry, s->buy_max_e6));
    json_object_set_new(o, "stop_loss", price_json(s->has_stop, s->stop_loss_e6));
    json_object_set_new(o, "take_profit", take_profit_json(s));
    json_object_set_new(o, "target_1", price_json(s->has_target_1, s->target_1_e6));
    json_object_set_new(o, "target_2", price_json(s->has_target_2, s->target_2_e6));
    json_object_set_new(o, "target_final", price_json(s->has_target_final, s->target_final_e6));
    json_object_set_new(o, "complete", json_boolean(s->complete));
    return o;
}

/* The spans as [field, text of the span] in their order. */
static json_t *spans_json(const struct signal_explanation *e, const char *text)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < e->span_count; i++) {
        const struct signal_span *span = &e->spans[i];
        json_array_append_new(list,
                              json_pack("[s, s%]", signal_field_name(span->field), text + span->at.start,
                                        (size_t)(span->at.end - span->at.start)));
    }
    return list;
}

/* An expected value with its numbers in 1e-6; what is left out is null. */
static json_t *expected_json(const json_t *value)
{
    size_t i;
    json_t *item;

    if (json_is_integer(value))
        return json_integer(json_integer_value(value) * TS_E6);
    if (json_is_real(value))
        return json_integer(llround(json_number_value(value) * 1e6));
    if (!json_is_array(value))
        return value ? json_deep_copy(value) : json_null();

    json_t *list = json_array();
    json_array_foreach(value, i, item) json_array_append_new(list, expected_json(item));
    return list;
}

/* Takes both values; prints a difference and counts it. */
static int differs(const char *what, json_t *expected, json_t *actual)
{
    int different = !json_equal(expected, actual);

    if (different) {
        char *e = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
        char *a = json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT);
        print_error("  %s: expected %s, got %s\n", what, e, a);
        free(e);
        free(a);
    }
    json_decref(expected);
    json_decref(actual);
    return different;
}

static int check_record(const json_t *expect, const struct signal *signal)
{
    json_t *actual = signal_json(signal);
    int different = 0;
    const char *field;
    json_t *value;

    json_object_foreach(actual, field, value) different +=
        differs(field, expected_json(json_object_get(expect, field)), json_incref(value));
    json_object_foreach((json_t *)expect, field, value)
        assert_non_null(json_object_get(actual, field)); /* a misspelt field in a case */
    json_decref(actual);
    return different;
}

static int check_explanation(const json_t *c, const char *text, const struct signal_explanation *e)
{
    json_t *rule = json_object_get(c, "rule");
    json_t *direction = json_object_get(c, "direction");
    json_t *spans = json_object_get(c, "spans");
    int different = 0;

    if (rule)
        different += differs("rule", json_incref(rule), text_json(signal_rule_name(e->rule)));
    if (direction)
        different += differs("direction", json_incref(direction),
                             text_json(signal_direction_source_name(e->direction)));
    if (spans)
        different += differs("spans", json_incref(spans), spans_json(e, text));
    return different;
}

static void run_case(void **state)
{
    const json_t *c = *state;
    const char *text = json_string_value(json_object_get(c, "text"));
    struct signal signal;
    struct signal_explanation explanation;

    assert_non_null(text);
    assert_int_equal(signal_parse(ts_str_from(text), &signal, &explanation), 0);
    assert_int_equal(
        check_record(json_object_get(c, "expect"), &signal) + check_explanation(c, text, &explanation), 0);
}

/* Appends the cases of a file to tests[], which borrow them. */
static size_t add_cases(json_t *cases, struct CMUnitTest *tests, size_t n)
{
    size_t i;
    json_t *c;

    json_array_foreach(cases, i, c)
    {
        tests[n++] = (struct CMUnitTest){
            .name = json_string_value(json_object_get(c, "name")), .test_func = run_case, .initial_state = c};
    }
    return n;
}

static void test_signal_parse_when_text_is_too_long_then_refuses(void **state)
{
    static char text[SIGNAL_TEXT_MAX + 1];
    struct signal signal;

    (void)state;
    memset(text, ' ', sizeof(text));
    assert_int_equal(signal_parse((ts_str){text, SIGNAL_TEXT_MAX}, &signal, NULL), 0);
    signal.asset[0] = 'x';
    assert_int_equal(signal_parse((ts_str){text, SIGNAL_TEXT_MAX + 1}, &signal, NULL), TS_E_TOO_LONG);
    assert_int_equal(signal.asset[0], 'x'); /* untouched */
}

static void test_signal_parse_when_text_is_absent_then_no_asset(void **state)
{
    struct signal signal;
    struct signal_explanation explanation;

    (void)state;
    assert_int_equal(signal_parse(TS_STR_NONE, &signal, &explanation), 0);
    assert_int_equal(signal.signal_type, SIGNAL_UNKNOWN);
    assert_int_equal(explanation.rule, SIGNAL_RULE_NO_ASSET);
    assert_int_equal(explanation.span_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal_parse_when_text_is_too_long_then_refuses),
        cmocka_unit_test(test_signal_parse_when_text_is_absent_then_no_asset),
    };
    json_t *specified = jsonl_load("apps/tp-capital/api/tests/data/signal-cases.jsonl");
    json_t *more = jsonl_load("apps/tp-capital/api/tests/data/more-cases.jsonl");
    struct CMUnitTest *cases = calloc(json_array_size(specified) + json_array_size(more), sizeof(*cases));
    size_t n;
    int failed;

    if (!cases)
        return 1;
    n = add_cases(specified, cases, 0);
    n = add_cases(more, cases, n);
    failed = _cmocka_run_group_tests("cases", cases, n, NULL, NULL);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    free(cases);
    json_decref(specified);
    json_decref(more);
    return failed;
}
