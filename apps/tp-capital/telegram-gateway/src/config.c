#include "config.h"

#include <ctype.h>
#include <errno.h>

#include "base/number.h"

static const char *const transport_names[] = {"", "tdlib", "botapi", "replay", NULL};
static const char *const rebase_names[] = {"", "now", NULL};

/* --- checks of one variable ------------------------------------------------------------------------------------------------ */

static const char *check_bot_token(const void *member)
{
    const struct ts_secret *token = member;
    size_t digits = 0;
    while (digits < token->len && isdigit((unsigned char)token->value[digits]))
        digits++;
    if (digits == 0 || digits == token->len || token->value[digits] != ':')
        return "not of the form 123456:ABC…";
    for (size_t i = digits + 1; i < token->len; i++) {
        if (!isalnum((unsigned char)token->value[i]) && token->value[i] != '_' && token->value[i] != '-')
            return "not of the form 123456:ABC…";
    }
    return NULL;
}

static const char *check_hex(const void *member)
{
    const struct ts_secret *secret = member;
    for (size_t i = 0; i < secret->len; i++) {
        if (!isxdigit((unsigned char)secret->value[i]))
            return "not hexadecimal";
    }
    return NULL;
}

static const char *check_phone(const void *member)
{
    const struct ts_secret *phone = member;
    if (phone->len < 9 || phone->len > 16 || phone->value[0] != '+')
        return "not + and 8 to 15 digits";
    for (size_t i = 1; i < phone->len; i++) {
        if (!isdigit((unsigned char)phone->value[i]))
            return "not + and 8 to 15 digits";
    }
    return NULL;
}

static ts_str host_of(ts_str url)
{
    ptrdiff_t scheme = ts_str_find(url, TS_STR("://"));
    ts_str rest = {url.ptr + scheme + 3, url.len - (size_t)scheme - 3};
    size_t len = 0;
    if (rest.len > 0 && rest.ptr[0] == '[') {
        const char *end = memchr(rest.ptr, ']', rest.len);
        return (ts_str){rest.ptr, end ? (size_t)(end - rest.ptr) + 1 : rest.len};
    }
    while (len < rest.len && !strchr(":/?#", rest.ptr[len]))
        len++;
    return (ts_str){rest.ptr, len};
}

/* Messages and tokens leave this machine only through TLS. */
static const char *check_url_text(ts_str url)
{
    bool https = ts_str_starts_with(url, TS_STR("https://"));
    ts_str host;
    if (!https && !ts_str_starts_with(url, TS_STR("http://")))
        return "not an http or https URL";
    host = host_of(url);
    if (host.len == 0 || memchr(url.ptr, '@', url.len) || memchr(url.ptr, ' ', url.len))
        return "not an http or https URL with a host";
    if (https || ts_str_eq(host, TS_STR("localhost")) || ts_str_eq(host, TS_STR("[::1]")) ||
        ts_str_starts_with(host, TS_STR("127.")))
        return NULL;
    return "https is required for hosts other than this machine";
}

static const char *check_url(const void *member)
{
    return check_url_text(*(const ts_str *)member);
}

static const char *check_urls(const void *member)
{
    const struct ts_str_list *urls = member;
    const char *why = NULL;
    for (size_t i = 0; i < urls->n && !why; i++)
        why = check_url_text(urls->items[i]);
    return why;
}

static const char *check_speed(const void *member)
{
    int64_t speed_e6;
    if (ts_parse_e6(*(const ts_str *)member, &speed_e6) != 0 || speed_e6 < 0 || speed_e6 > 1000000 * TS_E6)
        return "not a number of messages a second, 0 to 1000000";
    return NULL;
}

