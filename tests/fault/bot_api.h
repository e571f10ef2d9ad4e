/*
 * A Bot API server for the crash tests: getMe and getUpdates, which keeps an update until a later offset confirms it, as Telegram does.
 * The messages come from a ledger; an update that is confirmed counts as acknowledged: from then on it is the gateway's to lose.
 *
 * Thread rule: the loop's thread.
 */
#ifndef FAULT_BOT_API_H
#define FAULT_BOT_API_H

#include "http/server.h"
#include "ledger.h"

#define BOT_API_TOKEN "4242:invented-token-of-a-bot-that-is-not"

struct bot_api {
    struct ts_http_server *server;
    struct ledger *ledger;
    int port;
    size_t confirmed;       /* updates 1 … confirmed are forgotten; update u is message u - 1 */
    size_t given;           /* highest update that was ever given */
    size_t given_again;     /* updates that had to be given more than once */
    ts_http_ticket waiting; /* the poll that waits for an update; 0 = none */
    size_t waiting_offset;
    void (*on_confirmed)(void *ctx); /* each time `confirmed` grew; may be NULL */
    void *ctx;
};

/* Fill in ledger, on_confirmed and ctx before it. */
void bot_api_start(struct bot_api *bot, uv_loop_t *loop);
/* Sends `n` messages to the channels: new numbers of the ledger. */
void bot_api_feed(struct bot_api *bot, int n);
/* The loop must run once more. */
void bot_api_stop(struct bot_api *bot);

#endif
