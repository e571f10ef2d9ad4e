/*
 * A channel goes round: LOADING its next page or an album (and marking its rows), READY in the queue for one of the places in flight, SENDING, WAITING for a
 * retry or for an album to be complete, and back; RESTING when the table has nothing for it. Channels are never forgotten: a few hundred
 * bytes each, and `cursor` must outlive the acknowledgements that are not yet durable, or their rows would be read and sent once more.
 */
#include "publisher.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "unit.h"

enum {
    PAGE_ARENA_BYTES = 4 * 1024 * 1024,
    ALBUM_ARENA_BYTES = 32 * 1024 * 1024,
    MAX_MARKS_WAITING = 2048, /* acknowledgements on their way to disk; beyond, sending waits for the disk */
};

#define READ_DEADLINE_US (10 * TS_US_PER_S)
#define PAUSE_US         (1 * TS_US_PER_S) /* after a fault of our own: no memory, a reader that failed */

enum channel_state { RESTING, LOADING, READY, SENDING, WAITING };

struct channel {
    int64_t id; /* first: the tree compares it */
    struct publisher *publisher;
    enum channel_state state;
    struct channel *next; /* in the ready queue */
    struct channel *next_of_all;

    struct ts_arena *page_arena;
    struct store_page page;
    size_t at;      /* the row in hand */
    int64_t cursor; /* id of the last row read from the table */
    bool more;      /* the table may have rows behind the cursor */

    struct unit unit; /* what is sent for the row in hand */
    struct ts_arena *album_arena;
    char album[MESSAGE_MAX_ALBUM_BYTES + 1]; /* the last one published, with the highest row in it */
    int64_t album_last_id;

    struct outbox_cycle cycle;
    int64_t wake_us; /* WAITING: monotonic */
};

