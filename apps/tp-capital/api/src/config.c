#include "config.h"

#include <errno.h>

#include "base/zone.h"

#define FIELD(member)  offsetof(struct api_config, member)
#define COMMON(member) (offsetof(struct api_config, common) + offsetof(struct ts_service_config, member))

static const char *check_schema(const void *member)
{
    const ts_str *schema = member;
    for (size_t i = 0; i < schema->len; i++) {
        char c = schema->ptr[i];
        if (!((c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return "lower-case letters, digits and _ only, not a digit first";
    }
    return schema->len > 63 ? "at most 63 characters" : NULL;
}

static const char *check_url(const void *member)
{
    const struct ts_secret *url = member;
    ts_str text = ts_str_from(url->value);
    if (ts_str_starts_with(text, TS_STR("postgres://")) || ts_str_starts_with(text, TS_STR("postgresql://")))
        return NULL;
    return "must begin with postgres:// or postgresql://";
}

static const char *check_time_zone(const void *member)
{
    return ts_zone_is_known(*(const ts_str *)member)
               ? NULL
               : "must be a name of the system's time zone database, as America/Sao_Paulo";
}

const struct ts_config_field api_config_fields[] = {
    {.name = "GATEWAY_SECRET_TOKEN",
     .type = TS_CONFIG_SECRET,
     .offset = FIELD(gateway_token),
     .required = true,
     .min = 32,
     .max = 256,
     .previous_offset = FIELD(gateway_token_previous),
     .help = "What POST /ingest asks for in X-Gateway-Token"},
    {.name = "TP_CAPITAL_DATABASE_URL",
     .aliases = "DATABASE_URL",
     .type = TS_CONFIG_SECRET,
     .offset = FIELD(database_url),
     .check = check_url,
     .help = "PostgreSQL or TimescaleDB; without it and without TIMESCALEDB_HOST: SQLite in DATA_DIR"},
    {.name = "MIGRATION_DATABASE_URL",
     .type = TS_CONFIG_SECRET,
     .offset = FIELD(migration_url),
     .check = check_url,
     .help = "The same database for the verb `migrate`, with a role that may change the schema"},
    {.name = "TIMESCALEDB_HOST",
     .type = TS_CONFIG_STR,
     .offset = FIELD(timescale_host),
     .help = "Host of the database, instead of a URL"},
    {.name = "TIMESCALEDB_PORT",
     .type = TS_CONFIG_INT,
     .offset = FIELD(timescale_port),
     .fallback = "5432",
     .min = 1,
     .max = 65535,
     .help = "Its port"},
    {.name = "TIMESCALEDB_DATABASE",
     .type = TS_CONFIG_STR,
     .offset = FIELD(timescale_database),
     .fallback = "APPS-TPCAPITAL",
     .help = "Its database"},
    {.name = "TIMESCALEDB_SCHEMA",
     .type = TS_CONFIG_STR,
     .offset = FIELD(timescale_schema),
     .fallback = "tp_capital",
     .check = check_schema,
     .help = "Schema of our tables, also with a URL"},
    {.name = "TIMESCALEDB_USER",
     .type = TS_CONFIG_STR,
     .offset = FIELD(timescale_user),
     .fallback = "timescale",
     .help = "Its role"},
    {.name = "TIMESCALEDB_PASSWORD",
     .type = TS_CONFIG_SECRET,
     .offset = FIELD(timescale_password),
     .help = "Its password; required with TIMESCALEDB_HOST"},
    {.name = "DB_POOL_MAX",
     .type = TS_CONFIG_INT,
     .offset = FIELD(pool_max),
     .fallback = "10",
     .min = 1,
     .max = 100,
     .help =
         "Connections to the database: a writer, a listener and the rest for readers, of which 1 to 3 are "
         "made; so never fewer than 3 nor more than 5"},
    {.name = "DB_POOL_IDLE_TIMEOUT",
     .type = TS_CONFIG_INT,
     .offset = FIELD(pool_idle_timeout_ms),
     .fallback = "30000",
     .min = 0,
     .max = 86400000,
     .help = "No effect: the few connections are kept open"},
    {.name = "DB_POOL_CONNECTION_TIMEOUT",
     .type = TS_CONFIG_INT,
     .offset = FIELD(connect_timeout_ms),
     .fallback = "2000",
     .min = 100,
     .max = 60000,
     .help = "Time to connect, ms"},
    {.name = "DB_STARTUP_RETRIES",
     .type = TS_CONFIG_INT,
     .offset = FIELD(startup_retries),
     .fallback = "5",
     .min = 1,
     .max = 1000,
     .help = "Attempts to reach the database at start, then exit 1"},
    {.name = "DB_STARTUP_DELAY_MS",
     .aliases = "DB_STARTUP_RETRIES_DELAY_MS",
     .type = TS_CONFIG_INT,
     .offset = FIELD(startup_delay_ms),
     .fallback = "2000",
     .min = 1,
     .max = 60000,
     .help = "Time between them, ms"},
    {.name = "SIGNALS_RETENTION_DAYS",
     .type = TS_CONFIG_INT,
     .offset = FIELD(retention_days),
     .fallback = "0",
     .min = 0,
     .max = 36500,
     .help = "Messages and signals older than this are deleted, and not taken when they come; 0 = keep all"},
    {.name = "SIGNALS_COMPRESSION_DAYS",
     .type = TS_CONFIG_INT,
     .offset = FIELD(compression_days),
     .fallback = "0",
     .min = 0,
     .max = 36500,
     .help = "TimescaleDB's Community edition: signals older than this are compressed; 0 = none"},
    {.name = "TZ",
     .type = TS_CONFIG_STR,
     .offset = FIELD(time_zone),
     .fallback = "America/Sao_Paulo",
     .check = check_time_zone,
     .help = "Whose days GET /signals/statistics counts and whose clock a spreadsheet shows; all other times "
             "are UTC"},
    {.name = "CORS_ORIGIN",
     .type = TS_CONFIG_STR_LIST,
     .offset = COMMON(cors_origins),
     .fallback = "http://localhost:3103,http://localhost:3004",
     .help = "Origins of pages that may call us, compared exactly; * only with NODE_ENV=development or test"},
    {.name = "DISABLE_CORS",
     .type = TS_CONFIG_BOOL,
     .offset = COMMON(cors_disabled),
     .fallback = "false",
     .help = "No CORS headers at all"},
    {.name = "RATE_LIMIT_WINDOW_MS",
     .type = TS_CONFIG_INT,
     .offset = COMMON(rate_limit_window_ms),
     .fallback = "60000",
     .min = 100,
     .max = 86400000,
     .help = "Window of the rate limit, ms"},
    {.name = "RATE_LIMIT_MAX",
     .aliases = "RATE_LIMIT_MAX_REQUESTS",
     .type = TS_CONFIG_INT,
     .offset = COMMON(rate_limit_max),
     .fallback = "120",
     .min = 0,
     .max = 1000000000,
     .help = "Requests of one address in it; 0 = no limit. Health, metrics and ingest with a valid token "
             "don't count"},
    TS_SERVICE_CONFIG_FIELDS(struct api_config, common, "TP_CAPITAL_PORT", "PORT", "4005"),
};
const size_t api_config_n_fields = TS_ARRAY_LEN(api_config_fields);

static int check_password(const struct api_config *config, struct ts_buf *errors)
{
    if (config->timescale_host.len == 0 || ts_secret_is_set(&config->database_url) ||
        ts_secret_is_set(&config->timescale_password))
        return 0;
    ts_buf_cstr(errors, "FATAL: TIMESCALEDB_PASSWORD is required\n");
    return 1;
}

/* `*` opens the API to every page: not in production, which is also what an unset NODE_ENV means. */
static int check_cors(const struct api_config *config, struct ts_buf *errors)
{
    int env = config->common.node_env;
    if (env == TS_ENV_DEVELOPMENT || env == TS_ENV_TEST)
        return 0;
    for (size_t i = 0; i < config->common.cors_origins.n; i++)
        if (ts_str_eq(config->common.cors_origins.items[i], TS_STR("*"))) {
            ts_buf_cstr(errors,
                        "FATAL: CORS_ORIGIN is invalid: name the origins, * is refused in production\n");
            return 1;
        }
    return 0;
}

int api_config_check(const void *config, struct ts_buf *errors)
{
    return check_password(config, errors) + check_cors(config, errors);
}

/* 'value' as libpq's key=value form quotes it. */
static void put_quoted(struct ts_buf *buf, const char *key, ts_str value)
{
    ts_buf_cstr(buf, key);
    ts_buf_cstr(buf, "='");
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'' || value.ptr[i] == '\\')
            ts_buf_char(buf, '\\');
        ts_buf_char(buf, value.ptr[i]);
    }
    ts_buf_cstr(buf, "' ");
}

static int timescale_url(const struct api_config *config, struct ts_arena *arena, ts_str *ret)
{
    _cleanup_(ts_buf_done) struct ts_buf buf = TS_BUF_INIT(16 * 1024);
    put_quoted(&buf, "host", config->timescale_host);
    put_quoted(&buf, "dbname", config->timescale_database);
    put_quoted(&buf, "user", config->timescale_user);
    put_quoted(&buf, "password", ts_str_from(config->timescale_password.value));
    ts_buf_printf(&buf, "port=%lld", (long long)config->timescale_port);
    return ts_buf_error(&buf) ? -ENOMEM : ts_arena_dup(arena, ts_buf_view(&buf), ret);
}

int api_config_database(const struct api_config *config, struct ts_arena *arena, struct ts_db_options *ret)
{
    struct ts_db_options options = {.connect_timeout_us = config->connect_timeout_ms * 1000};
    ts_str text;

    if (!ts_secret_is_set(&config->database_url) && config->timescale_host.len == 0) {
        int r = ts_arena_printf(arena, &text, "%.*s/tp-capital.db", TS_STR_ARG(config->common.data_dir));
        if (r < 0)
            return r;
        options.driver = &ts_db_sqlite;
        options.path = text.ptr;
        *ret = options;
        return 0;
    }
    options.driver = &ts_db_postgres;
    options.schema = config->timescale_schema.ptr;
    options.application_name = "tp-capital-api";
    options.url = config->database_url.value;
    if (!options.url) {
        int r = timescale_url(config, arena, &text);
        if (r < 0)
            return r;
        options.url = text.ptr;
    }
    *ret = options;
    return 0;
}
