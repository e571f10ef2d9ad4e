-- Retention takes what is oldest first (tp-capital section 5).
CREATE INDEX ingested_messages_by_time ON ingested_messages (ts);
CREATE INDEX tp_capital_signals_deleted_by_time ON tp_capital_signals_deleted (ts);
