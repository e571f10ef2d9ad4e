#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/process.h"

#define FIRST_CHANNEL (-1001000000100) /* and downwards */

void ledger_init(struct ledger *ledger, int n_channels)
{
    *ledger = (struct ledger){.n_channels = n_channels};
}

void ledger_done(struct ledger *ledger)
{
    free(ledger->entries);
    *ledger = (struct ledger){0};
}

size_t ledger_send(struct ledger *ledger)
{
    if (ledger->n_sent == ledger->capacity) {
        size_t capacity = ledger->capacity ? 2 * ledger->capacity : 4096;
        struct ledger_entry *entries = reallocarray(ledger->entries, capacity, sizeof(*entries));
        if (!entries)
            ts_test_die("out of memory for the ledger");
        ledger->entries = entries;
        ledger->capacity = capacity;
    }
    ledger->entries[ledger->n_sent] = (struct ledger_entry){0};
    return ledger->n_sent++;
}

void ledger_acknowledge(struct ledger *ledger, size_t n)
{
    ledger->entries[n].acknowledged = true;
}

int64_t ledger_channel_id(const struct ledger *ledger, size_t n)
{
    return FIRST_CHANNEL - (int64_t)(n % (size_t)ledger->n_channels);
}

int64_t ledger_message_id(const struct ledger *ledger, size_t n)
{
    return (int64_t)(n / (size_t)ledger->n_channels) + 1;
}

/* A signal of every kind, and noise: the parser's branches are on the way to disk too. */
const char *ledger_text(size_t n, char out[LEDGER_TEXT_SIZE])
{
    static const char *const forms[] = {
        "COMPRA PETR4 @ 30,50\\nStop: 29,10\\nn %zu",
        "VENDA VALE3\\nEntrada: 61,20 a 61,40\\nAlvo 1: 60,10\\nStop: 62,00\\nn %zu",
        "Bom dia, pregão de poucos negócios. n %zu",
    };
    snprintf(out, LEDGER_TEXT_SIZE, forms[n % TS_ARRAY_LEN(forms)], n);
    return out;
}

/* The stored text is that of the message, whose \n is a line end there. */
static bool is_text_of(size_t n, ts_str stored)
{
    char expected[LEDGER_TEXT_SIZE];
    size_t at = 0;

    for (const char *c = ledger_text(n, expected); *c; c++, at++) {
        bool line_end = c[0] == '\\' && c[1] == 'n';
        if (at == stored.len || stored.ptr[at] != (line_end ? '\n' : *c))
            return false;
        c += line_end;
    }
    return at == stored.len;
}

/* False when no such message was sent. */
static bool find(const struct ledger *ledger, int64_t channel_id, int64_t message_id, size_t *ret_n)
{
    int64_t channel = FIRST_CHANNEL - channel_id;

    if (channel < 0 || channel >= ledger->n_channels || message_id < 1 ||
        (uint64_t)message_id > ledger->n_sent)
        return false;
    size_t n = (size_t)(message_id - 1) * (size_t)ledger->n_channels + (size_t)channel;
    if (n >= ledger->n_sent)
        return false;
    *ret_n = n;
    return true;
}

void ledger_excuse(struct ledger *ledger, int64_t channel_id, int64_t message_id)
{
    size_t n;

    if (find(ledger, channel_id, message_id, &n))
        ledger->entries[n].may_be_late = true;
}

void ledger_read_begin(struct ledger *ledger, bool ordered)
{
    for (size_t n = 0; n < ledger->n_sent; n++)
        ledger->entries[n].found = 0;
    memset(ledger->last_message, 0, sizeof(ledger->last_message));
    ledger->foreign = ledger->altered = ledger->disordered = 0;
    ledger->ordered = ordered;
}

static void judge_order(struct ledger *ledger, size_t n, int64_t message_id)
{
    int64_t *last = &ledger->last_message[n % (size_t)ledger->n_channels];

    if (message_id > *last)
        *last = message_id;
    else if (message_id < *last && !ledger->entries[n].may_be_late)
        ledger->disordered++;
}

void ledger_found(struct ledger *ledger, int64_t channel_id, int64_t message_id, ts_str text)
{
    size_t n;

    if (!find(ledger, channel_id, message_id, &n)) {
        ledger->foreign++;
        return;
    }
    if (!ts_str_is_none(text) && !is_text_of(n, text))
        ledger->altered++;
    if (ledger->ordered)
        judge_order(ledger, n, message_id);
    if (ledger->entries[n].found < UINT16_MAX)
        ledger->entries[n].found++;
}

struct ledger_count ledger_read_end(const struct ledger *ledger)
{
    struct ledger_count count = {.sent = ledger->n_sent,
                                 .stored = ledger->foreign,
                                 .foreign = ledger->foreign,
                                 .altered = ledger->altered,
                                 .disordered = ledger->disordered};

    for (size_t n = 0; n < ledger->n_sent; n++) {
        const struct ledger_entry *entry = &ledger->entries[n];
        count.stored += entry->found;
        count.acknowledged += entry->acknowledged;
        count.unacknowledged += !entry->acknowledged;
        count.lost += entry->acknowledged && entry->found == 0;
        count.twice += entry->found > 1;
    }
    return count;
}

bool ledger_is_clean(const struct ledger_count *count)
{
    return count->lost + count->unacknowledged + count->twice + count->foreign + count->altered +
               count->disordered ==
           0;
}

void ledger_print(const char *source, const struct ledger_count *count)
{
    printf("%s: %zu sent, %zu acknowledged, %zu stored: ", source, count->sent, count->acknowledged,
           count->stored);
    if (ledger_is_clean(count))
        puts("each exactly once");
    else
        printf("%zu LOST, %zu never acknowledged, %zu TWICE, %zu never sent, %zu altered, %zu out of order\n",
               count->lost, count->unacknowledged, count->twice, count->foreign, count->altered,
               count->disordered);
    fflush(stdout);
}
