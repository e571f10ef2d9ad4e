#include "parser.h"

#include <stddef.h>
#include <string.h>

#include "price.h"
#include "words.h"

#define FILLERS_MAX 4

_Static_assert(sizeof(struct signal) ==
                   3 * 4 + 7 + sizeof((struct signal){0}.asset) + 8 * (6 + SIGNAL_TARGETS_MAX + 1),
               "struct signal has padding");

/* A word of the text: where it stands and what it may mean. `begin` is NULL while none was found. */
struct word_at {
    const char *begin, *end;
    unsigned roles;
};

/* What the walk has found so far. A price whose `begin` is NULL was not found yet. */
struct reading {
    const char *first_line_end; /* of the first line that is not blank */
    struct word_at asset, direction, trade, update;
    bool asset_has_label;
    struct price entry_min, entry_max, stop;
    struct price targets[SIGNAL_TARGETS_MAX]; /* by number - 1 */
    struct price final;
    struct price unnumbered[SIGNAL_TARGETS_MAX]; /* in text order */
    size_t unnumbered_count;
};

/* --- Asset (2.4) --- */

/* A ticker in the text counts until a label names one. */
static void read_ticker(struct reading *r, const char *begin, const char *end)
{
    if (!r->asset.begin)
        r->asset = (struct word_at){begin, end, 0};
}

static void read_labelled_asset(struct reading *r, const char *p)
{
    const char *begin = lex_sep(p);
    const char *end = lex_ticker(begin);

    if (!end || r->asset_has_label)
        return;
    r->asset = (struct word_at){begin, end, 0};
    r->asset_has_label = true;
}

/* --- Entry (2.6) --- */

static const char *skip_filler(const char *p)
{
    const char *end = lex_ticker(p);

    if (end)
        return end;
    return words_lookup(p, &end) & WORD_FILLER ? end : NULL;
}

/* "100 PETR4", "200 acoes de VALE3", "5 contratos". */
static bool is_quantity(const struct price *price)
{
    const char *p = lex_spaces(price->end);
    const char *end;

    if (!price->plain || p == price->end)
        return false;
    if (words_lookup(p, &end) & WORD_OF)
        p = lex_spaces(end);
    return lex_ticker(p) || words_lookup(p, &end) & WORD_UNIT;
}

/* What stands between the two prices of a range: `-`, " a ", " ate ", " e ", " max: ". NULL if nothing of
 * that. */
static const char *skip_range_joint(const char *p)
{
    const char *q = lex_spaces(p);
    const char *end;

    if (*q == '-')
        return lex_spaces(q + 1);
    if (q == p || !(words_lookup(q, &end) & WORD_TO))
        return NULL;
    q = lex_spaces(end);
    if (*q == ':')
        return lex_spaces(q + 1);
    return q > end ? q : NULL;
}

static void set_entry(struct reading *r, const struct price *first)
{
    const char *p = skip_range_joint(first->end);
    struct price second;

    r->entry_min = r->entry_max = *first;
    if (!p || !price_read(p, PRICE_NO_DATES, &second) || is_quantity(&second))
        return;
    if (second.value_e6 < first->value_e6)
        r->entry_min = second;
    else
        r->entry_max = second;
}

/* `p` is behind a word, or the sign `@`, that an entry may begin with. */
static void read_entry(struct reading *r, const char *p)
{
    struct price price;

    for (int skipped = 0; p && skipped <= FILLERS_MAX; skipped++) {
        p = lex_sep(p);
        if (price_read(p, PRICE_NO_DATES, &price)) {
            if (!is_quantity(&price))
                set_entry(r, &price);
            return;
        }
        p = skip_filler(p);
    }
}

/* --- Stop and targets (2.7) --- */

/* "Stop em 29,80", "Alvos: ": behind the word that may stand there and the separator. */
static const char *skip_link(const char *p)
{
    const char *end;

    if (words_lookup(lex_spaces(p), &end) & WORD_LINK)
        p = end;
    return lex_sep(p);
}

/* "Stop gain" never comes here: it is a target word, and the longer entry of the dictionary wins. */
static void read_stop(struct reading *r, const char *p)
{
    (void)price_read(skip_link(p), PRICE_NO_DATES, &r->stop);
}

/* A target number, one or two digits that are not the beginning of a longer number; 0 if there is none at
 * `p`. */