struct publisher {
    struct publisher_options options;
    uv_timer_t timer;
    void *channels; /* tsearch */
    struct channel *all;
    struct channel *ready_first, *ready_last;
    int in_flight;
    bool stopping;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

static void advance(struct channel *channel);
static void fill_places(struct publisher *publisher);

/* --- channels -------------------------------------------------------------------------------------------------------------- */

static int compare_channels(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static struct channel *channel_get(struct publisher *publisher, int64_t id)
{
    struct channel *const *found = tfind(&id, &publisher->channels, compare_channels);
    struct channel *channel;
    if (found)
        return *found;
    if (!(channel = calloc(1, sizeof *channel)))
        return NULL;
    channel->id = id;
    channel->publisher = publisher;
    if (!tsearch(channel, &publisher->channels, compare_channels)) {
        free(channel);
        return NULL;
    }
    channel->next_of_all = publisher->all;
    publisher->all = channel;
    return channel;
}

static const struct store_row *row_in_hand(const struct channel *channel)
{
    return channel->at < channel->page.n ? &channel->page.rows[channel->at] : NULL;
}

static void channel_ready(struct channel *channel)
{
    struct publisher *publisher = channel->publisher;
    channel->state = READY;
    channel->next = NULL;
    if (publisher->ready_last)
        publisher->ready_last->next = channel;
    else
        publisher->ready_first = channel;
    publisher->ready_last = channel;
}

static struct channel *ready_pop(struct publisher *publisher)
{
    struct channel *channel = publisher->ready_first;
    if (channel && !(publisher->ready_first = channel->next))
        publisher->ready_last = NULL;
    return channel;
}

/* --- waiting: one timer for all -------------------------------------------------------------------------------------------- */

static void timer_set(struct publisher *publisher);

static void on_timer(uv_timer_t *timer)
{
    struct publisher *publisher = timer->data;
    int64_t now_us = ts_clock_mono_us();
    for (struct channel *channel = publisher->all; channel; channel = channel->next_of_all) {
        if (channel->state != WAITING || channel->wake_us > now_us)
            continue;
        channel->state = RESTING;
        advance(channel);
    }
    timer_set(publisher);
    fill_places(publisher);
}

static void timer_set(struct publisher *publisher)
{
    int64_t earliest_us = INT64_MAX, now_us = ts_clock_mono_us();
    for (const struct channel *channel = publisher->all; channel; channel = channel->next_of_all) {
        if (channel->state == WAITING)
            earliest_us = TS_MIN(earliest_us, channel->wake_us);
    }
    if (earliest_us == INT64_MAX || publisher->stopping)
        return;
    uv_timer_start(&publisher->timer, on_timer,
                   (uint64_t)(TS_MAX(earliest_us - now_us, 0) / TS_US_PER_MS + 1), 0);
}

static void channel_wait(struct channel *channel, int64_t wait_us)
{
    channel->state = WAITING;
    channel->wake_us = ts_clock_mono_us() + wait_us;
    timer_set(channel->publisher);
}

/* --- reading the table ----------------------------------------------------------------------------------------------------- */

struct page_job {
    struct ts_read_job job; /* first */
    struct channel *channel;
    struct ts_arena *arena;
    struct store_page page;
    int64_t channel_id, after_id;
    ts_str album; /* TS_STR_NONE: the next page */
};

static int run_page(struct ts_read_job *job, struct ts_db *db)
{
    struct page_job *page = (struct page_job *)(void *)job;
    if (!ts_str_is_none(page->album))
        return store_load_album(db, page->channel_id, page->album, page->arena, &page->page);
    return store_load_pending(db, page->channel_id, page->after_id, PUBLISHER_PAGE_ROWS, page->arena,
                              &page->page);
}

static void take_page(struct channel *channel, struct page_job *page)
{
    ts_arena_free(channel->page_arena);
    channel->page_arena = TS_TAKE(page->arena);
    channel->page = page->page;
    channel->at = 0;
    channel->more = channel->more || page->page.more; /* a wake while it was read asks for one more look */
    if (page->page.n > 0)
        channel->cursor = page->page.rows[page->page.n - 1].ref.id;
}

static void send_as_noted(struct store_op *op, int result, void *ctx)
{
    struct channel *channel = ctx;
    channel->state = RESTING;
    if (channel->publisher->stopping)
        return;
    if (result == 0 && op->changed)
        channel_ready(channel);
    else if (result == 0) /* a replay was faster: it is another letter now */
        advance(channel);
    else
        channel_wait(channel, PAUSE_US);
    fill_places(channel->publisher);
}

/* A letter with new rows in it goes out only after their mark is on disk (unit.h). */
static void album_ready(struct channel *channel)
{
    const struct store_send_as *mark = channel->unit.mark;
    if (!mark) {
        channel_ready(channel);
        return;
    }
    channel->state = LOADING;
    if (journal_send_as(channel->publisher->options.journal, mark, send_as_noted, channel) != 0)
        channel_wait(channel, PAUSE_US);
}

/* The row in hand can't be sent as it is, now or later; the way is free for the next. */
static void row_unreadable(struct channel *channel)
{
    const struct store_row *row = row_in_hand(channel);
    const struct publisher_options *options = &channel->publisher->options;
    const struct store_fail fail = {.ref = row->ref,
                                    .reason = REASON_REJECTED,
                                    .at_us = ts_clock_wall_us(),
                                    .detail = "A part of the album can't be read"};
    ts_log_error("Message saved to failure queue", TS_F_I64("channelId", row->key.channel_id),
                 TS_F_I64("messageId", row->key.message_id), TS_F_CSTR("detail", fail.detail));
    ts_counter_add(options->metrics->failures[REASON_REJECTED], 1);
    if (journal_fail(options->journal, &fail, NULL, NULL) != 0)
        ts_log_error("Out of memory: a failure was not noted");
}

static void album_loaded(struct channel *channel, struct page_job *page)
{
    int64_t row_id = row_in_hand(channel)->ref.id;
    int64_t wait_us = unit_album_ready_us(&page->page, row_id) - ts_clock_wall_us();
    int r;
    if (wait_us > 0) {
        channel_wait(channel, TS_MIN(wait_us, ALBUM_QUIET_US)); /* the wall clock may have been set back */
        return;
    }
    r = unit_of_album(&page->page, row_id, page->arena, &channel->unit);
    if (r == 0) {
        ts_arena_free(channel->album_arena);
        channel->album_arena = TS_TAKE(page->arena);
        album_ready(channel);
        return;
    }
    if (r == -ENOMEM) {
        channel_wait(channel, PAUSE_US);
        return;
    }
    if (r != TS_E_NOT_FOUND) /* not found: it waits no more, it went with a part before */
        row_unreadable(channel);
    channel->at++;
    channel->state = RESTING;
    advance(channel);
}

static struct page_job *page_job_free(struct page_job *page);

static void on_page(struct ts_read_job *job, int result)
{
    struct page_job *page = (struct page_job *)(void *)job;
    struct channel *channel = page->channel;
    channel->state = RESTING;
    if (result != 0) {
        ts_log_warn("Outbox read failed", TS_F_I64("channelId", channel->id), TS_F_ERR(result));
        channel->more = true;
        channel_wait(channel, PAUSE_US);
    } else if (ts_str_is_none(page->album)) {
        take_page(channel, page);
        advance(channel);
    } else {
        album_loaded(channel, page);
    }
    fill_places(channel->publisher);
    page_job_free(page);
}

static struct page_job *page_job_free(struct page_job *page)
{
    if (page)
        ts_arena_free(page->arena);
    free(page);
    return NULL;
}
TS_DEFINE_CLEANUP(struct page_job *, page_job_free)

static struct page_job *page_job_new(ts_str album)
{
    struct page_job *page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    page->arena = ts_arena_new(ts_str_is_none(album) ? PAGE_ARENA_BYTES : ALBUM_ARENA_BYTES);
    if (!page->arena || ts_arena_dup(page->arena, album, &page->album) != 0)
        return page_job_free(page);
    return page;
}

static int start_load(struct channel *channel, ts_str album)
{
    _cleanup_(page_job_freep) struct page_job *page = page_job_new(album);
    int r;
    if (!page)
        return -ENOMEM;
    page->job = (struct ts_read_job){
        .run = run_page, .done = on_page, .deadline_us = ts_clock_mono_us() + READ_DEADLINE_US};
    page->channel = channel;
    page->channel_id = channel->id;
    page->after_id = channel->cursor;
    if ((r = journal_read(channel->publisher->options.journal, &page->job)) == 0)
        page = NULL; /* on_page has it now */
    return r;
}

static void load(struct channel *channel, ts_str album)
{
    if (ts_str_is_none(album))
        channel->more = false; /* a wake from here on sets it again */
    if (start_load(channel, album) == 0) {
        channel->state = LOADING;
        return;
    }
    channel->more = true;
    channel_wait(channel, PAUSE_US);
}

/* --- the next step of a channel -------------------------------------------------------------------------------------------- */

static bool went_with_its_album(const struct channel *channel, const struct store_row *row)
{
    return !ts_str_is_none(row->album) && row->ref.id <= channel->album_last_id &&
           ts_str_eq(row->album, ts_str_from(channel->album));
}

static void advance(struct channel *channel)
{
    const struct store_row *row;
    if (channel->state != RESTING || channel->publisher->stopping)
        return;
    while ((row = row_in_hand(channel)) != NULL && went_with_its_album(channel, row))
        channel->at++;
    if (row && !ts_str_is_none(row->album)) {
        load(channel, row->album);
    } else if (row) {
        channel->unit = unit_of_row(row);
        channel_ready(channel);
    } else if (channel->more) {
        load(channel, TS_STR_NONE);
    }
}

static void unit_done(struct channel *channel)
{
    const struct store_row *row = row_in_hand(channel);
    if (row && !ts_str_is_none(row->album)) {
        memcpy(channel->album, row->album.ptr, row->album.len);
        channel->album[row->album.len] = '\0';
        channel->album_last_id = 0;
        for (size_t i = 0; i < channel->unit.n_refs; i++)
            channel->album_last_id = TS_MAX(channel->album_last_id, channel->unit.refs[i].id);
    }
    channel->cycle = (struct outbox_cycle){0};
    channel->album_arena = ts_arena_free(channel->album_arena);
    channel->unit = (struct unit){0};
    channel->at++;
    if (channel->at >= channel->page.n) {
        channel->page_arena = ts_arena_free(channel->page_arena);
        channel->page = (struct store_page){0};
        channel->at = 0;
    }
    channel->state = RESTING;
    advance(channel);
}

/* --- what an attempt came to ----------------------------------------------------------------------------------------------- */

static void stored(struct channel *channel, const struct delivery_result *result)
{
    const struct publisher_options *options = &channel->publisher->options;
    const struct unit *unit = &channel->unit;
    for (size_t i = 0; i < unit->n_refs; i++) {
        if (journal_acknowledge(options->journal, unit->refs[i], NULL, NULL) != 0)
            ts_log_error("Out of memory: an acknowledgement was not noted, the message will be sent again");
    }
    ts_counter_add(options->metrics->published, 1);
    ts_log_info(result->skipped ? "Duplicate message skipped (idempotent)" : "Message published successfully",
                TS_F_I64("channelId", unit->key.channel_id), TS_F_I64("messageId", unit->key.message_id),
                TS_F_I64("latency_ms", (ts_clock_wall_us() - unit->queued_at_us) / TS_US_PER_MS),
                TS_F_STR("requestId", unit->letter.request_id));
    options->published(options->ctx, unit->key);
    unit_done(channel);
}

static void retry(struct channel *channel, const struct delivery_result *result,
                  const struct outbox_verdict *verdict)
{
    const struct metrics *metrics = channel->publisher->options.metrics;
    if (verdict->retry_number > 0)
        ts_counter_add(metrics->retries[TS_MIN(verdict->retry_number, METRICS_MAX_RETRY_NUMBER)], 1);
    ts_log_warn(result->attempt == ATTEMPT_TIMEOUT ? "API timeout, retrying..." : "API error, retrying...",
                TS_F_I64("attempt", channel->cycle.attempts),
                TS_F_I64("delay_ms", verdict->wait_us / TS_US_PER_MS), TS_F_I64("status", result->status),
                TS_F_CSTR("detail", result->detail), TS_F_STR("requestId", channel->unit.letter.request_id));
    channel_wait(channel, verdict->wait_us);
}

static void failed(struct channel *channel, const struct delivery_result *result, enum outbox_reason reason)
{
    const struct publisher_options *options = &channel->publisher->options;
    const struct unit *unit = &channel->unit;
    struct store_fail fail = {
        .reason = reason, .attempts = channel->cycle.attempts, .at_us = ts_clock_wall_us()};
    memcpy(fail.detail, result->detail, sizeof fail.detail);
    if (reason == REASON_AUTH)
        ts_log_error("Authentication failed - check GATEWAY_SECRET_TOKEN",
                     TS_F_I64("status", result->status));
    ts_log_warn("Message saved to failure queue", TS_F_I64("channelId", unit->key.channel_id),
                TS_F_I64("messageId", unit->key.message_id), TS_F_CSTR("reason", outbox_reason_name(reason)),
                TS_F_I64("status", result->status), TS_F_CSTR("detail", result->detail),
                TS_F_I64("bytes", unit->letter.body.len), TS_F_STR("requestId", unit->letter.request_id));
    ts_counter_add(options->metrics->failures[reason], 1);
    for (size_t i = 0; i < unit->n_refs; i++) {
        fail.ref = unit->refs[i];
        if (journal_fail(options->journal, &fail, NULL, NULL) != 0)
            ts_log_error(
                "Out of memory: a failure was not noted, the message will be sent after the next start");
    }
    unit_done(channel);
}

static void stop_when_idle(struct publisher *publisher)
{
    if (publisher->stopping && publisher->in_flight == 0 && publisher->stopped) {
        void (*stopped)(void *ctx) = publisher->stopped;
        publisher->stopped = NULL;
        stopped(publisher->stopped_ctx);
    }
}

static void on_delivered(const struct delivery_result *result, void *ctx)
{
    struct channel *channel = ctx;
    struct publisher *publisher = channel->publisher;
    struct outbox_verdict verdict;
    publisher->in_flight--;
    channel->state = RESTING;
    ts_histogram_observe(publisher->options.metrics->publish_duration, result->duration_us);
    verdict =
        outbox_judge(&publisher->options.policy, &channel->cycle, result->attempt, result->retry_after_us);
    if (verdict.what == VERDICT_ACKNOWLEDGE)
        stored(channel, result);
    else if (publisher->stopping) /* it stays pending and has a whole cycle after the start */
        ts_log_info("Message stays in the outbox", TS_F_I64("messageId", channel->unit.key.message_id));
    else if (verdict.what == VERDICT_RETRY)
        retry(channel, result, &verdict);
    else
        failed(channel, result, verdict.reason);
    fill_places(publisher);
    stop_when_idle(publisher);
}

static void send_unit(struct channel *channel)
{
    struct publisher *publisher = channel->publisher;
    if (delivery_send(publisher->options.delivery, &channel->unit.letter, on_delivered, channel) != 0) {
        channel_wait(channel, PAUSE_US);
        return;
    }
    channel->state = SENDING;
    publisher->in_flight++;
}

static void fill_places(struct publisher *publisher)
{
    while (!publisher->stopping && publisher->ready_first && publisher->in_flight < PUBLISHER_MAX_IN_FLIGHT) {
        if (journal_marks_waiting(publisher->options.journal) >= MAX_MARKS_WAITING) {
            uv_timer_start(&publisher->timer, on_timer, 10, 0);
            return;
        }
        send_unit(ready_pop(publisher));
    }
}

/* --- the publisher --------------------------------------------------------------------------------------------------------- */

int publisher_new(const struct publisher_options *options, struct publisher **ret)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher)
        return -ENOMEM;
    publisher->options = *options;
    uv_timer_init(options->loop, &publisher->timer);
    publisher->timer.data = publisher;
    *ret = publisher;
    return 0;
}

