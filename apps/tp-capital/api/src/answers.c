#include "answers.h"

#include <stdio.h>

void answer_bad_parameter(struct ts_http_request *req, ts_str field)
{
    char name[64], text[96];
    snprintf(name, sizeof(name), "%.*s", TS_STR_ARG(ts_utf8_truncate(field, sizeof(name) - 1)));
    snprintf(text, sizeof(text), "Invalid parameter: %s", name);
    ts_http_reply_error(req, 400, text, NULL, name);
}

static const struct ts_http_header retry_later[] = {{TS_STR("Retry-After"), TS_STR("5")}};

static const char failed_body[] = "{\"error\":\"Failed to fetch signals\"}";
const struct ts_http_response answer_failed = {
    .status = 503, .headers = retry_later, .n_headers = 1, .body = {failed_body, sizeof(failed_body) - 1}};

static const char unavailable_body[] = "{\"error\":\"Database unavailable, please retry\"}";
const struct ts_http_response answer_unavailable = {.status = 503,
                                                    .headers = retry_later,
                                                    .n_headers = 1,
                                                    .body = {unavailable_body, sizeof(unavailable_body) - 1}};
