-- Messages, signals and the number of every change (tp-capital section 5). Times are microseconds UTC, prices fixed point 1e-6, lists of
-- prices the text '{32.1,33}'.

-- One row: the numbers of the last committed batch, and an id of this very database for ETags.
CREATE TABLE change_seq (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    store_id  TEXT    NOT NULL
) STRICT;
INSERT INTO change_seq (one, first_seq, last_seq, store_id) VALUES (1, 1, 0, lower(hex(randomblob(16))));

-- Every version of every message that was acknowledged: 0 is the original, else the edit's epoch milliseconds, 2^63-1 its deletion.
CREATE TABLE ingested_messages (
    channel_id  INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    ts          INTEGER NOT NULL,
    ingested_at INTEGER NOT NULL,
    signal_id   INTEGER,
    raw_message TEXT,
    edited_at   INTEGER,
    received_at INTEGER,
    media_type  TEXT,
    photos      TEXT,
    request_id  TEXT,
    traceparent TEXT,
    PRIMARY KEY (channel_id, message_id, revision)
) STRICT, WITHOUT ROWID;

-- One row a message, showing its last version. `id` is the number of the change that made the row, `seq` that of its last one.
CREATE TABLE tp_capital_signals (
    id           INTEGER PRIMARY KEY,
    seq          INTEGER NOT NULL,
    revision     INTEGER NOT NULL DEFAULT 0,
    ts           INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    channel_id   INTEGER,
    message_id   INTEGER,
    asset        TEXT,
    signal_type  TEXT    NOT NULL CHECK (signal_type IN ('BUY', 'SELL', 'UNKNOWN')),
    trade_type   TEXT,
    price        INTEGER CHECK (price > 0),
    buy_min      INTEGER CHECK (buy_min > 0),
    buy_max      INTEGER CHECK (buy_max > 0),
    target_1     INTEGER CHECK (target_1 > 0),
    target_2     INTEGER CHECK (target_2 > 0),
    target_final INTEGER CHECK (target_final > 0),
    take_profit  TEXT    CHECK (take_profit <> '{}'),
    stop         INTEGER CHECK (stop > 0),
    complete     INTEGER NOT NULL DEFAULT 0,
    raw_message  TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    deleted_at   INTEGER,
    ingested_at  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK (buy_min <= buy_max),
    CHECK (asset IS NOT NULL OR signal_type = 'UNKNOWN')
) STRICT;
-- Every index of SQLite ends with the id, so these serve ORDER BY ts DESC, id DESC by reading backwards.
CREATE INDEX tp_capital_signals_by_time ON tp_capital_signals (ts);
CREATE INDEX tp_capital_signals_by_asset ON tp_capital_signals (asset, ts) WHERE asset IS NOT NULL;
CREATE INDEX tp_capital_signals_by_channel ON tp_capital_signals (channel_id, ts);
CREATE INDEX tp_capital_signals_by_seq ON tp_capital_signals (seq);

-- What GET /channels answers, kept by the batches: counting the signals anew would read all of them.
CREATE TABLE channel_stats (
    channel_id   INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    signal_count INTEGER NOT NULL,
    last_signal  INTEGER,
    PRIMARY KEY (channel_id, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_channels (
    id           TEXT    PRIMARY KEY,
    label        TEXT    NOT NULL,
    channel_id   INTEGER NOT NULL,
    channel_type TEXT    NOT NULL DEFAULT 'source' CHECK (channel_type IN ('source', 'destination')),
    description  TEXT,
    status       TEXT    NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'deleted')),
    signal_count INTEGER NOT NULL DEFAULT 0,
    last_signal  INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX telegram_channels_once ON telegram_channels (channel_id, channel_type) WHERE status <> 'deleted';
CREATE INDEX telegram_channels_by_update ON telegram_channels (status, updated_at);
CREATE INDEX telegram_channels_by_type ON telegram_channels (channel_type, status);

CREATE TABLE telegram_bots (
    id                TEXT    PRIMARY KEY,
    username          TEXT    NOT NULL,
    token_fingerprint TEXT    NOT NULL,
    bot_type          TEXT    NOT NULL DEFAULT 'Sender',
    description       TEXT,
    status            TEXT    NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'deleted')),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE forwarded_messages (
    id                     INTEGER PRIMARY KEY,
    ts                     INTEGER NOT NULL,
    source_channel_id      INTEGER NOT NULL,
    source_channel_name    TEXT,
    message_id             INTEGER NOT NULL,
    message_text           TEXT,
    image_url              TEXT,
    image_width            INTEGER,
    image_height           INTEGER,
    forwarded_at           INTEGER NOT NULL,
    destination_channel_id INTEGER NOT NULL,
    forward_method         TEXT    NOT NULL CHECK (forward_method IN ('forward', 'copy'))
) STRICT;
CREATE INDEX forwarded_messages_by_time ON forwarded_messages (ts);
