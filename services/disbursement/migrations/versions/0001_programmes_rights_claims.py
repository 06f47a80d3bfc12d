"""Programmes, rule versions, enrolments, rights, claims, their decisions, and recoveries.

What must hold over years and between processes stands here as constraints: one claim for one deceased (death_lock), a
paper is used once (doc_use), one right of a kind and period, published rules never change and never overlap.
"""

from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROGRAMMES = """
CREATE TABLE legal_basis (AGGREGATE,
    kind text NOT NULL CHECK (kind IN ('perda', 'perwal', 'perbup', 'pergub', 'sk', 'edaran', 'permen')),
    number text NOT NULL CHECK (length(number) BETWEEN 1 AND 80),
    issued_on date NOT NULL,
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 300),
    document_sha256 text CHECK (document_sha256 ~ '^[0-9a-f]{64}$'),
    supersedes uuid REFERENCES legal_basis,
    UNIQUE (kind, number, issued_on)
);

CREATE TABLE programme (AGGREGATE,
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z][A-Z0-9_]{1,19}$' AND code <> 'BPK'),
    name_id text NOT NULL CHECK (length(name_id) BETWEEN 1 AND 120),
    name_en text NOT NULL CHECK (length(name_en) BETWEEN 1 AND 120),
    kind text NOT NULL CHECK (kind IN ('death_benefit', 'recurring_cash', 'food_voucher', 'rice', 'material',
        'scholarship', 'event_aid', 'training')),
    unit text NOT NULL CHECK (unit IN ('person', 'family', 'deceased', 'student')),
    instrument text NOT NULL CHECK (instrument IN ('bansos', 'hibah', 'btt', 'barang')),
    form text NOT NULL CHECK (form IN ('uang', 'barang', 'jasa')),
    planned bool NOT NULL DEFAULT true,
    owner_unit text NOT NULL,
    owner_from date,
    owner_to date,
    plan_ref text,
    owner_regions text[] NOT NULL CHECK (cardinality(owner_regions) BETWEEN 1 AND 20),
    legal_basis_id uuid REFERENCES legal_basis,
    funding_line_id uuid,
    closing jsonb,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'planned', 'active', 'suspended', 'closing', 'closed',
        'cancelled')),
    proposed_by_person uuid,
    CHECK (state <> 'closing' OR closing IS NOT NULL)
);

CREATE TABLE rule_version (AGGREGATE,
    programme_id uuid NOT NULL REFERENCES programme,
    no int NOT NULL CHECK (no > 0),
    effective daterange NOT NULL CHECK (NOT lower_inf(effective)),
    date_basis text NOT NULL CHECK (date_basis IN ('event_date', 'filed_at', 'period_start')),
    ast jsonb NOT NULL,
    benefit jsonb NOT NULL,
    docs jsonb NOT NULL,
    legal_basis_id uuid REFERENCES legal_basis,
    funding_line_id uuid,
    quota int CHECK (quota > 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'reviewed', 'published', 'superseded', 'withdrawn')),
    written_by text NOT NULL,
    reviewed_by text,
    published_at timestamptz,
    retro_document text,
    UNIQUE (programme_id, no),
    CONSTRAINT one_rule_a_day EXCLUDE USING gist (programme_id WITH =, effective WITH &&)
        WHERE (state IN ('published', 'superseded')),
    CHECK (reviewed_by IS DISTINCT FROM written_by)
);

CREATE FUNCTION rule_version_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('published', 'superseded', 'withdrawn') AND (
        (NEW.programme_id, NEW.no, NEW.date_basis, NEW.ast, NEW.benefit, NEW.docs, NEW.sha256, NEW.written_by, NEW.quota)
        IS DISTINCT FROM
        (OLD.programme_id, OLD.no, OLD.date_basis, OLD.ast, OLD.benefit, OLD.docs, OLD.sha256, OLD.written_by, OLD.quota)
        OR NEW.legal_basis_id IS DISTINCT FROM OLD.legal_basis_id
        OR NEW.state IN ('draft', 'reviewed')
        OR NOT (OLD.effective @> NEW.effective)
        OR (NOT isempty(NEW.effective) AND lower(NEW.effective) <> lower(OLD.effective))
    ) THEN
        RAISE EXCEPTION 'a published rule version does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rule_version_is_final BEFORE UPDATE ON rule_version FOR EACH ROW EXECUTE FUNCTION rule_version_is_final();

CREATE TABLE rule_acknowledgement (
    rule_version_id uuid NOT NULL REFERENCES rule_version,
    officer text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (rule_version_id, officer)
);
"""

