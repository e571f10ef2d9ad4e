#include "list.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"

struct list {
    struct ts_read_job job;
    struct app *app;
    ts_http_ticket ticket;
    list_put_fn put;
    struct ts_buf body;
    alignas(max_align_t) unsigned char args[];
};

static int run_list(struct ts_read_job *job, struct ts_db *db)
{
    struct list *list = TS_CONTAINER_OF(job, struct list, job);
    ts_buf_clear(&list->body);
    struct ts_jsonw w = ts_jsonw_begin(&list->body);
    ts_jsonw_object(&w);
    int r = list->put(&w, db, list->args);
    ts_jsonw_end(&w);
    return r < 0 ? r : ts_buf_error(&list->body);
}

static void on_listed(struct ts_read_job *job, int result)
{
    struct list *list = TS_CONTAINER_OF(job, struct list, job);
    struct ts_http_server *server = list->app->service->server;
    if (result < 0) {
        ts_log_error("Failed to read a list", TS_F_ERR(result),
                     TS_F_CSTR("detail", job->error_detail.message));
        ts_http_answer(server, list->ticket, &app_unavailable);
    } else {
        ts_http_answer(server, list->ticket, &(struct ts_http_response){.body_take = &list->body});
    }
    ts_buf_done(&list->body);
    free(list);
}

void list_start(struct ts_http_request *req, struct app *app, list_put_fn put, const void *args, size_t size)
{
    struct list *list = app->ready ? calloc(1, sizeof(*list) + size) : NULL;
    if (!list) {
        ts_http_reply(req, &app_unavailable);
        return;
    }
    list->job = (struct ts_read_job){.run = run_list, .done = on_listed};
    list->app = app;
    list->put = put;
    list->body.max_bytes = 3 * TS_MAX_RESPONSE_BYTES;
    if (size > 0)
        memcpy(list->args, args, size);
    if (ts_reader_submit(app->readers, &list->job) < 0) {
        free(list);
        ts_http_reply(req, &app_unavailable);
        return;
    }
    list->ticket = ts_http_park(req);
}

void list_put_now(struct ts_jsonw *w)
{
    ts_jsonw_key_time(w, "timestamp", ts_clock_wall_us());
}

void list_put_id(struct ts_jsonw *w, const char *key, int64_t id)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%lld", (long long)id);
    ts_jsonw_key_str(w, key, ts_str_from(digits));
}

void list_put_time(struct ts_jsonw *w, const char *key, const struct ts_row *row, int column)
{
    ts_jsonw_key(w, key);
    if (ts_row_is_null(row, column))
        ts_jsonw_null(w);
    else
        ts_jsonw_time(w, ts_row_time(row, column));
}

void list_refuse_parameter(struct ts_http_request *req, ts_str name)
{
    char cut[64], text[96];
    snprintf(cut, sizeof(cut), "%.*s", TS_STR_ARG(ts_utf8_truncate(name, sizeof(cut) - 1)));
    snprintf(text, sizeof(text), "Invalid parameter: %s", cut);
    ts_http_reply_error(req, 400, text, NULL, cut);
}
