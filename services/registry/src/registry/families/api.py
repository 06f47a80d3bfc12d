"""Routes of families."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from registry.creation import Creation, RegionCode
from registry.families import commands, queries
from registry.families.domain import MAX_MEMBERS, ChangeHead, Leave, LeaveReason, Member

router = Api(prefix="/v1", tags=["families"])

Reader = Annotated[Actor, requires("registry.families:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("registry.families:write", region=Region.OBJECT)]
Shdk = Annotated[
    int, Field(ge=1, le=11, description="Relation to the head (SHDK): 1 head, 2 husband, 3 wife, 4 child ...")
]


class NewMember(Body):
    person_id: UUID
    shdk: Shdk
    since: date | None = None

    def member(self) -> Member:
        """The member as the rules see it."""
        return Member(self.person_id, self.shdk, self.since)


class NewFamily(Creation):
    region_code: RegionCode
    members: Annotated[list[NewMember], Field(min_length=1, max_length=MAX_MEMBERS)]
    kk: Annotated[str, Field(max_length=32)] | None = None


class LeaveFamily(Body):
    person_id: UUID
    on: date
    reason: LeaveReason


class NewHead(Body):
    person_id: UUID
    former_shdk: Annotated[int, Field(ge=2, le=11, description="Relation of the former head to the new one.")]
    on: date


class MemberOut(Out):
    person_id: UUID
    shdk: int
    basis: str
    valid_from: date | None
    valid_to: date | None
    life: str


class CardOut(Out):
    id: UUID
    masked: str
    state: str
    warnings: list[str]
    valid_from: date | None
    valid_to: date | None


class FamilyOut(Versioned):
    id: UUID
    receipt: str
    state: str
    region_code: str
    head_person_id: UUID | None
    as_of: date
    members: list[MemberOut]
    cards: list[CardOut]
    client_ref: str | None


@router.post("/families", status_code=201, responses=problems(404, 409, 422))
async def form_family(
    body: NewFamily, uow: Uow, _: Annotated[Actor, requires("registry.families:write", region=Region.BODY)]
) -> FamilyOut:
    """Form a family (keluarga) of persons who are in none."""
    members = tuple(m.member() for m in body.members)
    new = commands.NewFamily(body.region_code, members, body.kk, body.id, body.client_ref)
    return await _out(uow, await commands.form(uow, new), uow.today)


@router.get("/families", responses=problems(404, 422))
async def find_family(
    uow: Reads, _: Reader, client_ref: Annotated[str, Query(min_length=1, max_length=64)]
) -> Page[FamilyOut]:
    """The family that this client formed under its own reference, or an empty page."""
    family = await queries.by_client_ref(uow, client_ref)
    if family is None or not uow.actor.sees(family.region_code):
        return Page(items=[], next=None)
    return Page(items=[await _out(uow, family, uow.today)], next=None)


@router.get("/families/{family_id}", responses=problems(404))
async def get_family(
    family_id: UUID,
    uow: Reads,
    _: Reader,
    as_of: Annotated[date | None, Query(description="Members of this day.")] = None,
) -> FamilyOut:
    """One family with the members of a day and its card numbers, masked; the read is logged."""
    family = await queries.get(uow, family_id)
    answer = await _out(uow, family, as_of or uow.today)
    await uow.log_reads("case_work", ["family", "life"], [m.person_id for m in answer.members])
    return answer


@router.post("/families/{family_id}:join", responses=problems(404, 409, 412, 428))
async def join_family(family_id: UUID, body: NewMember, uow: Uow, version: IfMatch, _: Writer) -> FamilyOut:
    """Add a member."""
    return await _out(uow, await commands.join(uow, family_id, body.member(), version), uow.today)


@router.post("/families/{family_id}:leave", responses=problems(404, 409, 412, 428))
async def leave_family(family_id: UUID, body: LeaveFamily, uow: Uow, version: IfMatch, _: Writer) -> FamilyOut:
    """End a membership; the last one to leave dissolves the family."""
    command = Leave(body.person_id, body.on, body.reason)
    return await _out(uow, await commands.leave(uow, family_id, command, version), uow.today)


@router.post("/families/{family_id}:change-head", responses=problems(404, 409, 412, 428))
async def change_head(family_id: UUID, body: NewHead, uow: Uow, version: IfMatch, _: Writer) -> FamilyOut:
    """Make a member the head of family (kepala keluarga)."""
    command = ChangeHead(body.person_id, body.former_shdk, body.on)
    return await _out(uow, await commands.change_head(uow, family_id, command, version), uow.today)


async def _out(uow: UnitOfWork, family: queries.Row, as_of: date) -> FamilyOut:
    cards = await queries.cards(uow, family.id)
    return FamilyOut(
        id=family.id, receipt=receipt("KL", family.id), state=family.state, region_code=family.region_code,
        head_person_id=family.head_person_id, as_of=as_of, version=family.version, client_ref=family.client_ref,
        members=[MemberOut.model_validate(m) for m in await queries.members_at(uow, family.id, as_of)],
        cards=[CardOut(id=c.id, masked="*" * 12 + c.last4, state=c.state, warnings=c.warnings, valid_from=c.valid_from, valid_to=c.valid_to) for c in cards],
    )  # fmt: skip
