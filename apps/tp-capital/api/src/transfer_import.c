/* `import`: reads files row by row, and stores what is not there yet in transactions of bounded size. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "database.h"
#include "store_transfer.h"
#include "transfer_read.h"
#include "transfer_verbs.h"

#define EXIT_USAGE    64
#define BATCH_ROWS    500
#define BATCH_BYTES   (4 * 1024 * 1024) /* of rows; a batch is stored when it is over */
#define ARENA_BYTES   (BATCH_BYTES + 4 * TRANSFER_MAX_BYTES)
#define PROGRESS_ROWS 10000
#define STATEMENT_US  (30 * TS_US_PER_S)
#define REFUSED       "refused by the database"

struct import {
    const struct transfer_layout *layout;
    struct ts_db *db;
    bool dry_run;
    /* One file. */
    const char *path;
    FILE *rejects; /* opened by the first */
    int64_t read, stored, there, rejected;
    /* Rows on their way. */
    struct ts_arena *arena;
    struct ts_db_value *rows[BATCH_ROWS];
    int64_t lines[BATCH_ROWS];
    size_t n;
};

/* --- rejects ------------------------------------------------------------------------------------------------------------ */

static int rejects_path(const struct import *import, char out[4096])
{
    int n = snprintf(out, 4096, "%s.rejects", import->path);
    return n > 0 && n < 4096 ? 0 : -ENAMETOOLONG;
}

/* The line and the reason, and nothing of the row: it may hold a token. */
static int reject(struct import *import, int64_t line, const char *reason, const char *column)
{
    char path[4096];
    int r = rejects_path(import, path);
    if (r == 0 && !import->rejects && !(import->rejects = fopen(path, "we")))
        r = -errno;
    if (r == 0 &&
        fprintf(import->rejects, "line %lld: %s%s\n", (long long)line, reason, column ? column : "") < 0)
        r = -EIO;
    import->rejected++;
    return r;
}

/* --- batches ------------------------------------------------------------------------------------------------------------ */

/* One transaction; *ret_stored counts only when it is 0. */
static int store_rows(struct import *import, struct ts_db_value *const *rows, size_t n, int64_t *ret_stored)
{
    struct store_tx tx;
    int r = store_tx_begin(import->db, &tx);
    *ret_stored = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        bool stored;
        r = store_import_row(&tx, import->layout, rows[i], &stored);
        *ret_stored += r == 0 && stored;
    }
    if (r == 0 && !import->dry_run)
        r = store_tx_commit_reset(&tx);
    if (r < 0 || import->dry_run)
        ts_db_rollback(import->db);
    return r;
}

static int store_batch(struct import *import, size_t first, size_t n)
{
    int64_t stored;
    int r = store_rows(import, import->rows + first, n, &stored);
    if (r == 0) {
        import->stored += stored;
        import->there += (int64_t)n - stored;
        return 0;
    }
    if (r != TS_E_DB_CONSTRAINT && r != TS_E_DB_DATA)
        return r;
    if (n == 1)
        return reject(import, import->lines[first], REFUSED, NULL);
    r = store_batch(import, first, n / 2); /* one row is at fault: the halves find it */
    return r < 0 ? r : store_batch(import, first + n / 2, n - n / 2);
}

static int flush(struct import *import)
{
    int r = import->n > 0 ? store_batch(import, 0, import->n) : 0;
    import->n = 0;
    ts_arena_reset(import->arena);
    return r;
}

