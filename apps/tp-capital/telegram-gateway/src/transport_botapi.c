#include "transport_botapi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "botapi_update.h"
#include "http/json.h"

enum {
    POLL_SECONDS = 50, /* Telegram holds the poll so long when there is nothing */
    IDLE_MS = 250,     /* between polls of a server that doesn't hold them */
    DEFAULT_RETRY_AFTER_S = 5,
    MAX_RETRY_AFTER_S = 24 * 3600,
    MAX_DEPTH = 64, /* a reply within a reply, with keyboards in it */
    MAX_REPLY_BYTES = 16 * 1024 * 1024,
    MAX_URL_BYTES = 4096,
    UPDATE_ARENA_BYTES = 64 * 1024,
};

#define CALL_TIMEOUT_US (10 * TS_US_PER_S)
#define POLL_TIMEOUT_US ((POLL_SECONDS + 10) * TS_US_PER_S)

struct botapi {
    struct transport base; /* first */
    struct botapi_options options;
    uv_timer_t timer;
    ts_http_call call; /* under way; 0: none */
    bool connected, paused, closed, delivering, flooded;
    int64_t offset;      /* 0: the first poll, from the oldest update that Telegram has */
    int64_t next_offset; /* once the batch is durable */
    int unconfirmed;
    int64_t polled_us;
};

static struct botapi *botapi_of(struct transport *transport)
{
    return (struct botapi *)(void *)transport;
}

/* --- calling --------------------------------------------------------------------------------------------------------------- */

static void lost(struct botapi *bot, const char *why)
{
    bot->connected = false;
    bot->base.events.lost(bot->base.events.ctx, why);
}

static int call(struct botapi *bot, const char *method, ts_str body, int64_t timeout_us,
                ts_http_client_done done)
{
    char url[MAX_URL_BYTES];
    const struct ts_http_header type = {TS_STR("Content-Type"), TS_STR("application/json")};
    const struct ts_http_client_request request = {
        .method = "POST",
        .url = url,
        .headers = &type,
        .n_headers = 1,
        .body = body,
        .timeout_us = timeout_us,
        .connect_timeout_us = CALL_TIMEOUT_US / 2,
        .max_reply_bytes = MAX_REPLY_BYTES,
    };
    int len =
        snprintf(url, sizeof url, "%s/bot%s/%s", bot->options.base_url, bot->options.token->value, method);
    if (len < 0 || len >= (int)sizeof url)
        return TS_E_INVALID;
    return ts_http_client_send(bot->options.http, &request, done, bot, &bot->call);
}

static void connect_now(struct botapi *bot);
static void poll_now(struct botapi *bot);

static void on_timer(uv_timer_t *timer)
{
    struct botapi *bot = timer->data;
    if (bot->flooded)
        bot->base.events.flood_wait(bot->base.events.ctx, 0);
    bot->flooded = false;
    if (bot->connected)
        poll_now(bot);
    else
        connect_now(bot);
}

static void flood_wait(struct botapi *bot, int64_t seconds)
{
    bot->flooded = true;
    bot->base.events.flood_wait(bot->base.events.ctx, seconds);
    uv_timer_start(&bot->timer, on_timer, (uint64_t)seconds * 1000, 0);
}

/* --- what Telegram answers ------------------------------------------------------------------------------------------------- */

static int64_t retry_after_s(const struct ts_http_client_reply *reply, const json_t *json)
{
    int64_t seconds;
    if (ts_json_i64(json_object_get(json_object_get(json, "parameters"), "retry_after"), 1, MAX_RETRY_AFTER_S,
                    &seconds) == 0)
        return seconds;
    return reply->retry_after_us > 0 ? reply->retry_after_us / TS_US_PER_S : DEFAULT_RETRY_AFTER_S;
}

static void lost_with_status(struct botapi *bot, int status)
{
    char why[64];
    snprintf(why, sizeof why, "Telegram answered %d", status);
    lost(bot, why);
}

/* The `result` of a good reply, owned by *ret_json; NULL when it was none and has been dealt with. */
static const json_t *read_reply(struct botapi *bot, const struct ts_http_client_reply *reply,
                                json_t **ret_json)
{
    const json_t *result;
    if (reply->error != 0) {
        lost(bot, reply->error_text);
        return NULL;
    }
    if (ts_json_parse_object(reply->body, MAX_DEPTH, ret_json) != 0)
        *ret_json = NULL;                               /* a proxy's error page: the status says enough */
    if (reply->status == 401 || reply->status == 404) { /* 404: not even the form of a token */
        bot->connected = false;
        bot->base.events.auth_required(bot->base.events.ctx, "Telegram refused the bot token");
        return NULL;
    }
    if (reply->status == 429) {
        flood_wait(bot, retry_after_s(reply, *ret_json));
        return NULL;
    }
    if (reply->status == 409) {
        lost(bot, "Another process polls with this bot token, or a webhook is set");
        return NULL;
    }
    result = json_object_get(*ret_json, "result");
    if (reply->status == 200 && result && json_is_true(json_object_get(*ret_json, "ok")))
        return result;
    if (reply->status == 200)
        lost(bot, "Telegram's answer is not readable");
    else
        lost_with_status(bot, reply->status);
    return NULL;
}

/* --- updates --------------------------------------------------------------------------------------------------------------- */

