"""The kit's tables and nothing else."""

from alembic import op
from kit.db.migrate import create_kit_tables

revision = "0001"
down_revision = None


def upgrade():
    create_kit_tables(op)
