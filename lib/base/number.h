/*
 * Numbers from outside go through here, and nowhere else: strict, no white space, no trailing text, no
 * overflow. Errors: TS_E_INVALID for a wrong form, TS_E_RANGE for a value outside [min, max]. Thread rule:
 * pure.
 */
#ifndef TS_BASE_NUMBER_H
#define TS_BASE_NUMBER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/* `-?[0-9]+`; leading zeros are allowed (tp-capital 3.1), a plus is not. */
TS_MUST_CHECK int ts_parse_i64(ts_str s, int64_t min, int64_t max, int64_t *ret);

/* "true" or "false" (also 1/0, yes/no, on/off, any case). */
TS_MUST_CHECK int ts_parse_bool(ts_str s, bool *ret);

/*
 * Fixed point with six decimals, `-?[0-9]+(\.[0-9]+)?`, `1234.5` -> 1234500000; further decimals are rounded,
 * half away from zero. TS_E_RANGE from 10^12 on, after rounding. (Prices in messages have a grammar of their
 * own: the API's price.h.)
 */
#define TS_E6 INT64_C(1000000)
TS_MUST_CHECK int ts_parse_e6(ts_str s, int64_t *ret_e6);

#endif
