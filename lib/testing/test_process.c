/* The harness itself: processes end, folders go, output is caught. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/http.h"
#include "testing/process.h"

static void test_run_of_a_program_gives_its_exit_code_and_output(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo \"$GREETING\"; exit 3", NULL};
    const char *const env[] = {"GREETING=hello", NULL};
    char output[TS_TEST_PATH_SIZE];

    (void)state;
    assert_int_equal(ts_test_run(&(struct ts_test_spawn){.argv = argv, .env = env}, output), 3);
    char *text = ts_test_read_file(output);
    assert_string_equal(text, "hello\n");
    free(text);
}

static void test_process_signalled_ends_by_that_signal(void **state)
{
    const char *const argv[] = {"sleep", "60", NULL};
    struct ts_test_process process = {0};

    (void)state;
    ts_test_start(&process, &(struct ts_test_spawn){.argv = argv});
    assert_true(ts_test_is_running(&process));
    assert_false(ts_test_wait_exit(&process, 1));
    ts_test_end(&process, SIGTERM);
    assert_int_equal(WTERMSIG(process.status), SIGTERM);
    assert_false(ts_test_is_running(&process));
}

static void test_process_outlives_no_test_program(void **state)
{
    int fds[2];
    pid_t orphan;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        const char *const argv[] = {"sleep", "60", NULL};
        struct ts_test_process process = {0};
        ts_test_start(&process, &(struct ts_test_spawn){.argv = argv, .cwd = "/", .output = "/dev/null"});
        _exit(write(fds[1], &process.pid, sizeof(process.pid)) == sizeof(process.pid) ? 0 : 1);
    }
    assert_int_equal(read(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
    waitpid(child, NULL, 0);
    for (int i = 0; i < 2000 && kill(orphan, 0) == 0; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/stat", orphan);
        char *stat = ts_test_read_file(path);
        bool is_zombie = strstr(stat, ") Z") != NULL; /* where nobody reaps orphans */
        free(stat);
        if (is_zombie)
            return;
        ts_test_sleep_ms(5);
    }
    assert_int_not_equal(kill(orphan, 0), 0);
}

static void test_dir_removed_is_gone_with_its_content(void **state)
{
    char dir[TS_TEST_PATH_SIZE], sub[TS_TEST_PATH_SIZE];

    (void)state;
    ts_test_dir_make(dir);
    const char *const argv[] = {"mkdir", "-p", ts_test_path(dir, "a/b/c", sub), NULL};
    assert_int_equal(ts_test_run(&(struct ts_test_spawn){.argv = argv}, NULL), 0);
    ts_test_dir_remove(dir);
    assert_int_not_equal(access(dir, F_OK), 0);
}

static void test_http_without_a_server_has_status_zero(void **state)
{
    struct ts_test_reply reply = {0};
    char url[64];

    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/health", ts_test_free_port());
    assert_int_equal(ts_test_get(url, &reply), 0);
    assert_string_equal(reply.body, "");
    assert_false(ts_test_wait_status(url, 200, 30));
    ts_test_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_of_a_program_gives_its_exit_code_and_output),
        cmocka_unit_test(test_process_signalled_ends_by_that_signal),
        cmocka_unit_test(test_process_outlives_no_test_program),
        cmocka_unit_test(test_dir_removed_is_gone_with_its_content),
        cmocka_unit_test(test_http_without_a_server_has_status_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
