/*
 * Small file jobs, done safely. Paths are NUL-terminated. Errors are -errno. Thread-safe.
 */
#ifndef TS_BASE_FILE_H
#define TS_BASE_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/str.h"

/* Closes a descriptor and returns -1; fits _cleanup_(ts_closep). */
int ts_close(int fd);
TS_UNUSED static inline void ts_closep(int *fd)
{
    *fd = ts_close(*fd);
}

/* Hands a descriptor out of a variable with a cleanup: `*ret_fd = ts_take_fd(&fd);` */
TS_UNUSED static inline int ts_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* The whole file; TS_E_LIMIT when larger than max_bytes. */
TS_MUST_CHECK int ts_file_read(const char *path, size_t max_bytes, struct ts_arena *arena, ts_str *ret);

/* Writes a temporary file beside, syncs, renames, syncs the directory: the old or the new content, never
 * half. */
TS_MUST_CHECK int ts_file_write_atomic(const char *path, ts_str content, mode_t mode);

/* All of `content`, also over short writes and EINTR. */
TS_MUST_CHECK int ts_write_all(int fd, ts_str content);

/* Like mkdir -p; existing is success. What it made survives a power cut. */
TS_MUST_CHECK int ts_mkdir_all(const char *path, mode_t mode);

/* Opens (creating) and locks a file exclusively; the lock lives as long as the descriptor. -EWOULDBLOCK when
 * another has it. */
TS_MUST_CHECK int ts_file_lock(const char *path, int *ret_fd);

#endif
