#include "obs/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/number.h"
#include "obs/process.h"

#define MAX_LABELS     8
#define MAX_NAME_BYTES 128
#define MAX_BUCKETS    32
#define MAX_LABEL_TEXT \
    (MAX_LABELS * (MAX_NAME_BYTES + 3 * TS_MAX_LABEL_BYTES + 4)) /* each byte may become U+FFFD */
#define HASH_SLOTS 256

struct ts_histogram {
    const struct ts_metric *metric;
    _Atomic int64_t sum_us;
    _Atomic int64_t *counts; /* n_bounds + 1, each of its own bucket alone */
};

struct series {
    struct series *next;      /* in the order they were made */
    struct series *hash_next; /* of the same slot */
    ts_str labels;            /* as shown: method="GET",status="200" */
    int64_t (*callback)(void *ctx);
    void *ctx;
    struct ts_counter counter;
    struct ts_gauge gauge;
    struct ts_histogram histogram;
};

struct ts_metric {
    struct ts_metric *next;
    struct ts_metrics *registry;
    enum ts_metric_kind kind;
    ts_str name, help;
    ts_str label_names[MAX_LABELS];
    size_t n_labels;
    int64_t bounds_us[MAX_BUCKETS];
    size_t n_bounds;
    struct series *first, **end;
    size_t n_series;
    /* Made with the metric, so that going over the limit can't fail; listed when first used. */
    struct series *other;
    bool other_listed;
    struct series *slots[HASH_SLOTS];
};

struct ts_metrics {
    pthread_mutex_t lock;
    struct ts_arena *arena;
    _Atomic int error;
    struct ts_metric *first, **end;
    /* What failed registrations hand out: it counts and is never shown. */
    struct ts_metric nowhere;
    struct series nowhere_series;
    _Atomic int64_t nowhere_count;
};

struct ts_metrics *ts_metrics_new(void)
{
    _cleanup_(ts_arena_freep) struct ts_arena *arena = ts_arena_new(TS_MAX_METRICS_BYTES);
    struct ts_metrics *metrics = arena ? TS_ARENA_NEW(arena, struct ts_metrics) : NULL;

    if (!metrics)
        return NULL;
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->end = &metrics->first;
    metrics->nowhere.registry = metrics;
    metrics->nowhere_series.histogram.metric = &metrics->nowhere;
    metrics->nowhere_series.histogram.counts = &metrics->nowhere_count;
    metrics->arena = TS_TAKE(arena);
    return metrics;
}

struct ts_metrics *ts_metrics_free(struct ts_metrics *metrics)
{
    if (metrics) {
        struct ts_arena *arena = metrics->arena;
        pthread_mutex_destroy(&metrics->lock);
        ts_arena_free(arena);
    }
    return NULL;
}

int ts_metrics_error(const struct ts_metrics *metrics)
{
    return atomic_load(&metrics->error);
}

static void set_error(struct ts_metrics *metrics, int error)
{
    int none = 0;

    atomic_compare_exchange_strong(&metrics->error, &none, error);
}

/* --- registering --- */

static bool is_name(ts_str s, bool colon)
{
    if (s.len == 0 || s.len > MAX_NAME_BYTES)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static int parse_labels(struct ts_metric *metric, ts_str labels)
{
    ts_str name;

    while (ts_str_split(&labels, ',', &name)) {
        bool reserved = ts_str_starts_with(name, TS_STR("__")) || ts_str_eq(name, TS_STR("le"));
        if (metric->n_labels == MAX_LABELS || reserved || !is_name(name, false))
            return TS_E_INVALID;
        for (size_t i = 0; i < metric->n_labels; i++)
            if (ts_str_eq(metric->label_names[i], name))
                return TS_E_INVALID;
        metric->label_names[metric->n_labels++] = name;
    }
    return 0;
}

static int parse_buckets(struct ts_metric *metric, ts_str buckets)
{
    int64_t previous = 0;
    ts_str bound;

    while (ts_str_split(&buckets, ' ', &bound)) {
        int64_t us;
        if (metric->n_bounds == MAX_BUCKETS || ts_parse_e6(bound, &us) < 0 || us <= previous)
            return TS_E_INVALID;
        metric->bounds_us[metric->n_bounds++] = previous = us;
    }
    return metric->n_bounds > 0 ? 0 : TS_E_INVALID;
}

static size_t slot_of(ts_str labels)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < labels.len; i++)
        hash = (hash ^ (unsigned char)labels.ptr[i]) * 16777619u;
    return hash % HASH_SLOTS;
}

static struct series *new_series(struct ts_metric *metric, ts_str labels)
{
    struct ts_arena *arena = metric->registry->arena;
    struct series *series = TS_ARENA_NEW(arena, struct series);

