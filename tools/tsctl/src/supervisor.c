#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/number.h"
#include "control.h"
#include "state.h"

#define MAX_CHILDREN     64
#define MAX_ARGS         64
#define MAX_VARIABLES    256
#define GIVE_UP_RESTARTS 5
#define GIVE_UP_US       (5 * 60 * TS_US_PER_S)
#define MAX_WAIT_MS      30000
#define WATCH_MS         2000

struct supervisor;
struct client;

struct child {
    struct supervisor *owner;
    char id[64];
    json_t *spec; /* owned: the request that started it */
    struct record record;
    uv_process_t process;
    uv_timer_t timer;       /* for the restart, or for SIGKILL */
    struct client *stopper; /* who waits for its end; NULL = nobody */
    bool alive, stopping, killed;
    int64_t restarted_us[GIVE_UP_RESTARTS]; /* the last restarts, monotonic, as a ring */
    int handles;                            /* of the loop that lie in here; freed with the last */
};

struct supervisor {
    uv_loop_t loop;
    uv_pipe_t server;
    uv_signal_t terminate, interrupt;
    uv_timer_t watch; /* over our socket: when it is gone, so is the tree */
    ino_t socket_inode;
    struct child *children[MAX_CHILDREN];
    int64_t first_wait_ms;
    bool quitting; /* no new services; the loop ends with the last one */
};

struct client {
    struct supervisor *owner;
    uv_pipe_t pipe;
    uv_write_t write;
    struct child *waits_for; /* that child's `stopper` is us */
    struct ts_buf in, out;
};

static int start_child(struct child *child);
static void maybe_quit(struct supervisor *supervisor);

/* --- answers --- */

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    ts_buf_done(&client->in);
    ts_buf_done(&client->out);
    free(client);
}

static void close_client(struct client *client)
{
    if (client->waits_for)
        client->waits_for->stopper = NULL;
    client->waits_for = NULL;
    if (!uv_is_closing((uv_handle_t *)&client->pipe))
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_answered(uv_write_t *write, int status)
{
    struct client *client = write->data;

    (void)status; /* a command that has gone away needs no answer */
    struct supervisor *supervisor = client->owner;
    close_client(client);
    maybe_quit(supervisor);
}

static void answer(struct client *client, json_t *reply_take)
{
    _cleanup_(ts_json_freep) json_t *reply = reply_take;
    char *text = json_dumps(reply, JSON_COMPACT);

    ts_buf_cstr(&client->out, text ? text : "{\"ok\":false}");
    ts_buf_char(&client->out, '\n');
    free(text);
    uv_buf_t buf = uv_buf_init(client->out.data, (unsigned)client->out.len);
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1, on_answered) < 0)
        close_client(client);
}

static void refuse(struct client *client, const char *why)
{
    answer(client, json_pack("{s:b, s:s}", "ok", 0, "error", why));
}

/* --- children --- */

static struct child **slot_of(struct supervisor *supervisor, const char *id)
{
    for (size_t i = 0; i < MAX_CHILDREN; i++)
        if (supervisor->children[i] && strcmp(supervisor->children[i]->id, id) == 0)
            return &supervisor->children[i];
    return NULL;
}

static void release_child(struct child *child)
{
    if (--child->handles > 0)
        return;
    json_decref(child->spec);
    free(child);
}

static void on_child_handle_closed(uv_handle_t *handle)
{
    release_child(handle->data);
}

/* Its record goes with it. */
static void forget_child(struct child *child)
{
    struct supervisor *supervisor = child->owner;

    state_forget(child->id);
    *slot_of(supervisor, child->id) = NULL;
    uv_close((uv_handle_t *)&child->timer, on_child_handle_closed);
    maybe_quit(supervisor);
}

static void remember(struct child *child, enum service_state state)
{
    child->record.state = state;
    int r = state_write(child->id, &child->record);
    if (r < 0)
        ts_log_error("Cannot write record", TS_F_CSTR("id", child->id), TS_F_ERR(r));
}

static void on_restart_due(uv_timer_t *timer)
{
    struct child *child = timer->data;

    if (start_child(child) < 0)
        remember(child, STATE_FAILED);
}

