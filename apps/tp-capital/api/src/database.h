/*
 * The service's way to its database: at start it is awaited and migrated while HTTP already answers 503, then the readers and, on PostgreSQL,
 * the listener begin; at the end all of it stops in order. Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_DATABASE_H
#define TP_CAPITAL_DATABASE_H

#include "db/db.h"
#include "service/service.h"

struct app;

/* Begins; app->ready says when it is done. When the attempts are used up the service is told to quit with 1. */
TS_MUST_CHECK int database_start(struct app *app);

/* Ends with app_stopped(). */
void database_stop(struct app *app);

/*
 * For verbs that write, while no server runs: where the database is, and for SQLite the lock that the running service holds, because no
 * second process opens its file for writing. An error was told on standard error.
 */
TS_MUST_CHECK int database_for_verb(struct ts_service *service, const char *verb, struct ts_db_options *ret,
                                    int *ret_lock_fd);
TS_MUST_CHECK int database_migrate_for_verb(const char *verb, const struct ts_db_options *options,
                                            int *ret_applied);

/* The verb `migrate`: applies the migrations with MIGRATION_DATABASE_URL (or the service's own database), and no server runs. */
int database_migrate_verb(struct ts_service *service, int argc, char **argv);

#endif
