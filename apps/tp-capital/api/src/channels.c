/* Registered channels: /telegram/channels, the older forms of it under /telegram-channels, and /config/channels. */
#include "list.h"
#include "mutation.h"
#include "registry.h"
#include "routes.h"

/* --- lists -------------------------------------------------------------------------------------------------------------- */

static int on_channel(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "id", ts_row_text(row, 0));
    ts_jsonw_key_str(w, "label", ts_row_text(row, 1));
    list_put_id(w, "channel_id", ts_row_int(row, 2));
    ts_jsonw_key_str(w, "channel_type", ts_row_text(row, 3));
    ts_jsonw_key_str(w, "description", ts_row_text(row, 4));
    ts_jsonw_key_str(w, "status", ts_row_text(row, 5));
    ts_jsonw_key_i64(w, "signal_count", ts_row_int(row, 6));
    list_put_time(w, "last_signal", row, 7);
    list_put_time(w, "created_at", row, 8);
    list_put_time(w, "updated_at", row, 9);
    ts_jsonw_end(w);
    return 0;
}

static int put_data(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    (void)args;
    ts_jsonw_key(w, "data");
    ts_jsonw_array(w);
    int r = store_list_registered_channels(db, on_channel, w);
    ts_jsonw_end(w);
    return r;
}

static int put_list(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    int r = put_data(w, db, args);
    list_put_now(w);
    return r;
}

void channels_list(struct ts_http_request *req, void *ctx)
{
    list_start(req, app_of(ctx), put_list, NULL, 0);
}

void channels_list_legacy(struct ts_http_request *req, void *ctx)
{
    list_start(req, app_of(ctx), put_data, NULL, 0);
}

static int on_configured(const struct ts_row *row, void *ctx)
{
    struct ts_jsonw *w = ctx;
    ts_jsonw_object(w);
    list_put_id(w, "channelId", ts_row_int(row, 0));
    ts_jsonw_key_str(w, "type", ts_row_text(row, 1));
    ts_jsonw_end(w);
    return 0;
}

static int put_configured(struct ts_jsonw *w, struct ts_db *db, const void *args)
{
    (void)args;
    ts_jsonw_key(w, "data");
    ts_jsonw_array(w);
    int r = store_list_configured_channels(db, on_configured, w);
    ts_jsonw_end(w);
    list_put_now(w);
    return r;
}

void channels_configured(struct ts_http_request *req, void *ctx)
{
    list_start(req, app_of(ctx), put_configured, NULL, 0);
}

/* --- mutations ---------------------------------------------------------------------------------------------------------- */

struct channel_mutation {
    struct mutation base; /* `subject` is the channel's id */
    struct channel_fields fields;
};

static struct channel_fields *fields_of(const struct mutation *m)
{
    return &TS_CONTAINER_OF(m, struct channel_mutation, base)->fields;
}

static struct validate_result read_fields(struct mutation *m, const json_t *body, bool create)
{
    struct validate_result result = registry_read_channel(body, create, fields_of(m));
    if (result.problem == VALIDATE_OK && registry_keep_channel(fields_of(m), m->arena) < 0)
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
    return store_create_channel(tx, m->subject, fields_of(m), m->now_us);
}

static int run_update(struct mutation *m, struct store_tx *tx)
{
    return store_update_channel(tx, m->subject, fields_of(m), m->now_us);
}

static int run_delete(struct mutation *m, struct store_tx *tx)
{
    return store_delete_channel(tx, m->subject, m->now_us);
}

static void put_success(const struct mutation *m, struct ts_jsonw *w)
{
    (void)m;
    ts_jsonw_key_bool(w, "success", true);
}

/* The row as it was made a moment ago. */
static void put_created(const struct mutation *m, struct ts_jsonw *w)
{
    const struct channel_fields *f = fields_of(m);
    put_success(m, w);
    ts_jsonw_key(w, "channel");
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "id", m->subject);
    ts_jsonw_key_str(w, "label", f->label);
    list_put_id(w, "channel_id", f->channel_id);
    ts_jsonw_key_str(w, "channel_type", f->channel_type);
    ts_jsonw_key_str(w, "description", f->description);
    ts_jsonw_key_str(w, "status", f->status);
    ts_jsonw_key_i64(w, "signal_count", 0);
    ts_jsonw_key_str(w, "last_signal", TS_STR_NONE);
    ts_jsonw_key_time(w, "created_at", m->now_us);
    ts_jsonw_key_time(w, "updated_at", m->now_us);
    ts_jsonw_end(w);
}

/* The older forms differ in the answer only. */
#define CREATE(put)                                                                               \
    {                                                                                             \
        .msg = "Channel registered", .size = sizeof(struct channel_mutation), .status = 201,      \
        .new_id = "channel", .read = read_create, .missing = "label and channel_id are required", \
        .run = run_create, .conflict = "Channel already exists", .put_answer = (put)              \
    }
#define UPDATE(put)                                                                                 \
    {                                                                                               \
        .msg = "Channel changed", .size = sizeof(struct channel_mutation), .status = 200,           \
        .read = read_update, .missing = "No fields to update", .run = run_update,                   \
        .not_found = "Channel not found", .conflict = "Channel already exists", .put_answer = (put) \
    }
#define DELETE(put)                                                                                          \
    {                                                                                                        \
        .msg = "Channel deleted", .size = sizeof(struct channel_mutation), .status = 200, .run = run_delete, \
        .not_found = "Channel not found", .put_answer = (put)                                                \
    }

void channels_create(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = CREATE(mutation_put_id);
    mutation_handle(req, app_of(ctx), &kind);
}

void channels_update(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = UPDATE(mutation_put_ok);
    mutation_handle(req, app_of(ctx), &kind);
}

void channels_delete(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = DELETE(mutation_put_ok);
    mutation_handle(req, app_of(ctx), &kind);
}

void channels_create_legacy(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = CREATE(put_created);
    mutation_handle(req, app_of(ctx), &kind);
}

void channels_update_legacy(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = UPDATE(put_success);
    mutation_handle(req, app_of(ctx), &kind);
}

void channels_delete_legacy(struct ts_http_request *req, void *ctx)
{
    static const struct mutation_kind kind = DELETE(put_success);
    mutation_handle(req, app_of(ctx), &kind);
}
