#include "db/pg_codec.h"

#include <assert.h>
#include <endian.h>

#include "base/clock.h"

/* Type numbers, fixed for ever by PostgreSQL's catalogue (pg_type.dat). */
enum {
    PG_BOOL = 16,
    PG_NAME = 19,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_OID = 26,
    PG_JSON = 114,
    PG_UNKNOWN = 705,
    PG_BPCHAR = 1042,
    PG_VARCHAR = 1043,
    PG_TIMESTAMPTZ = 1184,
    PG_NUMERIC = 1700,
    PG_BOOL_ARRAY = 1000,
    PG_TEXT_ARRAY = 1009,
    PG_INT8_ARRAY = 1016,
    PG_TIMESTAMPTZ_ARRAY = 1185,
    PG_NUMERIC_ARRAY = 1231,
};

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in our time */

/* A number is a row of digits of base 10,000: value = sum of digit[i] * 10000^(weight - i). */
#define NUMERIC_NEGATIVE 0x4000
#define NUMERIC_SPECIAL  0xC000 /* NaN and the infinities have both bits */
#define NUMERIC_NAN      0xC000
#define NUMERIC_MINUS    0xF000 /* minus infinity */
#define PRICE_DECIMALS   6

unsigned ts_pg_type_of(enum ts_db_type type)
{
    static const unsigned types[] = {
        [TS_DB_NULL] = 0,
        [TS_DB_INT] = PG_INT8,
        [TS_DB_BOOL] = PG_BOOL,
        [TS_DB_TEXT] = PG_TEXT,
        [TS_DB_TIME] = PG_TIMESTAMPTZ,
        [TS_DB_PRICE] = PG_NUMERIC,
        [TS_DB_INT_ARRAY] = PG_INT8_ARRAY,
        [TS_DB_BOOL_ARRAY] = PG_BOOL_ARRAY,
        [TS_DB_TEXT_ARRAY] = PG_TEXT_ARRAY,
        [TS_DB_TIME_ARRAY] = PG_TIMESTAMPTZ_ARRAY,
        [TS_DB_PRICE_ARRAY] = PG_NUMERIC_ARRAY,
    };

    return types[type];
}

bool ts_pg_is_text(unsigned type)
{
    switch (type) {
    case PG_TEXT:
    case PG_VARCHAR:
    case PG_BPCHAR:
    case PG_NAME:
    case PG_JSON:
    case PG_UNKNOWN:
        return true;
    default:
        return false;
    }
}

/* --- to the server --- */

static void put16(struct ts_buf *out, unsigned value)
{
    uint16_t big = htobe16((uint16_t)value);
    ts_buf_bytes(out, &big, sizeof(big));
}

static void put32(struct ts_buf *out, int64_t value)
{
    uint32_t big = htobe32((uint32_t)value);
    ts_buf_bytes(out, &big, sizeof(big));
}

static void put64(struct ts_buf *out, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);
    ts_buf_bytes(out, &big, sizeof(big));
}

/* Four before the point (int64 has 13 decimals there), two behind it. */
#define MAX_PRICE_DIGITS 6

/* 1e-6 is one and a half digits, so the fraction is written as 1e-8. Neither leading nor trailing zero digits are sent. */
static size_t price_digits(uint64_t magnitude, unsigned digits[MAX_PRICE_DIGITS], int *ret_weight)
{
    const uint64_t fraction = magnitude % 1000000 * 100;
    unsigned all[MAX_PRICE_DIGITS] = {0};
    size_t first = 0, last = MAX_PRICE_DIGITS;
    uint64_t whole = magnitude / 1000000;

    all[MAX_PRICE_DIGITS - 1] = (unsigned)(fraction % 10000);
    all[MAX_PRICE_DIGITS - 2] = (unsigned)(fraction / 10000);
    for (size_t i = MAX_PRICE_DIGITS - 2; i > 0; i--, whole /= 10000)
        all[i - 1] = (unsigned)(whole % 10000);
    while (first < last && all[first] == 0)
        first++;
    while (last > first && all[last - 1] == 0)
        last--;
    memcpy(digits, all + first, (last - first) * sizeof(*digits));
    *ret_weight = MAX_PRICE_DIGITS - 3 - (int)first;
    return last - first;
}

static void put_price(struct ts_buf *out, int64_t e6)
{
    const uint64_t magnitude = e6 < 0 ? 0 - (uint64_t)e6 : (uint64_t)e6;
    unsigned digits[MAX_PRICE_DIGITS];
    int weight;
    size_t n = price_digits(magnitude, digits, &weight);

    put16(out, (unsigned)n);
    put16(out, n ? (unsigned)weight : 0);
    put16(out, e6 < 0 ? NUMERIC_NEGATIVE : 0);
    put16(out, PRICE_DECIMALS);
    for (size_t i = 0; i < n; i++)
        put16(out, digits[i]);
}

static void put_scalar(struct ts_buf *out, enum ts_db_type type, int64_t value)
{
    switch (type) {
    case TS_DB_INT:
        put64(out, value);
        break;
    case TS_DB_BOOL:
        ts_buf_char(out, value ? 1 : 0);
        break;
    case TS_DB_TIME:
        put64(out, TS_MAX(value, INT64_MIN + PG_EPOCH_US) - PG_EPOCH_US);
        break;
    case TS_DB_PRICE:
        put_price(out, value);
        break;
    default:
        assert(false && "not a number");
    }
}

