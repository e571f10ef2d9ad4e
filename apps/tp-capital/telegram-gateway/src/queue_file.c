#include "queue_file.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/json.h"

enum {
    LINE_BYTES = MESSAGE_MAX_JSON_BYTES + 4096, /* beyond: no message of ours */
    LINE_ARENA_BYTES = 2 * MESSAGE_MAX_JSON_BYTES,
    LINES_PER_COMMIT = 1000,
    PATH_BYTES = 4096,
};

/* --- import ---------------------------------------------------------------------------------------------------------------- */

struct import {
    struct ts_db *db;
    struct ts_arena *arena;
    struct queue_file_counts counts;
    int64_t line_number;
    FILE *in;
    FILE *bad;            /* NULL: none, or not opened yet */
    const char *bad_path; /* opened at the first bad line; NULL: `bad` as it is */
};

static int64_t time_or_now(const json_t *object, const char *name)
{
    int64_t us;
    return ts_time_parse_rfc3339(ts_json_get_str(object, name), &us) == 0 ? us : ts_clock_wall_us();
}

static int read_key(const json_t *object, struct message_key *ret)
{
    struct message_key key = {0};
    const json_t *revision = json_object_get(object, "revision");
    if (ts_json_i64(json_object_get(object, "channelId"), INT64_MIN, INT64_MAX, &key.channel_id) != 0 ||
        ts_json_i64(json_object_get(object, "messageId"), 1, INT64_MAX, &key.message_id) != 0 ||
        (revision && ts_json_i64(revision, 0, INT64_MAX, &key.revision) != 0))
        return TS_E_INVALID;
    *ret = key;
    return 0;
}

static struct store_fail read_failure(const json_t *json)
{
    struct store_fail fail = {.reason = outbox_reason_parse(ts_json_get_str(json, "reason")),
                              .at_us = time_or_now(json, "failedAt")};
    int64_t attempts;
    if (fail.reason == REASON_NONE) /* an older gateway's own word */
        fail.reason = REASON_SERVER_ERROR;
    if (ts_json_i64(json_object_get(json, "attempts"), 0, INT32_MAX, &attempts) == 0)
        fail.attempts = (int)attempts;
    return fail;
}

static int take_mark(struct import *import, const json_t *json, const json_t *named, bool is_failure)
{
    struct message_key key;
    struct store_fail fail;
    if (read_key(named, &key) != 0)
        return TS_E_INVALID;
    import->counts.marks++;
    if (!is_failure)
        return store_put_acknowledgement(import->db, key, time_or_now(json, "at"));
    fail = read_failure(json);
    return store_put_failure(import->db, key, &fail);
}

static int take_message(struct import *import, const json_t *json)
{
    struct store_append append = {.queued_at_us = time_or_now(json, "queuedAt")};
    struct ts_trace trace = ts_trace_new();
    char id[TS_REQUEST_ID_SIZE];
    const char *field;
    int r = message_from_json(json, import->arena, &append.message, &field);
    if (r != 0)
        return r;
    append.content = message_content(&append.message);
    snprintf(append.request_id, sizeof append.request_id, "%.*s", TS_STR_ARG(ts_request_id_new(id)));
    ts_trace_format(&trace, append.traceparent);
    if ((r = store_put(import->db, &append)) != 0)
        return r;
    import->counts.known += append.duplicate;
    import->counts.messages += !append.duplicate;
    if (append.duplicate || !json_object_get(json, "failedAt"))
        return 0;
    const struct store_fail fail = read_failure(json);
    return store_put_failure(import->db, message_key(&append.message), &fail);
}

static int take_line(struct import *import, ts_str line)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    int r = ts_json_parse_object(line, TS_MAX_JSON_DEPTH, &json);
    ts_arena_reset(import->arena);
    if (r != 0)
        return r;
    if (json_is_object(json_object_get(json, "ack")))
        return take_mark(import, json, json_object_get(json, "ack"), false);
    if (json_is_object(json_object_get(json, "failed")))
        return take_mark(import, json, json_object_get(json, "failed"), true);
    return take_message(import, json);
}

