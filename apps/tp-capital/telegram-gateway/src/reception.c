#include "reception.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "dedupe.h"

struct reception {
    struct reception_options options;
    struct dedupe *dedupe;
    int64_t last_us;
};

/* What must be known again when the message is durable. */
struct pending {
    struct reception *reception;
    uint64_t tag;
    int64_t started_us;
};

static bool is_allowed(const struct reception *reception, int64_t channel_id)
{
    if (reception->options.allow_all)
        return true;
    for (size_t i = 0; i < reception->options.channels->n; i++) {
        if (reception->options.channels->items[i] == channel_id)
            return true;
    }
    return false;
}

static void count_received(const struct reception *reception, const struct message *message)
{
    char id[32];
    ts_str name = ts_str_is_none(message->channel_name) ? TS_STR("") : message->channel_name;
    snprintf(id, sizeof id, "%lld", (long long)message->channel_id);
    ts_counter_add(ts_counter_with(reception->options.metrics->received, TS_LABELS(ts_str_from(id), name)),
                   1);
}

static void duplicate(struct reception *reception, const struct message *message, const char *how)
{
    ts_counter_add(reception->options.metrics->duplicates, 1);
    ts_log_info(how, TS_F_I64("channelId", message->channel_id), TS_F_I64("messageId", message->message_id));
}

static void on_durable(struct store_op *op, int result, void *ctx)
{
    struct pending *pending = ctx;
    struct reception *reception = pending->reception;
    const struct message *message = &op->append.message;
    if (result == TS_E_CLOSED) { /* never confirmed, so it comes again */
        free(pending);
        return;
    }
    if (result != 0) {
        ts_log_error("Message can't be stored and is dropped", TS_F_I64("channelId", message->channel_id),
                     TS_F_I64("messageId", message->message_id), TS_F_ERR(result));
    } else {
        dedupe_add(reception->dedupe, message_key(message), op->append.content);
        if (op->append.duplicate)
            duplicate(reception, message, "Duplicate message skipped (outbox)");
        else
            ts_log_info("Message received", TS_F_I64("channelId", message->channel_id),
                        TS_F_I64("messageId", message->message_id),
                        TS_F_I64("latency_ms", (ts_clock_mono_us() - pending->started_us) / TS_US_PER_MS),
                        TS_F_CSTR("requestId", op->append.request_id));
    }
    reception->options.durable(reception->options.ctx, pending->tag);
    if (result == 0 && !op->append.duplicate)
        reception->options.stored(reception->options.ctx, message->channel_id);
    free(pending);
}

static int append(struct reception *reception, const struct message *message, uint64_t tag)
{
    struct pending *pending = calloc(1, sizeof *pending);
    int r;
    if (!pending)
        return -ENOMEM;
    *pending = (struct pending){reception, tag, ts_clock_mono_us()};
    if ((r = journal_append(reception->options.journal, message, on_durable, pending)) != 0)
        free(pending);
    return r;
}

int reception_offer(struct reception *reception, const struct message *message, uint64_t tag)
{
    if (!is_allowed(reception, message->channel_id)) {
        ts_log_debug("Message of another channel dropped", TS_F_I64("channelId", message->channel_id));
        reception->options.durable(reception->options.ctx, tag);
        return 0;
    }
    count_received(reception, message);
    reception->last_us = ts_clock_wall_us();
    if (dedupe_has(reception->dedupe, message_key(message), message_content(message), ts_clock_mono_us())) {
        duplicate(reception, message, "Duplicate message skipped (in-memory cache)");
        reception->options.durable(reception->options.ctx, tag);
        return 0;
    }
    return append(reception, message, tag);
}

void reception_published(struct reception *reception, struct message_key key)
{
    dedupe_published(reception->dedupe, key, ts_clock_mono_us());
}

int64_t reception_last_us(const struct reception *reception)
{
    return reception->last_us;
}

int reception_new(const struct reception_options *options, struct reception **ret)
{
    struct reception *reception = calloc(1, sizeof *reception);
    if (!reception)
        return -ENOMEM;
    reception->options = *options;
    if (!(reception->dedupe = dedupe_new(options->dedupe_keys))) {
        free(reception);
        return -ENOMEM;
    }
    *ret = reception;
    return 0;
}

struct reception *reception_free(struct reception *reception)
{
    if (!reception)
        return NULL;
    dedupe_free(reception->dedupe);
    free(reception);
    return NULL;
}
