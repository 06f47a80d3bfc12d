"""Cycles and rights over HTTP."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import lock
from kit.errors import Refused
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from kit.machine import Reason, Refusal
from pydantic import Field

from disbursement.rights import commands, commands_cycle, queries
from disbursement.rights.domain import Hold, Release, may

router = Api(prefix="/v1", tags=["rights"])
OFFICE = Region.none("a cycle belongs to the office; its rights are limited by row to the caller's regions")
CycleReader = Annotated[Actor, requires("disbursement.rights:read", region=OFFICE)]
CycleWriter = Annotated[Actor, requires("disbursement.rights:write", region=OFFICE)]
Reader = Annotated[Actor, requires("disbursement.rights:read", region=Region.OBJECT)]
Lister = Annotated[Actor, requires("disbursement.rights:read", region=Region.QUERY)]
Writer = Annotated[Actor, requires("disbursement.rights:write", region=Region.OBJECT)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class GenerateCycle(Body):
    """Which period; by default due on its first day."""

    programme_id: UUID
    period: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2]|Q[1-4])$")]
    due_on: date | None = None
    id: UUID | None = None


class WithReason(Body):
    reason: Code


class CycleOut(Versioned):
    id: UUID
    receipt: str
    programme_id: UUID
    period: str
    kind: str
    due_on: date
    rule_version_id: UUID
    budget_line_id: UUID
    control_count: int
    control_sum_idr: int
    excluded_count: int
    from_reserve_idr: int
    state: str
    generated_by: str | None

    @classmethod
    def of(cls, row: queries.Cycle) -> "CycleOut":
        """The answer for a row."""
        return cls.model_validate({**row.model_dump(), "receipt": receipt("PT", row.id)})


class EntitlementOut(Versioned):
    id: UUID
    programme_id: UUID
    enrolment_id: UUID | None
    claim_id: UUID | None
    cycle_id: UUID | None
    subject_id: UUID
    beneficiary_person_id: UUID
    payee_person_id: UUID
    period: str
    component: str
    unit: str
    quantity: int
    value_idr: int | None
    rule_version_id: UUID
    budget_line_id: UUID
    region_code: str
    due_on: date
    qualifying_on: date
    state: str
    held_reason: str | None
    ended_reason: str | None
    returns: int
    updated_at: datetime


@router.post("/cycles", status_code=201, responses=problems(403, 404, 409, 422))
async def generate_cycle(body: GenerateCycle, uow: Uow, _: CycleWriter) -> CycleOut:
    """Make the rights of a period. Asked for again, the same cycle is answered and nothing is added twice."""
    row = await commands_cycle.generate(uow, body.programme_id, body.period, due_on=body.due_on, cycle_id=body.id)
    return CycleOut.of(row)


@router.get("/cycles")
async def list_cycles(
    uow: Reads, page: PageArgs, _: CycleReader, programme_id: Annotated[UUID | None, Query()] = None
) -> Page[CycleOut]:
    """Cycles, oldest period first."""
    rows = await queries.cycles(uow, programme_id, page.after, page.take)
    return page.page(rows, lambda row: (row.period, row.id), CycleOut.of)


@router.get("/cycles/{cycle_id}", responses=problems(404))
async def get_cycle(cycle_id: UUID, uow: Reads, _: CycleReader) -> CycleOut:
    """One cycle with its control totals."""
    return CycleOut.of(await queries.cycle(uow, cycle_id))


@router.post("/cycles/{cycle_id}:approve", responses=problems(403, 404, 409, 412, 428))
async def approve_cycle(cycle_id: UUID, uow: Uow, version: IfMatch, _: CycleWriter) -> CycleOut:
    """Approve what somebody else generated; the budget commits the sum."""
    return CycleOut.of(await commands_cycle.approve(uow, cycle_id, version))


@router.post("/cycles/{cycle_id}:close", responses=problems(403, 404, 409, 412, 428))
async def close_cycle(cycle_id: UUID, uow: Uow, version: IfMatch, _: CycleWriter) -> CycleOut:
    """Close a cycle in which every right has its end."""
    return CycleOut.of(await commands_cycle.close(uow, cycle_id, version))


@router.post("/cycles/{cycle_id}:discard", responses=problems(403, 404, 409, 412, 428))
async def discard_cycle(cycle_id: UUID, body: WithReason, uow: Uow, version: IfMatch, _: CycleWriter) -> CycleOut:
    """Give up a generated cycle before anybody approved it."""
    return CycleOut.of(await commands_cycle.discard(uow, cycle_id, body.reason, version))


@router.get("/entitlements")
async def list_entitlements(
    uow: Reads,
    page: PageArgs,
    _: Lister,
    by: Annotated[queries.Filter, Depends()],
) -> Page[EntitlementOut]:
    """Rights within the caller's regions, oldest period first."""
    rows = await queries.listed(uow, by, page.after, page.take)
    return page.page(rows, lambda row: (row.period, row.id), EntitlementOut.model_validate)


@router.get("/entitlements/{entitlement_id}", responses=problems(404))
async def get_entitlement(entitlement_id: UUID, uow: Reads, _: Reader) -> EntitlementOut:
    """One right."""
    row = await queries.right(uow, entitlement_id)
    uow.within(row.region_code)
    return EntitlementOut.model_validate(row)


@router.post("/entitlements/{entitlement_id}:hold", responses=problems(403, 404, 409, 412, 422, 428))
async def hold_entitlement(
    entitlement_id: UUID, body: WithReason, uow: Uow, version: IfMatch, _: Writer
) -> EntitlementOut:
    """Hold a right until a reason is gone (kabid); an unsent line is taken out of its batch."""
    uow.settle(may(Hold, uow.context) or True)
    row = await lock(uow, queries.Row, entitlement_id, version)
    return await _after(uow, row, await commands.stop_rights(uow, [row.id], body.reason))


@router.post("/entitlements/{entitlement_id}:release", responses=problems(403, 404, 409, 412, 428))
async def release_entitlement(entitlement_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> EntitlementOut:
    """Release a held right (kabid)."""
    uow.settle(may(Release, uow.context) or True)
    row = await lock(uow, queries.Row, entitlement_id, version)
    return await _after(uow, row, await commands.release(uow, [row.id]))


async def _after(uow: Uow, row: queries.Row, moved: list[UUID]) -> EntitlementOut:
    if not moved:
        raise Refused(Refusal("state", (Reason.of("langkah_tidak_berlaku", state=str(row.state)),)))
    await uow.session.refresh(row)
    return EntitlementOut.model_validate(row)