/* How many of the last restarts lie within the time that counts; this one is noted. */
static int note_restart(struct child *child)
{
    int64_t now_us = ts_clock_mono_us();
    int recent = 0;

    child->restarted_us[child->record.restarts % GIVE_UP_RESTARTS] = now_us;
    child->record.restarts++;
    for (size_t i = 0; i < GIVE_UP_RESTARTS; i++)
        recent += child->restarted_us[i] != 0 && now_us - child->restarted_us[i] < GIVE_UP_US;
    return recent;
}

static void plan_restart(struct child *child)
{
    int recent = note_restart(child);
    int64_t wait_ms = child->owner->first_wait_ms << (recent - 1);

    if (recent >= GIVE_UP_RESTARTS) {
        ts_log_error("Service given up", TS_F_CSTR("id", child->id),
                     TS_F_I64("restarts", child->record.restarts));
        remember(child, STATE_FAILED);
        return;
    }
    wait_ms = TS_MIN(wait_ms, MAX_WAIT_MS);
    ts_log_warn("Service will be started again", TS_F_CSTR("id", child->id), TS_F_I64("wait_ms", wait_ms));
    remember(child, STATE_WAITING);
    uv_timer_start(&child->timer, on_restart_due, (uint64_t)wait_ms, 0);
}

static void finish_stop(struct child *child)
{
    struct client *stopper = child->stopper;

    ts_log_info("Service stopped", TS_F_CSTR("id", child->id), TS_F_BOOL("killed", child->killed));
    if (stopper) {
        child->stopper = NULL;
        stopper->waits_for = NULL;
        answer(stopper, json_pack("{s:b, s:b}", "ok", 1, "killed", child->killed));
    }
    forget_child(child);
}

static void on_process_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    child->alive = false;
    if (child->stopping)
        finish_stop(child);
    else
        plan_restart(child);
    release_child(child);
}

static void on_process_ended(uv_process_t *process, int64_t status, int signal)
{
    struct child *child = process->data;

    /* What it started itself must neither keep the port nor stay behind. */
    kill(-process->pid, SIGKILL);
    ts_log_info("Service ended", TS_F_CSTR("id", child->id), TS_F_I64("pid", process->pid),
                TS_F_I64("status", status), TS_F_I64("signal", signal));
    uv_close((uv_handle_t *)process, on_process_closed);
}

static size_t strings_of(const json_t *array, const char **out, size_t max)
{
    size_t i, n = 0;
    const json_t *item;

    json_array_foreach(array, i, item) if (n + 1 < max && json_is_string(item)) out[n++] =
        json_string_value(item);
    out[n] = NULL;
    return n;
}

/* uv_spawn with what the request says; 0 or -errno. */
static int launch(struct child *child)
{
    const char *argv[MAX_ARGS], *env[MAX_VARIABLES];
    _cleanup_(ts_closep) int log = state_open_log(child->id);

    if (log < 0)
        return log;
    if (strings_of(json_object_get(child->spec, "argv"), argv, MAX_ARGS) == 0)
        return -EINVAL;
    strings_of(json_object_get(child->spec, "env"), env, MAX_VARIABLES);
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = log},
        {.flags = UV_INHERIT_FD, .data.fd = log},
    };
    uv_process_options_t options = {
        .exit_cb = on_process_ended,
        .file = argv[0],
        .args = (char **)(uintptr_t)argv,
        .env = (char **)(uintptr_t)env,
        .cwd = json_string_value(json_object_get(child->spec, "cwd")),
        .flags = UV_PROCESS_DETACHED, /* a session, and so a process group, of its own */
        .stdio_count = 3,
        .stdio = stdio,
    };
    child->process.data = child;
    child->handles++;
    int r = uv_spawn(&child->owner->loop, &child->process, &options);
    if (r < 0)
        uv_close((uv_handle_t *)&child->process, on_child_handle_closed);
    return r;
}

static int start_child(struct child *child)
{
    int r = launch(child);

    if (r < 0) {
        ts_log_error("Service cannot be started", TS_F_CSTR("id", child->id), TS_F_ERR(r));
        return r;
    }
    child->alive = true;
    child->record.process = (struct process){.pid = child->process.pid};
    /* One that has ended already is a zombie of ours: nobody else can have its pid before we have been told. */
    (void)!process_identify(child->process.pid, &child->record.process);
    remember(child, STATE_RUNNING);
    ts_log_info("Service started", TS_F_CSTR("id", child->id), TS_F_I64("pid", child->process.pid));
    return 0;
}

