"""People, families, residences, contacts, payee accounts, deaths, facts and the regions they live in.

Rules that must hold over years and between processes stand here as constraints, not in code.
"""

from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS
from registry.regions import seed

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REGIONS = """
CREATE TABLE region (
    authority text NOT NULL CHECK (authority IN ('kemendagri', 'bps')),
    code text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('prov', 'kab', 'kota', 'kec', 'kel', 'desa', 'desa_adat')),
    name text NOT NULL,
    parent_code text,
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_to date,
    decree text NOT NULL,
    CHECK (valid_to > valid_from),
    CHECK (authority <> 'kemendagri' OR code ~ '^\\d\\d(\\.\\d\\d(\\.\\d\\d(\\.\\d{4})?)?)?$'),
    CHECK (authority <> 'bps' OR code ~ '^\\d\\d(\\d\\d(\\d{3}(\\d{3})?)?)?$')
);
"""

# After the list is in: one build of each index instead of 91,599 insertions.
REGION_RULES = """
ALTER TABLE region ADD PRIMARY KEY (authority, code, valid_from);
ALTER TABLE region ADD EXCLUDE USING gist (authority WITH =, code WITH =, daterange(valid_from, valid_to) WITH &&);
"""

# source + source_ref is the upsert key of an imported row (list and the list's own row id); the NIK never is.
# region_code is the region whose officers may see the row: domicile, else KTP, else where it was registered.
PERSONS = """
CREATE TABLE person (AGGREGATE,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'merged_away', 'void', 'erased')),
    birth_date date,
    birth_precision smallint NOT NULL DEFAULT 9 CHECK (birth_precision IN (1, 2, 3, 9)),
    sex text CHECK (sex IN ('L', 'P')),
    provisional bool NOT NULL DEFAULT true,
    region_code text NOT NULL,
    registered bool NOT NULL DEFAULT false,
    registered_as_of date,
    source text NOT NULL DEFAULT 'manual',
    source_ref text,
    correction_enc bytea,
    correction_by text,
    CHECK ((birth_precision = 9) = (birth_date IS NULL)),
    UNIQUE (source, source_ref)
);
CREATE INDEX person_region ON person (region_code text_pattern_ops, id);
CREATE INDEX person_birth ON person (birth_date, sex);

CREATE TABLE person_name (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    kind text NOT NULL CHECK (kind IN ('ktp', 'akta', 'dtsen', 'rekening', 'alias')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    name_norm text NOT NULL,
    suffix text,
    source text NOT NULL,
    valid_from date,
    valid_to date,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX person_name_person ON person_name (person_id);
CREATE INDEX person_name_trgm ON person_name USING gin (name_norm gin_trgm_ops);
CREATE UNIQUE INDEX person_name_current ON person_name (person_id, kind) WHERE valid_to IS NULL AND kind <> 'alias';

CREATE TABLE identity_claim (AGGREGATE,
    person_id uuid NOT NULL REFERENCES person,
    scheme text NOT NULL CHECK (scheme IN ('nik', 'nik_sementara', 'akta_lahir', 'dtsen_id', 'bpjs', 'paspor', 'local')),
    value_enc bytea NOT NULL,
    value_bidx bytea NOT NULL CHECK (length(value_bidx) = 16),
    bidx_key_id smallint NOT NULL,
    last4 text NOT NULL CHECK (length(last4) <= 4),
    structure text NOT NULL DEFAULT 'ok' CHECK (structure IN ('ok', 'warn', 'bad')),
    warnings text[] NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('captured', 'well_formed', 'quarantined', 'matched', 'mismatch', 'not_found',
        'conflict', 'rejected', 'superseded')),
    source text NOT NULL DEFAULT 'manual',
    checked_at timestamptz,
    authority_ref text,
    captured_by text NOT NULL DEFAULT '',
    proposed_answer text,
    proposed_by text
);
CREATE UNIQUE INDEX one_person_per_matched_nik ON identity_claim (scheme, value_bidx) WHERE scheme = 'nik' AND state = 'matched';
CREATE UNIQUE INDEX one_live_claim_per_scheme ON identity_claim (person_id, scheme) WHERE state NOT IN ('superseded', 'rejected');
CREATE INDEX identity_claim_bidx ON identity_claim (value_bidx);
CREATE INDEX identity_claim_person ON identity_claim (person_id);
"""

