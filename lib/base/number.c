#include "base/number.h"

#include "base/error.h"

#define MAX_WHOLE INT64_C(999999999999) /* 12 digits */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(ts_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool take_minus(ts_str *s)
{
    if (s->len == 0 || s->ptr[0] != '-')
        return false;
    s->ptr++;
    s->len--;
    return true;
}

int ts_parse_i64(ts_str s, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = take_minus(&s);
    int64_t value = 0;

    if (!all_digits(s))
        return TS_E_INVALID;
    /* Built on the negative side, where INT64_MIN has a place too. */
    for (size_t i = 0; i < s.len; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, s.ptr[i] - '0', &value))
            return TS_E_RANGE;
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return TS_E_RANGE;
    if (value < min || value > max)
        return TS_E_RANGE;
    *ret = value;
    return 0;
}

int ts_parse_bool(ts_str s, bool *ret)
{
    static const ts_str words[] = {
        TS_STR("false"), TS_STR("true"), TS_STR("0"),   TS_STR("1"),
        TS_STR("no"),    TS_STR("yes"),  TS_STR("off"), TS_STR("on"),
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(words); i++)
        if (ts_str_eq_nocase(s, words[i])) {
            *ret = i % 2 == 1;
            return 0;
        }
    return TS_E_INVALID;
}

/* Six decimals as a whole number, the seventh rounded; s has digits only. */
static int64_t fraction_e6(ts_str s)
{
    int64_t value = 0;

    for (size_t i = 0; i < 6; i++)
        value = value * 10 + (i < s.len ? s.ptr[i] - '0' : 0);
    return value + (s.len > 6 && s.ptr[6] >= '5');
}

int ts_parse_e6(ts_str s, int64_t *ret_e6)
{
    bool negative = take_minus(&s);
    const char *dot = s.len > 0 ? memchr(s.ptr, '.', s.len) : NULL;
    ts_str whole_part = {s.ptr, dot ? (size_t)(dot - s.ptr) : s.len};
    ts_str fraction = dot ? (ts_str){dot + 1, s.len - whole_part.len - 1} : TS_STR("0");
    int64_t whole;

    if (!all_digits(fraction))
        return TS_E_INVALID;
    if (whole_part.len > 0 && whole_part.ptr[0] == '-')
        return TS_E_INVALID;
    int r = ts_parse_i64(whole_part, 0, MAX_WHOLE, &whole);
    if (r < 0)
        return r;
    int64_t value = whole * TS_E6 + fraction_e6(fraction);
    if (value > MAX_WHOLE * TS_E6 + (TS_E6 - 1))
        return TS_E_RANGE;
    *ret_e6 = negative ? -value : value;
    return 0;
}
