/* An answer into bytes. */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/server_internal.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < TS_ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* The headers that are the same in every answer of one second. */
static ts_str common_headers(struct ts_http_server *server)
{
    int64_t now_s = ts_clock_wall_us() / TS_US_PER_S;
    if (now_s != server->date_s) {
        time_t t = (time_t)now_s;
        struct tm tm;
        char date[40];
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&t, &tm));
        int len = snprintf(server->date_headers, sizeof(server->date_headers),
                           "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
                           "Referrer-Policy: no-referrer\r\nDate: %s\r\n",
                           date);
        server->date_headers_len = (size_t)len;
        server->date_s = now_s;
    }
    return (ts_str){server->date_headers, server->date_headers_len};
}

static bool has_line_break(ts_str s)
{
    return s.len > 0 && (memchr(s.ptr, '\r', s.len) || memchr(s.ptr, '\n', s.len));
}

void ts_header_write(struct ts_buf *out, ts_str name, ts_str value)
{
    if (has_line_break(name) || has_line_break(value)) {
        ts_log_error("Header with a line break left out of an answer", TS_F_STR("name", name));
        return;
    }
    ts_buf_str(out, name);
    ts_buf_str(out, TS_STR(": "));
    ts_buf_str(out, value);
    ts_buf_str(out, TS_STR("\r\n"));
}

static void put_status_line(struct ts_buf *out, int status)
{
    if (status == 200) {
        ts_buf_str(out, TS_STR("HTTP/1.1 200 OK\r\n"));
        return;
    }
    ts_buf_str(out, TS_STR("HTTP/1.1 "));
    ts_buf_i64(out, status);
    ts_buf_char(out, ' ');
    ts_buf_cstr(out, reason_of(status));
    ts_buf_str(out, TS_STR("\r\n"));
}

static void put_common(struct ts_http_exchange *ex, bool close)
{
    if (!ts_str_is_none(ex->req.request_id))
        ts_header_write(&ex->out, TS_STR("X-Request-Id"), ex->req.request_id);
    ts_buf_str(&ex->out, common_headers(ex->conn->server));
    ts_buf_str(&ex->out, ts_buf_view(&ex->extra));
    if (close)
        ts_buf_str(&ex->out, TS_STR("Connection: close\r\n"));
    else if (ex->http_1_0)
        ts_buf_str(&ex->out, TS_STR("Connection: keep-alive\r\n"));
}

static void put_content_type(struct ts_buf *out, const struct ts_http_response *response)
{
    ts_header_write(out, TS_STR("Content-Type"),
                    response->content_type ? ts_str_from(response->content_type)
                                           : TS_STR("application/json"));
}

int ts_response_write(struct ts_http_exchange *ex, const struct ts_http_response *response, bool close)
{
    struct ts_buf *out = &ex->out;
    int status = response->status ? response->status : 200;
    ts_str body = response->body_take ? ts_buf_view(response->body_take) : response->body;
    bool bodiless = status == 204 || status == 304;

    ts_buf_clear(out);
    out->max_bytes = TS_MAX_RESPONSE_BYTES;
    put_status_line(out, status);
    if (!bodiless) {
        put_content_type(out, response);
        ts_buf_str(out, TS_STR("Content-Length: "));
        ts_buf_i64(out, (int64_t)body.len);
        ts_buf_str(out, TS_STR("\r\n"));
    }
    put_common(ex, close);
    for (size_t i = 0; i < response->n_headers; i++)
        ts_header_write(out, response->headers[i].name, response->headers[i].value);
    ts_buf_str(out, TS_STR("\r\n"));
    bool send_body = !bodiless && !ex->is_head;
    if (send_body && response->body_take) {
        ts_buf_done(&ex->out_body);
        ex->out_body = *response->body_take;
    } else if (send_body) {
        ts_buf_str(out, body);
    }
    if (response->body_take) {
        if (!send_body)
            ts_buf_done(response->body_take);
        *response->body_take = (struct ts_buf)TS_BUF_INIT(response->body_take->max_bytes);
    }
    ex->status = status;
    return ts_buf_error(out);
}

int ts_response_write_pieces(struct ts_http_exchange *ex, const struct ts_http_response *response, bool close)
{
    struct ts_buf *out = &ex->out;
    ts_buf_clear(out);
    out->max_bytes = TS_MAX_RESPONSE_BYTES;
    put_status_line(out, response->status ? response->status : 200);
    put_content_type(out, response);
    if (!ex->http_1_0)
        ts_buf_str(out, TS_STR("Transfer-Encoding: chunked\r\n"));
    put_common(ex, close);
    for (size_t i = 0; i < response->n_headers; i++)
        ts_header_write(out, response->headers[i].name, response->headers[i].value);
    ts_buf_str(out, TS_STR("\r\n"));
    ex->status = response->status ? response->status : 200;
    return ts_buf_error(out);
}

int ts_response_write_stream(struct ts_http_exchange *ex)
{
    /* No length and no chunks: the stream ends with the connection, as events need no other frame than their own. */
    ts_buf_clear(&ex->out);
    ex->out.max_bytes = TS_MAX_STREAM_BACKLOG_BYTES;
    put_status_line(&ex->out, 200);
    ts_header_write(&ex->out, TS_STR("Content-Type"), TS_STR("text/event-stream"));
    ts_header_write(&ex->out, TS_STR("Cache-Control"), TS_STR("no-store"));
    ts_header_write(&ex->out, TS_STR("X-Accel-Buffering"), TS_STR("no"));
    put_common(ex, true);
    ts_buf_str(&ex->out, TS_STR("\r\n"));
    ex->status = 200;
    return ts_buf_error(&ex->out);
}
