/*
 * For tests only: a small blocking HTTP client (libcurl), one connection a call. Thread rule: main thread.
 */
#ifndef TS_TESTING_HTTP_H
#define TS_TESTING_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct ts_test_reply {
    long status; /* 0 = no answer (refused, reset, timed out) */
    char *body;  /* owned; NUL-terminated, "" when empty */
    size_t body_len;
    char *headers; /* owned; as received, lines end in CRLF */
};

struct ts_test_request {
    const char *method; /* NULL = GET, or POST with a body */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; NULL = none */
    const char *body;           /* NULL = none */
    size_t body_len;            /* 0 = strlen(body) */
    int timeout_ms;             /* 0 = 15 s */
};

/* Frees what the reply held before: start with {0}. Returns the status. */
long ts_test_http(const struct ts_test_request *request, struct ts_test_reply *reply);
void ts_test_reply_done(struct ts_test_reply *reply); /* fits _cleanup_ */

/* Shorthands. `token_header` may be NULL. JSON content type. */
long ts_test_get(const char *url, struct ts_test_reply *reply);
long ts_test_post_json(const char *url, const char *token_header, const char *json,
                       struct ts_test_reply *reply);

/* The value of a header into `out`; false when it is absent. */
bool ts_test_header(const struct ts_test_reply *reply, const char *name, char *out, size_t out_size);

/* True as soon as GET url answers `status`. */
bool ts_test_wait_status(const char *url, long status, int timeout_ms);

#endif
