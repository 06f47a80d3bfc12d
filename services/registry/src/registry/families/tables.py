"""The families table; validates nothing and never leaves the service."""

from uuid import UUID

from kit.db.types import Aggregate


class Family(Aggregate, table=True):
    """One family (keluarga). Members and card numbers are dated rows of their own."""

    __tablename__ = "family"

    state: str = "active"
    region_code: str
    head_person_id: UUID | None = None
    source: str = "manual"
    source_ref: str | None = None
