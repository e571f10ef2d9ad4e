/* Open addressing at a load of one half at most, so a search always ends. */
#include "db/db_internal.h"

static size_t slot_of(const struct ts_statements *statements, const struct ts_sql *sql)
{
    const size_t mask = TS_ARRAY_LEN(statements->slots) - 1;
    size_t i = (size_t)(((uintptr_t)sql >> 4) * 0x9E3779B97F4A7C15u >> 32) & mask;

    while (statements->slots[i].sql && statements->slots[i].sql != sql)
        i = (i + 1) & mask;
    return i;
}

void *ts_statements_find(const struct ts_statements *statements, const struct ts_sql *sql)
{
    return statements->slots[slot_of(statements, sql)].prepared;
}

void ts_statements_put(struct ts_statements *statements, const struct ts_sql *sql, void *prepared,
                       void (*release)(void *prepared))
{
    size_t i = slot_of(statements, sql);

    if (statements->slots[i].sql) {
        release(statements->slots[i].prepared);
        statements->slots[i].prepared = prepared;
        return;
    }
    if (statements->n == TS_DB_MAX_STATEMENTS) {
        ts_statements_clear(statements, release);
        i = slot_of(statements, sql);
    }
    statements->slots[i] = (struct ts_statement_slot){.sql = sql, .prepared = prepared};
    statements->n++;
}

void ts_statements_clear(struct ts_statements *statements, void (*release)(void *prepared))
{
    for (size_t i = 0; i < TS_ARRAY_LEN(statements->slots); i++)
        if (statements->slots[i].sql)
            release(statements->slots[i].prepared);
    memset(statements, 0, sizeof(*statements));
}
