#include "testing/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"
#include "base/secret.h"

#define MAX_DIRS 64
#define MAX_ENV  128

void ts_test_die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("test harness: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(99); /* exit, not abort: the scratch folders go */
}

void ts_test_sleep_ms(int ms)
{
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

int64_t ts_test_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- scratch folders --- */

static const char *join(const char *dir, const char *middle, const char *name, char out[TS_TEST_PATH_SIZE])
{
    if (snprintf(out, TS_TEST_PATH_SIZE, "%s%s%s", dir, middle, name) >= TS_TEST_PATH_SIZE)
        ts_test_die("path too long: %s%s%s", dir, middle, name);
    return out;
}

static char made_dirs[MAX_DIRS][TS_TEST_PATH_SIZE];
static pid_t made_by; /* a forked child must not remove its parent's folders */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void ts_test_dir_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    for (size_t i = 0; i < MAX_DIRS; i++)
        if (strcmp(made_dirs[i], path) == 0)
            made_dirs[i][0] = '\0';
}

static void remove_all_dirs(void)
{
    if (getpid() != made_by)
        return;
    for (size_t i = 0; i < MAX_DIRS; i++) {
        char path[TS_TEST_PATH_SIZE];
        memcpy(path, made_dirs[i], sizeof(path));
        if (path[0])
            ts_test_dir_remove(path);
    }
}

void ts_test_dir_make_in(const char *parent, char path[TS_TEST_PATH_SIZE])
{
    size_t free_slot = 0;

    if (made_by == 0) {
        made_by = getpid();
        atexit(remove_all_dirs);
    }
    while (free_slot < MAX_DIRS && made_dirs[free_slot][0])
        free_slot++;
    if (free_slot == MAX_DIRS)
        ts_test_die("more than %d scratch folders", MAX_DIRS);
    join(parent, "/", "ts-test-XXXXXX", path);
    if (!mkdtemp(path))
        ts_test_die("%s: %s", path, strerror(errno));
    memcpy(made_dirs[free_slot], path, TS_TEST_PATH_SIZE);
}

void ts_test_dir_make(char path[TS_TEST_PATH_SIZE])
{
    const char *tmp = getenv("TMPDIR");

    ts_test_dir_make_in(tmp && strlen(tmp) < 60 ? tmp : "/tmp", path);
}

const char *ts_test_path(const char *dir, const char *name, char out[TS_TEST_PATH_SIZE])
{
    return join(dir, "/", name, out);
}

const char *ts_test_program(const char *name, char out[TS_TEST_PATH_SIZE])
{
    const char *build = getenv("TS_BUILD_DIR");

    if (!build)
        ts_test_die("TS_BUILD_DIR is not set: run the test through ctest, or set it to build/<preset>");
    return join(build, "/bin/", name, out);
}

