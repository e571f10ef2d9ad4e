#include "testing/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "testing/process.h"

enum { MAX_LINKS = 128, HALF_BYTES = 256 * 1024 };

/* One direction of a connection. */
struct half {
    int from, to; /* borrowed from the link */
    char bytes[HALF_BYTES];
    size_t len;
    int64_t due_ms;   /* of what waits */
    bool ended;       /* `from` will send no more */
    bool told;        /* `to` knows it */
    bool thrown_away; /* `to` was told to expect no more: the rest goes nowhere */
};

struct link {
    int client, server;
    struct half up, down;
    struct link *next;
};

struct ts_test_proxy {
    int listener, wake, port, to_port;
    pthread_t thread;
    pthread_mutex_t lock; /* held by the thread but while it sleeps */
    /* Under the lock. */
    struct link *links;
    unsigned held;
    int delay_ms;
    bool stop;
};

/* --- links --- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void reset(int fd)
{
    const struct linger none = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(fd);
}

static void add_link(struct ts_test_proxy *proxy, int client)
{
    const struct sockaddr_in to = loopback(proxy->to_port);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct link *link = calloc(1, sizeof(*link));

    if (server < 0 || !link)
        ts_test_die("the proxy has no memory or no socket");
    if (connect(server, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        free(link);
        close(server);
        reset(client);
        return;
    }
    fcntl(server, F_SETFL, O_NONBLOCK);
    link->client = link->up.from = link->down.to = client;
    link->server = link->up.to = link->down.from = server;
    link->next = proxy->links;
    proxy->links = link;
}

static void cut_link(struct ts_test_proxy *proxy, struct link *link)
{
    struct link **at = &proxy->links;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    reset(link->client);
    reset(link->server);
    free(link);
}

/* --- bytes; each returns false when the link is broken --- */

