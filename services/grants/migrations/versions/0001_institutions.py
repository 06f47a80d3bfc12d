"""Institutions, their registration and accreditation, documents, the dated history of every file, reminders."""

from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS

revision = "0001"
down_revision = None

SQL = """
CREATE TABLE institution (
    {aggregate},
    name text NOT NULL CHECK (length(name) BETWEEN 2 AND 160),
    name_key text NOT NULL CHECK (length(name_key) BETWEEN 1 AND 160),
    kind text NOT NULL CHECK (kind IN ('lksa', 'lkslu', 'lksd', 'lks_lain')),
    legal_form text NOT NULL CHECK (legal_form IN ('yayasan', 'perkumpulan', 'bukan_badan_hukum')),
    region_code text NOT NULL,
    account_state text NOT NULL DEFAULT 'unknown' CHECK (account_state IN ('unknown', 'own', 'none')),
    account_enc bytea,
    account_index bytea CHECK (length(account_index) = 16),
    dissolved_on date,
    CHECK ((account_state = 'own') = (account_enc IS NOT NULL) AND (account_enc IS NULL) = (account_index IS NULL))
);
CREATE INDEX institution_region ON institution (region_code, id);
CREATE INDEX institution_name ON institution USING gin (name_key gin_trgm_ops);
CREATE UNIQUE INDEX institution_account ON institution (account_index) WHERE account_index IS NOT NULL AND dissolved_on IS NULL;

CREATE TABLE institution_officer (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    institution_id uuid NOT NULL REFERENCES institution (id),
    position text NOT NULL CHECK (position IN ('ketua', 'sekretaris', 'bendahara', 'pengurus')),
    person_id uuid NOT NULL,
    proved_on date,
    proved_by text,
    term_until date,
    alive boolean NOT NULL DEFAULT true,
    ended_on date,
    recorded_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX institution_officer_once ON institution_officer (institution_id, person_id) WHERE ended_on IS NULL;
CREATE INDEX institution_officer_person ON institution_officer (person_id);

CREATE TABLE not_the_same (
    one uuid NOT NULL REFERENCES institution (id),
    other uuid NOT NULL REFERENCES institution (id),
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (one, other),
    CHECK (one < other)
);

CREATE TABLE document (
    {aggregate},
    institution_id uuid NOT NULL REFERENCES institution (id),
    region_code text NOT NULL,
    kind text NOT NULL CHECK (length(kind) <= 40),
    number text NOT NULL CHECK (length(number) BETWEEN 1 AND 80),
    dated date NOT NULL,
    issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 120),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    scan text NOT NULL DEFAULT 'pending' CHECK (scan IN ('pending', 'clean', 'infected', 'paper')),
    supersedes uuid REFERENCES document (id),
    superseded_by uuid REFERENCES document (id)
);
CREATE UNIQUE INDEX document_once ON document (institution_id, kind, number, issuer) WHERE superseded_by IS NULL;
CREATE INDEX document_institution ON document (institution_id, id);

CREATE TABLE registration (
    {aggregate},
    institution_id uuid NOT NULL REFERENCES institution (id),
    region_code text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('new', 'renewal')),
    renews uuid REFERENCES registration (id),
    state text NOT NULL CHECK (state IN ('listed', 'draft', 'submitted', 'in_verification', 'needs_correction', 'lapsed',
        'recommended', 'registered', 'refused', 'expired', 'revoked', 'dissolved', 'withdrawn')),
    form jsonb NOT NULL DEFAULT '{{}}',
    snapshot jsonb,
    unlocked text[] NOT NULL DEFAULT '{{}}',
    rounds int NOT NULL DEFAULT 0,
    due_on date,
    submitted_on date,
    visits int NOT NULL DEFAULT 0,
    sla_breached boolean NOT NULL DEFAULT false,
    certificate_id uuid REFERENCES document (id),
    valid_from date,
    valid_until date,
    appeal_until date,
    reasons text[] NOT NULL DEFAULT '{{}}',
    CHECK (state <> 'registered' OR (certificate_id IS NOT NULL AND valid_from IS NOT NULL)),
    CHECK (state <> 'needs_correction' OR due_on IS NOT NULL)
);
CREATE INDEX registration_institution ON registration (institution_id, id);
CREATE INDEX registration_due ON registration (due_on) WHERE state = 'needs_correction';
CREATE INDEX registration_end ON registration (valid_until) WHERE state = 'registered';
CREATE UNIQUE INDEX registration_running ON registration (institution_id)
    WHERE state IN ('draft', 'submitted', 'in_verification', 'needs_correction', 'recommended');

CREATE TABLE accreditation (
    {aggregate},
    institution_id uuid NOT NULL REFERENCES institution (id),
    region_code text NOT NULL,
    state text NOT NULL CHECK (state IN ('self_assessment', 'requested', 'dinas_verified', 'recommended', 'at_balks',
        'visit_scheduled', 'visited', 'accredited', 'not_accredited', 'expired', 'revoked', 'superseded')),
    answers jsonb NOT NULL DEFAULT '{{}}',
    visit_on date,
    visits int NOT NULL DEFAULT 0,
    entered jsonb,
    revocation jsonb,
    grade text CHECK (grade IN ('a', 'b', 'c')),
    certificate_id uuid REFERENCES document (id),
    issued_on date,
    valid_until date,
    reasons text[] NOT NULL DEFAULT '{{}}',
    CHECK (state <> 'accredited' OR num_nonnulls(grade, certificate_id, issued_on, valid_until) = 4)
);
CREATE INDEX accreditation_institution ON accreditation (institution_id, id);
CREATE INDEX accreditation_end ON accreditation (valid_until) WHERE state = 'accredited';
CREATE UNIQUE INDEX accreditation_running ON accreditation (institution_id)
    WHERE state IN ('self_assessment', 'requested', 'dinas_verified', 'recommended', 'at_balks', 'visit_scheduled', 'visited');

CREATE TABLE step (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_kind text NOT NULL CHECK (file_kind IN ('registration', 'accreditation')),
    file_id uuid NOT NULL,
    institution_id uuid NOT NULL REFERENCES institution (id),
    command text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    on_date date NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person_id uuid,
    duty text,
    document_id uuid REFERENCES document (id),
    reasons text[] NOT NULL DEFAULT '{{}}',
    facts jsonb NOT NULL DEFAULT '{{}}'
);
CREATE INDEX step_file ON step (file_id, no);
CREATE INDEX step_funnel ON step (file_kind, on_date, file_id, no);

CREATE TABLE eligibility_answer (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    institution_id uuid NOT NULL REFERENCES institution (id),
    as_of date NOT NULL,
    call jsonb NOT NULL,
    eligible boolean NOT NULL,
    reasons jsonb NOT NULL,
    not_evaluated text[] NOT NULL,
    inputs jsonb NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX eligibility_institution ON eligibility_answer (institution_id, id);

CREATE TABLE reminder (
    file_id uuid NOT NULL,
    rung int NOT NULL,
    valid_until date NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (file_id, valid_until, rung)
);
"""

# What hangs on an institution is seen by whoever sees that one.
CHILDREN = """
ALTER TABLE institution_officer ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_institution ON institution_officer USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM institution i WHERE i.id = institution_id));
ALTER TABLE step ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_institution ON step USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM institution i WHERE i.id = institution_id));
ALTER TABLE eligibility_answer ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_institution ON eligibility_answer USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM institution i WHERE i.id = institution_id));
"""


def upgrade() -> None:
    migrate.create_kit_tables(op)
    migrate.script(op, SQL.format(aggregate=AGGREGATE_COLUMNS))
    migrate.insert_only(op, "step", "eligibility_answer", "reminder")
    for table in ("institution", "registration", "accreditation", "document"):
        migrate.enable_region_security(op, table)
    migrate.script(op, CHILDREN)
