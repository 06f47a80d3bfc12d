"""Budget lines, the double-entry ledger, treasury papers, batches, lines, attempts, files, results, differences.

What must never be wrong stands here as constraints: journals sum to zero, accounts keep their sign, one live line for
a right over all batches and years, one attempt of a line whose fate is open, one duty of a person in a batch.
"""

from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BUDGET = """
CREATE TABLE budget_line (AGGREGATE,
    fiscal_year int NOT NULL CHECK (fiscal_year BETWEEN 2000 AND 2100),
    round text NOT NULL DEFAULT 'murni' CHECK (round IN ('murni', 'pergeseran', 'perubahan')),
    unit text NOT NULL CHECK (length(unit) BETWEEN 1 AND 60),
    programme_code text NOT NULL CHECK (length(programme_code) <= 60),
    activity_code text NOT NULL DEFAULT '' CHECK (length(activity_code) <= 60),
    sub_activity_code text NOT NULL DEFAULT '' CHECK (length(sub_activity_code) <= 60),
    account_code text NOT NULL CHECK (account_code ~ '^[0-9]+(\\.[0-9]+)*$' AND length(account_code) <= 40),
    funding_source text NOT NULL DEFAULT 'pad' CHECK (length(funding_source) <= 40),
    pagu_idr bigint NOT NULL CHECK (pagu_idr >= 0),
    warned_low bool NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('draft', 'open', 'frozen', 'closed')),
    UNIQUE (fiscal_year, unit, programme_code, activity_code, sub_activity_code, account_code, funding_source)
);
"""

# Hash and range partitions from the first day: the journal's key must hold its partition key, postings grow by years.
LEDGER = """
CREATE TABLE journal (
    id uuid NOT NULL DEFAULT uuidv7(),
    kind text NOT NULL CHECK (length(kind) <= 20),
    source_type text NOT NULL CHECK (length(source_type) <= 40),
    source_id uuid NOT NULL,
    step text NOT NULL CHECK (length(step) <= 60),
    unit text NOT NULL DEFAULT 'IDR' CHECK (unit = 'IDR'),
    amount_idr bigint NOT NULL CHECK (amount_idr > 0),
    booked_on date NOT NULL,
    budget_line_id uuid NOT NULL,
    batch_id uuid,
    subject_id uuid,
    reverses uuid,
    posted_at timestamptz NOT NULL,
    posted_by text NOT NULL,
    PRIMARY KEY (source_id, id),
    CONSTRAINT one_journal_a_step UNIQUE (kind, source_type, source_id, step)
) PARTITION BY HASH (source_id);
CREATE INDEX journal_line ON journal (budget_line_id, id);
CREATE INDEX journal_batch ON journal (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE posting (
    journal_id uuid NOT NULL,
    leg smallint NOT NULL,
    account text NOT NULL,
    dims_key text NOT NULL,
    amount_idr bigint NOT NULL CHECK (amount_idr <> 0),
    booked_on date NOT NULL,
    PRIMARY KEY (journal_id, leg, booked_on)
) PARTITION BY RANGE (booked_on);
DO $$
BEGIN
    FOR n IN 0..7 LOOP
        EXECUTE format('CREATE TABLE journal_%s PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
    END LOOP;
    FOR y IN 2025..2031 LOOP
        EXECUTE format('CREATE TABLE posting_%s PARTITION OF posting FOR VALUES FROM (%L) TO (%L)', y, y || '-01-01',
            (y + 1) || '-01-01');
    END LOOP;
END $$;
CREATE TABLE posting_other PARTITION OF posting DEFAULT;

CREATE TABLE account_balance (
    account text NOT NULL,
    dims_key text NOT NULL,
    budget_line_id uuid NOT NULL,
    batch_id uuid,
    subject_id uuid,
    balance_idr bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (dims_key, account),
    CONSTRAINT ceiling_is_kept CHECK (account <> 'B200' OR balance_idr <= 0),
    CONSTRAINT credit_accounts CHECK (account NOT IN ('B300', 'B400', 'B500', 'B600', 'C200', 'C220') OR balance_idr <= 0),
    CONSTRAINT debit_accounts CHECK (
        account NOT IN ('B100', 'C110', 'C120', 'C130', 'C300', 'C310', 'C410', 'C460') OR balance_idr >= 0)
) WITH (fillfactor = 70);
CREATE INDEX account_balance_batch ON account_balance (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX account_balance_line ON account_balance (budget_line_id, account);

CREATE FUNCTION postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM fresh GROUP BY journal_id, left(account, 1) HAVING sum(amount_idr) <> 0
    ) THEN
        RAISE EXCEPTION 'the postings of a journal do not sum to zero' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER postings_balance AFTER INSERT ON posting REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION postings_balance();

CREATE FUNCTION journal_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE legs int; total numeric;
BEGIN
    SELECT count(*), coalesce(sum(amount_idr), 0) INTO legs, total
    FROM posting WHERE journal_id = NEW.id AND booked_on = NEW.booked_on;
    IF legs < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'journal % does not sum to zero', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_is_whole AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION journal_is_whole();
"""