static bool is_fault_of_the_line(int error)
{
    return error == TS_E_JSON || error == TS_E_JSON_DEPTH || error == TS_E_UTF8 || error == TS_E_INVALID ||
           error == TS_E_MISSING || error == TS_E_RANGE || error == TS_E_TOO_LONG;
}

/*
 * At most LINE_BYTES of a line, without its LF. By bytes: a NUL in the line must not hide what follows it. False at the end of the file.
 */
static bool read_line(FILE *in, char *buffer, ts_str *ret, bool *ret_complete)
{
    size_t len = 0;
    int c = 0;
    while (len < LINE_BYTES && (c = getc(in)) != EOF && c != '\n')
        buffer[len++] = (char)c;
    *ret = (ts_str){buffer, len};
    *ret_complete = c == '\n';
    return len > 0 || c == '\n';
}

/* Skips the rest of a line that is longer than any message. */
static void skip_line(FILE *in, FILE *bad)
{
    int c;
    while ((c = getc(in)) != EOF && c != '\n') {
        if (bad)
            putc(c, bad);
    }
}

static int line_is_bad(struct import *import, ts_str line, bool complete)
{
    import->counts.bad++;
    ts_log_warn("Queue line can't be read", TS_F_I64("line", import->line_number));
    if (!import->bad && import->bad_path && !(import->bad = fopen(import->bad_path, "ae")))
        return -errno;
    if (import->bad)
        fwrite(line.ptr, 1, line.len, import->bad);
    if (!complete)
        skip_line(import->in, import->bad);
    if (import->bad)
        putc('\n', import->bad);
    return 0;
}

static int commit_and_go_on(struct import *import)
{
    int r = ts_db_commit(import->db);
    return r == 0 ? ts_db_begin(import->db) : r;
}

static int import_lines(struct import *import, char *buffer)
{
    ts_str line;
    bool complete;
    int r = 0;
    while (r == 0 && read_line(import->in, buffer, &line, &complete)) {
        import->line_number++;
        if (ts_str_trim(line).len == 0)
            continue;
        r = take_line(import, line);
        if (is_fault_of_the_line(r) && !complete && feof(import->in)) {
            ts_log_warn("Torn last line of the queue dropped", TS_F_I64("line", import->line_number));
            r = 0;
        } else if (is_fault_of_the_line(r)) {
            r = line_is_bad(import, line, complete);
        }
        if (r == 0 && import->line_number % LINES_PER_COMMIT == 0)
            r = commit_and_go_on(import);
    }
    return r == 0 && ferror(import->in) ? -EIO : r;
}

static int import_all(struct import *import)
{
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(LINE_ARENA_BYTES);
    _cleanup_(ts_arena_freep) struct ts_arena *lines = ts_arena_new(LINE_BYTES + 16); /* the other is reset */
    char *buffer = lines ? TS_ARENA_ARRAY(lines, LINE_BYTES, char) : NULL;
    if (!arena || !buffer)
        return -ENOMEM;
    import->arena = arena;
    int r = ts_db_begin(import->db);
    if (r == 0)
        r = import_lines(import, buffer);
    if (r == 0)
        r = ts_db_commit(import->db);
    if (r != 0)
        ts_db_rollback(import->db);
    return r;
}

