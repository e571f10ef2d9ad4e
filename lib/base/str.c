#include "base/str.h"

#include <stdint.h>

bool ts_str_eq(ts_str a, ts_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Not tolower(3): that one depends on the locale. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool ts_str_eq_nocase(ts_str a, ts_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool ts_str_starts_with(ts_str s, ts_str prefix)
{
    return s.len >= prefix.len && ts_str_eq((ts_str){s.ptr, prefix.len}, prefix);
}

bool ts_str_ends_with(ts_str s, ts_str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

ts_str ts_str_trim(ts_str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool ts_str_split(ts_str *rest, char sep, ts_str *ret_piece)
{
    if (ts_str_is_none(*rest))
        return false;
    const char *end = rest->len > 0 ? memchr(rest->ptr, sep, rest->len) : NULL;
    ts_str piece = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    *rest = end ? (ts_str){end + 1, rest->len - piece.len - 1} : TS_STR_NONE;
    *ret_piece = ts_str_trim(piece);
    return true;
}

ptrdiff_t ts_str_find(ts_str s, ts_str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    const char *found = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return found ? found - s.ptr : -1;
}

static bool is_continuation(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* RFC 3629 section 4: the second byte alone decides about overlong forms, surrogates and what lies above
 * U+10FFFF. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return is_continuation(second);
    }
}

size_t ts_utf8_sequence(ts_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;

    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
    if (len == 0 || s.len < len || !second_byte_fits(p[0], p[1]))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!is_continuation(p[i]))
            return 0;
    return len;
}

/* Nearly all text is ASCII: eight bytes at a time while no high bit is set. */
static size_t ascii_prefix(const char *p, size_t len)
{
    size_t i = 0;

    for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p + i, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool ts_utf8_valid(ts_str s)
{
    size_t i = 0;

    while (i < s.len) {
        i += ascii_prefix(s.ptr + i, s.len - i);
        if (i == s.len)
            break;
        size_t n = ts_utf8_sequence((ts_str){s.ptr + i, s.len - i});
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool ts_str_has_nul(ts_str s)
{
    return s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL;
}

ts_str ts_utf8_truncate(ts_str s, size_t max_bytes)
{
    if (s.len <= max_bytes)
        return s;
    while (max_bytes > 0 && is_continuation((unsigned char)s.ptr[max_bytes]))
        max_bytes--;
    return (ts_str){s.ptr, max_bytes};
}
