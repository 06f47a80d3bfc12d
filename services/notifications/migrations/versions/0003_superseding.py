"""A planned message looks for what it replaces by the key alone, whatever became of the other one.

The index of 0001 knew only messages that still wait, so the look at those already sent read every message that was.
"""

from alembic import op
from kit.db import migrate

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = """
DROP INDEX message_replace;
CREATE INDEX message_supersede ON message (supersede_key) WHERE supersede_key IS NOT NULL;
"""


def upgrade() -> None:
    """Run the script."""
    migrate.script(op, SQL)