static unsigned read_number(const char *p, const char **ret_end)
{
    const char *end = lex_digits(p, 1, 2);
    unsigned number = 0;

    if (!end || ((*end == '.' || *end == ',') && lex_is_digit(end[1])))
        return 0;
    for (; p < end; p++)
        number = number * 10 + (unsigned)(*p - '0');
    if (number > SIGNAL_TARGETS_MAX)
        return 0;
    *ret_end = end;
    return number;
}

static const char *skip_list_separator(const char *p)
{
    const char *q = lex_spaces(p);
    const char *end;

    if (*q == '/' || *q == ';' || *q == '|')
        return lex_spaces(q + 1);
    if (*p == ',' && p[1] == ' ')
        return lex_spaces(p + 1);
    if (q > p && words_lookup(q, &end) & WORD_AND && *end == ' ')
        return lex_spaces(end);
    return NULL;
}

static void read_target_list(struct reading *r, const char *p)
{
    struct price price;

    while (p && price_read(p, PRICE_DATES_ALLOWED, &price)) {
        if (r->unnumbered_count < SIGNAL_TARGETS_MAX)
            r->unnumbered[r->unnumbered_count++] = price;
        p = skip_list_separator(price.end);
    }
}

/* The first value of a number wins. */
static void set_target(struct price *target, const struct price *price)
{
    if (!target->begin)
        *target = *price;
}

/* `word_end` is behind a target word. */
static void read_target(struct reading *r, const char *word_end)
{
    const char *p = lex_spaces(word_end);
    const char *end;
    struct price price;

    if (words_lookup(p, &end) & WORD_FINAL) {
        if (price_read(lex_sep(end), PRICE_DATES_ALLOWED, &price))
            set_target(&r->final, &price);
        return;
    }

    unsigned number = read_number(p, &end);
    if (number > 0) {
        const char *value = lex_sep(end);
        if (value > end && price_read(value, PRICE_DATES_ALLOWED, &price)) {
            set_target(&r->targets[number - 1], &price);
            return;
        }
        if (end - p == 1) /* "Alvo 1" alone has no value; "Alvo: 5" has a separator before it */
            return;
    }
    read_target_list(r, skip_link(word_end));
}

/* --- The walk --- */

static void on_word(struct reading *r, const struct word_at *word)
{
    unsigned roles = word->roles;

    if (roles & WORD_DIRECTION && !r->direction.begin)
        r->direction = *word;
    if (roles & WORD_TRADE && !r->trade.begin)
        r->trade = *word;
    if (roles & WORD_UPDATE && !r->update.begin)
        r->update = *word;
    if (roles & WORD_ASSET)
        read_labelled_asset(r, word->end);
    if (roles & (WORD_DIRECTION | WORD_ENTRY) && !r->entry_min.begin)
        read_entry(r, word->end);
    if (roles & WORD_STOP && !r->stop.begin)
        read_stop(r, word->end);
    if (roles & WORD_TARGET)
        read_target(r, word->end);
}

/* Handles the word that begins at `p` and returns where the walk goes on. */
static const char *walk_word(struct reading *r, const char *p)
{
    struct word_at word = {.begin = p, .end = lex_ticker(p)};

    if (word.end) {
        read_ticker(r, p, word.end);
        return word.end;
    }
    word.roles = words_lookup(p, &word.end);
    if (word.roles == 0)
        return lex_alnums(p);
    on_word(r, &word);
    return lex_alnums(word.end); /* over the 1 of ALVO1 */
}

static void walk(struct reading *r, const struct folded *folded)
{
    const char *p = folded->text;
    const char *end = p + folded->len;

    while (p < end) {
        if (lex_is_alnum(*p)) {
            p = walk_word(r, p);
            continue;
        }
        if (*p++ == '@' && !r->entry_min.begin)
            read_entry(r, p);
    }
}

static const char *find_first_line_end(const struct folded *folded)
{
    const char *p = folded->text;
    const char *end = p + folded->len;

    while (p < end && (*p == ' ' || *p == '\n'))
        p++;
    while (*p != '\n')
        p++;
    return p;
}

/* --- The record --- */

/* Unnumbered targets take the lowest numbers that are free, in text order. */
static void number_targets(struct reading *r)
{
    size_t next = 0;

    for (size_t i = 0; i < SIGNAL_TARGETS_MAX && next < r->unnumbered_count; i++) {
        if (!r->targets[i].begin)
            r->targets[i] = r->unnumbered[next++];
    }
}

