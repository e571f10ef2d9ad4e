/* The commands from outside: a catalogue of small services, real processes, every exit code provoked. */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "process.h"
#include "testing/http.h"
#include "tree.h"

static struct tree tree;

static int setup(void **state)
{
    (void)state;
    tree_make(&tree);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_remove(&tree);
    return 0;
}

#define assert_says(text)                                           \
    do {                                                            \
        if (!strstr(tree.out, text))                                \
            fail_msg("does not say '%s' but:\n%s", text, tree.out); \
    } while (0)

#define assert_exit(expected, ...)                                                 \
    do {                                                                           \
        int exit_code_ = RUN(&tree, __VA_ARGS__);                                  \
        if (exit_code_ != (expected))                                              \
            fail_msg("exit code %d, not %d:\n%s", exit_code_, expected, tree.out); \
    } while (0)

static bool exists(const char *path)
{
    char full[PATH_MAX];

    snprintf(full, sizeof(full), "%s/%s", tree.root, path);
    return access(full, F_OK) == 0;
}

static char *content(const char *path)
{
    char full[PATH_MAX];

    snprintf(full, sizeof(full), "%s/%s", tree.root, path);
    return ts_test_read_file(full);
}

static bool answers(int port)
{
    struct ts_test_reply reply = {0};
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    long status = ts_test_get(url, &reply);
    ts_test_reply_done(&reply);
    return status == 200;
}

/* A process of our own that has nothing to do with the tree, listening on a port. */
/* SIGKILL to a service or the supervisor; its pid. */
static pid_t kill_it(const char *id)
{
    pid_t pid = tree_pid(&tree, id);

    assert_int_not_equal(pid, 0); /* 0 would be all of us */
    assert_int_equal(kill(pid, SIGKILL), 0);
    return pid;
}

static struct ts_test_process make_stranger(int port)
{
    struct ts_test_process stranger = {0};
    char program[PATH_MAX], variable[32];

    snprintf(program, sizeof(program), "%s/tests/tsctl-test-service", getenv("TS_BUILD_DIR"));
    snprintf(variable, sizeof(variable), "PORT=%d", port);
    ts_test_start(&stranger, &(struct ts_test_spawn){.argv = (const char *[]){program, NULL},
                                                     .env = (const char *[]){variable, NULL}});
    assert_true(ts_test_wait_port(port, 5000));
    return stranger;
}

static void end_stranger(struct ts_test_process *stranger)
{
    assert_true(ts_test_is_running(stranger)); /* nobody did it before us */
    ts_test_end(stranger, SIGKILL);
}

static void test_start_brings_all_up_and_stop_leaves_nothing(void **state)
{
    (void)state;
    assert_exit(0, "start");
    assert_says("Ready in");
    for (size_t i = 0; i < 3; i++)
        assert_true(answers(tree.ports[i]));
    assert_exit(0, "status");
    assert_says("3 of 3 healthy");

    pid_t alpha = tree_pid(&tree, "alpha"), supervisor = tree_pid(&tree, "supervisor");
    assert_exit(0, "stop");
    assert_false(process_group_exists(alpha));
    assert_false(process_group_exists(supervisor));
    assert_false(exists(".run/supervisor.sock"));
    assert_false(exists(".run/services/alpha.json"));
    assert_exit(0, "stop");
    assert_says("Nothing was running");
    assert_exit(2, "status");
    assert_says("stopped");
}

static void test_second_start_changes_nothing(void **state)
{
    (void)state;
    assert_exit(0, "start");
    pid_t alpha = tree_pid(&tree, "alpha"), supervisor = tree_pid(&tree, "supervisor");
    assert_exit(0, "start");
    assert_says("Already running");
    assert_int_equal(tree_pid(&tree, "alpha"), alpha);
    assert_int_equal(tree_pid(&tree, "supervisor"), supervisor);
}

