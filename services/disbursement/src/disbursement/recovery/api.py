"""Recoveries over HTTP: what was found, telling it, hearing the objection."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from disbursement.recovery import commands, queries
from disbursement.recovery.domain import Decide

router = Api(prefix="/v1", tags=["recovery"])
Reader = Annotated[Actor, requires("disbursement.recovery:read", region=Region.OBJECT)]
Lister = Annotated[Actor, requires("disbursement.recovery:read", region=Region.QUERY)]
Writer = Annotated[Actor, requires("disbursement.recovery:write", region=Region.OBJECT)]


class DecideObjection(Body):
    """Whether the recovery stands, and why."""

    stands: bool
    reason: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class RecoveryOut(Versioned):
    id: UUID
    receipt: str
    subject_person_id: UUID
    programme_id: UUID
    entitlement_id: UUID
    claim_id: UUID | None
    region_code: str
    cause: str
    amount_idr: int
    paid_back_idr: int
    state: str
    objection_until: datetime | None
    reasons: list[str]

    @classmethod
    def of(cls, row: queries.Row) -> "RecoveryOut":
        """The answer for a row."""
        return cls.model_validate({**row.model_dump(), "receipt": receipt("TG", row.id)})


@router.get("/recoveries")
async def list_recoveries(
    uow: Reads,
    page: PageArgs,
    _: Lister,
    state: Annotated[str | None, Query(max_length=20)] = None,
    person_id: Annotated[UUID | None, Query()] = None,
) -> Page[RecoveryOut]:
    """Recoveries within the caller's regions, in the order in which they were found."""
    rows = await queries.listed(uow, state, person_id, page.after[1] if page.after else None, take=page.take)
    return page.page(rows, lambda row: ("", row.id), RecoveryOut.of)


@router.get("/recoveries/{recovery_id}", responses=problems(404))
async def get_recovery(recovery_id: UUID, uow: Reads, _: Reader) -> RecoveryOut:
    """One recovery."""
    row = await queries.recovery(uow, recovery_id)
    await uow.log_reads("recovery", ["recovery"], [row.subject_person_id])
    return RecoveryOut.of(row)


@router.post("/recoveries/{recovery_id}:notify", responses=problems(403, 404, 409, 412, 428))
async def notify_recovery(recovery_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> RecoveryOut:
    """Tell the person; they may object for 14 days."""
    return RecoveryOut.of(await commands.notify(uow, recovery_id, version))


@router.post("/recoveries/{recovery_id}:contest", responses=problems(403, 404, 409, 412, 428))
async def contest_recovery(recovery_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> RecoveryOut:
    """Object to a recovery (keberatan)."""
    return RecoveryOut.of(await commands.contest(uow, recovery_id, version))


@router.post("/recoveries/{recovery_id}:decide", responses=problems(403, 404, 409, 412, 422, 428))
async def decide_recovery(
    recovery_id: UUID, body: DecideObjection, uow: Uow, version: IfMatch, _: Writer
) -> RecoveryOut:
    """Hear the objection: the recovery stands, or is dropped."""
    return RecoveryOut.of(await commands.answer(uow, recovery_id, Decide(body.stands, body.reason), version))