    if (!series || ts_arena_dup(arena, labels, &series->labels) < 0)
        return NULL;
    if (metric->kind == TS_HISTOGRAM) {
        series->histogram.metric = metric;
        series->histogram.counts = TS_ARENA_ARRAY(arena, metric->n_bounds + 1, _Atomic int64_t);
        if (!series->histogram.counts)
            return NULL;
    }
    return series;
}

static void put_label_value(struct ts_buf *buf, ts_str value)
{
    value = ts_utf8_truncate(value, TS_MAX_LABEL_BYTES);
    for (size_t i = 0; i < value.len;) {
        size_t n = ts_utf8_sequence((ts_str){value.ptr + i, value.len - i});
        char c = value.ptr[i];
        if (n == 0)
            ts_buf_cstr(buf, "\xEF\xBF\xBD"); /* U+FFFD */
        else if (c == '\n')
            ts_buf_cstr(buf, "\\n");
        else {
            if (c == '"' || c == '\\')
                ts_buf_char(buf, '\\');
            ts_buf_bytes(buf, value.ptr + i, n);
        }
        i += n > 0 ? n : 1;
    }
}

/* `values` NULL: every label is `other`. */
static void put_labels(struct ts_buf *buf, const struct ts_metric *metric, const ts_str *values)
{
    for (size_t i = 0; i < metric->n_labels; i++) {
        if (i > 0)
            ts_buf_char(buf, ',');
        ts_buf_str(buf, metric->label_names[i]);
        ts_buf_cstr(buf, "=\"");
        put_label_value(buf, values ? values[i] : TS_STR("other"));
        ts_buf_char(buf, '"');
    }
}

struct label_text {
    char memory[MAX_LABEL_TEXT + 1];
    struct ts_buf buf;
};

static ts_str make_labels(struct label_text *text, const struct ts_metric *metric, const ts_str *values)
{
    text->buf =
        (struct ts_buf){.data = text->memory, .capacity = MAX_LABEL_TEXT, .max_bytes = MAX_LABEL_TEXT};
    put_labels(&text->buf, metric, values);
    return ts_buf_view(&text->buf);
}

static bool name_taken(const struct ts_metrics *metrics, ts_str name)
{
    for (const struct ts_metric *metric = metrics->first; metric; metric = metric->next)
        if (ts_str_eq(metric->name, name))
            return true;
    return false;
}

static int init_metric(struct ts_metric *metric, const char *name, const char *help, const char *labels,
                       const char *buckets)
{
    struct ts_arena *arena = metric->registry->arena;
    struct label_text text;
    ts_str label_names;

    if (!is_name(ts_str_from(name), true) || (metric->kind == TS_HISTOGRAM) != (buckets != NULL))
        return TS_E_INVALID;
    if (name_taken(metric->registry, ts_str_from(name)))
        return TS_E_CONFLICT;
    if (ts_arena_dup(arena, ts_str_from(name), &metric->name) < 0 ||
        ts_arena_dup(arena, ts_str_from(help), &metric->help) < 0 ||
        ts_arena_dup(arena, ts_str_from(labels), &label_names) < 0)
        return -ENOMEM;
    int r = parse_labels(metric, label_names);
    if (r == 0 && buckets)
        r = parse_buckets(metric, ts_str_from(buckets));
    if (r < 0)
        return r;
    metric->other = new_series(metric, make_labels(&text, metric, NULL));
    if (!metric->other)
        return -ENOMEM;
    metric->slots[slot_of(metric->other->labels)] = metric->other;
    return 0;
}

