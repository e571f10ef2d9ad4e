#include "obs/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"

static int setup(void **state)
{
    *state = ts_metrics_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    *state = ts_metrics_free(*state);
    return 0;
}

static void assert_renders(struct ts_metrics *metrics, const char *expected)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(1024 * 1024);

    ts_metrics_render(metrics, &buf);
    ts_str view = ts_buf_view(&buf);
    if (!ts_str_eq(view, ts_str_from(expected)))
        fail_msg("got:\n%.*s\nexpected:\n%s", TS_STR_ARG(view), expected);
}

/* --- a reader of the format, independent of the writer ------------------------------------------------------------- */

/* https://prometheus.io/docs/instrumenting/exposition_formats/: what it reads, and where. */
struct reader {
    const char *p;
    char type_name[200], type[20];
    int samples;
    /* Of the histogram being read: cumulative counts must not fall and the last must be the count. */
    double last_bucket, last_bound;
};

static void read_name(struct reader *r, char *out, size_t size)
{
    size_t n = strspn(r->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");

    assert_in_range(n, 1, size - 1);
    assert_true(r->p[0] < '0' || r->p[0] > '9');
    memcpy(out, r->p, n);
    out[n] = '\0';
    r->p += n;
}

static void expect(struct reader *r, const char *text)
{
    if (strncmp(r->p, text, strlen(text)) != 0)
        fail_msg("expected \"%s\" at: %.80s", text, r->p);
    r->p += strlen(text);
}

static void read_comment(struct reader *r)
{
    char name[200];

    if (strncmp(r->p, "# HELP ", 7) == 0) {
        r->p += 7;
        read_name(r, r->type_name, sizeof(r->type_name));
        expect(r, " ");
        for (; *r->p != '\n'; r->p++)
            if (*r->p == '\\') {
                r->p++;
                assert_true(*r->p == '\\' || *r->p == 'n');
            }
        r->type[0] = '\0';
    } else {
        expect(r, "# TYPE ");
        read_name(r, name, sizeof(name));
        assert_string_equal(name, r->type_name); /* right after its HELP */
        expect(r, " ");
        read_name(r, r->type, sizeof(r->type));
        r->last_bucket = r->last_bound = 0;
    }
    expect(r, "\n");
}

/* {a="b",…}; gives the value of `le`, 0 when there is none. */
static double read_labels(struct reader *r)
{
    char name[200];
    double le = 0;

    if (*r->p != '{')
        return 0;
    do {
        r->p++;
        read_name(r, name, sizeof(name));
        expect(r, "=\"");
        if (strcmp(name, "le") == 0)
            le = strtod(r->p, NULL);
        for (; *r->p != '"'; r->p++) {
            assert_true(*r->p != '\n' && *r->p != '\0');
            if (*r->p == '\\') {
                r->p++;
                assert_true(*r->p == '\\' || *r->p == '"' || *r->p == 'n');
            }
        }
        r->p++;
    } while (*r->p == ',');
    expect(r, "}");
    return le;
}

static void check_histogram(struct reader *r, const char *ending, double le, double value)
{
    if (strcmp(ending, "_bucket") == 0) {
        assert_true(le > r->last_bound && value >= r->last_bucket);
        r->last_bucket = value;
        r->last_bound = le;
    } else if (strcmp(ending, "_count") == 0) {
        assert_true(value == r->last_bucket);
        assert_true(r->last_bound > 1e300); /* +Inf was the last */
        r->last_bucket = r->last_bound = 0; /* the next series begins */
    } else {
        assert_string_equal(ending, "_sum");
    }
}

static void read_sample(struct reader *r)
{
    char name[200], *end;
    size_t family = strlen(r->type_name);

    read_name(r, name, sizeof(name));
    assert_memory_equal(name, r->type_name, family);
    double le = read_labels(r);
    expect(r, " ");
    double value = strtod(r->p, &end);
    assert_true(end > r->p);
    r->p = end;
    expect(r, "\n");
    if (strcmp(r->type, "histogram") == 0)
        check_histogram(r, name + family, le, value);
    else
        assert_int_equal(name[family], '\0');
    r->samples++;
}

/* Reads everything; the number of samples. */
static int read_exposition(struct ts_metrics *metrics)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(16 * 1024 * 1024);
    ts_metrics_render(metrics, &buf);
    ts_buf_char(&buf, '\0');
    assert_int_equal(ts_buf_error(&buf), 0);
    assert_true(ts_utf8_valid(ts_buf_view(&buf)));
    assert_non_null(buf.data);
    struct reader reader = {.p = buf.data};

    while (*reader.p)
        if (*reader.p == '#')
            read_comment(&reader);
        else
            read_sample(&reader);
    return reader.samples;
}

