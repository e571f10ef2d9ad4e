/*
 * Configuration from the environment: a table says what each variable is called, its type, default, bounds
 * and help; loading fills a struct and reports ALL errors at once, each `FATAL: NAME is required` or `FATAL:
 * NAME is invalid: why` (tp-capital 6). The same table prints `--help`, so no variable can be missing there.
 *
 * Each variable NAME may also come from a file named by NAME_FILE (its trailing line end is cut; both set is
 * an error). Empty counts as unset. Secrets also take NAME_PREVIOUS[_FILE], accepted during a rotation, when
 * the field gives `previous_offset`. Thread rule: at start, one thread; afterwards the filled struct is
 * read-only.
 */
#ifndef TS_BASE_CONFIG_H
#define TS_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/secret.h"

enum ts_config_type {
    TS_CONFIG_STR,      /* ts_str, in the arena, NUL-terminated */
    TS_CONFIG_INT,      /* int64_t within [min, max] */
    TS_CONFIG_BOOL,     /* bool */
    TS_CONFIG_ENUM,     /* int: index into `choices` */
    TS_CONFIG_SECRET,   /* struct ts_secret; [min, max] bounds its length; printable ASCII only */
    TS_CONFIG_STR_LIST, /* struct ts_str_list: comma-separated, trimmed, empty pieces refused */
    TS_CONFIG_INT_LIST, /* struct ts_i64_list: each within [min, max] */
};

struct ts_str_list {
    const ts_str *items;
    size_t n;
};

struct ts_i64_list {
    const int64_t *items;
    size_t n;
};

struct ts_config_field {
    const char *name;    /* "TP_CAPITAL_PORT" */
    const char *aliases; /* "PORT,OLD_NAME": tried in order when `name` is unset; NULL = none */
    enum ts_config_type type;
    size_t offset;        /* of the member in the struct */
    const char *fallback; /* textual default; NULL = none (zero value) */
    bool required;
    int64_t min, max;           /* both 0 = unbounded (INT: int64, SECRET: 1..4096) */
    const char *const *choices; /* ENUM: NULL-terminated */
    size_t previous_offset;     /* SECRET: of a second ts_secret for NAME_PREVIOUS; 0 = none */
    const char *help;           /* one line: meaning, unit */
    /* Optional check of the parsed member; returns NULL or why it is invalid (static text). */
    const char *(*check)(const void *member);
};

/* Reads one variable; the default is getenv. Tests pass their own. */
typedef const char *(*ts_config_getenv)(const char *name, void *ctx);

/*
 * Fills `config` (zeroed by the caller). Returns the number of errors, each appended as a line to `errors`;
 * -ENOMEM when out of memory. Values that may be lists or strings live in `arena`.
 */
TS_MUST_CHECK int ts_config_load(const struct ts_config_field *fields, size_t n, void *config,
                                 struct ts_arena *arena, struct ts_buf *errors, ts_config_getenv getenv_fn,
                                 void *ctx);

/* Wipes the secrets of a filled struct. */
void ts_config_wipe(const struct ts_config_field *fields, size_t n, void *config);

/* A table for --help: name (aliases), default, bounds, meaning; secrets marked. */
void ts_config_help(const struct ts_config_field *fields, size_t n, struct ts_buf *out);

#endif