static struct ts_metric *add_metric(struct ts_metrics *metrics, enum ts_metric_kind kind, const char *name,
                                    const char *help, const char *labels, const char *buckets)
{
    pthread_mutex_lock(&metrics->lock);
    struct ts_metric *metric = TS_ARENA_NEW(metrics->arena, struct ts_metric);
    int r = -ENOMEM;
    if (metric) {
        metric->registry = metrics;
        metric->kind = kind;
        metric->end = &metric->first;
        r = init_metric(metric, name, help, labels, buckets);
    }
    if (r < 0) {
        set_error(metrics, r);
        metric = &metrics->nowhere;
    } else {
        *metrics->end = metric;
        metrics->end = &metric->next;
    }
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

struct ts_metric *ts_metrics_add(struct ts_metrics *metrics, enum ts_metric_kind kind, const char *name,
                                 const char *help, const char *labels)
{
    return add_metric(metrics, kind, name, help, labels, NULL);
}

struct ts_metric *ts_metrics_add_histogram(struct ts_metrics *metrics, const char *name, const char *help,
                                           const char *labels, const char *buckets)
{
    return add_metric(metrics, TS_HISTOGRAM, name, help, labels, buckets);
}

struct ts_counter *ts_metrics_counter(struct ts_metrics *metrics, const char *name, const char *help)
{
    return ts_counter_with(ts_metrics_add(metrics, TS_COUNTER, name, help, NULL), TS_NO_LABELS);
}

struct ts_gauge *ts_metrics_gauge(struct ts_metrics *metrics, const char *name, const char *help)
{
    return ts_gauge_with(ts_metrics_add(metrics, TS_GAUGE, name, help, NULL), TS_NO_LABELS);
}

struct ts_histogram *ts_metrics_histogram(struct ts_metrics *metrics, const char *name, const char *help,
                                          const char *buckets)
{
    return ts_histogram_with(ts_metrics_add_histogram(metrics, name, help, NULL, buckets), TS_NO_LABELS);
}

void ts_metrics_add_process(struct ts_metrics *metrics)
{
    static const struct {
        enum ts_metric_kind kind;
        const char *name, *help;
        int64_t (*value)(void *ctx);
    } rows[] = {
        {TS_COUNTER_US, "process_cpu_seconds_total", "User and system CPU time.", ts_process_cpu_us},
        {TS_GAUGE, "process_resident_memory_bytes", "Resident memory.", ts_process_resident_bytes},
        {TS_GAUGE, "process_open_fds", "Open file descriptors.", ts_process_open_fds},
    };

    for (size_t i = 0; i < TS_ARRAY_LEN(rows); i++) {
        struct ts_metric *metric = ts_metrics_add(metrics, rows[i].kind, rows[i].name, rows[i].help, NULL);
        ts_callback_with(metric, rows[i].value, NULL, TS_NO_LABELS);
    }
    /* Asked once: the same instant told twice through a clock that is being adjusted differs. */
    struct ts_metric *start = ts_metrics_add(metrics, TS_GAUGE_US, "process_start_time_seconds",
                                             "Start of the process since the epoch.", NULL);
    ts_gauge_set(ts_gauge_with(start, TS_NO_LABELS), ts_process_start_us());
}

/* --- series --- */

static void list_series(struct ts_metric *metric, struct series *series)
{
    *metric->end = series;
    metric->end = &series->next;
}

static struct series *use_other(struct ts_metric *metric)
{
    if (!metric->other_listed)
        list_series(metric, metric->other);
    metric->other_listed = true;
    return metric->other;
}

/* With the lock held. The only series of a metric without labels is its `other`: it has the same, empty label text. */
static struct series *find_or_make(struct ts_metric *metric, ts_str labels)
{
    struct series **slot = &metric->slots[slot_of(labels)];

    for (struct series *series = *slot; series; series = series->hash_next)
        if (ts_str_eq(series->labels, labels))
            return series == metric->other ? use_other(metric) : series;
    if (metric->n_series == TS_MAX_SERIES)
        return use_other(metric);
    struct series *series = new_series(metric, labels);
    if (!series) {
        set_error(metric->registry, -ENOMEM);
        return &metric->registry->nowhere_series;
    }
    series->hash_next = *slot;
    *slot = series;
    list_series(metric, series);
    metric->n_series++;
    return series;
}

static struct series *series_with(struct ts_metric *metric, unsigned kinds, const ts_str *values, size_t n)
{
    struct ts_metrics *metrics = metric->registry;
    struct label_text text;

    if (metric == &metrics->nowhere)
        return &metrics->nowhere_series;
    if (!(kinds & (1u << metric->kind)) || n != metric->n_labels) {
        set_error(metrics, TS_E_INVALID);
        return &metrics->nowhere_series;
    }
    ts_str labels = make_labels(&text, metric, values);
    pthread_mutex_lock(&metrics->lock);
    struct series *series = find_or_make(metric, labels);
    pthread_mutex_unlock(&metrics->lock);
    return series;
}

#define KIND_COUNTER   (1u << TS_COUNTER | 1u << TS_COUNTER_US)
#define KIND_GAUGE     (1u << TS_GAUGE | 1u << TS_GAUGE_US)
#define KIND_HISTOGRAM (1u << TS_HISTOGRAM)

struct ts_counter *ts_counter_with(struct ts_metric *metric, const ts_str *values, size_t n)
{
    return &series_with(metric, KIND_COUNTER, values, n)->counter;
}

struct ts_gauge *ts_gauge_with(struct ts_metric *metric, const ts_str *values, size_t n)
{
    return &series_with(metric, KIND_GAUGE, values, n)->gauge;
}

struct ts_histogram *ts_histogram_with(struct ts_metric *metric, const ts_str *values, size_t n)
{
    return &series_with(metric, KIND_HISTOGRAM, values, n)->histogram;
}

void ts_callback_with(struct ts_metric *metric, int64_t (*value)(void *ctx), void *ctx, const ts_str *values,
                      size_t n)
{
    struct series *series = series_with(metric, KIND_COUNTER | KIND_GAUGE, values, n);

    pthread_mutex_lock(&metric->registry->lock);
    series->callback = value;
    series->ctx = ctx;
    pthread_mutex_unlock(&metric->registry->lock);
}

void ts_histogram_observe(struct ts_histogram *histogram, int64_t duration_us)
{
    const struct ts_metric *metric = histogram->metric;
    int64_t us = TS_MAX(duration_us, 0); /* a clock that was set back must not make a sum fall */
    size_t i = 0;

    while (i < metric->n_bounds && us > metric->bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

/* --- showing --- */

static void put_help(struct ts_buf *out, const struct ts_metric *metric)
{
    static const char *const types[] = {
        [TS_COUNTER] = "counter", [TS_GAUGE] = "gauge",         [TS_COUNTER_US] = "counter",
        [TS_GAUGE_US] = "gauge",  [TS_HISTOGRAM] = "histogram",
    };

    ts_buf_cstr(out, "# HELP ");
    ts_buf_str(out, metric->name);
    ts_buf_char(out, ' ');
    for (size_t i = 0; i < metric->help.len; i++) {
        char c = metric->help.ptr[i];
        if (c == '\n' || c == '\\')
            ts_buf_cstr(out, c == '\n' ? "\\n" : "\\\\");
        else
            ts_buf_char(out, c);
    }
    ts_buf_cstr(out, "\n# TYPE ");
    ts_buf_str(out, metric->name);
    ts_buf_char(out, ' ');
    ts_buf_cstr(out, types[metric->kind]);
    ts_buf_char(out, '\n');
}

/* name + ending + {labels,extra} and a space; `extra` may be empty. */
static void put_series(struct ts_buf *out, ts_str name, const char *ending, ts_str labels)
{
    ts_buf_str(out, name);
    ts_buf_cstr(out, ending);
    if (labels.len > 0) {
        ts_buf_char(out, '{');
        ts_buf_str(out, labels);
        ts_buf_char(out, '}');
    }
    ts_buf_char(out, ' ');
}

static void put_bucket(struct ts_buf *out, const struct ts_metric *metric, const struct series *series,
                       size_t i, int64_t total)
{
    ts_buf_str(out, metric->name);
    ts_buf_cstr(out, "_bucket{");
    ts_buf_str(out, series->labels);
    ts_buf_cstr(out, series->labels.len > 0 ? ",le=\"" : "le=\"");
    if (i < metric->n_bounds)
        ts_buf_e6(out, metric->bounds_us[i]);
    else
        ts_buf_cstr(out, "+Inf");
    ts_buf_cstr(out, "\"} ");
    ts_buf_i64(out, total);
    ts_buf_char(out, '\n');
}

/* The count is the sum of what was read, so that it fits the buckets whatever other threads add meanwhile. */
static void put_histogram(struct ts_buf *out, const struct ts_metric *metric, const struct series *series)
{
    const struct ts_histogram *histogram = &series->histogram;
    int64_t total = 0;

    for (size_t i = 0; i <= metric->n_bounds; i++) {
        total += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        put_bucket(out, metric, series, i, total);
    }
    put_series(out, metric->name, "_sum", series->labels);
    ts_buf_e6(out, atomic_load_explicit(&histogram->sum_us, memory_order_relaxed));
    ts_buf_char(out, '\n');
    put_series(out, metric->name, "_count", series->labels);
    ts_buf_i64(out, total);
    ts_buf_char(out, '\n');
}

static void put_value(struct ts_buf *out, const struct ts_metric *metric, const struct series *series)
{
    bool gauge = KIND_GAUGE & (1u << metric->kind);
    bool in_us = metric->kind == TS_COUNTER_US || metric->kind == TS_GAUGE_US;
    int64_t value = gauge ? ts_gauge_value(&series->gauge) : ts_counter_value(&series->counter);

    if (series->callback)
        value = series->callback(series->ctx);
    put_series(out, metric->name, "", series->labels);
    if (in_us)
        ts_buf_e6(out, value);
    else
        ts_buf_i64(out, value);
    ts_buf_char(out, '\n');
}

void ts_metrics_render(struct ts_metrics *metrics, struct ts_buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (const struct ts_metric *metric = metrics->first; metric; metric = metric->next) {
        put_help(out, metric);
        for (const struct series *series = metric->first; series; series = series->next)
            if (metric->kind == TS_HISTOGRAM)
                put_histogram(out, metric, series);
            else
                put_value(out, metric, series);
    }
    pthread_mutex_unlock(&metrics->lock);
}
