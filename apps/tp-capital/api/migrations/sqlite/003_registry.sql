-- Deleted signals are kept, one by ingestion time is found by an index, and a bot's name is registered once.

-- What DELETE /signals took out, as it was.
CREATE TABLE tp_capital_signals_deleted (
    id           INTEGER PRIMARY KEY,
    seq          INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    ts           INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    channel_id   INTEGER,
    message_id   INTEGER,
    asset        TEXT,
    signal_type  TEXT    NOT NULL,
    trade_type   TEXT,
    price        INTEGER,
    buy_min      INTEGER,
    buy_max      INTEGER,
    target_1     INTEGER,
    target_2     INTEGER,
    target_final INTEGER,
    take_profit  TEXT,
    stop         INTEGER,
    complete     INTEGER NOT NULL,
    raw_message  TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    ingested_at  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    deleted_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX tp_capital_signals_by_ingestion ON tp_capital_signals (ingested_at);

-- Telegram's user names have no case.
CREATE UNIQUE INDEX telegram_bots_once ON telegram_bots (lower(username)) WHERE status <> 'deleted';
