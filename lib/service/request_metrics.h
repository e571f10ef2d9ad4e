/*
 * The request histogram that every service shows: labels method, route (the pattern, `unmatched` otherwise) and status_code
 * (tp-capital section 8). A series is looked up by label once and then found by address, so a request costs no hashing of text.
 * Thread rule: the loop's thread.
 */
#ifndef TS_SERVICE_REQUEST_METRICS_H
#define TS_SERVICE_REQUEST_METRICS_H

#include "http/server.h"
#include "obs/metrics.h"

struct ts_request_metrics;

/* name: "api_http_request_duration_seconds". NULL when out of memory. */
struct ts_request_metrics *ts_request_metrics_new(struct ts_metrics *metrics, const char *name);
struct ts_request_metrics *ts_request_metrics_free(struct ts_request_metrics *requests);

void ts_request_metrics_observe(struct ts_request_metrics *requests, const struct ts_http_request *req,
                                int status, int64_t duration_us);

#endif
