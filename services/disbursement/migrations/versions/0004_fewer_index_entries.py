"""Indexes that a payment on its way does not touch: its line stays where it is, four times over.

A line that changes its state was written anew into every index, because the state stood in one of them and in the
conditions of three. Now its versions stay on their page (room for two of each), and no index knows of them. Gone besides:
indexes that no question uses, and a key of clients for rights, which no client ever names.
"""

from alembic import op
from kit.db import migrate

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = """
DROP INDEX line_batch, line_payee, line_beneficiary, line_repair, attempt_batch, entitlement_open;
CREATE INDEX line_batch ON line (batch_id, id);
CREATE INDEX line_beneficiary ON line (beneficiary_person_id, id);
CREATE INDEX line_mending ON line (id) WHERE reasons <> '{}';
ALTER TABLE line SET (fillfactor = 50);
ALTER TABLE entitlement DROP CONSTRAINT entitlement_client_client_ref_key;
"""


def upgrade() -> None:
    """Nothing that is stored changes."""
    migrate.script(op, INDEXES)


def downgrade() -> None:
    """Migrations go forward only."""
    raise NotImplementedError
