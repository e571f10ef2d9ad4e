/*
 * POST /ingest: a message is checked, parsed, handed to the writer, and answered when it is on disk (tp-capital 3).
 *
 * Every request is counted once in api_ingestion_requests_total, whether or not its client is still there when the answer is due.
 * Thread rule: the loop's thread; apply is the store's.
 */
#ifndef TP_CAPITAL_INGEST_H
#define TP_CAPITAL_INGEST_H

#include "http/server.h"

/* The media type is application/json, with or without charset=utf-8; otherwise 415 was answered. */
bool ingest_accepts_json(struct ts_http_request *req);

#endif