/* --- tests ---------------------------------------------------------------------------------------------------------- */

static void test_empty_registry_renders_nothing(void **state)
{
    assert_renders(*state, "");
}

static void test_fixed_series_exist_with_zero(void **state)
{
    struct ts_metric *requests = ts_metrics_add(*state, TS_COUNTER, "requests_total", "Requests.", "status");

    ts_counter_with(requests, TS_LABELS(TS_STR("success")));
    struct ts_counter *errors = ts_counter_with(requests, TS_LABELS(TS_STR("error")));
    ts_counter_add(errors, 2);
    ts_metrics_counter(*state, "rows_total", "Rows.");
    assert_int_equal(ts_metrics_error(*state), 0);
    assert_ptr_equal(ts_counter_with(requests, TS_LABELS(TS_STR("error"))), errors);
    assert_renders(*state, "# HELP requests_total Requests.\n"
                           "# TYPE requests_total counter\n"
                           "requests_total{status=\"success\"} 0\n"
                           "requests_total{status=\"error\"} 2\n"
                           "# HELP rows_total Rows.\n"
                           "# TYPE rows_total counter\n"
                           "rows_total 0\n");
}

static int64_t forty_two(void *ctx)
{
    return *(int64_t *)ctx;
}

static void test_gauges_and_callbacks(void **state)
{
    int64_t answer = 42000000;
    struct ts_gauge *gauge = ts_metrics_gauge(*state, "g", "A gauge.");
    struct ts_metric *pool = ts_metrics_add(*state, TS_GAUGE, "pool", "Pool.", "state");
    struct ts_metric *wait = ts_metrics_add(*state, TS_GAUGE_US, "wait_seconds", "Wait.", NULL);
    struct ts_metric *cpu = ts_metrics_add(*state, TS_COUNTER_US, "cpu_seconds_total", "CPU.", NULL);

    ts_gauge_set(gauge, 7);
    ts_gauge_add(gauge, -10);
    ts_callback_with(pool, forty_two, &answer, TS_LABELS(TS_STR("idle")));
    ts_gauge_set(ts_gauge_with(wait, TS_NO_LABELS), 1500000);
    ts_callback_with(cpu, forty_two, &answer, TS_NO_LABELS);
    assert_int_equal(ts_metrics_error(*state), 0);
    assert_int_equal(ts_gauge_value(gauge), -3);
    assert_renders(*state,
                   "# HELP g A gauge.\n# TYPE g gauge\ng -3\n"
                   "# HELP pool Pool.\n# TYPE pool gauge\npool{state=\"idle\"} 42000000\n"
                   "# HELP wait_seconds Wait.\n# TYPE wait_seconds gauge\nwait_seconds 1.5\n"
                   "# HELP cpu_seconds_total CPU.\n# TYPE cpu_seconds_total counter\ncpu_seconds_total 42\n");
}

static void test_histogram_buckets_are_cumulative_and_bounds_inclusive(void **state)
{
    struct ts_histogram *h = ts_metrics_histogram(*state, "d_seconds", "Duration.", "0.001 0.5 1");

    ts_histogram_observe(h, 0);
    ts_histogram_observe(h, 1000);
    ts_histogram_observe(h, 1001);
    ts_histogram_observe(h, 500000);
    ts_histogram_observe(h, 2000000);
    ts_histogram_observe(h, -5); /* a clock that was set back */
    assert_renders(*state, "# HELP d_seconds Duration.\n# TYPE d_seconds histogram\n"
                           "d_seconds_bucket{le=\"0.001\"} 3\n"
                           "d_seconds_bucket{le=\"0.5\"} 5\n"
                           "d_seconds_bucket{le=\"1\"} 5\n"
                           "d_seconds_bucket{le=\"+Inf\"} 6\n"
                           "d_seconds_sum 2.502001\n"
                           "d_seconds_count 6\n");
}

static void test_label_values_and_help_are_escaped(void **state)
{
    struct ts_metric *m = ts_metrics_add(*state, TS_COUNTER, "m_total", "Line\nand \\ and \"quote\".", "a,b");

    ts_counter_with(m, TS_LABELS(TS_STR("q\"b\\n\n"), TS_STR("\xFFx\xC3\xA7")));
    assert_renders(*state, "# HELP m_total Line\\nand \\\\ and \"quote\".\n# TYPE m_total counter\n"
                           "m_total{a=\"q\\\"b\\\\n\\n\",b=\"\xEF\xBF\xBDx\xC3\xA7\"} 0\n");
}