/* --- the table ------------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct config, member)

const struct ts_config_field config_fields[] = {
    {"GATEWAY_TRANSPORT", .type = TS_CONFIG_ENUM, .offset = AT(transport), .choices = transport_names,
     .help = "Where messages come from; unset: botapi if a bot token is set, else none (the outbox is still "
             "published)"},
    {"API_SECRET_TOKEN", .type = TS_CONFIG_SECRET, .offset = AT(api_token), .required = true, .min = 32,
     .max = 256, .help = "The API's GATEWAY_SECRET_TOKEN"},
    {"API_ENDPOINTS", "API_ENDPOINT", TS_CONFIG_STR_LIST, AT(endpoints), "http://localhost:4005/ingest",
     .check = check_urls,
     .help = "Where messages go; several are an ordered failover; https beyond this machine"},
    {"API_TIMEOUT_MS", .type = TS_CONFIG_INT, .offset = AT(api_timeout_ms), .fallback = "10000", .min = 1,
     .max = 60000, .help = "Wait for the API's answer, ms"},
    {"MAX_RETRY_ATTEMPTS", "MAX_RETRIES", TS_CONFIG_INT, AT(max_retries), "3", .min = 0, .max = 10,
     .help = "Retries of one message before it gets a failure mark"},
    {"RETRY_DELAY_MS", "BASE_RETRY_DELAY_MS", TS_CONFIG_INT, AT(retry_delay_ms), "5000", .min = 1,
     .max = 600000, .help = "Wait before the first retry, doubled for each further one, ms"},
    {"REPLAY_INTERVAL_MS", .type = TS_CONFIG_INT, .offset = AT(replay_interval_ms), .fallback = "60000",
     .min = 0, .max = 86400000,
     .help = "How often failed messages are tried again, ms; 0 = only by `recover`"},
    {"OUTBOX_PATH", .type = TS_CONFIG_STR, .offset = AT(outbox_path),
     .help = "File of the outbox; default DATA_DIR/outbox.db"},
    {"FAILURE_QUEUE_MAX_BYTES", .type = TS_CONFIG_INT, .offset = AT(failure_queue_max_bytes),
     .fallback = "104857600", .min = 1024, .max = INT64_C(1) << 40,
     .help = "Payload not yet acknowledged at which reception stops, bytes"},
    {"FAILURE_QUEUE_PATH", .type = TS_CONFIG_STR, .offset = AT(failure_queue_path),
     .help = "JSONL queue of an older gateway, imported once; default DATA_DIR/failure-queue.jsonl"},
    {"TELEGRAM_SOURCE_CHANNEL_IDS", .type = TS_CONFIG_INT_LIST, .offset = AT(channels),
     .help = "Channels whose posts are taken (-100…)"},
    {"GATEWAY_ALLOW_ALL", .type = TS_CONFIG_BOOL, .offset = AT(allow_all), .fallback = "false",
     .help = "Take the posts of every channel when the list is empty"},
    {"TELEGRAM_INGESTION_BOT_TOKEN", "TELEGRAM_BOT_TOKEN", TS_CONFIG_SECRET, AT(bot_token), .min = 20,
     .max = 128, .check = check_bot_token,
     .help = "Bot that is administrator of the channels; required by botapi"},
    {"TELEGRAM_BOT_API_URL", .type = TS_CONFIG_STR, .offset = AT(bot_api_url),
     .fallback = "https://api.telegram.org", .check = check_url, .help = "Base URL of the Bot API"},
    {"TELEGRAM_API_ID", .type = TS_CONFIG_INT, .offset = AT(api_id), .min = 0, .max = INT32_MAX,
     .help = "From my.telegram.org; required by tdlib"},
    {"TELEGRAM_API_HASH", .type = TS_CONFIG_SECRET, .offset = AT(api_hash), .min = 32, .max = 32,
     .check = check_hex, .help = "From my.telegram.org, 32 hex digits; required by tdlib"},
    {"TELEGRAM_PHONE_NUMBER", .type = TS_CONFIG_SECRET, .offset = AT(phone_number), .min = 9, .max = 16,
     .check = check_phone, .help = "Of the user account, with +; for tdlib"},
    {"TELEGRAM_SESSION", .type = TS_CONFIG_SECRET, .offset = AT(session), .min = 1, .max = 4096,
     .help = "Session to import once; for tdlib"},
    {"SESSION_DIR", .type = TS_CONFIG_STR, .offset = AT(session_dir), .fallback = "./.session",
     .help = "Folder of the session; for tdlib"},
    {"SESSION_KEY", .type = TS_CONFIG_SECRET, .offset = AT(session_key), .min = 64, .max = 64,
     .check = check_hex, .help = "Key of the session's encryption, 64 hex digits; required by tdlib"},
    {"TELEGRAM_DESTINATION_CHANNEL_ID", .type = TS_CONFIG_INT, .offset = AT(destination_channel_id),
     .min = INT64_MIN, .max = INT64_MAX, .help = "Channel to forward to; empty = none; for tdlib"},
    {"RECONNECT_DELAY_MS", .type = TS_CONFIG_INT, .offset = AT(reconnect_delay_ms), .fallback = "5000",
     .min = 1, .max = 600000, .help = "Between attempts to connect, ms"},
    {"RECONNECT_ATTEMPTS", .type = TS_CONFIG_INT, .offset = AT(reconnect_attempts), .fallback = "10",
     .min = 0, .max = 1000, .help = "Attempts at that pace; afterwards one a minute for ever"},
    {"DEDUP_SIZE", .type = TS_CONFIG_INT, .offset = AT(dedup_size), .fallback = "1000", .min = 1,
     .max = 1000000, .help = "Message keys kept in memory to drop repetitions early"},
    {"SHUTDOWN_TIMEOUT_MS", .type = TS_CONFIG_INT, .offset = AT(shutdown_timeout_ms), .fallback = "30000",
     .min = 1000, .max = 600000, .help = "Bound on an orderly stop, ms"},
    {"REPLAY_FILE", .type = TS_CONFIG_STR, .offset = AT(replay_file),
     .help = "JSON lines with the fields of /ingest; - = standard input; required by replay"},
    {"REPLAY_SPEED", .type = TS_CONFIG_STR, .offset = AT(replay_speed), .fallback = "0", .check = check_speed,
     .help = "Messages a second, decimals allowed; 0 = as fast as the outbox takes them"},
    {"REPLAY_REBASE", .type = TS_CONFIG_ENUM, .offset = AT(replay_rebase), .choices = rebase_names,
     .help = "now = stamp the present time and new ids, begin again at the end of the file"},
    TS_SERVICE_CONFIG_FIELDS(struct config, service, "GATEWAY_PORT", "PORT", "4006"),
};

const size_t config_n_fields = TS_ARRAY_LEN(config_fields);

/* --- rules over several variables ------------------------------------------------------------------------------------------ */

