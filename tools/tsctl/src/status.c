#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "command.h"
#include "probe.h"
#include "state.h"

#define PROBE_MS 800 /* the whole table in less than a second */

struct row {
    const struct service *service;
    struct record record;
    bool used; /* `usage` is known */
    struct process_usage usage;
    pid_t stranger; /* who has its port though it does not run; 0 = nobody */
    bool healthy;
};

struct table {
    struct row rows[MAX_SERVICES];
    struct probe probes[MAX_SERVICES];
    size_t n;
    bool demonstration;
};

static void look(struct command *command, struct table *table)
{
    int timeout_ms = command->options.timeout_s ? command->options.timeout_s * 1000 : PROBE_MS;

    *table = (struct table){0};
    for (size_t i = 0; i < command->catalogue.n; i++) {
        const struct service *service = &command->catalogue.services[i];
        struct row *row = &table->rows[table->n];
        if (!service->selected)
            continue;
        *row = (struct row){.service = service, .record = state_read(service->id, command->arena)};
        if (row->record.state == STATE_RUNNING) {
            row->used = process_usage(&row->record.process, &row->usage) == 0;
            table->probes[table->n].url = service->health_url;
            table->demonstration |= row->record.demonstration;
        } else if (service->port) {
            (void)process_listens(service->port, &row->stranger);
        }
        table->n++;
    }
    probe_all(table->probes, table->n, timeout_ms);
    for (size_t i = 0; i < table->n; i++) {
        struct row *row = &table->rows[i];
        row->healthy = row->record.state == STATE_RUNNING &&
                       (!row->service->health_url || table->probes[i].status == 200);
    }
}

static int exit_code_of(const struct table *table)
{
    int exit_code = EXIT_DONE;

    for (size_t i = 0; i < table->n; i++)
        if (!table->rows[i].healthy)
            exit_code = TS_MAX(exit_code, table->rows[i].service->critical ? EXIT_CRITICAL : EXIT_PARTLY);
    return exit_code;
}

/* 45s, 12m, 2h14m, 6d */
static const char *format_age(int64_t age_us, char out[16])
{
    int64_t s = age_us / TS_US_PER_S;

    if (s < 60)
        snprintf(out, 16, "%ds", (int)s);
    else if (s < 3600)
        snprintf(out, 16, "%dm", (int)(s / 60));
    else if (s < 86400)
        snprintf(out, 16, "%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
    else
        snprintf(out, 16, "%dd", (int)(s / 86400));
    return out;
}

static void say_health(const struct command *command, const struct row *row, const struct probe *probe)
{
    if (row->record.state == STATE_RUNNING && row->healthy)
        command_say(command, "%sok%s %dms\n", command_colour(command, GREEN), command_no_colour(command),
                    (int)(probe->took_us / TS_US_PER_MS));
    else if (row->record.state == STATE_RUNNING && probe->status)
        command_say(command, "%s%d%s\n", command_colour(command, RED), probe->status,
                    command_no_colour(command));
    else if (row->record.state == STATE_RUNNING)
        command_say(command, "%sno answer%s\n", command_colour(command, RED), command_no_colour(command));
    else if (row->stranger)
        command_say(command, "-  its port is held by pid %d\n", row->stranger);
    else
        command_say(command, "-  start %s\n", row->service->id);
}

static void say_row(const struct command *command, const struct row *row, const struct probe *probe)
{
    char pid[16] = "-", age[16] = "-", cpu[16] = "-", memory[32] = "-", port[16] = "-";
    bool running = row->record.state == STATE_RUNNING;

    if (row->service->port)
        snprintf(port, sizeof(port), "%d", row->service->port);
    if (running)
        snprintf(pid, sizeof(pid), "%d", row->record.process.pid);
    if (running && row->used) {
        format_age(row->usage.age_us, age);
        snprintf(cpu, sizeof(cpu), "%d.%d%%", row->usage.cpu_permille / 10, row->usage.cpu_permille % 10);
        snprintf(memory, sizeof(memory), "%d/%dM", (int)(row->usage.rss_bytes >> 20),
                 row->service->memory_limit_mb);
    }
    command_say(command, "%-18s %s%-8s%s %-5s %-8s %-7s %-6s %-9s ", row->service->id,
                command_colour(command, running                              ? GREEN
                                        : row->record.state == STATE_STOPPED ? YELLOW
                                                                             : RED),
                state_names[row->record.state], command_no_colour(command), port, pid, age, cpu, memory);
    say_health(command, row, probe);
}

static void say_table(const struct command *command, const struct table *table)
{
    size_t healthy = 0;

    command_say(command, "%-18s %-8s %-5s %-8s %-7s %-6s %-9s %s\n", "SERVICE", "STATE", "PORT", "PID", "UP",
                "CPU", "MEM", "HEALTH");
    for (size_t i = 0; i < table->n; i++) {
        say_row(command, &table->rows[i], &table->probes[i]);
        healthy += table->rows[i].healthy;
    }
    command_say(command, "%zu of %zu healthy%s\n", healthy, table->n,
                table->demonstration ? "   demonstration: invented signals" : "");
}

static json_t *report(const struct table *table)
{
    json_t *services = json_array();

    for (size_t i = 0; i < table->n; i++) {
        const struct row *row = &table->rows[i];
        bool running = row->record.state == STATE_RUNNING;
        json_t *service = json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:i}", "id", row->service->id, "name",
                                    row->service->name, "state", state_names[row->record.state], "port",
                                    row->service->port, "critical", row->service->critical, "healthy",
                                    row->healthy, "restarts", row->record.restarts);
        if (running)
            json_object_set_new(service, "pid", json_integer(row->record.process.pid));
        if (running && row->used) {
            json_object_set_new(service, "uptimeSeconds", json_integer(row->usage.age_us / TS_US_PER_S));
            json_object_set_new(service, "rssBytes", json_integer(row->usage.rss_bytes));
            json_object_set_new(service, "cpuPercent", json_real(row->usage.cpu_permille / 10.0));
        }
        if (running && row->service->health_url) {
            json_object_set_new(service, "healthStatus", json_integer(table->probes[i].status));
            json_object_set_new(service, "latencyMs", json_integer(table->probes[i].took_us / TS_US_PER_MS));
        }
        if (row->stranger)
            json_object_set_new(service, "portHeldBy", json_integer(row->stranger));
        json_array_append_new(services, service);
    }
    return json_pack("{s:b, s:o}", "demonstration", table->demonstration, "services", services);
}

int command_status(struct command *command)
{
    struct table table;
    int exit_code = command_select(command, false);

    if (exit_code != EXIT_DONE)
        return exit_code;
    for (;;) {
        look(command, &table);
        exit_code = exit_code_of(&table);
        if (command->options.watch && !command->options.json)
            command_say(command, "\033[H\033[2J");
        say_table(command, &table);
        command_json(command, report(&table), exit_code);
        if (!command->options.watch)
            return exit_code;
        poll(NULL, 0, command->options.watch_s * 1000);
        ts_arena_reset(command->arena);
    }
}
