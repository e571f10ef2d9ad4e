#include "http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/number.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct ts_address *address)
{
    return memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static struct ts_address from_v4(const void *four_bytes)
{
    struct ts_address address;
    memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
    memcpy(address.bytes + 12, four_bytes, 4);
    return address;
}

int ts_address_parse(ts_str text, struct ts_address *ret)
{
    if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = (ts_str){text.ptr + 1, text.len - 2};
    char copy[TS_ADDRESS_SIZE];
    if (text.len == 0 || text.len >= sizeof(copy) || ts_str_has_nul(text))
        return TS_E_INVALID;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    struct in_addr v4;
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        *ret = from_v4(&v4);
        return 0;
    }
    struct ts_address v6;
    if (inet_pton(AF_INET6, copy, v6.bytes) != 1)
        return TS_E_INVALID;
    *ret = v6;
    return 0;
}

struct ts_address ts_address_from_sockaddr(const struct sockaddr *sa)
{
    struct ts_address address = {0};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        address = from_v4(&in.sin_addr);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        memcpy(address.bytes, &in6.sin6_addr, sizeof(address.bytes));
    }
    return address;
}

const char *ts_address_format(const struct ts_address *address, char out[TS_ADDRESS_SIZE])
{
    const char *text = is_v4(address) ? inet_ntop(AF_INET, address->bytes + 12, out, TS_ADDRESS_SIZE)
                                      : inet_ntop(AF_INET6, address->bytes, out, TS_ADDRESS_SIZE);
    if (!text)
        out[0] = '\0';
    return out;
}

bool ts_address_eq(const struct ts_address *a, const struct ts_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ts_address_is_loopback(const struct ts_address *address)
{
    static const struct ts_address v6_loopback = {{[15] = 1}};
    return is_v4(address) ? address->bytes[12] == 127 : ts_address_eq(address, &v6_loopback);
}

/* The address with everything beyond the first `bits` bits zeroed. */
static struct ts_address mask(const struct ts_address *address, int bits)
{
    struct ts_address masked = *address;
    for (int i = 0; i < 16; i++) {
        int keep = bits - 8 * i;
        if (keep <= 0)
            masked.bytes[i] = 0;
        else if (keep < 8)
            masked.bytes[i] = (uint8_t)(masked.bytes[i] & (0xff << (8 - keep)));
    }
    return masked;
}

int ts_cidr_parse(ts_str text, struct ts_cidr *ret)
{
    ptrdiff_t slash = ts_str_find(text, TS_STR("/"));
    ts_str host = slash < 0 ? text : (ts_str){text.ptr, (size_t)slash};
    struct ts_cidr cidr = {.bits = 128};
    int error = ts_address_parse(host, &cidr.network);
    if (error)
        return error;
    if (slash >= 0) {
        int width = is_v4(&cidr.network) ? 32 : 128;
        int64_t bits;
        error = ts_parse_i64((ts_str){text.ptr + slash + 1, text.len - (size_t)slash - 1}, 0, width, &bits);
        if (error)
            return TS_E_INVALID;
        cidr.bits = (int)bits + 128 - width;
    }
    struct ts_address masked = mask(&cidr.network, cidr.bits);
    if (!ts_address_eq(&masked, &cidr.network))
        return TS_E_INVALID;
    *ret = cidr;
    return 0;
}

bool ts_cidr_contains(const struct ts_cidr *cidr, const struct ts_address *address)
{
    struct ts_address masked = mask(address, cidr->bits);
    return ts_address_eq(&masked, &cidr->network);
}

bool ts_cidr_any_contains(const struct ts_cidr *cidrs, size_t n, const struct ts_address *address)
{
    for (size_t i = 0; i < n; i++)
        if (ts_cidr_contains(&cidrs[i], address))
            return true;
    return false;
}

/* Takes the piece behind the last comma off *rest. */
static ts_str take_last(ts_str *rest)
{
    size_t start = rest->len;
    while (start > 0 && rest->ptr[start - 1] != ',')
        start--;
    ts_str piece = ts_str_trim((ts_str){rest->ptr + start, rest->len - start});
    rest->len = start > 0 ? start - 1 : 0;
    return piece;
}

struct ts_address ts_address_forwarded(ts_str forwarded_for, const struct ts_address *peer,
                                       const struct ts_cidr *trusted, size_t n_trusted)
{
    struct ts_address client = *peer;
    while (forwarded_for.len > 0 && ts_cidr_any_contains(trusted, n_trusted, &client))
        if (ts_address_parse(take_last(&forwarded_for), &client) != 0)
            break;
    return client;
}

/* --- table: open addressing, linear probing, at most half full ---------------------------------------------------------- */

struct entry {
    struct ts_address address;
    int count; /* 0 = free */
};

struct ts_address_table {
    struct entry *entries;
    size_t capacity; /* power of two */
    size_t used;
    size_t max;
};

/* FNV-1a; an attacker who controls many addresses gains at most a longer probe in a table bounded by the connection limit. */
static size_t hash(const struct ts_address *address)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        h = (h ^ address->bytes[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32));
}

static struct entry *probe(struct entry *entries, size_t capacity, const struct ts_address *address)
{
    size_t i = hash(address) & (capacity - 1);
    while (entries[i].count > 0 && !ts_address_eq(&entries[i].address, address))
        i = (i + 1) & (capacity - 1);
    return &entries[i];
}

int ts_address_table_new(size_t max_addresses, struct ts_address_table **ret)
{
    struct ts_address_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    table->capacity = 16;
    table->max = max_addresses;
    table->entries = calloc(table->capacity, sizeof(*table->entries));
    if (!table->entries) {
        ts_address_table_free(table);
        return -ENOMEM;
    }
    *ret = table;
    return 0;
}

struct ts_address_table *ts_address_table_free(struct ts_address_table *table)
{
    if (!table)
        return NULL;
    free(table->entries);
    free(table);
    return NULL;
}

static int grow(struct ts_address_table *table)
{
    size_t capacity = table->capacity * 2;
    struct entry *entries = calloc(capacity, sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->entries[i].count > 0)
            *probe(entries, capacity, &table->entries[i].address) = table->entries[i];
    free(table->entries);
    table->entries = entries;
    table->capacity = capacity;
    return 0;
}

int ts_address_table_add(struct ts_address_table *table, const struct ts_address *address)
{
    struct entry *entry = probe(table->entries, table->capacity, address);
    if (entry->count > 0)
        return ++entry->count;
    if (table->used >= table->max || (table->used * 2 >= table->capacity && grow(table) != 0))
        return -ENOMEM;
    entry = probe(table->entries, table->capacity, address);
    *entry = (struct entry){.address = *address, .count = 1};
    table->used++;
    return 1;
}

void ts_address_table_remove(struct ts_address_table *table, const struct ts_address *address)
{
    struct entry *entry = probe(table->entries, table->capacity, address);
    if (entry->count == 0 || --entry->count > 0)
        return;
    table->used--;
    /* A probe ends at the first free entry: those behind the hole are put in again, so that they stay reachable. */
    size_t i = (size_t)(entry - table->entries);
    for (;;) {
        i = (i + 1) & (table->capacity - 1);
        struct entry moved = table->entries[i];
        if (moved.count == 0)
            return;
        table->entries[i].count = 0;
        *probe(table->entries, table->capacity, &moved.address) = moved;
    }
}
