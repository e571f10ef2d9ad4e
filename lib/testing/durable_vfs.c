#include "testing/durable_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"
#include "testing/process.h"

#define MAX_FILES    16
#define SECTOR_BYTES 512

struct bytes {
    char *data;
    size_t len, capacity;
};

/* A write of `len` bytes, or a truncation when data is NULL. */
struct change {
    size_t offset, len;
    char *data;
};

struct tracked {
    char path[TS_TEST_PATH_SIZE];
    bool entry_is_durable; /* the folder on disk knows of it */
    bool is_deleted;       /* though not yet on disk: it may come back with its old content */
    struct bytes durable;
    struct change *changes;
    size_t n_changes, max_changes;
};

struct durable_file {
    sqlite3_file base;
    struct tracked *tracked; /* NULL: a temporary file, nobody's durability */
    bool syncs_folder;       /* with its first sync: a log that was made just now */
    sqlite3_file *real;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tracked files[MAX_FILES];
static const char *failing_suffix;
static int syncs_before_failure;
static uint64_t syncs;
static sqlite3_vfs *real_vfs;

static struct durable_file *self(sqlite3_file *file)
{
    return TS_CONTAINER_OF(file, struct durable_file, base);
}

/* --- what is on disk --- */

static void resize(struct bytes *bytes, size_t len)
{
    if (len > bytes->capacity) {
        bytes->capacity = 2 * len;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (!bytes->data)
            ts_test_die("out of memory");
    }
    if (len > bytes->len)
        memset(bytes->data + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

static void put(struct bytes *bytes, size_t offset, const char *data, size_t len)
{
    if (offset + len > bytes->len)
        resize(bytes, offset + len);
    if (len > 0 && bytes->data)
        memcpy(bytes->data + offset, data, len);
}

static void note_change(struct tracked *file, size_t offset, const char *data, size_t len)
{
    char *copy = data ? malloc(len ? len : 1) : NULL;

    if (file->n_changes == file->max_changes) {
        file->max_changes = 2 * file->max_changes + 16;
        file->changes = realloc(file->changes, file->max_changes * sizeof(*file->changes));
    }
    if (!file->changes || (data && !copy))
        ts_test_die("out of memory");
    if (data)
        memcpy(copy, data, len);
    file->changes[file->n_changes++] = (struct change){.offset = offset, .len = len, .data = copy};
}

static void forget_changes(struct tracked *file)
{
    for (size_t i = 0; i < file->n_changes; i++)
        free(file->changes[i].data);
    free(file->changes);
    file->changes = NULL;
    file->n_changes = file->max_changes = 0;
}

/* xorshift: the same seed makes the same image. */
static bool toss(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state & 0x100;
}

/* Of a write each sector reaches the disk or not, whatever was written before or after. */
static void apply_some(struct bytes *image, const struct change *change, uint32_t *state)
{
    if (!change->data) {
        if (toss(state))
            resize(image, change->offset);
        return;
    }
    for (size_t done = 0, n; done < change->len; done += n) {
        n = TS_MIN(SECTOR_BYTES - (change->offset + done) % SECTOR_BYTES, change->len - done);
        if (toss(state))
            put(image, change->offset + done, change->data + done, n);
    }
}

static void apply_all(struct tracked *file)
{
    for (size_t i = 0; i < file->n_changes; i++) {
        const struct change *change = &file->changes[i];
        if (change->data)
            put(&file->durable, change->offset, change->data, change->len);
        else
            resize(&file->durable, change->offset);
    }
    forget_changes(file);
}

/* --- tracked files --- */

static struct tracked *find(const char *path)
{
    for (size_t i = 0; i < MAX_FILES; i++)
        if (files[i].path[0] && strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

/* What lies there when the test first opens it counts as being on disk. */
static void read_existing(struct tracked *file)
{
    _cleanup_(ts_closep) int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    char block[4096];
    ssize_t n;

    while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0)
        put(&file->durable, file->durable.len, block, (size_t)n);
    file->entry_is_durable = fd >= 0;
}

static struct tracked *find_or_add(const char *path)
{
    struct tracked *file = find(path);

    for (size_t i = 0; !file && i < MAX_FILES; i++) {
        if (files[i].path[0])
            continue;
        file = &files[i];
        snprintf(file->path, sizeof(file->path), "%s", path);
        read_existing(file);
    }
    if (!file)
        ts_test_die("more than %d files on the durable VFS", MAX_FILES);
    return file;
}

/* What was made is there for good, what was deleted is gone for good. */
static void sync_folder(void)
{
    for (size_t i = 0; i < MAX_FILES; i++) {
        struct tracked *file = &files[i];
        if (file->is_deleted)
            resize(&file->durable, 0);
        file->entry_is_durable = file->path[0] && !file->is_deleted;
    }
}

static bool sync_fails(const struct tracked *file)
{
    const size_t len = strlen(file->path), suffix_len = failing_suffix ? strlen(failing_suffix) : 0;

    if (!failing_suffix || len < suffix_len || strcmp(file->path + len - suffix_len, failing_suffix) != 0)
        return false;
    return --syncs_before_failure < 0;
}

/* --- a file's methods --- */

static int on_close(sqlite3_file *file)
{
    return self(file)->real->pMethods->xClose(self(file)->real);
}

static int on_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    return self(file)->real->pMethods->xRead(self(file)->real, out, len, offset);
}

static int on_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    int rc = self(file)->real->pMethods->xWrite(self(file)->real, data, len, offset);

    if (rc == SQLITE_OK && self(file)->tracked) {
        pthread_mutex_lock(&lock);
        note_change(self(file)->tracked, (size_t)offset, data, (size_t)len);
        pthread_mutex_unlock(&lock);
    }
    return rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = self(file)->real->pMethods->xTruncate(self(file)->real, size);

    if (rc == SQLITE_OK && self(file)->tracked) {
        pthread_mutex_lock(&lock);
        note_change(self(file)->tracked, (size_t)size, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return rc;
}

/* The system's sync is left out: our word for it is what counts here, and the test runs faster. */
static int on_sync(sqlite3_file *base, int flags)
{
    struct durable_file *file = self(base);
    int rc = SQLITE_OK;

    (void)flags;
    if (!file->tracked)
        return SQLITE_OK;
    pthread_mutex_lock(&lock);
    if (sync_fails(file->tracked)) {
        forget_changes(file->tracked);
        rc = SQLITE_IOERR_FSYNC;
    } else {
        apply_all(file->tracked);
        if (file->syncs_folder)
            sync_folder();
        file->syncs_folder = false;
        syncs++;
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return self(file)->real->pMethods->xFileSize(self(file)->real, out);
}

static int on_lock(sqlite3_file *file, int level)
{
    return self(file)->real->pMethods->xLock(self(file)->real, level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return self(file)->real->pMethods->xUnlock(self(file)->real, level);
}

static int on_check_reserved(sqlite3_file *file, int *out)
{
    return self(file)->real->pMethods->xCheckReservedLock(self(file)->real, out);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return self(file)->real->pMethods->xFileControl(self(file)->real, op, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    return self(file)->real->pMethods->xSectorSize(self(file)->real);
}

static int on_characteristics(sqlite3_file *file)
{
    return self(file)->real->pMethods->xDeviceCharacteristics(self(file)->real);
}

/* The shared index of the log is no file that matters: it is made anew from the log. */
static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return self(file)->real->pMethods->xShmMap(self(file)->real, page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return self(file)->real->pMethods->xShmLock(self(file)->real, offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    self(file)->real->pMethods->xShmBarrier(self(file)->real);
}

static int on_shm_unmap(sqlite3_file *file, int remove)
{
    return self(file)->real->pMethods->xShmUnmap(self(file)->real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

/* --- the VFS --- */

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags)
{
    const int logs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    struct durable_file *file = self(base);

    (void)vfs;
    *file = (struct durable_file){.real = (sqlite3_file *)(void *)(file + 1)};
    if (path && (flags & (SQLITE_OPEN_MAIN_DB | logs))) {
        pthread_mutex_lock(&lock);
        file->tracked = find_or_add(path);
        if (file->tracked->is_deleted) { /* made anew */
            file->tracked->is_deleted = false;
            note_change(file->tracked, 0, NULL, 0);
        }
        file->syncs_folder = (flags & SQLITE_OPEN_CREATE) && (flags & logs);
        pthread_mutex_unlock(&lock);
    }
    int rc = real_vfs->xOpen(real_vfs, path, file->real, flags, out_flags);
    if (file->real->pMethods)
        file->base.pMethods = &methods;
    return rc;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int syncs_its_folder)
{
    int rc = real_vfs->xDelete(real_vfs, path, syncs_its_folder);

    (void)vfs;
    pthread_mutex_lock(&lock);
    struct tracked *file = find(path);
    if (file && rc == SQLITE_OK) {
        forget_changes(file);
        file->is_deleted = true;
        if (syncs_its_folder)
            sync_folder();
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

static sqlite3_vfs durable_vfs;

void ts_durable_vfs_register(void)
{
    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    durable_vfs = *real_vfs; /* all that is not about files' content stays the system's */
    durable_vfs.zName = TS_DURABLE_VFS;
    durable_vfs.szOsFile = (int)sizeof(struct durable_file) + real_vfs->szOsFile;
    durable_vfs.pNext = NULL;
    durable_vfs.xOpen = on_open;
    durable_vfs.xDelete = on_delete;
    if (sqlite3_vfs_register(&durable_vfs, 0) != SQLITE_OK)
        ts_test_die("the VFS could not be registered");
}

void ts_durable_vfs_reset(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MAX_FILES; i++) {
        forget_changes(&files[i]);
        free(files[i].durable.data);
        files[i] = (struct tracked){0};
    }
    failing_suffix = NULL;
    syncs = 0;
    pthread_mutex_unlock(&lock);
}

void ts_durable_vfs_fail_syncs(const char *suffix, int after)
{
    pthread_mutex_lock(&lock);
    failing_suffix = suffix;
    syncs_before_failure = after;
    pthread_mutex_unlock(&lock);
}

uint64_t ts_durable_vfs_syncs(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = syncs;
    pthread_mutex_unlock(&lock);
    return n;
}

/* --- images --- */

static void write_image(const struct tracked *file, const char *to, uint32_t *state)
{
    struct bytes image = {0};

    if (file->durable.len > 0)
        put(&image, 0, file->durable.data, file->durable.len);
    for (size_t i = 0; *state != 0 && i < file->n_changes; i++)
        apply_some(&image, &file->changes[i], state);
    _cleanup_(ts_closep) int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ts_write_all(fd, (ts_str){image.data ? image.data : "", image.len}) < 0)
        ts_test_die("%s can't be written", to);
    free(image.data);
}

void ts_durable_vfs_image(const char *path, const char *copy, uint32_t seed)
{
    static const char *const suffixes[] = {"", "-wal", "-journal", "-shm"};
    uint32_t state = seed;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < TS_ARRAY_LEN(suffixes); i++) {
        char from[TS_TEST_PATH_SIZE + 16], to[TS_TEST_PATH_SIZE + 16];
        snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
        snprintf(to, sizeof(to), "%s%s", copy, suffixes[i]);
        unlink(to);
        const struct tracked *file = find(from);
        bool is_gone = file && file->is_deleted && state != 0 && toss(&state);
        if (file && file->entry_is_durable && !is_gone)
            write_image(file, to, &state);
    }
    pthread_mutex_unlock(&lock);
}
