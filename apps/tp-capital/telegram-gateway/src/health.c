#include "health.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"

enum level { HEALTH_OK, HEALTH_DEGRADED, HEALTH_ERROR };

struct verdict {
    enum level level;
    char error[256]; /* ERROR only */
};

static struct verdict error(const char *text)
{
    struct verdict verdict = {.level = HEALTH_ERROR};
    snprintf(verdict.error, sizeof verdict.error, "%s", text);
    return verdict;
}

static struct verdict judge_connection(const struct connection *connection)
{
    struct verdict failed;
    switch (connection->state) {
    case CONNECTION_CONNECTED:
    case CONNECTION_FLOOD_WAIT:
        return (struct verdict){.level = HEALTH_OK};
    case CONNECTION_CONNECTING:
    case CONNECTION_RECONNECTING:
        return (struct verdict){.level = HEALTH_DEGRADED};
    case CONNECTION_FAILED:
        failed = error("");
        snprintf(failed.error, sizeof failed.error, "Connection failed after %d attempts",
                 connection->policy.attempts);
        return failed;
    case CONNECTION_AUTH_REQUIRED:
        return error("Authorization required");
    case CONNECTION_NONE:
        return error("No transport configured");
    case CONNECTION_STARTING:
        return error("Starting");
    case CONNECTION_STOPPING:
        return error("Stopping");
    }
    return error("Unknown state");
}

/* A message that can't be kept is worse than one that can't be fetched. */
static struct verdict judge(const struct gateway *gateway)
{
    if (!gateway)
        return error("Starting");
    if (gateway->journal && journal_trouble(gateway->journal))
        return error(journal_trouble(gateway->journal));
    return judge_connection(&gateway->connection);
}

static void write_time(struct ts_jsonw *w, const char *key, int64_t time_us)
{
    ts_jsonw_key(w, key);
    if (time_us == 0)
        ts_jsonw_null(w);
    else
        ts_jsonw_time(w, time_us);
}

static void write_details(struct ts_jsonw *w, const struct gateway *gateway)
{
    const struct connection *connection = &gateway->connection;
    struct outbox_usage usage = gateway->journal ? journal_usage(gateway->journal) : (struct outbox_usage){0};
    ts_jsonw_key_str(w, "transport",
                     gateway->transport ? ts_str_from(gateway->transport->ops->name) : TS_STR("none"));
    bool paused = connection_is_up(connection) && gateway->journal && !journal_is_accepting(gateway->journal);
    ts_jsonw_key_str(w, "state",
                     paused ? TS_STR("paused") : ts_str_from(connection_state_name(connection->state)));
    if (connection->why[0] != '\0')
        ts_jsonw_key_str(w, "reason", ts_str_from(connection->why));
    if (connection->flood_wait_s > 0)
        ts_jsonw_key_i64(w, "flood_wait_seconds", connection->flood_wait_s);
    ts_jsonw_key_i64(w, "pending", usage.pending);
    ts_jsonw_key_i64(w, "failed", usage.failed);
    write_time(w, "last_received", gateway->reception ? reception_last_us(gateway->reception) : 0);
    write_time(w, "last_published", gateway->last_published_us);
    if (gateway->transport && gateway->transport->ops->limits)
        ts_jsonw_key_str(w, "limits", ts_str_from(gateway->transport->ops->limits));
}

int health_write(const struct gateway *gateway, int64_t uptime_us, struct ts_buf *body)
{
    static const char *const words[] = {
        [HEALTH_OK] = "ok", [HEALTH_DEGRADED] = "degraded", [HEALTH_ERROR] = "error"};
    struct verdict verdict = judge(gateway);
    struct ts_jsonw w = ts_jsonw_begin(body);
    bool connected = gateway && gateway->transport && gateway->transport->ops->is_telegram &&
                     connection_is_up(&gateway->connection);
    ts_jsonw_object(&w);
    ts_jsonw_key_str(&w, "status", ts_str_from(words[verdict.level]));
    ts_jsonw_key_bool(&w, "telegram_connected", connected);
    if (verdict.level == HEALTH_DEGRADED)
        ts_jsonw_key_bool(&w, "reconnecting", true);
    if (verdict.level == HEALTH_ERROR)
        ts_jsonw_key_str(&w, "error", ts_str_from(verdict.error));
    ts_jsonw_key_i64(&w, "uptime_seconds", uptime_us / TS_US_PER_S);
    if (gateway)
        write_details(&w, gateway);
    ts_jsonw_end(&w);
    return verdict.level == HEALTH_ERROR ? 503 : 200;
}
