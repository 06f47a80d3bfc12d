"""The officers table; validates nothing and never leaves the service."""

from uuid import UUID

from kit.db.types import Aggregate


class Officer(Aggregate, table=True):
    """An account of the identity provider bound to a person of the registry."""

    __tablename__ = "officer"

    subject: str
    person_id: UUID | None = None
    unit: str | None = None
