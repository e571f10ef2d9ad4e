#include "statistics.h"

#include <errno.h>

#include "answers.h"
#include "app.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/zone.h"
#include "cache.h"
#include "counts.h"
#include "routes.h"
#include "signals_query.h"

#define JOB_ARENA_BYTES (16 * 1024 * 1024)
#define DAYS_BEFORE_TO  29 /* without `from` */
#define US_PER_MINUTE   (60 * TS_US_PER_S)

struct question {
    struct ts_read_job job;
    struct ts_arena *arena; /* holds this too */
    struct app *app;
    ts_http_ticket ticket;
    ts_str key; /* in the cache */
    unsigned epoch;
    struct store_filter filter;
    int64_t days[COUNTS_MAX_DAYS + 1];
    size_t n_days;
    struct store_head head;
    struct ts_buf body;
    struct question *next;
};

struct statistics {
    struct question *running;
    struct question *first, *last; /* waiting */
    size_t n_waiting;
};

struct statistics *statistics_new(struct app *app)
{
    return TS_ARENA_NEW(app->service->arena, struct statistics);
}

static void question_free(struct question *question)
{
    ts_buf_done(&question->body);
    ts_arena_free(question->arena);
}

/* --- counting, on a reader thread --------------------------------------------------------------------------------------- */

static void put_body(struct question *question, struct counts *counts)
{
    struct ts_jsonw w = ts_jsonw_begin(&question->body);
    ts_jsonw_object(&w);
    ts_jsonw_key_time(&w, "from", question->filter.from_us);
    ts_jsonw_key_time(&w, "to", question->filter.to_us);
    ts_jsonw_key_str(&w, "timezone", question->app->config->time_zone);
    ts_jsonw_key_i64(&w, "seq", question->head.last_seq);
    counts_write(counts, &w);
    ts_jsonw_end(&w);
}

/* The head first: what is committed after it may be counted, but the answer does not claim to reflect it. */
static int run_count(struct ts_read_job *job, struct ts_db *db)
{
    struct question *question = TS_CONTAINER_OF(job, struct question, job);
    struct counts *counts = counts_new(question->arena, question->days, question->n_days);

    if (!counts)
        return -ENOMEM;
    int r = store_read_head(db, &question->head);
    if (r == 0)
        r = store_count_groups(db, &question->filter, question->days, question->n_days, counts_add, counts);
    if (r < 0)
        return r;
    put_body(question, counts);
    return ts_buf_error(&question->body);
}

/* --- one at a time ------------------------------------------------------------------------------------------------------ */

static const struct ts_http_header no_cache[] = {{TS_STR("Cache-Control"), TS_STR("no-cache")}};

static ts_str known_answer(struct app *app, ts_str key)
{
    int64_t seq;
    return app->seq_is_current ? cache_get(app->cache, key, app->seq, &seq) : TS_STR_NONE;
}

static void answer(struct question *question, ts_str body)
{
    ts_http_answer(question->app->service->server, question->ticket,
                   &(struct ts_http_response){.headers = no_cache, .n_headers = 1, .body = body});
}

static void start_next(struct statistics *statistics)
{
    while (!statistics->running && statistics->first) {
        struct question *question = statistics->first;
        struct app *app = question->app;
        statistics->first = question->next;
        statistics->n_waiting--;
        ts_str known = known_answer(app, question->key);
        if (!ts_str_is_none(known)) {
            answer(question, known);
            question_free(question);
        } else if (ts_reader_submit(app->readers, &question->job) == 0) {
            statistics->running = question;
        } else {
            ts_http_answer(app->service->server, question->ticket, &answer_unavailable);
            question_free(question);
        }
    }
}

static void on_counted(struct ts_read_job *job, int result)
{
    struct question *question = TS_CONTAINER_OF(job, struct question, job);
    struct app *app = question->app;

    if (result < 0) {
        ts_log_error("Failed to count signals", TS_F_ERR(result),
                     TS_F_CSTR("detail", job->error_detail.message));
        ts_http_answer(app->service->server, question->ticket, &answer_unavailable);
    } else {
        if (question->epoch == app->epoch && strcmp(question->head.store_id, app->store_id) == 0)
            cache_put(app->cache, question->key, question->head.last_seq, ts_buf_view(&question->body));
        answer(question, ts_buf_view(&question->body));
    }
    app->statistics->running = NULL;
    question_free(question);
    start_next(app->statistics);
}

/* --- the request -------------------------------------------------------------------------------------------------------- */

static void set_range(struct store_filter *filter, int64_t now_us)
{
    if (filter->to_us == INT64_MAX)
        filter->to_us = now_us;
    if (filter->from_us != INT64_MIN)
        return;
    filter->from_us = ts_zone_day_start(filter->to_us);
    for (int n = 0; n < DAYS_BEFORE_TO; n++)
        filter->from_us = ts_zone_day_start(filter->from_us - 1);
}

static int parse(struct question *question, const struct ts_http_request *req, ts_str *ret_field)
{
    const int64_t now_us = ts_clock_wall_us();
    struct signals_query query;
    ts_str raw;

    int r = ts_arena_dup(question->arena, req->query, &raw);
    if (r == 0)
        r = signals_query_parse_filters(raw, question->arena, &query, ret_field);
    if (r == 0)
        r = ts_arena_printf(question->arena, &question->key, "statistics %lld %.*s",
                            (long long)(now_us / US_PER_MINUTE), TS_STR_ARG(query.key));
    if (r < 0)
        return r;
    question->filter = query.filter;
    set_range(&question->filter, now_us);
    r = counts_days(question->filter.from_us, question->filter.to_us, question->days);
    if (r < 0) {
        *ret_field = TS_STR("from");
        return TS_E_INVALID;
    }
    question->n_days = (size_t)r;
    return 0;
}

static struct question *question_new(struct app *app)
{
    struct ts_arena *arena = ts_arena_new(JOB_ARENA_BYTES);
    struct question *question = arena ? TS_ARENA_NEW(arena, struct question) : NULL;
    if (!question) {
        ts_arena_free(arena);
        return NULL;
    }
    question->arena = arena;
    question->app = app;
    question->epoch = app->epoch;
    question->job = (struct ts_read_job){.run = run_count, .done = on_counted};
    question->body.max_bytes = TS_MAX_RESPONSE_BYTES;
    return question;
}

/* The question is taken over when it may wait. */
static bool wait_for_turn(struct ts_http_request *req, struct question *question)
{
    struct app *app = question->app;
    struct statistics *statistics = app->statistics;

    if (!app->ready || statistics->n_waiting >= STATISTICS_MAX_WAITING)
        return false;
    question->ticket = ts_http_park(req);
    if (question->ticket == 0)
        return false;
    if (statistics->first)
        statistics->last->next = question;
    else
        statistics->first = question;
    statistics->last = question;
    statistics->n_waiting++;
    start_next(statistics);
    return true;
}

void statistics_get(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    struct question *question = question_new(app);
    ts_str field = TS_STR_NONE;

    int r = question ? parse(question, req, &field) : -ENOMEM;
    ts_str known = r == 0 ? known_answer(app, question->key) : TS_STR_NONE;
    if (!ts_str_is_none(known))
        ts_http_reply(req, &(struct ts_http_response){.headers = no_cache, .n_headers = 1, .body = known});
    else if (r == 0 && wait_for_turn(req, question))
        return;
    else if (r == TS_E_INVALID)
        answer_bad_parameter(req, field);
    else
        ts_http_reply(req, &answer_unavailable);
    if (question)
        question_free(question);
}