void publisher_wake(struct publisher *publisher, int64_t channel_id)
{
    struct channel *channel = channel_get(publisher, channel_id);
    if (!channel) {
        ts_log_error("Out of memory: a channel's messages wait in the outbox",
                     TS_F_I64("channelId", channel_id));
        return;
    }
    channel->more = true;
    advance(channel);
}

void publisher_stop(struct publisher *publisher, void (*stopped)(void *ctx), void *ctx)
{
    publisher->stopping = true;
    publisher->stopped = stopped;
    publisher->stopped_ctx = ctx;
    uv_timer_stop(&publisher->timer);
    stop_when_idle(publisher);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* tdestroy frees the tree's nodes; the channels go with the list of all. */
static void keep_channel(void *channel TS_UNUSED) {}

struct publisher *publisher_free(struct publisher *publisher)
{
    struct channel *channel;
    if (!publisher)
        return NULL;
    tdestroy(publisher->channels, keep_channel);
    while ((channel = publisher->all) != NULL) {
        publisher->all = channel->next_of_all;
        ts_arena_free(channel->page_arena);
        ts_arena_free(channel->album_arena);
        free(channel);
    }
    uv_close((uv_handle_t *)&publisher->timer, on_timer_closed);
    return NULL;
}

int publisher_in_flight(const struct publisher *publisher)
{
    return publisher->in_flight;
}
