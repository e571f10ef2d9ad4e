#include "page.h"

#include "signals_query.h"

bool page_takes(struct page *page, int64_t ts_us, int64_t id)
{
    if (page->rows < page->limit && page->w->buf->len > PAGE_BYTES)
        page->limit = page->rows; /* this one begins the next page */
    if (page->rows++ >= page->limit)
        return false;
    page->last_ts_us = ts_us;
    page->last_id = id;
    return true;
}

void page_put_cursor(const struct page *page)
{
    char cursor[SIGNALS_CURSOR_SIZE];
    ts_str text = TS_STR_NONE;
    if (page->rows > page->limit) {
        signals_cursor_format(page->last_ts_us, page->last_id, cursor);
        text = ts_str_from(cursor);
    }
    ts_jsonw_key_str(page->w, "nextCursor", text);
}