BATCHES = """
CREATE TABLE batch (AGGREGATE,
    programme_id uuid,
    region_code text NOT NULL,
    rail text NOT NULL CHECK (rail IN ('bank', 'pos', 'cash', 'outlet')),
    budget_line_id uuid NOT NULL REFERENCES budget_line,
    mechanism text NOT NULL DEFAULT 'ls' CHECK (mechanism IN ('ls', 'tu')),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 60),
    due_on date NOT NULL,
    count int NOT NULL DEFAULT 0 CHECK (count BETWEEN 0 AND 20000),
    total_idr bigint NOT NULL DEFAULT 0 CHECK (total_idr >= 0),
    removed_count int NOT NULL DEFAULT 0 CHECK (removed_count >= 0),
    removed_total_idr bigint NOT NULL DEFAULT 0 CHECK (removed_total_idr >= 0),
    removed_reasons jsonb NOT NULL DEFAULT '{}',
    list_sha256 text NOT NULL DEFAULT '' CHECK (list_sha256 ~ '^([0-9a-f]{64})?$'),
    list_no int NOT NULL DEFAULT 0,
    round int NOT NULL DEFAULT 0,
    submitted_total_idr bigint NOT NULL DEFAULT 0,
    spp_idr bigint,
    spm_idr bigint,
    sp2d_idr bigint,
    sp2d_no text,
    fiscal_year int NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'frozen', 'checked', 'submitted', 'verified', 'approved', 'ordered',
        'funded', 'exported', 'sent', 'settling', 'reconciled', 'closed', 'cancelled'))
);
CREATE INDEX batch_state ON batch (state, id);

CREATE TABLE chunk (
    batch_id uuid NOT NULL REFERENCES batch,
    step text NOT NULL,
    no int NOT NULL,
    rows int NOT NULL,
    total_idr bigint NOT NULL,
    PRIMARY KEY (batch_id, step, no)
);

CREATE TABLE check_run (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    batch_id uuid NOT NULL REFERENCES batch,
    gate text NOT NULL CHECK (gate IN ('f', 'p', 'reissue')),
    as_of timestamptz NOT NULL,
    asked_by text NOT NULL,
    checked int NOT NULL,
    removed int NOT NULL,
    results jsonb NOT NULL,
    stopped text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX check_run_batch ON check_run (batch_id, id);

CREATE TABLE approval_rule (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    above_idr bigint NOT NULL CHECK (above_idr >= 0),
    up_to_idr bigint CHECK (up_to_idr > above_idr),
    roles text[] NOT NULL CHECK (cardinality(roles) BETWEEN 1 AND 5),
    EXCLUDE USING gist (int8range(above_idr, up_to_idr, '(]') WITH &&)
);
INSERT INTO approval_rule (above_idr, up_to_idr, roles) VALUES
    (0, 100000000, '{kabid}'), (100000000, 1000000000, '{kabid,kadis}'), (1000000000, NULL, '{kadis,sekretaris}');

CREATE TABLE approval (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    batch_id uuid NOT NULL REFERENCES batch,
    duty text NOT NULL CHECK (duty IN ('make', 'verify', 'approve', 'request', 'order', 'export', 'reconcile')),
    actor text NOT NULL,
    person_id uuid,
    role text NOT NULL,
    list_sha256 text NOT NULL,
    total_idr bigint NOT NULL,
    list_no int NOT NULL,
    at timestamptz NOT NULL,
    round int NOT NULL,
    voided_at timestamptz
);
CREATE UNIQUE INDEX one_duty_a_person ON approval (batch_id, round, actor);
CREATE UNIQUE INDEX one_duty_a_human ON approval (batch_id, round, person_id) WHERE person_id IS NOT NULL;

CREATE TABLE line (AGGREGATE_PLAIN,
    batch_id uuid NOT NULL REFERENCES batch,
    round int NOT NULL,
    payee_kind text NOT NULL CHECK (payee_kind IN ('person', 'lks', 'outlet')),
    payee_ref uuid NOT NULL,
    beneficiary_person_id uuid,
    amount_idr bigint NOT NULL CHECK (amount_idr > 0),
    payee_token bytea,
    bank_code text,
    region_code text NOT NULL,
    facts_version bigint,
    state text NOT NULL CHECK (state IN ('frozen', 'ready', 'in_flight', 'settled', 'repair', 'blocked', 'removed',
        'redeposited')),
    reasons text[] NOT NULL DEFAULT '{}',
    attempt_no int NOT NULL DEFAULT 0,
    removed_at timestamptz,
    removed_no int,
    removed_funded bool NOT NULL DEFAULT false,
    redeposited_doc_id uuid,
    repair_since date,
    repair_due date,
    fixed_by text,
    fixed_person_id uuid,
    fix_documents uuid[] NOT NULL DEFAULT '{}',
    confirmed_by text,
    confirmed_at timestamptz,
    reissue_asked_by text,
    reissue_agreed_by text,
    recalled bool NOT NULL DEFAULT false,
    CHECK ((state = 'removed') = (removed_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX line_batch ON line (batch_id, state, id);
CREATE INDEX line_payee ON line (payee_ref) WHERE state IN ('frozen', 'ready', 'in_flight', 'repair', 'blocked');
CREATE INDEX line_beneficiary ON line (beneficiary_person_id)
    WHERE state IN ('frozen', 'ready', 'in_flight', 'repair', 'blocked');
CREATE INDEX line_in_limbo ON line (batch_id) WHERE removed_funded AND redeposited_doc_id IS NULL;
CREATE INDEX line_repair ON line (region_code text_pattern_ops, id) WHERE state IN ('repair', 'blocked');

CREATE TABLE line_item (
    line_id uuid NOT NULL REFERENCES line,
    item_kind text NOT NULL CHECK (item_kind IN ('entitlement', 'order', 'invoice')),
    item_id uuid NOT NULL,
    amount_idr bigint NOT NULL CHECK (amount_idr > 0),
    PRIMARY KEY (line_id, item_kind, item_id)
);
CREATE INDEX line_item_item ON line_item (item_kind, item_id);

CREATE TABLE live_item (
    item_kind text NOT NULL,
    item_id uuid NOT NULL,
    line_id uuid NOT NULL REFERENCES line,
    CONSTRAINT one_live_line_a_right PRIMARY KEY (item_kind, item_id)
);
CREATE INDEX live_item_line ON live_item (line_id);

CREATE FUNCTION line_is_its_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE total numeric;
BEGIN
    SELECT coalesce(sum(amount_idr), 0) INTO total FROM line_item WHERE line_id = NEW.id;
    IF total <> NEW.amount_idr THEN
        RAISE EXCEPTION 'line % is not the sum of its items', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER line_is_its_items AFTER INSERT OR UPDATE OF amount_idr ON line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION line_is_its_items();
"""

