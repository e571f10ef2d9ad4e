#include "service/service.h"

#include <arpa/inet.h>

#include "base/number.h"

const char *const ts_node_env_names[] = {"", "development", "production", "test", NULL};
const char *const ts_log_level_names[] = {"debug", "info", "warn", "error", NULL};

static bool is_ip(ts_str s)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];

    if (s.len >= sizeof(text))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

const char *ts_check_bind_addresses(const void *list)
{
    const struct ts_str_list *addresses = list;

    if (addresses->n == 0)
        return "at least one IP address";
    for (size_t i = 0; i < addresses->n; i++)
        if (!is_ip(addresses->items[i]))
            return "not an IP address";
    return NULL;
}

const char *ts_check_cidr_list(const void *list)
{
    const struct ts_str_list *ranges = list;

    for (size_t i = 0; i < ranges->n; i++) {
        ts_str ip, bits = ranges->items[i];
        int64_t n;

        ts_str_split(&bits, '/', &ip);
        if (!is_ip(ip))
            return "not a list of addresses or address/bits";
        if (!ts_str_is_none(bits) && bits.len > 0 &&
            ts_parse_i64(bits, 0, memchr(ip.ptr, ':', ip.len) ? 128 : 32, &n) < 0)
            return "number of bits out of range";
    }
    return NULL;
}
