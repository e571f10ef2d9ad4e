#include "transport_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/number.h"
#include "http/json.h"

enum {
    BUFFER_BYTES = MESSAGE_MAX_JSON_BYTES + 4096, /* the longest line */
    READ_BYTES = 64 * 1024,
    LINE_ARENA_BYTES = 2 * MESSAGE_MAX_JSON_BYTES,
    LINES_AT_ONCE = 256, /* then the loop has its turn */
    MAX_RENAMED = 4096,  /* messages of one pass that edits may name */
    MAX_CHANNELS = 1024,
};

struct renamed {
    int64_t channel_id, file_id, message_id, timestamp_us;
};

struct replay {
    struct transport base; /* first */
    struct replay_options options;
    char *path;
    int fd;
    bool is_regular, connected, paused, reading_ended, delivering;
    uv_timer_t timer;
    uv_poll_t poll; /* pipes and terminals only */
    bool has_poll;
    int open_handles;

    char *buffer;
    size_t start, end; /* what was read and not yet taken */
    bool at_end, skipping_line;
    int64_t line_number, delivered_in_pass, pass_us;
    struct ts_arena *arena; /* of one line */

    uint64_t last_tag;
    int unconfirmed;
    int64_t due_us; /* monotonic: the next message */

    struct replay_last_seen *last_seen;
    size_t n_last_seen;
    struct renamed *renamed;
    size_t n_renamed;
};

static struct replay *replay_of(struct transport *transport)
{
    return (struct replay *)(void *)transport;
}

/* --- lines ----------------------------------------------------------------------------------------------------------------- */

enum line { LINE_READY, LINE_LATER, LINE_END };

static void make_room(struct replay *replay)
{
    if (replay->start == 0)
        return;
    memmove(replay->buffer, replay->buffer + replay->start, replay->end - replay->start);
    replay->end -= replay->start;
    replay->start = 0;
}

/* 1: bytes came; 0: none at the moment or at all (at_end). */
static int read_more(struct replay *replay)
{
    ssize_t n;
    make_room(replay);
    do
        n = read(replay->fd, replay->buffer + replay->end,
                 TS_MIN((size_t)READ_BYTES, BUFFER_BYTES - replay->end));
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (n < 0)
        ts_log_error("Replay file can't be read further", TS_F_ERR(-errno));
    if (n <= 0) {
        replay->at_end = true;
        return 0;
    }
    replay->end += (size_t)n;
    return 1;
}

static enum line take_line(struct replay *replay, size_t len, size_t with_end, ts_str *ret)
{
    *ret = (ts_str){replay->buffer + replay->start, len};
    replay->start += with_end;
    replay->line_number++;
    return LINE_READY;
}

static void drop_overlong(struct replay *replay)
{
    if (!replay->skipping_line)
        ts_log_warn("Replay line skipped: too long", TS_F_I64("line", replay->line_number + 1));
    replay->skipping_line = true;
    replay->start = replay->end = 0;
}

static enum line next_line(struct replay *replay, ts_str *ret)
{
    for (;;) {
        size_t len = replay->end - replay->start;
        const char *newline = memchr(replay->buffer + replay->start, '\n', len);
        if (newline && replay->skipping_line) { /* the end of the one that was too long */
            replay->skipping_line = false;
            replay->start += (size_t)(newline - replay->buffer) - replay->start + 1;
            replay->line_number++;
            continue;
        }
        if (newline) {
            size_t line_len = (size_t)(newline - replay->buffer) - replay->start;
            return take_line(replay, line_len, line_len + 1, ret);
        }
        if (replay->at_end)
            return len > 0 && !replay->skipping_line ? take_line(replay, len, len, ret) : LINE_END;
        if (len >= BUFFER_BYTES - 1)
            drop_overlong(replay);
        if (!read_more(replay) && !replay->at_end)
            return LINE_LATER;
    }
}

/* --- the present time and new ids ------------------------------------------------------------------------------------------ */

static int64_t *last_id_of(struct replay *replay, int64_t channel_id)
{
    for (size_t i = 0; i < replay->n_last_seen; i++) {
        if (replay->last_seen[i].channel_id == channel_id)
            return &replay->last_seen[i].message_id;
    }
    if (replay->n_last_seen == MAX_CHANNELS)
        return NULL;
    replay->last_seen[replay->n_last_seen] = (struct replay_last_seen){.channel_id = channel_id};
    return &replay->last_seen[replay->n_last_seen++].message_id;
}

static const struct renamed *renamed_find(const struct replay *replay, const struct message *message)
{
    for (size_t i = 0; i < replay->n_renamed; i++) {
        if (replay->renamed[i].channel_id == message->channel_id &&
            replay->renamed[i].file_id == message->message_id)
            return &replay->renamed[i];
    }
    return NULL;
}

