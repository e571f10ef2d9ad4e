/* POST /parse: reads a text as /ingest would, stores nothing, and explains the reading. */
#include <stdio.h>

#include "base/limits.h"
#include "http/json.h"
#include "parser.h"
#include "routes.h"
#include "row_json.h"
#include "validate.h"

static void refuse(struct ts_http_request *req, const struct validate_result *result)
{
    char text[64];
    snprintf(text, sizeof(text), "%s: %s",
             result->problem == VALIDATE_MISSING ? "Missing required field" : "Invalid field", result->field);
    ts_http_reply_error(req, 400, text, NULL, result->field);
}

void parse_post(struct ts_http_request *req, void *ctx)
{
    _cleanup_(ts_json_freep) json_t *body = NULL;
    struct ts_buf answer = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES);
    struct signal signal;
    struct signal_explanation explanation;
    ts_str text;

    (void)ctx;
    if (ts_json_parse_object(req->body, TS_MAX_JSON_DEPTH, &body) < 0) {
        ts_http_reply_error(req, 400, "Invalid JSON", NULL, NULL);
        return;
    }
    struct validate_result result = validate_text(body, &text);
    if (result.problem != VALIDATE_OK || signal_parse(text, &signal, &explanation) < 0) {
        refuse(req, &result);
        return;
    }
    struct ts_jsonw w = ts_jsonw_begin(&answer);
    ts_jsonw_object(&w);
    ts_jsonw_key(&w, "signal");
    row_json_parsed(&w, &signal);
    ts_jsonw_key(&w, "explanation");
    row_json_explanation(&w, text, &explanation);
    ts_jsonw_end(&w);
    ts_http_reply(req, &(struct ts_http_response){.body_take = &answer});
}
