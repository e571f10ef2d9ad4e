/*
 * The ledger of a crash test: what was sent, what was acknowledged, and what a store holds at the end.
 *
 * Messages are numbered from 0. Number n belongs to channel n % channels, where it has the message id n / channels + 1, and its text ends with n, so
 * a stored row can be told from its neighbour, from a second copy and from one that was never sent.
 *
 * Reading a store back is one pass: ledger_read_begin, ledger_found for each row, ledger_read_end. Rows have to come in the order in which
 * they were stored if the order per channel is to be judged.
 *
 * Thread rule: one thread.
 */
#ifndef FAULT_LEDGER_H
#define FAULT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { LEDGER_MAX_CHANNELS = 16, LEDGER_TEXT_SIZE = 96 };

struct ledger_entry {
    bool acknowledged;
    bool may_be_late; /* its turn was lost for a reason that the specification allows: order is not judged */
    uint16_t found;   /* rows of the store that are being read */
};

struct ledger {
    int n_channels;
    bool ordered; /* judge the order per channel */
    size_t n_sent, capacity;
    struct ledger_entry *entries;
    int64_t last_message[LEDGER_MAX_CHANNELS]; /* of the rows read so far */
    size_t foreign, altered, disordered;
};

/* What a pass came to. All but the first three have to be 0. */
struct ledger_count {
    size_t sent, acknowledged, stored; /* stored: rows, whatever they are */
    size_t lost;                       /* acknowledged, not there */
    size_t unacknowledged;             /* sent and never acknowledged, there or not */
    size_t twice;                      /* there more than once */
    size_t foreign;                    /* rows that were never sent */
    size_t altered;                    /* the right key with another text */
    size_t disordered;                 /* stored after a later message of its channel */
};

void ledger_init(struct ledger *ledger, int n_channels);
void ledger_done(struct ledger *ledger); /* fits _cleanup_ */

/* Takes the next number: from here on it counts as sent. Aborts the program when out of memory. */
size_t ledger_send(struct ledger *ledger);
void ledger_acknowledge(struct ledger *ledger, size_t n);
/* The message with this key, if it was sent, may come after later ones. */
void ledger_excuse(struct ledger *ledger, int64_t channel_id, int64_t message_id);

int64_t ledger_channel_id(const struct ledger *ledger, size_t n);
int64_t ledger_message_id(const struct ledger *ledger, size_t n);
const char *ledger_text(
    size_t n, char out[LEDGER_TEXT_SIZE]); /* no character that JSON escapes but the line end, written \n */

void ledger_read_begin(struct ledger *ledger, bool ordered);
/* `text`: as stored; TS_STR_NONE = not looked at. */
void ledger_found(struct ledger *ledger, int64_t channel_id, int64_t message_id, ts_str text);
struct ledger_count ledger_read_end(const struct ledger *ledger);

bool ledger_is_clean(const struct ledger_count *count);
/* One line on standard output: `source: 1234 sent, … : clean` or what is wrong. */
void ledger_print(const char *source, const struct ledger_count *count);

#endif
