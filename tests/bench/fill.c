/*
 * bench_fill sqlite FILE ROWS | bench_fill postgres URL ROWS: fills a store through the API's own parser and store, without HTTP, with ROWS
 * invented messages as a busy user would have them after two years: 60 channels of very different size, 300 assets, a fifth without signal, comments of frequent and of
 * rare words, Swing, Day Trade and a little Scalping. The same rows for the same number. Then it writes the search's index, as the service would.
 * Prints: rows, seconds of the filling, seconds of the indexing.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "parser.h"
#include "store.h"

enum { CHANNELS = 60, ASSETS = 300, WORDS = 20000, BATCH = 500 };
#define YEARS_US  (2 * 365 * TS_US_PER_DAY)
#define NEWEST_US (INT64_C(1793664000) * TS_US_PER_S) /* 2026-11-03 */

/* --- invention: SplitMix64, so that every run invents the same --------------------------------------------------------------- */

struct inventor {
    uint64_t state;
};

static uint64_t next(struct inventor *inventor)
{
    uint64_t z = inventor->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct inventor *inventor, unsigned n)
{
    return (unsigned)(next(inventor) % n);
}

/* 0 to n - 1; the k-th has a share of about 1 / k, as words in a language have. */
static unsigned frequent_first(struct inventor *inventor, unsigned n)
{
    double x = (double)(next(inventor) >> 11) / 9007199254740992.0;
    return (unsigned)TS_MIN(exp(x * log(n)) - 1, n - 1);
}

/* The same word for the same number. */
static void put_word(struct ts_buf *buf, unsigned number)
{
    static const char *const heads[] = {"b", "c", "d", "f", "g", "l",  "m",  "n",
                                        "p", "r", "s", "t", "v", "lh", "tr", "pr"};
    static const char *const tails[] = {"a", "e", "i", "o", "u", "ão", "ar", "er", "as", "ç"};
    struct inventor own = {number};
    for (unsigned i = 2 + below(&own, 3); i > 0; i--) {
        ts_buf_cstr(buf, heads[below(&own, TS_ARRAY_LEN(heads))]);
        ts_buf_cstr(buf, tails[below(&own, TS_ARRAY_LEN(tails))]);
    }
}

static void put_asset(struct ts_buf *buf, unsigned number)
{
    static const char *const classes[] = {"3", "4", "11"};
    struct inventor own = {number + 1000000};
    for (int i = 0; i < 4; i++)
        ts_buf_char(buf, (char)('A' + below(&own, 26)));
    ts_buf_cstr(buf, classes[below(&own, TS_ARRAY_LEN(classes))]);
}

static void put_price(struct ts_buf *buf, unsigned cents)
{
    ts_buf_printf(buf, "%u,%02u", cents / 100, cents % 100);
}

static void put_line(struct ts_buf *buf, const char *label, unsigned cents)
{
    ts_buf_cstr(buf, label);
    put_price(buf, cents);
    ts_buf_char(buf, '\n');
}

static void put_signal(struct ts_buf *buf, struct inventor *inventor)
{
    unsigned price = 500 + below(inventor, 8500), kind = below(inventor, 20);
    ts_buf_printf(buf, "🟢 **%s**\n\nATIVO: ",
                  kind < 12   ? "Swing Trade"
                  : kind < 18 ? "Day Trade"
                              : "Scalping");
    put_asset(buf, below(inventor, ASSETS));
    put_line(buf, below(inventor, 5) ? "\nCOMPRA: " : "\nVENDA: ", price);
    put_line(buf, "ALVO 1: ", price + price / 20);
    put_line(buf, "ALVO FINAL: ", price + price / 10);
    put_line(buf, "STOP: ", price - price / 20);
    ts_buf_char(buf, '\n');
}

static void put_message(struct ts_buf *buf, struct inventor *inventor)
{
    if (below(inventor, 5))
        put_signal(buf, inventor);
    else
        ts_buf_cstr(buf, "Bom dia! ");
    for (unsigned i = 6 + below(inventor, 18); i > 0; i--) {
        put_word(buf, frequent_first(inventor, WORDS));
        ts_buf_char(buf, ' ');
    }
    ts_buf_cstr(buf, "até o fim do pregão.");
}

/* --- filling ---------------------------------------------------------------------------------------------------------------- */

