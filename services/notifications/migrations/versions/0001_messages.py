"""Messages, attempts, their trace; suppressions, provider reports, the directory of offices."""

from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS

revision = "0001"
down_revision = None

SQL = """
CREATE TABLE programme (
    id uuid PRIMARY KEY,
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 40),
    sequence bigint NOT NULL
);

CREATE TABLE template_text (
    version bytea PRIMARY KEY CHECK (length(version) = 32),
    template text NOT NULL,
    locale text NOT NULL CHECK (locale IN ('id', 'en')),
    subject text NOT NULL,
    body text NOT NULL,
    first_used_at timestamptz NOT NULL
);

CREATE TABLE directory_entry (
    {aggregate},
    kind text NOT NULL CHECK (kind IN ('office', 'institution')),
    role text CHECK (length(role) <= 40),
    institution_id uuid,
    region_code text NOT NULL,
    locale text NOT NULL CHECK (locale IN ('id', 'en')),
    address_enc bytea NOT NULL,
    address_index bytea NOT NULL CHECK (length(address_index) = 16),
    address_masked text NOT NULL,
    retired_at timestamptz,
    CHECK (num_nonnulls(role, institution_id) = 1 AND (kind = 'office') = (role IS NOT NULL))
);
CREATE UNIQUE INDEX directory_once ON directory_entry (kind, coalesce(role, institution_id::text), region_code, address_index)
    WHERE retired_at IS NULL;
CREATE INDEX directory_role ON directory_entry (role, region_code) WHERE retired_at IS NULL;
CREATE INDEX directory_institution ON directory_entry (institution_id) WHERE retired_at IS NULL;

CREATE TABLE message (
    {aggregate},
    state text NOT NULL CHECK (state IN ('planned', 'rendered', 'render_failed', 'skipped', 'suppressed', 'queued',
        'deferred', 'superseded', 'cancelled', 'expired', 'sending', 'accepted', 'retry_wait', 'failed_permanent',
        'unknown', 'delivered', 'unconfirmed', 'dead_lettered')),
    message_class text NOT NULL CHECK (message_class IN ('emergency', 'legal', 'decision', 'reminder')),
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
    lane smallint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    event_time timestamptz NOT NULL,
    subject_id uuid NOT NULL,
    rule text NOT NULL,
    template text NOT NULL,
    recipient_kind text NOT NULL CHECK (recipient_kind IN ('person', 'office', 'institution', 'role')),
    recipient text NOT NULL CHECK (length(recipient) <= 80),
    person_id uuid,
    officer_role text CHECK (length(officer_role) <= 40),
    lks_id uuid,
    region_code text NOT NULL,
    facts jsonb NOT NULL,
    fallback text[] NOT NULL DEFAULT '{{}}',
    fallback_of uuid REFERENCES message (id),
    needs_paper boolean NOT NULL DEFAULT false,
    locale text CHECK (locale IN ('id', 'en')),
    template_version bytea REFERENCES template_text (version),
    subject text,
    body text,
    segments int,
    supersede_key text CHECK (length(supersede_key) <= 120),
    not_before timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    next_at timestamptz,
    code text CHECK (length(code) <= 40),
    max_attempts int NOT NULL CHECK (max_attempts BETWEEN 1 AND 20),
    resends_unknown int NOT NULL CHECK (resends_unknown BETWEEN 0 AND 1),
    keeps_quiet boolean NOT NULL,
    mandatory boolean NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    allowance int NOT NULL,
    resends int NOT NULL DEFAULT 0,
    CHECK (attempts <= allowance),
    CHECK ((recipient_kind = 'person') = (person_id IS NOT NULL)),
    CHECK (state NOT IN ('queued', 'deferred', 'sending', 'accepted', 'retry_wait', 'unknown') OR body IS NOT NULL),
    CONSTRAINT message_once UNIQUE (event_id, recipient_kind, recipient, template, channel)
);
CREATE INDEX message_planned ON message (lane, not_before) WHERE state IN ('planned', 'rendered');
CREATE INDEX message_queued ON message (channel, lane, not_before, id) WHERE state = 'queued';
CREATE INDEX message_clock ON message (next_at) WHERE state IN ('deferred', 'retry_wait', 'sending', 'unknown', 'accepted');
CREATE INDEX message_expiry ON message (expires_at) WHERE state IN ('planned', 'rendered', 'queued', 'deferred', 'retry_wait');
CREATE INDEX message_replace ON message (supersede_key) WHERE state IN ('planned', 'queued', 'deferred');
CREATE INDEX message_subject ON message (subject_id, id);
CREATE INDEX message_person ON message (person_id, id) WHERE person_id IS NOT NULL;
CREATE INDEX message_state ON message (state, id);
CREATE INDEX message_paper ON message (region_code, id) WHERE needs_paper;

CREATE TABLE attempt (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    message_id uuid NOT NULL REFERENCES message (id),
    no int NOT NULL CHECK (no >= 1),
    channel text NOT NULL,
    provider text NOT NULL,
    address_index bytea NOT NULL CHECK (length(address_index) = 16),
    address_masked text NOT NULL,
    started_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT 'pending' CHECK (outcome IN ('pending', 'accepted', 'refused_for_now', 'refused_for_good', 'unknown')),
    code text CHECK (length(code) <= 40),
    provider_ref text CHECK (length(provider_ref) <= 120),
    UNIQUE (message_id, no)
);
CREATE INDEX attempt_ref ON attempt (provider, provider_ref) WHERE provider_ref IS NOT NULL;
CREATE INDEX attempt_recent ON attempt (channel, started_at);

CREATE TABLE decision (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES message (id),
    step text NOT NULL,
    state text NOT NULL,
    code text CHECK (length(code) <= 40),
    facts jsonb NOT NULL DEFAULT '{{}}',
    at timestamptz NOT NULL,
    actor text NOT NULL
);
CREATE INDEX decision_message ON decision (message_id, no);

CREATE TABLE channel_pause (
    channel text PRIMARY KEY CHECK (channel IN ('email', 'sms', 'whatsapp')),
    until timestamptz NOT NULL,
    code text NOT NULL
);

CREATE TABLE suppression (
    {aggregate},
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
    address_index bytea NOT NULL CHECK (length(address_index) = 16),
    address_masked text NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 40),
    source text NOT NULL CHECK (source IN ('officer', 'provider')),
    lifted_at timestamptz,
    lifted_by text
);
CREATE UNIQUE INDEX suppression_live ON suppression (channel, address_index) WHERE lifted_at IS NULL;

CREATE TABLE provider_post (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    provider text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    body_enc bytea NOT NULL,
    received_at timestamptz NOT NULL,
    repeats int NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'stored' CHECK (state IN ('stored', 'read', 'unreadable')),
    UNIQUE (provider, digest)
);
CREATE INDEX provider_post_new ON provider_post (id) WHERE state = 'stored';

CREATE TABLE provider_report (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    post_id uuid NOT NULL REFERENCES provider_post (id),
    provider text NOT NULL,
    provider_ref text,
    reference uuid,
    status text NOT NULL CHECK (status IN ('delivered', 'failed', 'refused_for_now', 'sent', 'read', 'other')),
    code text CHECK (length(code) <= 40),
    state text NOT NULL CHECK (state IN ('new', 'parked', 'applied', 'ignored', 'lapsed')),
    reason text CHECK (length(reason) <= 40),
    message_id uuid REFERENCES message (id),
    received_at timestamptz NOT NULL,
    looked_at timestamptz,
    settled_at timestamptz,
    CHECK (num_nonnulls(provider_ref, reference) >= 1)
);
CREATE INDEX provider_report_open ON provider_report (looked_at NULLS FIRST, id) WHERE state IN ('new', 'parked');
CREATE INDEX provider_report_message ON provider_report (message_id, id);
"""

# What hangs on a message is seen by whoever sees that one.
CHILDREN = """
ALTER TABLE attempt ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_message ON attempt USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM message m WHERE m.id = message_id));
ALTER TABLE decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_message ON decision USING (current_setting('santun.regions', true) = '*' OR EXISTS (SELECT FROM message m WHERE m.id = message_id));
"""


def upgrade() -> None:
    migrate.create_kit_tables(op)
    migrate.script(op, SQL.format(aggregate=AGGREGATE_COLUMNS))
    migrate.insert_only(op, "decision")
    for table in ("message", "directory_entry"):
        migrate.enable_region_security(op, table)
    migrate.script(op, CHILDREN)
