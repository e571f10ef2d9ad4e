#include "reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"

static bool is_complete(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size == RESERVE_BYTES && st.st_blocks * 512 >= RESERVE_BYTES;
}

/* For file systems without fallocate: posix_fallocate's own emulation writes one byte a block, which a compressing one may not keep. */
static int fill(int fd)
{
    char block[64 * 1024];
    memset(block, 'r', sizeof block);
    for (size_t written = 0; written < RESERVE_BYTES; written += sizeof block) {
        int e = ts_write_all(fd, (ts_str){block, sizeof block});
        if (e != 0)
            return e;
    }
    return 0;
}

static int allocate(int fd)
{
    if (fallocate(fd, 0, 0, RESERVE_BYTES) == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS ? fill(fd) : -errno;
}

int reserve_make(const char *path)
{
    _cleanup_(ts_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int e;
    if (fd < 0)
        return -errno;
    if (is_complete(fd))
        return 0;
    e = allocate(fd);
    if (e == 0 && fsync(fd) != 0)
        e = -errno;
    if (e != 0)
        unlink(path);
    return e;
}

static bool has_room_for_both(const char *path)
{
    char folder[4096];
    struct statvfs fs;
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder)
        return false;
    memcpy(folder, path, len);
    memcpy(folder + len, "/.", 3);
    if (statvfs(slash ? folder : ".", &fs) != 0)
        return false;
    return fs.f_bavail * fs.f_frsize >= (unsigned long)RESERVE_BYTES + RESERVE_MARGIN_BYTES;
}

int reserve_make_again(const char *path)
{
    return has_room_for_both(path) ? reserve_make(path) : -ENOSPC;
}

void reserve_release(const char *path)
{
    if (unlink(path) != 0) {
        /* Missing, or beyond help; the writes that follow will tell. */
    }
}
