/*
 * What holds for every text, shared by the property test and the fuzzer: a violation aborts. Not for the
 * service.
 */
#ifndef TP_CAPITAL_PARSER_INVARIANTS_H
#define TP_CAPITAL_PARSER_INVARIANTS_H

#include <assert.h>
#include <string.h>

#include "fold.h"
#include "parser.h"

static inline void check_prices(const struct signal *s)
{
    assert(s->has_entry == (s->buy_min_e6 > 0) && s->has_entry == (s->buy_max_e6 > 0));
    assert(s->buy_min_e6 <= s->buy_max_e6);
    assert(s->has_stop == (s->stop_loss_e6 > 0));
    assert(s->has_target_1 == (s->target_1_e6 > 0) && s->has_target_2 == (s->target_2_e6 > 0));
    assert(s->has_target_final == (s->target_final_e6 > 0));
    assert(s->take_profit_count <= SIGNAL_TARGETS_MAX + 1);
    assert(s->has_target_final == (s->take_profit_count > 0));
    for (uint32_t i = 0; i < s->take_profit_count; i++)
        assert(s->take_profit_e6[i] > 0);
    if (s->has_target_1)
        assert(s->take_profit_e6[0] == s->target_1_e6);
}

static inline void check_signal(const struct signal *s, enum signal_rule rule)
{
    static const struct signal unknown;

    assert((s->signal_type == SIGNAL_UNKNOWN) == (rule != SIGNAL_RULE_NONE));
    if (s->signal_type == SIGNAL_UNKNOWN) {
        assert(memcmp(s, &unknown, sizeof(unknown)) == 0);
        return;
    }
    assert(s->trade_type != TRADE_NONE && s->has_asset);
    assert(strlen(s->asset) >= 5 && strlen(s->asset) <= LEX_TICKER_MAX);
    assert(s->has_entry || s->has_stop || s->has_target_final);
    assert(s->complete == (s->has_entry || (s->has_stop && s->has_target_final)));
    check_prices(s);
}

static inline void check_explanation(const struct signal_explanation *e, ts_str text)
{
    assert(e->span_count <= SIGNAL_FIELDS);
    for (uint32_t i = 0; i < e->span_count; i++) {
        assert(e->spans[i].at.start < e->spans[i].at.end && e->spans[i].at.end <= text.len);
        assert(i == 0 ||
               e->spans[i - 1].at.start <= e->spans[i].at.start); /* "stop @ 28" may be an entry too */
        assert(signal_field_name(e->spans[i].field) != NULL);
    }
}

/* A folded text, and one with CRLF for LF, reads the same. */
static inline void check_same_when_folded(ts_str text, const struct signal *expected)
{
    static char crlf[2 * SIGNAL_TEXT_MAX];
    struct folded folded;
    struct signal again;
    size_t n = 0;

    assert(fold(text, &folded) == 0);
    assert(signal_parse((ts_str){folded.text, folded.len}, &again, NULL) == 0);
    assert(memcmp(expected, &again, sizeof(again)) == 0);

    for (size_t i = 0; i < folded.len; i++) {
        if (folded.text[i] == '\n')
            crlf[n++] = '\r';
        crlf[n++] = folded.text[i];
    }
    if (n <= SIGNAL_TEXT_MAX) {
        assert(signal_parse((ts_str){crlf, n}, &again, NULL) == 0);
        assert(memcmp(expected, &again, sizeof(again)) == 0);
    }
}

/* `text` is at most SIGNAL_TEXT_MAX bytes. */
static inline void check_invariants(ts_str text)
{
    struct signal signal, without;
    struct signal_explanation explanation;

    assert(signal_parse(text, &signal, &explanation) == 0);
    check_signal(&signal, explanation.rule);
    check_explanation(&explanation, text);
    assert(signal_parse(text, &without, NULL) == 0);
    assert(memcmp(&signal, &without, sizeof(signal)) == 0);
    check_same_when_folded(text, &signal);
}

#endif
