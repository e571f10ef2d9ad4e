/*
 * Reserve: a file beside the outbox whose blocks are really allocated. When the disk is full it is given back, so that acknowledgements and marks
 * can still be written; reception waits until the reserve could be made again.
 *
 * Thread rule: one thread at a time. Calls touch the disk (an allocation of 4 MiB) and are made at start and while something is wrong.
 */
#ifndef GATEWAY_RESERVE_H
#define GATEWAY_RESERVE_H

#include "base/compiler.h"

enum {
    RESERVE_BYTES = 4 * 1024 * 1024,
    /* Free beside it before it is made again; without it reception would start on an empty disk and stop at its first message. */
    RESERVE_MARGIN_BYTES = 1024 * 1024,
};

/* path: NUL-terminated. Makes the file, or leaves a complete one alone. 0, -ENOSPC (nothing is left behind) or another -errno. */
TS_MUST_CHECK int reserve_make(const char *path);

/* As reserve_make, but only when the margin is free as well: -ENOSPC otherwise. */
TS_MUST_CHECK int reserve_make_again(const char *path);

/* Gives the space back. Missing is fine. */
void reserve_release(const char *path);

#endif
