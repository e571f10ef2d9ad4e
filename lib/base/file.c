#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"

#define READ_CHUNK (16 * 1024)

int ts_close(int fd)
{
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Files may hold secrets, so no copy stays behind. */
static void wipe_and_done(struct ts_buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
    ts_buf_done(buf);
}

/* Reads to the end whatever fstat says: /proc and pipes have no size. */
static int read_all(int fd, struct ts_buf *buf)
{
    for (;;) {
        size_t room = TS_MIN((size_t)READ_CHUNK, buf->max_bytes - buf->len);
        char probe;
        char *p = room > 0 ? ts_buf_reserve(buf, room) : &probe;
        if (!p)
            return ts_buf_error(buf);
        ssize_t n = read(fd, p, room > 0 ? room : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        if (room == 0)
            return TS_E_LIMIT;
        ts_buf_added(buf, (size_t)n);
    }
}

int ts_file_read(const char *path, size_t max_bytes, struct ts_arena *arena, ts_str *ret)
{
    _cleanup_(ts_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    _cleanup_(wipe_and_done) struct ts_buf buf = TS_BUF_INIT(max_bytes);

    if (fd < 0)
        return -errno;
    int r = read_all(fd, &buf);
    return r < 0 ? r : ts_arena_dup(arena, ts_buf_view(&buf), ret);
}

int ts_write_all(int fd, ts_str content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        content.ptr += n;
        content.len -= (size_t)n;
    }
    return 0;
}

static int sync_parent(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (len >= sizeof(dir))
        return -ENAMETOOLONG;
    if (!slash)
        snprintf(dir, sizeof(dir), ".");
    else
        snprintf(dir, sizeof(dir), "%.*s", len > 0 ? (int)len : 1, path);
    _cleanup_(ts_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
}

static int fill_and_sync(int fd, ts_str content, mode_t mode)
{
    if (fchmod(fd, mode) < 0)
        return -errno;
    int r = ts_write_all(fd, content);
    if (r < 0)
        return r;
    return fsync(fd) < 0 ? -errno : 0;
}

int ts_file_write_atomic(const char *path, ts_str content, mode_t mode)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);

    if (n < 0 || (size_t)n >= sizeof(temporary))
        return -ENAMETOOLONG;
    _cleanup_(ts_closep) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fill_and_sync(fd, content, mode);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0) {
        unlink(temporary);
        return r;
    }
    return sync_parent(path);
}

static int make_dir(const char *path, mode_t mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return sync_parent(path); /* or the folder, and all that is synced in it, is gone with the power */
    int error = errno;            /* EEXIST, but also EROFS or EACCES for what is there already */
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    return -error;
}

int ts_mkdir_all(const char *path, mode_t mode)
{
    char partial[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0)
        return -ENOENT;
    if (len >= sizeof(partial))
        return -ENAMETOOLONG;
    memcpy(partial, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/' || path[i - 1] == '/')
            continue;
        partial[i] = '\0';
        int r = make_dir(partial, mode);
        if (r < 0)
            return r;
        partial[i] = '/';
    }
    return make_dir(path, mode);
}

int ts_file_lock(const char *path, int *ret_fd)
{
    _cleanup_(ts_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0)
        if (errno != EINTR)
            return -errno;
    *ret_fd = ts_take_fd(&fd);
    return 0;
}
