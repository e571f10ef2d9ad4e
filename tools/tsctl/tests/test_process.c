/* Who a process is, and who listens: against real processes of our own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process.h"
#include "testing/process.h"

static void test_identify_ourselves_then_we_live_and_use_memory(void **state)
{
    struct process self;
    struct process_usage usage;
    char command[COMMAND_SIZE];

    (void)state;
    assert_int_equal(process_identify(getpid(), &self), 0);
    assert_true(process_lives(&self));
    assert_int_equal(process_usage(&self, &usage), 0);
    assert_true(usage.rss_bytes > 0);
    assert_non_null(strstr(process_command(getpid(), command), "tsctl.process.test"));
}

static void test_lives_when_any_part_differs_then_false(void **state)
{
    struct process self, other;

    (void)state;
    assert_int_equal(process_identify(getpid(), &self), 0);
    other = self;
    other.start_ticks++;
    assert_false(process_lives(&other));
    other = self;
    other.boot[0] = other.boot[0] == 'x' ? 'y' : 'x';
    assert_false(process_lives(&other));
    other = self;
    other.pid = getppid();
    assert_false(process_lives(&other));
}

static void test_identify_when_it_is_a_zombie_then_there_is_none(void **state)
{
    struct process child;

    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0); /* ended, and not collected */
    assert_true(process_identify(pid, &child) < 0);
    waitpid(pid, NULL, 0);
    assert_true(process_identify(pid, &child) < 0);
}

static void test_listens_when_a_child_does_then_names_it(void **state)
{
    struct ts_test_process child = {0};
    int port = ts_test_free_port();
    char program[TS_TEST_PATH_SIZE], variable[32];
    pid_t pid = 0;

    (void)state;
    assert_false(process_listens(port, &pid));
    snprintf(program, sizeof(program), "%s/tests/tsctl-test-service", getenv("TS_BUILD_DIR"));
    snprintf(variable, sizeof(variable), "PORT=%d", port);
    ts_test_start(&child, &(struct ts_test_spawn){.argv = (const char *[]){program, NULL},
                                                  .env = (const char *[]){variable, NULL}});
    assert_true(ts_test_wait_port(port, 5000));
    assert_true(process_listens(port, &pid));
    assert_int_equal(pid, child.pid);
    ts_test_end(&child, SIGKILL);
    assert_false(process_listens(port, &pid));
}

/* A group of two that ignore SIGTERM, if `stubborn`. */
static pid_t make_group(bool stubborn)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        if (stubborn)
            signal(SIGTERM, SIG_IGN);
        fork();
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end_group(bool stubborn)
{
    struct process leader;
    pid_t pid = make_group(stubborn);

    assert_int_equal(process_identify(pid, &leader), 0);
    assert_true(process_group_exists(pid));
    assert_int_equal(process_end(&leader, 200), stubborn);
    waitpid(pid, NULL, 0);
    assert_false(process_group_exists(pid));
}

static void test_end_takes_the_whole_group(void **state)
{
    (void)state;
    end_group(false);
}

static void test_end_when_sigterm_is_ignored_then_kills(void **state)
{
    (void)state;
    end_group(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identify_ourselves_then_we_live_and_use_memory),
        cmocka_unit_test(test_lives_when_any_part_differs_then_false),
        cmocka_unit_test(test_identify_when_it_is_a_zombie_then_there_is_none),
        cmocka_unit_test(test_listens_when_a_child_does_then_names_it),
        cmocka_unit_test(test_end_takes_the_whole_group),
        cmocka_unit_test(test_end_when_sigterm_is_ignored_then_kills),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
