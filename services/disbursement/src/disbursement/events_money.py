"""What the money side of this service tells: batches, payments line by line, differences, budget lines.

Payloads hold ids, codes, states, dates and whole rupiah, never a name, number or account; regions no finer than the
kecamatan.
"""

from datetime import date
from typing import NotRequired, TypedDict
from uuid import UUID

from pydantic import BaseModel

MOST_REASONS = 20
MOST_ITEMS = 60


class ReasonCount(BaseModel):
    code: str
    n: int


class BatchTold(BaseModel):
    batch_id: UUID
    programme_id: UUID | None = None
    rail: str
    count: int
    total_idr: int
    removed_count: int
    removed_total_idr: int
    reasons: list[ReasonCount]
    sp2d_no: str | None = None
    due_on: date
    state: str


class ItemTold(TypedDict):
    kind: str
    id: str
    amount_idr: int


class PaymentTold(TypedDict):
    """Payload of `payment.*`, as it goes out: thousands are made at one time, and each is held against its contract."""

    payment_id: str
    batch_id: str
    attempt_no: int
    payee_kind: str
    person_id: NotRequired[str]
    items: list[ItemTold]
    amount_idr: int
    value_date: NotRequired[str]
    reason: NotRequired[str]
    rail: str
    repair_due: NotRequired[str]
    region: str
    state: str


class ReconTold(BaseModel):
    item_id: UUID
    batch_id: UUID | None = None
    level: int
    difference_idr: int
    state: str


class BudgetLineTold(BaseModel):
    """Payload of `budget_line.*`. Amounts in whole rupiah."""

    line_id: UUID
    fiscal_year: int
    account_code: str
    pagu_idr: int
    available_idr: int
    state: str