static void rebase_edit(const struct replay *replay, struct message *message, int64_t now_us)
{
    const struct renamed *original = renamed_find(replay, message);
    if (original) {
        message->message_id = original->message_id;
        message->timestamp_us = original->timestamp_us;
    }
    if (message->edited_at_us != 0)
        message->edited_at_us = TS_MAX(now_us, message->timestamp_us + TS_US_PER_MS);
}

static int rebase(struct replay *replay, struct message *message)
{
    int64_t now_us = ts_clock_wall_us() / TS_US_PER_MS * TS_US_PER_MS;
    int64_t *last_id = last_id_of(replay, message->channel_id);
    int64_t file_id = message->message_id;
    if (!last_id)
        return TS_E_LIMIT;
    if ((message->edited_at_us != 0 || message->deleted) && renamed_find(replay, message)) {
        rebase_edit(replay, message, now_us);
        return 0;
    }
    message->message_id = ++*last_id;
    message->timestamp_us = now_us;
    if (message->edited_at_us != 0)
        message->edited_at_us = now_us;
    if (replay->n_renamed < MAX_RENAMED)
        replay->renamed[replay->n_renamed++] =
            (struct renamed){message->channel_id, file_id, message->message_id, now_us};
    if (ts_str_is_none(message->album)) /* the album of this pass is not that of the last */
        return 0;
    return ts_arena_printf(replay->arena, &message->album, "%.*s.%lld", (int)TS_MIN(message->album.len, 40),
                           message->album.ptr, (long long)(replay->pass_us / TS_US_PER_S));
}

/* --- delivering ------------------------------------------------------------------------------------------------------------ */

static bool is_blank(ts_str line)
{
    return ts_str_trim(line).len == 0;
}

static void bad_line(const struct replay *replay, int error, const char *field)
{
    ts_log_warn("Replay line skipped", TS_F_I64("line", replay->line_number), TS_F_CSTR("field", field),
                TS_F_ERR(error));
}

/* True when a message was delivered. */
static bool deliver(struct replay *replay, ts_str line)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    struct message message;
    const char *field = "";
    int r = ts_json_parse_object(line, TS_MAX_JSON_DEPTH, &json);
    ts_arena_reset(replay->arena);
    if (r == 0)
        r = message_from_json(json, replay->arena, &message, &field);
    if (r == 0 && replay->options.rebase)
        r = rebase(replay, &message);
    if (r != 0) {
        bad_line(replay, r, field);
        return false;
    }
    message.source = TS_STR("replay");
    message.received_at_us = ts_clock_wall_us();
    replay->unconfirmed++;
    replay->delivered_in_pass++;
    replay->base.events.message(replay->base.events.ctx, &message, ++replay->last_tag);
    return true;
}

static void begin_pass(struct replay *replay)
{
    replay->line_number = 0;
    replay->delivered_in_pass = 0;
    replay->n_renamed = 0;
    replay->at_end = false;
    replay->pass_us = ts_clock_wall_us();
}

static void end_of_file(struct replay *replay)
{
    bool again = replay->options.rebase && replay->is_regular && replay->delivered_in_pass > 0;
    if (again && lseek(replay->fd, 0, SEEK_SET) == 0) {
        begin_pass(replay);
        return;
    }
    replay->reading_ended = true;
    if (replay->has_poll)
        uv_poll_stop(&replay->poll);
    ts_log_info("Replay finished", TS_F_I64("lines", replay->line_number));
}

static bool may_deliver(const struct replay *replay)
{
    return replay->connected && !replay->paused && !replay->reading_ended &&
           replay->unconfirmed < TRANSPORT_MAX_UNCONFIRMED;
}

static void on_timer(uv_timer_t *timer);

static void pump_in(struct replay *replay, int64_t wait_us)
{
    uv_timer_start(&replay->timer, on_timer, (uint64_t)((wait_us + TS_US_PER_MS - 1) / TS_US_PER_MS), 0);
}

static void message_was_sent(struct replay *replay)
{
    if (replay->options.speed_e6 > 0)
        replay->due_us = TS_MAX(replay->due_us, ts_clock_mono_us() - TS_US_PER_S) +
                         TS_US_PER_S * TS_E6 / replay->options.speed_e6;
}

