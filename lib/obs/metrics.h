/*
 * Metrics: counters, gauges and histograms of one process, shown as Prometheus text 0.0.4.
 *
 * Register everything at start, each series of fixed label values too, so that it exists with 0 from the
 * first scrape (tp-capital section 8), and keep the pointers; updating is one relaxed atomic addition, from
 * any thread.
 *
 *     struct ts_counter *inserted = ts_metrics_counter(metrics, "api_rows_total", "Rows inserted.");
 *
 *     struct ts_metric *requests = ts_metrics_add(metrics, TS_COUNTER, "api_requests_total", "Requests.",
 * "method,status"); struct ts_counter *get_200 = ts_counter_with(requests, TS_LABELS(TS_STR("GET"),
 * TS_STR("200"))); if (ts_metrics_error(metrics)) ...
 *
 *     ts_counter_add(get_200, 1);
 *
 * Registration never returns NULL. What goes wrong in it (a bad or double name, wrong number of labels, out
 * of memory) is sticky and told by ts_metrics_error(); what was asked for then counts nowhere. A metric takes
 * at most TS_MAX_SERIES label sets; further ones share one series whose label values are all `other`. Label
 * values are cut to TS_MAX_LABEL_BYTES; invalid UTF-8 becomes U+FFFD.
 *
 * Thread rule: ts_metrics_add* and free at start and end, one thread; everything else from any thread.
 */
#ifndef TS_OBS_METRICS_H
#define TS_OBS_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct ts_metrics;   /* the registry */
struct ts_metric;    /* a name, its help, its label names */
struct ts_histogram; /* one series of a histogram */

struct ts_counter {
    _Atomic int64_t value;
};

struct ts_gauge {
    _Atomic int64_t value;
};

/* NULL when out of memory. All that was registered goes with it. */
struct ts_metrics *ts_metrics_new(void);
struct ts_metrics *ts_metrics_free(struct ts_metrics *metrics);
TS_DEFINE_CLEANUP(struct ts_metrics *, ts_metrics_free)

/* The first thing that went wrong: 0, TS_E_INVALID (name, label or bucket), TS_E_CONFLICT (name taken) or
 * -ENOMEM. */
int ts_metrics_error(const struct ts_metrics *metrics);

/* --- registering --- */

enum ts_metric_kind {
    TS_COUNTER,
    TS_GAUGE,
    TS_COUNTER_US, /* counted in microseconds, shown in seconds */
    TS_GAUGE_US,
    TS_HISTOGRAM /* by ts_metrics_add_histogram */
};

/* labels: "method,status", or NULL for none; at most 8. name, help and labels are copied. */
struct ts_metric *ts_metrics_add(struct ts_metrics *metrics, enum ts_metric_kind kind, const char *name,
                                 const char *help, const char *labels);

/* buckets: upper bounds in seconds, ascending, "0.001 0.005 0.01"; at most 32, six decimals. +Inf is added.
 */
struct ts_metric *ts_metrics_add_histogram(struct ts_metrics *metrics, const char *name, const char *help,
                                           const char *labels, const char *buckets);

/* What tp-capital section 8 asks for durations. */
#define TS_DURATION_BUCKETS "0.001 0.005 0.01 0.05 0.1 0.5 1 5"

/* process_cpu_seconds_total, process_resident_memory_bytes, process_start_time_seconds, process_open_fds. */
void ts_metrics_add_process(struct ts_metrics *metrics);

/* Metrics without labels, in one step. */
struct ts_counter *ts_metrics_counter(struct ts_metrics *metrics, const char *name, const char *help);
struct ts_gauge *ts_metrics_gauge(struct ts_metrics *metrics, const char *name, const char *help);
struct ts_histogram *ts_metrics_histogram(struct ts_metrics *metrics, const char *name, const char *help,
                                          const char *buckets);

/* --- series: made at the first call, found again later (a lock and a hash: not for the hottest path) --- */

/* Label values in the order of the label names; stands for two arguments. */
#define TS_LABELS(...) (const ts_str[]){__VA_ARGS__}, (sizeof((const ts_str[]){__VA_ARGS__}) / sizeof(ts_str))
#define TS_NO_LABELS   NULL, 0

struct ts_counter *ts_counter_with(struct ts_metric *metric, const ts_str *values, size_t n);
struct ts_gauge *ts_gauge_with(struct ts_metric *metric, const ts_str *values, size_t n);
struct ts_histogram *ts_histogram_with(struct ts_metric *metric, const ts_str *values, size_t n);

/* A counter or gauge whose value is asked for at each scrape, on the scraping thread; `value` must not call
 * into the registry. */
void ts_callback_with(struct ts_metric *metric, int64_t (*value)(void *ctx), void *ctx, const ts_str *values,
                      size_t n);

/* --- updating --- */

static inline void ts_counter_add(struct ts_counter *counter, int64_t n)
{
    atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

static inline int64_t ts_counter_value(const struct ts_counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

static inline void ts_gauge_set(struct ts_gauge *gauge, int64_t value)
{
    atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
}

static inline void ts_gauge_add(struct ts_gauge *gauge, int64_t n)
{
    atomic_fetch_add_explicit(&gauge->value, n, memory_order_relaxed);
}

static inline int64_t ts_gauge_value(const struct ts_gauge *gauge)
{
    return atomic_load_explicit(&gauge->value, memory_order_relaxed);
}

void ts_histogram_observe(struct ts_histogram *histogram, int64_t duration_us);

/* --- showing --- */

#define TS_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Everything, in the order of registration. Errors are the buffer's. */
void ts_metrics_render(struct ts_metrics *metrics, struct ts_buf *out);

#endif
