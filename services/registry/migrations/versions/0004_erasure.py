"""Who ordered that a person's data be destroyed, and what was (penghapusan)."""

from alembic import op
from kit.db import migrate

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


OF_A_PERSON = ("person_name", "identity_claim", "contact", "payee_account")


def upgrade() -> None:
    """One more column, empty for everybody. Rows are destroyed only of somebody who is erased: the database sees to it."""
    op.execute("ALTER TABLE person ADD COLUMN erasure jsonb")
    for table in OF_A_PERSON:
        op.execute(
            f"CREATE POLICY only_of_erased ON {table} AS RESTRICTIVE FOR DELETE"
            " USING (EXISTS (SELECT FROM person p WHERE p.id = person_id AND p.state = 'erased'))"
        )
    op.execute("""
        CREATE POLICY only_of_erased ON family_card AS RESTRICTIVE FOR DELETE USING (NOT EXISTS (
            SELECT FROM family_member m JOIN person p ON p.id = m.person_id
            WHERE m.family_id = family_card.family_id AND p.state <> 'erased'))
    """)
    migrate.allow_delete(op, *OF_A_PERSON, "family_card")


def downgrade() -> None:
    """Migrations go forward only; data that were destroyed do not come back."""
    raise NotImplementedError
