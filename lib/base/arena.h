/*
 * Arena: memory of one request, message or batch; what is made in it lives and dies with it.
 *
 * You want this whenever several things end at the same moment. You do not want it for objects with lives of
 * their own (those have _new/_free).
 *
 * An arena is born with its maximum and never exceeds it: an allocation beyond returns NULL, which callers
 * answer with 413, 503 or -ENOMEM, never with a crash. Memory is zeroed when handed out, aligned to 16 bytes
 * and counted so; it comes from malloc in blocks of 4 KiB, doubling up to 64 KiB, larger on demand. Thread
 * rule: one thread at a time; an arena may be handed over between threads as a whole.
 */
#ifndef TS_BASE_ARENA_H
#define TS_BASE_ARENA_H

#include "base/compiler.h"
#include "base/str.h"

struct ts_arena;

/* max_bytes: all payload together, each allocation rounded up to 16. NULL when out of memory. */
struct ts_arena *ts_arena_new(size_t max_bytes);
struct ts_arena *ts_arena_free(struct ts_arena *arena);
TS_DEFINE_CLEANUP(struct ts_arena *, ts_arena_free)

/* Zeroed memory of `size` > 0 bytes; NULL at the maximum or when out of memory. */
TS_MUST_CHECK void *ts_arena_alloc(struct ts_arena *arena, size_t size);

/* Array of `n` items of `size`; NULL also when n * size overflows. */
TS_MUST_CHECK void *ts_arena_array(struct ts_arena *arena, size_t n, size_t size);

#define TS_ARENA_NEW(arena, type)      ((type *)ts_arena_alloc(arena, sizeof(type)))
#define TS_ARENA_ARRAY(arena, n, type) ((type *)ts_arena_array(arena, n, sizeof(type)))

/* A copy, followed by a NUL byte that does not count. 0 or -ENOMEM. TS_STR_NONE stays TS_STR_NONE. */
TS_MUST_CHECK int ts_arena_dup(struct ts_arena *arena, ts_str s, ts_str *ret);

/* Formatted, NUL-terminated. 0 or -ENOMEM. */
TS_MUST_CHECK int ts_arena_printf(struct ts_arena *arena, ts_str *ret, const char *fmt, ...) TS_PRINTF(3, 4);

/* Forgets everything handed out; keeps one block for the next use. */
void ts_arena_reset(struct ts_arena *arena);

size_t ts_arena_used_bytes(const struct ts_arena *arena);

/*
 * For tests: the allocator behind all arenas. `alloc` may return NULL to play "out of memory"; NULL, NULL
 * restores malloc and free. Not thread-safe; set before threads start.
 */
void ts_arena_set_allocator(void *(*alloc)(size_t size), void (*release)(void *p));

#endif
