#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"

#define NOW  INT64_C(1795442531120000)
#define TIME "{\"time\":\"2026-11-23T14:02:11.120Z\""

/* Lines go into a memory file; here they come out. */
static int sink = -1;

static int setup(void **state)
{
    (void)state;
    sink = memfd_create("log", MFD_CLOEXEC);
    ts_log_set_fd(sink);
    ts_clock_fake(NOW, 0);
    return sink < 0 || ts_log_init("test", TS_LOG_DEBUG, 10) < 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_log_done();
    ts_log_set_fd(STDOUT_FILENO);
    ts_clock_fake(-1, 0);
    sink = ts_close(sink);
    return 0;
}

/* Everything that was written so far; free() it. */
static char *written(void)
{
    off_t size = lseek(sink, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);

    assert_non_null(text);
    assert_int_equal(pread(sink, text, (size_t)size, 0), size);
    return text;
}

static void freep(char **p)
{
    free(*p);
}

static void forget(void)
{
    assert_int_equal(ftruncate(sink, 0), 0);
    assert_int_equal(lseek(sink, 0, SEEK_SET), 0);
}

static void assert_written(const char *expected)
{
    _cleanup_(freep) char *text = written();
    assert_string_equal(text, expected);
    forget();
}

static void assert_history(size_t limit, enum ts_log_level min_level, const char *expected)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(1024 * 1024);
    struct ts_jsonw w = ts_jsonw_begin(&buf);

    ts_jsonw_array(&w);
    ts_log_history(&w, limit, min_level);
    ts_jsonw_end(&w);
    ts_str view = ts_buf_view(&buf);
    if (!ts_str_eq(view, ts_str_from(expected)))
        fail_msg("got %.*s, expected %s", TS_STR_ARG(view), expected);
}

static void test_a_line_has_all_kinds_of_fields(void **state)
{
    (void)state;
    ts_log_warn("said \"hello\"\n", TS_F_I64("id", -5), TS_F_STR("asset", TS_STR("PETR4")),
                TS_F_CSTR("none", NULL), TS_F_BOOL("live", true), TS_F_E6("price", 31400000),
                TS_F_ERR(-ENOSPC), TS_F_STR("odd", TS_STR("\xFF")));
    assert_written(TIME
                   ",\"level\":\"warn\",\"service\":\"test\",\"msg\":\"said \\\"hello\\\"\\n\",\"id\":-5,"
                   "\"asset\":\"PETR4\",\"none\":null,\"live\":true,\"price\":31.4,"
                   "\"error\":\"No space left on device\",\"odd\":\"\xEF\xBF\xBD\"}\n");
}

static int evaluated;

static int64_t evaluate(void)
{
    return ++evaluated;
}

static void test_a_level_that_is_off_evaluates_nothing(void **state)
{
    (void)state;
    assert_int_equal(ts_log_init("test", TS_LOG_WARN, 10), 0);
    ts_log_info("quiet", TS_F_I64("n", evaluate()));
    ts_log_write(TS_LOG_DEBUG, "quiet", NULL, 0);
    assert_int_equal(evaluated, 0);
    assert_written("");
    assert_history(10, TS_LOG_DEBUG, "[]");
    ts_log_error("loud", TS_F_I64("n", evaluate()));
    assert_int_equal(evaluated, 1);
    assert_written(TIME ",\"level\":\"error\",\"service\":\"test\",\"msg\":\"loud\",\"n\":1}\n");
}

static void test_errno_survives_a_line(void **state)
{
    (void)state;
    ts_log_set_fd(-1); /* write fails */
    errno = ENOENT;
    ts_log_info("x");
    assert_int_equal(errno, ENOENT);
}

static void test_history_is_newest_first_and_bounded(void **state)
{
    (void)state;
#define ENTRY(level, msg, context)                                                           \
    "{\"timestamp\":\"2026-11-23T14:02:11.120Z\",\"level\":\"" level "\",\"message\":\"" msg \
    "\",\"context\":" context "}"
    assert_int_equal(ts_log_init("test", TS_LOG_DEBUG, 3), 0);
    assert_history(10, TS_LOG_DEBUG, "[]");
    ts_log_info("one");
    ts_log_error("two", TS_F_I64("a", 2), TS_F_CSTR("b", "x"));
    assert_history(10, TS_LOG_DEBUG,
                   "[" ENTRY("error", "two", "{\"a\":2,\"b\":\"x\"}") "," ENTRY("info", "one", "{}") "]");
    ts_log_debug("three", TS_F_I64("n", 3));
    ts_log_warn("four");
    assert_history(10, TS_LOG_DEBUG,
                   "[" ENTRY("warn", "four", "{}") "," ENTRY("debug", "three", "{\"n\":3}") "," ENTRY(
                       "error", "two", "{\"a\":2,\"b\":\"x\"}") "]");
    assert_history(1, TS_LOG_DEBUG, "[" ENTRY("warn", "four", "{}") "]");
    assert_history(10, TS_LOG_ERROR, "[" ENTRY("error", "two", "{\"a\":2,\"b\":\"x\"}") "]");
    assert_history(0, TS_LOG_DEBUG, "[]");
#undef ENTRY
}

