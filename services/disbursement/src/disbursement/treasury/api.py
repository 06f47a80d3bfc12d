"""Treasury papers over HTTP. They are recorded with the step of the batch they belong to; here they are read."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads
from kit.http.models import Versioned
from kit.http.paging import Page, PageArgs

from disbursement.treasury import queries
from disbursement.treasury.commands import Kind

router = Api(prefix="/v1", tags=["treasury"])


class TreasuryDocOut(Versioned):
    id: UUID
    kind: str
    fiscal_year: int
    number: str
    dated_on: date
    amount_idr: int
    budget_line_id: UUID
    batch_id: UUID | None
    parent_id: UUID | None
    mechanism: str
    document_id: UUID | None
    state: str
    reason: str | None


@router.get("/treasury-docs")
async def list_docs(
    uow: Reads,
    page: PageArgs,
    _: Annotated[
        Actor, requires("disbursement.treasury:read", region=Region.none("the treasury belongs to the whole office"))
    ],
    kind: Annotated[Kind | None, Query()] = None,
    batch_id: Annotated[UUID | None, Query()] = None,
    number: Annotated[str | None, Query(max_length=60)] = None,
) -> Page[TreasuryDocOut]:
    """SPP, SPM, SP2D and STS in order of entry."""
    after = page.after[1] if page.after else None
    rows = await queries.page(uow, kind=kind, batch_id=batch_id, number=number, after=after, take=page.take)
    return page.page(rows, lambda row: ("", row.id), TreasuryDocOut.model_validate)
