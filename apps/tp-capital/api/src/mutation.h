/*
 * Mutation: a small change that a person asks for (the registry, a deletion), done by the writer and then answered. A kind says what is
 * read from the body, which statements run and what the answer holds; a route's handler only names it. Those that wait share one
 * transaction under the store's lock, as messages do; each is answered after the commit.
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
    const char *msg;    /* of its line in the log: "Channel registered" */
    size_t size;        /* of the struct that begins with a struct mutation */
    int status;         /* of the answer when it was done */
    const char *new_id; /* "channel": what it makes gets an id of this kind */
    /*
     * What the body says; copies in the mutation's arena. VALIDATE_MISSING is 400 with the text `missing` and, unless NULL, the field
     * `missing_field`. NULL: there is no body.
     */
    struct validate_result (*read)(struct mutation *mutation, const json_t *body);
    const char *missing, *missing_field;
    /*
     * Its statements. 0; TS_E_NOT_FOUND or TS_E_CONFLICT when nothing was changed, which disturbs nobody else; any other error fails the
     * transaction. It is called again when the outcome of an attempt is not known (writer.h), so what it did once it must find done.
     */
    int (*run)(struct mutation *mutation, struct store_tx *tx);
    const char *not_found, *conflict; /* the error texts of 404 and 409; NULL when there is no such result */
    /* The members of the answer's object. */
    void (*put_answer)(const struct mutation *mutation, struct ts_jsonw *w);
};

/* Zeroed before `read`. */
struct mutation {
    struct ts_writer_op op;
    const struct mutation_kind *kind;
    struct app *app;
    struct ts_arena *arena; /* holds this too */
    ts_http_ticket ticket;
    ts_str request_id;
    ts_str subject; /* the id of what it is about: the new one, or that of the path; or NONE */
    int64_t now_us; /* server time, whole milliseconds */
    /* Results of the last attempt. */
    int64_t rows;      /* changed; set by `run` where it is not 1, for the log */
    int outcome;       /* 0, TS_E_NOT_FOUND, TS_E_CONFLICT */
    int64_t seq;       /* the last number it drew; 0 = none */
    bool may_be_there; /* an earlier attempt got as far as its commit */
};

/* The most that a mutation holds, its copies of the body included. */
#define MUTATION_BYTES (16 * 1024)

/* The whole handler. */
void mutation_handle(struct ts_http_request *req, struct app *app, const struct mutation_kind *kind);

/* Fit put_answer: {"status":"ok"}, and with the id of what was made. */
void mutation_put_ok(const struct mutation *mutation, struct ts_jsonw *w);
void mutation_put_id(const struct mutation *mutation, struct ts_jsonw *w);

/* ts_writer_kind.apply, for the test of what becomes of lost answers. */
int mutation_apply(void *store, struct ts_db *db, struct ts_writer_op *const *ops, size_t n);

#endif
