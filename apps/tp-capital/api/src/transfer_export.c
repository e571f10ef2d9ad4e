/* `export`: all rows of a table as CSV or JSON lines, such that `import` takes them. Reads only, so the service may run meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/jsonw.h"
#include "config.h"
#include "store_transfer.h"
#include "transfer_verbs.h"

#define EXIT_USAGE   64
#define PAGE_ROWS    1000
#define BUFFER_BYTES (4 * TRANSFER_MAX_BYTES)

/* Beyond this a JSON number, which is a double to many, loses its last place: then it is a string. */
#define EXACT_E6 (INT64_C(1) << 53)

struct export
{
    const struct transfer_layout *layout;
    bool csv;
    FILE *out;
    struct ts_buf line;
    int64_t rows;
    int64_t last_id;
    char last_text_id[4 * 100 + 1];
    size_t last_text_len;
    int64_t page_rows;
};

/* --- cells -------------------------------------------------------------------------------------------------------------- */

static void put_value_text(struct ts_buf *buf, const struct transfer_column *column, const struct ts_row *row,
                           int c)
{
    switch (column->type) {
    case TRANSFER_INT:
        ts_buf_i64(buf, ts_row_int(row, c));
        break;
    case TRANSFER_TIME:
        transfer_put_time(buf, ts_row_time(row, c));
        break;
    case TRANSFER_PRICE:
        ts_buf_e6(buf, ts_row_price(row, c));
        break;
    case TRANSFER_BOOL:
        ts_buf_cstr(buf, ts_row_bool(row, c) ? "true" : "false");
        break;
    default:
        ts_buf_str(buf, ts_row_text(row, c));
    }
}

/* RFC 4180; null is an empty field without quotes, an empty text one with them. */
static void put_csv(struct ts_buf *buf, const struct transfer_column *column, const struct ts_row *row, int c)
{
    if (column->type != TRANSFER_TEXT && column->type != TRANSFER_PRICES) {
        put_value_text(buf, column, row, c);
        return;
    }
    ts_str text = ts_row_text(row, c);
    ts_buf_char(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            ts_buf_char(buf, '"');
        ts_buf_char(buf, text.ptr[i]);
    }
    ts_buf_char(buf, '"');
}

