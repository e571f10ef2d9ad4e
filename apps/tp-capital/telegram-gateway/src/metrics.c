#include "metrics.h"

#include <stdio.h>

static void register_failures(struct ts_metrics *registry, struct metrics *m)
{
    struct ts_metric *failures =
        ts_metrics_add(registry, TS_COUNTER, "telegram_publish_failures_total",
                       "Messages whose publishing cycle ended in failure.", "reason");
    for (int reason = REASON_AUTH; reason < REASON_COUNT; reason++)
        m->failures[reason] =
            ts_counter_with(failures, TS_LABELS(ts_str_from(outbox_reason_name((enum outbox_reason)reason))));
}

static void register_retries(struct ts_metrics *registry, struct metrics *m)
{
    struct ts_metric *retries = ts_metrics_add(registry, TS_COUNTER, "telegram_retry_attempts_total",
                                               "Retries started.", "attempt_number");
    for (int n = 1; n <= METRICS_MAX_RETRY_NUMBER; n++) {
        char number[16];
        snprintf(number, sizeof number, "%d", n);
        m->retries[n] = ts_counter_with(retries, TS_LABELS(ts_str_from(number)));
    }
}

void metrics_register(struct ts_metrics *registry, struct metrics *m)
{
    m->connected =
        ts_metrics_gauge(registry, "telegram_connection_status", "1 while connected to Telegram, else 0.");
    m->received = ts_metrics_add(registry, TS_COUNTER, "telegram_messages_received_total",
                                 "Messages received from allowed channels, duplicates included.",
                                 "channel_id,channel_name");
    m->published = ts_metrics_counter(registry, "telegram_messages_published_total",
                                      "Messages the API answered with 200, skipped ones included.");
    register_failures(registry, m);
    register_retries(registry, m);
    m->queue_failed = ts_metrics_gauge(registry, "telegram_failure_queue_size",
                                       "Messages in the outbox with a failure mark.");
    m->queue_pending = ts_metrics_gauge(registry, "telegram_outbox_size",
                                        "Messages in the outbox that the API has not acknowledged.");
    m->queue_bytes =
        ts_metrics_gauge(registry, "telegram_failure_queue_bytes", "Payload bytes of those messages.");
    m->duplicates = ts_metrics_counter(registry, "telegram_duplicates_total",
                                       "Messages dropped because they were known.");
    m->flood_wait_seconds =
        ts_metrics_gauge(registry, "telegram_flood_wait_seconds", "Pause that Telegram asked for, 0 = none.");
    m->publish_duration =
        ts_metrics_histogram(registry, "telegram_publish_duration_seconds",
                             "One attempt to hand a message to the API.", TS_DURATION_BUCKETS);
}

void metrics_usage(const struct metrics *m, const struct outbox_usage *usage)
{
    ts_gauge_set(m->queue_failed, usage->failed);
    ts_gauge_set(m->queue_pending, usage->pending);
    ts_gauge_set(m->queue_bytes, usage->bytes);
}