int queue_file_import(FILE *in, FILE *bad, struct ts_db *db, struct queue_file_counts *ret)
{
    struct import import = {.db = db, .in = in, .bad = bad};
    int r = import_all(&import);
    *ret = import.counts;
    return r;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* The source goes away after this, so the bad lines must be on disk before. */
static int sync_bad(FILE *bad)
{
    if (fflush(bad) != 0 || fsync(fileno(bad)) != 0)
        return -errno;
    return ferror(bad) ? -EIO : 0;
}

static int import_file(const char *path, struct ts_db *db, struct queue_file_counts *counts)
{
    char bad_path[PATH_BYTES];
    _cleanup_(close_file) FILE *in = fopen(path, "re");
    struct import import = {.db = db, .in = in, .bad_path = bad_path};
    int r;
    if (!in)
        return -errno;
    if (snprintf(bad_path, sizeof bad_path, "%s.bad", path) >= (int)sizeof bad_path)
        return -ENAMETOOLONG;
    r = import_all(&import);
    if (r == 0 && import.bad)
        r = sync_bad(import.bad);
    close_file(&import.bad);
    *counts = import.counts;
    return r;
}

int queue_file_import_once(const char *path, struct ts_db *db)
{
    struct queue_file_counts counts = {0};
    char imported[PATH_BYTES];
    int r = import_file(path, db, &counts);
    if (r == -ENOENT)
        return 0;
    if (r != 0)
        return r;
    if (snprintf(imported, sizeof imported, "%s.imported.%lld", path,
                 (long long)(ts_clock_wall_us() / TS_US_PER_S)) >= (int)sizeof imported)
        return -ENAMETOOLONG;
    if (rename(path, imported) != 0)
        return -errno;
    ts_log_info("Old failure queue imported", TS_F_CSTR("path", path), TS_F_I64("messages", counts.messages),
                TS_F_I64("known", counts.known), TS_F_I64("marks", counts.marks),
                TS_F_I64("bad", counts.bad));
    return 0;
}

/* --- export ---------------------------------------------------------------------------------------------------------------- */

static void write_key(struct ts_jsonw *w, struct message_key key)
{
    _cleanup_(ts_buf_done) struct ts_buf id = TS_BUF_INIT(32);
    ts_buf_i64(&id, key.channel_id);
    ts_jsonw_key_str(w, "channelId", ts_buf_view(&id));
    ts_jsonw_key_id(w, "messageId", key.message_id);
    ts_jsonw_key_id(w, "revision", key.revision);
}

static void write_failure(struct ts_buf *buf, const struct store_row *row)
{
    struct ts_jsonw w = ts_jsonw_begin(buf);
    ts_jsonw_object(&w);
    ts_jsonw_key(&w, "failed");
    ts_jsonw_object(&w);
    write_key(&w, row->key);
    ts_jsonw_end(&w);
    ts_jsonw_key_time(&w, "failedAt", row->failed_at_us);
    ts_jsonw_key_str(&w, "reason", ts_str_from(outbox_reason_name(row->reason)));
    ts_jsonw_key_i64(&w, "attempts", row->attempts);
    ts_jsonw_end(&w);
    ts_buf_char(buf, '\n');
}

static int export_row(const struct store_row *row, void *ctx)
{
    _cleanup_(ts_buf_done) struct ts_buf line = TS_BUF_INIT(2 * MESSAGE_MAX_JSON_BYTES);
    if (row->payload.len == 0)
        return TS_E_JSON;
    ts_buf_bytes(&line, row->payload.ptr, row->payload.len - 1); /* without its closing brace */
    ts_buf_cstr(&line, ",\"queuedAt\":\"");
    ts_buf_time(&line, row->queued_at_us);
    ts_buf_char(&line, '"');
    if (!ts_str_is_none(row->album)) {
        ts_buf_cstr(&line, ",\"mediaGroupId\":");
        ts_buf_json_str(&line, row->album);
    }
    ts_buf_cstr(&line, "}\n");
    if (row->state == OUTBOX_FAILED)
        write_failure(&line, row);
    if (ts_buf_error(&line))
        return ts_buf_error(&line);
    return fwrite(line.data, 1, line.len, ctx) == line.len ? 0 : -EIO;
}

int queue_file_export(struct ts_db *db, FILE *out)
{
    int r = store_each_pending(db, export_row, out);
    return r == 0 && fflush(out) != 0 ? -errno : r;
}