static void test_start_of_one_brings_what_it_needs_and_stop_of_one_leaves_the_rest(void **state)
{
    (void)state;
    assert_exit(0, "start", "beta");
    assert_int_not_equal(tree_pid(&tree, "alpha"), 0);
    assert_int_equal(tree_pid(&tree, "gamma"), 0);
    assert_exit(0, "stop", "beta");
    assert_int_equal(tree_pid(&tree, "beta"), 0);
    assert_true(answers(tree.ports[0]));
    assert_exit(0, "start", "other"); /* a group */
    assert_int_not_equal(tree_pid(&tree, "gamma"), 0);
    assert_exit(1, "status"); /* beta is not critical */
}

static void test_start_when_a_stranger_has_the_port_then_refuses_and_leaves_it(void **state)
{
    char text[64];

    (void)state;
    struct ts_test_process stranger = make_stranger(tree.ports[1]);
    assert_exit(2, "start");
    snprintf(text, sizeof(text), "port %d of beta is taken by pid %d: ", tree.ports[1], stranger.pid);
    assert_says(text);
    assert_says("tsctl-test-service");
    assert_int_equal(tree_pid(&tree, "alpha"), 0);
    assert_exit(2, "status");
    assert_exit(0, "stop");
    assert_says("it stays");
    end_stranger(&stranger);
}

static void test_killed_service_is_started_again(void **state)
{
    (void)state;
    assert_exit(0, "start");
    pid_t before = kill_it("alpha");
    assert_true(tree_wait_other_pid(&tree, "alpha", before, 10000));
    assert_exit(0, "start");
    assert_says("Already running");
}

static void test_service_that_ends_again_and_again_is_given_up(void **state)
{
    (void)state;
    tree_catalogue(&tree, "{\"alpha\": {\"set\": {\"FAIL\": \"FATAL: SOMETHING is required\"}}}");
    assert_exit(2, "start", "alpha");
    assert_says("FATAL: SOMETHING is required");
    assert_int_equal(tree_pid(&tree, "alpha"), 0);
    assert_int_equal(tree_pid(&tree, "supervisor"), 0); /* nothing to watch over */

    tree_catalogue(&tree, "{\"beta\": {\"set\": {\"FAIL\": \"no\"}}}");
    assert_exit(1, "start"); /* beta is not critical */
    assert_true(answers(tree.ports[0]));
    assert_true(answers(tree.ports[2]));
}

static void test_supervisor_gives_up_a_service_that_crashes_five_times(void **state)
{
    (void)state;
    assert_exit(0, "start", "alpha");
    for (int i = 0; i < 4; i++) {
        pid_t before = kill_it("alpha");
        assert_true(tree_wait_other_pid(&tree, "alpha", before, 10000));
    }
    kill_it("alpha");
    for (int i = 0; i < 500 && !(RUN(&tree, "status", "alpha") == 2 && strstr(tree.out, "failed")); i++)
        ts_test_sleep_ms(10);
    assert_says("failed");
    assert_exit(0, "start", "alpha"); /* a person's word begins anew */
}

static void test_service_that_is_not_healthy_in_time_fails_the_start(void **state)
{
    (void)state;
    tree_catalogue(&tree, "{\"alpha\": {\"set\": {\"ANSWER\": \"503\"}}}");
    assert_exit(2, "start", "alpha", "--timeout", "1");
    assert_says("not healthy yet");
    assert_exit(2, "status", "alpha");
    assert_says("503");
    assert_exit(0, "stop");
    assert_exit(0, "start", "alpha", "--no-wait");
}

static void test_stop_when_service_ignores_sigterm_then_kills_it_and_its_child(void **state)
{
    (void)state;
    tree_catalogue(
        &tree, "{\"alpha\": {\"set\": {\"IGNORE_TERM\": \"1\"}}, \"gamma\": {\"set\": {\"CHILD\": \"1\"}}}");
    assert_exit(0, "start");
    pid_t alpha = tree_pid(&tree, "alpha"), gamma = tree_pid(&tree, "gamma");
    assert_exit(0, "stop", "--timeout", "1");
    assert_says("killed");
    assert_false(process_group_exists(alpha));
    assert_false(process_group_exists(gamma));
}

