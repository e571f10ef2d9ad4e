/*
 * Strings from outside: a pointer and a length, never NUL-terminated unless said so, never owned. A ts_str
 * borrows; whoever made the bytes (an arena, a buffer, a literal) keeps them alive. All functions take any
 * bytes, including NUL. Thread rule: pure functions.
 */
#ifndef TS_BASE_STR_H
#define TS_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

typedef struct ts_str {
    const char *ptr;
    size_t len;
} ts_str;

#define TS_STR(literal) ((ts_str){"" literal, sizeof(literal) - 1})
#define TS_STR_NONE     ((ts_str){NULL, 0}) /* absent, as opposed to empty */
/* For printf: printf("%.*s", TS_STR_ARG(s)). */
#define TS_STR_ARG(s) (int)(s).len, (s).ptr

static inline ts_str ts_str_from(const char *cstr)
{
    return cstr ? (ts_str){cstr, strlen(cstr)} : TS_STR_NONE;
}

static inline bool ts_str_is_none(ts_str s)
{
    return s.ptr == NULL;
}

bool ts_str_eq(ts_str a, ts_str b);
bool ts_str_eq_nocase(ts_str a, ts_str b); /* ASCII only */
bool ts_str_starts_with(ts_str s, ts_str prefix);
bool ts_str_ends_with(ts_str s, ts_str suffix);

/* Without ASCII white space at both ends. */
ts_str ts_str_trim(ts_str s);

/*
 * Takes the next piece up to `sep` off the front of *rest, trimmed; false when nothing is left (*rest is
 * TS_STR_NONE). Empty pieces are returned: "a,,b" has three, "a," two, "" one. ts_str piece, rest = list;
 *     while (ts_str_split(&rest, ',', &piece)) ...
 */
bool ts_str_split(ts_str *rest, char sep, ts_str *ret_piece);

/* Position of the first `needle`, or -1. */
ptrdiff_t ts_str_find(ts_str s, ts_str needle);

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is valid UTF-8; ask ts_str_has_nul.
 */
bool ts_utf8_valid(ts_str s);
bool ts_str_has_nul(ts_str s);

/* Bytes of the valid UTF-8 sequence that `s` begins with, 1 to 4; 0 when it begins with none or is empty. */
size_t ts_utf8_sequence(ts_str s);

/* The longest prefix of valid UTF-8 `s` of at most max_bytes that ends at a character boundary. */
ts_str ts_utf8_truncate(ts_str s, size_t max_bytes);

#endif