static void test_label_values_are_cut(void **state)
{
    struct ts_metric *m = ts_metrics_add(*state, TS_COUNTER, "m_total", "M.", "a,b,c,d,e,f,g,h");
    static char large[5000], junk[5000];
    ts_str values[8];

    memset(large, 'x', sizeof(large));
    memset(junk, '\xC3', sizeof(junk)); /* each becomes three bytes */
    for (size_t i = 0; i < 8; i++)
        values[i] = (ts_str){i % 2 ? junk : large, sizeof(large)};
    struct ts_counter *c = ts_counter_with(m, values, 8);
    values[7].len = TS_MAX_LABEL_BYTES;
    assert_ptr_equal(ts_counter_with(m, values, 8), c);
    assert_int_equal(ts_metrics_error(*state), 0);
    assert_int_equal(read_exposition(*state), 1);
}

static void test_more_label_sets_than_allowed_share_one_series(void **state)
{
    struct ts_metric *m = ts_metrics_add(*state, TS_COUNTER, "m_total", "M.", "channel");
    char name[32];

    for (int i = 0; i < TS_MAX_SERIES + 100; i++) {
        snprintf(name, sizeof(name), "channel-%d", i);
        ts_counter_add(ts_counter_with(m, TS_LABELS(ts_str_from(name))), 1);
    }
    assert_int_equal(ts_counter_value(ts_counter_with(m, TS_LABELS(TS_STR("channel-0")))), 1);
    assert_int_equal(ts_counter_value(ts_counter_with(m, TS_LABELS(TS_STR("unheard of")))), 100);
    assert_ptr_equal(ts_counter_with(m, TS_LABELS(TS_STR("other"))),
                     ts_counter_with(m, TS_LABELS(TS_STR("x"))));
    assert_int_equal(ts_metrics_error(*state), 0);
    assert_int_equal(read_exposition(*state), TS_MAX_SERIES + 1);
}

static void test_a_callers_own_other_is_shown_once(void **state)
{
    struct ts_metric *m = ts_metrics_add(*state, TS_COUNTER, "m_total", "M.", "a");

    ts_counter_add(ts_counter_with(m, TS_LABELS(TS_STR("other"))), 1);
    ts_counter_add(ts_counter_with(m, TS_LABELS(TS_STR("other"))), 1);
    assert_renders(*state, "# HELP m_total M.\n# TYPE m_total counter\nm_total{a=\"other\"} 2\n");
}

static void test_wrong_registrations_are_sticky_and_harmless(void **state)
{
    (void)state;
    static const struct {
        enum ts_metric_kind kind;
        const char *name, *labels, *buckets;
        int error;
    } cases[] = {
        {TS_COUNTER, "", NULL, NULL, TS_E_INVALID},
        {TS_COUNTER, "1a", NULL, NULL, TS_E_INVALID},
        {TS_COUNTER, "a-b", NULL, NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "", NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "b,", NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "b,b", NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "le", NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "__b", NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "b:c", NULL, TS_E_INVALID},
        {TS_COUNTER, "a", "a,b,c,d,e,f,g,h,i", NULL, TS_E_INVALID},
        {TS_COUNTER, "taken", NULL, NULL, TS_E_CONFLICT},
        {TS_HISTOGRAM, "a", NULL, NULL, TS_E_INVALID},
        {TS_HISTOGRAM, "a", NULL, "", TS_E_INVALID},
        {TS_HISTOGRAM, "a", NULL, "1 0.5", TS_E_INVALID},
        {TS_HISTOGRAM, "a", NULL, "1 1", TS_E_INVALID},
        {TS_HISTOGRAM, "a", NULL, "0", TS_E_INVALID},
        {TS_HISTOGRAM, "a", NULL, "1  2", TS_E_INVALID},
        {TS_HISTOGRAM, "a", NULL, "x", TS_E_INVALID},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(cases); i++) {
        _cleanup_(ts_metrics_freep) struct ts_metrics *metrics = ts_metrics_new();
        ts_metrics_counter(metrics, "taken", "T.");
        struct ts_metric *m =
            cases[i].buckets
                ? ts_metrics_add_histogram(metrics, cases[i].name, "H.", cases[i].labels, cases[i].buckets)
                : ts_metrics_add(metrics, cases[i].kind, cases[i].name, "H.", cases[i].labels);
        if (ts_metrics_error(metrics) != cases[i].error)
            fail_msg("case %zu: %d", i, ts_metrics_error(metrics));
        ts_counter_add(ts_counter_with(m, TS_NO_LABELS), 1);
        ts_gauge_set(ts_gauge_with(m, TS_LABELS(TS_STR("x"))), 1);
        ts_histogram_observe(ts_histogram_with(m, TS_NO_LABELS), 1000);
        ts_callback_with(m, forty_two, NULL, TS_NO_LABELS);
        assert_renders(metrics, "# HELP taken T.\n# TYPE taken counter\ntaken 0\n");
        assert_int_equal(ts_metrics_error(metrics), cases[i].error); /* the first stays */
    }
}

