-- One row for each version of a message. `id` is the order of reception, which is the order of publishing within a channel.
-- state: 0 pending, 1 failed (reason says why), 2 acknowledged by the API. The payload of an acknowledged row is emptied, unless the row is
-- part of an album, whose later parts need the earlier ones.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    album TEXT,
    payload TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    content INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    queued_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    failed_at INTEGER,
    reason TEXT,
    detail TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    api_version TEXT,
    UNIQUE (channel_id, message_id, revision)
);

CREATE INDEX outbox_pending ON outbox (channel_id, id) WHERE state = 0;
CREATE INDEX outbox_failed ON outbox (failed_at, id) WHERE state = 1;
CREATE INDEX outbox_acknowledged ON outbox (acknowledged_at) WHERE state = 2;
CREATE INDEX outbox_album ON outbox (channel_id, album) WHERE album IS NOT NULL;

-- The highest message id ever made durable in a channel; outlives the rows.
CREATE TABLE last_seen (
    channel_id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL
);