/* False: no memory for it now; it must come again. */
static bool deliver(struct botapi *bot, const json_t *update)
{
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(UPDATE_ARENA_BYTES);
    struct message message;
    int64_t id;
    int r;
    if (ts_json_i64(json_object_get(update, "update_id"), 0, INT64_MAX - 1, &id) != 0) {
        ts_log_warn("Update without a number skipped");
        return true;
    }
    r = arena ? botapi_update_read(update, arena, &message) : -ENOMEM;
    if (r == -ENOMEM) {
        ts_log_error("Out of memory: an update is asked for again", TS_F_I64("updateId", id));
        return false;
    }
    bot->next_offset = TS_MAX(bot->next_offset, id + 1);
    if (r == 0) {
        bot->unconfirmed++;
        bot->base.events.message(bot->base.events.ctx, &message, (uint64_t)id);
    } else if (r != TS_E_NOT_FOUND) {
        ts_log_warn("Update skipped", TS_F_I64("updateId", id), TS_F_ERR(r));
    }
    return true;
}

/* The batch is durable to its last message: from the next poll on Telegram may forget it. */
static void batch_done(struct botapi *bot)
{
    if (bot->delivering || bot->unconfirmed > 0 || bot->closed)
        return;
    bot->offset = bot->next_offset;
    poll_now(bot);
}

static void idle(struct botapi *bot)
{
    uv_timer_start(&bot->timer, on_timer, IDLE_MS, 0);
}

static void on_updates(const struct ts_http_client_reply *reply, void *ctx)
{
    struct botapi *bot = ctx;
    _cleanup_(ts_json_freep) json_t *json = NULL;
    const json_t *updates;
    size_t n = 0;
    bot->call = 0;
    if (bot->closed || reply->error == TS_E_CLOSED || !(updates = read_reply(bot, reply, &json)))
        return;
    bot->delivering = true;
    while (n < json_array_size(updates) && deliver(bot, json_array_get(updates, n)))
        n++;
    bot->delivering = false;
    if (n > 0 || ts_clock_mono_us() - bot->polled_us >= IDLE_MS * TS_US_PER_MS)
        batch_done(bot);
    else
        idle(bot);
}

static void poll_now(struct botapi *bot)
{
    _cleanup_(ts_buf_done) struct ts_buf body = TS_BUF_INIT(256);
    if (!bot->connected || bot->paused || bot->closed || bot->call != 0 || bot->unconfirmed > 0)
        return;
    ts_buf_cstr(&body, "{");
    if (bot->offset > 0)
        ts_buf_printf(&body, "\"offset\":%lld,", (long long)bot->offset);
    ts_buf_printf(
        &body, "\"timeout\":%d,\"limit\":100,\"allowed_updates\":[\"channel_post\",\"edited_channel_post\"]}",
        POLL_SECONDS);
    bot->polled_us = ts_clock_mono_us();
    if (call(bot, "getUpdates", ts_buf_view(&body), POLL_TIMEOUT_US, on_updates) != 0)
        lost(bot, "The poll could not be sent");
}

/* --- the transport --------------------------------------------------------------------------------------------------------- */

static void on_me(const struct ts_http_client_reply *reply, void *ctx)
{
    struct botapi *bot = ctx;
    _cleanup_(ts_json_freep) json_t *json = NULL;
    bot->call = 0;
    if (bot->closed || reply->error == TS_E_CLOSED || !read_reply(bot, reply, &json))
        return;
    bot->connected = true;
    bot->base.events.connected(bot->base.events.ctx);
    poll_now(bot);
}

/* getMe first: it answers at once whether token and network are good, where a poll may take a minute. */
static void connect_now(struct botapi *bot)
{
    if (!bot->closed && bot->call == 0 && call(bot, "getMe", TS_STR("{}"), CALL_TIMEOUT_US, on_me) != 0)
        lost(bot, "The call could not be sent");
}

static void botapi_connect(struct transport *transport)
{
    connect_now(botapi_of(transport));
}

static void botapi_confirm(struct transport *transport, uint64_t tag TS_UNUSED)
{
    struct botapi *bot = botapi_of(transport);
    bot->unconfirmed--;
    batch_done(bot);
}

static void end_call(struct botapi *bot)
{
    if (bot->call != 0)
        ts_http_client_cancel(bot->options.http, bot->call);
    bot->call = 0;
}

static void botapi_pause(struct transport *transport)
{
    struct botapi *bot = botapi_of(transport);
    bot->paused = true;
    if (bot->connected)
        end_call(bot);
}

static void botapi_resume(struct transport *transport)
{
    struct botapi *bot = botapi_of(transport);
    bot->paused = false;
    if (!uv_is_active((uv_handle_t *)&bot->timer)) /* a flood wait goes on */
        poll_now(bot);
}

static void botapi_disconnect(struct transport *transport, void (*done)(void *ctx), void *ctx)
{
    struct botapi *bot = botapi_of(transport);
    bot->closed = true;
    bot->connected = false;
    uv_timer_stop(&bot->timer);
    end_call(bot);
    done(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void botapi_free(struct transport *transport)
{
    uv_close((uv_handle_t *)&botapi_of(transport)->timer, on_timer_closed);
}

static const struct transport_ops botapi_ops = {
    .name = "botapi",
    .is_telegram = true,
    .limits = BOTAPI_LIMITS,
    .connect = botapi_connect,
    .confirm = botapi_confirm,
    .pause = botapi_pause,
    .resume = botapi_resume,
    .disconnect = botapi_disconnect,
    .free = botapi_free,
};

int transport_botapi_new(const struct botapi_options *options, const struct transport_events *events,
                         struct transport **ret)
{
    struct botapi *bot = calloc(1, sizeof *bot);
    if (!bot)
        return -ENOMEM;
    bot->base = (struct transport){.ops = &botapi_ops, .events = *events};
    bot->options = *options;
    uv_timer_init(options->loop, &bot->timer);
    bot->timer.data = bot;
    *ret = &bot->base;
    return 0;
}
