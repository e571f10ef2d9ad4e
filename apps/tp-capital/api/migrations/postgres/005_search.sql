-- The search of texts, and the filters that select little.

-- Every text as it is searched (spelled, see search.h), written behind ingest in the order of (seq, id) up to search_progress. A plain table of its own,
-- so that a message costs no trigrams on its way to disk.
CREATE TABLE signal_search (
    id      BIGINT      PRIMARY KEY,
    ts      TIMESTAMPTZ NOT NULL,
    spelled TEXT        NOT NULL
);
CREATE INDEX signal_search_by_time ON signal_search (ts DESC, id DESC);
CREATE TABLE search_progress (
    one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
    seq BIGINT  NOT NULL,
    id  BIGINT  NOT NULL
);
INSERT INTO search_progress (seq, id) VALUES (0, 0);

-- Many rows may share one number (an import), so the order has the id in it.
DROP INDEX tp_capital_signals_by_seq;
CREATE INDEX tp_capital_signals_by_seq ON tp_capital_signals (seq, id);

-- Few rows are in these: the trade types that are not usual, and the signals that are not as complete as their direction says.
CREATE INDEX tp_capital_signals_by_trade ON tp_capital_signals (trade_type, ts DESC, id DESC) WHERE trade_type <> 'Swing Trade' AND trade_type <> 'Day Trade';
CREATE INDEX tp_capital_signals_odd ON tp_capital_signals (ts DESC, id DESC) WHERE complete = (signal_type = 'UNKNOWN');

-- The trigram index. pg_trgm may be missing, or this role may not create it; then search walks, and the next start tries again.
CREATE FUNCTION make_search_index() RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    place TEXT;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE EXTENSION pg_trgm SCHEMA public;
    END IF;
    SELECT n.nspname INTO place FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_trgm';
    -- What waits to be merged into the index is read by every search: a short list.
    EXECUTE format('CREATE INDEX IF NOT EXISTS signal_search_trigrams ON signal_search USING gin (spelled %I.gin_trgm_ops)'
                   ' WITH (gin_pending_list_limit = 1024)', place);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'no trigram index: %', SQLERRM;
    RETURN false;
END $$;
SELECT make_search_index();

-- The rows of a time range whose text is LIKE `pattern`, by the trigram index and nothing else: readers run without bitmap scans, this must have one.
-- Not more than `max`; whoever gets so many knows that the word is frequent.
CREATE FUNCTION search_candidates(pattern TEXT, from_ts TIMESTAMPTZ, to_ts TIMESTAMPTZ, before_ts TIMESTAMPTZ, before_id BIGINT, max BIGINT)
RETURNS TABLE (id BIGINT, ts TIMESTAMPTZ) LANGUAGE sql STABLE ROWS 1000
SET enable_bitmapscan = on SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
    SELECT f.id, f.ts FROM signal_search f
    WHERE f.spelled LIKE pattern -- the others in a form that no index serves
      AND (f.ts >= from_ts) IS TRUE AND (f.ts <= to_ts) IS TRUE AND ((f.ts, f.id) < (before_ts, before_id)) IS TRUE LIMIT max
$$;