static void test_history_is_bounded_in_bytes(void **state)
{
    (void)state;
    static char large[8000];
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(64 * 1024 * 1024);
    struct ts_jsonw w = ts_jsonw_begin(&buf);

    memset(large, 'x', sizeof(large));
    assert_int_equal(ts_log_init("test", TS_LOG_DEBUG, TS_MAX_LOG_HISTORY), 0);
    for (int i = 0; i < 2000; i++)
        ts_log_info("m", TS_F_STR("large", ((ts_str){large, sizeof(large)})), TS_F_I64("i", i));
    ts_jsonw_array(&w);
    ts_log_history(&w, SIZE_MAX, TS_LOG_DEBUG);
    ts_jsonw_end(&w);
    assert_in_range(buf.len, TS_MAX_LOG_HISTORY_BYTES * 9 / 10, TS_MAX_LOG_HISTORY_BYTES + 512 * 1024);
    assert_true(ts_str_find(ts_buf_view(&buf), TS_STR("\"i\":1999}")) > 0); /* the newest stayed */
    assert_int_equal(ts_str_find(ts_buf_view(&buf), TS_STR("\"i\":0}")), -1);
}

static void test_history_longer_than_allowed_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ts_log_init("test", TS_LOG_INFO, TS_MAX_LOG_HISTORY + 1), TS_E_RANGE);
}

static void test_secrets_leave_neither_in_the_line_nor_in_the_history(void **state)
{
    (void)state;
    _cleanup_(ts_secret_done) struct ts_secret token = {0}, quoted = {0}, digits = {0};

    assert_int_equal(ts_secret_set(&token, TS_STR("s3cr3t-t0ken")), 0);
    assert_int_equal(ts_secret_set(&quoted, TS_STR("pass\"word\\x")), 0); /* looks different in JSON */
    assert_int_equal(ts_secret_set(&digits, TS_STR("12345678")), 0);
    ts_log_info("with s3cr3t-t0ken inside", TS_F_CSTR("a", "https://x/s3cr3t-t0ken/y"),
                TS_F_CSTR("b", "<pass\"word\\x>"), TS_F_I64("id", 12345678));
    assert_history(1, TS_LOG_DEBUG,
                   "[{\"timestamp\":\"2026-11-23T14:02:11.120Z\",\"level\":\"info\",\"message\":\"with "
                   "[redacted] inside\","
                   "\"context\":{\"a\":\"https://x/[redacted]/y\",\"b\":\"<[redacted]>\",\"id\":12345678}}]");
    assert_written(TIME ",\"level\":\"info\",\"service\":\"test\",\"msg\":\"with [redacted] inside\","
                        "\"a\":\"https://x/[redacted]/y\",\"b\":\"<[redacted]>\",\"id\":12345678}\n");
}

/* Wherever the cut falls, no beginning of the secret is left behind it. */
static void test_a_secret_across_the_cut_leaves_no_part(void **state)
{
    (void)state;
    static char text[TS_MAX_LOG_LINE + 100];
    _cleanup_(ts_secret_done) struct ts_secret token = {0};

    assert_int_equal(ts_secret_set(&token, TS_STR("QWERTYUIOPASDFGH")), 0);
    for (size_t at = TS_MAX_LOG_LINE - 20; at < TS_MAX_LOG_LINE + 2; at++) {
        memset(text, 'x', sizeof(text));
        memcpy(text + at, token.value, token.len);
        ts_log_info("m", TS_F_STR("t", ((ts_str){text, sizeof(text)})));
        _cleanup_(freep) char *lines = written();
        assert_null(strstr(lines, "QW"));
        assert_null(strstr(lines, "xQ"));
        forget();
    }
}

/* The closing quote of a JSON string after its opening one. */
static const char *string_end(const char *p)
{
    while (*p != '"')
        p += *p == '\\' ? 2 : 1;
    return p;
}

static void test_a_line_too_long_is_cut_and_stays_json(void **state)
{
    (void)state;
    static const char *const fills[] = {"x", "\"", "\n\x01", "\xC3\xA7", "\xF0\x9F\x9A\x80", "\xFF"};
    static char text[3 * TS_MAX_LOG_LINE];

    for (size_t f = 0; f < TS_ARRAY_LEN(fills); f++) {
        size_t len = strlen(fills[f]);
        for (size_t i = 0; i + len <= sizeof(text); i += len)
            memcpy(text + i, fills[f], len);
        ts_log_info("m", TS_F_STR("t", ((ts_str){text, sizeof(text) / len * len})), TS_F_I64("last", 7));
        _cleanup_(freep) char *line = written();
        size_t written_len = strlen(line);
        assert_in_range(written_len, TS_MAX_LOG_LINE / 3, TS_MAX_LOG_LINE);
        assert_string_equal(line + written_len - 12, "\",\"last\":7}\n");
        assert_ptr_equal(string_end(strstr(line, "\"t\":") + 5), line + written_len - 12);
        assert_true(ts_utf8_valid(ts_str_from(line)));
        forget();
    }
}

