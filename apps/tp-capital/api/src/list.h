/*
 * List: an answer that one job on a reader thread writes as a whole. The handler says what to put into the answer's object; a database
 * that is away is 503 with Retry-After and a line in the log. Thread rule: list_start on the loop's thread, `put` on a reader's.
 */
#ifndef TP_CAPITAL_LIST_H
#define TP_CAPITAL_LIST_H

#include "app.h"
#include "base/jsonw.h"

/* The members of the answer's object; `args` as they were given to list_start. 0 or an error. */
typedef int (*list_put_fn)(struct ts_jsonw *w, struct ts_db *db, const void *args);

/* `args` (may be NULL) are copied, size bytes of them; what they point to must live for ever. */
void list_start(struct ts_http_request *req, struct app *app, list_put_fn put, const void *args, size_t size);

/* `key` with the digits of an id that is a string in JSON; with null for a time that is NULL; with the present moment. */
void list_put_id(struct ts_jsonw *w, const char *key, int64_t id);
void list_put_time(struct ts_jsonw *w, const char *key, const struct ts_row *row, int column);
void list_put_now(struct ts_jsonw *w);

/* 400 {"error":"Invalid parameter: …"} */
void list_refuse_parameter(struct ts_http_request *req, ts_str name);

#endif
