/*
 * Migrations. A start with nothing to do only reads, so that a role without rights on the schema can start on
 * a migrated database.
 */
#include "db/migrate.h"

#include <stdio.h>

#include "base/clock.h"
#include "db/db_internal.h"

#define CHECKSUM_SIZE (2 * 32 + 1)

/* An index on a large table takes longer than any request may; the wait for another replica's migration has
 * an end. */
static const char *const pg_patient = "SET statement_timeout = 0; SET lock_timeout = '60s'";
static const char *const pg_lock = "SELECT pg_advisory_lock(8390322045806929263)"; /* "tsmigrat" */
static const char *const pg_unlock =
    "SELECT pg_advisory_unlock(8390322045806929263); RESET statement_timeout; RESET lock_timeout";

/* The schema of search_path, when it does not exist yet: asked first, because even IF NOT EXISTS wants the
 * right to create. */
static const char *const pg_schema =
    "DO $$ DECLARE wanted text := btrim(split_part(current_setting('search_path'), ',', 1), ' \"'); BEGIN"
    " IF current_schema() IS NULL AND wanted <> '' AND wanted <> '$user' THEN"
    " EXECUTE format('CREATE SCHEMA %I', wanted); END IF; END $$";

static const struct ts_sql sql_table_exists = {
    "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = "
    "'schema_version'",
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
};
static const char *const create_table[] = {
    [TS_SQLITE] =
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)",
    [TS_POSTGRES] =
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL,"
        " checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL)",
};
static const struct ts_sql sql_recorded = {"SELECT version, checksum FROM schema_version ORDER BY version",
                                           NULL};
static const struct ts_sql sql_record = {
    "INSERT INTO schema_version (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)", NULL};

struct check {
    struct ts_db *db;
    const struct ts_migrations *migrations;
    size_t recorded; /* versions 1..recorded are in the database */
};

static void checksum_of(const struct ts_migration *migration, char out[CHECKSUM_SIZE])
{
    uint8_t digest[32];

    ts_sha256(ts_str_from(migration->sql), digest);
    ts_hex(digest, sizeof(digest), out);
}

static int refuse(struct check *check, const char *why, int64_t version)
{
    char message[128];

    snprintf(message, sizeof(message), "migration %lld %s", (long long)version, why);
    return ts_db_fail(&check->db->error, TS_E_DB_SCHEMA, message);
}

static int on_recorded(const struct ts_row *row, void *ctx)
{
    struct check *check = ctx;
    const int64_t version = ts_row_int(row, 0);
    char checksum[CHECKSUM_SIZE];

    if (version > (int64_t)check->migrations->n)
        return refuse(check, "is unknown to this program: the database is newer", version);
    if (version != (int64_t)check->recorded + 1)
        return refuse(check, "is recorded, but not the one before it", version);
    checksum_of(&check->migrations->items[check->recorded], checksum);
    if (!ts_str_eq(ts_row_text(row, 1), ts_str_from(checksum)))
        return refuse(check, "was applied with another text", version);
    check->recorded++;
    return 0;
}

static int on_count(const struct ts_row *row, void *ctx)
{
    *(bool *)ctx = ts_row_int(row, 0) > 0;
    return 0;
}

static int read_recorded(struct check *check)
{
    bool exists = false;

    check->recorded = 0;
    int64_t r = ts_db_run(check->db, &sql_table_exists, NULL, 0, on_count, &exists);
    if (r < 0 || !exists)
        return (int)TS_MIN(r, 0);
    r = ts_db_run(check->db, &sql_recorded, NULL, 0, on_recorded, check);
    return (int)TS_MIN(r, 0);
}

static int apply_within(struct ts_db *db, const struct ts_migration *migration)
{
    char checksum[CHECKSUM_SIZE];

    checksum_of(migration, checksum);
    const struct ts_db_value params[] = {
        ts_db_int(migration->version),
        ts_db_text(ts_str_from(migration->name)),
        ts_db_text(ts_str_from(checksum)),
        ts_db_time(ts_clock_wall_us()),
    };
    int r = ts_db_script(db, migration->sql);
    if (r < 0)
        return r;
    int64_t recorded = ts_db_run(db, &sql_record, params, TS_ARRAY_LEN(params), NULL, NULL);
    return recorded < 0 ? (int)recorded : 0;
}

static int apply_one(struct check *check, const struct ts_migration *migration)
{
    int r = ts_db_begin(check->db);

    if (r < 0)
        return r;
    /* SQLite's lock is the transaction: another process may have been here between our reading and now. */
    if (check->db->driver->dialect == TS_SQLITE) {
        r = read_recorded(check);
        if (r < 0 || (int64_t)check->recorded >= migration->version) {
            ts_db_rollback(check->db);
            return r;
        }
    }
    r = apply_within(check->db, migration);
    if (r < 0) {
        ts_db_rollback(check->db);
        return r;
    }
    return ts_db_commit(check->db);
}

static int apply_missing(struct check *check, int *ret_applied)
{
    int r = ts_db_script(check->db, create_table[check->db->driver->dialect]);

    if (r < 0)
        return r;
    r = read_recorded(check); /* another replica may have done it while we waited for the lock */
    if (r < 0)
        return r;
    for (size_t i = check->recorded; i < check->migrations->n; i++) {
        assert(check->migrations->items[i].version == (int)i + 1);
        r = apply_one(check, &check->migrations->items[i]);
        if (r < 0)
            return r;
        ++*ret_applied;
    }
    return 0;
}

/* With the advisory lock held; it and the settings end with the connection at the latest. */
static int apply_missing_locked(struct check *check, int *ret_applied)
{
    int r = ts_db_script(check->db, pg_patient);

    if (r == 0)
        r = ts_db_script(check->db, pg_lock);
    if (r == 0)
        r = ts_db_script(check->db, pg_schema);
    if (r == 0)
        r = apply_missing(check, ret_applied);
    const struct ts_db_error error = check->db->error;
    int unlocked = ts_db_script(check->db, pg_unlock);
    if (r == 0)
        return unlocked;
    check->db->error = error;
    return r;
}

int ts_migrate(struct ts_db *db, const struct ts_migrations *migrations, int *ret_applied)
{
    struct check check = {.db = db, .migrations = migrations};
    int applied = 0;

    int r = read_recorded(&check);
    if (r < 0)
        return r;
    if (check.recorded < migrations->n)
        r = db->driver->dialect == TS_POSTGRES ? apply_missing_locked(&check, &applied)
                                               : apply_missing(&check, &applied);
    if (r == 0 && ret_applied)
        *ret_applied = applied;
    return r;
}
