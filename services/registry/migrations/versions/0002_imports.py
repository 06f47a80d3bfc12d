"""Import runs: the uploaded lists, what was found wrong with their lines, their chunks, and what each source said last.

Staging is one unlogged table a run, made and dropped by functions that own the right: the application role has no DDL.
"""

from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RUNS = """
CREATE TABLE import_run (AGGREGATE,
    kind text NOT NULL DEFAULT 'family_list' CHECK (kind IN ('family_list')),
    source text NOT NULL CHECK (source ~ '^[a-z][a-z0-9_]{1,39}$'),
    region_code text NOT NULL,
    as_of date NOT NULL,
    extent text NOT NULL CHECK (extent IN ('full', 'part')),
    format text NOT NULL CHECK (format IN ('csv', 'xlsx')),
    file_sha256 text NOT NULL CHECK (length(file_sha256) = 64),
    file_bytes bigint NOT NULL CHECK (file_bytes > 0),
    file_key_enc bytea NOT NULL,
    file_kept bool NOT NULL DEFAULT true,
    state text NOT NULL CHECK (state IN ('received', 'rejected', 'parsed', 'ready', 'held', 'approved', 'applied', 'discarded')),
    phase text NOT NULL DEFAULT 'waiting',
    bytes_read bigint NOT NULL DEFAULT 0,
    staged_line int NOT NULL DEFAULT 0,
    staged_rows int NOT NULL DEFAULT 0,
    rows_read int NOT NULL DEFAULT 0,
    rows_ok int NOT NULL DEFAULT 0,
    rows_rejected int NOT NULL DEFAULT 0,
    rows_warned int NOT NULL DEFAULT 0,
    current_rows int NOT NULL DEFAULT 0,
    new_rows int NOT NULL DEFAULT 0,
    changed_rows int NOT NULL DEFAULT 0,
    unchanged_rows int NOT NULL DEFAULT 0,
    gone_rows int NOT NULL DEFAULT 0,
    chunks int NOT NULL DEFAULT 0,
    chunks_done int NOT NULL DEFAULT 0,
    brake text[] NOT NULL DEFAULT '{}',
    reason text,
    reason_line int,
    reason_params jsonb NOT NULL DEFAULT '{}',
    approved_by text,
    approved_at timestamptz,
    finished_at timestamptz,
    CHECK (rows_read = rows_ok + rows_rejected)
);
CREATE UNIQUE INDEX one_run_per_file ON import_run (kind, source, region_code, as_of, file_sha256) WHERE state <> 'discarded';
CREATE INDEX import_run_waiting ON import_run (created_at) WHERE state IN ('received', 'parsed', 'approved');
CREATE INDEX import_run_region ON import_run (region_code text_pattern_ops, id);

CREATE TABLE import_sample_seen (
    run_id uuid NOT NULL REFERENCES import_run,
    actor text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, actor)
);

-- Line, column and reason code of what is wrong; never the value. The reject file reads the kept upload again.
CREATE TABLE import_finding (
    run_id uuid NOT NULL REFERENCES import_run,
    line int NOT NULL,
    "column" text NOT NULL,
    code text NOT NULL,
    rejected bool NOT NULL
);
CREATE INDEX import_finding_line ON import_finding (run_id, rejected, line);

-- A chunk is the rows whose family key lies between lo and hi; a family is never cut. done_at is set with its rows.
CREATE TABLE import_chunk (
    run_id uuid NOT NULL REFERENCES import_run,
    no int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('rows', 'gone')),
    lo text COLLATE "C" NOT NULL,
    hi text COLLATE "C" NOT NULL,
    rows int NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (run_id, no)
);

-- What each source said last of each of its rows: keyed digests by part, no values.
CREATE TABLE import_subject (
    source text NOT NULL,
    ref text COLLATE "C" NOT NULL,
    person_id uuid NOT NULL REFERENCES person,
    family_ref text COLLATE "C",
    region_code text NOT NULL,
    digest bytea NOT NULL,
    run_id uuid NOT NULL,
    gone_as_of date,
    PRIMARY KEY (source, ref)
);
CREATE INDEX import_subject_person ON import_subject (person_id);

CREATE TABLE import_staging (
    run_id uuid NOT NULL,
    line int NOT NULL,
    ref text COLLATE "C" NOT NULL,
    family_ref text COLLATE "C",
    digest bytea NOT NULL,
    person_id uuid,
    name text,
    name_norm text,
    suffix text,
    sex text,
    birth_date date,
    relation smallint,
    status smallint,
    region_code text,
    rt smallint,
    rw smallint,
    claim_id uuid,
    nik_enc bytea,
    nik_bidx bytea,
    nik_last4 text,
    nik_structure text,
    nik_warnings text[],
    card_id uuid,
    kk_enc bytea,
    kk_bidx bytea,
    kk_last4 text,
    kk_warnings text[],
    residence_id uuid,
    street_enc bytea,
    phone_id uuid,
    phone_enc bytea,
    phone_bidx bytea,
    email_id uuid,
    email_enc bytea,
    email_bidx bytea,
    account_id uuid,
    bank_code text,
    account_enc bytea,
    account_bidx bytea,
    account_last4 text,
    holder text,
    name_match text,
    desil smallint,
    died_on date
) PARTITION BY LIST (run_id);

CREATE FUNCTION import_staging_name(run uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'import_staging_' || replace(run::text, '-', '')
$$;

-- Makes the run's staging table if it is not there; answers how many rows it holds.
CREATE FUNCTION import_open_staging(run uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    held bigint;
BEGIN
    IF to_regclass(import_staging_name(run)) IS NULL THEN
        EXECUTE format('CREATE UNLOGGED TABLE %I PARTITION OF import_staging FOR VALUES IN (%L)', import_staging_name(run), run);
    END IF;
    EXECUTE format('SELECT count(*) FROM %I', import_staging_name(run)) INTO held;
    RETURN held;
END $$;

-- After the last row: the index by family and line, and fresh statistics (a stale plan once took minutes).
CREATE FUNCTION import_index_staging(run uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I ((coalesce(family_ref, ref)), line)',
        import_staging_name(run) || '_k', import_staging_name(run));
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (ref)', import_staging_name(run) || '_r', import_staging_name(run));
    EXECUTE format('ANALYZE %I', import_staging_name(run));
END $$;

-- A first list fills empty tables faster than autovacuum looks at them; a plan made for empty tables costs seconds a chunk.
CREATE FUNCTION import_analyse_registry() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE person, person_name, identity_claim, family, family_card, family_member, residence, contact, payee_account, desil,
        person_facts, import_subject, death_record;
END $$;

CREATE FUNCTION import_drop_staging(run uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', import_staging_name(run));
END $$;
"""


def upgrade() -> None:
    migrate.script(op, RUNS.replace("AGGREGATE", AGGREGATE_COLUMNS))
    migrate.enable_region_security(op, "import_run", "region_code")
    migrate.enable_region_security(op, "import_subject", "region_code")
    migrate.allow_delete(op, "import_finding", "import_staging")


def downgrade() -> None:
    msg = "an imported list is not taken back by a migration; restore a backup"
    raise NotImplementedError(msg)
