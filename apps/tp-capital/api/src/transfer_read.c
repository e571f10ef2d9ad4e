#include "transfer_read.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/limits.h"
#include "http/json.h"

#define BLOCK_BYTES (64 * 1024)
#define MAX_FIELDS  256 /* of a CSV's line */

struct reader {
    FILE *in;
    const struct transfer_layout *layout;
    transfer_record_fn fn;
    void *ctx;
    int result;
    int64_t line; /* that is being read */
    /* The record in the making. */
    struct transfer_record record;
    struct ts_buf text; /* its cells, one after the other */
    struct {
        size_t start, len;
        bool given;
    } cells[TRANSFER_MAX_COLUMNS];
    /* CSV */
    struct csv_parser csv;
    bool has_header;
    int columns[MAX_FIELDS]; /* of the layout; -1 = none */
    size_t n_columns, field;
};

/* --- records ------------------------------------------------------------------------------------------------------------ */

static void begin_record(struct reader *reader)
{
    ts_buf_clear(&reader->text);
    memset(reader->cells, 0, sizeof(reader->cells));
    reader->record = (struct transfer_record){.line = reader->line};
    reader->field = 0;
}

static void end_record(struct reader *reader)
{
    for (size_t i = 0; i < reader->layout->n; i++)
        reader->record.cells[i] =
            reader->cells[i].given
                ? (ts_str){ts_buf_view(&reader->text).ptr + reader->cells[i].start, reader->cells[i].len}
                : TS_STR_NONE;
    if (ts_buf_error(&reader->text))
        reader->record.problem = "too long";
    if (reader->result == 0)
        reader->result = reader->fn(&reader->record, reader->ctx);
}

/* Where the cell begins; it ends where the text does when end_cell() is called. */
static void begin_cell(struct reader *reader, size_t column)
{
    reader->cells[column].start = reader->text.len;
    reader->cells[column].given = true;
}

static void end_cell(struct reader *reader, size_t column)
{
    reader->cells[column].len = reader->text.len - reader->cells[column].start;
}

static int find_column(const struct transfer_layout *layout, ts_str name)
{
    for (size_t i = 0; i < layout->n; i++) {
        const struct transfer_column *column = &layout->columns[i];
        if (ts_str_eq(name, ts_str_from(column->name)) ||
            (column->alias && ts_str_eq(name, ts_str_from(column->alias))))
            return (int)i;
    }
    return -1;
}

/* --- CSV ---------------------------------------------------------------------------------------------------------------- */

static void on_field(void *bytes, size_t len, void *ctx)
{
    struct reader *reader = ctx;
    size_t field = reader->field++;
    ts_str text = {bytes ? bytes : "", len};
    if (!reader->has_header) {
        if (field < MAX_FIELDS)
            reader->columns[field] = find_column(reader->layout, ts_str_trim(text));
        return;
    }
    int column = field < reader->n_columns ? reader->columns[field] : -1;
    if (column < 0 || !bytes || reader->cells[column].given)
        return;
    begin_cell(reader, (size_t)column);
    ts_buf_bytes(&reader->text, bytes, len);
    end_cell(reader, (size_t)column);
}

static void take_header(struct reader *reader)
{
    bool any = false;
    reader->has_header = true;
    reader->n_columns = TS_MIN(reader->field, (size_t)MAX_FIELDS);
    for (size_t i = 0; i < reader->n_columns; i++)
        any |= reader->columns[i] >= 0;
    if (!any || reader->field > MAX_FIELDS)
        reader->result = TS_E_MISSING;
}

static void on_row(int end, void *ctx)
{
    struct reader *reader = ctx;
    (void)end;
    if (!reader->has_header) {
        take_header(reader);
    } else {
        if (reader->field != reader->n_columns)
            reader->record.problem = "another number of fields than the header";
        end_record(reader);
    }
    begin_record(reader);
    reader->record.line = reader->line + 1;
}

/* Spaces belong to a field (RFC 4180). */
static int is_no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static void *grow(void *p, size_t size)
{
    return size > TRANSFER_MAX_BYTES ? NULL : realloc(p, size);
}