static enum ts_db_type item_type(enum ts_db_type array)
{
    switch (array) {
    case TS_DB_INT_ARRAY:
        return TS_DB_INT;
    case TS_DB_BOOL_ARRAY:
        return TS_DB_BOOL;
    case TS_DB_TIME_ARRAY:
        return TS_DB_TIME;
    case TS_DB_PRICE_ARRAY:
        return TS_DB_PRICE;
    default:
        assert(array == TS_DB_TEXT_ARRAY);
        return TS_DB_TEXT;
    }
}

static bool is_null_item(const struct ts_db_value *array, size_t i)
{
    return (array->array.nulls && array->array.nulls[i]) ||
           (array->type == TS_DB_TEXT_ARRAY && ts_str_is_none(array->array.str[i]));
}

/* The length goes before the item, so it is filled in behind it. */
static void put_item(struct ts_buf *out, const struct ts_db_value *array, enum ts_db_type type, size_t i)
{
    if (is_null_item(array, i)) {
        put32(out, -1);
    } else if (type == TS_DB_TEXT) {
        put32(out, (int64_t)array->array.str[i].len);
        ts_buf_str(out, array->array.str[i]);
    } else {
        const size_t start = out->len;
        put32(out, 0);
        put_scalar(out, type, array->array.i64[i]);
        if (ts_buf_error(out))
            return;
        const uint32_t len = htobe32((uint32_t)(out->len - start - sizeof(len)));
        memcpy(out->data + start, &len, sizeof(len));
    }
}

static void put_array(struct ts_buf *out, const struct ts_db_value *value)
{
    const enum ts_db_type type = item_type(value->type);
    const size_t n = value->array.n;
    bool has_nulls = false;

    for (size_t i = 0; i < n && !has_nulls; i++)
        has_nulls = is_null_item(value, i);
    put32(out, n > 0 ? 1 : 0); /* dimensions */
    put32(out, has_nulls);
    put32(out, ts_pg_type_of(type));
    if (n == 0)
        return;
    put32(out, (int64_t)n);
    put32(out, 1); /* the first item's number */
    for (size_t i = 0; i < n; i++)
        put_item(out, value, type, i);
}

void ts_pg_encode(struct ts_buf *out, const struct ts_db_value *value)
{
    if (value->type >= TS_DB_INT_ARRAY)
        put_array(out, value);
    else
        put_scalar(out, value->type, value->i64);
}

/* --- from the server --- */

static unsigned get16(const char *bytes)
{
    uint16_t big;
    memcpy(&big, bytes, sizeof(big));
    return be16toh(big);
}

static uint32_t get32(const char *bytes)
{
    uint32_t big;
    memcpy(&big, bytes, sizeof(big));
    return be32toh(big);
}

static int64_t get64(const char *bytes)
{
    uint64_t big;
    memcpy(&big, bytes, sizeof(big));
    return (int64_t)be64toh(big);
}

static int64_t get_time(const char *bytes)
{
    int64_t us;

    /* Also the infinities, which are the ends of int64. */
    if (__builtin_add_overflow(get64(bytes), PG_EPOCH_US, &us))
        return INT64_MAX;
    return us;
}

/* digit * 10000^power, in 1e-6; true when it does not fit. */
static bool add_digit(int64_t digit, int power, int64_t *sum)
{
    /* In 1e-6 the digit of weight -1 counts hundreds, that of -2 hundredths, and whatever is smaller is cut. */
    if (power < -2)
        return false;
    if (power == -2)
        return __builtin_add_overflow(*sum, digit / 100, sum);
    digit *= 100;
    for (int i = -1; i < power; i++)
        if (__builtin_mul_overflow(digit, 10000, &digit))
            return true;
    return __builtin_add_overflow(*sum, digit, sum);
}

static int64_t get_price(const char *bytes, size_t len)
{
    assert(len >= 8);
    const unsigned n = get16(bytes), sign = get16(bytes + 4);
    const int weight = (int16_t)get16(bytes + 2);
    const bool is_negative = sign == NUMERIC_NEGATIVE || sign == NUMERIC_MINUS;
    int64_t sum = 0;

    assert(len >= 8 + 2 * (size_t)n);
    if (sign == NUMERIC_NAN)
        return 0;
    bool is_beyond = (sign & NUMERIC_SPECIAL) == NUMERIC_SPECIAL;
    for (unsigned i = 0; i < n && !is_beyond; i++) /* summed up as negative: int64 has one more of these */
        is_beyond = add_digit(-(int64_t)get16(bytes + 8 + 2 * i), weight - (int)i, &sum);
    if (is_beyond || (!is_negative && sum == INT64_MIN))
        return is_negative ? INT64_MIN : INT64_MAX;
    return is_negative ? sum : -sum;
}

static int64_t get_int(unsigned type, const char *bytes)
{
    switch (type) {
    case PG_INT8:
        return get64(bytes);
    case PG_INT4:
        return (int32_t)get32(bytes);
    case PG_INT2:
        return (int16_t)get16(bytes);
    default:
        assert(type == PG_OID);
        return get32(bytes);
    }
}

int64_t ts_pg_decode_number(unsigned type, const char *bytes, size_t len, enum ts_db_type wanted)
{
    switch (wanted) {
    case TS_DB_INT:
        return get_int(type, bytes);
    case TS_DB_BOOL:
        assert(type == PG_BOOL);
        return bytes[0] != 0;
    case TS_DB_TIME:
        assert(type == PG_TIMESTAMPTZ);
        return get_time(bytes);
    default:
        assert(wanted == TS_DB_PRICE && type == PG_NUMERIC);
        return get_price(bytes, len);
    }
}
