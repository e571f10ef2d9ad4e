/*
 * A small service for the tests of the commands. It listens on 127.0.0.1:$PORT and answers every request with 200, or with
 * $ANSWER. What else it does, the environment says:
 *   IGNORE_TERM=1   only SIGKILL ends it          CHILD=1   has a child that outlives SIGTERM
 *   FAIL=text       says so and exits 1           REPORT=file   writes its environment there
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void report(const char *path)
{
    FILE *file = fopen(path, "we");

    for (char **line = environ; file && *line; line++)
        fprintf(file, "%s\n", *line);
    if (file)
        fclose(file);
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0) {
        perror("service");
        exit(1);
    }
    return fd;
}

static void make_child(int fd)
{
    if (fork() != 0)
        return;
    close(fd);
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

static void serve(int fd, const char *answer)
{
    for (;;) {
        char request[1024], reply[128];
        int client = accept(fd, NULL, NULL);
        if (client < 0)
            continue;
        int len = snprintf(reply, sizeof(reply),
                           "HTTP/1.1 %s X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", answer);
        if (recv(client, request, sizeof(request), 0) > 0)
            send(client, reply, (size_t)len, MSG_NOSIGNAL);
        close(client);
    }
}

int main(void)
{
    const char *port = getenv("PORT"), *answer = getenv("ANSWER");

    if (getenv("REPORT"))
        report(getenv("REPORT"));
    if (getenv("FAIL")) {
        printf("%s\n", getenv("FAIL"));
        return 1;
    }
    if (getenv("IGNORE_TERM"))
        signal(SIGTERM, SIG_IGN);
    int fd = listen_on(port ? atoi(port) : 0);
    if (getenv("CHILD"))
        make_child(fd);
    serve(fd, answer ? answer : "200");
}
