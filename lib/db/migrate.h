/*
 * Migrations: numbered, additive scripts for each dialect, compiled into the program (cmake makes the table
 * from migrations/<dialect>/ NNN_name.sql), applied at start under a lock, each in a transaction of its own,
 * recorded in schema_version with its checksum. A recorded script whose text changed is TS_E_DB_SCHEMA; a
 * database newer than the program too.
 */
#ifndef TS_DB_MIGRATE_H
#define TS_DB_MIGRATE_H

#include "db/db.h"

struct ts_migration {
    int version; /* 1, 2, 3 … without gaps */
    const char *name;
    const char *sql;
};

struct ts_migrations {
    const struct ts_migration *items;
    size_t n;
};

/* Blocking; on its own connection. *ret_applied (may be NULL): scripts applied now. */
TS_MUST_CHECK int ts_migrate(struct ts_db *db, const struct ts_migrations *migrations, int *ret_applied);

#endif