# What the registry said last about a person this service deals with; overwritten only by a higher facts_version.
FACTS = """
CREATE TABLE fact_person (
    person_id uuid PRIMARY KEY,
    canonical_id uuid NOT NULL,
    family_id uuid,
    facts_version bigint NOT NULL,
    life_version bigint NOT NULL DEFAULT 0,
    life text NOT NULL DEFAULT 'alive' CHECK (life IN ('alive', 'death_reported', 'dead')),
    died_on date,
    death_record_id uuid,
    domicile text,
    facts jsonb NOT NULL DEFAULT '{}',
    stale_groups text[] NOT NULL DEFAULT '{}',
    asked_at timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX fact_person_family ON fact_person (family_id);
CREATE INDEX fact_person_domicile ON fact_person (domicile text_pattern_ops);
CREATE INDEX fact_person_stale ON fact_person (person_id) WHERE cardinality(stale_groups) > 0;

CREATE TABLE decision (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    at timestamptz NOT NULL,
    step text NOT NULL CHECK (length(step) <= 40),
    outcome text NOT NULL CHECK (length(outcome) <= 40),
    aggregate text NOT NULL CHECK (aggregate IN ('claim', 'enrolment', 'entitlement', 'recovery')),
    aggregate_id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programme,
    subject_person_id uuid,
    region_code text NOT NULL,
    rule_version_id uuid REFERENCES rule_version,
    facts_version bigint,
    as_of date NOT NULL,
    fail_mask bigint NOT NULL DEFAULT 0,
    unknown_mask bigint NOT NULL DEFAULT 0,
    facts jsonb NOT NULL DEFAULT '{}',
    inputs jsonb NOT NULL DEFAULT '{}',
    findings jsonb NOT NULL DEFAULT '[]',
    reasons jsonb NOT NULL DEFAULT '[]',
    decided_by text NOT NULL,
    unit text,
    appeal_until timestamptz
);
CREATE INDEX decision_aggregate ON decision (aggregate_id, at, id);
CREATE INDEX decision_subject ON decision (subject_person_id, programme_id, at);
"""

