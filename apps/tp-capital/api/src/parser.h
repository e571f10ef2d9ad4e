/*
 * The signal parser: the text of a Telegram message in, a signal out (tp-capital 2). Pure: no I/O, no clock,
 * no allocation, time linear in the text, safe on any bytes.
 *
 *     🟢 COMPRA ITUB4                     asset ITUB4, BUY, Swing Trade
 *     Entrada: R$ 31,40 a 31,60           buy_min 31.4, buy_max 31.6
 *     Stop Loss: R$ 30,55                 stop_loss 30.55
 *     Alvo 1: R$ 32,10 / Alvo final 33    take_profit 32.1, 33; target_1 32.1; target_final 33
 *
 * How it works. The text is folded (fold.h) to plain capitals. One walk over it looks up each word in the
 * dictionary (words.h) and hands it to the rule of its role, which reads ahead on the same line: a ticker
 * after ATIVO, a price after COMPRA. Every rule takes the first thing in the text that it can read and then
 * stays shut, so the rules don't know each other. In the end the record is put together: open target numbers,
 * a direction inferred from the prices, and the decision whether this is a signal.
 *
 * A message is a signal if it has an asset, a direction, at least one of entry, stop and target, and is no
 * update notice ("alvo atingido"). Otherwise it is UNKNOWN and every other field is empty.
 *
 * To add a signal format in 20 minutes:
 *  1. Put the message into tests/data/more-cases.jsonl with the record you expect, and run `ctest -R parser`: it
 *     names your case and shows the fields that differ. POST /parse shows which field was read where.
 *  2. A word the parser doesn't know ("Gatilho: 31,40" for the entry)? Add a line to the dictionary in words.c
 *     with its role, WORD_ENTRY. Folded: no accents, capitals. enum word_role says where each may stand.
 *  3. A new way to write prices? price.h is the table, price.c the code. A sign between label and value?
 *     lex_sep().
 *  4. A new order of words? Find the rule in parser.c: read_entry, read_stop, read_target, each named as in the
 *     specification. New kinds of words get a new role, and a line in on_word().
 *  5. Run all tests, then `make fuzz`: a new rule must not read the same characters again and again
 *     (tp-capital-api.parser_work counts).
 *
 * Thread rule: pure functions.
 */
#ifndef TP_CAPITAL_PARSER_H
#define TP_CAPITAL_PARSER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"
#include "fold.h"
#include "lex.h"

#define SIGNAL_TEXT_MAX    FOLD_TEXT_MAX
#define SIGNAL_TARGETS_MAX 20 /* numbered ones; the final target comes on top */

enum signal_type { SIGNAL_UNKNOWN, SIGNAL_BUY, SIGNAL_SELL };
enum trade_type { TRADE_NONE, TRADE_SWING, TRADE_DAY, TRADE_SCALPING, TRADE_POSITION };

/*
 * Prices are fixed point, 1e-6, and > 0; one that is absent is 0 and its flag is false. There is no padding: equal records are
 * equal bytes.
 */
struct signal {
    enum signal_type signal_type;
    enum trade_type trade_type; /* TRADE_NONE if and only if UNKNOWN */
    uint32_t take_profit_count;
    bool complete; /* has an entry, or a target and a stop */
    bool has_asset;
    bool has_entry; /* buy_min_e6 and buy_max_e6; the specification's `price` is buy_min */
    bool has_stop;
    bool has_target_1, has_target_2;
    bool has_target_final;          /* if and only if there is any target */
    char asset[LEX_TICKER_MAX + 1]; /* "" if there is none */
    int64_t buy_min_e6, buy_max_e6; /* ordered; equal for a single price; used for SELL as well */
    int64_t stop_loss_e6;
    int64_t target_1_e6, target_2_e6; /* the targets numbered 1 and 2 */
    int64_t target_final_e6;          /* the final target if written, else the one of the highest number */
    int64_t take_profit_e6[SIGNAL_TARGETS_MAX + 1]; /* ascending by number, then the final one */
};

/* Which rule made the message UNKNOWN: the first that holds, in this order. */
enum signal_rule {
    SIGNAL_RULE_NONE, /* none: it is a signal */
    SIGNAL_RULE_UPDATE_NOTICE,
    SIGNAL_RULE_NO_ASSET,
    SIGNAL_RULE_NO_DIRECTION,
    SIGNAL_RULE_NO_VALUE, /* neither entry nor stop nor target */
};

/* What decided between BUY and SELL: a word, else the first pair of prices that exist and differ. */
enum signal_direction_source {
    SIGNAL_DIRECTION_NONE,
    SIGNAL_DIRECTION_WORD,
    SIGNAL_DIRECTION_ENTRY_STOP,
    SIGNAL_DIRECTION_TARGET_ENTRY,
    SIGNAL_DIRECTION_TARGET_STOP,
};

enum signal_field {
    SIGNAL_FIELD_ASSET,
    SIGNAL_FIELD_SIGNAL_TYPE,
    SIGNAL_FIELD_TRADE_TYPE,
    SIGNAL_FIELD_BUY_MIN,
    SIGNAL_FIELD_BUY_MAX,
    SIGNAL_FIELD_STOP_LOSS,
    SIGNAL_FIELD_TARGET_1, /* + n - 1 for target n */
    SIGNAL_FIELD_TARGET_FINAL = SIGNAL_FIELD_TARGET_1 + SIGNAL_TARGETS_MAX,
    SIGNAL_FIELD_UPDATE_NOTICE,
    SIGNAL_FIELDS,
};

struct signal_span {
    enum signal_field field;
    struct fold_span at; /* bytes of the text given to signal_parse */
};

/*
 * What the parser read where. Spans ascend by start; a field read nowhere (default, inferred, absent) has
 * none, and a single entry price has only buy_min. An UNKNOWN message keeps its spans: they say what was read
 * although it did not suffice.
 */
struct signal_explanation {
    enum signal_rule rule;
    enum signal_direction_source direction;
    uint32_t span_count;
    struct signal_span spans[SIGNAL_FIELDS];
};

/*
 * Reads `text` into *ret and, unless NULL, explains it in *ret_explanation. 0, or TS_E_TOO_LONG for more than
 * SIGNAL_TEXT_MAX bytes. More than SIGNAL_TARGETS_MAX targets: the rest is dropped. Uses about 50 KiB of
 * stack.
 */
TS_MUST_CHECK int signal_parse(ts_str text, struct signal *ret, struct signal_explanation *ret_explanation);

/* The words of the contract: "BUY"; "Day Trade" (NULL for NONE). */
const char *signal_type_name(enum signal_type type);
const char *signal_trade_type_name(enum trade_type type);

/* "no_asset" (NULL for NONE); "entry_stop" (NULL for NONE); "target_3". */
const char *signal_rule_name(enum signal_rule rule);
const char *signal_direction_source_name(enum signal_direction_source source);
const char *signal_field_name(enum signal_field field);

#endif
