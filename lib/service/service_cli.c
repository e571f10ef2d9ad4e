#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "service/service_internal.h"

#define HELP_MAX_BYTES (256 * 1024)

int ts_cli_version(const struct ts_service_def *def)
{
    printf("%s %s (%s)\n", def->name, def->version, def->commit);
    return 0;
}

int ts_cli_help(const struct ts_service_def *def)
{
    _cleanup_(ts_buf_done) struct ts_buf out = TS_BUF_INIT(HELP_MAX_BYTES);

    ts_buf_printf(&out, "%s: %s\n\n", def->name, def->summary);
    ts_buf_printf(&out, "  %s                  run until SIGTERM\n", def->name);
    ts_buf_printf(&out, "  %s --check-config   print every error of the configuration\n", def->name);
    ts_buf_printf(&out, "  %s --health-check   ask the running service; exit 0 when healthy\n", def->name);
    ts_buf_printf(&out, "  %s --version | --help\n", def->name);
    for (size_t i = 0; i < def->n_verbs; i++)
        ts_buf_printf(&out, "  %s %s\n      %s\n", def->name, def->verbs[i].name, def->verbs[i].help);
    ts_buf_cstr(&out, "\nEnvironment:\n");
    ts_config_help(def->fields, def->n_fields, &out);
    return ts_write_all(STDOUT_FILENO, ts_buf_view(&out)) < 0;
}

/* A connected socket with time-outs, or -errno. The service is on this machine, so two seconds are plenty. */
static int connect_to(const char *host, int port, int *ret_fd)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    const struct timeval patience = {.tv_sec = 2};
    struct addrinfo *address = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &address) != 0)
        return -EINVAL;
    _cleanup_(ts_closep) int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    }
    int rc = fd < 0 || connect(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
    freeaddrinfo(address);
    if (rc == 0)
        *ret_fd = ts_take_fd(&fd);
    return rc;
}

/* Where a client on this machine reaches the service. */
static const char *reachable_address(ts_str bound)
{
    if (ts_str_eq(bound, TS_STR("0.0.0.0")))
        return "127.0.0.1";
    if (ts_str_eq(bound, TS_STR("::")))
        return "::1";
    return bound.ptr;
}

int ts_cli_health_check(const struct ts_service_config *config)
{
    _cleanup_(ts_closep) int fd = -1;
    char request[512], reply[1024];
    ts_str host = config->allowed_hosts.n ? config->allowed_hosts.items[0] : TS_STR("localhost");
    int len = snprintf(request, sizeof(request),
                       "GET /health HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n", TS_STR_ARG(host));
    size_t got = 0;

    int rc = connect_to(reachable_address(config->bind_addresses.items[0]), (int)config->port, &fd);
    if (rc == 0)
        rc = ts_write_all(fd, (ts_str){request, (size_t)TS_MIN(len, (int)sizeof(request) - 1)});
    while (rc == 0 && got < sizeof(reply) - 1) {
        ssize_t n = recv(fd, reply + got, sizeof(reply) - 1 - got, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    reply[got] = '\0';
    if (ts_str_starts_with((ts_str){reply, got}, TS_STR("HTTP/1.1 200 ")))
        return 0;
    fprintf(stderr, "unhealthy: %.*s\n", rc < 0 ? 100 : (int)strcspn(reply, "\r\n"),
            rc < 0 ? ts_error_text(rc) : reply);
    return 1;
}