FAMILIES = """
CREATE TABLE family (AGGREGATE,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'dissolved', 'void')),
    region_code text NOT NULL,
    head_person_id uuid REFERENCES person,
    source text NOT NULL DEFAULT 'manual',
    source_ref text,
    UNIQUE (source, source_ref)
);
CREATE INDEX family_region ON family (region_code text_pattern_ops, id);
CREATE INDEX family_head ON family (head_person_id);

CREATE TABLE family_card (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    family_id uuid NOT NULL REFERENCES family,
    kk_enc bytea NOT NULL,
    kk_bidx bytea NOT NULL CHECK (length(kk_bidx) = 16),
    bidx_key_id smallint NOT NULL,
    last4 text NOT NULL,
    valid_from date,
    valid_to date,
    state text NOT NULL DEFAULT 'unverified' CHECK (state IN ('unverified', 'matched', 'conflict', 'closed')),
    warnings text[] NOT NULL DEFAULT '{}',
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX family_card_open ON family_card (family_id) WHERE state <> 'closed';
CREATE INDEX family_card_bidx ON family_card (kk_bidx);

CREATE TABLE family_member (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    family_id uuid NOT NULL REFERENCES family,
    person_id uuid NOT NULL REFERENCES person,
    shdk smallint NOT NULL CHECK (shdk BETWEEN 1 AND 11),
    basis text NOT NULL DEFAULT 'kk' CHECK (basis IN ('kk', 'domisili', 'dtsen')),
    valid_from date,
    valid_to date,
    source text NOT NULL DEFAULT 'manual',
    left_reason text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_to >= valid_from),
    CONSTRAINT one_family_at_a_time EXCLUDE USING gist (person_id WITH =, basis WITH =, daterange(valid_from, valid_to) WITH &&),
    CONSTRAINT one_head_at_a_time EXCLUDE USING gist (family_id WITH =, basis WITH =, daterange(valid_from, valid_to) WITH &&)
        WHERE (shdk = 1)
);
CREATE INDEX family_member_family ON family_member (family_id);
CREATE INDEX family_member_open ON family_member (person_id) WHERE valid_to IS NULL;

CREATE TABLE residence (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    kind text NOT NULL CHECK (kind IN ('ktp', 'domisili')),
    region_code text NOT NULL,
    rt smallint CHECK (rt BETWEEN 0 AND 999),
    rw smallint CHECK (rw BETWEEN 0 AND 999),
    street_enc bytea,
    geo_enc bytea,
    valid_from date,
    valid_to date,
    source text NOT NULL DEFAULT 'manual',
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_to >= valid_from),
    CONSTRAINT one_residence_at_a_time EXCLUDE USING gist (person_id WITH =, kind WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX residence_region ON residence (region_code text_pattern_ops) WHERE valid_to IS NULL;
CREATE INDEX residence_open ON residence (person_id) WHERE valid_to IS NULL;

CREATE TABLE desil (
    family_id uuid NOT NULL REFERENCES family,
    snapshot_id uuid NOT NULL,
    desil smallint CHECK (desil BETWEEN 1 AND 10),
    desil_state text NOT NULL CHECK (desil_state IN ('ranked', 'unranked')),
    as_of date NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (family_id, snapshot_id),
    CHECK ((desil_state = 'ranked') = (desil IS NOT NULL))
);
CREATE INDEX desil_newest ON desil (family_id, as_of DESC);
"""

