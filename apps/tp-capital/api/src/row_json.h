/* A row of signals as JSON (tp-capital 4.1): the same in lists, details and stream events. Thread rule: pure. */
#ifndef TP_CAPITAL_ROW_JSON_H
#define TP_CAPITAL_ROW_JSON_H

#include "base/jsonw.h"
#include "parser.h"
#include "store.h"

/* One object. */
void row_json_signal(struct ts_jsonw *w, const struct store_signal *row);

/* Its members channel_id and message_id, into an open object. */
void row_json_ids(struct ts_jsonw *w, const struct store_signal *row);

/* What the row says was read from its text, in the form of row_json_parsed(). */
void row_json_reading(struct ts_jsonw *w, const struct store_signal *row);

/* The prices of its list, at most `max`; returns how many. */
size_t row_take_profit(const struct store_signal *row, int64_t *prices_e6, size_t max);

/* What the parser reads from one text: the object `signal` of POST /parse. */
void row_json_parsed(struct ts_jsonw *w, const struct signal *signal);

/* Where it read that: the object `explanation` of POST /parse and GET /signals/{id}. `text` is what was parsed. */
void row_json_explanation(struct ts_jsonw *w, ts_str text, const struct signal_explanation *explanation);

#endif
