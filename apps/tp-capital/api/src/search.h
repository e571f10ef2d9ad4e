/*
 * What `search` of GET /signals means (tp-capital 4.1): a message is found when its text, or its asset, contains what was asked for, both
 * folded as the parser folds (fold.h): case, accents and Markdown are looked through, `%` is a percent sign.
 *
 *     "pregão" finds "**PREGAO**"        "R$ 31,4" finds "Preço: R$ 31,40"
 *
 * What folding loses is not looked through when it is asked for: a question with `_` or another Markdown sign finds only texts with that sign
 * there, one with an emoji (a tab, a letter of another alphabet) only texts with that emoji. Where nothing is left at all (invisible characters
 * alone), bytes are compared.
 *
 * The index. Texts are indexed *spelled*: folded, and each sign that is neither letter nor digit written as a small letter of its own, which
 * folded text does not have. Length and order stay, so "contains" means the same among spelled texts; and pg_trgm, which takes only letters and
 * digits for text and all others for gaps, sees every character, so prices and pieces of a line have trigrams, too. That it does not tell small
 * from capital letters costs some false candidates, nothing else. LIKE's own signs are among those written as letters: a spelled text needs no
 * escape.
 *
 * Thread rule: pure functions.
 */
#ifndef TP_CAPITAL_SEARCH_H
#define TP_CAPITAL_SEARCH_H

#include "base/buf.h"
#include "base/str.h"

#define SEARCH_MAX_BYTES 100

struct search {
    bool bytes;    /* compared as they are */
    unsigned keep; /* FOLD_KEEP_* */
    char text[SEARCH_MAX_BYTES];
    size_t len;
    /* Every text that is found contains this piece, spelled; spelled_len 0 = nothing can be said. When `is_exact`, the other way round, too. */
    char spelled[SEARCH_MAX_BYTES];
    size_t spelled_len;
    bool is_exact;
};

/* query: 1 to SEARCH_MAX_BYTES bytes of valid UTF-8; what is longer is cut. */
void search_prepare(ts_str query, struct search *ret);

/* 1 or 0; an error of the buffer. scratch: memory that is used again. asset may be NONE. */
TS_MUST_CHECK int search_matches(const struct search *search, ts_str text, ts_str asset,
                                 struct ts_buf *scratch);

/* Appends what the index keeps of a message: its spelled text and, if it is not in there, the asset after a sign of its own. */
void search_spell(ts_str text, ts_str asset, struct ts_buf *out);

#endif