static void put_json(struct ts_jsonw *w, const struct transfer_column *column, const struct ts_row *row,
                     int c)
{
    _cleanup_(ts_buf_done) struct ts_buf text = TS_BUF_INIT(128);
    if (column->type == TRANSFER_INT) {
        ts_jsonw_id(w, ts_row_int(row, c));
    } else if (column->type == TRANSFER_BOOL) {
        ts_jsonw_bool(w, ts_row_bool(row, c));
    } else if (column->type == TRANSFER_PRICE && ts_row_price(row, c) < EXACT_E6) {
        ts_jsonw_e6(w, ts_row_price(row, c));
    } else if (column->type == TRANSFER_TEXT || column->type == TRANSFER_PRICES) {
        ts_jsonw_str(w, ts_row_text(row, c));
    } else {
        put_value_text(&text, column, row, c);
        ts_jsonw_str(w, ts_buf_view(&text));
    }
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static void put_csv_row(struct export *export, const struct ts_row *row)
{
    int c = 0;
    for (size_t i = 0; i < export->layout->n; i++) {
        if (export->layout->columns[i].use == TRANSFER_IMPORT_ONLY)
            continue;
        if (c > 0)
            ts_buf_char(&export->line, ',');
        if (!ts_row_is_null(row, c))
            put_csv(&export->line, &export->layout->columns[i], row, c);
        c++;
    }
    ts_buf_cstr(&export->line, "\r\n");
}

static void put_json_row(struct export *export, const struct ts_row *row)
{
    struct ts_jsonw w = ts_jsonw_begin(&export->line);
    int c = 0;
    ts_jsonw_object(&w);
    for (size_t i = 0; i < export->layout->n; i++) {
        if (export->layout->columns[i].use == TRANSFER_IMPORT_ONLY)
            continue;
        ts_jsonw_key(&w, export->layout->columns[i].name);
        if (ts_row_is_null(row, c))
            ts_jsonw_null(&w);
        else
            put_json(&w, &export->layout->columns[i], row, c);
        c++;
    }
    ts_jsonw_end(&w);
    ts_buf_char(&export->line, '\n');
}

static int write_line(struct export *export)
{
    int r = ts_buf_error(&export->line);
    if (r == 0 && fwrite(export->line.data, 1, export->line.len, export->out) != export->line.len)
        r = -errno;
    ts_buf_clear(&export->line);
    return r;
}

static int on_row(const struct ts_row *row, void *ctx)
{
    struct export *export = ctx;
    if (export->layout->columns[0].type == TRANSFER_INT) {
        export->last_id = ts_row_int(row, 0);
    } else {
        ts_str id = ts_row_text(row, 0);
        if (id.len >= sizeof(export->last_text_id))
            return TS_E_TOO_LONG;
        memcpy(export->last_text_id, id.ptr, id.len);
        export->last_text_len = id.len;
    }
    export->page_rows++;
    if (export->csv)
        put_csv_row(export, row);
    else
        put_json_row(export, row);
    return write_line(export);
}

static int write_header(struct export *export)
{
    for (size_t i = 0; i < export->layout->n; i++) {
        if (export->layout->columns[i].use == TRANSFER_IMPORT_ONLY)
            continue;
        if (export->line.len > 0)
            ts_buf_char(&export->line, ',');
        ts_buf_cstr(&export->line, export->layout->columns[i].name);
    }
    ts_buf_cstr(&export->line, "\r\n");
    return write_line(export);
}

/* Page by page, so that no statement takes long. */
static int write_rows(struct export *export, struct ts_db *db)
{
    struct ts_db_value after = ts_db_null();
    int r = export->csv ? write_header(export) : 0;
    do {
        export->page_rows = 0;
        if (r == 0)
            r = store_export_rows(db, export->layout, &after, PAGE_ROWS, on_row, export);
        export->rows += export->page_rows;
        after = export->layout->columns[0].type == TRANSFER_INT
                    ? ts_db_int(export->last_id)
                    : ts_db_text((ts_str){export->last_text_id, export->last_text_len});
    } while (r == 0 && export->page_rows == PAGE_ROWS);
    return r;
}

/* --- the command -------------------------------------------------------------------------------------------------------- */

struct arguments {
    const struct transfer_layout *layout;
    bool csv;
    const char *path; /* NULL = standard output */
};

static int read_arguments(int argc, char **argv, struct arguments *ret)
{
    struct arguments a = {0};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--table") == 0 && more) {
            a.layout = transfer_find_layout(argv[++i]);
        } else if (strcmp(argv[i], "--format") == 0 && more) {
            a.csv = strcmp(argv[++i], "csv") == 0;
            if (!a.csv && strcmp(argv[i], "jsonl") != 0)
                return TS_E_INVALID;
        } else if (argv[i][0] == '-' || a.path) {
            return TS_E_INVALID;
        } else {
            a.path = argv[i];
        }
    }
    *ret = a;
    return a.layout ? 0 : TS_E_INVALID;
}

/* A file appears when it is whole. */
static int write_file(struct export *export, struct ts_db *db, const char *path)
{
    char part[4096];
    if (!path) {
        export->out = stdout;
        int r = write_rows(export, db);
        return r < 0 ? r : fflush(stdout) == 0 ? 0 : -errno;
    }
    if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
        return -ENAMETOOLONG;
    export->out = fopen(part, "we");
    if (!export->out)
        return -errno;
    int r = write_rows(export, db);
    if (r == 0 && (fflush(export->out) != 0 || fsync(fileno(export->out)) < 0))
        r = -errno;
    if (fclose(export->out) != 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(part, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(part);
    return r;
}

int export_verb(struct ts_service *service, int argc, char **argv)
{
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    struct export export = {.line = TS_BUF_INIT(BUFFER_BYTES)};
    struct arguments arguments;
    struct ts_db_options options;
    struct ts_db_error detail = {0};

    if (read_arguments(argc, argv, &arguments) < 0) {
        fputs("usage: export " EXPORT_HELP "\n", stderr);
        return EXIT_USAGE;
    }
    export.layout = arguments.layout;
    export.csv = arguments.csv;
    int r = api_config_database(service->config, service->arena, &options);
    options.read_only = true;
    options.ret_error = &detail;
    if (r == 0)
        r = ts_db_open(&options, &db);
    if (r == 0)
        r = write_file(&export, db, arguments.path);
    ts_buf_done(&export.line);
    if (r < 0) {
        fprintf(stderr, "export: %s %s\n", ts_error_text(r), db ? ts_db_error(db)->message : detail.message);
        return 1;
    }
    fprintf(stderr, "%lld rows\n", (long long)export.rows);
    return 0;
}
