-- Deleted signals are kept, one by ingestion time is found by an index, and a bot's name is registered once.

-- What DELETE /signals took out, as it was.
CREATE TABLE tp_capital_signals_deleted (
    id           BIGINT      PRIMARY KEY,
    seq          BIGINT      NOT NULL,
    revision     BIGINT      NOT NULL,
    ts           TIMESTAMPTZ NOT NULL,
    channel      TEXT        NOT NULL,
    channel_id   BIGINT,
    message_id   BIGINT,
    asset        TEXT,
    signal_type  TEXT        NOT NULL,
    trade_type   TEXT,
    price        NUMERIC(18, 6),
    buy_min      NUMERIC(18, 6),
    buy_max      NUMERIC(18, 6),
    target_1     NUMERIC(18, 6),
    target_2     NUMERIC(18, 6),
    target_final NUMERIC(18, 6),
    take_profit  NUMERIC(18, 6)[],
    stop         NUMERIC(18, 6),
    complete     BOOLEAN     NOT NULL,
    raw_message  TEXT        NOT NULL,
    source       TEXT        NOT NULL,
    ingested_at  TIMESTAMPTZ NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    deleted_at   TIMESTAMPTZ NOT NULL
);

CREATE INDEX tp_capital_signals_by_ingestion ON tp_capital_signals (ingested_at);

-- Telegram's user names have no case.
CREATE UNIQUE INDEX telegram_bots_once ON telegram_bots (lower(username)) WHERE status <> 'deleted';

-- updated_at is when a person changed the channel; that a batch counts its signals is none of that.
DROP TRIGGER telegram_channels_touch ON telegram_channels;
CREATE TRIGGER telegram_channels_touch BEFORE UPDATE OF label, channel_id, channel_type, description, status ON telegram_channels
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
