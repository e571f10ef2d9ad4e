#include "stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/number.h"
#include "http/query.h"
#include "routes.h"
#include "row_json.h"

#define PAGE_ROWS         200
#define PAGE_BYTES        (64 * 1024) /* no further row is begun beyond this */
#define PAGE_BUFFER_BYTES (256 * 1024)
#define BACKLOG_BYTES     (64 * 1024) /* a reader with more unsent waits */
#define SLOW_WAIT_MS      100
#define FAILED_WAIT_MS    1000

struct reader {
    ts_http_ticket ticket; /* 0 = gone */
    struct stream_hub *hub;
    int64_t seq;    /* it has everything up to here */
    unsigned epoch; /* of the numbers that `seq` is one of; not the app's = the reader is to be reset */
    struct reader *next;
};

/* A change as it lies in the page. */
struct change {
    int64_t id, seq;
    bool deleted;
    size_t start, len; /* of its JSON in the buffer */
};

struct stream_hub {
    struct app *app;
    uv_timer_t timer; /* to look again at slow readers, and after a failure */
    struct reader *readers;
    bool running, again, stopped;
    /* The job, one at a time. */
    struct ts_read_job job;
    int64_t since;
    unsigned epoch; /* when it began */
    bool too_far;   /* from `since` there is no way on but a reset */
    struct store_head head;
    size_t n_changes;
    struct change changes[PAGE_ROWS];
    struct ts_buf json;
};

static void wake(struct stream_hub *hub);

static void on_timer(uv_timer_t *timer)
{
    wake(timer->data);
}

/* --- the page, on a reader thread --------------------------------------------------------------------------------------- */

static int on_change(const struct store_signal *row, void *ctx)
{
    struct stream_hub *hub = ctx;
    if (hub->n_changes == PAGE_ROWS || hub->json.len > PAGE_BYTES)
        return 0;
    struct change *change = &hub->changes[hub->n_changes++];
    *change =
        (struct change){.id = row->id, .seq = row->seq, .deleted = row->deleted, .start = hub->json.len};
    struct ts_jsonw w = ts_jsonw_begin(&hub->json);
    row_json_signal(&w, row);
    change->len = hub->json.len - change->start;
    return ts_buf_error(&hub->json);
}

static int run_page(struct ts_read_job *job, struct ts_db *db)
{
    struct stream_hub *hub = TS_CONTAINER_OF(job, struct stream_hub, job);
    int64_t behind = 0;

    ts_buf_clear(&hub->json);
    hub->n_changes = 0;
    hub->too_far = false;
    int r = store_read_head(db, &hub->head);
    if (r == 0 && hub->head.last_seq - hub->since > STREAM_MAX_BEHIND)
        r = store_count_changes(db, hub->since, STREAM_MAX_BEHIND, &behind);
    hub->too_far = behind > STREAM_MAX_BEHIND || hub->since < hub->head.reset_seq;
    if (r < 0 || hub->too_far || hub->since >= hub->head.last_seq)
        return r;
    /* Not beyond the head: what was committed since it was read may be the rows of a reset. */
    return store_list_changes(db, hub->since, hub->head.last_seq, PAGE_ROWS, on_change, hub);
}

/* --- sending ------------------------------------------------------------------------------------------------------------ */

void stream_format_position(const char *store_id, int64_t seq, char out[STREAM_POSITION_SIZE])
{
    snprintf(out, STREAM_POSITION_SIZE, "%s-%lld", store_id, (long long)seq);
}

/* Without memory for the events the stream is ended: the reader comes back with its last position. */
static void send_events(struct reader *reader, const struct ts_buf *events, int64_t seq)
{
    struct ts_http_server *server = reader->hub->app->service->server;
    reader->seq = seq;
    if (!ts_buf_error(events)) {
        (void)ts_http_stream_send(server, reader->ticket,
                                  ts_buf_view(events)); /* if it is gone, `closed` comes */
    } else if (ts_http_stream_backlog(server, reader->ticket) >= 0) {
        ts_http_stream_close(server, reader->ticket);
        reader->ticket = 0; /* no `closed` comes */
    }
}

static void send_reset(struct reader *reader, int64_t seq)
{
    _cleanup_(ts_buf_done) struct ts_buf event = TS_BUF_INIT(256);
    char id[STREAM_POSITION_SIZE];
    stream_format_position(reader->hub->app->store_id, seq, id);
    ts_buf_printf(&event, "event: reset\nid: %s\ndata: {\"seq\":%lld}\n\n", id, (long long)seq);
    reader->epoch = reader->hub->app->epoch;
    send_events(reader, &event, seq);
}

/* What a reader that knows everything up to `since` has to be told. */
static void put_events(struct ts_buf *out, const struct stream_hub *hub, int64_t since)
{
    for (size_t i = 0; i < hub->n_changes; i++) {
        const struct change *change = &hub->changes[i];
        if (change->seq <= since)
            continue;
        const char *name = change->deleted ? "deleted" : change->id > since ? "created" : "updated";
        char id[STREAM_POSITION_SIZE];
        stream_format_position(hub->app->store_id, change->seq, id);
        ts_buf_printf(out, "event: signal.%s\nid: %s\ndata: ", name, id);
        ts_buf_bytes(out, hub->json.data + change->start, change->len);
        ts_buf_cstr(out, "\n\n");
    }
}

