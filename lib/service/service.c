#include "service/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/json.h"
#include "service/service_internal.h"

#define CONFIG_ARENA_BYTES  (1024 * 1024)
#define CONFIG_ERRORS_BYTES (64 * 1024)
#define SPARE_DESCRIPTORS   64 /* databases, outgoing calls, the log */
#define DRAIN_RESERVE_US    (500 * TS_US_PER_MS)
#define FAREWELL_TICK_MS    20

/* The life of one process. `service` is first: handlers and programs see only that. */
struct process {
    struct ts_service service;
    uv_signal_t on_term, on_int;
    uv_timer_t patience; /* the bound on an orderly stop */
    uv_timer_t farewell;
    int64_t farewell_ends_us; /* monotonic */
    enum { RUNNING, LEAVING, STOPPING, STOPPED } state;
    int exit_code;
    int64_t stop_deadline_us;
};

static struct process *process_of(struct ts_service *service)
{
    return TS_CONTAINER_OF(service, struct process, service);
}

/* --- configuration --- */

bool ts_is_loopback(ts_str address)
{
    return ts_str_starts_with(address, TS_STR("127.")) || ts_str_eq(address, TS_STR("::1"));
}

static int check_exposure(const struct ts_service_def *def, const struct ts_service_config *common,
                          struct ts_buf *errors)
{
    if (def->public_only_paths || common->behind_proxy || ts_secret_is_set(&common->admin_token))
        return 0;
    for (size_t i = 0; i < common->bind_addresses.n; i++) {
        if (!ts_is_loopback(common->bind_addresses.items[i])) {
            ts_buf_cstr(errors, "FATAL: ADMIN_TOKEN is required when BIND_ADDRESS goes beyond loopback "
                                "(or BEHIND_PROXY=true)\n");
            return 1;
        }
    }
    return 0;
}

static const char *from_environment(const char *name, void *ctx TS_UNUSED)
{
    return getenv(name);
}

/* The number of errors, which were printed; negative when memory is out. */
static int load_config(struct ts_service *service)
{
    const struct ts_service_def *def = service->def;
    _cleanup_(ts_buf_done) struct ts_buf errors = TS_BUF_INIT(CONFIG_ERRORS_BYTES);

    service->arena = ts_arena_new(CONFIG_ARENA_BYTES);
    service->config = service->arena ? ts_arena_alloc(service->arena, def->config_size) : NULL;
    if (!service->config)
        return -ENOMEM;
    service->common = (const void *)((const char *)service->config + def->common_offset);

    int n = ts_config_load(def->fields, def->n_fields, service->config, service->arena, &errors,
                           from_environment, NULL);
    if (n >= 0 && def->check_config) /* all errors at once, also those that only several variables make */
        n += def->check_config(service->config, &errors);
    if (n >= 0)
        n += check_exposure(def, service->common, &errors);
    if (n != 0)
        fprintf(stderr, "%.*s", TS_STR_ARG(ts_buf_view(&errors)));
    return n;
}

/* --- stop --- */

static void close_handle(uv_handle_t *handle, void *ctx TS_UNUSED)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void finish(struct process *process)
{
    process->state = STOPPED;
    uv_stop(process->service.loop);
}

static void drained(void *ctx, int forced)
{
    struct process *process = ctx;
    struct ts_service *service = &process->service;

    if (forced > 0)
        ts_log_warn("Connections were cut at shutdown", TS_F_I64("connections", forced));
    if (service->def->stop && !service->def->stop_before_drain)
        service->def->stop(service);
    else
        finish(process);
}

static void drain(struct process *process)
{
    int64_t left_us = process->stop_deadline_us - ts_clock_mono_us() - DRAIN_RESERVE_US;

    ts_http_server_drain(process->service.server, TS_MAX(left_us, 0), drained, process);
}

void ts_service_stopped(struct ts_service *service)
{
    struct process *process = process_of(service);

    if (service->def->stop_before_drain)
        drain(process);
    else
        finish(process);
}

static void out_of_patience(uv_timer_t *timer)
{
    struct process *process = timer->data;

    ts_log_error("Force shutdown after timeout",
                 TS_F_I64("in_flight", ts_http_server_stats(process->service.server).parked));
    _exit(1);
}

