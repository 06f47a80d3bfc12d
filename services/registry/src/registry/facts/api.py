"""Questions other services ask about persons: facts in bulk, versions in bulk, a first load. Every answer is logged."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.errors import Forbidden, Invalid
from kit.http.api import Api
from kit.http.deps import Reads
from kit.http.models import Body, Out
from kit.http.problems import problems
from pydantic import Field

from registry.creation import Purpose
from registry.facts import queries

router = Api(prefix="/v1", tags=["facts"])

MAX_FACTS = 1_000
MAX_STALE = 10_000
EXPORT_ROWS = 1_000
MAX_VERSION = 2**53 - 1
"""No person has been told about this often; whoever names more names a version that is not there."""
Reader = Annotated[Actor, requires("registry.facts:read", region=Region.OBJECT)]


class FactsQuestion(Body):
    """Only the facts that the published rule declares; `rule_version_id` says which rule."""

    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_FACTS)]
    facts: Annotated[list[str], Field(min_length=1, max_length=40)]
    purpose: Purpose
    rule_version_id: UUID | None = None


class FactsOut(Out):
    person_id: UUID
    facts_version: int
    facts: dict[str, Any]


class FactsAnswer(Out):
    """`missing` are persons who are not here, or not within the caller's regions."""

    items: list[FactsOut]
    missing: list[UUID]


class Seen(Body):
    person_id: UUID
    facts_version: Annotated[int, Field(ge=0)]


class StaleQuestion(Body):
    items: Annotated[list[Seen], Field(min_length=1, max_length=MAX_STALE)]


class StaleOut(Out):
    """`facts_version` null: there is no such person. `groups` changed since the version asked about."""

    person_id: UUID
    facts_version: int | None
    groups: list[str]


class StaleAnswer(Out):
    stale: list[StaleOut]


@router.post("/facts:batch-get", responses=problems(403, 422))
async def batch_get(body: FactsQuestion, uow: Reads, actor: Reader) -> FactsAnswer:
    """Facts of up to 1,000 persons. Restricted facts need `registry.facts:restricted` as well."""
    _check(body.facts, actor)
    rows = [row for row in await queries.batch(uow, body.person_ids) if uow.actor.sees(row.region_code)]
    here = {row.person_id for row in rows}
    await uow.log_reads(_purpose(body), body.facts, sorted(here))
    return FactsAnswer(
        items=[
            FactsOut(person_id=row.person_id, facts_version=row.facts_version, facts=_facts(row, body.facts))
            for row in rows
        ],
        missing=[id for id in dict.fromkeys(body.person_ids) if id not in here],
    )


@router.post("/facts:stale-check", responses=problems(422))
async def stale_check(body: StaleQuestion, uow: Reads, _: Reader) -> StaleAnswer:
    """Of up to 10,000 (person, version) pairs only those that differ, with the groups that changed: the gate before money."""
    rows = await queries.stale(uow, [(item.person_id, min(item.facts_version, MAX_VERSION)) for item in body.items])
    return StaleAnswer(
        stale=[StaleOut(person_id=s.person_id, facts_version=s.facts_version, groups=list(s.groups)) for s in rows]
    )


@router.get("/facts/export", responses=problems(422))
async def export(
    uow: Reads,
    actor: Reader,
    facts: Annotated[list[str], Query(min_length=1, max_length=40, description="Names of facts.")],
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=EXPORT_ROWS)] = EXPORT_ROWS,
) -> FactsAnswer:
    """The next persons after an id, for the first load of a projection; ask again with the last id until none come."""
    _check(facts, actor)
    rows = await queries.after(uow, after, limit)
    await uow.log_reads("projection_load", facts, [row.person_id for row in rows])
    return FactsAnswer(
        items=[
            FactsOut(person_id=row.person_id, facts_version=row.facts_version, facts=_facts(row, facts)) for row in rows
        ],
        missing=[],
    )


def _check(names: Sequence[str], actor: Actor) -> None:
    """Only facts that exist, and restricted ones only by scope."""
    known = {*queries.NAMES, *queries.RESTRICTED}
    unknown = [place for place, name in enumerate(names) if name not in known]
    if unknown:
        raise Invalid.field(f"/facts/{unknown[0]}", "fakta_tidak_dikenal")
    if any(name in queries.RESTRICTED for name in names) and "registry.facts:restricted" not in actor.scopes:
        raise Forbidden("registry.facts:restricted")


def _facts(row: Any, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}


def _purpose(body: FactsQuestion) -> str:
    return body.purpose if body.rule_version_id is None else f"{body.purpose}:{body.rule_version_id}"