# account_bidx is over "rail:bank_code:digits": the same digits at another bank are another account.
REACHING = """
CREATE TABLE contact (AGGREGATE,
    person_id uuid NOT NULL REFERENCES person,
    kind text NOT NULL CHECK (kind IN ('phone', 'wa', 'email')),
    value_enc bytea NOT NULL,
    value_bidx bytea NOT NULL CHECK (length(value_bidx) = 16),
    bidx_key_id smallint NOT NULL,
    owner text NOT NULL DEFAULT 'self' CHECK (owner IN ('self', 'family', 'operator', 'rt')),
    language text NOT NULL DEFAULT 'id' CHECK (language ~ '^[a-z]{2,3}$'),
    verified_at timestamptz,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'stale', 'refused')),
    consent jsonb NOT NULL DEFAULT '{}',
    source text NOT NULL DEFAULT 'manual'
);
CREATE INDEX contact_bidx ON contact (value_bidx);
CREATE UNIQUE INDEX contact_once ON contact (person_id, kind, value_bidx);

CREATE TABLE payee_account (AGGREGATE,
    person_id uuid NOT NULL REFERENCES person,
    rail text NOT NULL CHECK (rail IN ('bank', 'pos')),
    bank_code text,
    account_enc bytea,
    account_bidx bytea CHECK (length(account_bidx) = 16),
    bidx_key_id smallint,
    last4 text,
    holder_name text NOT NULL,
    name_match text NOT NULL DEFAULT 'unknown' CHECK (name_match IN ('exact', 'close', 'mismatch', 'unknown')),
    is_default bool NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'captured' CHECK (state IN ('captured', 'opening', 'active', 'rejected', 'dormant', 'closed',
        'blocked', 'superseded')),
    reason text,
    checked_at timestamptz,
    usable_from timestamptz,
    captured_by text NOT NULL DEFAULT '',
    replacement_id uuid REFERENCES payee_account,
    replacement_by text,
    document_id uuid,
    source text NOT NULL DEFAULT 'manual',
    CHECK ((rail = 'pos') OR (bank_code IS NOT NULL AND account_enc IS NOT NULL AND account_bidx IS NOT NULL))
);
CREATE INDEX payee_account_bidx ON payee_account (account_bidx);
CREATE INDEX payee_account_person ON payee_account (person_id);
CREATE UNIQUE INDEX one_default_account ON payee_account (person_id) WHERE is_default AND state <> 'superseded';

CREATE TABLE officer (AGGREGATE,
    subject text NOT NULL UNIQUE,
    person_id uuid REFERENCES person,
    unit text
);
"""

# Uniqueness of deaths holds over all years: one live record a person, one live record an akta.
DEATHS = """
CREATE TABLE death_record (AGGREGATE,
    person_id uuid REFERENCES person,
    state text NOT NULL CHECK (state IN ('reported', 'corroborated', 'disputed', 'certified', 'revoked', 'void')),
    died_on date NOT NULL,
    died_precision smallint NOT NULL DEFAULT 1 CHECK (died_precision IN (1, 2, 3)),
    place_code text,
    region_code text NOT NULL,
    subject_name_enc bytea,
    subject_nik_bidx bytea,
    subject_birth_date date,
    akta_no_norm text,
    akta_issuer_code text,
    akta_issued_on date,
    akta_token bytea,
    certified_basis text CHECK (certified_basis IN ('akta', 'burial_book')),
    certified_at timestamptz,
    certified_by text,
    hold_expired_at timestamptz,
    proposed_outcome text CHECK (proposed_outcome IN ('certify', 'revoke')),
    proposed_by text,
    revoked_at timestamptz,
    revoke_basis text,
    reported_at timestamptz NOT NULL,
    CHECK ((akta_no_norm IS NULL) = (akta_issuer_code IS NULL)),
    CHECK (person_id IS NOT NULL OR subject_name_enc IS NOT NULL)
);
CREATE UNIQUE INDEX one_live_death_per_person ON death_record (person_id) WHERE state NOT IN ('revoked', 'void');
CREATE UNIQUE INDEX one_live_death_per_akta ON death_record (akta_issuer_code, akta_no_norm) WHERE state NOT IN ('revoked', 'void');
CREATE INDEX death_record_region ON death_record (region_code text_pattern_ops, state, id);
CREATE INDEX death_record_waiting ON death_record (reported_at) WHERE state = 'reported' AND hold_expired_at IS NULL;
CREATE INDEX death_record_nik ON death_record (subject_nik_bidx) WHERE subject_nik_bidx IS NOT NULL;
CREATE INDEX death_record_person ON death_record (person_id);

CREATE TABLE death_report (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    death_record_id uuid NOT NULL REFERENCES death_record,
    kind text NOT NULL DEFAULT 'death' CHECK (kind IN ('death', 'life_sign')),
    source text NOT NULL CHECK (source IN ('rt', 'buku_makam', 'akta', 'dukcapil', 'hospital', 'family', 'bank_md07',
        'pos_officer', 'dtsen', 'visit')),
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    reporter text NOT NULL,
    reporter_person_id uuid,
    document_id uuid
);
CREATE INDEX death_report_record ON death_report (death_record_id);
"""