static void pump(struct replay *replay)
{
    replay->delivering = true;
    for (int n = 0; may_deliver(replay); n++) {
        int64_t wait_us = replay->due_us - ts_clock_mono_us();
        enum line state;
        ts_str line;
        if (n == LINES_AT_ONCE || (replay->options.speed_e6 > 0 && wait_us > 0)) {
            pump_in(replay, n == LINES_AT_ONCE ? 0 : wait_us);
            break;
        }
        state = next_line(replay, &line);
        if (state == LINE_LATER)
            break;
        if (state == LINE_END)
            end_of_file(replay);
        else if (!is_blank(line) && deliver(replay, line))
            message_was_sent(replay);
    }
    replay->delivering = false;
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void on_readable(uv_poll_t *poll, int status TS_UNUSED, int events TS_UNUSED)
{
    struct replay *replay = poll->data;
    if (!may_deliver(replay)) /* confirm and resume pump again; until then the pipe may fill */
        uv_poll_stop(poll);
    else
        pump(replay);
}

static void go_on(struct replay *replay)
{
    if (replay->delivering || !may_deliver(replay))
        return;
    if (replay->has_poll)
        uv_poll_start(&replay->poll, UV_READABLE, on_readable);
    pump_in(replay, 0);
}

/* --- the transport --------------------------------------------------------------------------------------------------------- */

static void replay_confirm(struct transport *transport, uint64_t tag TS_UNUSED)
{
    struct replay *replay = replay_of(transport);
    replay->unconfirmed--;
    go_on(replay);
}

static void replay_pause(struct transport *transport)
{
    replay_of(transport)->paused = true;
}

static void replay_resume(struct transport *transport)
{
    replay_of(transport)->paused = false;
    go_on(replay_of(transport));
}

static int open_file(struct replay *replay)
{
    uv_handle_type type;
    replay->fd = strcmp(replay->path, "-") == 0 ? dup(STDIN_FILENO)
                                                : open(replay->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (replay->fd < 0)
        return -errno;
    type = uv_guess_handle(replay->fd);
    replay->is_regular = type == UV_FILE;
    if (replay->is_regular)
        return 0;
    if (fcntl(replay->fd, F_SETFL, fcntl(replay->fd, F_GETFL) | O_NONBLOCK) != 0)
        return -errno;
    if (uv_poll_init(replay->options.loop, &replay->poll, replay->fd) != 0)
        return -EINVAL; /* a device that nobody can wait for */
    replay->poll.data = replay;
    replay->has_poll = true;
    replay->open_handles++;
    return 0;
}

static void replay_connect(struct transport *transport)
{
    struct replay *replay = replay_of(transport);
    int r = replay->fd < 0 ? open_file(replay) : 0;
    if (r != 0) {
        replay->fd = ts_close(replay->fd);
        transport->events.lost(transport->events.ctx, ts_error_text(r));
        return;
    }
    begin_pass(replay);
    replay->connected = true;
    transport->events.connected(transport->events.ctx);
    go_on(replay);
}

static void replay_disconnect(struct transport *transport, void (*done)(void *ctx), void *ctx)
{
    struct replay *replay = replay_of(transport);
    replay->connected = false;
    uv_timer_stop(&replay->timer);
    if (replay->has_poll)
        uv_poll_stop(&replay->poll);
    done(ctx);
}

static void replay_delete(struct replay *replay)
{
    ts_close(replay->fd);
    ts_arena_free(replay->arena);
    free(replay->path);
    free(replay->buffer);
    free(replay->last_seen);
    free(replay->renamed);
    free(replay);
}

static void on_closed(uv_handle_t *handle)
{
    struct replay *replay = handle->data;
    if (--replay->open_handles == 0)
        replay_delete(replay);
}

static void replay_free(struct transport *transport)
{
    struct replay *replay = replay_of(transport);
    uv_close((uv_handle_t *)&replay->timer, on_closed);
    if (replay->has_poll)
        uv_close((uv_handle_t *)&replay->poll, on_closed);
}

static const struct transport_ops replay_ops = {
    .name = "replay",
    .connect = replay_connect,
    .confirm = replay_confirm,
    .pause = replay_pause,
    .resume = replay_resume,
    .disconnect = replay_disconnect,
    .free = replay_free,
};

static int allocate(struct replay *replay)
{
    const struct replay_options *options = &replay->options;
    replay->path = strdup(options->path);
    replay->buffer = malloc(BUFFER_BYTES);
    replay->arena = ts_arena_new(LINE_ARENA_BYTES);
    replay->last_seen = calloc(MAX_CHANNELS, sizeof *replay->last_seen);
    replay->renamed = calloc(MAX_RENAMED, sizeof *replay->renamed);
    if (!replay->path || !replay->buffer || !replay->arena || !replay->last_seen || !replay->renamed)
        return -ENOMEM;
    replay->n_last_seen = TS_MIN(options->n_last_seen, (size_t)MAX_CHANNELS);
    if (replay->n_last_seen > 0)
        memcpy(replay->last_seen, options->last_seen, replay->n_last_seen * sizeof *replay->last_seen);
    return 0;
}

int transport_replay_new(const struct replay_options *options, const struct transport_events *events,
                         struct transport **ret)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return -ENOMEM;
    replay->base = (struct transport){.ops = &replay_ops, .events = *events};
    replay->options = *options;
    replay->fd = -1;
    if (allocate(replay) != 0) {
        replay_delete(replay);
        return -ENOMEM;
    }
    uv_timer_init(options->loop, &replay->timer);
    replay->timer.data = replay;
    replay->open_handles = 1;
    *ret = &replay->base;
    return 0;
}