/* The lowest-numbered target, else the final one, else an absent price. */
static const struct price *first_target(const struct reading *r)
{
    for (size_t i = 0; i < SIGNAL_TARGETS_MAX; i++) {
        if (r->targets[i].begin)
            return &r->targets[i];
    }
    return &r->final;
}

static enum signal_type compare_prices(const struct price *higher_if_buy, const struct price *lower_if_buy)
{
    if (!higher_if_buy->begin || !lower_if_buy->begin || higher_if_buy->value_e6 == lower_if_buy->value_e6)
        return SIGNAL_UNKNOWN;
    return higher_if_buy->value_e6 > lower_if_buy->value_e6 ? SIGNAL_BUY : SIGNAL_SELL;
}

/* 2.5: the word, else the first pair of prices that exist and differ. */
static enum signal_type find_direction(const struct reading *r, enum signal_direction_source *ret_source)
{
    const struct price *target = first_target(r);
    const struct {
        enum signal_direction_source source;
        const struct price *higher_if_buy, *lower_if_buy;
    } pairs[] = {
        {SIGNAL_DIRECTION_ENTRY_STOP, &r->entry_min, &r->stop},
        {SIGNAL_DIRECTION_TARGET_ENTRY, target, &r->entry_min},
        {SIGNAL_DIRECTION_TARGET_STOP, target, &r->stop},
    };

    if (r->direction.begin) {
        *ret_source = SIGNAL_DIRECTION_WORD;
        return r->direction.roles & WORD_BUY ? SIGNAL_BUY : SIGNAL_SELL;
    }
    for (size_t i = 0; i < TS_ARRAY_LEN(pairs); i++) {
        enum signal_type type = compare_prices(pairs[i].higher_if_buy, pairs[i].lower_if_buy);
        if (type != SIGNAL_UNKNOWN) {
            *ret_source = pairs[i].source;
            return type;
        }
    }
    *ret_source = SIGNAL_DIRECTION_NONE;
    return SIGNAL_UNKNOWN;
}

/* 2.8: such a word on the first line, or anywhere while there is no entry. */
static bool is_update_notice(const struct reading *r)
{
    return r->update.begin && (r->update.begin < r->first_line_end || !r->entry_min.begin);
}

static enum signal_rule find_rule(const struct reading *r, enum signal_type type)
{
    if (is_update_notice(r))
        return SIGNAL_RULE_UPDATE_NOTICE;
    if (!r->asset.begin)
        return SIGNAL_RULE_NO_ASSET;
    if (type == SIGNAL_UNKNOWN)
        return SIGNAL_RULE_NO_DIRECTION;
    if (!r->entry_min.begin && !r->stop.begin && !first_target(r)->begin)
        return SIGNAL_RULE_NO_VALUE;
    return SIGNAL_RULE_NONE;
}

static enum trade_type trade_type_of(unsigned roles)
{
    if (roles & WORD_DAY)
        return TRADE_DAY;
    if (roles & WORD_SCALP)
        return TRADE_SCALPING;
    return roles & WORD_POSITION ? TRADE_POSITION : TRADE_SWING;
}

static void fill_targets(const struct reading *r, struct signal *s)
{
    for (size_t i = 0; i < SIGNAL_TARGETS_MAX; i++) {
        if (r->targets[i].begin)
            s->take_profit_e6[s->take_profit_count++] = r->targets[i].value_e6;
    }
    if (r->final.begin)
        s->take_profit_e6[s->take_profit_count++] = r->final.value_e6;

    s->has_target_1 = r->targets[0].begin != NULL;
    s->target_1_e6 = r->targets[0].value_e6;
    s->has_target_2 = r->targets[1].begin != NULL;
    s->target_2_e6 = r->targets[1].value_e6;
    s->has_target_final = s->take_profit_count > 0;
    if (s->has_target_final) /* the final one stands last, else the highest number does */
        s->target_final_e6 = s->take_profit_e6[s->take_profit_count - 1];
}

static void fill_signal(const struct reading *r, enum signal_type type, struct signal *s)
{
    memcpy(s->asset, r->asset.begin, (size_t)(r->asset.end - r->asset.begin));
    s->has_asset = true;
    s->signal_type = type;
    s->trade_type = trade_type_of(r->trade.roles);
    s->has_entry = r->entry_min.begin != NULL;
    s->buy_min_e6 = r->entry_min.value_e6;
    s->buy_max_e6 = r->entry_max.value_e6;
    s->has_stop = r->stop.begin != NULL;
    s->stop_loss_e6 = r->stop.value_e6;
    fill_targets(r, s);
    s->complete = s->has_entry || (s->has_target_final && s->has_stop);
}

