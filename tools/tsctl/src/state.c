#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/jsonw.h"
#include "http/json.h"

#define MAX_LOG_BYTES    (10L * 1024 * 1024)
#define OLD_LOGS         3
#define MAX_RECORD_BYTES 4096

const char *const state_names[] = {"stopped", "running", "waiting", "failed"};

int state_prepare(void)
{
    int r = ts_mkdir_all(".run/services", 0700);

    if (r == 0)
        r = ts_mkdir_all(".run/logs", 0700);
    return r;
}

static void record_path(const char *id, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, ".run/services/%s.json", id);
}

static enum service_state state_of_name(const char *name)
{
    for (size_t i = 0; name && i <= STATE_FAILED; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum service_state)i;
    return STATE_STOPPED;
}

struct record state_read(const char *id, struct ts_arena *arena)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    struct record record = {0};
    char path[PATH_MAX];
    ts_str content;

    record_path(id, path);
    if (ts_file_read(path, MAX_RECORD_BYTES, arena, &content) < 0 ||
        ts_json_parse_object(content, 4, &json) < 0)
        return record;
    const char *boot = json_string_value(json_object_get(json, "boot"));
    record.process.pid = (pid_t)json_integer_value(json_object_get(json, "pid"));
    record.process.start_ticks = (uint64_t)json_integer_value(json_object_get(json, "startTicks"));
    snprintf(record.process.boot, sizeof(record.process.boot), "%s", boot ? boot : "");
    record.state = state_of_name(json_string_value(json_object_get(json, "state")));
    record.restarts = (int)json_integer_value(json_object_get(json, "restarts"));
    record.demonstration = json_is_true(json_object_get(json, "demonstration"));
    if (record.state == STATE_RUNNING && !process_lives(&record.process))
        record.state = STATE_STOPPED;
    return record;
}

int state_write(const char *id, const struct record *record)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(MAX_RECORD_BYTES);
    struct ts_jsonw w = ts_jsonw_begin(&buf);
    char path[PATH_MAX];

    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "state", ts_str_from(state_names[record->state]));
    ts_jsonw_key_i64(&w, "pid", record->process.pid);
    ts_jsonw_key_i64(&w, "startTicks", (int64_t)record->process.start_ticks);
    ts_jsonw_key_str(&w, "boot", ts_str_from(record->process.boot));
    ts_jsonw_key_i64(&w, "restarts", record->restarts);
    ts_jsonw_key_bool(&w, "demonstration", record->demonstration);
    ts_jsonw_end(&w);
    record_path(id, path);
    return ts_buf_error(&buf) ? ts_buf_error(&buf) : ts_file_write_atomic(path, ts_buf_view(&buf), 0600);
}

void state_forget(const char *id)
{
    char path[PATH_MAX];

    record_path(id, path);
    unlink(path);
}

static void rotate(const char *path)
{
    char from[PATH_MAX + 16], to[PATH_MAX + 16];

    for (int i = OLD_LOGS; i > 0; i--) {
        snprintf(to, sizeof(to), "%s.%d", path, i);
        if (i > 1)
            snprintf(from, sizeof(from), "%s.%d", path, i - 1);
        else
            snprintf(from, sizeof(from), "%s", path);
        rename(from, to);
    }
}

int state_open_log(const char *id)
{
    char path[PATH_MAX];
    struct stat st;

    snprintf(path, sizeof(path), ".run/logs/%s.log", id);
    if (stat(path, &st) == 0 && st.st_size > MAX_LOG_BYTES)
        rotate(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

ts_str state_log_tail(const char *id, size_t max_bytes, struct ts_arena *arena)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), ".run/logs/%s.log", id);
    _cleanup_(ts_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = ts_arena_alloc(arena, max_bytes);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (size <= 0 || !text)
        return TS_STR("");
    off_t from = TS_MAX(size - (off_t)max_bytes, 0);
    ssize_t n = pread(fd, text, max_bytes, from);
    return n <= 0 ? TS_STR("") : ts_str_trim((ts_str){text, (size_t)n});
}

int state_lock(const char *verb, struct ts_arena *arena, int *ret_fd, ts_str *ret_holder)
{
    _cleanup_(ts_closep) int fd = -1;
    char text[64];

    int r = ts_file_lock(".run/lock", &fd);
    if (r == -EWOULDBLOCK) {
        *ret_holder = TS_STR("another command");
        if (ts_file_read(".run/lock", sizeof(text), arena, ret_holder) == 0)
            *ret_holder = ts_str_trim(*ret_holder);
    }
    if (r < 0)
        return r;
    int len = snprintf(text, sizeof(text), "pid %d: %s\n", getpid(), verb);
    if (ftruncate(fd, 0) < 0)
        return -errno;
    r = ts_write_all(fd, (ts_str){text, (size_t)len});
    if (r < 0)
        return r;
    *ret_fd = fd;
    fd = -1;
    return 0;
}
