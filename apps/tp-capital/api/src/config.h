/* Configuration: the variables of tp-capital 6.1 and DESIGN section 4, in one table. Read-only after start. */
#ifndef TP_CAPITAL_CONFIG_H
#define TP_CAPITAL_CONFIG_H

#include "db/db.h"
#include "service/service.h"

struct api_config {
    struct ts_service_config common;
    struct ts_secret gateway_token, gateway_token_previous;
    struct ts_secret database_url, migration_url; /* secrets: a URL may hold a password */
    ts_str timescale_host, timescale_database, timescale_schema, timescale_user;
    int64_t timescale_port;
    struct ts_secret timescale_password;
    int64_t pool_max, pool_idle_timeout_ms, connect_timeout_ms;
    int64_t retention_days, compression_days;
    ts_str time_zone;
    int64_t startup_retries, startup_delay_ms;
};

extern const struct ts_config_field api_config_fields[];
extern const size_t api_config_n_fields;

/* Rules over several variables (ts_service_def.check_config). */
int api_config_check(const void *config, struct ts_buf *errors);

/*
 * Where the data lies: TP_CAPITAL_DATABASE_URL (or DATABASE_URL), else TIMESCALEDB_HOST, else SQLite in DATA_DIR. Texts in *ret live in
 * `arena`. 0 or -ENOMEM.
 */
TS_MUST_CHECK int api_config_database(const struct api_config *config, struct ts_arena *arena,
                                      struct ts_db_options *ret);

#endif