/* --- The explanation --- */

/* Inserts the span of a field that was read at [begin, end), keeping the order by start; NULL was not read.
 */
static void add_span(struct signal_explanation *e, const struct folded *folded, enum signal_field field,
                     const char *begin, const char *end)
{
    size_t i = e->span_count;

    if (!begin)
        return;
    struct signal_span span = {field, fold_origin(folded, begin, end)};
    for (; i > 0 && e->spans[i - 1].at.start > span.at.start; i--)
        e->spans[i] = e->spans[i - 1];
    e->spans[i] = span;
    e->span_count++;
}

static void explain(const struct reading *r, const struct folded *folded, struct signal_explanation *e)
{
    add_span(e, folded, SIGNAL_FIELD_ASSET, r->asset.begin, r->asset.end);
    add_span(e, folded, SIGNAL_FIELD_SIGNAL_TYPE, r->direction.begin, r->direction.end);
    add_span(e, folded, SIGNAL_FIELD_TRADE_TYPE, r->trade.begin, r->trade.end);
    add_span(e, folded, SIGNAL_FIELD_BUY_MIN, r->entry_min.begin, r->entry_min.end);
    if (r->entry_max.begin != r->entry_min.begin)
        add_span(e, folded, SIGNAL_FIELD_BUY_MAX, r->entry_max.begin, r->entry_max.end);
    add_span(e, folded, SIGNAL_FIELD_STOP_LOSS, r->stop.begin, r->stop.end);
    for (unsigned i = 0; i < SIGNAL_TARGETS_MAX; i++)
        add_span(e, folded, SIGNAL_FIELD_TARGET_1 + i, r->targets[i].begin, r->targets[i].end);
    add_span(e, folded, SIGNAL_FIELD_TARGET_FINAL, r->final.begin, r->final.end);
    if (e->rule == SIGNAL_RULE_UPDATE_NOTICE)
        add_span(e, folded, SIGNAL_FIELD_UPDATE_NOTICE, r->update.begin, r->update.end);
}

int signal_parse(ts_str text, struct signal *ret, struct signal_explanation *ret_explanation)
{
    struct folded folded; /* not initialised: fold() writes what will be read */
    struct reading r = {0};
    struct signal_explanation explanation = {0};
    enum signal_type type;
    int error = fold(text, &folded);

    if (error)
        return error;
    r.first_line_end = find_first_line_end(&folded);
    walk(&r, &folded);
    number_targets(&r);
    type = find_direction(&r, &explanation.direction);
    explanation.rule = find_rule(&r, type);

    *ret = (struct signal){0};
    if (explanation.rule == SIGNAL_RULE_NONE)
        fill_signal(&r, type, ret);
    if (ret_explanation) {
        explain(&r, &folded, &explanation);
        *ret_explanation = explanation;
    }
    return 0;
}

/* --- Names --- */

const char *signal_type_name(enum signal_type type)
{
    static const char *const names[] = {"UNKNOWN", "BUY", "SELL"};

    return names[type];
}

const char *signal_trade_type_name(enum trade_type type)
{
    static const char *const names[] = {NULL, "Swing Trade", "Day Trade", "Scalping", "Position"};

    return names[type];
}

const char *signal_rule_name(enum signal_rule rule)
{
    static const char *const names[] = {NULL, "update_notice", "no_asset", "no_direction", "no_value"};

    return names[rule];
}

const char *signal_direction_source_name(enum signal_direction_source source)
{
    static const char *const names[] = {NULL, "word", "entry_stop", "target_entry", "target_stop"};

    return names[source];
}

const char *signal_field_name(enum signal_field field)
{
    static const char *const names[SIGNAL_FIELDS] = {
        "asset",     "signal_type", "trade_type", "buy_min",   "buy_max",   "stop_loss",    "target_1",
        "target_2",  "target_3",    "target_4",   "target_5",  "target_6",  "target_7",     "target_8",
        "target_9",  "target_10",   "target_11",  "target_12", "target_13", "target_14",    "target_15",
        "target_16", "target_17",   "target_18",  "target_19", "target_20", "target_final", "update_notice",
    };

    return names[field];
}
