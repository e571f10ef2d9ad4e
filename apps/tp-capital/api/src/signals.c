/*
 * GET /signals and GET /signals/{id}. The statement runs and the answer is written on a reader thread; the loop only hands it over.
 *
 * The answer of the list depends on the query and on `seq` alone, so its ETag is made of both, and an answer that is still true
 * is taken from the cache or, when the client has it, not sent at all (304).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/number.h"
#include "cache.h"
#include "list.h"
#include "page.h"
#include "routes.h"
#include "row_json.h"
#include "signals_query.h"
#include "stream.h"

#define JOB_ARENA_BYTES (256 * 1024)
#define ETAG_SIZE       64

/* The longest row is far shorter than what is left beyond PAGE_BYTES. */
#define PAGE_BUFFER_BYTES (PAGE_BYTES + 1024 * 1024)

static void reply_failed(struct ts_http_request *req)
{
    static const struct ts_http_header retry[] = {{TS_STR("Retry-After"), TS_STR("5")}};
    ts_http_reply(req, &(struct ts_http_response){.status = 503,
                                                  .headers = retry,
                                                  .n_headers = 1,
                                                  .body = TS_STR("{\"error\":\"Failed to fetch signals\"}")});
}

/* --- list: the job ------------------------------------------------------------------------------------------------------ */

struct list_job {
    struct ts_read_job job;
    struct ts_arena *arena; /* holds this too */
    struct app *app;
    ts_http_ticket ticket;
    struct signals_query query;
    ts_str if_none_match;
    unsigned epoch; /* of the numbers when it was asked for */
    struct store_head head;
    struct ts_buf body;
};

static void list_job_free(struct list_job *list)
{
    ts_buf_done(&list->body);
    ts_arena_free(list->arena);
}

static int on_row(const struct store_signal *row, void *ctx)
{
    struct page *page = ctx;
    if (page_takes(page, row->ts_us, row->id))
        row_json_signal(page->w, row);
    return ts_buf_error(page->w->buf);
}

/* `position` is where a stream begins; it says which database its number belongs to. */
static void put_position(struct ts_jsonw *w, const struct store_head *head)
{
    char position[STREAM_POSITION_SIZE];
    stream_format_position(head->store_id, head->last_seq, position);
    ts_jsonw_key_i64(w, "seq", head->last_seq);
    ts_jsonw_key_str(w, "position", ts_str_from(position));
}

static void put_total(struct ts_jsonw *w, int64_t total)
{
    ts_jsonw_key_i64(w, "total", TS_MIN(total, SIGNALS_COUNT_MAX));
    if (total > SIGNALS_COUNT_MAX)
        ts_jsonw_key_bool(w, "totalIsMinimum", true);
}

/* On a reader thread. */
static int run_list(struct ts_read_job *job, struct ts_db *db)
{
    struct list_job *list = TS_CONTAINER_OF(job, struct list_job, job);
    struct store_filter filter = list->query.filter;
    struct ts_jsonw w = ts_jsonw_begin(&list->body);
    struct page page = {.w = &w, .limit = filter.limit};
    int64_t total = 0;

    filter.limit++;
    ts_buf_clear(&list->body);
    ts_jsonw_object(&w);
    ts_jsonw_key(&w, "data");
    ts_jsonw_array(&w);
    int r = store_list_signals(db, &filter, on_row, &page, &list->head);
    if (r == 0 && list->query.count)
        r = store_count_signals(db, &filter, SIGNALS_COUNT_MAX, &total);
    if (r < 0)
        return r;
    ts_jsonw_end(&w);
    page_put_cursor(&page);
    put_position(&w, &list->head);
    if (list->query.count)
        put_total(&w, total);
    ts_jsonw_end(&w);
    return ts_buf_error(&list->body);
}

/* --- list: answers ------------------------------------------------------------------------------------------------------ */

/* Database, program, question, and the number of the last change. */
static void format_etag(const char *store_id, ts_str key, int64_t seq, char out[ETAG_SIZE])
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a: tells questions apart, keeps no secret */
    const ts_str parts[] = {ts_str_from(store_id), TS_STR(TS_VERSION " " TS_COMMIT " "), key};
    for (size_t p = 0; p < TS_ARRAY_LEN(parts); p++)
        for (size_t i = 0; i < parts[p].len; i++)
            hash = (hash ^ (unsigned char)parts[p].ptr[i]) * UINT64_C(1099511628211);
    snprintf(out, ETAG_SIZE, "\"%016llx-%lld\"", (unsigned long long)hash, (long long)seq);
}

/* RFC 9110 13.1.2: a list of validators, compared weakly, or `*`. */
static bool etag_matches(ts_str if_none_match, ts_str etag)
{
    ts_str rest = if_none_match, piece;
    while (ts_str_split(&rest, ',', &piece)) {
        if (ts_str_starts_with(piece, TS_STR("W/")))
            piece = (ts_str){piece.ptr + 2, piece.len - 2};
        if (ts_str_eq(piece, etag) || ts_str_eq(piece, TS_STR("*")))
            return true;
    }
    return false;
}

