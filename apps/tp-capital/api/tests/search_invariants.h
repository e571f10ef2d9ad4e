/* What holds for every question and every text, shared by the unit test and the fuzzer: a violation aborts. Not for the service. */
#ifndef TP_CAPITAL_SEARCH_INVARIANTS_H
#define TP_CAPITAL_SEARCH_INVARIANTS_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "search.h"

static inline void check_fold_text(ts_str text)
{
    static struct folded folded;
    char *alone = malloc(text.len + 1);
    assert(alone && fold(text, &folded) == 0);
    assert(fold_text(text, 0, alone) == folded.len && memcmp(alone, folded.text, folded.len) == 0);
    assert(fold_text(text, FOLD_KEEP_MARKS | FOLD_KEEP_OTHERS, alone) <= text.len);
    free(alone);
}

/* Is it found? What is found is found by the index, too; and where the index knows all, nothing else is. `text` is at most FOLD_TEXT_MAX bytes. */
static inline bool check_search(ts_str query, ts_str text, ts_str asset)
{
    struct ts_buf scratch = TS_BUF_INIT(1024 * 1024), spelled = TS_BUF_INIT(1024 * 1024);
    struct search search;

    check_fold_text(text);
    search_prepare(query, &search);
    assert(search.len <= SEARCH_MAX_BYTES && search.spelled_len <= SEARCH_MAX_BYTES);
    int found = search_matches(&search, text, asset, &scratch);
    search_spell(text, asset, &spelled);
    assert(found >= 0 && ts_buf_error(&spelled) == 0);
    bool indexed = memmem(ts_buf_view(&spelled).ptr, spelled.len, search.spelled, search.spelled_len) != NULL;
    assert(indexed || !found || search.spelled_len == 0);
    if (search.is_exact && ts_str_is_none(asset))
        assert(indexed == (found == 1));
    ts_buf_done(&scratch);
    ts_buf_done(&spelled);
    return found == 1;
}

#endif
