/* DELETE /signals: takes signals out of every list, by id or by the moment they were stored. */
#include "mutation.h"
#include "routes.h"

struct deletion {
    struct mutation base;
    struct store_selection which;
};

static int run_deletion(struct mutation *base, struct store_tx *tx)
{
    struct deletion *deletion = TS_CONTAINER_OF(base, struct deletion, base);
    int64_t n;
    int r = store_delete_signals(tx, &deletion->which, base->now_us, &n);
    /* Fewer than before: the attempt whose outcome was unknown took them out. */
    if (r == 0 && (!base->may_be_there || n > base->rows))
        base->rows = n;
    return r;
}

static void put_deletion(const struct mutation *base, struct ts_jsonw *w)
{
    ts_jsonw_key_str(w, "status", TS_STR("ok"));
    ts_jsonw_key_i64(w, "deleted", base->rows);
}

static const struct mutation_kind deletion_kind = {
    .msg = "Signals deleted", .status = 200, .run = run_deletion, .put_answer = put_deletion};

void signals_delete(struct ts_http_request *req, void *ctx)
{
    struct mutation *base = mutation_new(req, app_of(ctx), &deletion_kind, sizeof(struct deletion));
    if (!base)
        return;
    struct deletion *deletion = TS_CONTAINER_OF(base, struct deletion, base);
    _cleanup_(ts_json_freep) json_t *body = mutation_body(req);
    struct validate_result result = {VALIDATE_OK, NULL};
    if (body)
        result = validate_deletion(body, &deletion->which);
    if (body && result.problem == VALIDATE_OK) {
        mutation_submit(base, req);
        return;
    }
    if (body)
        mutation_refuse(req, &result, "ingestedAt is required", "ingestedAt");
    mutation_free(base);
}
