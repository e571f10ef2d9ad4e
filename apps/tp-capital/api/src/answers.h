/* Refusals that several paths share. Thread rule: the loop's thread. */
#ifndef TP_CAPITAL_ANSWERS_H
#define TP_CAPITAL_ANSWERS_H

#include "http/server.h"

/* 400 {"error":"Invalid parameter: <field>","field":…} */
void answer_bad_parameter(struct ts_http_request *req, ts_str field);

/* 503 with Retry-After, while the database is away: {"error":"Failed to fetch signals"} of the list of signals and what is read like it,
 * {"error":"Database unavailable, please retry"} of every other route. */
extern const struct ts_http_response answer_failed, answer_unavailable;

#endif
