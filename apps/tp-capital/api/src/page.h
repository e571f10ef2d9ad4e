/*
 * Page: rows of a list, newest first, written as they come; the cursor of the next page stands behind them. The statement is asked for one
 * row more than the page may have: it only tells that there is a next page. Thread rule: plain data of one reader thread.
 */
#ifndef TP_CAPITAL_PAGE_H
#define TP_CAPITAL_PAGE_H

#include "base/jsonw.h"
#include "base/limits.h"

/* No further row is begun beyond this: the page ends early, with its cursor. */
#define PAGE_BYTES TS_MAX_RESPONSE_BYTES

struct page {
    struct ts_jsonw *w;
    int64_t rows, limit;
    int64_t last_ts_us, last_id; /* of the last row in it */
};

/* Counts one more row, with its place in the order; true when it is to be written. */
bool page_takes(struct page *page, int64_t ts_us, int64_t id);

/* "nextCursor": null at the end. */
void page_put_cursor(const struct page *page);

#endif
