#include "bot_api.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "http/json.h"
#include "testing/process.h"

#define MAX_UPDATES     100
#define MAX_REPLY_BYTES (64 * 1024)
#define POSTED_S        1762174800 /* 2025-11-03 13:00 UTC */

static void confirm_before(struct bot_api *bot, size_t offset)
{
    size_t before = bot->confirmed;

    if (offset > bot->given + 1)
        ts_test_die("getUpdates: offset %zu confirms what was never given", offset);
    while (bot->confirmed + 1 < offset)
        ledger_acknowledge(bot->ledger, bot->confirmed++);
    if (bot->confirmed > before && bot->on_confirmed)
        bot->on_confirmed(bot->ctx);
}

static void write_update(struct ts_buf *out, const struct ledger *ledger, size_t update)
{
    char text[LEDGER_TEXT_SIZE];
    size_t n = update - 1;

    ts_buf_printf(out,
                  "{\"update_id\":%zu,\"channel_post\":{\"message_id\":%" PRId64
                  ",\"date\":%d,\"chat\":{\"id\":%" PRId64
                  ",\"type\":\"channel\",\"title\":\"Canal de Prova\"},\"text\":\"%s\"}}",
                  update, ledger_message_id(ledger, n), POSTED_S, ledger_channel_id(ledger, n),
                  ledger_text(n, text));
}

/* What is not confirmed, from `offset` on. */
static void write_updates(struct bot_api *bot, size_t offset, struct ts_buf *out)
{
    size_t first = TS_MAX(offset, bot->confirmed + 1),
           end = TS_MIN(first + MAX_UPDATES, bot->ledger->n_sent + 1);

    ts_buf_cstr(out, "{\"ok\":true,\"result\":[");
    for (size_t update = first; update < end; update++) {
        ts_buf_cstr(out, update == first ? "" : ",");
        write_update(out, bot->ledger, update);
        bot->given_again += update <= bot->given;
        bot->given = TS_MAX(bot->given, update);
    }
    ts_buf_cstr(out, "]}");
    if (ts_buf_error(out))
        ts_test_die("getUpdates: the answer is too long");
}

static size_t offset_of(const struct ts_http_request *req)
{
    _cleanup_(ts_json_freep) json_t *body = NULL;
    int64_t offset = 0;

    if (ts_json_parse_object(req->body, 4, &body) < 0)
        ts_test_die("getUpdates: no JSON object: %.*s", TS_STR_ARG(req->body));
    if (json_object_get(body, "offset") &&
        ts_json_i64(json_object_get(body, "offset"), 1, INT64_MAX, &offset) < 0)
        ts_test_die("getUpdates: offset: %.*s", TS_STR_ARG(req->body));
    return (size_t)offset;
}

static void on_get_updates(struct ts_http_request *req, void *ctx)
{
    struct bot_api *bot = ctx;
    _cleanup_(ts_buf_done) struct ts_buf out = TS_BUF_INIT(MAX_REPLY_BYTES);
    size_t offset = offset_of(req);

    confirm_before(bot, offset);
    if (bot->confirmed == bot->ledger->n_sent) { /* held until there is one, by whoever asked last */
        bot->waiting = ts_http_park(req);
        bot->waiting_offset = offset;
        if (bot->waiting == 0)
            ts_test_die("out of memory");
        return;
    }
    write_updates(bot, offset, &out);
    ts_http_reply(req, &(struct ts_http_response){.body = ts_buf_view(&out)});
}

static void on_get_me(struct ts_http_request *req, void *ctx TS_UNUSED)
{
    static const char me[] = "{\"ok\":true,\"result\":{\"id\":4242,\"is_bot\":true,\"first_name\":\"Prova\","
                             "\"username\":\"prova_bot\"}}";

    ts_http_reply(req, &(struct ts_http_response){.body = ts_str_from(me)});
}

void bot_api_start(struct bot_api *bot, uv_loop_t *loop)
{
    static const struct ts_http_route routes[] = {
        {.method = "POST", .pattern = "/bot" BOT_API_TOKEN "/getMe", .handler = on_get_me},
        {.method = "POST", .pattern = "/bot" BOT_API_TOKEN "/getUpdates", .handler = on_get_updates},
    };
    const struct ts_http_server_options options = {
        .routes = routes, .n_routes = TS_ARRAY_LEN(routes), .ctx = bot};

    if (ts_http_server_new(loop, &options, &bot->server) < 0 ||
        ts_http_server_listen(bot->server, "127.0.0.1", 0, false, &bot->port) < 0)
        ts_test_die("the Bot API server can't listen");
}

void bot_api_feed(struct bot_api *bot, int n)
{
    _cleanup_(ts_buf_done) struct ts_buf out = TS_BUF_INIT(MAX_REPLY_BYTES);

    for (int i = 0; i < n; i++)
        ledger_send(bot->ledger);
    if (bot->waiting == 0 || n == 0)
        return;
    write_updates(bot, bot->waiting_offset, &out);
    ts_http_answer(bot->server, bot->waiting,
                   &(struct ts_http_response){.body = ts_buf_view(&out)}); /* its client may be dead */
    bot->waiting = 0;
}

void bot_api_stop(struct bot_api *bot)
{
    bot->server = ts_http_server_free(bot->server);
}
