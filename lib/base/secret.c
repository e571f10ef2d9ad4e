#include "base/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#define MIN_REDACTED_BYTES 8 /* shorter values would be found in innocent text */

/* A secret's value lives in its entry of the list, so that registering can't fail apart from setting. */
struct entry {
    struct entry *next;
    size_t len;
    char value[];
};

static struct {
    pthread_mutex_t lock;
    struct entry *entries; /* longest first: a secret may begin with another one */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void add_entry(struct entry *entry)
{
    pthread_mutex_lock(&registry.lock);
    struct entry **at = &registry.entries;
    while (*at && (*at)->len > entry->len)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
    pthread_mutex_unlock(&registry.lock);
}

static void remove_entry(struct entry *entry)
{
    pthread_mutex_lock(&registry.lock);
    struct entry **at = &registry.entries;
    while (*at && *at != entry)
        at = &(*at)->next;
    if (*at)
        *at = entry->next;
    pthread_mutex_unlock(&registry.lock);
}

int ts_secret_set(struct ts_secret *secret, ts_str value)
{
    struct entry *entry = malloc(sizeof(*entry) + value.len + 1);

    if (!entry)
        return -ENOMEM;
    *entry = (struct entry){.len = value.len};
    if (value.len > 0)
        memcpy(entry->value, value.ptr, value.len);
    entry->value[value.len] = '\0';
    ts_secret_done(secret);
    secret->value = entry->value;
    secret->len = value.len;
    ts_sha256((ts_str){entry->value, entry->len}, secret->digest); /* `value` may have been the old one */
    if (value.len >= MIN_REDACTED_BYTES)
        add_entry(entry);
    return 0;
}

void ts_secret_done(struct ts_secret *secret)
{
    if (secret->value) {
        struct entry *entry = TS_CONTAINER_OF(secret->value, struct entry, value);
        remove_entry(entry);
        OPENSSL_cleanse(entry, sizeof(*entry) + entry->len);
        free(entry);
    }
    OPENSSL_cleanse(secret, sizeof(*secret));
}

bool ts_secret_equals(const struct ts_secret *secret, ts_str candidate)
{
    uint8_t digest[32];

    if (!ts_secret_is_set(secret))
        return false;
    ts_sha256(candidate, digest);
    return CRYPTO_memcmp(secret->digest, digest, sizeof(digest)) == 0;
}

void ts_fingerprint(ts_str value, char out[TS_FINGERPRINT_SIZE])
{
    uint8_t digest[32];

    ts_sha256(value, digest);
    ts_hex(digest, (TS_FINGERPRINT_SIZE - 1) / 2, out);
}

/* Looked up once: OpenSSL's search by name costs more than the digest of a token. */
static EVP_MD *sha256;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void ts_sha256(ts_str bytes, uint8_t out[32])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch_sha256);
    /* A digest that silently stayed zero would make every token equal. */
    if (!sha256 || EVP_Digest(bytes.ptr ? bytes.ptr : "", bytes.len, out, NULL, sha256, NULL) != 1)
        abort();
}

void ts_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static void redact_one(char *buf, size_t *len, const struct entry *entry)
{
    const ts_str mark = TS_STR("[redacted]");
    size_t mark_len = TS_MIN(mark.len, entry->len);
    char *from = buf, *found;

    while ((found = memmem(from, *len - (size_t)(from - buf), entry->value, entry->len))) {
        char *tail = found + entry->len;
        memcpy(found, mark.ptr, mark_len);
        from = found + mark_len;
        memmove(from, tail, *len - (size_t)(tail - buf));
        *len -= entry->len - mark_len;
    }
}

void ts_secret_redact(char *buf, size_t *len)
{
    pthread_mutex_lock(&registry.lock);
    for (const struct entry *entry = registry.entries; entry; entry = entry->next)
        if (entry->len <= *len)
            redact_one(buf, len, entry);
    pthread_mutex_unlock(&registry.lock);
}

/* How many bytes at the end of `text` are the beginning of the secret. */
static size_t beginning_at_end(ts_str text, const struct entry *entry)
{
    for (size_t n = TS_MIN(text.len, entry->len); n > 0; n--)
        if (memcmp(text.ptr + text.len - n, entry->value, n) == 0)
            return n;
    return 0;
}

size_t ts_secret_cut(ts_str text)
{
    size_t longest = 0;

    pthread_mutex_lock(&registry.lock);
    for (const struct entry *entry = registry.entries; entry; entry = entry->next)
        longest = TS_MAX(longest, beginning_at_end(text, entry));
    pthread_mutex_unlock(&registry.lock);
    return text.len - longest;
}

void ts_random_bytes(void *out, size_t n)
{
    char *p = out;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}