# <group>_version is the facts_version at which a group of facts changed last: it answers what changed since.
FACTS = """
CREATE TABLE person_facts (
    person_id uuid PRIMARY KEY REFERENCES person,
    facts_version bigint NOT NULL DEFAULT 1,
    region_code text NOT NULL,
    life text NOT NULL CHECK (life IN ('alive', 'death_reported', 'dead')),
    died_on date,
    death_record_id uuid,
    birth_date date,
    sex text,
    nik_state text NOT NULL,
    kk_state text NOT NULL,
    ktp_region text,
    domicile text,
    resident_since date,
    residence_state text CHECK (residence_state IN ('here', 'leaving', 'out')),
    family_id uuid,
    family_size int,
    is_head bool,
    shdk smallint,
    registered bool NOT NULL,
    desil smallint,
    desil_state text NOT NULL,
    desil_as_of date,
    employment text[],
    family_employment text[],
    central_aid text[],
    central_aid_as_of date,
    sktm_until date,
    disability_degree smallint,
    ppks smallint[],
    exclusions text[],
    open_objection bool,
    verified_on date,
    in_lks bool,
    payee_state text NOT NULL,
    payee_token bytea,
    life_version bigint NOT NULL DEFAULT 1,
    identity_version bigint NOT NULL DEFAULT 1,
    family_version bigint NOT NULL DEFAULT 1,
    residence_version bigint NOT NULL DEFAULT 1,
    welfare_version bigint NOT NULL DEFAULT 1,
    payee_version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX person_facts_domicile ON person_facts (domicile text_pattern_ops);
CREATE INDEX person_facts_family ON person_facts (family_id);
CREATE INDEX person_facts_birth ON person_facts (birth_date) WHERE life = 'alive';
"""

REGION_SECURED = ("person", "family", "death_record", "person_facts")

# What hangs on a person (a family, a death record) is seen by whoever sees that one.
CHILDREN = """
ALTER TABLE person_name ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_person ON person_name USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM person p WHERE p.id = person_id));
ALTER TABLE identity_claim ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_person ON identity_claim USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM person p WHERE p.id = person_id));
ALTER TABLE residence ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_person ON residence USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM person p WHERE p.id = person_id));
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_person ON contact USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM person p WHERE p.id = person_id));
ALTER TABLE payee_account ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_person ON payee_account USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM person p WHERE p.id = person_id));
ALTER TABLE family_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_family ON family_card USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM family f WHERE f.id = family_id));
ALTER TABLE family_member ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_family ON family_member USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM family f WHERE f.id = family_id));
ALTER TABLE desil ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_family ON desil USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM family f WHERE f.id = family_id));
ALTER TABLE death_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_record ON death_report USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM death_record d WHERE d.id = death_record_id));
"""


def upgrade() -> None:
    migrate.create_kit_tables(op)
    for part in (REGIONS, PERSONS, FAMILIES, REACHING, DEATHS, FACTS):
        migrate.script(op, part.replace("AGGREGATE", AGGREGATE_COLUMNS))
    for table in REGION_SECURED:
        migrate.enable_region_security(op, table, "region_code")
    migrate.script(op, CHILDREN)
    migrate.insert_only(op, "region", "death_report")
    seed.load(op.get_bind())
    migrate.script(op, REGION_RULES)


def downgrade() -> None:
    msg = "the first migration is not undone; restore a backup"
    raise NotImplementedError(msg)
