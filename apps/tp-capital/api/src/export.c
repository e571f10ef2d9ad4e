#include "export.h"

#include <errno.h>

#include "answers.h"
#include "app.h"
#include "base/error.h"
#include "base/log.h"
#include "http/query.h"
#include "routes.h"
#include "row_json.h"
#include "signals_query.h"
#include "spreadsheet.h"

#define JOB_ARENA_BYTES (64 * 1024)
#define PAGE_ROWS       200
#define PAGE_BYTES \
    (64 * 1024) /* no further row is begun beyond this; what a client has the write timeout for */
#define PAGE_BUFFER_BYTES (1024 * 1024) /* and room for the longest row */

enum format { FORMAT_CSV, FORMAT_JSON, FORMAT_JSONL };

static const struct {
    const char *name, *content_type;
    struct ts_http_header headers[2];
} formats[] = {
    [FORMAT_CSV] = {"csv",
                    "text/csv; charset=utf-8",
                    {{TS_STR("Content-Disposition"),
                      TS_STR("attachment; filename=\"tp-capital-signals.csv\"")},
                     {TS_STR("Cache-Control"), TS_STR("no-store")}}},
    [FORMAT_JSON] = {"json",
                     "application/json",
                     {{TS_STR("Content-Disposition"),
                       TS_STR("attachment; filename=\"tp-capital-signals.json\"")},
                      {TS_STR("Cache-Control"), TS_STR("no-store")}}},
    [FORMAT_JSONL] = {"jsonl",
                      "application/x-ndjson",
                      {{TS_STR("Content-Disposition"),
                        TS_STR("attachment; filename=\"tp-capital-signals.jsonl\"")},
                       {TS_STR("Cache-Control"), TS_STR("no-store")}}},
};

static const char *const languages[] = {[SPREADSHEET_PT_BR] = "pt-BR", [SPREADSHEET_EN] = "en"};

struct export_job {
    struct ts_read_job job;
    struct ts_arena *arena; /* holds this too */
    struct app *app;
    ts_http_ticket ticket;
    enum format format;
    enum spreadsheet_language language;
    struct store_filter filter; /* with the cursor of the next page */
    bool is_begun;              /* the header was sent, or is on its way */
    bool is_reading;            /* the job is with the readers */
    bool is_gone;               /* nobody waits for it any more */
    bool is_last;               /* the page is the last */
    int64_t n_rows;             /* before the page */
    struct ts_buf page;
    int64_t page_rows;
};

static void export_free(struct export_job *export)
{
    export->app->n_exports--;
    ts_buf_done(&export->page);
    ts_arena_free(export->arena);
}

/* --- a page, on a reader thread ----------------------------------------------------------------------------------------- */

static void put_row(struct export_job *export, const struct store_signal *row)
{
    struct ts_buf *out = &export->page;
    struct ts_jsonw w = ts_jsonw_begin(out);

    if (export->format == FORMAT_CSV) {
        spreadsheet_put_row(out, export->language, row);
        return;
    }
    if (export->format == FORMAT_JSON && export->n_rows + export->page_rows > 0)
        ts_buf_char(out, ',');
    row_json_signal(&w, row);
    if (export->format == FORMAT_JSONL)
        ts_buf_char(out, '\n');
}

/* The row that has no room any more, or comes after PAGE_ROWS, is the first of the next page. */
static int on_row(const struct store_signal *row, void *ctx)
{
    struct export_job *export = ctx;
    if (export->page_rows == PAGE_ROWS || export->page.len > PAGE_BYTES)
        export->is_last = false;
    if (!export->is_last)
        return 0;
    put_row(export, row);
    export->page_rows++;
    export->filter.before_ts_us = row->ts_us;
    export->filter.before_id = row->id;
    return ts_buf_error(&export->page);
}

