"""Routes of residences."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out
from kit.http.problems import problems
from pydantic import Field

from registry.creation import RegionCode
from registry.persons import queries as people
from registry.residences import commands, queries
from registry.residences.domain import Kind, Settle

router = Api(prefix="/v1", tags=["residences"])


class NewResidence(Body):
    """Where the person lives (domisili) or is registered (ktp) from a day on."""

    kind: Kind
    region_code: RegionCode
    since: date | None = None
    rt: Annotated[int, Field(ge=0, le=999)] | None = None
    rw: Annotated[int, Field(ge=0, le=999)] | None = None
    street: Annotated[str, Field(max_length=200)] | None = None


class ResidenceOut(Out):
    id: UUID
    kind: str
    region_code: str
    rt: int | None
    rw: int | None
    street: str | None
    valid_from: date | None
    valid_to: date | None


class Residences(Out):
    items: list[ResidenceOut]


class Settled(Out):
    id: UUID


@router.post("/persons/{person_id}:settle", status_code=201, responses=problems(404, 409, 412, 422, 428))
async def settle(
    person_id: UUID,
    body: NewResidence,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("registry.residences:write", region=Region.OBJECT)],
) -> Settled:
    """Record a residence; the former one of the kind ends that day. The version is the person's."""
    uow.within(body.region_code)
    command = Settle(body.kind, body.region_code, body.since)
    address = commands.Address(body.rt, body.rw, body.street)
    return Settled(id=await commands.settle(uow, person_id, command, address, expected=version))


@router.get("/persons/{person_id}/residences", responses=problems(404))
async def list_residences(
    person_id: UUID,
    uow: Reads,
    _: Annotated[Actor, requires("registry.residences:read", region=Region.OBJECT)],
    as_of: Annotated[date | None, Query(description="Residences of this day.")] = None,
) -> Residences:
    """Residences of a person with streets; the read is logged."""
    await people.get(uow, person_id)
    found = await queries.of_person(uow, person_id, as_of)
    await uow.log_reads("case_work", ["address"], [person_id])
    return Residences(items=[ResidenceOut.model_validate(row) for row in found])