static void begin_stop(struct process *process)
{
    struct ts_service *service = &process->service;
    const int64_t timeout_us = service->stop_timeout_us;

    process->state = STOPPING;
    process->stop_deadline_us = ts_clock_mono_us() + timeout_us;
    ts_log_info("Shutting down gracefully...",
                TS_F_I64("in_flight", ts_http_server_stats(service->server).parked));
    uv_timer_start(&process->patience, out_of_patience, (uint64_t)(timeout_us / TS_US_PER_MS), 0);
    if (service->def->stop_before_drain && service->def->stop)
        service->def->stop(service);
    else
        drain(process);
}

bool ts_service_is_stopping(const struct ts_service *service)
{
    return TS_CONTAINER_OF(service, const struct process, service)->state != RUNNING;
}

static bool stands_behind_a_proxy(const struct ts_service *service)
{
    return service->common->behind_proxy || service->common->trusted_proxies.n > 0;
}

static void on_farewell(uv_timer_t *timer)
{
    struct process *process = timer->data;
    const struct ts_service *service = &process->service;
    const struct ts_http_server_stats stats = ts_http_server_stats(service->server);
    bool alone = stats.connections == stats.streams && !stands_behind_a_proxy(service);

    if (!alone && ts_clock_mono_us() < process->farewell_ends_us)
        return;
    uv_timer_stop(timer);
    begin_stop(process);
}

static void begin_farewell(struct process *process)
{
    process->state = LEAVING;
    process->farewell_ends_us = ts_clock_mono_us() + process->service.def->farewell_us;
    ts_http_server_retire(process->service.server);
    uv_timer_start(&process->farewell, on_farewell, 0, FAREWELL_TICK_MS);
}

void ts_service_quit(struct ts_service *service, int exit_code)
{
    struct process *process = process_of(service);

    if (process->exit_code == 0)
        process->exit_code = exit_code;
    uv_timer_stop(&process->farewell);
    if (process->state == RUNNING || process->state == LEAVING)
        begin_stop(process);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct process *process = handle->data;

    if (process->state != RUNNING) {
        ts_log_warn("Second signal, leaving at once", TS_F_I64("signal", number));
        _exit(1);
    }
    if (process->service.def->farewell_us > 0)
        begin_farewell(process);
    else
        begin_stop(process);
}

/* --- start --- */

static void count_request(const struct ts_http_request *req, int status, int64_t duration_us, void *ctx)
{
    struct ts_service *service = ctx;

    ts_request_metrics_observe(service->requests, req, status, duration_us);
    if (service->def->on_answered)
        service->def->on_answered(service, req, status);
}

static int make_server(struct ts_service *service)
{
    const struct ts_service_def *def = service->def;
    const struct ts_service_config *common = service->common;
    const struct ts_http_guard_options guard = {
        .allowed_hosts = common->allowed_hosts,
        .cors_origins = common->cors_origins,
        .cors_disabled = common->cors_disabled,
        .admin_token = &common->admin_token,
        .admin_token_previous = &common->admin_token_previous,
        .rate_limit_max = common->rate_limit_max,
        .rate_limit_window_us = common->rate_limit_window_ms * TS_US_PER_MS,
        .public_only_paths = def->public_only_paths,
    };
    struct ts_http_server_options server = {
        .ctx = service,
        .guard = ts_http_guard_check,
        .on_answered = count_request,
        .trusted_proxies = &common->trusted_proxies,
        .max_connections = (int)common->max_connections,
    };

    int rc = ts_http_guard_new(&guard, &service->guard);
    if (rc < 0)
        return rc;
    server.guard_ctx = service->guard;
    rc = ts_service_routes(def, service->arena, &server.routes, &server.n_routes);
    if (rc == 0)
        rc = ts_http_server_new(service->loop, &server, &service->server);
    return rc;
}

static int listen_all(struct ts_service *service)
{
    const struct ts_service_config *common = service->common;

    for (size_t i = 0; i < common->bind_addresses.n; i++) {
        ts_str address = common->bind_addresses.items[i];
        int port = 0;
        int rc = ts_http_server_listen(service->server, address.ptr, (int)common->port,
                                       !ts_is_loopback(address), &port);

        if (rc < 0) {
            ts_log_error("Cannot listen", TS_F_STR("address", address), TS_F_I64("port", common->port),
                         TS_F_ERR(rc));
            return rc;
        }
        ts_log_info("Listening", TS_F_STR("address", address), TS_F_I64("port", port));
    }
    return 0;
}