static int begin_csv(struct reader *reader)
{
    if (csv_init(&reader->csv, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0)
        return -ENOMEM;
    csv_set_space_func(&reader->csv, is_no_space);
    csv_set_realloc_func(&reader->csv, grow);
    csv_set_blk_size(&reader->csv, 4096);
    return 0;
}

/* The rest of the line is skipped: the next one begins a record. */
static void refuse_csv(struct reader *reader)
{
    reader->record.problem = csv_error(&reader->csv) == CSV_EPARSE ? "broken quotes" : "too long";
    csv_free(&reader->csv);
    if (!reader->has_header)
        reader->result = TS_E_MISSING;
    else
        end_record(reader);
    if (reader->result == 0)
        reader->result = begin_csv(reader);
    begin_record(reader);
    reader->record.line = reader->line + 1;
}

/* Line by line, so that a record knows where it begins. */
static void feed_csv(struct reader *reader, const char *bytes, size_t len, bool *skip)
{
    while (len > 0 && reader->result == 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t n = end ? (size_t)(end - bytes) + 1 : len;
        if (!*skip && csv_parse(&reader->csv, bytes, n, on_field, on_row, reader) != n) {
            refuse_csv(reader);
            *skip = true;
        }
        if (end) {
            bool blank = n == 1 || (n == 2 && bytes[0] == '\r');
            if (blank && reader->field == 0 && reader->record.line == reader->line)
                reader->record.line++; /* the library passes over it */
            reader->line++;
            *skip = false;
        }
        bytes += n;
        len -= n;
    }
}

static int read_csv(struct reader *reader)
{
    _cleanup_(ts_buf_done) struct ts_buf block = TS_BUF_INIT(BLOCK_BYTES);
    char *bytes = ts_buf_reserve(&block, BLOCK_BYTES);
    bool skip = false;
    size_t n = 0;
    if (!bytes)
        return -ENOMEM;
    int r = begin_csv(reader);
    if (r < 0)
        return r;
    begin_record(reader);
    while (reader->result == 0 && (n = fread(bytes, 1, BLOCK_BYTES, reader->in)) > 0)
        feed_csv(reader, bytes, n, &skip);
    if (reader->result == 0 && !skip && csv_fini(&reader->csv, on_field, on_row, reader) != 0)
        refuse_csv(reader);
    csv_free(&reader->csv);
    return reader->result;
}

/* --- JSON lines --------------------------------------------------------------------------------------------------------- */

/* A value as its text; false for one that no column has. */
static bool put_json(struct ts_buf *out, const json_t *value)
{
    if (json_is_string(value))
        ts_buf_str(out, ts_json_str(value));
    else if (json_is_integer(value))
        ts_buf_i64(out, json_integer_value(value));
    else if (json_is_real(value))
        ts_buf_printf(out, "%.6f", json_real_value(value)); /* prices have no more places */
    else if (json_is_boolean(value))
        ts_buf_cstr(out, json_is_true(value) ? "true" : "false");
    else
        return false;
    return true;
}

/* [32.1,33] as {32.1,33} */
static bool put_json_list(struct ts_buf *out, const json_t *list)
{
    bool ok = true;
    ts_buf_char(out, '{');
    for (size_t i = 0; i < json_array_size(list) && ok; i++) {
        if (i > 0)
            ts_buf_char(out, ',');
        ok = put_json(out, json_array_get(list, i));
    }
    ts_buf_char(out, '}');
    return ok;
}

static void take_member(struct reader *reader, const json_t *object, size_t i)
{
    const struct transfer_column *column = &reader->layout->columns[i];
    const json_t *value = json_object_get(object, column->name);
    if ((!value || json_is_null(value)) && column->alias)
        value = json_object_get(object, column->alias);
    if (!value || json_is_null(value) || column->use == TRANSFER_EXPORT_ONLY)
        return;
    begin_cell(reader, i);
    bool list = json_is_array(value) && column->type == TRANSFER_PRICES;
    if (!(list ? put_json_list(&reader->text, value) : put_json(&reader->text, value)))
        reader->record.column = column->name;
    end_cell(reader, i);
}

static void take_line(struct reader *reader, const struct ts_buf *line)
{
    _cleanup_(ts_json_freep) json_t *object = NULL;
    ts_str text = ts_str_trim(ts_buf_view(line));
    if (text.len == 0 && !ts_buf_error(line))
        return;
    begin_record(reader);
    if (ts_buf_error(line))
        reader->record.problem = "too long";
    else if (ts_json_parse_object(text, TS_MAX_JSON_DEPTH, &object) < 0)
        reader->record.problem = "invalid JSON";
    for (size_t i = 0; i < reader->layout->n && object; i++)
        take_member(reader, object, i);
    end_record(reader);
}

static int read_json(struct reader *reader)
{
    _cleanup_(ts_buf_done) struct ts_buf line = TS_BUF_INIT(TRANSFER_MAX_BYTES);
    int c;
    while (reader->result == 0 && (c = getc(reader->in)) != EOF) {
        if (c != '\n') {
            ts_buf_char(&line, (char)c);
            continue;
        }
        take_line(reader, &line);
        ts_buf_clear(&line);
        reader->line++;
    }
    if (reader->result == 0)
        take_line(reader, &line);
    return reader->result;
}

/* --- the file ----------------------------------------------------------------------------------------------------------- */

/* The first byte that is no space, put back; a byte order mark is taken off. */
static int first_byte(struct reader *reader)
{
    int c = getc(reader->in);
    if (c == 0xEF) {
        (void)getc(reader->in), (void)getc(reader->in);
        c = getc(reader->in);
    }
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        reader->line += c == '\n';
        c = getc(reader->in);
    }
    if (c != EOF)
        ungetc(c, reader->in);
    return c;
}

int transfer_read(FILE *in, const struct transfer_layout *layout, transfer_record_fn fn, void *ctx)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return -ENOMEM;
    *reader = (struct reader){
        .in = in, .layout = layout, .fn = fn, .ctx = ctx, .line = 1, .text = TS_BUF_INIT(TRANSFER_MAX_BYTES)};
    int c = first_byte(reader), r = 0;
    if (c == '{')
        r = read_json(reader);
    else if (c != EOF)
        r = read_csv(reader);
    if (r == 0 && ferror(in))
        r = -EIO;
    ts_buf_done(&reader->text);
    free(reader);
    return r;
}
