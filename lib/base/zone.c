#include "base/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

#define DEFAULT_DATABASE "/usr/share/zoneinfo"
#define NAME_MAX_LEN     64

#define MIN_S INT64_C(-62135596800) /* 0001-01-01 */
#define MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59 */

/* Further than any zone's midnight lies from that of UTC. */
#define MIDNIGHT_WITHIN_S INT64_C(93600)

/* Letters, digits, `_`, `+` and `-` in pieces between slashes: nothing that leads out of the database. */
static bool is_name(ts_str name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                  c == '_' || c == '-' || c == '+';
        if (!ok)
            return false;
    }
    return true;
}

bool ts_zone_is_known(ts_str name)
{
    const char *database = getenv("TZDIR");
    char path[512], magic[4] = "";

    if (!is_name(name))
        return false;
    int len = snprintf(path, sizeof(path), "%s/%.*s", database && *database ? database : DEFAULT_DATABASE,
                       TS_STR_ARG(name));
    FILE *file = len > 0 && (size_t)len < sizeof(path) ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    bool known = fread(magic, 1, sizeof(magic), file) == sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
    fclose(file);
    return known;
}

int ts_zone_set(ts_str name)
{
    char text[NAME_MAX_LEN + 1];

    if (!ts_zone_is_known(name))
        return TS_E_INVALID;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    if (setenv("TZ", text, 1) < 0) // NOLINT(concurrency-mt-unsafe): at start, before there are threads
        return -errno;
    tzset();
    return 0;
}

static struct tm local(int64_t time_s)
{
    const time_t clamped = (time_t)TS_MIN(TS_MAX(time_s, MIN_S), MAX_S);
    struct tm tm = {0};
    localtime_r(&clamped, &tm);
    return tm;
}

static int64_t seconds_of(int64_t time_us)
{
    return time_us / TS_US_PER_S - (time_us % TS_US_PER_S < 0);
}

struct tm ts_zone_local(int64_t time_us)
{
    return local(seconds_of(time_us));
}

/* Dates in the order of the calendar. */
static int64_t date_number(const struct tm *tm)
{
    return ((int64_t)tm->tm_year * 12 + tm->tm_mon) * 31 + tm->tm_mday;
}

/*
 * The first second whose date is this one or a later one (a zone may leave out a day). By halves: the date only grows, but for minutes
 * around a midnight that is set back, of which one is found.
 */
static int64_t first_second_of(int year, int month, int day)
{
    struct tm wanted = {.tm_year = year, .tm_mon = month, .tm_mday = day};
    const int64_t midnight_utc = timegm(&wanted); /* and a 32nd becomes the 1st */
    int64_t before = midnight_utc - MIDNIGHT_WITHIN_S, at = midnight_utc + MIDNIGHT_WITHIN_S;

    while (at - before > 1) {
        const int64_t middle = before + (at - before) / 2;
        const struct tm tm = local(middle);
        if (date_number(&tm) >= date_number(&wanted))
            at = middle;
        else
            before = middle;
    }
    return at;
}

int64_t ts_zone_day_start(int64_t time_us)
{
    const struct tm tm = ts_zone_local(time_us);
    return first_second_of(tm.tm_year, tm.tm_mon, tm.tm_mday) * TS_US_PER_S;
}

int64_t ts_zone_next_day(int64_t time_us)
{
    const struct tm tm = ts_zone_local(time_us);
    return first_second_of(tm.tm_year, tm.tm_mon, tm.tm_mday + 1) * TS_US_PER_S;
}

ts_str ts_zone_format_day(int64_t time_us, char out[TS_DAY_TEXT_SIZE])
{
    const struct tm tm = ts_zone_local(time_us);
    int len = snprintf(out, TS_DAY_TEXT_SIZE, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    return (ts_str){out, (size_t)len};
}
