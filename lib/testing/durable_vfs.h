/*
 * For tests only: a SQLite VFS that knows what a power cut would leave. A killed process loses no page cache, so kill -9 proves nothing about
 * durability; this does.
 *
 * It passes everything on to the system's VFS and keeps, for each database and its -wal or -journal, the content that a completed sync
 * put on disk and, apart, every write and truncation since. At any moment, also while the database is in use, it makes an image of what the disk could
 * hold if the power went now:
 *
 *     ts_durable_vfs_register();
 *     … options.vfs = TS_DURABLE_VFS …
 *     ts_durable_vfs_image(path, copy, 0);      nothing unsynced survives
 *     ts_durable_vfs_image(path, copy, seed);   another legal image: of each unsynced write some 512-byte sectors survive
 *
 * A file is in the image only if its folder was synced after it was made (SQLite does that with the first sync of a new log). Thread-safe.
 */
#ifndef TS_TESTING_DURABLE_VFS_H
#define TS_TESTING_DURABLE_VFS_H

#include <stdint.h>

#define TS_DURABLE_VFS "ts-durable"

void ts_durable_vfs_register(void);
/* Forgets all files and faults; no database may be open on it. */
void ts_durable_vfs_reset(void);

/* Writes the image of the database `path` (as it was opened) to `copy` and `copy`-wal or -journal; what stood there is removed. */
void ts_durable_vfs_image(const char *path, const char *copy, uint32_t seed);

/*
 * From now on every sync of a file whose name ends in `suffix` fails with an I/O error, and what it should have saved is lost, as Linux does: the
 * kernel marks the pages clean. `after` syncs still succeed. NULL ends it.
 */
void ts_durable_vfs_fail_syncs(const char *suffix, int after);

/* Completed syncs so far: a test that compares images knows that there was something to compare. */
uint64_t ts_durable_vfs_syncs(void);

#endif
