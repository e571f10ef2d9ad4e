#include "storm.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

/* --- arguments --- */

_Noreturn static void usage(const char *program)
{
    fprintf(stderr, "usage: %s [--store sqlite|postgres] [--rounds N] [--seed N] [--freeze] [--self-check]\n",
            program);
    exit(64);
}

static uint64_t seed_of_this_moment(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 40) >> 16;
}

static int positive(const char *text, const char *program)
{
    long value = strtol(text, NULL, 10);

    if (value < 1 || value > 1000000)
        usage(program);
    return (int)value;
}

struct storm_options storm_options_parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"store", required_argument, NULL, 's'}, {"rounds", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 'x'},  {"freeze", no_argument, NULL, 'f'},
        {"self-check", no_argument, NULL, 'c'},  {0}};
    struct storm_options options = {.rounds = 3, .seed = seed_of_this_moment()};

    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 's' && (strcmp(optarg, "postgres") == 0 || strcmp(optarg, "sqlite") == 0))
            options.postgres = strcmp(optarg, "postgres") == 0;
        else if (c == 'r')
            options.rounds = positive(optarg, argv[0]);
        else if (c == 'x')
            options.seed = strtoull(optarg, NULL, 0);
        else if (c == 'f')
            options.kind = STORM_FREEZE;
        else if (c == 'c')
            options.kind = STORM_SELF_CHECK;
        else
            usage(argv[0]);
    }
    if (optind != argc)
        usage(argv[0]);
    printf("seed %llu\n", (unsigned long long)options.seed);
    fflush(stdout);
    return options;
}

/* --- dice: splitmix64 --- */

struct dice dice_from(uint64_t seed)
{
    return (struct dice){seed};
}

int dice_below(struct dice *dice, int bound)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (int)((z ^ z >> 31) % (uint64_t)bound);
}

/* --- programs --- */

static bool is_free(int port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    _cleanup_(ts_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

int storm_port(void)
{
    enum { FIRST = 20000, COUNT = 12000 };
    static int next = -1;

    if (next < 0)
        next = getpid() * 7 % COUNT; /* tests that run beside each other look at different ports */
    for (int tries = 0; tries < COUNT; tries++) {
        int port = FIRST + next++ % COUNT;
        if (is_free(port))
            return port;
    }
    ts_test_die("no free port");
}

void victim_init(struct victim *victim, const char *name, int port)
{
    *victim = (struct victim){.name = name, .port = port};
}

void victim_env(struct victim *victim, const char *fmt, ...)
{
    va_list args;

    if (victim->n_env == STORM_MAX_ENV)
        ts_test_die("more than %d variables for %s", STORM_MAX_ENV, victim->name);
    va_start(args, fmt);
    vsnprintf(victim->env_text[victim->n_env], STORM_ENV_SIZE, fmt, args);
    va_end(args);
    victim->n_env++;
}

void victim_start(struct victim *victim)
{
    for (int i = 0; i < victim->n_env; i++)
        victim->env[i] = victim->env_text[i];
    victim->env[victim->n_env] = NULL;
    ts_test_start_program(&victim->process, victim->name, victim->env);
    victim->lives++;
}

static void print_last_lines(const char *path)
{
    enum { TAIL_BYTES = 3000 };
    char *text = ts_test_read_file(path);
    size_t len = strlen(text);

    fprintf(stderr, "%s\n", text + (len > TAIL_BYTES ? len - TAIL_BYTES : 0));
    free(text);
}

void victim_check(struct victim *victim)
{
    if (ts_test_is_running(&victim->process))
        return;
    print_last_lines(victim->process.output);
    ts_test_die("%s ended by itself in its life %d, wait status %d", victim->name, victim->lives,
                victim->process.status);
}

void victim_kill(struct victim *victim)
{
    victim_check(victim);
    ts_test_end(&victim->process, SIGKILL);
}

void victim_stop(struct victim *victim)
{
    victim_check(victim);
    ts_test_end(&victim->process, SIGTERM);
    if (!WIFEXITED(victim->process.status) || WEXITSTATUS(victim->process.status) != 0) {
        print_last_lines(victim->process.output);
        ts_test_die("%s did not end well after SIGTERM, wait status %d", victim->name,
                    victim->process.status);
    }
}

void victim_init_api(struct victim *victim, const char *data_dir, const char *database_url)
{
    victim_init(victim, "tp-capital-api", storm_port());
    victim_env(victim, "TP_CAPITAL_PORT=%d", victim->port);
    victim_env(victim, "GATEWAY_SECRET_TOKEN=%s", STORM_TOKEN);
    victim_env(victim, "DATA_DIR=%s", data_dir);
    victim_env(victim, "RATE_LIMIT_MAX=0");
    victim_env(victim, "LOG_LEVEL=warn");
    if (database_url)
        victim_env(victim, "DATABASE_URL=%s", database_url);
}