static int run_page(struct ts_read_job *job, struct ts_db *db)
{
    struct export_job *export = TS_CONTAINER_OF(job, struct export_job, job);
    struct store_filter filter = export->filter;
    struct store_head head;

    export->is_last = true;
    if (!export->is_begun && export->format == FORMAT_CSV)
        spreadsheet_put_head(&export->page, export->language);
    else if (!export->is_begun && export->format == FORMAT_JSON)
        ts_buf_cstr(&export->page, "{\"data\":[");
    int r = store_list_signals(db, &filter, on_row, export, &head);
    if (r < 0)
        return r;
    if (export->is_last && export->format == FORMAT_JSON)
        ts_buf_cstr(&export->page, "]}\n");
    return ts_buf_error(&export->page);
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static void on_more(ts_http_ticket ticket, void *ctx);
static void on_closed(ts_http_ticket ticket, void *ctx);

/* A page is sent once it is read and the client is ready for it. */
static void send_page(struct export_job *export)
{
    export->n_rows += export->page_rows;
    export->page_rows = 0;
    (void)ts_http_answer_piece(export->app->service->server, export->ticket,
                               &export->page); /* if it is gone, `closed` comes */
}

static void give_up(struct export_job *export, int error)
{
    struct ts_http_server *server = export->app->service->server;

    ts_log_error("Failed to export signals", TS_F_ERR(error), TS_F_I64("rows", export->n_rows),
                 TS_F_CSTR("detail", export->job.error_detail.message));
    if (export->is_begun)
        ts_http_answer_abort(server, export->ticket);
    else
        ts_http_answer(server, export->ticket, &answer_failed);
    export_free(export);
}

/* The first page is there: nothing but a fault of the way can prevent the answer now. Its rows go out with the first `more`. */
static void begin(struct export_job *export)
{
    const struct ts_http_response response = {.content_type = formats[export->format].content_type,
                                              .headers = formats[export->format].headers,
                                              .n_headers = TS_ARRAY_LEN(formats[0].headers)};
    const struct ts_http_pieces pieces = {.more = on_more, .closed = on_closed, .ctx = export};

    export->is_begun = true;
    if (ts_http_answer_begin(export->app->service->server, export->ticket, &response, &pieces) < 0)
        export_free(export);
}

static void on_page(struct ts_read_job *job, int result)
{
    struct export_job *export = TS_CONTAINER_OF(job, struct export_job, job);

    export->is_reading = false;
    if (export->is_gone)
        export_free(export);
    else if (result < 0)
        give_up(export, result);
    else if (!export->is_begun)
        begin(export);
    else
        send_page(export);
}

static int read_page(struct export_job *export)
{
    export->job = (struct ts_read_job){.run = run_page, .done = on_page};
    int r = ts_reader_submit(export->app->readers, &export->job);
    export->is_reading = r == 0;
    return r;
}

static void on_more(ts_http_ticket ticket, void *ctx)
{
    struct export_job *export = ctx;

    if (export->page.len > 0) { /* the first page */
        send_page(export);
    } else if (export->is_last) {
        ts_http_answer_end(export->app->service->server, ticket);
        export_free(export);
    } else {
        int r = read_page(export);
        if (r < 0)
            give_up(export, r);
    }
}

static void on_closed(ts_http_ticket ticket, void *ctx)
{
    struct export_job *export = ctx;
    (void)ticket;
    export->is_gone = true;
    if (!export->is_reading)
        export_free(export);
}

/* --- the request -------------------------------------------------------------------------------------------------------- */

static int parse_choice(const struct ts_query *query, const char *name, const char *const *choices, size_t n,
                        int *ret)
{
    ts_str text = ts_query_get(query, name);
    *ret = 0;
    if (ts_str_is_none(text))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (ts_str_eq(text, ts_str_from(choices[i]))) {
            *ret = (int)i;
            return 0;
        }
    return TS_E_INVALID;
}

static int parse(struct export_job *export, const struct ts_http_request *req, ts_str *ret_field)
{
    const char *const names[] = {formats[FORMAT_CSV].name, formats[FORMAT_JSON].name,
                                 formats[FORMAT_JSONL].name};
    struct signals_query query;
    struct ts_query raw_query;
    int format, language;
    ts_str raw;

    int r = ts_arena_dup(export->arena, req->query, &raw);
    if (r == 0)
        r = signals_query_parse_filters(raw, export->arena, &query, ret_field);
    if (r == 0)
        r = ts_query_parse(raw, export->arena, &raw_query, ret_field);
    if (r < 0)
        return r;
    *ret_field = TS_STR("format");
    r = parse_choice(&raw_query, "format", names, TS_ARRAY_LEN(names), &format);
    if (r < 0)
        return r;
    *ret_field = TS_STR("language");
    r = parse_choice(&raw_query, "language", languages, TS_ARRAY_LEN(languages), &language);
    if (r < 0)
        return r;
    export->format = (enum format)format;
    export->language = (enum spreadsheet_language)language;
    export->filter = query.filter;
    export->filter.limit = PAGE_ROWS + 1;
    return 0;
}

static struct export_job *export_new(struct app *app)
{
    struct ts_arena *arena = ts_arena_new(JOB_ARENA_BYTES);
    struct export_job *export = arena ? TS_ARENA_NEW(arena, struct export_job) : NULL;
    if (!export) {
        ts_arena_free(arena);
        return NULL;
    }
    export->arena = arena;
    export->app = app;
    export->page.max_bytes = PAGE_BUFFER_BYTES;
    app->n_exports++;
    return export;
}

static void reply_too_many(struct ts_http_request *req)
{
    static const struct ts_http_header retry[] = {{TS_STR("Retry-After"), TS_STR("5")}};
    ts_http_reply(req, &(struct ts_http_response){.status = 503,
                                                  .headers = retry,
                                                  .n_headers = 1,
                                                  .body = TS_STR("{\"error\":\"Too many exports\"}")});
}

void export_get(struct ts_http_request *req, void *ctx)
{
    struct app *app = app_of(ctx);
    ts_str field = TS_STR_NONE;

    if (app->n_exports >= EXPORT_MAX) {
        reply_too_many(req);
        return;
    }
    struct export_job *export = export_new(app);
    int r = export ? parse(export, req, &field) : -ENOMEM;
    if (r == 0 && app->ready && read_page(export) == 0) {
        export->ticket = ts_http_park(req);
        return;
    }
    if (r == TS_E_INVALID)
        answer_bad_parameter(req, field);
    else
        ts_http_reply(req, &answer_failed);
    if (export)
        export_free(export);
}
