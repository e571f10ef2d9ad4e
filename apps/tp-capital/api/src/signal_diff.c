#include "signal_diff.h"

#include <string.h>

/* A price of 0 stands for none, as none is 0. */
static int64_t price(bool present, int64_t price_e6)
{
    return present ? price_e6 : 0;
}

static bool same_list(const struct signal *a, const struct signal *b)
{
    return a->take_profit_count == b->take_profit_count &&
           memcmp(a->take_profit_e6, b->take_profit_e6,
                  a->take_profit_count * sizeof(a->take_profit_e6[0])) == 0;
}

unsigned signal_diff(const struct signal *a, const struct signal *b)
{
    const bool differs[SIGNAL_MEMBERS] = {
        [SIGNAL_MEMBER_ASSET] = strcmp(a->asset, b->asset) != 0,
        [SIGNAL_MEMBER_SIGNAL_TYPE] = a->signal_type != b->signal_type,
        [SIGNAL_MEMBER_TRADE_TYPE] = a->trade_type != b->trade_type,
        [SIGNAL_MEMBER_BUY_MIN] = price(a->has_entry, a->buy_min_e6) != price(b->has_entry, b->buy_min_e6),
        [SIGNAL_MEMBER_BUY_MAX] = price(a->has_entry, a->buy_max_e6) != price(b->has_entry, b->buy_max_e6),
        [SIGNAL_MEMBER_STOP_LOSS] =
            price(a->has_stop, a->stop_loss_e6) != price(b->has_stop, b->stop_loss_e6),
        [SIGNAL_MEMBER_TAKE_PROFIT] = !same_list(a, b),
        [SIGNAL_MEMBER_TARGET_1] =
            price(a->has_target_1, a->target_1_e6) != price(b->has_target_1, b->target_1_e6),
        [SIGNAL_MEMBER_TARGET_2] =
            price(a->has_target_2, a->target_2_e6) != price(b->has_target_2, b->target_2_e6),
        [SIGNAL_MEMBER_TARGET_FINAL] =
            price(a->has_target_final, a->target_final_e6) != price(b->has_target_final, b->target_final_e6),
        [SIGNAL_MEMBER_COMPLETE] = a->complete != b->complete,
    };
    unsigned bits = 0;
    for (unsigned i = 0; i < SIGNAL_MEMBERS; i++)
        bits |= (unsigned)differs[i] << i;
    return bits;
}

const char *signal_member_name(enum signal_member member)
{
    static const char *const names[SIGNAL_MEMBERS] = {
        "asset",       "signal_type", "trade_type", "buy_min",      "buy_max",  "stop_loss",
        "take_profit", "target_1",    "target_2",   "target_final", "complete",
    };
    return names[member];
}
