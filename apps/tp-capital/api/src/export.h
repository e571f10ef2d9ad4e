/*
 * GET /signals/export: all rows that match, as one file, in the order of GET /signals.
 *
 * A page of rows is read by cursor on a reader thread when the client has taken the one before (http/server.h, answers in pieces), so an
 * export of any length holds one page in memory and no reader between two pages. The first page is read before the answer begins, so
 * that a database that is away makes 503. At most EXPORT_MAX run at once; more are 503 with Retry-After. Thread rule: the loop's thread.
 */
#ifndef TP_CAPITAL_EXPORT_H
#define TP_CAPITAL_EXPORT_H

#define EXPORT_MAX 4

#endif