static bool take(struct half *half, int delay_ms)
{
    if (half->ended || half->len == HALF_BYTES)
        return true;
    ssize_t n = recv(half->from, half->bytes + half->len, HALF_BYTES - half->len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (half->len == 0)
        half->due_ms = ts_test_now_ms() + delay_ms;
    half->len += (size_t)n;
    half->ended = n == 0;
    return true;
}

static bool is_due(const struct half *half, bool held)
{
    return !held && (half->len > 0 || (half->ended && !half->told)) && ts_test_now_ms() >= half->due_ms;
}

static bool pass_on(struct half *half, bool held)
{
    if (!is_due(half, held))
        return true;
    if (half->thrown_away)
        half->len = 0;
    if (half->len > 0) {
        ssize_t n = send(half->to, half->bytes, half->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        half->len -= (size_t)n;
        memmove(half->bytes, half->bytes + n, half->len);
    }
    if (half->ended && half->len == 0 && !half->told) {
        half->told = true;
        shutdown(half->to, SHUT_WR);
    }
    return true;
}

static bool serve(struct ts_test_proxy *proxy, struct link *link)
{
    return take(&link->up, proxy->delay_ms) && take(&link->down, proxy->delay_ms) &&
           pass_on(&link->up, proxy->held & TS_PROXY_UP) &&
           pass_on(&link->down, proxy->held & TS_PROXY_DOWN) && !(link->up.told && link->down.told);
}

/* --- the thread --- */

static struct pollfd wanted(const struct half *in, const struct half *out, bool out_held, int fd)
{
    short events = 0;

    if (!in->ended && in->len < HALF_BYTES)
        events |= POLLIN;
    if (is_due(out, out_held))
        events |= POLLOUT;
    return (struct pollfd){.fd = events ? fd : -1, .events = events};
}

static int until_due(const struct ts_test_proxy *proxy)
{
    int64_t soonest = 1000, now_ms = ts_test_now_ms();

    for (const struct link *link = proxy->links; link; link = link->next) {
        if (link->up.len > 0 && link->up.due_ms > now_ms)
            soonest = TS_MIN(soonest, link->up.due_ms - now_ms);
        if (link->down.len > 0 && link->down.due_ms > now_ms)
            soonest = TS_MIN(soonest, link->down.due_ms - now_ms);
    }
    return (int)soonest;
}

static void sleep_until_something(struct ts_test_proxy *proxy)
{
    struct pollfd fds[2 + 2 * MAX_LINKS] = {{.fd = proxy->wake, .events = POLLIN},
                                            {.fd = proxy->listener, .events = POLLIN}};
    nfds_t n = 2;
    uint64_t count;

    for (const struct link *link = proxy->links; link && n < TS_ARRAY_LEN(fds); link = link->next) {
        fds[n++] = wanted(&link->up, &link->down, proxy->held & TS_PROXY_DOWN, link->client);
        fds[n++] = wanted(&link->down, &link->up, proxy->held & TS_PROXY_UP, link->server);
    }
    int patience_ms = until_due(proxy);
    pthread_mutex_unlock(&proxy->lock);
    poll(fds, n, patience_ms);
    pthread_mutex_lock(&proxy->lock);
    if (fds[0].revents && read(proxy->wake, &count, sizeof(count)) < 0)
        ts_test_die("the proxy's alarm clock: %s", strerror(errno));
}

/* Every socket is non-blocking, so each is simply asked: what poll said is only the reason to look. */
static void *run(void *arg)
{
    struct ts_test_proxy *proxy = arg;
    int client;

    pthread_mutex_lock(&proxy->lock);
    while (!proxy->stop) {
        while ((client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
            add_link(proxy, client);
        for (struct link *link = proxy->links, *next; link; link = next) {
            next = link->next;
            if (!serve(proxy, link))
                cut_link(proxy, link);
        }
        sleep_until_something(proxy);
    }
    pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

static void wake(struct ts_test_proxy *proxy)
{
    const uint64_t one = 1;

    if (write(proxy->wake, &one, sizeof(one)) != sizeof(one))
        ts_test_die("the proxy's alarm clock: %s", strerror(errno));
}

/* --- for the test --- */

static void start_thread(struct ts_test_proxy *proxy)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&proxy->thread, NULL, run, proxy) != 0)
        ts_test_die("the proxy has no thread");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct ts_test_proxy *ts_test_proxy_start(int to_port)
{
    struct ts_test_proxy *proxy = calloc(1, sizeof(*proxy));
    const int on = 1;

    if (!proxy)
        ts_test_die("out of memory");
    proxy->to_port = to_port;
    proxy->port = ts_test_free_port();
    proxy->wake = eventfd(0, EFD_CLOEXEC);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr_in here = loopback(proxy->port);
    setsockopt(proxy->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (proxy->wake < 0 || bind(proxy->listener, (const struct sockaddr *)&here, sizeof(here)) != 0 ||
        listen(proxy->listener, MAX_LINKS) != 0)
        ts_test_die("the proxy can't listen: %s", strerror(errno));
    pthread_mutex_init(&proxy->lock, NULL);
    start_thread(proxy);
    return proxy;
}

int ts_test_proxy_port(const struct ts_test_proxy *proxy)
{
    return proxy->port;
}

void ts_test_proxy_cut(struct ts_test_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    while (proxy->links)
        cut_link(proxy, proxy->links);
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
}

void ts_test_proxy_stop(struct ts_test_proxy *proxy)
{
    if (!proxy)
        return;
    pthread_mutex_lock(&proxy->lock);
    proxy->stop = true;
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
    pthread_join(proxy->thread, NULL);
    while (proxy->links)
        cut_link(proxy, proxy->links);
    close(proxy->listener);
    close(proxy->wake);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

void ts_test_proxy_hold(struct ts_test_proxy *proxy, unsigned directions)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->held = directions;
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
}

void ts_test_proxy_delay(struct ts_test_proxy *proxy, int ms)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->delay_ms = ms;
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
}

void ts_test_proxy_end_answers(struct ts_test_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    for (struct link *link = proxy->links; link; link = link->next) {
        link->down.thrown_away = link->down.told = true;
        shutdown(link->client, SHUT_WR);
    }
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
}

size_t ts_test_proxy_connections(struct ts_test_proxy *proxy)
{
    size_t n = 0;

    pthread_mutex_lock(&proxy->lock);
    for (const struct link *link = proxy->links; link; link = link->next)
        n++;
    pthread_mutex_unlock(&proxy->lock);
    return n;
}

size_t ts_test_proxy_held(struct ts_test_proxy *proxy, unsigned direction)
{
    size_t n = 0;

    pthread_mutex_lock(&proxy->lock);
    for (const struct link *link = proxy->links; link; link = link->next)
        n += direction == TS_PROXY_UP ? link->up.len : link->down.len;
    pthread_mutex_unlock(&proxy->lock);
    return n;
}