static void test_stop_when_pid_was_given_to_another_then_leaves_it(void **state)
{
    char record[256];

    (void)state;
    struct ts_test_process stranger = make_stranger(ts_test_free_port());
    snprintf(record, sizeof(record), "{\"state\":\"running\",\"pid\":%d,\"startTicks\":1,\"boot\":\"x\"}",
             stranger.pid);
    tree_put(&tree, ".run/services/alpha.json", record);
    assert_exit(0, "stop");
    assert_exit(0, "start", "alpha");
    assert_int_not_equal(tree_pid(&tree, "alpha"), stranger.pid);
    end_stranger(&stranger);
}

static void test_killed_supervisor_then_stop_still_ends_all(void **state)
{
    (void)state;
    assert_exit(0, "start");
    pid_t alpha = tree_pid(&tree, "alpha");
    kill_it("supervisor");
    ts_test_sleep_ms(50);
    assert_true(answers(tree.ports[0]));
    assert_exit(0, "stop");
    assert_false(process_group_exists(alpha));
    assert_false(answers(tree.ports[0]));
}

static void test_killed_supervisor_then_start_begins_anew(void **state)
{
    (void)state;
    assert_exit(0, "start");
    pid_t alpha = tree_pid(&tree, "alpha");
    kill_it("supervisor");
    ts_test_sleep_ms(50);
    assert_exit(0, "start");
    assert_int_not_equal(tree_pid(&tree, "alpha"), alpha);
    assert_exit(0, "status");
}

static void test_removed_folder_then_supervisor_ends_its_services(void **state)
{
    char path[PATH_MAX];

    (void)state;
    assert_exit(0, "start", "alpha");
    pid_t alpha = tree_pid(&tree, "alpha"), supervisor = tree_pid(&tree, "supervisor");
    snprintf(path, sizeof(path), "%s/.run/supervisor.sock", tree.root);
    unlink(path);
    for (int i = 0; i < 1000 && (process_group_exists(supervisor) || process_group_exists(alpha)); i++)
        ts_test_sleep_ms(10);
    assert_false(process_group_exists(supervisor));
    assert_false(process_group_exists(alpha));
}

static void test_command_while_another_is_at_work_exits_75_and_names_it(void **state)
{
    char path[PATH_MAX];
    int lock;

    (void)state;
    tree_put(&tree, ".run/lock", "pid 4711: stop\n");
    snprintf(path, sizeof(path), "%s/.run/lock", tree.root);
    assert_int_equal(ts_file_lock(path, &lock), 0);
    assert_exit(75, "start");
    assert_says("pid 4711: stop");
    assert_exit(75, "stop");
    assert_exit(2, "status"); /* reading needs no lock */
    close(lock);
}

static void test_wrong_usage_exits_64(void **state)
{
    (void)state;
    assert_exit(64, "dance");
    assert_exit(64, "start", "nobody");
    assert_says("no such service or group: nobody. There are: alpha beta gamma");
    assert_exit(64, "start", "--watch");
    assert_exit(64, "stop", "--timeout", "soon");
    assert_exit(64, "status", "--format", "xml");
    assert_exit(0, "start", "--help");
    assert_says("usage: start");
}

static void test_missing_things_exit_69(void **state)
{
    (void)state;
    assert_exit(69, "start", "--catalog", "nowhere.json");
    tree_put(&tree, ".env", "TOKEN=a\nnot an assignment\n");
    assert_exit(69, "start");
    assert_says(".env:2: not a NAME=value line");
    tree_put(&tree, ".env", "TOKEN=a\n");
    tree_put(&tree, "other.env", "OTHER=b\n");
    assert_exit(69, "start");
    assert_says("OTHER in other.env is not the same as TOKEN in .env");
    tree_put(&tree, "other.env", "ELSE=b\n");
    assert_exit(69, "start");
    assert_says("other.env: OTHER is missing");
}

