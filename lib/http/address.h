/*
 * IP addresses and networks: who a connection comes from, and whom we believe about it (X-Forwarded-For).
 * An IPv4 address is kept in its mapped form (::ffff:a.b.c.d), so one comparison serves both families and a peer has one name.
 * Thread rule: pure functions; a table belongs to one thread.
 */
#ifndef TS_HTTP_ADDRESS_H
#define TS_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/str.h"

#define TS_ADDRESS_SIZE 46 /* INET6_ADDRSTRLEN */

struct ts_address {
    uint8_t bytes[16];
};

struct ts_cidr {
    struct ts_address network;
    int bits; /* of 128 */
};

/* A numeric address, IPv6 also in brackets; no port, no zone. 0 or TS_E_INVALID. */
TS_MUST_CHECK int ts_address_parse(ts_str text, struct ts_address *ret);

/* All zero for families that have no address (a socket pair). */
struct ts_address ts_address_from_sockaddr(const struct sockaddr *sa);

/* The shortest usual form, IPv4 dotted. Returns `out`. */
const char *ts_address_format(const struct ts_address *address, char out[TS_ADDRESS_SIZE]);

bool ts_address_eq(const struct ts_address *a, const struct ts_address *b);
bool ts_address_is_loopback(const struct ts_address *address); /* 127.0.0.0/8, ::1 */

/* "10.0.0.0/8", "fd00::/8", or an address alone. Bits beyond the prefix must be zero. 0 or TS_E_INVALID. */
TS_MUST_CHECK int ts_cidr_parse(ts_str text, struct ts_cidr *ret);
bool ts_cidr_contains(const struct ts_cidr *cidr, const struct ts_address *address);
bool ts_cidr_any_contains(const struct ts_cidr *cidrs, size_t n, const struct ts_address *address);

/*
 * The client behind trusted proxies: the last address of X-Forwarded-For that is not itself a trusted proxy. An unreadable entry ends
 * the search at what was proven so far, at worst the peer.
 */
struct ts_address ts_address_forwarded(ts_str forwarded_for, const struct ts_address *peer,
                                       const struct ts_cidr *trusted, size_t n_trusted);

/* How many connections each address has. Grows with the number of addresses present, never beyond its maximum. */
struct ts_address_table;
TS_MUST_CHECK int ts_address_table_new(size_t max_addresses, struct ts_address_table **ret);
struct ts_address_table *ts_address_table_free(struct ts_address_table *table);

/* One more; returns the new count, or -ENOMEM when the table is full. */
int ts_address_table_add(struct ts_address_table *table, const struct ts_address *address);
void ts_address_table_remove(struct ts_address_table *table, const struct ts_address *address);

#endif
