/*
 * PostgreSQL's binary formats, as far as we speak them: int8, bool, text, timestamptz, numeric, and one-dimensional arrays of them.
 * Inside lib/db. Thread rule: pure functions over the caller's buffer.
 */
#ifndef TS_DB_PG_CODEC_H
#define TS_DB_PG_CODEC_H

#include "base/buf.h"
#include "db/db.h"

/* The type's number (pg_type.dat); 0 for NULL: the server finds out. */
unsigned ts_pg_type_of(enum ts_db_type type);

/*
 * Appends the value's binary form to `out`; errors are sticky there. TEXT and NULL need none and are not accepted: libpq takes a text
 * from where it lies.
 */
void ts_pg_encode(struct ts_buf *out, const struct ts_db_value *value);

/* A column of `type` as a number of ours: int2, int4, int8, oid; bool; timestamptz; numeric. Anything else is a defect (assertion). */
int64_t ts_pg_decode_number(unsigned type, const char *bytes, size_t len, enum ts_db_type wanted);

/* True for text, varchar, char(n), name, json and unknown, whose binary form is the text. */
bool ts_pg_is_text(unsigned type);

#endif
