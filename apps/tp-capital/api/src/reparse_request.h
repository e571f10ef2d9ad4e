/* The body of POST /signals/reparse. Thread rule: pure. */
#ifndef TP_CAPITAL_REPARSE_REQUEST_H
#define TP_CAPITAL_REPARSE_REQUEST_H

#include "http/json.h"
#include "store.h"

#define REPARSE_LIMIT_DEFAULT 500
#define REPARSE_LIMIT_MAX     1000

struct reparse_request {
    bool adopt;
    struct store_scan scan;
};

/*
 * `body` is a JSON object (ts_json_parse_object). NULL, or the first member that is not as it must be, in the order of the contract
 * (static text); *ret is untouched then. Null means absent; unknown members are ignored.
 */
TS_MUST_CHECK const char *reparse_request_read(const json_t *body, struct reparse_request *ret);

#endif
