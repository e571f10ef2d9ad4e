#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/str.h"

/* A small file of /proc as a text; its length, or -1. */
static ssize_t slurp(const char *path, char *out, size_t size)
{
    _cleanup_(ts_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;

    while (fd >= 0 && len < size - 1) {
        ssize_t n = read(fd, out + len, size - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    out[len] = '\0';
    return fd < 0 ? -1 : (ssize_t)len;
}

/* What we need of /proc/PID/stat (proc(5)); the name in it may hold blanks and parentheses, so we read from the last `)`. */
struct stat_line {
    char state;
    pid_t group;
    uint64_t cpu_ticks, start_ticks;
};

static int read_stat(pid_t pid, struct stat_line *ret)
{
    char path[64], text[1024];
    uint64_t user = 0, system = 0;
    struct stat_line line = {0};

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (slurp(path, text, sizeof(text)) <= 0)
        return -ESRCH;
    const char *rest = strrchr(text, ')');
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes it, and a short line is refused */
    if (!rest || sscanf(rest + 1,
                        " %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                        " %*d %*d %*d %*d %*d %*d %" SCNu64,
                        &line.state, &line.group, &user, &system, &line.start_ticks) != 5)
        return -ESRCH;
    line.cpu_ticks = user + system;
    *ret = line;
    return 0;
}

int process_identify(pid_t pid, struct process *ret)
{
    struct process process = {.pid = pid};
    struct stat_line line;

    int r = pid > 0 ? read_stat(pid, &line) : -ESRCH;
    if (r < 0 || line.state == 'Z' || line.state == 'X')
        return -ESRCH;
    if (slurp("/proc/sys/kernel/random/boot_id", process.boot, sizeof(process.boot)) <= 0)
        return -ESRCH;
    process.boot[strcspn(process.boot, "\n")] = '\0';
    process.start_ticks = line.start_ticks;
    *ret = process;
    return 0;
}

bool process_lives(const struct process *process)
{
    struct process now;

    return process_identify(process->pid, &now) == 0 && now.start_ticks == process->start_ticks &&
           strcmp(now.boot, process->boot) == 0;
}

int process_usage(const struct process *process, struct process_usage *ret)
{
    char path[64], text[128], uptime[64];
    struct stat_line line;
    int64_t ticks = sysconf(_SC_CLK_TCK), pages = 0;

    if (!process_lives(process) || read_stat(process->pid, &line) < 0)
        return -ESRCH;
    snprintf(path, sizeof(path), "/proc/%d/statm", process->pid);
    if (slurp(path, text, sizeof(text)) <= 0 || slurp("/proc/uptime", uptime, sizeof(uptime)) <= 0)
        return -ESRCH;
    char *resident = strchr(text, ' ');
    if (resident)
        pages = strtoll(resident + 1, NULL, 10);
    int64_t age_us = (int64_t)(strtod(uptime, NULL) * 1e6) - (int64_t)line.start_ticks * TS_US_PER_S / ticks;
    int64_t cpu_us = (int64_t)line.cpu_ticks * TS_US_PER_S / ticks;
    *ret = (struct process_usage){
        .rss_bytes = pages * sysconf(_SC_PAGESIZE),
        .age_us = TS_MAX(age_us, 0),
        .cpu_permille = age_us > 0 ? (int)TS_MIN(cpu_us * 1000 / age_us, 999999) : 0,
    };
    return 0;
}

const char *process_command(pid_t pid, char out[COMMAND_SIZE])
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    ssize_t len = slurp(path, out, COMMAND_SIZE);
    if (len <= 0) {
        snprintf(out, COMMAND_SIZE, "?");
        return out;
    }
    for (ssize_t i = 0; i + 1 < len; i++)
        if ((unsigned char)out[i] < ' ')
            out[i] = ' ';
    return out;
}

/* Calls `visit` for each pid until it returns true; whether one did. */
static bool each_pid(bool (*visit)(pid_t pid, void *ctx), void *ctx)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    bool found = false;

    while (proc && !found &&
           (entry = readdir(proc))) { /* NOLINT(concurrency-mt-unsafe): the stream is ours */
        int64_t pid;
        if (ts_parse_i64(ts_str_from(entry->d_name), 1, INT32_MAX, &pid) == 0)
            found = visit((pid_t)pid, ctx);
    }
    if (proc)
        closedir(proc);
    return found;
}

static bool in_group(pid_t pid, void *ctx)
{
    struct stat_line line;

    return read_stat(pid, &line) == 0 && line.group == *(pid_t *)ctx && line.state != 'Z' &&
           line.state != 'X';
}

bool process_group_exists(pid_t group)
{
    /* The signal finds out at once in the usual case, that there is none; a zombie would still answer it. */
    if (kill(-group, 0) < 0 && errno == ESRCH)
        return false;
    return each_pid(in_group, &group);
}

struct socket_search {
    char link[64]; /* "socket:[12345]" */
    pid_t pid;
};

static bool holds_socket(pid_t pid, void *ctx)
{
    struct socket_search *search = ctx;
    char path[64], target[64];
    struct dirent *entry;
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    while (folder && !found &&
           (entry = readdir(folder))) { /* NOLINT(concurrency-mt-unsafe): the stream is ours */
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        found = strcmp(target, search->link) == 0;
    }
    if (folder)
        closedir(folder);
    if (found)
        search->pid = pid;
    return found;
}

/* A listening socket of that port in one of the kernel's tables: its inode, or 0. */
static uint64_t listening_inode(const char *table, int port)
{
    FILE *file = fopen(table, "re");
    char line[512];
    uint64_t found = 0;

    while (file && !found && fgets(line, sizeof(line), file)) {
        char address[64];
        unsigned local_port, state;
        uint64_t inode;
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes it, and the heading does not match */
        if (sscanf(line, " %*d: %63[0-9A-F]:%4X %*[0-9A-F]:%*4X %2X %*s %*s %*s %*u %*d %" SCNu64, address,
                   &local_port, &state, &inode) != 4)
            continue;
        if ((int)local_port == port && state == 0x0A /* LISTEN */)
            found = inode ? inode : UINT64_MAX;
    }
    if (file)
        fclose(file);
    return found;
}

bool process_listens(int port, pid_t *ret_pid)
{
    struct socket_search search = {0};
    uint64_t inode = listening_inode("/proc/net/tcp", port);

    if (!inode)
        inode = listening_inode("/proc/net/tcp6", port);
    if (!inode)
        return false;
    snprintf(search.link, sizeof(search.link), "socket:[%" PRIu64 "]", inode);
    each_pid(holds_socket, &search);
    *ret_pid = search.pid;
    return true;
}

/* Waits until the group is gone; false when the time is over. */
static bool wait_group_gone(pid_t group, int timeout_ms)
{
    int64_t deadline_us = ts_clock_mono_us() + timeout_ms * TS_US_PER_MS;

    while (process_group_exists(group)) {
        if (ts_clock_mono_us() >= deadline_us)
            return false;
        poll(NULL, 0, 20);
    }
    return true;
}

bool process_end(const struct process *process, int timeout_ms)
{
    if (!process_lives(process))
        return false;
    kill(-process->pid, SIGTERM);
    if (wait_group_gone(process->pid, timeout_ms))
        return false;
    kill(-process->pid, SIGKILL);
    wait_group_gone(process->pid, 5000);
    return true;
}