static bool knows_our_numbers(const struct reader *reader)
{
    return reader->epoch == reader->hub->app->epoch;
}

static bool can_take_more(const struct reader *reader)
{
    ptrdiff_t backlog = ts_http_stream_backlog(reader->hub->app->service->server, reader->ticket);
    return reader->ticket && backlog >= 0 && backlog < BACKLOG_BYTES;
}

/* The page reaches from `since` to the last of its changes; readers within it are brought to its end. */
static void send_page(struct stream_hub *hub)
{
    _cleanup_(ts_buf_done) struct ts_buf events = TS_BUF_INIT(2 * PAGE_BUFFER_BYTES);
    int64_t composed_for = -1, last = hub->changes[hub->n_changes - 1].seq;

    for (struct reader *reader = hub->readers; reader; reader = reader->next) {
        if (!knows_our_numbers(reader) || reader->seq < hub->since || reader->seq >= last ||
            !can_take_more(reader))
            continue;
        if (reader->seq != composed_for) { /* most readers know the same */
            composed_for = reader->seq;
            ts_buf_clear(&events);
            put_events(&events, hub, composed_for);
        }
        send_events(reader, &events, last);
    }
}

static bool needs_reset(const struct reader *reader)
{
    const struct stream_hub *hub = reader->hub;
    return (hub->too_far && reader->seq <= hub->since) || reader->seq < hub->head.reset_seq ||
           reader->seq > TS_MAX(hub->head.last_seq, hub->app->seq);
}

static void send_resets(struct stream_hub *hub)
{
    for (struct reader *reader = hub->readers; reader; reader = reader->next)
        if (reader->ticket && knows_our_numbers(reader) && needs_reset(reader) && can_take_more(reader))
            send_reset(reader, hub->head.last_seq);
}

/* --- the pump ----------------------------------------------------------------------------------------------------------- */

static void sweep(struct stream_hub *hub)
{
    for (struct reader **at = &hub->readers; *at;) {
        struct reader *reader = *at;
        if (reader->ticket) {
            at = &reader->next;
            continue;
        }
        *at = reader->next;
        free(reader);
    }
}

static void look_again(struct stream_hub *hub, uint64_t wait_ms)
{
    if (!hub->stopped && !uv_is_active((uv_handle_t *)&hub->timer))
        uv_timer_start(&hub->timer, on_timer, wait_ms, 0);
}

/* True when the page was read in the database whose numbers we know; otherwise a look will find the new one soon. */
static bool page_is_ours(const struct stream_hub *hub)
{
    return hub->epoch == hub->app->epoch && strcmp(hub->head.store_id, hub->app->store_id) == 0;
}

static void on_page(struct ts_read_job *job, int result)
{
    struct stream_hub *hub = TS_CONTAINER_OF(job, struct stream_hub, job);
    bool again = hub->again;

    if (result < 0) {
        ts_log_warn("Failed to read changes for the stream", TS_F_ERR(result),
                    TS_F_CSTR("detail", job->error_detail.message));
        look_again(hub, FAILED_WAIT_MS);
    } else if (!page_is_ours(hub)) {
        hub->n_changes = 0;
        hub->too_far = false;
        look_again(hub, FAILED_WAIT_MS);
    } else {
        send_resets(hub);
        if (hub->n_changes > 0)
            send_page(hub);
    }
    hub->running = hub->again = false;
    sweep(hub);
    if (result == 0 && (again || hub->n_changes > 0 || hub->too_far))
        wake(hub);
}

/* The lowest number of a reader that can take more and has not all; -1 = none. */
static int64_t furthest_behind(struct stream_hub *hub, bool *ret_slow)
{
    int64_t since = -1;
    for (struct reader *reader = hub->readers; reader; reader = reader->next) {
        if (!reader->ticket || !knows_our_numbers(reader) || reader->seq == hub->app->seq)
            continue;
        if (!can_take_more(reader))
            *ret_slow = true;
        else if (since < 0 || reader->seq < since)
            since = reader->seq;
    }
    return since;
}

/* Those that know other numbers than ours. */
static void reset_strangers(struct stream_hub *hub, bool *ret_slow)
{
    for (struct reader *reader = hub->readers; reader; reader = reader->next) {
        if (!reader->ticket || knows_our_numbers(reader))
            continue;
        if (can_take_more(reader))
            send_reset(reader, hub->app->seq);
        else
            *ret_slow = true;
    }
}