static void on_stop_timeout(uv_timer_t *timer)
{
    struct child *child = timer->data;

    child->killed = true;
    kill(-child->process.pid, SIGKILL);
}

static void begin_stop(struct child *child, int64_t timeout_ms)
{
    child->stopping = true;
    uv_timer_stop(&child->timer);
    if (!child->alive) {
        finish_stop(child);
        return;
    }
    kill(-child->process.pid, SIGTERM);
    uv_timer_start(&child->timer, on_stop_timeout, (uint64_t)timeout_ms, 0);
}

/* --- requests --- */

static struct child *new_child(struct supervisor *supervisor, const char *id, json_t *spec)
{
    for (size_t i = 0; i < MAX_CHILDREN; i++) {
        if (supervisor->children[i])
            continue;
        struct child *child = calloc(1, sizeof(*child));
        if (!child)
            return NULL;
        child->owner = supervisor;
        snprintf(child->id, sizeof(child->id), "%s", id);
        child->spec = json_incref(spec);
        child->record.demonstration = json_is_true(json_object_get(spec, "demonstration"));
        uv_timer_init(&supervisor->loop, &child->timer);
        child->timer.data = child;
        child->handles = 1;
        supervisor->children[i] = child;
        return child;
    }
    return NULL;
}

static void op_start(struct client *client, const char *id, json_t *request)
{
    struct child **slot = slot_of(client->owner, id);

    if (slot && ((*slot)->alive || (*slot)->stopping)) {
        refuse(client, "runs already");
        return;
    }
    if (client->owner->quitting) {
        refuse(client, "the supervisor is ending");
        return;
    }
    if (slot) /* it waits for its restart or was given up: begin anew */
        finish_stop(*slot);
    struct child *child = new_child(client->owner, id, request);
    if (!child) {
        refuse(client, "too many services");
        return;
    }
    int r = start_child(child);
    if (r < 0) {
        refuse(client, ts_error_text(r));
        forget_child(child);
        return;
    }
    answer(client, json_pack("{s:b, s:i}", "ok", 1, "pid", child->process.pid));
}

static void op_stop(struct client *client, const char *id, json_t *request)
{
    struct child **slot = slot_of(client->owner, id);
    json_int_t timeout_ms = json_integer_value(json_object_get(request, "timeoutMs"));

    if (!slot || (*slot)->stopper) {
        refuse(client, slot ? "is being stopped already" : "does not run");
        return;
    }
    (*slot)->stopper = client;
    client->waits_for = *slot;
    begin_stop(*slot, TS_MAX(timeout_ms, 0));
}

static void op_quit(struct client *client)
{
    for (size_t i = 0; i < MAX_CHILDREN; i++)
        if (client->owner->children[i]) {
            refuse(client, "services are running");
            return;
        }
    client->owner->quitting = true;
    answer(client, json_pack("{s:b}", "ok", 1)); /* and when that is sent, the end */
}

static void handle(struct client *client, json_t *request)
{
    const char *op = json_string_value(json_object_get(request, "op"));
    const char *id = json_string_value(json_object_get(request, "id"));

    if (op && strcmp(op, "quit") == 0) {
        op_quit(client);
    } else if (op && id && strcmp(op, "start") == 0) {
        op_start(client, id, request);
    } else if (op && id && strcmp(op, "stop") == 0) {
        op_stop(client, id, request);
    } else {
        refuse(client, "no such request");
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct client *client = handle->data;

    (void)suggested;
    char *room = ts_buf_reserve(&client->in, 4096);
    *ret = uv_buf_init(room, room ? 4096 : 0);
}

static void on_request_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    _cleanup_(ts_json_freep) json_t *request = NULL;
    struct client *client = stream->data;

    (void)buf;
    if (n < 0) {
        close_client(client);
        return;
    }
    ts_buf_added(&client->in, (size_t)n);
    if (client->in.len == 0 || client->in.data[client->in.len - 1] != '\n')
        return;
    uv_read_stop(stream);
    if (ts_json_parse_object(ts_buf_view(&client->in), TS_MAX_JSON_DEPTH, &request) < 0)
        refuse(client, "not a request");
    else
        handle(client, request);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct client *client = status < 0 ? NULL : calloc(1, sizeof(*client));

    if (!client)
        return;
    client->owner = server->data;
    client->in = (struct ts_buf)TS_BUF_INIT(CONTROL_MAX_BYTES);
    client->out = (struct ts_buf)TS_BUF_INIT(CONTROL_MAX_BYTES);
    uv_pipe_init(server->loop, &client->pipe, 0);
    client->pipe.data = client;
    if (uv_accept(server, (uv_stream_t *)&client->pipe) < 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_request_bytes) < 0)
        close_client(client);
}

