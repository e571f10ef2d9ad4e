#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "state.h"

static int dial(int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = STATE_SOCKET};
    _cleanup_(ts_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    *ret_fd = ts_take_fd(&fd);
    return 0;
}

bool control_reachable(void)
{
    _cleanup_(ts_closep) int fd = -1;

    return dial(&fd) == 0;
}

/* This program as `supervise`, in a session of its own, with nothing of ours open but its log. */
static int spawn_supervisor(void)
{
    char *const argv[] = {"tsctl", "supervise", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t pid;

    _cleanup_(ts_closep) int log = state_open_log(STATE_SUPERVISOR_ID);
    if (log < 0)
        return log;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, log, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    int r = -posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return r;
}

int control_ensure_supervisor(void)
{
    if (control_reachable())
        return 0;
    int r = spawn_supervisor();
    int64_t deadline_us = ts_clock_mono_us() + 5 * TS_US_PER_S;
    while (r == 0 && !control_reachable()) {
        if (ts_clock_mono_us() > deadline_us)
            return TS_E_TIMEOUT;
        poll(NULL, 0, 5);
    }
    return r;
}

/* Bytes up to a line end. */
static int read_line(int fd, int timeout_ms, struct ts_buf *line)
{
    int64_t deadline_us = ts_clock_mono_us() + timeout_ms * TS_US_PER_MS;

    while (line->len == 0 || line->data[line->len - 1] != '\n') {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left_us = deadline_us - ts_clock_mono_us();
        if (left_us <= 0)
            return TS_E_TIMEOUT;
        if (poll(&wait, 1, (int)(left_us / TS_US_PER_MS) + 1) <= 0)
            continue;
        char *room = ts_buf_reserve(line, 4096);
        if (!room)
            return ts_buf_error(line);
        ssize_t n = recv(fd, room, 4096, 0);
        if (n <= 0)
            return n < 0 ? -errno : TS_E_CLOSED;
        ts_buf_added(line, (size_t)n);
    }
    return 0;
}

int control_call(json_t *request_take, int timeout_ms, struct ts_arena *arena, json_t **ret,
                 ts_str *ret_error)
{
    _cleanup_(ts_json_freep) json_t *request = request_take;
    _cleanup_(ts_json_freep) json_t *reply = NULL;
    _cleanup_(ts_buf_done) struct ts_buf line = TS_BUF_INIT(CONTROL_MAX_BYTES);
    _cleanup_(ts_closep) int fd = -1;
    char *text = json_dumps(request, JSON_COMPACT);

    if (!text)
        return -ENOMEM;
    int r = dial(&fd);
    if (r == 0)
        r = ts_write_all(fd, ts_str_from(text));
    if (r == 0)
        r = ts_write_all(fd, TS_STR("\n"));
    free(text);
    if (r == 0)
        r = read_line(fd, timeout_ms, &line);
    if (r == 0)
        r = ts_json_parse_object(ts_buf_view(&line), 4, &reply);
    if (r < 0)
        return r;
    if (!json_is_true(json_object_get(reply, "ok"))) {
        r = ts_arena_dup(arena, ts_json_get_str(reply, "error"), ret_error);
        return r < 0 ? r : TS_E_PROTOCOL;
    }
    *ret = TS_TAKE(reply);
    return 0;
}
