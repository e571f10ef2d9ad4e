#include "obs/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"

#define START_TIME_FIELD 22 /* of /proc/self/stat, proc(5) */

static int64_t read_clock_us(clockid_t id)
{
    struct timespec t;

    return clock_gettime(id, &t) == 0 ? t.tv_sec * TS_US_PER_S + t.tv_nsec / 1000 : 0;
}

int64_t ts_process_cpu_us(void *unused)
{
    (void)unused;
    return read_clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

/* Field `n`, counted from 1, of a one-line file of numbers; counting begins behind the last `after`, if there is one. */
static int64_t read_field(const char *path, char after, int n)
{
    char line[1024];
    _cleanup_(ts_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, line, sizeof(line)) : -1;
    ts_str field = TS_STR_NONE, rest = {line, len > 0 ? (size_t)len : 0};
    int64_t value = 0;

    const char *last = memrchr(rest.ptr, after, rest.len);
    if (last)
        rest = (ts_str){last + 1, rest.len - (size_t)(last + 1 - rest.ptr)};
    rest = ts_str_trim(rest);
    while (n-- > 0)
        if (!ts_str_split(&rest, ' ', &field))
            return 0;
    return ts_parse_i64(field, 0, INT64_MAX, &value) == 0 ? value : 0;
}

int64_t ts_process_resident_bytes(void *unused)
{
    (void)unused;
    return read_field("/proc/self/statm", '\0', 2) * sysconf(_SC_PAGESIZE);
}

/* The kernel counts ticks since boot. Field 2, the program's name in brackets, may hold spaces and brackets itself. */
int64_t ts_process_start_us(void)
{
    int64_t ticks = read_field("/proc/self/stat", ')', START_TIME_FIELD - 2);
    int64_t since_boot_us = ticks * (TS_US_PER_S / sysconf(_SC_CLK_TCK));

    return ticks > 0 ? read_clock_us(CLOCK_REALTIME) - read_clock_us(CLOCK_BOOTTIME) + since_boot_us : 0;
}

int64_t ts_process_open_fds(void *unused)
{
    (void)unused;
    DIR *dir = opendir("/proc/self/fd");
    int64_t n = 0;

    if (!dir)
        return 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* without the one that was opened to count */
}