char *ts_test_read_file(const char *path)
{
    _cleanup_(ts_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    ssize_t n = 0;

    if (fd >= 0)
        fstat(fd, &st);
    char *text = calloc(1, (size_t)st.st_size + 1);
    if (!text)
        ts_test_die("out of memory");
    if (fd >= 0)
        n = read(fd, text, (size_t)st.st_size);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* --- ports --- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Below the range that the system gives to outgoing connections: one of those could take the port before we listen on it. */
#define FIRST_PORT 10000
#define LAST_PORT  32767

int ts_test_free_port(void)
{
    static bool given[LAST_PORT - FIRST_PORT + 1]; /* nobody gets the same port twice */

    for (int tries = 0; tries < 100; tries++) {
        _cleanup_(ts_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        uint32_t random;
        ts_random_bytes(&random, sizeof(random));
        int port = FIRST_PORT + (int)(random % (LAST_PORT - FIRST_PORT + 1));
        const struct sockaddr_in address = loopback(port);
        if (given[port - FIRST_PORT] || fd < 0 ||
            bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
            continue;
        given[port - FIRST_PORT] = true;
        return port;
    }
    ts_test_die("no free port: %s", strerror(errno));
}

bool ts_test_wait_port(int port, int timeout_ms)
{
    const struct sockaddr_in address = loopback(port);
    const int64_t until = ts_test_now_ms() + timeout_ms;

    do {
        _cleanup_(ts_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return true;
        ts_test_sleep_ms(5);
    } while (ts_test_now_ms() < until);
    return false;
}

/* --- processes --- */

static void add_inherited(const char **env, size_t *n, const char *name)
{
    static char kept[8][512];
    static size_t used;
    const char *value = getenv(name);

    if (!value || used == TS_ARRAY_LEN(kept))
        return;
    snprintf(kept[used], sizeof(kept[used]), "%s=%s", name, value);
    env[(*n)++] = kept[used++];
}

/* In the child. Credentials first: changing them clears the parent-death signal. */
static void become(const struct ts_test_spawn *spawn, pid_t parent)
{
    if (spawn->uid != 0 && (setgroups(0, NULL) != 0 || setgid(spawn->gid) != 0 || setuid(spawn->uid) != 0))
        _exit(98);
    prctl(PR_SET_PDEATHSIG, spawn->parent_death_signal ? spawn->parent_death_signal : SIGKILL);
    if (getppid() != parent)
        _exit(98);
}

_Noreturn static void run_child(const struct ts_test_spawn *spawn, const char *output, const char *cwd,
                                pid_t parent)
{
    static const char *const inherited[] = {"PATH", "HOME", "TMPDIR", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS"};
    const char *env[MAX_ENV + 1];
    size_t n = 0;
    sigset_t none;

    int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
    int null = open("/dev/null", O_RDONLY);
    if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(98);
    if ((spawn->root && chroot(spawn->root) != 0) || chdir(cwd) != 0)
        _exit(98);
    close_range(3, UINT_MAX, 0);
    for (size_t i = 0; i < TS_ARRAY_LEN(inherited); i++)
        add_inherited(env, &n, inherited[i]);
    for (size_t i = 0; spawn->env && spawn->env[i] && n < MAX_ENV; i++)
        env[n++] = spawn->env[i];
    env[n] = NULL;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    become(spawn, parent);
    execvpe(spawn->argv[0], (char *const *)(uintptr_t)spawn->argv, (char *const *)(uintptr_t)env);
    fprintf(stderr, "%s: %s\n", spawn->argv[0], strerror(errno));
    _exit(97);
}

/* One for all processes that did not ask for a folder. */
static const char *common_dir(void)
{
    static char dir[TS_TEST_PATH_SIZE];

    if (!dir[0])
        ts_test_dir_make(dir);
    return dir;
}

void ts_test_start(struct ts_test_process *process, const struct ts_test_spawn *spawn)
{
    static unsigned started;
    const char *cwd = spawn->cwd ? spawn->cwd : common_dir();
    const pid_t parent = getpid();
    char name[32];

    snprintf(name, sizeof(name), "output-%u", ++started);
    if (spawn->output)
        snprintf(process->output, sizeof(process->output), "%s", spawn->output);
    else if (!process->output[0])
        ts_test_path(cwd, name, process->output);
    process->pid = fork();
    if (process->pid < 0)
        ts_test_die("fork: %s", strerror(errno));
    if (process->pid == 0)
        run_child(spawn, process->output, cwd, parent);
}

void ts_test_start_program(struct ts_test_process *process, const char *name, const char *const *env)
{
    char path[TS_TEST_PATH_SIZE];
    const char *const argv[] = {ts_test_program(name, path), NULL};

    ts_test_start(process, &(struct ts_test_spawn){.argv = argv, .env = env});
}

bool ts_test_is_running(struct ts_test_process *process)
{
    return process->pid != 0 && !ts_test_wait_exit(process, 0);
}

bool ts_test_wait_exit(struct ts_test_process *process, int timeout_ms)
{
    const int64_t until = ts_test_now_ms() + timeout_ms;

    while (process->pid != 0 && waitpid(process->pid, &process->status, WNOHANG) == 0) {
        if (ts_test_now_ms() >= until)
            return false;
        ts_test_sleep_ms(2);
    }
    process->pid = 0;
    return true;
}

void ts_test_signal(const struct ts_test_process *process, int signal)
{
    if (process->pid != 0)
        kill(process->pid, signal);
}

void ts_test_end(struct ts_test_process *process, int signal)
{
    ts_test_signal(process, signal);
    if (ts_test_wait_exit(process, 10000))
        return;
    ts_test_signal(process, SIGKILL);
    ts_test_wait_exit(process, 10000);
    ts_test_die("a process did not end within 10 s of signal %d; its output is in %s", signal,
                process->output);
}

int ts_test_run(const struct ts_test_spawn *spawn, char output[TS_TEST_PATH_SIZE])
{
    struct ts_test_process process = {0};

    ts_test_start(&process, spawn);
    waitpid(process.pid, &process.status, 0);
    if (output)
        memcpy(output, process.output, TS_TEST_PATH_SIZE);
    return WIFEXITED(process.status) ? WEXITSTATUS(process.status) : 128 + WTERMSIG(process.status);
}
