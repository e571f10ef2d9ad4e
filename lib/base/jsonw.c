#include "base/jsonw.h"

#include "base/error.h"

#define MAX_DEPTH 32

/* What a byte needs inside a JSON string: 0 nothing, 'u' \u00XX, 'h' it begins (or breaks) a UTF-8 sequence,
 * else \ and that letter. */
static const char escape_of[256] = {
    [0x00 ... 0x07] = 'u', ['\b'] = 'b',  ['\t'] = 't',          ['\n'] = 'n',
    [0x0B] = 'u',          ['\f'] = 'f',  ['\r'] = 'r',          [0x0E ... 0x1F] = 'u',
    ['"'] = '"',           ['\\'] = '\\', [0x80 ... 0xFF] = 'h',
};

static void put_escape(struct ts_buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char how = escape_of[c];

    if (how == 'u') {
        char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        ts_buf_bytes(buf, text, sizeof(text));
    } else {
        char text[2] = {'\\', how};
        ts_buf_bytes(buf, text, sizeof(text));
    }
}

/* Runs of bytes that need nothing, valid UTF-8 sequences among them, are copied whole. */
static void put_text(struct ts_buf *buf, ts_str s)
{
    const char *run = s.ptr, *p = s.ptr, *end = s.ptr + s.len;

    while (p < end) {
        unsigned char c = (unsigned char)*p;
        if (escape_of[c] == 0) {
            p++;
            continue;
        }
        if (c >= 0x80) {
            size_t n = ts_utf8_sequence((ts_str){p, (size_t)(end - p)});
            if (n > 0) {
                p += n;
                continue;
            }
        }
        ts_buf_bytes(buf, run, (size_t)(p - run));
        if (c >= 0x80)
            ts_buf_bytes(buf, "\xEF\xBF\xBD", 3); /* U+FFFD */
        else
            put_escape(buf, c);
        run = ++p;
    }
    ts_buf_bytes(buf, run, (size_t)(end - run));
}

void ts_buf_json_str(struct ts_buf *buf, ts_str s)
{
    ts_buf_char(buf, '"');
    if (s.len > 0)
        put_text(buf, s);
    ts_buf_char(buf, '"');
}

struct ts_jsonw ts_jsonw_begin(struct ts_buf *buf)
{
    return (struct ts_jsonw){.buf = buf};
}

static uint32_t level_bit(const struct ts_jsonw *w)
{
    return UINT32_C(1) << (w->depth - 1);
}

static void comma(struct ts_jsonw *w)
{
    if (w->depth == 0)
        return;
    if (w->nonempty & level_bit(w))
        ts_buf_char(w->buf, ',');
    w->nonempty |= level_bit(w);
}

static void before_value(struct ts_jsonw *w)
{
    if (w->after_key)
        w->after_key = false;
    else
        comma(w);
}

static void open_level(struct ts_jsonw *w, char bracket)
{
    before_value(w);
    if (w->depth == MAX_DEPTH) {
        w->buf->error = TS_E_LIMIT;
        return;
    }
    w->depth++;
    w->nonempty &= ~level_bit(w);
    w->objects = bracket == '{' ? w->objects | level_bit(w) : w->objects & ~level_bit(w);
    ts_buf_char(w->buf, bracket);
}

void ts_jsonw_object(struct ts_jsonw *w)
{
    open_level(w, '{');
}

void ts_jsonw_array(struct ts_jsonw *w)
{
    open_level(w, '[');
}

void ts_jsonw_end(struct ts_jsonw *w)
{
    if (w->depth == 0)
        return;
    ts_buf_char(w->buf, w->objects & level_bit(w) ? '}' : ']');
    w->depth--;
}

void ts_jsonw_key(struct ts_jsonw *w, const char *key)
{
    size_t len = strlen(key);

    comma(w);
    w->after_key = true;
    char *p = ts_buf_reserve(w->buf, len + 3);
    if (!p)
        return;
    *p++ = '"';
    memcpy(p, key, len);
    memcpy(p + len, "\":", 2);
    ts_buf_added(w->buf, len + 3);
}

void ts_jsonw_str(struct ts_jsonw *w, ts_str value)
{
    if (ts_str_is_none(value)) {
        ts_jsonw_null(w);
        return;
    }
    before_value(w);
    ts_buf_json_str(w->buf, value);
}

void ts_jsonw_i64(struct ts_jsonw *w, int64_t value)
{
    before_value(w);
    ts_buf_i64(w->buf, value);
}

void ts_jsonw_bool(struct ts_jsonw *w, bool value)
{
    ts_jsonw_raw(w, value ? TS_STR("true") : TS_STR("false"));
}

void ts_jsonw_null(struct ts_jsonw *w)
{
    ts_jsonw_raw(w, TS_STR("null"));
}

void ts_jsonw_e6(struct ts_jsonw *w, int64_t value_e6)
{
    before_value(w);
    ts_buf_e6(w->buf, value_e6);
}

void ts_jsonw_time(struct ts_jsonw *w, int64_t time_us)
{
    before_value(w);
    ts_buf_char(w->buf, '"');
    ts_buf_time(w->buf, time_us);
    ts_buf_char(w->buf, '"');
}

void ts_jsonw_raw(struct ts_jsonw *w, ts_str json)
{
    before_value(w);
    ts_buf_str(w->buf, json);
}

void ts_jsonw_id(struct ts_jsonw *w, int64_t value)
{
    const int64_t exact = INT64_C(1) << 53;
    bool quoted = value > exact || value < -exact;

    before_value(w);
    if (quoted)
        ts_buf_char(w->buf, '"');
    ts_buf_i64(w->buf, value);
    if (quoted)
        ts_buf_char(w->buf, '"');
}
