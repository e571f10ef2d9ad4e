/*
 * Transfer: reads the rows of a file: CSV as RFC 4180 has it, with a header line, a comma and quotes (an empty field without quotes is
 * null, as PostgreSQL's COPY writes it), or JSON lines, one object a line; the first byte tells. What is no row (broken quotes, another number of
 * fields, no JSON) is handed over with its problem, and the reading goes on. Memory is bounded by TRANSFER_MAX_BYTES a row.
 */
#ifndef TP_CAPITAL_TRANSFER_READ_H
#define TP_CAPITAL_TRANSFER_READ_H

#include <stdio.h>

#include "transfer.h"

/* 0 to go on; anything else ends the reading and is returned by it. The record is gone afterwards. */
typedef int (*transfer_record_fn)(const struct transfer_record *record, void *ctx);

/* 0; TS_E_MISSING when a CSV's header names no column of ours; -errno of the file, -ENOMEM, or what `fn` returned. */
TS_MUST_CHECK int transfer_read(FILE *in, const struct transfer_layout *layout, transfer_record_fn fn,
                                void *ctx);

#endif
