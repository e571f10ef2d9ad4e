/*
 * Everything that can grow is born with its maximum; here the maxima stand together. Bytes unless the name
 * says otherwise.
 */
#ifndef TS_BASE_LIMITS_H
#define TS_BASE_LIMITS_H

/* HTTP, inwards (tp-capital 3.2, 4). */
#define TS_MAX_HEADER_BYTES         (16 * 1024)
#define TS_MAX_HEADERS              100
#define TS_MAX_BODY_BYTES           (1024 * 1024)
#define TS_MAX_DRAIN_BYTES          (64 * 1024) /* of an unauthenticated body, then the connection is closed */
#define TS_MAX_RESPONSE_BYTES       (8 * 1024 * 1024)
#define TS_MAX_PIPELINED            16
#define TS_MAX_STREAM_BACKLOG_BYTES (256 * 1024) /* unsent to one slow stream client, then it is cut */
#define TS_MAX_STREAMS              256
#define TS_MAX_REQUEST_ARENA_BYTES  (12 * 1024 * 1024)
#define TS_MAX_CONNECTIONS_DEFAULT  1024
#define TS_MAX_CONNECTIONS_ADDRESS  64 /* not loopback, not trusted proxies */

/* JSON, inwards. */
#define TS_MAX_JSON_DEPTH 16

/* HTTP, outwards. */
#define TS_MAX_REPLY_BYTES (8 * 1024 * 1024)

/* Writer: operations waiting for the write connection; a full queue is 503 with Retry-After. */
#define TS_MAX_WRITER_QUEUE 8192
#define TS_MAX_WRITER_BATCH 512
#define TS_MAX_READER_QUEUE 1024

/* Log. */
#define TS_MAX_LOG_LINE          8192
#define TS_MAX_LOG_HISTORY       10000 /* lines */
#define TS_MAX_LOG_HISTORY_BYTES (4 * 1024 * 1024)

/* Configuration: one value, also from a file. */
#define TS_MAX_CONFIG_VALUE_BYTES (64 * 1024)
#define TS_MAX_SECRET_BYTES       4096

/* Metrics: distinct label sets of one metric; the registry. */
#define TS_MAX_SERIES        1024
#define TS_MAX_LABEL_BYTES   128
#define TS_MAX_METRICS_BYTES (32 * 1024 * 1024)

#endif
