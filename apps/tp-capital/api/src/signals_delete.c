/* DELETE /signals: takes signals out of every list, by id or by the moment they were stored. */
#include "mutation.h"
#include "routes.h"

struct deletion {
    struct mutation base;
    struct store_selection which;
};

static struct validate_result read_selection(struct mutation *m, const json_t *body)
{
    return validate_deletion(body, &TS_CONTAINER_OF(m, struct deletion, base)->which);
}

static int run_deletion(struct mutation *m, struct store_tx *tx)
{
    int64_t n;
    int r = store_delete_signals(tx, &TS_CONTAINER_OF(m, struct deletion, base)->which, m->now_us, &n);
    /* Fewer than before: the attempt whose outcome was unknown took them out. */
    if (r == 0 && (!m->may_be_there || n > m->rows))
        m->rows = n;
    return r;
}

static void put_deleted(const struct mutation *m, struct ts_jsonw *w)
{
    mutation_put_ok(m, w);
    ts_jsonw_key_i64(w, "deleted", m->rows);
}

void signals_delete(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = {.msg = "Signals deleted",
                                              .size = sizeof(struct deletion),
                                              .status = 200,
                                              .read = read_selection,
                                              .missing = "ingestedAt is required",
                                              .missing_field = "ingestedAt",
                                              .run = run_deletion,
                                              .put_answer = put_deleted};
    mutation_handle(req, app_of(ctx), &kind);
}