static void test_start_when_program_or_preparation_is_missing_then_skips_and_exits_1(void **state)
{
    (void)state;
    tree_catalogue(&tree, "{\"alpha\": {\"command\": \"no-such-program\"},"
                          " \"gamma\": {\"prepare\": [\"sh\", \"-c\", \"echo Node is missing; exit 69\"]}}");
    assert_exit(1, "start");
    assert_says("no-such-program is not there");
    assert_says("Node is missing");
    assert_says("2 skipped");
    assert_true(answers(tree.ports[1]));
}

static void test_first_start_makes_environment_files_for_this_user_only(void **state)
{
    char path[PATH_MAX];
    struct stat st;

    (void)state;
    assert_exit(0, "start", "alpha");
    assert_says("2 environment files made");
    snprintf(path, sizeof(path), "%s/.env", tree.root);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char *first = content(".env"), *second = content("other.env");
    const char *token = strstr(first, "TOKEN="), *other = strstr(second, "OTHER=");
    assert_non_null(token);
    assert_non_null(other);
    assert_int_equal(strcspn(token + 6, "\n"), 64);
    assert_string_equal(token + 6, other + 6);
    assert_exit(0, "stop");
    assert_exit(0, "start", "alpha");
    char *again = content(".env");
    assert_string_equal(again, first);
    free(first);
    free(second);
    free(again);
}

static void test_service_sees_only_what_its_entry_lists(void **state)
{
    char edit[PATH_MAX + 64];

    (void)state;
    snprintf(edit, sizeof(edit), "{\"alpha\": {\"set\": {\"REPORT\": \"%s/seen\"}}}", tree.root);
    tree_catalogue(&tree, edit);
    tree_put(&tree, ".env", "TOKEN='quoted'\nSECRET_OF_ANOTHER=x\n");
    tree_put(&tree, "other.env", "OTHER=quoted\n");
    assert_exit(0, "start", "alpha");
    char *seen = content("seen");
    assert_non_null(strstr(seen, "TOKEN=quoted\n"));
    assert_null(strstr(seen, "SECRET_OF_ANOTHER"));
    assert_null(strstr(seen, "HIDDEN"));
    assert_non_null(strstr(seen, "PATH="));
    free(seen);
}

static void test_setting_of_the_catalogue_gives_way_to_the_users(void **state)
{
    char edit[PATH_MAX + 64];

    (void)state;
    snprintf(edit, sizeof(edit), "{\"alpha\": {\"set\": {\"REPORT\": \"%s/seen\", \"SEEN\": \"ours\"}}}",
             tree.root);
    tree_catalogue(&tree, edit);
    assert_exit(0, "start", "alpha");
    char *seen = content("seen");
    assert_non_null(strstr(seen, "SEEN=ours\n"));
    free(seen);
    assert_exit(0, "stop");

    tree_put(&tree, ".env", "TOKEN=same\nSEEN=theirs\n");
    tree_put(&tree, "other.env", "OTHER=same\n");
    assert_exit(0, "start", "alpha");
    seen = content("seen");
    assert_non_null(strstr(seen, "SEEN=theirs\n"));
    free(seen);
}

