#include "queue_verb.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "gateway.h"
#include "http/json.h"
#include "queue_file.h"

enum { EXIT_USAGE = 64, MAX_URL_BYTES = 256 };

#define RECOVER_TIMEOUT_US (3600 * TS_US_PER_S)

/* Results on standard output, log lines on standard error. */
static void speak_to_a_person(void)
{
    if (ts_log_init("tp-capital-gateway", TS_LOG_WARN, 0) == 0)
        ts_log_set_fd(STDERR_FILENO);
    ts_json_init();
}

static int complain(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, ts_error_text(error));
    return 1;
}

static int open_to_read(struct ts_service *service, struct ts_db **ret)
{
    const char *path = config_outbox_path(service->config, service->arena);
    const struct ts_db_options options = {.driver = &ts_db_sqlite, .path = path, .read_only = true};
    if (!path)
        return -ENOMEM;
    return access(path, F_OK) == 0 ? ts_db_open(&options, ret) : -ENOENT;
}

/* --- queue ----------------------------------------------------------------------------------------------------------------- */

static int print_row(const struct store_row *row, void *ctx)
{
    char queued[TS_TIME_TEXT_SIZE];
    ts_time_format(row->queued_at_us, queued);
    printf("%-8lld %-16lld %-12lld %-14lld %-8s %-13s %-8lld %-24s %.*s\n", (long long)row->ref.id,
           (long long)row->key.channel_id, (long long)row->key.message_id, (long long)row->key.revision,
           row->state == OUTBOX_FAILED ? "failed" : "pending",
           row->reason ? outbox_reason_name(row->reason) : "-", (long long)row->attempts, queued,
           TS_STR_ARG(row->detail.ptr ? row->detail : TS_STR("")));
    ++*(int64_t *)ctx;
    return 0;
}

static int queue_list(struct ts_service *service)
{
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    int64_t n = 0;
    int r = open_to_read(service, &db);
    if (r == -ENOENT) {
        puts("0 messages");
        return 0;
    }
    if (r != 0)
        return complain("outbox", r);
    printf("%-8s %-16s %-12s %-14s %-8s %-13s %-8s %-24s %s\n", "ROW", "CHANNEL", "MESSAGE", "REVISION",
           "STATE", "REASON", "ATTEMPTS", "QUEUED", "DETAIL");
    if ((r = store_each_pending(db, print_row, &n)) != 0)
        return complain("outbox", r);
    printf("%lld messages\n", (long long)n);
    return 0;
}

static int queue_export(struct ts_service *service)
{
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    int r = open_to_read(service, &db);
    if (r == 0)
        r = queue_file_export(db, stdout);
    return r == 0 || r == -ENOENT ? 0 : complain("export", r);
}

static void close_file(FILE **file)
{
    if (*file && *file != stdin)
        fclose(*file);
}

static int queue_import(struct ts_service *service, const char *name)
{
    const char *path = config_outbox_path(service->config, service->arena);
    _cleanup_(ts_closep) int lock = -1;
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    _cleanup_(close_file) FILE *in = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    struct queue_file_counts counts = {0};
    int r;
    if (!in)
        return complain(name, -errno);
    if (!path)
        return complain("outbox", -ENOMEM);
    if ((r = journal_lock(path, &lock)) == -EWOULDBLOCK) {
        fputs("The gateway is running: stop it first\n", stderr);
        return 1;
    }
    if (r != 0 || (r = journal_open_db(path, NULL, &db)) != 0 ||
        (r = queue_file_import(in, stderr, db, &counts)) != 0)
        return complain("import", r);
    printf("imported %lld, known %lld, marks %lld, bad %lld\n", (long long)counts.messages,
           (long long)counts.known, (long long)counts.marks, (long long)counts.bad);
    return counts.bad > 0;
}

int queue_verb(struct ts_service *service, int argc, char **argv)
{
    speak_to_a_person();
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return queue_list(service);
    if (argc == 2 && strcmp(argv[1], "export") == 0)
        return queue_export(service);
    if (argc == 3 && strcmp(argv[1], "import") == 0)
        return queue_import(service, argv[2]);
    fputs("usage: queue " QUEUE_HELP "\n", stderr);
    return EXIT_USAGE;
}

/* --- recover --------------------------------------------------------------------------------------------------------------- */

/* One call on a loop of its own: either POST /recover to the running gateway, or a round of our own. */
struct recovery {
    struct ts_service *service;
    bool include_rejected;
    uv_loop_t loop;
    struct ts_http_client *http;
    struct metrics metrics;
    struct journal *journal;
    struct delivery *delivery;
    struct failures *failures;
    int exit_code;
};

static void report(struct recovery *recovery, int64_t recovered, int64_t failed)
{
    printf("recovered %lld, failed %lld\n", (long long)recovered, (long long)failed);
    recovery->exit_code = failed > 0;
}

