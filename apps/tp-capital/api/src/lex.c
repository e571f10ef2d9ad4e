#include "lex.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "words.h"

const char *lex_digits(const char *p, long min, long max)
{
    const char *begin = p;

    while (lex_is_digit(*p))
        p++;
    return p - begin >= min && p - begin <= max ? p : NULL;
}

const char *lex_sep(const char *p)
{
    p = lex_spaces(p);
    if ((*p == '-' || *p == '=') && p[1] == '>')
        p += 2;
    else if (*p == ':' || *p == '=' || *p == '@' || *p == '-' || *p == '>')
        p++;
    return lex_spaces(p);
}

/* Futures that are written without a month. */
static const char *perpetual_future(const char *p)
{
    static const char *const names[] = {"WINFUT", "WDOFUT", "INDFUT", "DOLFUT"};

    for (size_t i = 0; i < TS_ARRAY_LEN(names); i++) {
        if (strncmp(p, names[i], 6) == 0)
            return lex_is_alnum(p[6]) ? NULL : p + 6;
    }
    return NULL;
}

/* What may stand after the digits: F for the fractional market, W1 to W5 for a weekly option. */
static const char *ticker_suffix(const char *p)
{
    if (*p == 'F')
        return p + 1;
    if (*p == 'W' && p[1] >= '1' && p[1] <= '5')
        return p + 2;
    return p;
}

const char *lex_ticker(const char *p)
{
    const char *q = p;

    if (!lex_is_letter(q[0]) || !lex_is_alnum(q[1]) || !lex_is_letter(q[2]) || !lex_is_letter(q[3]))
        return NULL;
    q += 4;
    for (int further = 0; further < 2 && lex_is_letter(*q); further++)
        q++;
    if (!lex_is_digit(*q))
        return perpetual_future(p);
    q = lex_digits(q, 1, 4);
    if (!q)
        return NULL;
    q = ticker_suffix(q);
    return lex_is_alnum(*q) || words_never_asset(p) ? NULL : q;
}
