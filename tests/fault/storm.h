/*
 * What the crash tests have in common: their arguments, dice, and the API as a process that can be struck down and comes back.
 *
 * Thread rule: main thread.
 */
#ifndef FAULT_STORM_H
#define FAULT_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "testing/process.h"

#define STORM_TOKEN "crash-test-token-of-no-secrecy-0123456789"

enum storm_kind { STORM_KILL, STORM_FREEZE, STORM_SELF_CHECK };

struct storm_options {
    enum storm_kind kind;
    bool postgres; /* crash_ingest only */
    int rounds;
    uint64_t seed;
};

/*
 * [--store sqlite|postgres] [--rounds N] [--seed N] [--freeze] [--self-check]; ends the program with 64 on anything else. The seed is printed: the same one
 * draws the same strikes and pauses again; where in the programs they hit stays the machine's affair.
 */
struct storm_options storm_options_parse(int argc, char **argv);

/* --- dice --- */

struct dice {
    uint64_t state;
};
struct dice dice_from(uint64_t seed);
int dice_below(struct dice *dice, int bound); /* 0 … bound - 1 */

/* --- programs --- */

enum { STORM_MAX_ENV = 24, STORM_ENV_SIZE = 320 };

/* A program with a fixed environment, so that each of its lives is the same. */
struct victim {
    const char *name;
    struct ts_test_process process;
    int port;
    char env_text[STORM_MAX_ENV][STORM_ENV_SIZE];
    const char *env[STORM_MAX_ENV + 1];
    int n_env;
    int lives;
};

/* A port below the range from which the kernel takes ports for clients: nobody takes it while its owner lies dead. */
int storm_port(void);

void victim_init(struct victim *victim, const char *name, int port);
void victim_env(struct victim *victim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void victim_start(struct victim *victim);
/* kill -9, and its funeral. Ends the test program when it had died before by itself. */
void victim_kill(struct victim *victim);
/* SIGTERM; ends the test program unless it exits with 0. */
void victim_stop(struct victim *victim);
/* Ends the test program, with the last lines of its output, when it is not running. */
void victim_check(struct victim *victim);

/* The API on `data_dir`, and on PostgreSQL when database_url is not NULL. */
void victim_init_api(struct victim *victim, const char *data_dir, const char *database_url);

#endif
