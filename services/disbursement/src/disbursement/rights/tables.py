"""Tables of cycles and rights; mirrors of migration 0001."""

from datetime import date
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import BigInteger, SmallInteger
from sqlmodel import Field


class CycleRow(Aggregate, table=True):
    """The rights of one programme and period (putaran)."""

    __tablename__ = "cycle"
    programme_id: UUID
    period: str
    kind: str = "regular"
    due_on: date
    rule_version_id: UUID
    budget_line_id: UUID
    control_count: int = 0
    control_sum_idr: int = Field(default=0, sa_type=BigInteger)
    excluded_count: int = 0
    from_reserve_idr: int = Field(default=0, sa_type=BigInteger)
    state: str
    generated_by: str | None = None


class EntitlementRow(Aggregate, table=True):
    """One right to one benefit of one period (hak)."""

    __tablename__ = "entitlement"
    programme_id: UUID
    enrolment_id: UUID | None = None
    claim_id: UUID | None = None
    cycle_id: UUID | None = None
    subject_id: UUID
    beneficiary_person_id: UUID
    payee_person_id: UUID
    period: str
    period_year: int
    component: str = "uang"
    instance: int = Field(default=1, sa_type=SmallInteger)
    unit: str = "idr"
    quantity: int = Field(sa_type=BigInteger)
    value_idr: int | None = Field(default=None, sa_type=BigInteger)
    rule_version_id: UUID
    budget_line_id: UUID
    region_code: str
    due_on: date
    qualifying_on: date
    expires_on: date | None = None
    state: str
    held_reason: str | None = None
    ended_reason: str | None = None
    returns: int = Field(default=0, sa_type=SmallInteger)