static void on_answer(const struct ts_http_client_reply *reply, void *ctx)
{
    struct recovery *recovery = ctx;
    _cleanup_(ts_json_freep) json_t *json = NULL;
    if (reply->error == 0 && reply->status == 200 && ts_json_parse_object(reply->body, 4, &json) == 0)
        report(recovery, json_integer_value(json_object_get(json, "recovered")),
               json_integer_value(json_object_get(json, "failed")));
    else
        fprintf(stderr, "The running gateway answered %d %.*s\n", reply->status, TS_STR_ARG(reply->body));
    recovery->http = ts_http_client_free(recovery->http);
}

static int ask_running(struct recovery *recovery)
{
    const struct ts_service_config *common = recovery->service->common;
    _cleanup_(ts_buf_done) struct ts_buf bearer = TS_BUF_INIT(512);
    char url[MAX_URL_BYTES];
    struct ts_http_header authorization = {.name = TS_STR("Authorization")};
    const struct ts_http_client_request request = {
        .method = "POST",
        .url = url,
        .headers = &authorization,
        .n_headers = ts_secret_is_set(&common->admin_token),
        .timeout_us = RECOVER_TIMEOUT_US,
    };
    snprintf(url, sizeof url, "http://127.0.0.1:%lld/recover%s", (long long)common->port,
             recovery->include_rejected ? "?include_rejected=true" : "");
    ts_buf_printf(&bearer, "Bearer %s",
                  ts_secret_is_set(&common->admin_token) ? common->admin_token.value : "");
    authorization.value = ts_buf_view(&bearer);
    return ts_http_client_send(recovery->http, &request, on_answer, recovery, NULL);
}

static void ignore_published(void *ctx TS_UNUSED, struct message_key key TS_UNUSED) {}

static void on_closed(void *ctx)
{
    struct recovery *recovery = ctx;
    recovery->journal = journal_free(recovery->journal);
    recovery->failures = failures_free(recovery->failures);
    recovery->http = ts_http_client_free(recovery->http);
    recovery->delivery = delivery_free(recovery->delivery);
}

static void on_round(const struct failures_outcome *outcome, void *ctx)
{
    struct recovery *recovery = ctx;
    report(recovery, outcome->recovered, outcome->failed);
    if (outcome->error != 0)
        recovery->exit_code = complain("recover", outcome->error);
    journal_close(recovery->journal, on_closed, recovery);
}

static int run_round(struct recovery *recovery)
{
    const struct delivery_options delivery =
        gateway_delivery_options(recovery->service->config, recovery->http);
    struct failures_options failures = {.loop = &recovery->loop,
                                        .journal = recovery->journal,
                                        .metrics = &recovery->metrics,
                                        .published = ignore_published};
    int r;
    if (!(recovery->delivery = delivery_new(&delivery)))
        return -ENOMEM;
    failures.delivery = recovery->delivery;
    if ((r = failures_new(&failures, &recovery->failures)) != 0)
        return r;
    return failures_recover(recovery->failures, recovery->include_rejected, on_round, recovery);
}

static int recover_on_loop(struct recovery *recovery)
{
    const struct config *config = recovery->service->config;
    const struct journal_options options = {
        .loop = &recovery->loop,
        .path = config_outbox_path(config, recovery->service->arena),
        .max_bytes = config->failure_queue_max_bytes,
        .metrics = &recovery->metrics,
    };
    int r;
    if (!options.path || ts_http_client_new(&recovery->loop, 2, &recovery->http) != 0)
        return -ENOMEM;
    r = journal_open(&options, &recovery->journal);
    if (r == -EWOULDBLOCK) /* the running gateway has it */
        r = ask_running(recovery);
    else if (r == 0)
        r = run_round(recovery);
    if (r == 0)
        uv_run(&recovery->loop, UV_RUN_DEFAULT);
    return r;
}

static int count_failed(const struct store_row *row, void *ctx)
{
    *(int64_t *)ctx += row->state == OUTBOX_FAILED;
    return 0;
}

static int dry_run(struct ts_service *service)
{
    _cleanup_(ts_db_closep) struct ts_db *db = NULL;
    int64_t n = 0;
    int r = open_to_read(service, &db);
    if (r == 0)
        r = store_each_pending(db, count_failed, &n);
    if (r != 0 && r != -ENOENT)
        return complain("outbox", r);
    printf("would try %lld messages\n", (long long)n);
    return 0;
}

int recover_verb(struct ts_service *service, int argc, char **argv)
{
    struct recovery recovery = {.service = service, .exit_code = 1};
    _cleanup_(ts_metrics_freep) struct ts_metrics *registry = ts_metrics_new();
    bool only_count = false;
    int r;
    speak_to_a_person();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0) {
            only_count = true;
        } else if (strcmp(argv[i], "--include-rejected") == 0) {
            recovery.include_rejected = true;
        } else {
            fputs("usage: recover " RECOVER_HELP "\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (only_count)
        return dry_run(service);
    if (!registry || uv_loop_init(&recovery.loop) != 0)
        return complain("recover", -ENOMEM);
    metrics_register(registry, &recovery.metrics);
    r = recover_on_loop(&recovery);
    uv_loop_close(&recovery.loop);
    return r == 0 ? recovery.exit_code : complain("recover", r);
}