/* --- life --- */

static void maybe_quit(struct supervisor *supervisor)
{
    for (size_t i = 0; i < MAX_CHILDREN; i++)
        if (supervisor->children[i])
            return;
    if (supervisor->quitting)
        uv_stop(&supervisor->loop);
}

static void end_all(struct supervisor *supervisor)
{
    supervisor->quitting = true;
    for (size_t i = 0; i < MAX_CHILDREN; i++)
        if (supervisor->children[i] && !supervisor->children[i]->stopping)
            begin_stop(supervisor->children[i], MAX_WAIT_MS);
    maybe_quit(supervisor);
}

static void on_signal(uv_signal_t *handle, int signal)
{
    ts_log_info("Supervisor ends its services", TS_F_I64("signal", signal));
    end_all(handle->data);
}

/* Somebody removed the folder, or began a second supervisor in it: nobody can reach us any more, so we must not stay. */
static void on_watch(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;
    struct stat st = {0};

    if (stat(STATE_SOCKET, &st) == 0 && st.st_ino == supervisor->socket_inode)
        return;
    ts_log_warn("Supervisor cannot be reached any more and ends its services");
    uv_timer_stop(timer);
    end_all(supervisor);
}

static int64_t first_wait_ms(void)
{
    const char *text = getenv("TSCTL_BACKOFF_MS");
    int64_t value = 1000;

    if (text && ts_parse_i64(ts_str_from(text), 1, MAX_WAIT_MS, &value) < 0)
        value = 1000;
    return value;
}

static int begin(struct supervisor *supervisor)
{
    struct record self = {.state = STATE_RUNNING};
    struct stat st = {0};

    unlink(STATE_SOCKET); /* nobody answered there, or we would not have been started */
    int r = uv_loop_init(&supervisor->loop);
    if (r == 0)
        r = uv_pipe_init(&supervisor->loop, &supervisor->server, 0);
    if (r == 0)
        r = uv_pipe_bind(&supervisor->server, STATE_SOCKET);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&supervisor->server, 16, on_connection);
    if (r == 0)
        r = uv_signal_init(&supervisor->loop, &supervisor->terminate);
    if (r == 0)
        r = uv_signal_init(&supervisor->loop, &supervisor->interrupt);
    if (r == 0)
        r = uv_timer_init(&supervisor->loop, &supervisor->watch);
    if (r == 0)
        r = stat(STATE_SOCKET, &st) < 0 ? -errno : 0;
    if (r < 0)
        return r;
    supervisor->socket_inode = st.st_ino;
    supervisor->server.data = supervisor->watch.data = supervisor;
    supervisor->terminate.data = supervisor->interrupt.data = supervisor;
    uv_signal_start(&supervisor->terminate, on_signal, SIGTERM);
    uv_signal_start(&supervisor->interrupt, on_signal, SIGINT);
    uv_timer_start(&supervisor->watch, on_watch, WATCH_MS, WATCH_MS);
    r = process_identify(getpid(), &self.process);
    return r < 0 ? r : state_write(STATE_SUPERVISOR_ID, &self);
}

int supervise(void)
{
    struct supervisor supervisor = {.first_wait_ms = first_wait_ms()};

    (void)!ts_log_init("tsctl", TS_LOG_INFO, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    int r = begin(&supervisor);
    if (r < 0) {
        ts_log_error("Supervisor cannot begin", TS_F_ERR(r));
        return 1;
    }
    ts_log_info("Supervisor ready", TS_F_I64("pid", getpid()));
    uv_run(&supervisor.loop, UV_RUN_DEFAULT);
    unlink(STATE_SOCKET);
    state_forget(STATE_SUPERVISOR_ID);
    ts_log_info("Supervisor ended");
    ts_log_done();
    return 0;
}
