/*
 * Time. Wall-clock times are int64_t microseconds since 1970-01-01T00:00:00Z (`_us`), durations likewise;
 * deadlines use the monotonic clock, which never jumps. Thread-safe, except the fake clock, which tests set
 * before threads start.
 */
#ifndef TS_BASE_CLOCK_H
#define TS_BASE_CLOCK_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

#define TS_US_PER_MS  INT64_C(1000)
#define TS_US_PER_S   INT64_C(1000000)
#define TS_US_PER_DAY (86400 * TS_US_PER_S)

int64_t ts_clock_wall_us(void);
int64_t ts_clock_mono_us(void);

/* For tests: both clocks stand at these values until set again; wall_us < 0 gives the real clocks back. */
void ts_clock_fake(int64_t wall_us, int64_t mono_us);

/*
 * RFC 3339 with a zone ("Z" or +hh:mm) and 0 to 6 fraction digits (tp-capital 3.1); t and z may be small
 * letters. The leap second 23:59:60 UTC is taken as 23:59:59. TS_E_INVALID for anything else, dates that do
 * not exist included. Years 0001..9999, also in UTC.
 */
TS_MUST_CHECK int ts_time_parse_rfc3339(ts_str s, int64_t *ret_us);

/* `YYYY-MM-DD`, midnight UTC. TS_E_INVALID otherwise. */
TS_MUST_CHECK int ts_time_parse_date(ts_str s, int64_t *ret_us);

#define TS_TIME_TEXT_SIZE 32
/* "2026-11-23T14:02:11.120Z" into `out`, NUL-terminated; times outside years 1..9999 are clamped. Returns the
 * text. */
ts_str ts_time_format(int64_t time_us, char out[TS_TIME_TEXT_SIZE]);

#endif
