"""Tables of institutions and their officers; they mirror migration 0001."""

from datetime import date, datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class InstitutionRow(Aggregate, table=True):
    """One institution. Its `seq` counts the events of topic `grants.lks`."""

    __tablename__ = "institution"

    name: str
    name_key: str
    kind: str
    legal_form: str
    region_code: str
    account_state: str = "unknown"
    account_enc: bytes | None = None
    account_index: bytes | None = None
    dissolved_on: date | None = None


class OfficerRow(SQLModel, table=True):
    """Somebody who runs an institution, by the id that registry gave them."""

    __tablename__ = "institution_officer"

    id: UUID = Field(primary_key=True)
    institution_id: UUID
    position: str
    person_id: UUID
    proved_on: date | None = None
    proved_by: str | None = None
    term_until: date | None = None
    alive: bool = True
    ended_on: date | None = None
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
