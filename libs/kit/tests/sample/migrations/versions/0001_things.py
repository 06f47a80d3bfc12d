from alembic import op
from kit.db import migrate
from kit.db.types import AGGREGATE_COLUMNS

revision = "0001"
down_revision = None


def upgrade() -> None:
    migrate.create_kit_tables(op)
    migrate.script(
        op,
        "CREATE TABLE thing ("
        + AGGREGATE_COLUMNS
        + ", region_code text NOT NULL, amount_idr bigint NOT NULL DEFAULT 0);",
    )
    migrate.script(op, "CREATE TABLE effect (event_id uuid NOT NULL, key uuid NOT NULL, sequence bigint NOT NULL);")
    migrate.enable_region_security(op, "thing")
