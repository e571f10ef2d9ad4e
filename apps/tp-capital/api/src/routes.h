/* The route table. Everything a client can ask for stands here; openapi.yaml says what it gets. */
#ifndef TP_CAPITAL_ROUTES_H
#define TP_CAPITAL_ROUTES_H

#include "http/server.h"

extern const struct ts_http_route api_routes[];
extern const size_t api_n_routes;

/* ingest.c */
void ingest_check_headers(struct ts_http_request *req, void *ctx);
void ingest_post(struct ts_http_request *req, void *ctx);

/* signals.c */
void signals_list(struct ts_http_request *req, void *ctx);
void signals_get(struct ts_http_request *req, void *ctx);

/* signals_delete.c */
void signals_delete(struct ts_http_request *req, void *ctx);

/* stream.c */
void stream_get(struct ts_http_request *req, void *ctx);

/* parse_route.c */
void parse_post(struct ts_http_request *req, void *ctx);

/* channels.c */
void channels_list(struct ts_http_request *req, void *ctx);
void channels_create(struct ts_http_request *req, void *ctx);
void channels_update(struct ts_http_request *req, void *ctx);
void channels_delete(struct ts_http_request *req, void *ctx);
void channels_list_legacy(struct ts_http_request *req, void *ctx);
void channels_create_legacy(struct ts_http_request *req, void *ctx);
void channels_update_legacy(struct ts_http_request *req, void *ctx);
void channels_delete_legacy(struct ts_http_request *req, void *ctx);
void channels_configured(struct ts_http_request *req, void *ctx);

/* bots.c */
void bots_list(struct ts_http_request *req, void *ctx);
void bots_create(struct ts_http_request *req, void *ctx);
void bots_update(struct ts_http_request *req, void *ctx);
void bots_delete(struct ts_http_request *req, void *ctx);
void bots_summary(struct ts_http_request *req, void *ctx);

/* forwarded.c */
void forwarded_list(struct ts_http_request *req, void *ctx);

/* reading.c */
void reading_root(struct ts_http_request *req, void *ctx);
void reading_channels(struct ts_http_request *req, void *ctx);
void reading_logs(struct ts_http_request *req, void *ctx);

/* health.c */
void health_get(struct ts_http_request *req, void *ctx);

#endif
