#include "routes.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "health.h"
#include "http/query.h"

enum { BODY_BYTES = 4096 };

static struct gateway *gateway_of(void *ctx)
{
    struct ts_service *service = ctx;
    return service->app;
}

static void get_root(struct ts_http_request *req, void *ctx TS_UNUSED)
{
    ts_http_reply(
        req,
        &(struct ts_http_response){
            .body = TS_STR("{\"name\":\"tp-capital-gateway\",\"version\":\"" TS_VERSION
                           "\",\"endpoints\":[\"/health\",\"/health/live\",\"/metrics\",\"/recover\"]}")});
}

static void get_health(struct ts_http_request *req, void *ctx)
{
    const struct ts_service *service = ctx;
    _cleanup_(ts_buf_done) struct ts_buf body = TS_BUF_INIT(BODY_BYTES);
    int status = health_write(gateway_of(ctx), ts_clock_mono_us() - service->started_us, &body);
    ts_http_reply(req, &(struct ts_http_response){.status = status, .body = ts_buf_view(&body)});
}

struct recovering {
    struct ts_http_server *server;
    ts_http_ticket ticket;
};

static void on_recovered(const struct failures_outcome *outcome, void *ctx)
{
    struct recovering *recovering = ctx;
    _cleanup_(ts_buf_done) struct ts_buf body = TS_BUF_INIT(BODY_BYTES);
    struct ts_jsonw w = ts_jsonw_begin(&body);
    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "status", outcome->error == 0 ? TS_STR("ok") : TS_STR("error"));
    if (outcome->error != 0)
        ts_jsonw_key_str(&w, "error", ts_str_from(ts_error_text(outcome->error)));
    ts_jsonw_key_i64(&w, "recovered", outcome->recovered);
    ts_jsonw_key_i64(&w, "failed", outcome->failed);
    ts_jsonw_end(&w);
    ts_http_answer(
        recovering->server, recovering->ticket,
        &(struct ts_http_response){.status = outcome->error == 0 ? 200 : 503, .body = ts_buf_view(&body)});
    free(recovering);
}

static void start_recovery(struct ts_http_request *req, struct failures *failures, bool include_rejected)
{
    struct recovering *recovering = calloc(1, sizeof *recovering);
    int r = recovering ? failures_recover(failures, include_rejected, on_recovered, recovering) : -ENOMEM;
    if (r == 0) {
        *recovering = (struct recovering){req->server, ts_http_park(req)};
        return;
    }
    free(recovering);
    if (r == -EBUSY)
        ts_http_reply_error(req, 409, "A recovery is running", "conflict", NULL);
    else
        ts_http_reply_error(req, 503, "Not now, please retry", "overloaded", NULL);
}

/* Parked until the round is over; what `recover` on the command line asks when the gateway runs. */
static void post_recover(struct ts_http_request *req, void *ctx)
{
    struct gateway *gateway = gateway_of(ctx);
    struct ts_query query;
    ts_str field;
    if (ts_query_parse(req->query, req->arena, &query, &field) != 0) {
        ts_http_reply_error(req, 400, "Invalid parameter", "invalid", NULL);
        return;
    }
    if (!gateway->failures) {
        ts_http_reply_error(req, 503, "Stopping", "closed", NULL);
        return;
    }
    start_recovery(req, gateway->failures,
                   ts_str_eq(ts_query_get(&query, "include_rejected"), TS_STR("true")));
}

const struct ts_http_route routes[] = {
    {"GET", "/", get_root, .flags = 0},
    {"GET", "/health", get_health, .flags = TS_ROUTE_UNLIMITED},
    {"POST", "/recover", post_recover, .flags = 0},
};
const size_t n_routes = TS_ARRAY_LEN(routes);

const char *const public_paths[] = {"/health", "/metrics", NULL};
