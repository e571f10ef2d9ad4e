#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef TS_SANITIZED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT       16
#define FIRST_BLOCK     (4 * 1024)
#define MAX_SMALL_BLOCK (64 * 1024)

struct block {
    struct block *next;
    size_t size, used; /* of `data` */
    _Alignas(ALIGNMENT) char data[];
};

struct ts_arena {
    struct block *current; /* head of the list; only it is allocated from */
    size_t max_bytes, used_bytes;
    size_t next_block_bytes; /* the header included */
};

static struct {
    void *(*alloc)(size_t size);
    void (*release)(void *p);
} allocator = {malloc, free};

void ts_arena_set_allocator(void *(*alloc)(size_t size), void (*release)(void *p))
{
    allocator.alloc = alloc ? alloc : malloc;
    allocator.release = release ? release : free;
}

struct ts_arena *ts_arena_new(size_t max_bytes)
{
    struct ts_arena *arena = allocator.alloc(sizeof(*arena));

    if (arena)
        *arena = (struct ts_arena){
            .max_bytes = TS_MIN(max_bytes, (size_t)PTRDIFF_MAX), /* so that adding a header never overflows */
            .next_block_bytes = FIRST_BLOCK,
        };
    return arena;
}

static void release_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
        allocator.release(block);
        block = next;
    }
}

struct ts_arena *ts_arena_free(struct ts_arena *arena)
{
    if (arena) {
        release_blocks(arena->current);
        allocator.release(arena);
    }
    return NULL;
}

/*
 * A block with room for `size`. One made to measure goes behind the current block, whose room would be lost
 * otherwise. Under AddressSanitizer bytes are out of bounds until they are handed out.
 */
static struct block *add_block(struct ts_arena *arena, size_t size)
{
    bool made_to_measure = sizeof(struct block) + size >= arena->next_block_bytes;
    size_t bytes = made_to_measure ? sizeof(struct block) + size : arena->next_block_bytes;
    struct block **at = made_to_measure && arena->current ? &arena->current->next : &arena->current;
    struct block *block = allocator.alloc(bytes);

    if (!block)
        return NULL;
    *block = (struct block){.next = *at, .size = bytes - sizeof(struct block)};
    ASAN_POISON_MEMORY_REGION(block->data, block->size);
    *at = block;
    if (!made_to_measure)
        arena->next_block_bytes = TS_MIN(arena->next_block_bytes * 2, (size_t)MAX_SMALL_BLOCK);
    return block;
}

void *ts_arena_alloc(struct ts_arena *arena, size_t size)
{
    size_t available = arena->max_bytes - arena->used_bytes;
    struct block *block = arena->current;

    if (size == 0 || size > available)
        return NULL;
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded < size || rounded > available)
        return NULL;
    if (!block || block->size - block->used < rounded) {
        block = add_block(arena, rounded);
        if (!block)
            return NULL;
    }
    char *p = block->data + block->used;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    block->used += rounded;
    arena->used_bytes += rounded;
    return memset(p, 0, size);
}

void *ts_arena_array(struct ts_arena *arena, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return ts_arena_alloc(arena, bytes);
}

int ts_arena_dup(struct ts_arena *arena, ts_str s, ts_str *ret)
{
    if (ts_str_is_none(s)) {
        *ret = TS_STR_NONE;
        return 0;
    }
    if (s.len == SIZE_MAX)
        return -ENOMEM;
    char *copy = ts_arena_alloc(arena, s.len + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, s.ptr, s.len);
    *ret = (ts_str){copy, s.len};
    return 0;
}

int ts_arena_printf(struct ts_arena *arena, ts_str *ret, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len >= 0 ? ts_arena_alloc(arena, (size_t)len + 1) : NULL;
    if (!text)
        return -ENOMEM;
    va_start(args, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    *ret = (ts_str){text, (size_t)len};
    return 0;
}

void ts_arena_reset(struct ts_arena *arena)
{
    struct block *kept = arena->current;

    arena->used_bytes = 0;
    if (!kept)
        return;
    release_blocks(kept->next);
    kept->next = NULL;
    kept->used = 0;
    ASAN_POISON_MEMORY_REGION(kept->data, kept->size);
    if (kept->size > MAX_SMALL_BLOCK) { /* one large request must not stay with a long-lived arena */
        release_blocks(kept);
        arena->current = NULL;
        arena->next_block_bytes = FIRST_BLOCK;
    }
}

size_t ts_arena_used_bytes(const struct ts_arena *arena)
{
    return arena->used_bytes;
}
