"""What the rights side of this service tells (programmes, enrolments, rights, claims, recoveries), and what it reads.

Payloads hold ids, codes, states, dates and whole rupiah, never a name, number or address; regions no finer than the
kecamatan. Commands build them; consumers read the views.
"""

from datetime import date, datetime
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class GraceTold(BaseModel):
    doc: str
    until: datetime


class ProgrammeTold(BaseModel):
    programme_id: UUID
    code: str
    state: str
    legal_basis: str | None = None
    rule_version_id: UUID | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    intake_cutoff: datetime | None = None
    grace: list[GraceTold] | None = None


class EnrolmentTold(BaseModel):
    enrolment_id: UUID
    programme_id: UUID
    subject_id: UUID
    person_id: UUID
    reasons: list[str]
    region: str
    state: str
    position: int | None = None
    appeal_until: date | None = None
    decree_id: UUID | None = None


class CycleTold(BaseModel):
    cycle_id: UUID
    programme_id: UUID
    period: str
    count: int
    total_idr: int
    state: str


class EntitlementTold(TypedDict):
    """Payload of `entitlement.*`, as it goes out: thousands are made at one time, and each is held against its contract."""

    entitlement_id: str
    programme_id: str
    person_id: str
    period: str
    quantity: int
    unit: str
    state: str
    reason: NotRequired[str]


class ClaimTold(BaseModel):
    claim_id: UUID
    programme_id: UUID
    death_record_id: UUID
    claimant_person_id: UUID
    missing: list[str]
    reasons: list[str]
    late_upload: bool
    region: str
    state: str
    amount_idr: int | None = None
    cure_due: datetime | None = None


class RecoveryTold(BaseModel):
    recovery_id: UUID
    subject_id: UUID
    amount_idr: int
    paid_idr: int
    cause: str
    state: str
    objection_until: date | None = None


class View(BaseModel):
    """A smaller view of an event of somebody else: what is not named here may change freely."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class LifeChanged(View):
    person_id: UUID
    facts_version: int
    life: str
    died_on: date | None = None
    death_record_id: UUID | None = None
    region: str


class DeathMoved(View):
    death_record_id: UUID
    person_id: UUID | None = None
    state: str


class PersonErased(View):
    person_id: UUID
    facts_version: int


class FactsChanged(View):
    person_id: UUID
    facts_version: int
    groups: list[str]


def plain(model: BaseModel) -> dict[str, Any]:
    """The payload as JSON data without what is not there."""
    return model.model_dump(mode="json", exclude_none=True)