static struct store_ingest *make(struct inventor *inventor, int64_t row, int64_t rows)
{
    char channel[32];
    struct ts_buf text = TS_BUF_INIT(4096);
    unsigned number = frequent_first(inventor, CHANNELS);
    struct signal signal;
    put_message(&text, inventor);
    snprintf(channel, sizeof(channel), "Sala %u", number + 1);
    int64_t ts_us = NEWEST_US - YEARS_US + YEARS_US / rows * row;
    struct message message = {
        .channel_id = -INT64_C(1001000000001) - number,
        .message_id = row,
        .text = ts_buf_view(&text),
        .ts_us = ts_us / TS_US_PER_MS * TS_US_PER_MS,
        .channel = ts_str_from(channel),
        .source = TS_STR("telegram"),
        .photos = TS_STR("[]"),
        .edited_at_us = MESSAGE_NO_TIME,
        .received_at_us = MESSAGE_NO_TIME,
    };
    struct store_ingest *ingest = NULL;
    if (ts_buf_error(&text) == 0 && signal_parse(message.text, &signal, NULL) == 0)
        ingest = store_ingest_new(&message, &signal, TS_STR("bench"), TS_STR_NONE, message.ts_us);
    ts_buf_done(&text);
    return ingest;
}

static int fill(struct ts_db *db, int64_t rows)
{
    struct ts_writer_op *ops[BATCH];
    struct inventor inventor = {1};
    int r = 0;
    for (int64_t row = 0; row < rows && r == 0;) {
        size_t n = 0;
        for (; n < BATCH && row < rows && r == 0; row++) {
            struct store_ingest *ingest = make(&inventor, row + 1, rows);
            if (ingest)
                ops[n++] = &ingest->op;
            else
                r = -ENOMEM;
        }
        if (r == 0)
            r = ts_db_dialect(db) == TS_POSTGRES ? store_apply_batch(NULL, db, ops, n)
                                                 : store_apply_each(NULL, db, ops, n);
        while (n > 0)
            store_ingest_free(TS_CONTAINER_OF(ops[--n], struct store_ingest, op));
    }
    return r;
}

/* The trigrams of PostgreSQL at the end, all at once: a fifth of the time. */
static int index_all(struct ts_db *db)
{
    struct store_index index = {.max_rows = STORE_INDEX_ROWS_MAX};
    struct ts_writer_op *op = &index.op;
    bool postgres = ts_db_dialect(db) == TS_POSTGRES;
    int r = postgres ? ts_db_script(db, "DROP INDEX signal_search_trigrams") : 0;
    while (r == 0 && (index.seq == 0 || index.rows == index.max_rows))
        r = store_apply_index(NULL, db, &op, 1);
    if (r == 0 && postgres)
        r = store_make_trigrams(db);
    return r < 0 || !postgres ? r : ts_db_script(db, "VACUUM ANALYZE signal_search, tp_capital_signals");
}

static int run(struct ts_db *db, int64_t rows)
{
    int64_t began_us = ts_clock_mono_us();
    int r = store_migrate(db, "tp_capital", NULL);
    if (r == 0)
        r = fill(db, rows);
    int64_t filled_us = ts_clock_mono_us();
    if (r == 0)
        r = index_all(db);
    if (r < 0)
        fprintf(stderr, "bench_fill: %d %s\n", r, ts_db_error(db)->message);
    else
        printf("%lld %.1f %.1f\n", (long long)rows, (double)(filled_us - began_us) / 1e6,
               (double)(ts_clock_mono_us() - filled_us) / 1e6);
    return r;
}

int main(int argc, char **argv)
{
    bool postgres = argc == 4 && strcmp(argv[1], "postgres") == 0;
    int64_t rows = 0;
    if (argc != 4 || ts_parse_i64(ts_str_from(argv[3]), 1, 100000000, &rows) < 0) {
        fprintf(stderr, "usage: bench_fill sqlite FILE ROWS | bench_fill postgres URL ROWS\n");
        return 64;
    }
    const struct ts_db_options options = {.driver = postgres ? &ts_db_postgres : &ts_db_sqlite,
                                          .path = argv[2],
                                          .url = argv[2],
                                          .schema = postgres ? "tp_capital" : NULL,
                                          .statement_timeout_us = 600 * TS_US_PER_S};
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    return ts_db_open(&options, &db) == 0 && run(db, rows) == 0 ? 0 : 1;
}
