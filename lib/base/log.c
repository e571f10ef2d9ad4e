#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/secret.h"

#define FULL_PIPE_WAIT_MS 100
#define MAX_ESCAPE        6 /* bytes that one byte may take in JSON: \u0000 */

/* A line of the history: `text` is the message and then the context, both JSON. */
struct entry {
    int64_t time_us;
    char *text;
    uint16_t message_len, context_len;
    uint8_t level;
};

_Static_assert(TS_MAX_LOG_LINE <= UINT16_MAX, "lengths of an entry");

static struct {
    pthread_mutex_t lock; /* of everything below; the level is read without */
    _Atomic int level;
    const char *service;
    int fd;
    struct entry *ring;
    size_t capacity, first, count, bytes;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = TS_LOG_INFO, .service = "?", .fd = STDOUT_FILENO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

int ts_log_level_parse(ts_str name, enum ts_log_level *ret)
{
    for (size_t i = 0; i < TS_ARRAY_LEN(level_names); i++)
        if (ts_str_eq(name, ts_str_from(level_names[i]))) {
            *ret = (enum ts_log_level)i;
            return 0;
        }
    return TS_E_INVALID;
}

const char *ts_log_level_name(enum ts_log_level level)
{
    return (size_t)level < TS_ARRAY_LEN(level_names) ? level_names[level] : "?";
}

/* --- history --- */

static size_t entry_bytes(const struct entry *entry)
{
    return (size_t)entry->message_len + entry->context_len;
}

static void drop_oldest(void)
{
    struct entry *oldest = &logger.ring[logger.first];

    logger.bytes -= entry_bytes(oldest);
    free(oldest->text);
    logger.first = (logger.first + 1) % logger.capacity;
    logger.count--;
}

static void drop_history(void)
{
    while (logger.count > 0)
        drop_oldest();
    free(logger.ring);
    logger.ring = NULL;
    logger.capacity = logger.first = 0;
}

/* Out of memory loses the history's copy only: the line itself was written. */
static void remember(struct entry entry, const char *text)
{
    size_t bytes = entry_bytes(&entry);

    if (logger.capacity == 0)
        return;
    entry.text = malloc(bytes);
    if (!entry.text)
        return;
    memcpy(entry.text, text, bytes);
    while (logger.count == logger.capacity ||
           (logger.count > 0 && logger.bytes + bytes > TS_MAX_LOG_HISTORY_BYTES))
        drop_oldest();
    logger.ring[(logger.first + logger.count) % logger.capacity] = entry;
    logger.count++;
    logger.bytes += bytes;
}

int ts_log_init(const char *service, enum ts_log_level level, size_t history)
{
    struct entry *ring = NULL;

    if (history > TS_MAX_LOG_HISTORY)
        return TS_E_RANGE;
    if (history > 0) {
        ring = calloc(history, sizeof(*ring));
        if (!ring)
            return -ENOMEM;
    }
    pthread_mutex_lock(&logger.lock);
    drop_history();
    logger.ring = ring;
    logger.capacity = history;
    logger.service = service;
    logger.level = level;
    pthread_mutex_unlock(&logger.lock);
    return 0;
}

void ts_log_done(void)
{
    pthread_mutex_lock(&logger.lock);
    drop_history();
    pthread_mutex_unlock(&logger.lock);
}

void ts_log_set_fd(int fd)
{
    pthread_mutex_lock(&logger.lock);
    logger.fd = fd;
    pthread_mutex_unlock(&logger.lock);
}

static void put_entry(struct ts_jsonw *w, const struct entry *entry)
{
    ts_jsonw_object(w);
    ts_jsonw_key_time(w, "timestamp", entry->time_us);
    ts_jsonw_key_str(w, "level", ts_str_from(level_names[entry->level]));
    ts_jsonw_key(w, "message");
    ts_jsonw_raw(w, (ts_str){entry->text, entry->message_len});
    ts_jsonw_key(w, "context");
    ts_jsonw_raw(w, (ts_str){entry->text + entry->message_len, entry->context_len});
    ts_jsonw_end(w);
}

void ts_log_history(struct ts_jsonw *w, size_t limit, enum ts_log_level min_level)
{
    pthread_mutex_lock(&logger.lock);
    for (size_t i = logger.count; i > 0 && limit > 0; i--) {
        const struct entry *entry = &logger.ring[(logger.first + i - 1) % logger.capacity];
        if (entry->level < min_level)
            continue;
        put_entry(w, entry);
        limit--;
    }
    pthread_mutex_unlock(&logger.lock);
}

/* --- a line --- */

/*
 * The line is made in `memory`, from front to back, without the heap. `buf.max_bytes` keeps back what closes
 * the objects, so that a line which is full is still JSON.
 */
struct line {
    char memory[TS_MAX_LOG_LINE + 1];
    struct ts_buf buf;
};

/* The longest beginning of `s` that takes at most `room` bytes as a JSON string, its quotes included. */
static ts_str fit(ts_str s, size_t room)
{
    size_t taken = 2;

    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t n = TS_MAX(ts_utf8_sequence((ts_str){s.ptr + i, s.len - i}), (size_t)1);
        taken += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : TS_MAX(n, c < 0x80 ? (size_t)1 : (size_t)3);
        if (taken > room)
            return (ts_str){s.ptr, i};
        i += n;
    }
    return s;
}

