/* What the compiler is asked to check for us. Thread rule: none, macros only. */
#ifndef TS_BASE_COMPILER_H
#define TS_BASE_COMPILER_H

#include <stddef.h>

#define TS_MUST_CHECK        __attribute__((warn_unused_result))
#define TS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TS_UNUSED            __attribute__((unused))

#define TS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Each argument is evaluated once: TS_MIN(ts_db_run(…), 0) must not run a statement again because it failed. Not for constants
 * outside of functions.
 */
#define TS_MIN(a, b) TS_PICK_(a, b, <, __COUNTER__)
#define TS_MAX(a, b) TS_PICK_(a, b, >, __COUNTER__)

/* The counter makes the names differ when one stands inside the other. */
#define TS_PICK_(a, b, better, n) TS_PICK_AS_(a, b, better, n)
#define TS_PICK_AS_(a, b, better, n)                    \
    __extension__({                                     \
        __typeof__(0 ? (a) : (b)) ts_a_##n = (a);       \
        __typeof__(ts_a_##n) ts_b_##n = (b);            \
        ts_a_##n better ts_b_##n ? ts_a_##n : ts_b_##n; \
    })

/* The object that holds `member`; a call-back is given the member and wants the whole. */
#define TS_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/*
 * A local that owns something frees it when it goes out of scope, so early return is always safe:
 *
 *     _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(64 * 1024);
 *
 * TS_DEFINE_CLEANUP(struct ts_arena *, ts_arena_free) makes `ts_arena_freep` from `ts_arena_free`. A
 * destructor takes NULL and returns NULL.
 */
#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define TS_DEFINE_CLEANUP(type, fn)             \
    TS_UNUSED static inline void fn##p(type *p) \
    {                                           \
        *p = fn(*p);                            \
    }

/* Hands the value out of a variable with a cleanup: `*ret_thing = TS_TAKE(thing);` */
#define TS_TAKE(p)                     \
    __extension__({                    \
        __typeof__(p) ts_taken_ = (p); \
        (p) = NULL;                    \
        ts_taken_;                     \
    })

#endif
