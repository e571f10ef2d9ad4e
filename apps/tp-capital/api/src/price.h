/*
 * Prices as Brazilian and English writers put them (tp-capital 2.3): 28 | 12,85 | 130.450 | 1.250,50 | R$
 * 31,40 | 130450pts.
 *
 * A price is an optional `R$`, then the longest run of digits, dots and commas that begins and ends with a
 * digit.
 *
 *     marks in the run             reading
 *     none                         integer
 *     both kinds                   the last is the decimal mark and occurs once; the other groups thousands
 *     one comma                    decimal, always                        1,125 = 1.125
 *     one dot, 1-3 digits before   thousands, if exactly 3 digits follow  130.450 = 130450
 *       and the first is not 0
 *     one dot otherwise            decimal                                0.125  1250.500
 *     several of one kind          thousands if grouped by three          1.234.567; 1.25.3 is no price
 *
 * No price: zero, more than 12 integer digits, `%` after it, `:` and a digit after it (a time), a letter
 * glued to it except PT and PTS. Where dates may stand (entry and stop), `28/10` and `28/10/2026` without
 * `R$` are no prices either.
 *
 * Values are fixed point, 1e-6, rounded half up, always > 0. Time is linear in the run. Thread rule: pure
 * functions.
 */
#ifndef TP_CAPITAL_PRICE_H
#define TP_CAPITAL_PRICE_H

#include <stdbool.h>
#include <stdint.h>

enum price_dates { PRICE_DATES_ALLOWED, PRICE_NO_DATES };

struct price {
    int64_t value_e6;
    const char *begin, *end; /* with its R$ and its PTS; begin is NULL in an absent price */
    bool plain;              /* digits only, without R$ or PTS: could be a quantity */
};

/* Reads the price that begins at `p` in folded text ending with '\n'. False if there is none; then *ret is
 * untouched. */
bool price_read(const char *p, enum price_dates dates, struct price *ret);

#endif
