#include "price.h"

#include <stddef.h>

#include "base/number.h"
#include "lex.h"

#define INTEGER_DIGITS_MAX 12
#define DECIMALS           6

/* Digits, dots and commas, from the first digit to the last. */
struct run {
    const char *begin, *end;
    int dots, commas;
    const char *last_mark;
};

static bool is_in_run(char c)
{
    return lex_is_digit(c) || c == '.' || c == ',';
}

static bool scan_run(const char *p, struct run *ret)
{
    struct run run = {.begin = p, .end = p};

    if (!lex_is_digit(*p))
        return false;
    while (is_in_run(*run.end))
        run.end++;
    while (!lex_is_digit(run.end[-1])) /* "31,40, 32": the last comma is not the number's */
        run.end--;
    for (; p < run.end; p++) {
        if (lex_is_digit(*p))
            continue;
        run.last_mark = p;
        if (*p == '.')
            run.dots++;
        else
            run.commas++;
    }
    *ret = run;
    return true;
}

/* Whether marks part [p, end) into a first group of one to three digits and further groups of three. */
static bool is_grouped(const char *p, const char *end)
{
    long digits = 0;
    bool first = true;

    for (; p < end; p++) {
        if (lex_is_digit(*p)) {
            digits++;
        } else if (first ? digits >= 1 && digits <= 3 : digits == 3) {
            digits = 0;
            first = false;
        } else {
            return false;
        }
    }
    return digits == 3;
}

/* Where the integer part ends: at the decimal mark, or at the end of the run. NULL if the marks make no
 * number. */
static const char *integer_end(const struct run *run)
{
    const char *mark = run->last_mark;

    if (!mark)
        return run->end;
    if (run->dots > 0 && run->commas > 0) {
        int same_kind = *mark == '.' ? run->dots : run->commas;
        return same_kind == 1 && is_grouped(run->begin, mark) ? mark : NULL;
    }
    if (run->dots + run->commas > 1)
        return is_grouped(run->begin, run->end) ? run->end : NULL;
    if (*mark == '.' && *run->begin != '0' && is_grouped(run->begin, run->end))
        return run->end;
    return mark;
}

/* 0 if the run is not the price of anything. */
static int64_t value_e6(const struct run *run)
{
    const char *decimal = integer_end(run);
    int64_t value = 0;
    int integers = 0;

    if (!decimal)
        return 0;
    for (const char *p = run->begin; p < decimal; p++) {
        if (!lex_is_digit(*p))
            continue;
        if (++integers > INTEGER_DIGITS_MAX)
            return 0;
        value = value * 10 + (*p - '0');
    }
    value *= TS_E6;

    int64_t unit = TS_E6 / 10;
    const char *p = decimal + 1;
    for (; p < run->end && unit > 0; p++, unit /= 10)
        value += unit * (*p - '0');
    if (p < run->end && *p >= '5')
        value++;
    return value;
}

/* The end of a price whose digits end at `p`, after PT or PTS; NULL if what follows says that it is no price.
 */
static const char *check_after(const char *p)
{
    if (p[0] == 'P' && p[1] == 'T')
        p += p[2] == 'S' ? 3 : 2;
    if (lex_is_alnum(*p))
        return NULL;
    if (*p == ':' && lex_is_digit(p[1]))
        return NULL;
    return *lex_spaces(p) == '%' ? NULL : p;
}

static bool is_date(const char *p)
{
    const char *year;

    p = lex_digits(p, 1, 2);
    if (!p || *p != '/')
        return false;
    p = lex_digits(p + 1, 1, 2);
    if (!p)
        return false;
    year = *p == '/' ? lex_digits(p + 1, 2, 4) : NULL;
    if (year)
        p = year;
    return !((*p == '.' || *p == ',') && lex_is_digit(p[1]));
}

bool price_read(const char *p, enum price_dates dates, struct price *ret)
{
    bool currency = p[0] == 'R' && p[1] == '$';
    struct run run;
    const char *end;
    int64_t value;

    if (!scan_run(currency ? lex_spaces(p + 2) : p, &run))
        return false;
    if (dates == PRICE_NO_DATES && !currency && is_date(p))
        return false;
    end = check_after(run.end);
    value = end ? value_e6(&run) : 0;
    if (value == 0)
        return false;
    *ret = (struct price){value, p, end, !currency && !run.last_mark && end == run.end};
    return true;
}
