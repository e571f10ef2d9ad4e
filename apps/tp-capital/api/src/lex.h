/*
 * The smallest pieces of the grammar, over folded text (fold.h).
 *
 * All of them take a pointer into a text that ends with '\n' and never step over a '\n': that is how "every
 * construct lies on one line" (tp-capital 2.2) is kept, and why no length travels along. Each looks at a
 * bounded number of characters, or only at a run of spaces or digits. Thread rule: pure functions.
 */
#ifndef TP_CAPITAL_LEX_H
#define TP_CAPITAL_LEX_H

#include <stdbool.h>

static inline bool lex_is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool lex_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What a word is made of: a word is not preceded or followed by one of these. */
static inline bool lex_is_alnum(char c)
{
    return lex_is_letter(c) || lex_is_digit(c);
}

static inline const char *lex_spaces(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

static inline const char *lex_alnums(const char *p)
{
    while (lex_is_alnum(*p))
        p++;
    return p;
}

/* Digits; NULL unless they are at least `min` and at most `max`. */
const char *lex_digits(const char *p, long min, long max);

/* SEP of tp-capital 2.3: spaces, at most one of `:` `=` `@` `-` `>` `->` `=>`, spaces; all optional. Where it
 * ends. */
const char *lex_sep(const char *p);

/*
 * TICKER of tp-capital 2.4 that begins at `p`, the beginning of a word: its end, or NULL if that word is
 * none. At most LEX_TICKER_MAX characters.
 */
#define LEX_TICKER_MAX 12
const char *lex_ticker(const char *p);

#endif