/*
 * A text without secrets, as a JSON string. They are replaced before escaping (an escaped secret looks
 * different), in a copy. A text that does not fit gets half of the room, so that what follows has some too.
 */
static void put_text(struct ts_buf *buf, ts_str text)
{
    char copy[TS_MAX_LOG_LINE];
    size_t len = TS_MIN(text.len, sizeof(copy));
    size_t room = buf->max_bytes - buf->len;

    if (len > 0)
        memcpy(copy, text.ptr, len);
    if (len < text.len)
        len = ts_secret_cut((ts_str){copy, len});
    ts_secret_redact(copy, &len);
    ts_str clean = {copy, len};
    if (len * MAX_ESCAPE + 2 > room && fit(clean, room).len < clean.len)
        clean = fit(clean, room / 2);
    ts_buf_json_str(buf, clean);
}

static void put_value(struct ts_buf *buf, const struct ts_log_field *field)
{
    switch (field->type) {
    case TS_FIELD_STR:
        if (ts_str_is_none(field->str))
            ts_buf_cstr(buf, "null");
        else
            put_text(buf, field->str);
        break;
    case TS_FIELD_I64:
        ts_buf_i64(buf, field->i64);
        break;
    case TS_FIELD_BOOL:
        ts_buf_cstr(buf, field->i64 ? "true" : "false");
        break;
    case TS_FIELD_E6:
        ts_buf_e6(buf, field->i64);
        break;
    }
}

/* `,"key":value` for each; one that does not fit is left out. */
static void put_fields(struct ts_buf *buf, const struct ts_log_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t before = buf->len;
        ts_buf_cstr(buf, ",\"");
        ts_buf_cstr(buf, fields[i].key);
        ts_buf_cstr(buf, "\":");
        put_value(buf, &fields[i]);
        if (ts_buf_error(buf)) {
            buf->len = before;
            buf->error = 0;
        }
    }
}

/* A pipe that somebody made non-blocking (libuv does) may be full for a moment. */
static bool wait_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, FULL_PIPE_WAIT_MS) == 1;
}

static void write_line(int fd, ts_str line)
{
    while (line.len > 0) {
        ssize_t n = write(fd, line.ptr, line.len);
        if (n >= 0) {
            line.ptr += n;
            line.len -= (size_t)n;
        } else if (errno == EAGAIN ? !wait_writable(fd) : errno != EINTR) {
            return; /* nobody reads: there is no place left to say so */
        }
    }
}

bool ts_log_enabled(enum ts_log_level level)
{
    return (int)level >= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

void ts_log_write(enum ts_log_level level, const char *msg, const struct ts_log_field *fields, size_t n)
{
    struct line line;
    struct ts_buf *buf = &line.buf;
    int64_t now_us = ts_clock_wall_us();
    int saved_errno = errno; /* a log line between a call and its errno must not change it */

    if (!ts_log_enabled(level))
        return;
    *buf =
        (struct ts_buf){.data = line.memory, .capacity = TS_MAX_LOG_LINE, .max_bytes = TS_MAX_LOG_LINE - 2};
    ts_buf_cstr(buf, "{\"time\":\"");
    ts_buf_time(buf, now_us);
    ts_buf_cstr(buf, "\",\"level\":\"");
    ts_buf_cstr(buf, ts_log_level_name(level));
    ts_buf_cstr(buf, "\",\"service\":");
    ts_buf_json_str(buf, ts_str_from(logger.service));
    ts_buf_cstr(buf, ",\"msg\":");
    size_t message_at = buf->len;
    put_text(buf, ts_str_from(msg));
    size_t fields_at = buf->len;
    put_fields(buf, fields, n);
    buf->max_bytes = TS_MAX_LOG_LINE;
    ts_buf_cstr(buf, "}\n");

    pthread_mutex_lock(&logger.lock);
    write_line(logger.fd, ts_buf_view(buf));
    /* The history wants `"message"{"key":value}`: the comma after the message becomes the brace. */
    struct entry entry = {
        .time_us = now_us, .level = (uint8_t)level, .message_len = (uint16_t)(fields_at - message_at)};
    if (n == 0 || line.memory[fields_at] == '}') {
        memcpy(line.memory + fields_at, "{}", 2);
        entry.context_len = 2;
    } else {
        line.memory[fields_at] = '{';
        entry.context_len = (uint16_t)(buf->len - 1 - fields_at);
    }
    remember(entry, line.memory + message_at);
    pthread_mutex_unlock(&logger.lock);
    errno = saved_errno;
}