ENROLMENTS = """
CREATE TABLE decree (AGGREGATE,
    programme_id uuid NOT NULL REFERENCES programme,
    number text NOT NULL,
    issued_on date NOT NULL,
    document_sha256 text NOT NULL CHECK (document_sha256 ~ '^[0-9a-f]{64}$'),
    list_sha256 text NOT NULL CHECK (list_sha256 ~ '^[0-9a-f]{64}$'),
    names int NOT NULL CHECK (names > 0),
    reserved_idr bigint NOT NULL CHECK (reserved_idr >= 0),
    UNIQUE (number, issued_on)
);

CREATE TABLE quota (
    programme_id uuid NOT NULL REFERENCES programme,
    scope_code text NOT NULL,
    places int NOT NULL CHECK (places >= 0),
    taken int NOT NULL DEFAULT 0 CHECK (taken >= 0),
    PRIMARY KEY (programme_id, scope_code),
    CONSTRAINT quota_is_kept CHECK (taken <= places)
);

CREATE TABLE enrolment (AGGREGATE,
    programme_id uuid NOT NULL REFERENCES programme,
    subject_id uuid NOT NULL,
    family_id uuid,
    holder_person_id uuid NOT NULL,
    payee_person_id uuid,
    rule_version_id uuid REFERENCES rule_version,
    decree_id uuid REFERENCES decree,
    region_code text NOT NULL,
    starts_on date,
    ends_on date,
    state text NOT NULL CHECK (state IN ('candidate', 'eligible', 'refused', 'waitlisted', 'decreed', 'active',
        'suspended', 'ended')),
    flagged bool NOT NULL DEFAULT false,
    reasons text[] NOT NULL DEFAULT '{}',
    nominated_by text NOT NULL,
    payee_asked uuid,
    payee_asked_by text,
    waiting_since timestamptz,
    reserved_idr bigint NOT NULL DEFAULT 0 CHECK (reserved_idr >= 0),
    reserved_line_id uuid
);
CREATE UNIQUE INDEX one_live_enrolment ON enrolment (programme_id, subject_id)
    WHERE state IN ('candidate', 'eligible', 'waitlisted', 'decreed', 'active', 'suspended');
CREATE INDEX enrolment_holder ON enrolment (holder_person_id);
CREATE INDEX enrolment_payee ON enrolment (payee_person_id);
CREATE INDEX enrolment_list ON enrolment (programme_id, state, region_code text_pattern_ops, id);

CREATE TABLE exclusivity_group (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9_]{1,39}$'),
    scope text NOT NULL CHECK (scope IN ('person', 'family'))
);
CREATE TABLE exclusivity_member (
    group_id uuid NOT NULL REFERENCES exclusivity_group,
    programme_id uuid NOT NULL REFERENCES programme,
    PRIMARY KEY (group_id, programme_id)
);
CREATE INDEX exclusivity_member_programme ON exclusivity_member (programme_id);
CREATE TABLE exclusivity_lock (
    group_id uuid NOT NULL REFERENCES exclusivity_group,
    subject_id uuid NOT NULL,
    period text NOT NULL,
    entitlement_id uuid NOT NULL,
    PRIMARY KEY (group_id, subject_id, period)
);
CREATE INDEX exclusivity_lock_entitlement ON exclusivity_lock (entitlement_id);
"""