/* 200 with the body, or 304 when the client has it. `etag` must outlive *ret's use. */
static void make_response(ts_str etag, ts_str if_none_match, struct ts_http_header headers[2],
                          struct ts_http_response *ret)
{
    headers[0] = (struct ts_http_header){TS_STR("ETag"), etag};
    headers[1] = (struct ts_http_header){TS_STR("Cache-Control"), TS_STR("no-cache")};
    *ret = (struct ts_http_response){.headers = headers, .n_headers = 2};
    if (etag_matches(if_none_match, etag))
        ret->status = 304;
}

static void on_listed(struct ts_read_job *job, int result)
{
    struct list_job *list = TS_CONTAINER_OF(job, struct list_job, job);
    struct app *app = list->app;
    struct ts_http_header headers[2];
    struct ts_http_response response;
    char etag[ETAG_SIZE];

    if (result < 0) {
        ts_log_error("Failed to fetch signals", TS_F_ERR(result),
                     TS_F_CSTR("detail", job->error_detail.message));
        ts_http_answer_error(app->service->server, list->ticket, 503, "Failed to fetch signals", NULL, NULL);
        list_job_free(list);
        return;
    }
    if (list->epoch == app->epoch && strcmp(list->head.store_id, app->store_id) == 0)
        cache_put(app->cache, list->query.key, list->head.last_seq, ts_buf_view(&list->body));
    format_etag(list->head.store_id, list->query.key, list->head.last_seq, etag);
    make_response(ts_str_from(etag), list->if_none_match, headers, &response);
    if (response.status != 304)
        response.body_take = &list->body;
    ts_http_answer(app->service->server, list->ticket, &response);
    list_job_free(list);
}

/* Without asking the database: what the client or the cache has is still true. False when that is not so. */
static bool answer_known(struct app *app, struct ts_http_request *req, const struct signals_query *query)
{
    struct ts_http_header headers[2];
    struct ts_http_response response;
    char etag[ETAG_SIZE];
    int64_t seq = app->seq;

    if (!app->seq_is_current)
        return false;
    ts_str body = cache_get(app->cache, query->key, app->seq, &seq);
    format_etag(app->store_id, query->key, seq, etag);
    make_response(ts_str_from(etag), ts_http_header(req, "If-None-Match"), headers, &response);
    if (response.status != 304 && ts_str_is_none(body))
        return false;
    if (response.status != 304)
        response.body = body;
    ts_http_reply(req, &response);
    return true;
}

/* A job with its own copy of everything it needs: the request may be gone before it ends. NULL when out of memory. */
static struct list_job *list_job_new(struct app *app)
{
    struct ts_arena *arena = ts_arena_new(JOB_ARENA_BYTES);
    struct list_job *list = arena ? TS_ARENA_NEW(arena, struct list_job) : NULL;
    if (!list) {
        ts_arena_free(arena);
        return NULL;
    }
    list->arena = arena;
    list->app = app;
    list->epoch = app->epoch;
    list->job.run = run_list;
    list->job.done = on_listed;
    list->body.max_bytes = PAGE_BUFFER_BYTES;
    return list;
}

static int copy_query(struct list_job *list, const struct ts_http_request *req, ts_str *ret_field)
{
    ts_str raw;
    int r = ts_arena_dup(list->arena, req->query, &raw);
    if (r == 0)
        r = ts_arena_dup(list->arena, ts_http_header(req, "If-None-Match"), &list->if_none_match);
    return r < 0 ? r : signals_query_parse(raw, list->arena, &list->query, ret_field);
}

void signals_list(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    struct list_job *list = list_job_new(app);
    ts_str field = TS_STR_NONE;

    int r = list ? copy_query(list, req, &field) : -ENOMEM;
    if (r == 0 && answer_known(app, req, &list->query)) {
        list_job_free(list);
        return;
    }
    if (r == 0 && app->ready && ts_reader_submit(app->readers, &list->job) == 0) {
        list->ticket = ts_http_park(req);
        return;
    }
    if (r == TS_E_INVALID)
        list_refuse_parameter(req, field);
    else
        reply_failed(req);
    if (list)
        list_job_free(list);
}

/* --- one signal --------------------------------------------------------------------------------------------------------- */

struct detail_job {
    struct ts_read_job job;
    struct app *app;
    ts_http_ticket ticket;
    int64_t id;
    struct ts_buf body;
};

/* The answer as its parts come. */
struct detail {
    struct ts_jsonw w;
    struct ts_arena *arena;
    int64_t channel_id, message_id, revision;
    ts_str text;
    ts_str media_type, request_id; /* of the version that is shown */
    int64_t received_at_us;
};

