#include "search.h"

#include <string.h>

#include "base/error.h"
#include "fold.h"

/* The most frequent signs have the letters that are rarest in Portuguese, so that few trigrams of words are mistaken for them. The four signs
 * that are left have no meaning to LIKE and stay. */
static const char spelling[128] = {
    [' '] = 'k', ['\n'] = 'w', [','] = 'y', ['.'] = 'x', [':'] = 'j', ['-'] = 'z', ['/'] = 'q',
    ['%'] = 'h', ['$'] = 'f',  ['!'] = 'b', ['('] = 'g', [')'] = 'v', ['?'] = 'p', ['+'] = 'c',
    ['='] = 'd', ['>'] = 'm',  ['<'] = 'l', ['@'] = 'n', ['#'] = 't', ['"'] = 'i', ['\''] = 'u',
    [';'] = 'r', ['&'] = 's',  ['['] = 'o', [']'] = 'e', ['\\'] = 'a'};

static void spell(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (spelling[(unsigned char)text[i]])
            text[i] = spelling[(unsigned char)text[i]];
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\n')
            return false;
    return true;
}

void search_prepare(ts_str query, struct search *ret)
{
    char other[SEARCH_MAX_BYTES];
    struct search s = {0};

    query = ts_utf8_truncate(query, SEARCH_MAX_BYTES);
    s.spelled_len = fold_text(query, 0, s.spelled);
    bool blank = is_blank(s.spelled, s.spelled_len);
    if (fold_text(query, FOLD_KEEP_MARKS, other) != s.spelled_len)
        s.keep |= FOLD_KEEP_MARKS;
    size_t n = fold_text(query, FOLD_KEEP_OTHERS, other);
    if (n != s.spelled_len || memcmp(other, s.spelled, n) != 0 || blank)
        s.keep |= FOLD_KEEP_OTHERS;
    s.len = fold_text(query, s.keep, s.text);
    if (s.len == 0) {
        s.bytes = true;
        s.len = query.len;
        memcpy(s.text, query.ptr, query.len);
    }
    s.is_exact = s.keep == 0 && !s.bytes;
    if (blank) /* in nearly every text */
        s.spelled_len = 0;
    spell(s.spelled, s.spelled_len);
    *ret = s;
}

static bool contains(ts_str text, const char *piece, size_t len)
{
    return memmem(text.ptr, text.len, piece, len) != NULL;
}

int search_matches(const struct search *search, ts_str text, ts_str asset, struct ts_buf *scratch)
{
    const ts_str both[] = {text, asset};

    for (size_t i = 0; i < TS_ARRAY_LEN(both); i++) {
        ts_str one = both[i];
        if (ts_str_is_none(one))
            continue;
        if (!search->bytes) {
            ts_buf_clear(scratch);
            char *folded = ts_buf_reserve(scratch, one.len);
            if (!folded)
                return ts_buf_error(scratch);
            one = (ts_str){folded, fold_text(one, search->keep, folded)};
        }
        if (contains(one, search->text, search->len))
            return 1;
    }
    return 0;
}

void search_spell(ts_str text, ts_str asset, struct ts_buf *out)
{
    char *to = ts_buf_reserve(out, text.len + asset.len + 1);
    if (!to)
        return;
    size_t n = fold_text(text, 0, to);
    if (!ts_str_is_none(asset)) {
        char *added = to + n;
        size_t len = fold_text(asset, 0, added + 1);
        if (!contains((ts_str){to, n}, added + 1, len)) {
            *added = '|';
            n += len + 1;
        }
    }
    spell(to, n);
    ts_buf_added(out, n);
}
