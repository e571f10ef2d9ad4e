-- TimescaleDB where there is one, and what retention needs (tp-capital section 5). On plain PostgreSQL the same functions find nothing to do.

-- Retention takes what is oldest first.
CREATE INDEX ingested_messages_by_time ON ingested_messages (ts);
CREATE INDEX tp_capital_signals_deleted_by_time ON tp_capital_signals_deleted (ts);

-- The schema of the extension, which is made here if it is available and the role may; NULL = plain PostgreSQL.
CREATE FUNCTION timescaledb_schema() RETURNS TEXT LANGUAGE plpgsql AS $$
BEGIN
    -- Only where the library is preloaded, which its own setting shows: elsewhere CREATE EXTENSION ends the connection.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb')
       AND current_setting('timescaledb.disable_load', true) IS NOT NULL THEN
        BEGIN
            CREATE EXTENSION timescaledb SCHEMA public;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'no TimescaleDB: %', SQLERRM;
        END;
    END IF;
    RETURN (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'timescaledb');
END $$;

CREATE FUNCTION is_hypertable(name TEXT) RETURNS BOOLEAN LANGUAGE plpgsql STABLE AS $$
DECLARE
    found BOOLEAN := false;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT EXISTS (SELECT FROM timescaledb_information.hypertables'
                ' WHERE hypertable_schema = current_schema() AND hypertable_name = $1)' INTO found USING name;
    END IF;
    RETURN found;
END $$;

-- Makes the large tables hypertables, with the rows they have. Called by this script and by the verb `migrate`, so that a TimescaleDB that
-- is installed later is used, too. True when they are hypertables.
CREATE FUNCTION use_hypertables() RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    theirs TEXT := timescaledb_schema();
    name   TEXT;
BEGIN
    IF theirs IS NULL THEN
        RETURN false;
    END IF;
    FOREACH name IN ARRAY ARRAY['tp_capital_signals', 'forwarded_messages'] LOOP
        IF NOT is_hypertable(name) THEN
            EXECUTE format('SELECT %I.create_hypertable(%L::regclass, %L::name, chunk_time_interval => interval %L,'
                           ' create_default_indexes => false, migrate_data => true)',
                           theirs, format('%I.%I', current_schema(), name), 'ts', '7 days');
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Has TimescaleDB compress the chunks that are older than `days` (0 = none any more), unless it does already. NULL when that is so; otherwise
-- why not: only the Community edition offers it, and only the owner of the table may ask for it.
CREATE FUNCTION compress_after(days INTEGER) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    theirs TEXT;
    name   TEXT := format('%I.%I', current_schema(), 'tp_capital_signals');
    since  INTERVAL;
BEGIN
    IF NOT is_hypertable('tp_capital_signals') THEN
        RETURN CASE WHEN days > 0 THEN 'the tables are no hypertables' END;
    END IF;
    PERFORM pg_advisory_xact_lock(1886544755, hashtext(current_schema())); -- replicas start together
    EXECUTE 'SELECT (config ->> $1)::interval FROM timescaledb_information.jobs WHERE proc_name = $2'
            ' AND hypertable_schema = current_schema() AND hypertable_name = $3'
       INTO since USING 'compress_after', 'policy_compression', 'tp_capital_signals';
    IF coalesce(since, interval '0') = make_interval(days => days) THEN
        RETURN NULL;
    END IF;
    theirs := timescaledb_schema();
    IF since IS NOT NULL THEN
        EXECUTE format('SELECT %I.remove_compression_policy(%L::regclass)', theirs, name);
    END IF;
    IF days > 0 THEN
        EXECUTE format('ALTER TABLE %s SET (timescaledb.compress, timescaledb.compress_segmentby = %L,'
                       ' timescaledb.compress_orderby = %L)', name, 'channel_id', 'ts DESC, id DESC');
        EXECUTE format('SELECT %I.add_compression_policy(%L::regclass, make_interval(days => %s))', theirs, name, days);
    END IF;
    RETURN NULL;
EXCEPTION WHEN feature_not_supported OR insufficient_privilege THEN
    RETURN SQLERRM;
END $$;

-- The chunks of a table of this schema, oldest first; none when it is a plain table.
CREATE FUNCTION chunks_of(name TEXT) RETURNS TABLE (chunk REGCLASS, first_ts TIMESTAMPTZ, end_ts TIMESTAMPTZ) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb') THEN
        RETURN QUERY EXECUTE
            'SELECT format(''%I.%I'', chunk_schema, chunk_name)::regclass, range_start, range_end FROM timescaledb_information.chunks'
            ' WHERE hypertable_schema = current_schema() AND hypertable_name = $1 ORDER BY range_start' USING name;
    END IF;
END $$;

-- The end of the oldest chunk, if all of it is older than `before`, this role may drop it, and nobody uses it now: then it is locked until the
-- end of the transaction. NULL otherwise, and always on plain tables.
CREATE FUNCTION lock_expired_chunk(name TEXT, before TIMESTAMPTZ) RETURNS TIMESTAMPTZ LANGUAGE plpgsql AS $$
DECLARE
    oldest RECORD;
BEGIN
    SELECT c.chunk, c.end_ts INTO oldest FROM chunks_of(name) c LIMIT 1;
    IF oldest.chunk IS NULL OR oldest.end_ts > before
       OR NOT (SELECT pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = oldest.chunk) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', oldest.chunk);
    RETURN oldest.end_ts;
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END $$;

-- Drops the chunks that end at `before` or earlier, of which there is one.
CREATE FUNCTION drop_expired_chunks(name TEXT, before TIMESTAMPTZ) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    dropped BIGINT;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I.drop_chunks(%L::regclass, older_than => %L::timestamptz)', timescaledb_schema(),
                   format('%I.%I', current_schema(), name), before) INTO dropped;
    IF dropped = 0 THEN
        RAISE EXCEPTION 'no chunk of % was dropped', name;
    END IF;
    RETURN dropped;
END $$;

SELECT use_hypertables();
