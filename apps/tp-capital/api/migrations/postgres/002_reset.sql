-- The last number that stands for many changes at once (an import, a reparse, retention): whoever knows less reads the lists again.
ALTER TABLE change_seq ADD COLUMN reset_seq BIGINT NOT NULL DEFAULT 0;
