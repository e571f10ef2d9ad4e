#include "testing/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "testing/process.h"

#define MAX_REPLY_BYTES (64u * 1024 * 1024)

static size_t on_bytes(char *data, size_t size, size_t n, void *ctx)
{
    ts_buf_bytes(ctx, data, size * n);
    return ts_buf_error(ctx) ? 0 : size * n;
}

static char *take_text(struct ts_buf *buf)
{
    ts_buf_char(buf, '\0');
    if (ts_buf_error(buf))
        ts_test_die("reply too large");
    return TS_TAKE(buf->data);
}

void ts_test_reply_done(struct ts_test_reply *reply)
{
    free(reply->body);
    free(reply->headers);
    *reply = (struct ts_test_reply){0};
}

static void set_body(CURL *curl, const struct ts_test_request *request)
{
    size_t len = request->body_len ? request->body_len : strlen(request->body);

    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
}

long ts_test_http(const struct ts_test_request *request, struct ts_test_reply *reply)
{
    struct ts_buf body = TS_BUF_INIT(MAX_REPLY_BYTES), headers = TS_BUF_INIT(MAX_REPLY_BYTES);
    struct curl_slist *lines = curl_slist_append(NULL, "Expect:");
    CURL *curl = curl_easy_init();

    if (!curl)
        ts_test_die("libcurl");
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        lines = curl_slist_append(lines, request->headers[i]);
    ts_test_reply_done(reply);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms ? (long)request->timeout_ms : 15000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &headers);
    if (request->body)
        set_body(curl, request);
    if (request->method && strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (request->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_slist_free_all(lines);
    curl_easy_cleanup(curl);
    reply->body_len = body.len;
    reply->body = take_text(&body);
    reply->headers = take_text(&headers);
    return reply->status;
}

long ts_test_get(const char *url, struct ts_test_reply *reply)
{
    return ts_test_http(&(struct ts_test_request){.url = url}, reply);
}

long ts_test_post_json(const char *url, const char *token_header, const char *json,
                       struct ts_test_reply *reply)
{
    const char *const headers[] = {"Content-Type: application/json", token_header, NULL};

    return ts_test_http(&(struct ts_test_request){.url = url, .headers = headers, .body = json}, reply);
}

bool ts_test_header(const struct ts_test_reply *reply, const char *name, char *out, size_t out_size)
{
    const size_t name_len = strlen(name);

    for (const char *line = reply->headers; line && *line;
         line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        const char *value = line + name_len + 1;
        value += strspn(value, " \t");
        size_t len = strcspn(value, "\r\n");
        if (len >= out_size)
            return false;
        memcpy(out, value, len);
        out[len] = '\0';
        return true;
    }
    return false;
}

bool ts_test_wait_status(const char *url, long status, int timeout_ms)
{
    struct ts_test_reply reply = {0};
    const int64_t until = ts_test_now_ms() + timeout_ms;
    bool seen;

    do {
        seen = ts_test_http(&(struct ts_test_request){.url = url, .timeout_ms = 2000}, &reply) == status;
        if (!seen)
            ts_test_sleep_ms(10);
    } while (!seen && ts_test_now_ms() < until);
    ts_test_reply_done(&reply);
    return seen;
}
