/* Registered bots: /telegram/bots, and /bots that says whether there is one. Of a token only the fingerprint is kept. */
#include "list.h"
#include "mutation.h"
#include "registry.h"
#include "routes.h"

/* --- lists -------------------------------------------------------------------------------------------------------------- */

static int on_bot(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "id", ts_row_text(row, 0));
    ts_jsonw_key_str(w, "username", ts_row_text(row, 1));
    ts_jsonw_key_str(w, "bot_type", ts_row_text(row, 3));
    ts_jsonw_key_str(w, "description", ts_row_text(row, 4));
    ts_jsonw_key_str(w, "status", ts_row_text(row, 5));
    ts_jsonw_key_bool(w, "has_token", true);
    ts_jsonw_key_str(w, "token_fingerprint", ts_row_text(row, 2));
    list_put_time(w, "created_at", row, 6);
    list_put_time(w, "updated_at", row, 7);
    ts_jsonw_end(w);
    return 0;
}

static int put_list(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    (void)args;
    ts_jsonw_key(w, "data");
    ts_jsonw_array(w);
    int r = store_list_registered_bots(db, on_bot, w);
    ts_jsonw_end(w);
    list_put_now(w);
    return r;
}

void bots_list(struct ts_http_request *req, void *ctx)
{
    list_start(req, app_of(ctx), put_list, NULL, 0);
}

static int put_summary(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    bool configured = false;
    (void)args;
    int r = store_has_bot(db, &configured);
    ts_jsonw_key(w, "data");
    ts_jsonw_object(w);
    ts_jsonw_key_bool(w, "configured", configured);
    ts_jsonw_key_str(w, "mode", TS_STR("gateway"));
    ts_jsonw_key_str(w, "webhook", TS_STR_NONE);
    ts_jsonw_key_str(w, "status", TS_STR("running"));
    list_put_now(w);
    ts_jsonw_end(w);
    return r;
}

void bots_summary(struct ts_http_request *req, void *ctx)
{
    list_start(req, app_of(ctx), put_summary, NULL, 0);
}

/* --- mutations ---------------------------------------------------------------------------------------------------------- */

struct bot_mutation {
    struct mutation base; /* `subject` is the bot's id */
    struct bot_fields fields;
};

static struct bot_fields *fields_of(const struct mutation *m)
{
    return &TS_CONTAINER_OF(m, struct bot_mutation, base)->fields;
}

static struct validate_result read_fields(struct mutation *m, const json_t *body, bool create)
{
    struct validate_result result = registry_read_bot(body, create, fields_of(m));
    if (result.problem == VALIDATE_OK && registry_keep_bot(fields_of(m), m->arena) < 0)
        result.problem = VALIDATE_NO_MEMORY;
    return result;
}

static struct validate_result read_create(struct mutation *m, const json_t *body)
{
    return read_fields(m, body, true);
}

static struct validate_result read_update(struct mutation *m, const json_t *body)
{
    return read_fields(m, body, false);
}

static int run_create(struct mutation *m, struct store_tx *tx)
{
    return store_create_bot(tx, m->subject, fields_of(m), m->now_us);
}

static int run_update(struct mutation *m, struct store_tx *tx)
{
    return store_update_bot(tx, m->subject, fields_of(m), m->now_us);
}

static int run_delete(struct mutation *m, struct store_tx *tx)
{
    return store_delete_bot(tx, m->subject, m->now_us);
}

void bots_create(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = {.msg = "Bot registered",
                                              .size = sizeof(struct bot_mutation),
                                              .status = 201,
                                              .new_id = "bot",
                                              .read = read_create,
                                              .missing = "username and token are required",
                                              .run = run_create,
                                              .conflict = "Bot already exists",
                                              .put_answer = mutation_put_id};
    mutation_handle(req, app_of(ctx), &kind);
}

void bots_update(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = {.msg = "Bot changed",
                                              .size = sizeof(struct bot_mutation),
                                              .status = 200,
                                              .read = read_update,
                                              .missing = "No fields to update",
                                              .run = run_update,
                                              .not_found = "Bot not found",
                                              .conflict = "Bot already exists",
                                              .put_answer = mutation_put_ok};
    mutation_handle(req, app_of(ctx), &kind);
}

void bots_delete(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = {.msg = "Bot deleted",
                                              .size = sizeof(struct bot_mutation),
                                              .status = 200,
                                              .run = run_delete,
                                              .not_found = "Bot not found",
                                              .put_answer = mutation_put_ok};
    mutation_handle(req, app_of(ctx), &kind);
}
