"""Reading the ledger over HTTP: balances and journals. Nothing is posted by hand."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads
from kit.http.models import Out
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems

from disbursement.ledger import queries

router = Api(prefix="/v1", tags=["ledger"])
OFFICE_WIDE = Region.none("budget and cash belong to the office, not to a region")


class BalanceOut(Out):
    account: str
    balance_idr: int


class JournalOut(Out):
    id: UUID
    kind: str
    source_type: str
    source_id: UUID
    step: str
    amount_idr: int
    booked_on: date
    batch_id: UUID | None
    posted_at: datetime


@router.get("/budget-lines/{line_id}/balances", responses=problems(404))
async def balances(
    line_id: UUID, uow: Reads, _: Annotated[Actor, requires("disbursement.ledger:read", region=OFFICE_WIDE)]
) -> list[BalanceOut]:
    """Signed balances of a budget line by account: debit above zero, credit below."""
    found = await queries.of_line(uow, line_id)
    return [BalanceOut(account=account.value, balance_idr=amount) for account, amount in found.items()]


@router.get("/budget-lines/{line_id}/journals", responses=problems(404))
async def journals(
    line_id: UUID,
    uow: Reads,
    page: PageArgs,
    _: Annotated[Actor, requires("disbursement.ledger:read", region=OFFICE_WIDE)],
    batch_id: Annotated[UUID | None, Query()] = None,
) -> Page[JournalOut]:
    """Journals of a budget line in the order of posting."""
    after = page.after[1] if page.after else None
    rows = await queries.journals(uow, line_id, batch_id=batch_id, after=after, take=page.take)
    return page.page(rows, lambda row: ("", row.id), JournalOut.model_validate)
