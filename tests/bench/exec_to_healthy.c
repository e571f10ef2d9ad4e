/*
 * exec_to_healthy PORT PROGRAM [ARG…]: starts the program and prints the milliseconds from exec to the first 200 of GET /health on
 * 127.0.0.1:PORT, then ends it by SIGTERM. exit 1 when it did not get healthy within 20 s.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define PATIENCE_US (20 * TS_US_PER_S)
#define POLL_US     200

static bool is_healthy(int port)
{
    static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    _cleanup_(ts_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char reply[16] = "";

    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return false;
    return ts_write_all(fd, (ts_str){request, sizeof(request) - 1}) == 0 &&
           recv(fd, reply, sizeof(reply) - 1, MSG_WAITALL) > 0 && strncmp(reply, "HTTP/1.1 200", 12) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: exec_to_healthy PORT PROGRAM [ARG...]\n");
        return 64;
    }
    const int port = atoi(argv[1]);
    const int64_t begin_us = ts_clock_mono_us();
    bool healthy = false;
    pid_t pid = fork();

    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    while (!healthy && ts_clock_mono_us() - begin_us < PATIENCE_US && waitpid(pid, NULL, WNOHANG) == 0) {
        healthy = is_healthy(port);
        if (!healthy)
            usleep(POLL_US);
    }
    const int64_t took_us = ts_clock_mono_us() - begin_us;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    if (healthy)
        printf("%.1f\n", (double)took_us / 1000.0);
    return !healthy;
}
