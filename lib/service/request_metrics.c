#include "service/request_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOTS 256 /* a power of two; one for each route and status seen, a collision only costs the look-up */

struct slot {
    const struct ts_http_route *route;
    int status;
    char method; /* HEAD shares a route with GET; the first letter tells them apart */
    struct ts_histogram *series;
};

struct ts_request_metrics {
    struct ts_metric *metric;
    struct slot slots[SLOTS];
};

struct ts_request_metrics *ts_request_metrics_new(struct ts_metrics *metrics, const char *name)
{
    struct ts_request_metrics *requests = calloc(1, sizeof(*requests));

    if (requests)
        requests->metric =
            ts_metrics_add_histogram(metrics, name, "Time from a request's first byte to its answer.",
                                     "method,route,status_code", TS_DURATION_BUCKETS);
    return requests;
}

struct ts_request_metrics *ts_request_metrics_free(struct ts_request_metrics *requests)
{
    free(requests);
    return NULL;
}

static size_t slot_of(const struct ts_http_route *route, int status, char method)
{
    return ((uintptr_t)route / sizeof(*route) * 31 + (size_t)status * 7 + (unsigned char)method) &
           (SLOTS - 1);
}

static struct ts_histogram *find_series(struct ts_request_metrics *requests,
                                        const struct ts_http_request *req, int status)
{
    char text[12];

    snprintf(text, sizeof(text), "%d", status);
    /* Without a route the method is whatever a stranger sent: no series of his making. */
    return ts_histogram_with(requests->metric,
                             TS_LABELS(req->route ? req->method : TS_STR("other"),
                                       req->route ? ts_str_from(req->route->pattern) : TS_STR("unmatched"),
                                       ts_str_from(text)));
}

void ts_request_metrics_observe(struct ts_request_metrics *requests, const struct ts_http_request *req,
                                int status, int64_t duration_us)
{
    const char method = req->route && req->method.len ? req->method.ptr[0] : '?';
    struct slot *slot = &requests->slots[slot_of(req->route, status, method)];

    if (!slot->series || slot->route != req->route || slot->status != status || slot->method != method)
        *slot = (struct slot){req->route, status, method, find_series(requests, req, status)};
    ts_histogram_observe(slot->series, duration_us);
}
