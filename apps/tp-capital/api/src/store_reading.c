/* The small lists, the health check and the schema. */
#include <stdio.h>

#include "base/error.h"
#include "store.h"
#include "store_internal.h"
#include "store_migrations.h"

static int run(struct ts_db *db, const struct ts_sql *sql, const struct ts_db_value *params, size_t n,
               ts_row_fn fn, void *ctx)
{
    return (int)TS_MIN(ts_db_run(db, sql, params, n, fn, ctx), 0);
}

int store_list_channels(struct ts_db *db, store_row_fn fn, void *ctx)
{
    static const struct ts_sql sql = {
        .text = "SELECT channel, channel_id, signal_count, last_signal FROM channel_stats"
                " ORDER BY signal_count DESC, channel_id, channel"};
    return run(db, &sql, NULL, 0, fn, ctx);
}

int store_list_configured_channels(struct ts_db *db, store_row_fn fn, void *ctx)
{
    static const struct ts_sql sql = {
        .text = "SELECT channel_id, channel_type FROM telegram_channels WHERE status = 'active'"
                " ORDER BY channel_id, channel_type"};
    return run(db, &sql, NULL, 0, fn, ctx);
}

static int on_row(const struct ts_row *row, void *ctx)
{
    (void)row;
    *(bool *)ctx = true;
    return 0;
}

int store_has_bot(struct ts_db *db, bool *ret)
{
    static const struct ts_sql sql = {.text = "SELECT 1 FROM telegram_bots WHERE status = 'active' LIMIT 1"};
    bool found = false;
    int r = run(db, &sql, NULL, 0, on_row, &found);
    if (r == 0)
        *ret = found;
    return r;
}

/* Read in order from the index by time; every filter is asked of each row on the way, NULL lets it through. */
#define ANY(n, type, condition) " AND ($" n type " IS NULL OR " condition ")"
#define FORWARDED(bigint, boolean, text, find)                                                        \
    "SELECT id, ts, source_channel_id, source_channel_name, message_id, message_text, image_url, "    \
    "image_width, image_height, forwarded_at,"                                                        \
    " destination_channel_id, forward_method FROM forwarded_messages"                                 \
    " WHERE ts >= $1 AND ts <= $2 AND (ts, id) < ($3, $4)" ANY("5", bigint, "source_channel_id = $5") \
        ANY("6", boolean, "(image_url IS NOT NULL) = $6")                                             \
            ANY("7", text, find("message_text") " OR " find("source_channel_name"))                   \
                ANY("8", text, "forward_method = $8") " ORDER BY ts DESC, id DESC LIMIT $9"
#define FIND_POSTGRES(column) "strpos(lower(" column "), lower($7)) > 0"
#define FIND_SQLITE(column)   "instr(lower(" column "), lower($7)) > 0"

int store_list_forwarded(struct ts_db *db, const struct store_forwarded_filter *filter, store_row_fn fn,
                         void *ctx)
{
    static const struct ts_sql sql = {.text = FORWARDED("::bigint", "::boolean", "::text", FIND_POSTGRES),
                                      .sqlite = FORWARDED("", "", "", FIND_SQLITE)};
    const struct ts_db_value params[] = {
        store_time_within(filter->from_us),
        store_time_within(filter->to_us),
        store_time_within(filter->before_ts_us),
        ts_db_int(filter->before_id),
        filter->has_channel_id ? ts_db_int(filter->channel_id) : ts_db_null(),
        filter->media < 0 ? ts_db_null() : ts_db_bool(filter->media),
        ts_db_text(filter->search),
        ts_db_text(filter->method),
        ts_db_int(filter->limit),
    };
    return run(db, &sql, params, TS_ARRAY_LEN(params), fn, ctx);
}

/* --- health ------------------------------------------------------------------------------------------------------------- */

static int on_fsync(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_str_eq(ts_row_text(row, 0), TS_STR("off"));
    return 0;
}

int store_check_health(struct ts_db *db, struct store_health *ret)
{
    static const struct ts_sql sql = {.text = "SELECT current_setting('fsync') FROM change_seq",
                                      .sqlite = "SELECT 'on' FROM change_seq"};
    return run(db, &sql, NULL, 0, on_fsync, &ret->fsync_off);
}

/* --- schema ------------------------------------------------------------------------------------------------------------- */

static int make_schema(struct ts_db *db, const char *schema)
{
    static const struct ts_sql exists = {.text = "SELECT 1 FROM pg_namespace WHERE nspname = $1"};
    struct ts_db_value name = ts_db_text(ts_str_from(schema));
    bool found = false;
    int r = run(db, &exists, &name, 1, on_row, &found);
    if (r < 0 || found)
        return r;
    char script[128]; /* the name was checked: letters, digits and underscores */
    snprintf(script, sizeof(script), "CREATE SCHEMA IF NOT EXISTS %s", schema);
    return ts_db_script(db, script);
}

int store_migrate(struct ts_db *db, const char *schema, int *ret_applied)
{
    if (ts_db_dialect(db) == TS_SQLITE)
        return ts_migrate(db, &store_migrations_sqlite, ret_applied);
    int r = make_schema(db, schema);
    if (r == 0)
        r = ts_migrate(db, &store_migrations_postgres, ret_applied);
    return r < 0 ? r : store_make_trigrams(db);
}

static int on_answer(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_row_bool(row, 0);
    return 0;
}

int store_has_hypertables(struct ts_db *db, bool *ret)
{
    static const struct ts_sql sql = {.text = "SELECT is_hypertable('tp_capital_signals')"};
    *ret = false;
    return ts_db_dialect(db) == TS_SQLITE ? 0 : run(db, &sql, NULL, 0, on_answer, ret);
}

int store_use_hypertables(struct ts_db *db, bool *ret)
{
    static const struct ts_sql sql = {.text = "SELECT use_hypertables()"};
    *ret = false;
    return ts_db_dialect(db) == TS_SQLITE ? 0 : run(db, &sql, NULL, 0, on_answer, ret);
}

static int on_reason(const struct ts_row *row, void *ctx)
{
    snprintf(ctx, STORE_REASON_SIZE, "%.*s", TS_STR_ARG(ts_row_text(row, 0)));
    return 0;
}

int store_compress_after(struct ts_db *db, int64_t days, char ret_refused[STORE_REASON_SIZE])
{
    static const struct ts_sql sql = {.text = "SELECT compress_after($1::bigint::integer)"};
    const struct ts_db_value param = ts_db_int(days);
    snprintf(ret_refused, STORE_REASON_SIZE, "%s", "SQLite does not compress");
    return ts_db_dialect(db) == TS_SQLITE ? 0 : run(db, &sql, &param, 1, on_reason, ret_refused);
}