static void test_more_fields_than_fit_are_left_out(void **state)
{
    (void)state;
    static char text[1000];
    struct ts_log_field fields[40];

    memset(text, 'y', sizeof(text));
    for (size_t i = 0; i < TS_ARRAY_LEN(fields); i++)
        fields[i] = TS_F_STR("field", ((ts_str){text, sizeof(text)}));
    ts_log_write(TS_LOG_INFO, "many", fields, TS_ARRAY_LEN(fields));
    _cleanup_(freep) char *line = written();
    assert_in_range(strlen(line), 7000, TS_MAX_LOG_LINE);
    assert_string_equal(line + strlen(line) - 3, "\"}\n");
}

static void test_levels(void **state)
{
    (void)state;
    enum ts_log_level level = TS_LOG_INFO;

    for (int i = TS_LOG_DEBUG; i <= TS_LOG_ERROR; i++) {
        assert_int_equal(ts_log_level_parse(ts_str_from(ts_log_level_name((enum ts_log_level)i)), &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(ts_log_level_parse(TS_STR("INFO"), &level), TS_E_INVALID);
    assert_int_equal(ts_log_level_parse(TS_STR(""), &level), TS_E_INVALID);
    assert_int_equal(level, TS_LOG_ERROR);
}

#define THREADS 4
#define LINES   500

static void *writer(void *arg)
{
    for (int i = 0; i < LINES; i++)
        ts_log_info("from a thread", TS_F_I64("thread", (intptr_t)arg), TS_F_I64("i", i));
    return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    static const char begin[] =
        TIME ",\"level\":\"info\",\"service\":\"test\",\"msg\":\"from a thread\",\"thread\":";
    int next[THREADS] = {0}, n = 0;

    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, writer, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    _cleanup_(freep) char *text = written();
    for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), n++) {
        int thread, i;
        char end;
        assert_memory_equal(line, begin, sizeof(begin) - 1);
        assert_int_equal(sscanf(line + sizeof(begin) - 1, "%d,\"i\":%d%c", &thread, &i, &end), 3);
        assert_int_equal(end, '}');
        assert_int_equal(i, next[thread]++);
    }
    assert_int_equal(n, THREADS * LINES);
}

/* A reader that is slow (a full non-blocking pipe) gets every line whole; one that is gone loses lines, nothing else. */
static void test_a_full_pipe_loses_the_line_and_not_the_process(void **state)
{
    (void)state;
    int ends[2];
    char chunk[4096];
    ssize_t n;
    size_t total = 0;

    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    memset(chunk, '-', sizeof(chunk));
    while ((n = write(ends[1], chunk, sizeof(chunk))) > 0)
        total += (size_t)n;
    ts_log_set_fd(ends[1]);
    ts_log_info("lost");
    while (total > 0 && (n = read(ends[0], chunk, TS_MIN(total, sizeof(chunk)))) > 0)
        total -= (size_t)n;
    ts_log_info("kept");
    n = read(ends[0], chunk, sizeof(chunk) - 1);
    assert_true(n > 0);
    chunk[n] = '\0';
    assert_non_null(strstr(chunk, "\"msg\":\"kept\"}\n"));
    assert_null(strstr(chunk, "lost"));
    close(ends[0]);
    close(ends[1]);
}

/* First of all: nothing was set up. */
static void test_before_init_lines_of_level_info_are_written(void **state)
{
    (void)state;
    sink = memfd_create("log", MFD_CLOEXEC);
    ts_log_set_fd(sink);
    ts_clock_fake(NOW, 0);
    ts_log_debug("no");
    ts_log_info("early");
    assert_written(TIME ",\"level\":\"info\",\"service\":\"?\",\"msg\":\"early\"}\n");
    assert_history(10, TS_LOG_DEBUG, "[]");
    teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_init_lines_of_level_info_are_written),
        TEST(test_a_line_has_all_kinds_of_fields),
        TEST(test_a_level_that_is_off_evaluates_nothing),
        TEST(test_errno_survives_a_line),
        TEST(test_history_is_newest_first_and_bounded),
        TEST(test_history_is_bounded_in_bytes),
        TEST(test_history_longer_than_allowed_is_refused),
        TEST(test_secrets_leave_neither_in_the_line_nor_in_the_history),
        TEST(test_a_secret_across_the_cut_leaves_no_part),
        TEST(test_a_line_too_long_is_cut_and_stays_json),
        TEST(test_more_fields_than_fit_are_left_out),
        TEST(test_levels),
        TEST(test_lines_of_threads_do_not_mix),
        TEST(test_a_full_pipe_loses_the_line_and_not_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
