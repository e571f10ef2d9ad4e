#include "stored.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/json.h"
#include "testing/http.h"
#include "testing/process.h"

#define SIGNALS "SELECT channel_id, message_id, raw_message FROM tp_capital_signals ORDER BY id"
#define KEYS    "SELECT channel_id, message_id, raw_message FROM ingested_messages"

static struct ledger_count finish(const struct ledger *ledger, const char *source)
{
    struct ledger_count count = ledger_read_end(ledger);

    ledger_print(source, &count);
    return count;
}

/* --- GET /signals --- */

static void take_row(struct ledger *ledger, const json_t *row)
{
    int64_t channel_id, message_id;

    if (ts_json_i64(json_object_get(row, "channel_id"), INT64_MIN, INT64_MAX, &channel_id) < 0 ||
        ts_json_i64(json_object_get(row, "message_id"), INT64_MIN, INT64_MAX, &message_id) < 0)
        ts_test_die("GET /signals: a row without its key");
    ledger_found(ledger, channel_id, message_id, ts_json_get_str(row, "raw_message"));
}

/* False after the last page; `cursor` becomes that of the next. */
static bool take_page(struct ledger *ledger, int port, char *cursor, size_t cursor_size)
{
    _cleanup_(ts_test_reply_done) struct ts_test_reply reply = {0};
    _cleanup_(ts_json_freep) json_t *page = NULL;
    char url[512];
    size_t i;
    const json_t *row;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/signals?limit=1000%s%s", port, *cursor ? "&cursor=" : "",
             cursor);
    if (ts_test_get(url, &reply) != 200)
        ts_test_die("GET /signals: status %ld, %.200s", reply.status, reply.body);
    int r = ts_json_parse_object((ts_str){reply.body, reply.body_len}, 8, &page);
    if (r < 0)
        ts_test_die("GET /signals: %s in %.200s", ts_error_text(r), reply.body);
    json_array_foreach(json_object_get(page, "data"), i, row) take_row(ledger, row);
    ts_str next = ts_json_get_str(page, "nextCursor");
    snprintf(cursor, cursor_size, "%.*s", TS_STR_ARG(next));
    return next.len > 0;
}

struct ledger_count stored_by_api(struct ledger *ledger, int port)
{
    char cursor[256] = "";

    ledger_read_begin(ledger, false);
    while (take_page(ledger, port, cursor, sizeof(cursor)))
        ;
    return finish(ledger, "GET /signals");
}

/* --- SQLite --- */

static void read_sqlite(struct ledger *ledger, const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int r;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        ts_test_die("%s: %s", path, sqlite3_errmsg(db));
    while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
        ts_str text = {(const char *)sqlite3_column_text(statement, 2),
                       (size_t)sqlite3_column_bytes(statement, 2)};
        ledger_found(ledger, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1), text);
    }
    if (r != SQLITE_DONE)
        ts_test_die("%s: %s", path, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

struct ledger_count stored_signals_sqlite(struct ledger *ledger, const char *path, bool ordered)
{
    ledger_read_begin(ledger, ordered);
    read_sqlite(ledger, path, SIGNALS);
    return finish(ledger, "signals in the file");
}

struct ledger_count stored_keys_sqlite(struct ledger *ledger, const char *path)
{
    ledger_read_begin(ledger, false);
    read_sqlite(ledger, path, KEYS);
    return finish(ledger, "keys in the file");
}

/* --- PostgreSQL --- */

static void take_result(struct ledger *ledger, PGconn *conn, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
        ts_test_die("PostgreSQL: %s", PQerrorMessage(conn));
    for (int i = 0; i < PQntuples(result); i++) {
        ts_str text = {PQgetvalue(result, i, 2), (size_t)PQgetlength(result, i, 2)};
        ledger_found(ledger, strtoll(PQgetvalue(result, i, 0), NULL, 10),
                     strtoll(PQgetvalue(result, i, 1), NULL, 10), text);
    }
}

static void read_postgres(struct ledger *ledger, const char *url, const char *sql)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *result;

    PQclear(PQexec(conn, "SET search_path = tp_capital"));
    if (!PQsendQuery(conn, sql) || !PQsetSingleRowMode(conn))
        ts_test_die("PostgreSQL: %s", PQerrorMessage(conn));
    while ((result = PQgetResult(conn)) != NULL) {
        take_result(ledger, conn, result);
        PQclear(result);
    }
    PQfinish(conn);
}

struct ledger_count stored_signals_postgres(struct ledger *ledger, const char *url, bool ordered)
{
    ledger_read_begin(ledger, ordered);
    read_postgres(ledger, url, SIGNALS);
    return finish(ledger, "signals in PostgreSQL");
}

struct ledger_count stored_keys_postgres(struct ledger *ledger, const char *url)
{
    ledger_read_begin(ledger, false);
    read_postgres(ledger, url, KEYS);
    return finish(ledger, "keys in PostgreSQL");
}

size_t stored_seqs_postgres(const char *url, void (*fn)(int64_t seq, void *ctx), void *ctx)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *result = PQexec(conn, "SELECT seq FROM tp_capital.tp_capital_signals ORDER BY seq");
    size_t n = (size_t)PQntuples(result);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        ts_test_die("PostgreSQL: %s", PQerrorMessage(conn));
    for (size_t i = 0; i < n; i++)
        fn(strtoll(PQgetvalue(result, (int)i, 0), NULL, 10), ctx);
    PQclear(result);
    PQfinish(conn);
    return n;
}
