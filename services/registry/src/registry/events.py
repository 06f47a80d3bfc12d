"""What the registry says to others (payloads; contracts/registry/events), and the little it reads of what others say.

Ids, codes, states, dates and versions only: no name, number or address ever stands here.
"""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class PersonRegistered(BaseModel):
    person_id: UUID
    provisional: bool
    region: str
    state: str = "active"


class PersonErased(BaseModel):
    person_id: UUID
    facts_version: int
    basis: str
    state: str = "erased"


class FactsChanged(BaseModel):
    person_id: UUID
    facts_version: int
    groups: list[str]
    run_id: UUID | None = None
    state: str = "active"


class LifeChanged(BaseModel):
    person_id: UUID
    facts_version: int
    life: str
    died_on: date | None = None
    effective_at: datetime
    death_record_id: UUID
    source: str
    region: str
    state: str = "active"


class IdentityChanged(BaseModel):
    person_id: UUID
    facts_version: int
    claim_id: UUID
    scheme: str
    state: str


class PayeeAccountChanged(BaseModel):
    person_id: UUID
    facts_version: int
    account_id: UUID
    rail: str
    reason: str | None = None
    state: str


class FamilyChanged(BaseModel):
    family_id: UUID
    persons: list[UUID]
    head_person_id: UUID | None = None
    other_family_id: UUID | None = None
    state: str


class DeathMoved(BaseModel):
    death_record_id: UUID
    person_id: UUID | None = None
    died_on: date | None = None
    source: str
    region: str
    state: str


class PaymentFailed(BaseModel):
    """View of disbursement's payment.rejected and payment.returned: only what the registry acts on."""

    model_config = ConfigDict(extra="ignore")

    payee_kind: str
    person_id: UUID | None = None
    reason: str
    rail: str
    value_date: date | None = None
