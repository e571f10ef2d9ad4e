/* Repeatable random texts for the parser's tests. */
#ifndef TP_CAPITAL_RANDOM_TEXT_H
#define TP_CAPITAL_RANDOM_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "words.h"

/* xorshift64*; *state is not 0. A number below `limit`. */
static inline size_t random_below(uint64_t *state, size_t limit)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (size_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % limit;
}

/* A piece of the grammar: a word of the dictionary, or something that stands between words. */
static inline const char *random_piece(uint64_t *state)
{
    static const char *const between[] = {
        " ",     " ",     " ",      "  ",    "\n",     ":",     ": ",      "@",
        "-",     " - ",   "->",     "=>",    ">",      "=",     "/",       " / ",
        ";",     "|",     ", ",     ",",     ".",      "%",     "R$ ",     "R$",
        "PETR4", "VALE3", "WINFUT", "ALVO1", "TP2",    "1",     "2",       "20",
        "5",     "28",    "30",     "28,50", "29.10",  "1.250", "130.450", "0,85",
        "10:30", "28/10", "100",    "PTS",   "A",      " E ",   " A ",     "🟢",
        "É",     "\r\n",  "\xff",   "*",     "\u200b", "–",     "111111",  "999999999999999",
        "1,1,1", "1.1.1",
    };
    size_t words = 0;

    if (random_below(state, 2) == 0)
        return between[random_below(state, TS_ARRAY_LEN(between))];
    do
        words++;
    while (words_entry(words));
    return words_entry(random_below(state, words));
}

/* `pieces` pieces, as many as fit into `size` bytes; returns the length. */
static inline size_t random_sentence(uint64_t *state, char *text, size_t size, size_t pieces)
{
    size_t len = 0;

    while (pieces-- > 0) {
        const char *piece = random_piece(state);
        size_t n = strlen(piece);
        if (len + n + 1 > size)
            break;
        memcpy(text + len, piece, n);
        len += n;
        if (random_below(state, 2) == 0)
            text[len++] = ' ';
    }
    return len;
}

#endif
