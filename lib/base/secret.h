/*
 * Secrets and digests. A secret is a type of its own: it prints as `***`, is compared in constant time (by
 * SHA-256 digest, so the length does not leak either) and is wiped when freed. The logger knows every secret
 * that is set and replaces it in any line (tp-capital section 9). Thread rule: set at start, then read-only;
 * redaction from any thread.
 */
#ifndef TS_BASE_SECRET_H
#define TS_BASE_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct ts_secret {
    char *value; /* owned, NUL-terminated; NULL when not set */
    size_t len;
    uint8_t digest[32];
};

/* Copies the value and registers it for redaction (values shorter than 8 bytes are not registered). 0 or
 * -ENOMEM. */
TS_MUST_CHECK int ts_secret_set(struct ts_secret *secret, ts_str value);
void ts_secret_done(struct ts_secret *secret); /* wipes */

static inline bool ts_secret_is_set(const struct ts_secret *secret)
{
    return secret->value != NULL;
}

/* Constant time. False when the secret is not set. */
bool ts_secret_equals(const struct ts_secret *secret, ts_str candidate);

/* The first 8 hex digits of the SHA-256, what logs may say about a token. */
#define TS_FINGERPRINT_SIZE 9
void ts_fingerprint(ts_str value, char out[TS_FINGERPRINT_SIZE]);

void ts_sha256(ts_str bytes, uint8_t out[32]);
void ts_hex(const uint8_t *bytes, size_t n, char *out); /* 2n characters and NUL */

/* Replaces every registered secret in buf[0..*len) by `[redacted]` (or its first bytes); never makes it
 * longer than it was. */
void ts_secret_redact(char *buf, size_t *len);

/* For text that was cut: the length without the beginning of a registered secret that the cut may have left
 * at its end. */
size_t ts_secret_cut(ts_str text);

/* Random bytes from the system; aborts the process when the system has none (it always has, after boot). */
void ts_random_bytes(void *out, size_t n);

#endif