enum transport_kind config_transport(const struct config *config)
{
    if (config->transport != TRANSPORT_UNSET)
        return (enum transport_kind)config->transport;
    if (config->api_id > 0)
        return TRANSPORT_TDLIB;
    return ts_secret_is_set(&config->bot_token) ? TRANSPORT_BOTAPI : TRANSPORT_UNSET;
}

bool config_allows_all(const struct config *config)
{
    return config->channels.n == 0 && (config->allow_all || config_transport(config) == TRANSPORT_REPLAY);
}

int64_t config_replay_speed_e6(const struct config *config)
{
    int64_t speed_e6 = 0;
    return ts_parse_e6(config->replay_speed, &speed_e6) == 0 ? speed_e6 : 0;
}

static int require(bool present, const char *name, struct ts_buf *errors)
{
    if (!present)
        ts_buf_printf(errors, "FATAL: %s is required\n", name);
    return !present;
}

static int require_channels(const struct config *config, struct ts_buf *errors)
{
    return require(config->channels.n > 0 || config->allow_all, "TELEGRAM_SOURCE_CHANNEL_IDS", errors);
}

static int check_replay(const struct config *config, struct ts_buf *errors)
{
    int n = require(config->replay_file.len > 0, "REPLAY_FILE", errors);
    if (config->service.node_env == TS_ENV_PRODUCTION) {
        ts_buf_cstr(errors,
                    "FATAL: GATEWAY_TRANSPORT is invalid: replay is refused when NODE_ENV=production\n");
        n++;
    }
    return n;
}

static int check_tdlib(const struct config *config, struct ts_buf *errors)
{
    int n = require(config->api_id > 0, "TELEGRAM_API_ID", errors) +
            require(ts_secret_is_set(&config->api_hash), "TELEGRAM_API_HASH", errors) +
            require(ts_secret_is_set(&config->session_key), "SESSION_KEY", errors) +
            require_channels(config, errors);
    ts_buf_cstr(errors, "FATAL: GATEWAY_TRANSPORT is invalid: this build has no tdlib transport\n");
    return n + 1;
}

int config_check(const void *filled, struct ts_buf *errors)
{
    const struct config *config = filled;
    switch (config_transport(config)) {
    case TRANSPORT_REPLAY:
        return check_replay(config, errors);
    case TRANSPORT_BOTAPI:
        return require(ts_secret_is_set(&config->bot_token), "TELEGRAM_INGESTION_BOT_TOKEN", errors) +
               require_channels(config, errors);
    case TRANSPORT_TDLIB:
        return check_tdlib(config, errors);
    case TRANSPORT_UNSET:
        break;
    }
    return 0;
}

/* --- paths ----------------------------------------------------------------------------------------------------------------- */

static const char *path_or(const struct config *config, ts_str path, const char *name, struct ts_arena *arena)
{
    ts_str joined;
    if (path.len > 0)
        return path.ptr;
    if (ts_arena_printf(arena, &joined, "%.*s/%s", TS_STR_ARG(config->service.data_dir), name) != 0)
        return NULL;
    return joined.ptr;
}

const char *config_outbox_path(const struct config *config, struct ts_arena *arena)
{
    return path_or(config, config->outbox_path, "outbox.db", arena);
}

const char *config_failure_queue_path(const struct config *config, struct ts_arena *arena)
{
    return path_or(config, config->failure_queue_path, "failure-queue.jsonl", arena);
}