static void print_counts(const struct import *import, FILE *out)
{
    fprintf(out, "%s%s: %lld read, %lld stored, %lld already there, %lld rejected\n",
            import->dry_run ? "dry run: " : "", import->path, (long long)import->read,
            (long long)import->stored, (long long)import->there, (long long)import->rejected);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static int on_record(const struct transfer_record *record, void *ctx)
{
    struct import *import = ctx;
    int64_t now_us = ts_clock_wall_us() / TS_US_PER_MS * TS_US_PER_MS;
    if (++import->read % PROGRESS_ROWS == 0)
        print_counts(import, stderr);
    if (record->problem)
        return reject(import, record->line, record->problem, NULL);
    struct ts_db_value *row = TS_ARENA_ARRAY(import->arena, import->layout->n, struct ts_db_value);
    if (!row)
        return -ENOMEM;
    const char *column = transfer_read_row(import->layout, record, now_us, import->arena, row);
    if (column)
        return reject(import, record->line, "invalid ", column);
    import->rows[import->n] = row;
    import->lines[import->n++] = record->line;
    bool full = import->n == BATCH_ROWS || ts_arena_used_bytes(import->arena) > BATCH_BYTES;
    return full ? flush(import) : 0;
}

static int close_rejects(struct import *import)
{
    char path[4096];
    if (import->rejects) {
        int r = fclose(import->rejects) == 0 ? 0 : -errno;
        import->rejects = NULL;
        return r;
    }
    if (rejects_path(import, path) == 0)
        (void)unlink(path); /* of an import before this one */
    return 0;
}

/* 0 when the whole file was read and every row of it is accounted for. */
static int import_file(struct import *import, const char *path)
{
    import->path = path;
    import->read = import->stored = import->there = import->rejected = 0;
    FILE *in = fopen(path, "re");
    int r = in ? transfer_read(in, import->layout, on_record, import) : -errno;
    if (r == 0)
        r = flush(import);
    import->n = 0; /* after a failure what waits is not the next file's */
    if (in)
        fclose(in);
    int closed = close_rejects(import);
    if (r == 0)
        r = closed;
    print_counts(import, stdout);
    if (r < 0)
        fprintf(stderr, "import: %s: %s %s\n", path,
                r == TS_E_MISSING ? "the first line names no column of this table" : ts_error_text(r),
                r == TS_E_DB_QUERY || r == TS_E_DB_CONNECTION ? ts_db_error(import->db)->message : "");
    else if (import->read != import->stored + import->there + import->rejected)
        r = TS_E_RANGE;
    return r;
}

/* --- the command -------------------------------------------------------------------------------------------------------- */

struct arguments {
    const struct transfer_layout *layout;
    bool dry_run;
    size_t n_files; /* moved to the front of argv */
};

static int read_arguments(int argc, char **argv, struct arguments *ret)
{
    struct arguments a = {.layout = transfer_find_layout("signals")};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            a.dry_run = true;
        else if (strcmp(argv[i], "--table") == 0 && i + 1 < argc)
            a.layout = transfer_find_layout(argv[++i]);
        else if (argv[i][0] == '-')
            return TS_E_INVALID;
        else
            argv[a.n_files++] = argv[i];
    }
    *ret = a;
    return a.layout && a.n_files > 0 ? 0 : TS_E_INVALID;
}

static int import_files(struct import *import, char **files, size_t n)
{
    int exit_code = 0;
    import->arena = ts_arena_new(ARENA_BYTES);
    if (!import->arena)
        return 1;
    for (size_t i = 0; i < n; i++)
        if (import_file(import, files[i]) < 0 || import->rejected > 0)
            exit_code = 1;
    ts_arena_free(import->arena);
    return exit_code;
}

int import_verb(struct ts_service *service, int argc, char **argv)
{
    _cleanup_(ts_closep) int lock_fd = -1;
    struct import import = {0};
    struct arguments arguments;
    struct ts_db_options options;

    if (read_arguments(argc, argv, &arguments) < 0) {
        fputs("usage: import " IMPORT_HELP "\n", stderr);
        return EXIT_USAGE;
    }
    if (database_for_verb(service, "import", &options, &lock_fd) < 0 ||
        database_migrate_for_verb("import", service, &options) < 0)
        return 1;
    options.statement_timeout_us = STATEMENT_US;
    int r = ts_db_open(&options, &import.db);
    if (r < 0) {
        fprintf(stderr, "import: %s\n", ts_error_text(r));
        return 1;
    }
    import.layout = arguments.layout;
    import.dry_run = arguments.dry_run;
    int exit_code = import_files(&import, argv, arguments.n_files);
    ts_db_close(import.db);
    return exit_code;
}
