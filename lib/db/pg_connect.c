#include "db/pg_connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/db_internal.h"

#define MAX_SETTINGS_BYTES  4096
#define TCP_USER_TIMEOUT_MS "5000" /* unacknowledged data for so long: the network is gone */

/* --- errors --- */

int ts_pg_class_of(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        int error;
    } classes[] = {
        {"08", TS_E_DB_CONNECTION},    {"57P", TS_E_DB_CONNECTION}, {"53300", TS_E_DB_CONNECTION},
        {"25P03", TS_E_DB_CONNECTION}, {"40P01", TS_E_DB_DEADLOCK}, {"40001", TS_E_DB_DEADLOCK},
        {"57014", TS_E_DB_TIMEOUT},    {"55P03", TS_E_DB_TIMEOUT},  {"25006", TS_E_DB_READ_ONLY},
        {"53100", TS_E_DB_FULL},       {"23", TS_E_DB_CONSTRAINT},  {"22", TS_E_DB_DATA},
    };

    if (!sqlstate || !sqlstate[0])
        return TS_E_DB_CONNECTION;
    for (size_t i = 0; i < TS_ARRAY_LEN(classes); i++)
        if (strncmp(sqlstate, classes[i].prefix, strlen(classes[i].prefix)) == 0)
            return classes[i].error;
    return TS_E_DB_QUERY;
}

int ts_pg_describe_connection(const PGconn *conn, struct ts_db_error *out)
{
    const char *text = conn ? PQerrorMessage(conn) : "";

    ts_db_fail(out, TS_E_DB_CONNECTION, text[0] ? text : "the connection was lost");
    out->message[strcspn(out->message, "\n")] = '\0';
    return TS_E_DB_CONNECTION;
}

/* --- settings --- */

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static const char *url_option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val;
    return NULL;
}

/* Ours come last, so they win over the URL's own. */
static char *make_settings(const char *from_url, const struct ts_db_options *options)
{
    const int64_t timeout_us =
        options->statement_timeout_us ? options->statement_timeout_us : TS_DB_DEFAULT_TIMEOUT_US;
    const long long ms = (long long)(timeout_us / TS_US_PER_MS);
    struct ts_buf buf = TS_BUF_INIT(MAX_SETTINGS_BYTES);

    if (from_url)
        ts_buf_printf(&buf, "%s ", from_url);
    ts_buf_printf(&buf,
                  "-c jit=off -c statement_timeout=%lld -c lock_timeout=%lld -c "
                  "idle_in_transaction_session_timeout=%lld"
                  " -c synchronous_commit=on -c timezone=UTC",
                  ms, ms, ms + 1000);
    /* Without statistics, or by a plan made for any parameters, the planner takes a time range for narrow and gathers all of it to sort it; a
     * reader wants the first page from the index. */
    if (options->read_only)
        ts_buf_cstr(&buf, " -c default_transaction_read_only=on -c enable_bitmapscan=off");
    if (options->schema)
        ts_buf_printf(&buf, " -c search_path=%s", options->schema);
    ts_buf_char(&buf, '\0');
    if (ts_buf_error(&buf))
        ts_buf_done(&buf);
    return buf.data;
}

/* Only the plain case, one host by name, can be resolved outside libpq; lists and services are left to it. */
static const char *host_to_resolve(const PQconninfoOption *options)
{
    const char *host = url_option(options, "host");
    unsigned char address[16];

    if (!host || !host[0] || host[0] == '/' || host[0] == '@' || strchr(host, ',') ||
        url_option(options, "hostaddr"))
        return NULL;
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    return is_address ? NULL : host;
}

static bool copy_to(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return !text || *out;
}

int ts_pg_target_init(struct ts_pg_target *target, const struct ts_db_options *options)
{
    /* libpq's own words about a bad URL are not passed on: they quote it, and it may hold a password. */
    PQconninfoOption *parsed = options->url ? PQconninfoParse(options->url, NULL) : NULL;

    if (!parsed || (options->schema && !is_plain_name(options->schema))) {
        PQconninfoFree(parsed);
        return TS_E_INVALID;
    }
    *target = (struct ts_pg_target){.settings = make_settings(url_option(parsed, "options"), options)};
    bool ok = target->settings && copy_to(&target->url, options->url) &&
              copy_to(&target->host, host_to_resolve(parsed)) &&
              copy_to(&target->application_name, options->application_name);
    PQconninfoFree(parsed);
    if (ok)
        return 0;
    ts_pg_target_done(target);
    return -ENOMEM;
}

void ts_pg_target_done(struct ts_pg_target *target)
{
    if (target->url)
        explicit_bzero(target->url, strlen(target->url));
    free(target->url);
    free(target->settings);
    free(target->application_name);
    free(target->host);
    *target = (struct ts_pg_target){0};
}

static void ignore_notice(void *ctx, const char *message)
{
    (void)ctx, (void)message; /* libpq would print it to standard error */
}

PGconn *ts_pg_connect_start(const struct ts_pg_target *target, const char *address)
{
    /* libpq lets later entries win over the URL and passes over NULL values; the list ends at a NULL keyword. */
    const char *const keywords[] = {"dbname",          "options",  "client_encoding",  "tcp_user_timeout",
                                    "keepalives_idle", "hostaddr", "application_name", NULL};
    const char *const values[] = {target->url, target->settings,         "UTF8", TCP_USER_TIMEOUT_MS, "10",
                                  address,     target->application_name, NULL};
    PGconn *conn = PQconnectStartParams(keywords, values, 1);

    if (conn)
        PQsetNoticeProcessor(conn, ignore_notice, NULL);
    return conn;
}