static void test_demonstration_until_credentials_are_given(void **state)
{
    char edit[PATH_MAX + 64], expected[PATH_MAX * 2 + 64];

    (void)state;
    snprintf(edit, sizeof(edit), "{\"alpha\": {\"set\": {\"REPORT\": \"%s/seen\"}}}", tree.root);
    tree_catalogue(&tree, edit);
    assert_exit(0, "start", "alpha");
    assert_says("demonstration");
    char *seen = content("seen");
    snprintf(expected, sizeof(expected), "DEMO=%s|%s/.run/demo/alpha|{x}\n", tree.root, tree.root);
    assert_non_null(strstr(seen, expected));
    free(seen);
    assert_true(exists(".run/demo/alpha"));
    assert_false(exists(".run/data/alpha"));
    assert_exit(0, "stop");

    tree_put(&tree, ".env", "TOKEN=same\nSEEN=a credential\n");
    tree_put(&tree, "other.env", "OTHER=same\n");
    assert_exit(0, "start", "alpha");
    assert_null(strstr(tree.out, "demonstration"));
    seen = content("seen");
    assert_null(strstr(seen, "DEMO="));
    free(seen);
    assert_true(exists(".run/data/alpha"));
}

static void test_dry_run_does_nothing(void **state)
{
    (void)state;
    assert_exit(0, "start", "--dry-run");
    assert_says("3 to start");
    assert_false(exists(".env"));
    assert_int_equal(tree_pid(&tree, "alpha"), 0);
}

static void test_json_goes_alone_to_standard_output(void **state)
{
    (void)state;
    assert_exit(0, "start", "--format", "json", "--quiet");
    json_t *json = json_loads(tree.out, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "schema")), "ts/start/1");
    assert_int_equal(json_array_size(json_object_get(json, "services")), 3);
    json_decref(json);
    assert_exit(0, "status", "--json", "--quiet");
    json = json_loads(tree.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "schema")), "ts/status/1");
    assert_int_equal(json_integer_value(json_object_get(json, "exitCode")), 0);
    json_decref(json);
    assert_exit(0, "stop", "--format", "json", "--quiet");
    json = json_loads(tree.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "schema")), "ts/stop/1");
    json_decref(json);
}

static void test_large_log_is_rotated_at_start(void **state)
{
    char path[PATH_MAX];
    struct stat st;

    (void)state;
    tree_put(&tree, ".run/logs/alpha.log", "old\n");
    snprintf(path, sizeof(path), "%s/.run/logs/alpha.log", tree.root);
    assert_int_equal(truncate(path, 11 * 1024 * 1024), 0);
    assert_exit(0, "start", "alpha");
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 1024 * 1024);
    assert_true(exists(".run/logs/alpha.log.1"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_start_brings_all_up_and_stop_leaves_nothing),
        CASE(test_second_start_changes_nothing),
        CASE(test_start_of_one_brings_what_it_needs_and_stop_of_one_leaves_the_rest),
        CASE(test_start_when_a_stranger_has_the_port_then_refuses_and_leaves_it),
        CASE(test_killed_service_is_started_again),
        CASE(test_service_that_ends_again_and_again_is_given_up),
        CASE(test_supervisor_gives_up_a_service_that_crashes_five_times),
        CASE(test_service_that_is_not_healthy_in_time_fails_the_start),
        CASE(test_stop_when_service_ignores_sigterm_then_kills_it_and_its_child),
        CASE(test_stop_when_pid_was_given_to_another_then_leaves_it),
        CASE(test_killed_supervisor_then_stop_still_ends_all),
        CASE(test_killed_supervisor_then_start_begins_anew),
        CASE(test_removed_folder_then_supervisor_ends_its_services),
        CASE(test_command_while_another_is_at_work_exits_75_and_names_it),
        CASE(test_wrong_usage_exits_64),
        CASE(test_missing_things_exit_69),
        CASE(test_start_when_program_or_preparation_is_missing_then_skips_and_exits_1),
        CASE(test_first_start_makes_environment_files_for_this_user_only),
        CASE(test_service_sees_only_what_its_entry_lists),
        CASE(test_setting_of_the_catalogue_gives_way_to_the_users),
        CASE(test_demonstration_until_credentials_are_given),
        CASE(test_dry_run_does_nothing),
        CASE(test_json_goes_alone_to_standard_output),
        CASE(test_large_log_is_rotated_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
