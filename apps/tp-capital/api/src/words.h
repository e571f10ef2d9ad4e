/*
 * The dictionary: every word that means something in a message, and what it may mean. The words are data, in
 * words.c; the rules that use them are in parser.c.
 *
 * A word of the text is a run of letters not preceded or followed by a letter or digit. Only a word that
 * announces a target may be followed directly by a digit (`ALVO1`, `TP2`).
 */
#ifndef TP_CAPITAL_WORDS_H
#define TP_CAPITAL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Roles of a word, bits; one word may have several (COMPRA is a direction, begins an entry, and may be
 * skipped as filler). */
enum word_role {
    WORD_BUY = 1 << 0,          /* direction */
    WORD_SELL = 1 << 1,         /* direction */
    WORD_ENTRY = 1 << 2,        /* an entry price may follow; directions begin one as well */
    WORD_ASSET = 1 << 3,        /* label of a ticker */
    WORD_STOP = 1 << 4,         /* a stop price may follow */
    WORD_TARGET = 1 << 5,       /* a target may follow */
    WORD_FINAL = 1 << 6,        /* after a target word: the final target */
    WORD_FILLER = 1 << 7,       /* may stand between the beginning of an entry and its price */
    WORD_LINK = 1 << 8,         /* may stand between STOP or ALVO and the price */
    WORD_TO = 1 << 9,           /* joins the two prices of an entry range */
    WORD_AND = 1 << 10,         /* joins two prices of a list of targets */
    WORD_OF = 1 << 11,          /* between a quantity and its unit */
    WORD_UNIT = 1 << 12,        /* after an integer: that was a quantity, not a price */
    WORD_SWING = 1 << 13,       /* trade types */
    WORD_DAY = 1 << 14,         /*   */
    WORD_SCALP = 1 << 15,       /*   */
    WORD_POSITION = 1 << 16,    /*   */
    WORD_UPDATE = 1 << 17,      /* tells what became of an earlier signal */
    WORD_NEVER_ASSET = 1 << 18, /* with digits glued to it, looks like a ticker and is none (ALVO1) */

    WORD_DIRECTION = WORD_BUY | WORD_SELL,
    WORD_TRADE = WORD_SWING | WORD_DAY | WORD_SCALP | WORD_POSITION,
};

/*
 * The roles of the longest entry of the dictionary that begins at `p` (the beginning of a word, in folded
 * text that ends with
 * '\n'), and where it ends. 0 if there is none; then *ret_end is untouched.
 */
unsigned words_lookup(const char *p, const char **ret_end);

/* Whether the letters that begin at `p` are exactly a word of role WORD_NEVER_ASSET, whatever follows them.
 */
bool words_never_asset(const char *p);

/* The i-th entry in the dictionary's order, NULL after the last: for tests. */
const char *words_entry(size_t i);

#endif
