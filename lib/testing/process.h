/*
 * For tests only: scratch folders, free ports, and programs of ours run as a user would run them. Processes are gone
 * when the test program ends, also when it is killed; folders too, unless it is killed (they lie under TMPDIR then).
 * A failure of the harness itself is printed and ends the test program. Thread rule: main thread.
 */
#ifndef TS_TESTING_PROCESS_H
#define TS_TESTING_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Ends the test program: the harness could not do its part. */
_Noreturn void ts_test_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- scratch folders --- */

#define TS_TEST_PATH_SIZE 256

/* A new folder of mode 0700 under TMPDIR (/tmp), short enough for a socket in it. Removed with all it holds
 * at exit. */
void ts_test_dir_make(char path[TS_TEST_PATH_SIZE]);
/* The same in a folder of the caller's choice. */
void ts_test_dir_make_in(const char *parent, char path[TS_TEST_PATH_SIZE]);
void ts_test_dir_remove(const char *path);

/* `dir/name` into `out`; returns `out`. */
const char *ts_test_path(const char *dir, const char *name, char out[TS_TEST_PATH_SIZE]);

/* The program `name` of this build: $TS_BUILD_DIR/bin/name. */
const char *ts_test_program(const char *name, char out[TS_TEST_PATH_SIZE]);

/* The whole file with a NUL byte behind it, to be freed; "" when there is none. */
char *ts_test_read_file(const char *path);

/* --- ports --- */

/* A TCP port of 127.0.0.1 that nobody listened on a moment ago. */
int ts_test_free_port(void);
/* True as soon as someone listens on it. */
bool ts_test_wait_port(int port, int timeout_ms);

/* --- processes --- */

struct ts_test_process {
    pid_t pid;                      /* 0 = not running */
    int status;                     /* as waitpid tells, once it has ended */
    char output[TS_TEST_PATH_SIZE]; /* file with its standard output and error; appended to by every start */
};

struct ts_test_spawn {
    const char *const *argv; /* [0] = path, or a name to be found in PATH; NULL at the end */
    const char *const *
        env; /* NAME=value, NULL at the end; PATH, HOME, TMPDIR and TZ are added, nothing else is inherited */
    const char *output; /* NULL = that of the last start of this process, else a new file in `cwd` */
    const char *cwd;    /* NULL = a scratch folder, the same for all */
    const char
        *root; /* NULL = the machine's; else it is entered by chroot, and argv[0] and cwd are paths in it;
                           `output` is given then, a path outside. Needs root. */
    uid_t uid; /* 0 = as we are */
    gid_t gid;
    int parent_death_signal; /* 0 = SIGKILL */
};

/* Starts it; it is sent `parent_death_signal` when the test program dies. */
void ts_test_start(struct ts_test_process *process, const struct ts_test_spawn *spawn);
/* The usual case: a program of ours with its environment. */
void ts_test_start_program(struct ts_test_process *process, const char *name, const char *const *env);

bool ts_test_is_running(struct ts_test_process *process);
/* True when it ended within the time; then `status` is set. */
bool ts_test_wait_exit(struct ts_test_process *process, int timeout_ms);
void ts_test_signal(const struct ts_test_process *process, int signal);
/* Signal, and wait until it has ended; after 10 s SIGKILL, and the test program fails. No-op when it does not
 * run. */
void ts_test_end(struct ts_test_process *process, int signal);

/* Runs to the end and returns the exit code (128 + signal when killed). */
int ts_test_run(const struct ts_test_spawn *spawn, char output[TS_TEST_PATH_SIZE]);

void ts_test_sleep_ms(int ms);
int64_t ts_test_now_ms(void); /* monotonic */

#endif