# Years of the period, never of the payment: `once` rights carry the year of the death.
RIGHTS = """
CREATE TABLE cycle (AGGREGATE,
    programme_id uuid NOT NULL REFERENCES programme,
    period text NOT NULL CHECK (period ~ '^\\d{4}-(\\d{2}|Q[1-4])$'),
    kind text NOT NULL DEFAULT 'regular' CHECK (kind IN ('regular', 'arrears')),
    due_on date NOT NULL,
    rule_version_id uuid NOT NULL REFERENCES rule_version,
    budget_line_id uuid NOT NULL,
    control_count int NOT NULL DEFAULT 0 CHECK (control_count >= 0),
    control_sum_idr bigint NOT NULL DEFAULT 0 CHECK (control_sum_idr >= 0),
    excluded_count int NOT NULL DEFAULT 0,
    from_reserve_idr bigint NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('draft', 'generated', 'approved', 'paying', 'closed', 'cancelled')),
    generated_by text
);
CREATE UNIQUE INDEX one_cycle_a_period ON cycle (programme_id, period, kind) WHERE state <> 'cancelled';

CREATE TABLE entitlement (AGGREGATE,
    programme_id uuid NOT NULL REFERENCES programme,
    enrolment_id uuid REFERENCES enrolment,
    claim_id uuid,
    cycle_id uuid REFERENCES cycle,
    subject_id uuid NOT NULL,
    beneficiary_person_id uuid NOT NULL,
    payee_person_id uuid NOT NULL,
    period text NOT NULL,
    period_year int NOT NULL,
    component text NOT NULL DEFAULT 'uang',
    instance smallint NOT NULL DEFAULT 1,
    unit text NOT NULL DEFAULT 'idr' CHECK (unit IN ('idr', 'g', 'ml', 'pcs')),
    quantity bigint NOT NULL CHECK (quantity > 0),
    value_idr bigint CHECK (value_idr > 0),
    rule_version_id uuid NOT NULL REFERENCES rule_version,
    budget_line_id uuid NOT NULL,
    region_code text NOT NULL,
    due_on date NOT NULL,
    qualifying_on date NOT NULL,
    expires_on date,
    state text NOT NULL CHECK (state IN ('planned', 'due', 'held', 'reserved', 'paid', 'collected', 'cancelled',
        'expired')),
    held_reason text,
    ended_reason text,
    returns smallint NOT NULL DEFAULT 0,
    CHECK (num_nonnulls(enrolment_id, claim_id) = 1),
    CHECK ((state = 'held') = (held_reason IS NOT NULL)),
    CONSTRAINT one_right UNIQUE (period_year, programme_id, subject_id, period, component, instance)
);
CREATE INDEX entitlement_due ON entitlement (programme_id, region_code text_pattern_ops, id) WHERE state = 'due';
CREATE INDEX entitlement_open ON entitlement (beneficiary_person_id)
    WHERE state IN ('planned', 'due', 'held', 'reserved');
CREATE INDEX entitlement_person ON entitlement (beneficiary_person_id, programme_id);
CREATE INDEX entitlement_planned ON entitlement (due_on) WHERE state = 'planned';
CREATE INDEX entitlement_enrolment ON entitlement (enrolment_id) WHERE enrolment_id IS NOT NULL;
CREATE INDEX entitlement_cycle ON entitlement (cycle_id) WHERE cycle_id IS NOT NULL;
CREATE FUNCTION only_unbound_rights_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state NOT IN ('planned', 'cancelled') OR (SELECT state FROM cycle WHERE id = OLD.cycle_id) IS DISTINCT FROM 'generated'
    THEN
        RAISE EXCEPTION 'a right that bound somebody is cancelled, never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER only_unbound_rights_go BEFORE DELETE ON entitlement FOR EACH ROW EXECUTE FUNCTION only_unbound_rights_go();
CREATE UNIQUE INDEX one_right_a_claim ON entitlement (claim_id) WHERE claim_id IS NOT NULL;
"""