static int on_signal(const struct store_signal *row, void *ctx)
{
    struct detail *detail = ctx;
    ts_jsonw_key(&detail->w, "data");
    row_json_signal(&detail->w, row);
    detail->channel_id = row->channel_id;
    detail->message_id = row->message_id;
    detail->revision = row->revision;
    return ts_arena_dup(detail->arena, row->raw_message, &detail->text);
}

static void put_time_or_null(struct ts_jsonw *w, const char *key, int64_t time_us)
{
    ts_jsonw_key(w, key);
    if (time_us == MESSAGE_NO_TIME)
        ts_jsonw_null(w);
    else
        ts_jsonw_time(w, time_us);
}

static int on_version(const struct store_version *version, void *ctx)
{
    struct detail *detail = ctx;
    struct ts_jsonw *w = &detail->w;
    ts_jsonw_object(w);
    ts_jsonw_key_id(w, "revision", version->revision);
    ts_jsonw_key_str(w, "text", version->text);
    ts_jsonw_key_time(w, "ts", version->ts_us);
    put_time_or_null(w, "edited_at", version->edited_at_us);
    ts_jsonw_key_bool(w, "deleted", version->revision == MESSAGE_DELETED);
    ts_jsonw_key_time(w, "ingested_at", version->ingested_at_us);
    ts_jsonw_end(w);
    if (version->revision != detail->revision)
        return 0;
    detail->received_at_us = version->received_at_us;
    int r = ts_arena_dup(detail->arena, version->media_type, &detail->media_type);
    return r < 0 ? r : ts_arena_dup(detail->arena, version->request_id, &detail->request_id);
}

static int put_explanation(struct detail *detail)
{
    struct signal signal;
    struct signal_explanation explanation;
    int r = signal_parse(detail->text, &signal, &explanation);
    if (r < 0)
        return r;
    ts_jsonw_key(&detail->w, "explanation");
    row_json_explanation(&detail->w, detail->text, &explanation);
    return 0;
}

static int put_detail(struct detail *detail, struct ts_db *db, int64_t id)
{
    struct ts_jsonw *w = &detail->w;
    ts_jsonw_object(w);
    int r = store_get_signal(db, id, on_signal, detail);
    if (r < 0)
        return r;
    ts_jsonw_key(w, "versions");
    ts_jsonw_array(w);
    r = store_list_versions(db, detail->channel_id, detail->message_id, on_version, detail);
    if (r < 0)
        return r;
    ts_jsonw_end(w);
    ts_jsonw_key(w, "message");
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "text", detail->text);
    ts_jsonw_key_str(w, "media_type", detail->media_type);
    put_time_or_null(w, "received_at", detail->received_at_us);
    ts_jsonw_key_str(w, "request_id", detail->request_id);
    ts_jsonw_end(w);
    r = put_explanation(detail);
    ts_jsonw_end(w);
    return r < 0 ? r : ts_buf_error(w->buf);
}

static int run_detail(struct ts_read_job *job, struct ts_db *db)
{
    struct detail_job *self = TS_CONTAINER_OF(job, struct detail_job, job);
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(JOB_ARENA_BYTES);
    struct detail detail = {
        .w = ts_jsonw_begin(&self->body), .arena = arena, .received_at_us = MESSAGE_NO_TIME};

    ts_buf_clear(&self->body);
    return arena ? put_detail(&detail, db, self->id) : -ENOMEM;
}

static void on_detailed(struct ts_read_job *job, int result)
{
    struct detail_job *self = TS_CONTAINER_OF(job, struct detail_job, job);
    struct ts_http_server *server = self->app->service->server;

    if (result == 0) {
        ts_http_answer(server, self->ticket, &(struct ts_http_response){.body_take = &self->body});
    } else if (result == TS_E_NOT_FOUND) {
        ts_http_answer_error(server, self->ticket, 404, "Signal not found", NULL, NULL);
    } else {
        ts_log_error("Failed to fetch signals", TS_F_ERR(result),
                     TS_F_CSTR("detail", job->error_detail.message));
        ts_http_answer_error(server, self->ticket, 503, "Failed to fetch signals", NULL, NULL);
    }
    ts_buf_done(&self->body);
    free(self);
}

void signals_get(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    int64_t id;

    if (ts_parse_i64(req->params[0], 0, INT64_MAX, &id) < 0) {
        list_refuse_parameter(req, TS_STR("id"));
        return;
    }
    struct detail_job *self = app->ready ? calloc(1, sizeof(*self)) : NULL;
    if (!self) {
        reply_failed(req);
        return;
    }
    *self = (struct detail_job){.job = {.run = run_detail, .done = on_detailed},
                                .app = app,
                                .id = id,
                                .body = TS_BUF_INIT(TS_MAX_RESPONSE_BYTES)};
    if (ts_reader_submit(app->readers, &self->job) < 0) {
        free(self);
        reply_failed(req);
        return;
    }
    self->ticket = ts_http_park(req);
}
