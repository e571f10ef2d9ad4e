/* What differs between two readings of a text. Thread rule: pure. */
#ifndef TP_CAPITAL_SIGNAL_DIFF_H
#define TP_CAPITAL_SIGNAL_DIFF_H

#include "parser.h"

/* The members of the contract's ParsedSignal, but `price`, which is buy_min. */
enum signal_member {
    SIGNAL_MEMBER_ASSET,
    SIGNAL_MEMBER_SIGNAL_TYPE,
    SIGNAL_MEMBER_TRADE_TYPE,
    SIGNAL_MEMBER_BUY_MIN,
    SIGNAL_MEMBER_BUY_MAX,
    SIGNAL_MEMBER_STOP_LOSS,
    SIGNAL_MEMBER_TAKE_PROFIT,
    SIGNAL_MEMBER_TARGET_1,
    SIGNAL_MEMBER_TARGET_2,
    SIGNAL_MEMBER_TARGET_FINAL,
    SIGNAL_MEMBER_COMPLETE,
    SIGNAL_MEMBERS,
};

/* Bit n is set when member n differs; 0 = equal. What is absent (its flag is false) equals only what is absent. */
unsigned signal_diff(const struct signal *a, const struct signal *b);

/* "take_profit" */
const char *signal_member_name(enum signal_member member);

#endif