CLAIMS = """
CREATE TABLE claim (AGGREGATE,
    programme_id uuid NOT NULL REFERENCES programme,
    rule_version_id uuid REFERENCES rule_version,
    death_record_id uuid NOT NULL,
    deceased_person_id uuid,
    akta_token text,
    died_on date NOT NULL,
    claimant_person_id uuid NOT NULL,
    relationship text NOT NULL CHECK (length(relationship) <= 40),
    heir_rank smallint,
    region_code text NOT NULL,
    filed_at timestamptz,
    late_upload bool NOT NULL DEFAULT false,
    cure_due timestamptz,
    waits jsonb NOT NULL DEFAULT '[]',
    funding_line_id uuid,
    amount_idr bigint CHECK (amount_idr >= 0),
    pct smallint CHECK (pct BETWEEN 0 AND 100),
    committed_idr bigint NOT NULL DEFAULT 0 CHECK (committed_idr >= 0),
    decree_no text,
    state text NOT NULL CHECK (state IN ('draft', 'incomplete', 'filed', 'checked_kel', 'checked_kec', 'verified',
        'approved', 'payable', 'paid', 'closed', 'rejected', 'appealed', 'lapsed', 'withdrawn', 'void')),
    reasons text[] NOT NULL DEFAULT '{}',
    flagged bool NOT NULL DEFAULT false,
    appeal_until timestamptz,
    appeals smallint NOT NULL DEFAULT 0,
    paid_at timestamptz,
    inputs jsonb NOT NULL DEFAULT '{}',
    CHECK (state <> 'incomplete' OR cure_due IS NOT NULL),
    CHECK (state NOT IN ('approved', 'payable', 'paid', 'closed') OR amount_idr > 0),
    CHECK (state = 'draft' OR state = 'withdrawn' OR state = 'void' OR (filed_at IS NOT NULL AND rule_version_id IS NOT NULL))
);
CREATE INDEX claim_list ON claim (state, region_code text_pattern_ops, id);
CREATE INDEX claim_programme ON claim (programme_id, state, id);
CREATE INDEX claim_claimant ON claim (claimant_person_id);
CREATE INDEX claim_death ON claim (death_record_id);
CREATE INDEX claim_cure ON claim (cure_due) WHERE state = 'incomplete';
CREATE INDEX claim_appeal ON claim (appeal_until) WHERE state = 'rejected';
ALTER TABLE entitlement ADD CONSTRAINT entitlement_claim FOREIGN KEY (claim_id) REFERENCES claim;

CREATE TABLE claim_step (
    claim_id uuid NOT NULL REFERENCES claim,
    no int NOT NULL,
    did text NOT NULL,
    actor text NOT NULL,
    person_id uuid,
    at timestamptz NOT NULL,
    PRIMARY KEY (claim_id, no)
);

CREATE TABLE claim_document (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    claim_id uuid NOT NULL REFERENCES claim,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{1,39}$'),
    document_id uuid,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    number text CHECK (length(number) <= 80),
    issued_on date,
    valid_until date,
    signer_person_id uuid,
    recorded_at timestamptz NOT NULL,
    UNIQUE (claim_id, kind, sha256)
);

CREATE TABLE death_lock (
    key text PRIMARY KEY CHECK (key ~ '^(rec|akta|person):'),
    claim_id uuid NOT NULL REFERENCES claim
);
CREATE INDEX death_lock_claim ON death_lock (claim_id);

CREATE TABLE doc_use (
    sha256 text NOT NULL,
    purpose text NOT NULL,
    claim_id uuid NOT NULL REFERENCES claim,
    PRIMARY KEY (sha256, purpose)
);
CREATE INDEX doc_use_claim ON doc_use (claim_id);
"""

RECOVERY = """
CREATE TABLE recovery (AGGREGATE,
    subject_person_id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programme,
    entitlement_id uuid NOT NULL REFERENCES entitlement,
    claim_id uuid REFERENCES claim,
    region_code text NOT NULL,
    cause text NOT NULL,
    amount_idr bigint NOT NULL CHECK (amount_idr > 0),
    paid_back_idr bigint NOT NULL DEFAULT 0 CHECK (paid_back_idr BETWEEN 0 AND amount_idr),
    state text NOT NULL CHECK (state IN ('found', 'notified', 'contested', 'cancelled')),
    found_by text NOT NULL,
    objection_until timestamptz,
    reasons text[] NOT NULL DEFAULT '{}',
    UNIQUE (entitlement_id, cause)
);
CREATE INDEX recovery_subject ON recovery (subject_person_id);
"""

REGION_SECURED = ("decision", "enrolment", "entitlement", "claim", "recovery")

CHILDREN = """
ALTER TABLE claim_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_claim ON claim_step USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM claim c WHERE c.id = claim_id));
ALTER TABLE claim_document ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_claim ON claim_document USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM claim c WHERE c.id = claim_id));
"""


def upgrade() -> None:
    migrate.create_kit_tables(op)
    for part in (PROGRAMMES, FACTS, ENROLMENTS, RIGHTS, CLAIMS, RECOVERY):
        migrate.script(op, part.replace("AGGREGATE", AGGREGATE_COLUMNS))
    for table in REGION_SECURED:
        migrate.enable_region_security(op, table, "region_code")
    migrate.script(op, CHILDREN)
    migrate.insert_only(op, "legal_basis", "decision", "claim_step", "claim_document", "rule_acknowledgement")
    migrate.allow_delete(op, "death_lock", "doc_use", "exclusivity_lock", "entitlement")


def downgrade() -> None:
    msg = "the first migration is not undone; restore a backup"
    raise NotImplementedError(msg)
