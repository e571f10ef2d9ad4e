/* Metrics of tp-capital section 8, registered once; every series of fixed labels exists with 0 from the start. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "obs/metrics.h"
#include "outbox.h"

enum { METRICS_MAX_RETRY_NUMBER = 10 };

struct metrics {
    struct ts_gauge *connected, *queue_failed, *queue_pending, *queue_bytes, *flood_wait_seconds;
    struct ts_metric *received; /* by channel_id, channel_name */
    struct ts_counter *published, *duplicates;
    struct ts_counter *failures[REASON_COUNT];
    struct ts_counter *retries[METRICS_MAX_RETRY_NUMBER + 1];
    struct ts_histogram *publish_duration;
};

void metrics_register(struct ts_metrics *registry, struct metrics *metrics);
void metrics_usage(const struct metrics *metrics, const struct outbox_usage *usage);

#endif
