/*
 * Folding: a message as people type it becomes plain capitals that the grammar can be written against
 * (tp-capital 2.2).
 *
 *     "Preço: **R$ 31,40** até 31,90 🚀\r\n"   ->   "PRECO: R$ 31,40 ATE 31,90  \n"
 *
 *  1. CRLF and CR become LF.
 *  2. Letters lose their accents, as under canonical decomposition (NFD). Covered is every character of
 * Unicode whose decomposition begins with an ASCII character (Latin-1, Latin Extended-A, -B and Additional,
 * and the six signs such as U+212A KELVIN), so no other normalisation is needed. Combining marks U+0300-036F,
 * zero-width characters, variation selectors and the Markdown signs `* _ ~` and backquote vanish.
 *  3. Dashes become `-`, the fullwidth colon becomes `:`.
 *  4. Every other character outside ASCII 32-126, except LF, becomes one space: emoji, no-break space, tab,
 * bullet, NUL. A byte that belongs to no valid UTF-8 character counts as such a character by itself, so any
 * bytes are safe.
 *  5. Small letters become capitals.
 *
 * A character never becomes more than one, so the folded text is never longer than the original. Folding a
 * folded text changes nothing. Time is linear, no memory is allocated. Thread rule: pure functions.
 */
#ifndef TP_CAPITAL_FOLD_H
#define TP_CAPITAL_FOLD_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/* Bytes of a message that /ingest accepts (tp-capital 3.1). */
#define FOLD_TEXT_MAX 16384

/* About 49 KiB, meant for the stack; only what the message needs is touched. */
struct folded {
    ts_str original; /* borrowed */
    size_t len;
    char text[FOLD_TEXT_MAX +
              1]; /* text[len] is '\n': whoever stops at the end of a line stops at the end of the text */
    uint16_t origin[FOLD_TEXT_MAX]; /* of each folded character: offset in the original of the character it
                                       came from */
};

/* Bytes [start, end) of the original text. */
struct fold_span {
    uint32_t start, end;
};

/* 0, or TS_E_TOO_LONG for more than FOLD_TEXT_MAX bytes (then *ret is untouched). `text` must outlive *ret.
 */
TS_MUST_CHECK int fold(ts_str text, struct folded *ret);

/*
 * The folded text alone, of any length and without the way back: `out` has room for text.len bytes. Returns its
 * length. What folding loses can stay, each kind by itself, so that it can be searched for:
 *
 *   FOLD_KEEP_MARKS   the Markdown signs
 *   FOLD_KEEP_OTHERS  the characters (and bytes) that would become a space, as they are: emoji, tabs, other alphabets
 */
enum { FOLD_KEEP_MARKS = 1, FOLD_KEEP_OTHERS = 2 };
size_t fold_text(ts_str text, unsigned keep, char *out);

/* Where the folded characters [begin, end), at least one, stand in the original. */
struct fold_span fold_origin(const struct folded *folded, const char *begin, const char *end);

#endif