PAYMENTS = """
CREATE TABLE treasury_doc (AGGREGATE,
    kind text NOT NULL CHECK (kind IN ('spd', 'spp', 'spm', 'sp2d', 'sts')),
    fiscal_year int NOT NULL CHECK (fiscal_year BETWEEN 2000 AND 2100),
    number text NOT NULL CHECK (length(number) BETWEEN 1 AND 60),
    dated_on date NOT NULL,
    amount_idr bigint NOT NULL CHECK (amount_idr > 0),
    budget_line_id uuid NOT NULL REFERENCES budget_line,
    batch_id uuid REFERENCES batch,
    parent_id uuid REFERENCES treasury_doc,
    mechanism text NOT NULL DEFAULT 'ls' CHECK (mechanism IN ('ls', 'tu')),
    document_id uuid,
    state text NOT NULL CHECK (state IN ('recorded', 'refused')),
    reason text,
    UNIQUE (kind, fiscal_year, number)
);
CREATE INDEX treasury_doc_batch ON treasury_doc (batch_id, kind);

CREATE TABLE payment_file (AGGREGATE,
    batch_id uuid NOT NULL REFERENCES batch,
    no int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('batch', 'reissue')),
    reference char(26) NOT NULL UNIQUE,
    count int NOT NULL CHECK (count BETWEEN 1 AND 10000),
    total_idr bigint NOT NULL CHECK (total_idr > 0),
    pain001_sha256 text NOT NULL CHECK (pain001_sha256 ~ '^[0-9a-f]{64}$'),
    pain001 bytea NOT NULL,
    csv_sha256 text NOT NULL CHECK (csv_sha256 ~ '^[0-9a-f]{64}$'),
    csv bytea NOT NULL,
    replaces_id uuid REFERENCES payment_file,
    receipt text,
    sent_at timestamptz,
    state text NOT NULL CHECK (state IN ('written', 'sent', 'voided')),
    UNIQUE (batch_id, no)
);

CREATE TABLE attempt (
    id uuid PRIMARY KEY,
    line_id uuid NOT NULL REFERENCES line,
    batch_id uuid NOT NULL REFERENCES batch,
    no int NOT NULL CHECK (no > 0),
    reference char(26) NOT NULL UNIQUE,
    rail text NOT NULL,
    amount_idr bigint NOT NULL CHECK (amount_idr > 0),
    state text NOT NULL CHECK (state IN ('prepared', 'exported', 'sent', 'accepted', 'pending', 'blocked', 'unknown',
        'settled', 'rejected', 'returned', 'recalled', 'voided')),
    file_id uuid NOT NULL REFERENCES payment_file,
    sent_at timestamptz,
    answer_due date,
    settled_on date,
    settled_bank_ref text,
    rejected_on date,
    returned_on date,
    reason_code text,
    bank_reason text,
    recall_asked bool NOT NULL DEFAULT false,
    UNIQUE (line_id, no)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX one_open_attempt_a_line ON attempt (line_id)
    WHERE state IN ('prepared', 'exported', 'sent', 'accepted', 'pending', 'blocked', 'unknown');
CREATE INDEX attempt_file ON attempt (file_id);
CREATE INDEX attempt_batch ON attempt (batch_id, state);
CREATE INDEX attempt_waiting ON attempt (answer_due) WHERE state IN ('sent', 'accepted', 'pending');

CREATE TABLE result_file (AGGREGATE,
    sha256 text NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    format text NOT NULL CHECK (format IN ('camt054', 'camt053', 'pain002', 'csv')),
    size_bytes int NOT NULL CHECK (size_bytes > 0),
    content bytea NOT NULL,
    message_id text,
    uploaded_by text NOT NULL,
    uploader_person_id uuid,
    covers_file_id uuid REFERENCES payment_file,
    applied_by text,
    applied_at timestamptz,
    rows int NOT NULL DEFAULT 0,
    outcomes jsonb NOT NULL DEFAULT '{}',
    refusal text,
    refusal_params jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('parsed', 'rejected', 'applied', 'partly_applied'))
);
CREATE INDEX result_file_state ON result_file (state, id);

CREATE TABLE result_row (
    file_id uuid NOT NULL REFERENCES result_file,
    row_no int NOT NULL,
    reference text NOT NULL,
    bank_ref text,
    status text NOT NULL,
    reason text,
    amount_idr bigint,
    unreadable bool NOT NULL DEFAULT false,
    value_date date,
    attempt_id uuid REFERENCES attempt,
    outcome text CHECK (outcome IN ('matched', 'amount_differs', 'duplicate', 'unknown', 'missing')),
    applied bool NOT NULL DEFAULT false,
    PRIMARY KEY (file_id, row_no)
);
CREATE UNIQUE INDEX one_application_a_booking ON result_row (reference, bank_ref, status, amount_idr) WHERE applied;
CREATE INDEX result_row_attempt ON result_row (attempt_id) WHERE attempt_id IS NOT NULL;

CREATE TABLE statement_entry (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    entry_ref text NOT NULL,
    file_reference text NOT NULL,
    payment_file_id uuid REFERENCES payment_file,
    result_file_id uuid NOT NULL REFERENCES result_file,
    amount_idr bigint NOT NULL CHECK (amount_idr >= 0),
    count int,
    value_date date,
    UNIQUE (entry_ref)
);
CREATE INDEX statement_entry_file ON statement_entry (payment_file_id);

CREATE TABLE recon_item (AGGREGATE,
    kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 3),
    ref text NOT NULL CHECK (length(ref) <= 80),
    batch_id uuid REFERENCES batch,
    line_id uuid REFERENCES line,
    attempt_id uuid REFERENCES attempt,
    result_file_id uuid REFERENCES result_file,
    row_no int,
    difference_idr bigint NOT NULL,
    owner_role text NOT NULL DEFAULT 'recon_officer',
    opened_on date NOT NULL,
    explained_by text,
    explainer_person_id uuid,
    explanation text CHECK (length(explanation) <= 40),
    document_id uuid,
    resolved_by text,
    resolved_at timestamptz,
    state text NOT NULL CHECK (state IN ('open', 'explained', 'resolved')),
    CHECK (state = 'open' OR (explained_by IS NOT NULL AND document_id IS NOT NULL)),
    CHECK ((state = 'resolved') = (resolved_by IS NOT NULL)),
    CHECK (resolved_by IS DISTINCT FROM explained_by OR resolved_by IS NULL)
);
CREATE UNIQUE INDEX one_open_item_a_difference ON recon_item (kind, ref) WHERE state <> 'resolved';
CREATE INDEX recon_item_batch ON recon_item (batch_id) WHERE state <> 'resolved';
CREATE INDEX recon_item_list ON recon_item (state, id);
"""

_PLAIN = AGGREGATE_COLUMNS.replace(",\n    UNIQUE (client, client_ref)", "")


_LATE = """
ALTER TABLE line ADD FOREIGN KEY (redeposited_doc_id) REFERENCES treasury_doc;
"""


def upgrade() -> None:
    """Create the money's tables. Journals, postings, signatures, decisions of gates are appended, never changed."""
    for script in (BUDGET, LEDGER, BATCHES, PAYMENTS, _LATE):
        migrate.script(op, script.replace("AGGREGATE_PLAIN", _PLAIN).replace("AGGREGATE", AGGREGATE_COLUMNS))
    migrate.enable_region_security(op, "line")
    migrate.enable_region_security(op, "batch")
    migrate.insert_only(op, "journal", "posting", "chunk", "check_run", "line_item", "statement_entry")
    migrate.insert_only(
        op, *(f"journal_{n}" for n in range(8)), *(f"posting_{y}" for y in range(2025, 2032)), "posting_other"
    )
    migrate.allow_delete(op, "live_item")


def downgrade() -> None:
    """Money is never taken back: migrations go forward only."""
    raise NotImplementedError
