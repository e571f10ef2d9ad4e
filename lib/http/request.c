/*
 * The header block into a request. llhttp has judged the grammar and decides where messages begin and end; here the complete block is
 * walked once more, line by line, for the fields, and for what llhttp 8.1 lets pass: folded lines (CVE-2024-27982), empty names, a missing or second Host,
 * a Transfer-Encoding other than chunked. Every line must end in CRLF and hold neither CR nor NUL, so both readings agree.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "http/query.h"
#include "http/server_internal.h"

static bool refuse(struct ts_refusal *ret, int status, const char *text, const char *code)
{
    *ret = (struct ts_refusal){status, text, code};
    return false;
}

static bool malformed(struct ts_refusal *ret, const char *code)
{
    return refuse(ret, 400, "Malformed request", code);
}

static bool out_of_memory(struct ts_refusal *ret)
{
    return refuse(ret, 503, "Out of memory", "out_of_memory");
}

/* Takes a line without its CRLF; false when it does not end so or holds what no line may hold. */
static bool next_line(ts_str *rest, ts_str *ret_line)
{
    const char *lf = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!lf || lf == rest->ptr || lf[-1] != '\r')
        return false;
    ts_str line = {rest->ptr, (size_t)(lf - rest->ptr) - 1};
    *rest = (ts_str){lf + 1, rest->len - line.len - 2};
    *ret_line = line;
    return line.len == 0 || (!memchr(line.ptr, '\r', line.len) && !memchr(line.ptr, '\0', line.len));
}

static size_t count_lines(ts_str block)
{
    size_t n = 0;
    for (const char *p = block.ptr, *end = block.ptr + block.len; p < end; p++, n++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            break;
    }
    return n;
}

/* The fields that the server itself reads. */
enum known { HOST, EXPECT, REQUEST_ID, TRACEPARENT, FORWARDED_FOR, TRANSFER_ENCODING, N_KNOWN };
static const struct {
    ts_str name;
    bool single; /* sent twice is malformed; of the others the first counts */
} known_fields[N_KNOWN] = {
    [HOST] = {{"host", 4}, true},
    [EXPECT] = {{"expect", 6}, false},
    [REQUEST_ID] = {{"x-request-id", 12}, false},
    [TRACEPARENT] = {{"traceparent", 11}, false},
    [FORWARDED_FOR] = {{"x-forwarded-for", 15}, false},
    [TRANSFER_ENCODING] = {{"transfer-encoding", 17}, true},
};

/* False when a field came twice that may come once. */
static bool note_known(const struct ts_http_header *header, ts_str known[N_KNOWN])
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (!ts_str_eq_nocase(header->name, known_fields[i].name))
            continue;
        if (ts_str_is_none(known[i]))
            known[i] = header->value;
        else if (known_fields[i].single)
            return false;
    }
    return true;
}

static bool split_field(ts_str line, struct ts_http_header *ret, const char **ret_reason)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
        *ret_reason = "obs_fold";
        return false;
    }
    const char *colon = memchr(line.ptr, ':', line.len);
    size_t name_len = colon ? (size_t)(colon - line.ptr) : 0;
    if (name_len == 0) {
        *ret_reason = "empty_header_name";
        return false;
    }
    ret->name = (ts_str){line.ptr, name_len};
    ret->value = ts_str_trim((ts_str){colon + 1, line.len - name_len - 1});
    return true;
}

static bool parse_fields(struct ts_http_exchange *ex, ts_str block, ts_str known[N_KNOWN],
                         struct ts_refusal *refusal)
{
    size_t n_lines = count_lines(block); /* with the empty one at the end */
    if (n_lines > TS_MAX_HEADERS + 1)
        return refuse(refusal, 431, "Request header too large", "too_many_headers");
    struct ts_http_header *headers = TS_ARENA_ARRAY(ex->req.arena, n_lines, struct ts_http_header);
    if (!headers)
        return out_of_memory(refusal);
    size_t n = 0;
    ts_str line;
    for (;;) {
        if (!next_line(&block, &line) || n == n_lines)
            return malformed(refusal, "line_end");
        if (line.len == 0)
            break;
        const char *reason;
        if (!split_field(line, &headers[n], &reason))
            return malformed(refusal, reason);
        if (!note_known(&headers[n], known))
            return malformed(refusal, "duplicate_header");
        n++;
    }
    ex->req.headers = headers;
    ex->req.n_headers = n;
    return true;
}

