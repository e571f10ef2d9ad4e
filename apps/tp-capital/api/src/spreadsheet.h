/*
 * Signals as lines of a spreadsheet, as it opens in Brazil: `;` between cells, CRLF, decimal comma without thousands marks, the clock of
 * the process's zone, quotes as in RFC 4180, an apostrophe before a text that would run as a formula (messages come from strangers).
 * Thread rule: pure.
 */
#ifndef TP_CAPITAL_SPREADSHEET_H
#define TP_CAPITAL_SPREADSHEET_H

#include "base/buf.h"
#include "store.h"

enum spreadsheet_language { SPREADSHEET_PT_BR, SPREADSHEET_EN };

/* The mark of UTF-8 and the line with the names of the columns. */
void spreadsheet_put_head(struct ts_buf *out, enum spreadsheet_language language);

void spreadsheet_put_row(struct ts_buf *out, enum spreadsheet_language language,
                         const struct store_signal *row);

/* One cell. A price of 0 is none: empty. */
void spreadsheet_put_text(struct ts_buf *out, ts_str text);
void spreadsheet_put_price(struct ts_buf *out, int64_t price_e6);

#endif
