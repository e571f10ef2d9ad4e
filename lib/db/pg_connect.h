/*
 * How we connect to PostgreSQL: the session's settings and time limits, for the driver and the listener. Inside lib/db.
 */
#ifndef TS_DB_PG_CONNECT_H
#define TS_DB_PG_CONNECT_H

#include <libpq-fe.h>

#include "db/db.h"

struct ts_pg_target {
    char *url;              /* owned, as all strings here */
    char *settings;         /* "-c name=value …" */
    char *application_name; /* NULL = libpq's choice */
    char *host; /* the URL's single host name that needs a resolver; NULL = none or not for us to resolve */
};

/* Copies what is needed. -ENOMEM; TS_E_INVALID for a URL libpq can't read or a schema that is no plain name. */
TS_MUST_CHECK int ts_pg_target_init(struct ts_pg_target *target, const struct ts_db_options *options);
void ts_pg_target_done(struct ts_pg_target *target);

/* PQconnectStart: does not block, except for the resolver when address is NULL (address: numeric, of target->host). NULL = no memory. */
PGconn *ts_pg_connect_start(const struct ts_pg_target *target, const char *address);

/* The class of a SQLSTATE (db.h); NULL or "" is a lost connection. */
int ts_pg_class_of(const char *sqlstate);

/* Notes why the connection failed; returns TS_E_DB_CONNECTION. */
int ts_pg_describe_connection(const PGconn *conn, struct ts_db_error *out);

#endif
