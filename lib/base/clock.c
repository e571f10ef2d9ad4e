#include "base/clock.h"

#include <time.h>

#include "base/error.h"

#define DAYS_PER_ERA 146097 /* 400 years */
#define EPOCH_DAYS   719468 /* from 0000-03-01 to 1970-01-01 */

#define MIN_TIME_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define MAX_TIME_US INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */

static struct {
    bool on;
    int64_t wall_us, mono_us;
} fake;

void ts_clock_fake(int64_t wall_us, int64_t mono_us)
{
    fake.on = wall_us >= 0;
    fake.wall_us = wall_us;
    fake.mono_us = mono_us;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return now.tv_sec * TS_US_PER_S + now.tv_nsec / 1000;
}

int64_t ts_clock_wall_us(void)
{
    return fake.on ? fake.wall_us : read_clock(CLOCK_REALTIME);
}

int64_t ts_clock_mono_us(void)
{
    return fake.on ? fake.mono_us : read_clock(CLOCK_MONOTONIC);
}

struct date {
    int year, month, day;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool date_exists(struct date d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1)
        return false;
    return d.day <= days[d.month - 1] + (d.month == 2 && is_leap(d.year));
}

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in March here, so that the leap day
 * is the last one and a month's first day is a linear function of the month.
 */
static int64_t days_of_date(struct date d)
{
    int64_t year = d.month > 2 ? d.year : d.year - 1;
    int64_t month = d.month > 2 ? d.month - 3 : d.month + 9;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;

    return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           EPOCH_DAYS;
}

static struct date date_of_days(int64_t days)
{
    int64_t day = days + EPOCH_DAYS; /* not negative from year 1 on */
    int64_t era = day / DAYS_PER_ERA, day_of_era = day % DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 = March */
    int64_t year = era * 400 + year_of_era + (month >= 10);

    return (struct date){
        .year = (int)year,
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

/* --- parsing: each take_ moves *s forward and says whether it found what it wants --- */

static bool take_char(ts_str *s, char upper)
{
    if (s->len == 0 || (s->ptr[0] != upper && s->ptr[0] != (upper | 0x20)))
        return false;
    s->ptr++;
    s->len--;
    return true;
}

static bool take_number(ts_str *s, size_t digits, int max, int *ret)
{
    int value = 0;

    if (s->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        value = value * 10 + (s->ptr[i] - '0');
    }
    if (value > max)
        return false;
    s->ptr += digits;
    s->len -= digits;
    *ret = value;
    return true;
}

static bool take_date(ts_str *s, struct date *ret)
{
    return take_number(s, 4, 9999, &ret->year) && take_char(s, '-') && take_number(s, 2, 12, &ret->month) &&
           take_char(s, '-') && take_number(s, 2, 31, &ret->day) && date_exists(*ret);
}

static bool take_fraction(ts_str *s, int64_t *ret_us)
{
    int64_t us = 0, unit = 100000;

    if (!take_char(s, '.')) {
        *ret_us = 0;
        return true;
    }
    size_t digits = 0;
    for (; digits < s->len && s->ptr[digits] >= '0' && s->ptr[digits] <= '9'; digits++, unit /= 10)
        us += unit * (s->ptr[digits] - '0');
    if (digits < 1 || digits > 6)
        return false;
    s->ptr += digits;
    s->len -= digits;
    *ret_us = us;
    return true;
}

static bool take_zone(ts_str *s, int *ret_offset_min)
{
    int hours, minutes;

    if (take_char(s, 'Z')) {
        *ret_offset_min = 0;
        return true;
    }
    int sign = s->len > 0 && s->ptr[0] == '-' ? -1 : 1;
    if (s->len == 0 || (s->ptr[0] != '+' && s->ptr[0] != '-'))
        return false;
    s->ptr++;
    s->len--;
    if (!take_number(s, 2, 23, &hours) || !take_char(s, ':') || !take_number(s, 2, 59, &minutes))
        return false;
    *ret_offset_min = sign * (hours * 60 + minutes);
    return true;
}

int ts_time_parse_rfc3339(ts_str s, int64_t *ret_us)
{
    struct date date;
    int hour, minute, second, offset_min;
    int64_t fraction_us;

    if (!take_date(&s, &date) || !take_char(&s, 'T') || !take_number(&s, 2, 23, &hour) ||
        !take_char(&s, ':') || !take_number(&s, 2, 59, &minute) || !take_char(&s, ':') ||
        !take_number(&s, 2, 60, &second) || !take_fraction(&s, &fraction_us) || !take_zone(&s, &offset_min) ||
        s.len > 0)
        return TS_E_INVALID;

    int64_t minutes = days_of_date(date) * 1440 + hour * 60 + minute - offset_min;
    if (second == 60) {
        if ((minutes + 1) % 1440 != 0) /* leap seconds end a UTC day */
            return TS_E_INVALID;
        second = 59;
    }
    int64_t us = (minutes * 60 + second) * TS_US_PER_S + fraction_us;
    if (us < MIN_TIME_US || us > MAX_TIME_US)
        return TS_E_INVALID;
    *ret_us = us;
    return 0;
}

int ts_time_parse_date(ts_str s, int64_t *ret_us)
{
    struct date date;

    if (!take_date(&s, &date) || s.len > 0)
        return TS_E_INVALID;
    *ret_us = days_of_date(date) * TS_US_PER_DAY;
    return 0;
}

static char *put_number(char *out, int digits, int value, char after)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    out[digits] = after;
    return out + digits + 1;
}

ts_str ts_time_format(int64_t time_us, char out[TS_TIME_TEXT_SIZE])
{
    int64_t clamped = TS_MIN(TS_MAX(time_us, MIN_TIME_US), MAX_TIME_US);
    int64_t since_year_1_us = clamped - MIN_TIME_US; /* not negative, so / and % round down */
    int64_t days = since_year_1_us / TS_US_PER_DAY + MIN_TIME_US / TS_US_PER_DAY;
    int ms = (int)(since_year_1_us % TS_US_PER_DAY / TS_US_PER_MS);
    struct date date = date_of_days(days);

    char *p = put_number(out, 4, date.year, '-');
    p = put_number(p, 2, date.month, '-');
    p = put_number(p, 2, date.day, 'T');
    p = put_number(p, 2, ms / 3600000, ':');
    p = put_number(p, 2, ms / 60000 % 60, ':');
    p = put_number(p, 2, ms / 1000 % 60, '.');
    p = put_number(p, 3, ms % 1000, 'Z');
    *p = '\0';
    return (ts_str){out, (size_t)(p - out)};
}