/* "METHOD target HTTP/1.x": exactly one space on either side of a target that begins with '/'. */
static bool parse_target(struct ts_http_exchange *ex, ts_str line, struct ts_refusal *refusal)
{
    struct ts_http_request *req = &ex->req;
    const char *space = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    const char *last = line.len > 0 ? memrchr(line.ptr, ' ', line.len) : NULL;
    if (!space || space == last)
        return malformed(refusal, "request_line");
    req->method = (ts_str){line.ptr, (size_t)(space - line.ptr)};
    ts_str target = {space + 1, (size_t)(last - space) - 1};
    if (target.len == 0 || memchr(target.ptr, ' ', target.len) || memchr(target.ptr, '#', target.len))
        return malformed(refusal, "request_line");
    if (target.ptr[0] != '/')
        return malformed(refusal, "target_form");
    const char *mark = memchr(target.ptr, '?', target.len);
    ts_str raw_path = {target.ptr, mark ? (size_t)(mark - target.ptr) : target.len};
    req->query = mark ? (ts_str){mark + 1, target.len - raw_path.len - 1} : TS_STR("");
    int error = ts_percent_decode(raw_path, false, req->arena, &req->path);
    if (error == -ENOMEM)
        return out_of_memory(refusal);
    if (error)
        req->path = TS_STR("");
    return error ? malformed(refusal, "path_encoding") : true;
}

static bool make_request_id(struct ts_http_exchange *ex)
{
    char *id = ts_arena_alloc(ex->req.arena, TS_REQUEST_ID_SIZE);
    if (id)
        ex->req.request_id = ts_request_id_new(id);
    return id != NULL;
}

static void find_peer(struct ts_http_exchange *ex, ts_str forwarded_for)
{
    const struct ts_http_connection *conn = ex->conn;
    const struct ts_http_server *server = conn->server;
    memcpy(ex->req.peer, conn->peer, sizeof(ex->req.peer));
    if (forwarded_for.len == 0 || server->n_trusted == 0)
        return;
    struct ts_address client =
        ts_address_forwarded(forwarded_for, &conn->address, server->trusted, server->n_trusted);
    ts_address_format(&client, ex->req.peer);
}

/* What HTTP/1.1 demands beyond grammar. */
static bool check_rules(const struct ts_http_exchange *ex, const llhttp_t *parser,
                        const ts_str known[N_KNOWN], struct ts_refusal *refusal)
{
    if (ts_str_is_none(known[HOST]) && !ex->http_1_0)
        return malformed(refusal, "missing_host");
    if (ts_str_is_none(known[TRANSFER_ENCODING]))
        return true;
    bool chunked =
        ts_str_eq_nocase(known[TRANSFER_ENCODING], TS_STR("chunked")) && (parser->flags & F_CHUNKED);
    if (!chunked || ex->http_1_0 || (parser->flags & F_CONTENT_LENGTH))
        return malformed(refusal, "transfer_encoding");
    return true;
}

bool ts_request_parse(struct ts_http_exchange *ex, const llhttp_t *parser, struct ts_refusal *ret_refusal)
{
    ts_str block = ts_buf_view(&ex->head), line;
    ts_str known[N_KNOWN] = {0};
    ex->keep_alive = llhttp_should_keep_alive(parser) != 0;
    if (parser->http_major != 1 || parser->http_minor > 1)
        return refuse(ret_refusal, 505, "HTTP version not supported", "http_version");
    ex->http_1_0 = parser->http_minor == 0;
    do { /* empty lines before the request are forgiven (RFC 9112, 2.2) */
        if (!next_line(&block, &line))
            return malformed(ret_refusal, "line_end");
    } while (line.len == 0);
    if (!parse_fields(ex, block, known, ret_refusal) || !check_rules(ex, parser, known, ret_refusal))
        return false;
    if (ts_request_id_valid(known[REQUEST_ID]))
        ex->req.request_id = known[REQUEST_ID];
    find_peer(ex, known[FORWARDED_FOR]);
    ex->req.trace = ts_trace_continue(known[TRACEPARENT]);
    if (!parse_target(ex, line, ret_refusal))
        return false;
    if (ts_str_is_none(ex->req.request_id) && !make_request_id(ex))
        return out_of_memory(ret_refusal);
    ex->is_head = ts_str_eq(ex->req.method, TS_STR("HEAD"));
    ex->expect = ex->http_1_0 ? TS_STR_NONE : known[EXPECT];
    ex->has_body = (parser->flags & F_CHUNKED) || parser->content_length > 0;
    return true;
}