static void wake(struct stream_hub *hub)
{
    bool slow = false;
    if (hub->stopped || !hub->app->readers)
        return;
    if (hub->running) {
        hub->again = true;
        return;
    }
    reset_strangers(hub, &slow);
    sweep(hub);
    int64_t since = furthest_behind(hub, &slow);
    if (slow)
        look_again(hub, SLOW_WAIT_MS);
    if (since < 0)
        return;
    hub->since = since;
    hub->epoch = hub->app->epoch;
    hub->running = true;
    hub->job.deadline_us = 0; /* the job is used again and again: each time a deadline of its own */
    if (ts_reader_submit(hub->app->readers, &hub->job) < 0) {
        hub->running = false;
        look_again(hub, FAILED_WAIT_MS);
    }
}

void stream_hub_wake(struct stream_hub *hub)
{
    wake(hub);
}

/* --- readers ------------------------------------------------------------------------------------------------------------ */

static void on_closed(ts_http_ticket ticket, void *ctx)
{
    struct reader *reader = ctx;
    struct stream_hub *hub = reader->hub;
    (void)ticket;
    reader->ticket = 0; /* freed by the next sweep: the list may be walked just now */
    if (!hub->running)
        look_again(hub, 0);
}

/* Where a reader says that it is. */
struct start {
    int64_t seq;
    bool is_ours; /* the number is one of our database */
};

/* "<store>-<seq>", or the number alone. */
static int parse_position(const struct app *app, ts_str text, struct start *ret)
{
    size_t n = text.len;
    while (n > 0 && text.ptr[n - 1] != '-')
        n--;
    const ts_str number = {text.ptr + n, text.len - n};
    if (n == 0) {
        ret->is_ours = false;
        return ts_parse_i64(number, 0, INT64_MAX, &ret->seq);
    }
    ret->is_ours = ts_str_eq((ts_str){text.ptr, n - 1}, ts_str_from(app->store_id));
    return n == 1 ? TS_E_INVALID : ts_parse_i64(number, 0, INT64_MAX, &ret->seq);
}

/*
 * The header, then `since`; *ret is left alone when there is neither. A number alone is trusted in `since` only, where somebody wrote it
 * who has just read a list; in the header it was kept over who knows what.
 */
static int read_start(struct ts_http_request *req, const struct app *app, struct start *ret,
                      const char **ret_field)
{
    struct ts_query query;
    ts_str field = TS_STR_NONE, text = ts_http_header(req, "Last-Event-ID");

    *ret_field = "Last-Event-ID";
    if (text.len > 0)
        return parse_position(app, text, ret);
    *ret_field = "since";
    int r = ts_query_parse(req->query, req->arena, &query, &field);
    if (r < 0)
        return r;
    text = ts_query_get(&query, "since");
    if (ts_str_is_none(text))
        return 0;
    r = parse_position(app, text, ret);
    if (r == 0 && ts_str_find(text, TS_STR("-")) < 0)
        ret->is_ours = true;
    return r;
}

static void reply_bad_number(struct ts_http_request *req, const char *field)
{
    char text[64];
    snprintf(text, sizeof(text), "Invalid parameter: %s", field);
    ts_http_reply_error(req, 400, text, NULL, field);
}

static void reply_unavailable(struct ts_http_request *req)
{
    static const struct ts_http_header retry[] = {{TS_STR("Retry-After"), TS_STR("5")}};
    ts_http_reply(req, &(struct ts_http_response){.status = 503,
                                                  .headers = retry,
                                                  .n_headers = 1,
                                                  .body = TS_STR("{\"error\":\"Failed to fetch signals\"}")});
}

void stream_get(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    struct stream_hub *hub = app->stream;
    struct start start = {.seq = app->seq, .is_ours = true};
    const char *field;

    if (read_start(req, app, &start, &field) < 0) {
        reply_bad_number(req, field);
        return;
    }
    struct reader *reader = app->ready ? calloc(1, sizeof(*reader)) : NULL;
    if (!reader) {
        reply_unavailable(req);
        return;
    }
    *reader =
        (struct reader){.hub = hub, .seq = start.seq, .epoch = start.is_ours ? app->epoch : app->epoch - 1};
    if (ts_http_stream(req, on_closed, reader, &reader->ticket) < 0) {
        free(reader);
        return;
    }
    reader->next = hub->readers;
    hub->readers = reader;
    (void)ts_http_stream_send(app->service->server, reader->ticket, TS_STR(":\n\n"));
    wake(hub);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

struct stream_hub *stream_hub_new(struct app *app)
{
    struct stream_hub *hub = TS_ARENA_NEW(app->service->arena, struct stream_hub);
    if (!hub)
        return NULL;
    hub->app = app;
    hub->job = (struct ts_read_job){.run = run_page, .done = on_page};
    hub->json.max_bytes = PAGE_BUFFER_BYTES;
    uv_timer_init(app->service->loop, &hub->timer);
    hub->timer.data = hub;
    return hub;
}

void stream_hub_stop(struct stream_hub *hub)
{
    if (hub->stopped)
        return;
    hub->stopped = true;
    uv_close((uv_handle_t *)&hub->timer, NULL);
}

void stream_hub_done(struct stream_hub *hub)
{
    for (struct reader *reader = hub->readers; reader; reader = reader->next)
        reader->ticket = 0;
    sweep(hub);
    ts_buf_done(&hub->json);
}
