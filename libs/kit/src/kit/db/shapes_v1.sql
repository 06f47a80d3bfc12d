-- The tables that the kit needs in every service's database, first version. Never edited: changes are new versions.
-- Runs as the owner role `<service>_owner`; the application role is `<service>_app`.

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Region scope as a second net under the application's own check: the transaction says which prefixes it may see.
CREATE FUNCTION santun_region_allowed(code text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT 1 FROM unnest(string_to_array(coalesce(current_setting('santun.regions', true), ''), ',')) AS p(prefix)
        WHERE p.prefix <> '' AND (code = p.prefix OR starts_with(code, p.prefix || '.')))
$$;

-- Outgoing events: append-only, read by snapshot difference, dropped by day.
CREATE TABLE outbox (
    pos bigint GENERATED ALWAYS AS IDENTITY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id uuid NOT NULL DEFAULT uuidv7(),
    topic text NOT NULL,
    key uuid NOT NULL,
    type text NOT NULL,
    sequence bigint NOT NULL,
    headers jsonb NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (created_at);
CREATE INDEX outbox_xid_pos ON outbox (xid, pos);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;

CREATE TABLE relay_cursor (
    name text PRIMARY KEY,
    snapshot text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Events already taken in; UUIDv7 carries the time, so partitions are ranges of ids.
CREATE TABLE inbox (
    event_id uuid NOT NULL PRIMARY KEY,
    topic text NOT NULL,
    key uuid NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (event_id);
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;

CREATE TABLE stream_position (
    topic text NOT NULL,
    key uuid NOT NULL,
    last_sequence bigint NOT NULL,
    gaps int NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, key)
);

-- Messages that could not be handled, and those of the same key that wait behind them.
CREATE TABLE parked (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    topic text NOT NULL,
    partition int NOT NULL,
    "offset" bigint NOT NULL,
    key text NOT NULL,
    event_id text,
    type text,
    headers_enc bytea NOT NULL,
    payload_enc bytea NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    attempts int NOT NULL,
    state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'redriven', 'discarded')),
    parked_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by text,
    resolution text,
    UNIQUE (topic, partition, "offset")
);
CREATE INDEX parked_live ON parked (topic, key, "offset") WHERE state = 'parked';

CREATE TABLE idempotency (
    principal text NOT NULL,
    key text NOT NULL,
    route text NOT NULL,
    fingerprint bytea NOT NULL,
    status int,
    body bytea,
    headers jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

-- Who did what and why: appended in the transaction, chained afterwards by the sealer.
CREATE TABLE audit (
    pos bigint GENERATED ALWAYS AS IDENTITY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    business_at timestamptz NOT NULL,
    actor text NOT NULL,
    client text NOT NULL,
    command text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
    aggregate text NOT NULL,
    aggregate_id uuid,
    version int,
    before jsonb,
    after jsonb,
    reasons text[] NOT NULL DEFAULT '{}',
    trace_id text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);
CREATE INDEX audit_xid_pos ON audit (xid, pos);
CREATE INDEX audit_aggregate ON audit (aggregate_id, pos);
CREATE TABLE audit_default PARTITION OF audit DEFAULT;

CREATE TABLE audit_seal (
    block bigint PRIMARY KEY,
    positions bigint[] NOT NULL,
    previous bytea NOT NULL,
    head bytea NOT NULL UNIQUE,
    snapshot text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE audit_chain (
    id uuid PRIMARY KEY,
    seq bigint NOT NULL DEFAULT 0
);

-- Who read personal data of whom, and for what.
CREATE TABLE read_log (
    id uuid NOT NULL DEFAULT uuidv7(),
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    client text NOT NULL,
    purpose text NOT NULL,
    route text NOT NULL,
    fields text[] NOT NULL,
    subjects uuid[] NOT NULL,
    trace_id text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);
CREATE INDEX read_log_subjects ON read_log USING gin (subjects);
CREATE TABLE read_log_default PARTITION OF read_log DEFAULT;

-- Partitions are made ahead by the processes themselves; the function owns the right, they do not.
CREATE FUNCTION santun_uuid_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-0000-0000-000000000000')::uuid
    FROM (SELECT lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS h) AS ms
$$;

CREATE FUNCTION santun_make_partitions(days int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made int := 0;
    d date;
    m date;
    t text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('santun.partitions', 0));
    FOR d IN SELECT generate_series(current_date - 1, current_date + days, interval '1 day')::date LOOP
        IF to_regclass('outbox_' || to_char(d, 'YYYYMMDD')) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF outbox FOR VALUES FROM (%L) TO (%L)',
                'outbox_' || to_char(d, 'YYYYMMDD'), d::timestamptz, (d + 1)::timestamptz);
            made := made + 1;
        END IF;
    END LOOP;
    FOR d IN SELECT generate_series(date_trunc('week', current_date - 7), current_date + days, interval '7 days')::date LOOP
        IF to_regclass('inbox_' || to_char(d, 'YYYYMMDD')) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF inbox FOR VALUES FROM (%L) TO (%L)',
                'inbox_' || to_char(d, 'YYYYMMDD'), santun_uuid_floor(d::timestamptz), santun_uuid_floor((d + 7)::timestamptz));
            made := made + 1;
        END IF;
    END LOOP;
    FOR m IN SELECT generate_series(date_trunc('month', current_date), current_date + days, interval '1 month')::date LOOP
        FOREACH t IN ARRAY ARRAY['audit', 'read_log'] LOOP
            IF to_regclass(t || '_' || to_char(m, 'YYYYMM')) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    t || '_' || to_char(m, 'YYYYMM'), t, m::timestamptz, (m + interval '1 month')::timestamptz);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

-- Days of outbox and weeks of inbox past retention go whole; nothing is ever deleted row by row.
CREATE FUNCTION santun_drop_partitions(outbox_days int, inbox_days int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    dropped int := 0;
    part text;
    edge date;
BEGIN
    FOR part, edge IN
        SELECT c.relname, to_date(right(c.relname, 8), 'YYYYMMDD') + CASE WHEN i.inhparent = 'inbox'::regclass THEN 7 ELSE 1 END
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('outbox'::regclass, 'inbox'::regclass) AND c.relname ~ '_\d{8}$'
    LOOP
        IF edge < current_date - (CASE WHEN part LIKE 'inbox%' THEN inbox_days ELSE outbox_days END) THEN
            EXECUTE format('DROP TABLE %I', part);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;

SELECT santun_make_partitions(14);
