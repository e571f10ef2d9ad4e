-- The search of texts, and the filters that select little.

-- Every text as it is searched (spelled, see search.h), written behind ingest in the order of (seq, id) up to search_progress, and its trigrams.
CREATE TABLE signal_search (
    id      INTEGER PRIMARY KEY,
    ts      INTEGER NOT NULL,
    spelled TEXT    NOT NULL
) STRICT;
CREATE TABLE search_progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    id  INTEGER NOT NULL
) STRICT;
INSERT INTO search_progress (one, seq, id) VALUES (1, 0, 0);

-- Without the places of the trigrams, which would double it: a candidate's text is looked at anyway.
CREATE VIRTUAL TABLE signal_trigrams USING fts5(spelled, content = 'signal_search', content_rowid = 'id',
                                                tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0);
CREATE TRIGGER signal_search_added AFTER INSERT ON signal_search BEGIN
    INSERT INTO signal_trigrams (rowid, spelled) VALUES (new.id, new.spelled);
END;
CREATE TRIGGER signal_search_removed AFTER DELETE ON signal_search BEGIN
    INSERT INTO signal_trigrams (signal_trigrams, rowid, spelled) VALUES ('delete', old.id, old.spelled);
END;
CREATE TRIGGER signal_search_changed AFTER UPDATE ON signal_search BEGIN
    INSERT INTO signal_trigrams (signal_trigrams, rowid, spelled) VALUES ('delete', old.id, old.spelled);
    INSERT INTO signal_trigrams (rowid, spelled) VALUES (new.id, new.spelled);
END;

-- Few rows are in these: the trade types that are not usual, and the signals that are not as complete as their direction says.
CREATE INDEX tp_capital_signals_by_trade ON tp_capital_signals (trade_type, ts) WHERE trade_type <> 'Swing Trade' AND trade_type <> 'Day Trade';
CREATE INDEX tp_capital_signals_odd ON tp_capital_signals (ts) WHERE complete = (signal_type = 'UNKNOWN');
