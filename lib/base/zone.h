/*
 * The time zone of the process, for answers that speak of days: stored times stay UTC.
 *
 * A zone is a name of the system's tz database ("America/Sao_Paulo", "UTC"). A day of it begins where its calendar date does, which
 * is not always at midnight (clocks that go forward at midnight) and not always 24 h after the day before.
 *
 * Thread rule: ts_zone_set() at start, before there are threads; the others from any thread afterwards.
 */
#ifndef TS_BASE_ZONE_H
#define TS_BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/compiler.h"
#include "base/str.h"

/* That the database has it; false for rules ("<-03>3") and paths. */
bool ts_zone_is_known(ts_str name);

/* Makes it the zone of the process. TS_E_INVALID when it is not known, -ENOMEM. */
TS_MUST_CHECK int ts_zone_set(ts_str name);

/* The clock on the wall there; whole seconds. Times outside of years 1 to 9999 are clamped. */
struct tm ts_zone_local(int64_t time_us);

/* When the day began that this moment belongs to, and the one after it. */
int64_t ts_zone_day_start(int64_t time_us);
int64_t ts_zone_next_day(int64_t time_us);

#define TS_DAY_TEXT_SIZE 32
/* Its date, "2026-11-23". */
ts_str ts_zone_format_day(int64_t time_us, char out[TS_DAY_TEXT_SIZE]);

#endif
