/*
 * Mutation: a small change that a person asks for (the registry, a deletion), done by the writer and then answered. Those that wait share
 * one transaction under the store's lock, as messages do; each is answered after the commit.
 *
 *     struct bot_mutation *bot = (void *)mutation_new(req, app, &create_kind, sizeof(*bot));
 *     … fill it from the body, with copies in bot->base.arena …
 *     mutation_submit(&bot->base, req);
 *
 * A queue that is full, memory that is out, a database that is away and a deadline that has passed are 503 with Retry-After; what the
 * database should not have refused is 500. Everything that becomes of it is one line in the log.
 *
 * Thread rule: the loop's thread, but `run` on the writer's.
 */
#ifndef TP_CAPITAL_MUTATION_H
#define TP_CAPITAL_MUTATION_H

#include "app.h"
#include "base/jsonw.h"
#include "http/json.h"
#include "validate.h"

struct mutation;

struct mutation_kind {
    const char *msg;       /* of its line in the log: "Channel registered" */
    int status;            /* of the answer when it was done */
    const char *not_found; /* the error texts of 404 and 409; NULL when `run` has no such result */
    const char *conflict;
    /*
     * Its statements. 0; TS_E_NOT_FOUND or TS_E_CONFLICT when nothing was changed, which disturbs nobody else; any other error fails the
     * transaction. It is called again when the outcome of an attempt is not known (writer.h), so what it did once it must find done.
     */
    int (*run)(struct mutation *mutation, struct store_tx *tx);
    /* The members of the answer's object. */
    void (*put_answer)(const struct mutation *mutation, struct ts_jsonw *w);
};

/* Embed it first in a struct of your own. */
struct mutation {
    struct ts_writer_op op;
    const struct mutation_kind *kind;
    struct app *app;
    struct ts_arena *arena; /* holds this too */
    ts_http_ticket ticket;
    ts_str request_id;
    ts_str subject; /* the id of what it is about, for the log; or NONE */
    int64_t now_us; /* server time, whole milliseconds */
    /* Results of the last attempt. */
    int64_t rows;      /* changed, for the log; set by `run` */
    int outcome;       /* 0, TS_E_NOT_FOUND, TS_E_CONFLICT */
    int64_t seq;       /* the last number it drew; 0 = none */
    bool may_be_there; /* an earlier attempt got as far as its commit */
};

/* The most that a mutation holds, its copies of the body included. */
#define MUTATION_BYTES (16 * 1024)

/* Zeroed, `size` bytes. NULL when 503 was answered, which is before the body is parsed. */
struct mutation *mutation_new(struct ts_http_request *req, struct app *app, const struct mutation_kind *kind,
                              size_t size);
struct mutation *mutation_free(struct mutation *mutation);

/* Takes it, and parks the request. */
void mutation_submit(struct mutation *mutation, struct ts_http_request *req);

/* The body as an object; NULL when 400 `Invalid JSON` was answered. */
json_t *mutation_body(struct ts_http_request *req);

/* 400 that names the field; `missing` is the text for required fields that are not there. 503 when memory is out. */
void mutation_refuse(struct ts_http_request *req, const struct validate_result *result, const char *missing,
                     const char *missing_field);

#endif