static void test_wrong_kind_or_number_of_labels_counts_nowhere(void **state)
{
    struct ts_metric *m = ts_metrics_add(*state, TS_COUNTER, "m_total", "M.", "a,b");

    assert_int_equal(ts_metrics_error(*state), 0);
    ts_counter_add(ts_counter_with(m, TS_LABELS(TS_STR("x"))), 1);
    assert_int_equal(ts_metrics_error(*state), TS_E_INVALID);
    ts_histogram_observe(ts_histogram_with(m, TS_LABELS(TS_STR("x"), TS_STR("y"))), 1);
    ts_gauge_set(ts_gauge_with(m, TS_LABELS(TS_STR("x"), TS_STR("y"))), 1);
    assert_renders(*state, "# HELP m_total M.\n# TYPE m_total counter\n");
}

#define THREADS 4
#define ROUNDS  20000

static void *hammer(void *arg)
{
    struct ts_metric *const *metrics = arg;
    char name[16];

    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof(name), "%d", i % 50);
        ts_counter_add(ts_counter_with(metrics[0], TS_LABELS(ts_str_from(name))), 1);
        ts_histogram_observe(ts_histogram_with(metrics[1], TS_LABELS(ts_str_from(name))), i);
    }
    return NULL;
}

/* What is read in between is always well-formed: counts fit their buckets. */
static void test_threads_update_and_make_series_while_it_renders(void **state)
{
    pthread_t threads[THREADS];
    struct ts_metric *metrics[2] = {
        ts_metrics_add(*state, TS_COUNTER, "m_total", "M.", "n"),
        ts_metrics_add_histogram(*state, "d_seconds", "D.", "n", "0.001 0.005 0.01"),
    };
    int64_t total = 0;
    char name[16];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, metrics), 0);
    for (int i = 0; i < 20; i++)
        read_exposition(*state);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "%d", i);
        total += ts_counter_value(ts_counter_with(metrics[0], TS_LABELS(ts_str_from(name))));
    }
    assert_int_equal(total, THREADS * ROUNDS);
    assert_int_equal(read_exposition(*state), 50 + 50 * (3 + 1 + 2));
}

/* --- out of memory -------------------------------------------------------------------------------------------------- */

static int allocations_left;

static void *failing_alloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void test_out_of_memory_is_sticky_and_harmless(void **state)
{
    (void)state;
    int error = -ENOMEM, n = 0;

    ts_arena_set_allocator(failing_alloc, free);
    for (; error != 0 && n < 100; n++) {
        allocations_left = n;
        _cleanup_(ts_metrics_freep) struct ts_metrics *metrics = ts_metrics_new();
        if (!metrics)
            continue;
        for (char name[2] = "a"; name[0] <= 'z'; name[0]++) {
            struct ts_metric *m = ts_metrics_add_histogram(metrics, name, "H.", "l", TS_DURATION_BUCKETS);
            ts_histogram_observe(ts_histogram_with(m, TS_LABELS(TS_STR("x"))), 1);
        }
        read_exposition(metrics);
        error = ts_metrics_error(metrics);
        assert_true(error == 0 || error == -ENOMEM);
    }
    ts_arena_set_allocator(NULL, NULL);
    assert_int_equal(error, 0);
    assert_true(n > 3);
}

static void test_process_metrics(void **state)
{
    ts_metrics_add_process(*state);
    assert_int_equal(ts_metrics_error(*state), 0);
    assert_int_equal(read_exposition(*state), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty_registry_renders_nothing),
        TEST(test_fixed_series_exist_with_zero),
        TEST(test_gauges_and_callbacks),
        TEST(test_histogram_buckets_are_cumulative_and_bounds_inclusive),
        TEST(test_label_values_and_help_are_escaped),
        TEST(test_label_values_are_cut),
        TEST(test_more_label_sets_than_allowed_share_one_series),
        TEST(test_a_callers_own_other_is_shown_once),
        TEST(test_wrong_registrations_are_sticky_and_harmless),
        TEST(test_wrong_kind_or_number_of_labels_counts_nowhere),
        TEST(test_threads_update_and_make_series_while_it_renders),
        TEST(test_out_of_memory_is_sticky_and_harmless),
        TEST(test_process_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