static void raise_descriptor_limit(int64_t connections)
{
    const rlim_t wanted = (rlim_t)connections + SPARE_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = TS_MIN(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        ts_log_warn("Fewer descriptors than MAX_CONNECTIONS needs",
                    TS_F_I64("limit", (int64_t)limit.rlim_cur));
}

static void watch_signal(struct process *process, uv_signal_t *handle, int number)
{
    handle->data = process;
    uv_signal_init(process->service.loop, handle);
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

static int start(struct process *process)
{
    struct ts_service *service = &process->service;

    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit(service->common->max_connections);
    watch_signal(process, &process->on_term, SIGTERM);
    watch_signal(process, &process->on_int, SIGINT);
    uv_timer_init(service->loop, &process->patience);
    uv_timer_init(service->loop, &process->farewell);
    process->patience.data = process->farewell.data = process;

    service->metrics = ts_metrics_new();
    if (!service->metrics)
        return -ENOMEM;
    ts_metrics_add_process(service->metrics);
    service->requests = ts_request_metrics_new(service->metrics, service->def->request_histogram);
    if (!service->requests)
        return -ENOMEM;
    int rc = make_server(service);
    if (rc == 0)
        rc = listen_all(service);
    if (rc == 0)
        rc = service->def->start(service);
    if (rc == 0)
        rc = ts_metrics_error(service->metrics);
    if (rc < 0)
        ts_log_error("Cannot start", TS_F_ERR(rc));
    return rc;
}

/* Frees in the reverse order of `start`; the loop runs until every handle's close call-back has. */
static void release(struct process *process)
{
    struct ts_service *service = &process->service;

    service->server = ts_http_server_free(service->server);
    uv_run(service->loop, UV_RUN_NOWAIT);
    uv_walk(service->loop, close_handle, NULL);
    uv_run(service->loop, UV_RUN_DEFAULT);
    service->guard = ts_http_guard_free(service->guard);
    service->requests = ts_request_metrics_free(service->requests);
    service->metrics = ts_metrics_free(service->metrics);
}

static int run(struct process *process)
{
    struct ts_service *service = &process->service;
    uv_loop_t loop;

    umask(0077); /* databases and whatever else we make hold people's messages */
    if (ts_log_init(service->def->name, (enum ts_log_level)service->common->log_level,
                    (size_t)service->common->log_history) < 0 ||
        uv_loop_init(&loop) < 0)
        return 1;
    ts_json_init();
    service->loop = &loop;
    service->started_us = ts_clock_mono_us();
    service->stop_timeout_us = service->def->stop_timeout_us;

    if (start(process) == 0)
        while (process->state != STOPPED)
            uv_run(&loop, UV_RUN_DEFAULT);
    else
        process->exit_code = 1;
    release(process);
    uv_loop_close(&loop);
    ts_log_done();
    return process->exit_code;
}

/* --- command line --- */

static const struct ts_service_verb *find_verb(const struct ts_service_def *def, const char *name)
{
    for (size_t i = 0; i < def->n_verbs; i++)
        if (strcmp(def->verbs[i].name, name) == 0)
            return &def->verbs[i];
    return NULL;
}

static int dispatch(struct process *process, int argc, char **argv)
{
    struct ts_service *service = &process->service;
    const char *word = argc > 1 ? argv[1] : "";
    const struct ts_service_verb *verb = find_verb(service->def, word);
    const bool check_only = strcmp(word, "--check-config") == 0;
    const bool ask_health = strcmp(word, "--health-check") == 0;

    if (*word && !verb && !check_only && !ask_health) {
        fprintf(stderr, "%s: unknown word '%s'; see --help\n", service->def->name, word);
        return 64;
    }
    if (load_config(service) != 0)
        return 1;
    if (check_only)
        return puts("configuration ok") < 0;
    if (ask_health)
        return ts_cli_health_check(service->common);
    if (verb)
        return verb->run(service, argc - 1, argv + 1);
    return run(process);
}

int ts_service_main(const struct ts_service_def *def, int argc, char **argv)
{
    struct process process = {.service = {.def = def}};

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return ts_cli_help(def);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return ts_cli_version(def);
    int exit_code = dispatch(&process, argc, argv);
    if (process.service.config)
        ts_config_wipe(def->fields, def->n_fields, process.service.config);
    ts_arena_free(process.service.arena);
    return exit_code;
}
