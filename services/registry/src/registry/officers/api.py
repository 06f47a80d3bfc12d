"""Routes of officers."""

from typing import Annotated
from uuid import UUID

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.problems import problems
from pydantic import Field

from registry.officers import commands, queries

router = Api(prefix="/v1", tags=["officers"])

MAX_OFFICERS = 200
MAX_PERSONS = 5_000
Subject = Annotated[str, Field(min_length=1, max_length=120, description="Stable id of the account (sub).")]


class NewOfficer(Body):
    subject: Subject
    person_id: UUID
    unit: Annotated[str, Field(max_length=60)] | None = None


class OfficerOut(Versioned):
    id: UUID
    subject: str
    person_id: UUID | None
    unit: str | None


class OfficerAsked(Body):
    subject: Subject
    person_id: UUID | None = None


class ConflictsQuestion(Body):
    """Who handled a file, and whom it is about. `person_id` of an officer, where the token told it."""

    officers: Annotated[list[OfficerAsked], Field(min_length=1, max_length=MAX_OFFICERS)]
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_PERSONS)]


class TieOut(Out):
    officer: str
    person_id: UUID
    kind: str


class ConflictsAnswer(Out):
    pairs: list[TieOut]


@router.post("/officers", status_code=201, responses=problems(404, 409, 422))
async def bind_officer(
    body: NewOfficer, uow: Uow, _: Annotated[Actor, requires("registry.persons:write", region=Region.OBJECT)]
) -> OfficerOut:
    """Bind an account of the identity provider to a person of the registry."""
    return OfficerOut.model_validate(await commands.bind(uow, body.subject, body.person_id, body.unit))


@router.post("/officers:conflicts", responses=problems(422))
async def conflicts(
    body: ConflictsQuestion, uow: Reads, _: Annotated[Actor, requires("registry.officers:read", region=Region.OBJECT)]
) -> ConflictsAnswer:
    """Pairs of an officer and a person who is that officer, or family."""
    known = {o.subject: o.person_id for o in body.officers if o.person_id is not None}
    ties = await queries.conflicts(uow, [o.subject for o in body.officers], known, body.person_ids)
    await uow.log_reads("conflict_check", ["family"], sorted({tie.person_id for tie in ties}))
    return ConflictsAnswer(pairs=[TieOut.model_validate(tie) for tie in ties])
