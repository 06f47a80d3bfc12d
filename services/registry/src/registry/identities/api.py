"""Routes of identity claims. The number goes in and never comes out; a person's full number is `persons:reveal`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.errors import Invalid
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from registry.identities import commands, queries
from registry.identities.domain import Answer
from registry.persons import queries as people

router = Api(prefix="/v1", tags=["identities"])

Reader = Annotated[Actor, requires("registry.identities:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("registry.identities:write", region=Region.OBJECT)]
Scheme = Literal["nik", "nik_sementara", "akta_lahir", "dtsen_id", "bpjs", "paspor", "local"]
Value = Annotated[str, Field(min_length=1, max_length=40)]


class NewClaim(Body):
    person_id: UUID
    scheme: Scheme = "nik"
    value: Value


class TypedAnswer(Body):
    """What Dukcapil answered, typed from paper or screen. `rejected` only ends a conflict."""

    answer: Answer
    authority_ref: Annotated[
        str, Field(min_length=1, max_length=80, description="Number of the letter or of the answer.")
    ]


class NewValue(Body):
    value: Value
    reason: Annotated[str, Field(pattern=r"^[a-z0-9_]{2,40}$")]


class ClaimOut(Versioned):
    id: UUID
    receipt: str
    person_id: UUID
    scheme: str
    masked: str
    state: str
    structure: str
    warnings: list[str]
    proposed_answer: str | None
    checked_at: datetime | None

    @classmethod
    def of(cls, claim: queries.Row) -> "ClaimOut":
        """The answer about a claim, masked."""
        given = {name: getattr(claim, name) for name in cls.model_fields if name not in {"receipt", "masked"}}
        return cls(**given, receipt=receipt("ID", claim.id), masked=queries.masked(claim))


class Claims(Out):
    items: list[ClaimOut]


@router.post("/identity-claims", status_code=201, responses=problems(404, 409, 422))
async def capture_claim(body: NewClaim, uow: Uow, _: Writer) -> ClaimOut:
    """Write down a number; its structure is checked at once. A placeholder (zeros, one digit) is no claim: 422."""
    claim = await commands.capture(uow, body.person_id, commands.Number(body.scheme, body.value))
    if claim is None:
        raise Invalid.field("/value", "nik_kosong")
    return ClaimOut.of(claim)


@router.get("/identity-claims/{claim_id}", responses=problems(404))
async def get_claim(claim_id: UUID, uow: Reads, _: Reader) -> ClaimOut:
    """One claim, masked."""
    return await _read(uow, await queries.get(uow, claim_id))


@router.get("/persons/{person_id}/identity-claims", responses=problems(404))
async def list_claims(person_id: UUID, uow: Reads, _: Reader) -> Claims:
    """All claims of a person, newest first, masked."""
    await people.get(uow, person_id)
    return Claims(items=[ClaimOut.of(claim) for claim in await queries.of_person(uow, person_id)])


@router.post("/identity-claims/{claim_id}:propose-answer", responses=problems(404, 409, 412, 428))
async def propose_answer(claim_id: UUID, body: TypedAnswer, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Type in what Dukcapil answered; another person confirms it."""
    return ClaimOut.of(await commands.propose(uow, claim_id, body.answer, body.authority_ref, version))


@router.post("/identity-claims/{claim_id}:confirm-answer", responses=problems(404, 409, 412, 428))
async def confirm_answer(claim_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Confirm the typed answer. A number that another person has matched puts both claims in conflict."""
    return ClaimOut.of(await commands.confirm(uow, claim_id, version))


@router.post("/identity-claims/{claim_id}:replace", responses=problems(404, 409, 412, 422, 428))
async def replace_claim(claim_id: UUID, body: NewValue, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Set a claim aside and capture the right number; answers the new claim."""
    return ClaimOut.of(await commands.replace_claim(uow, claim_id, body.value, body.reason, version))


async def _read(uow: UnitOfWork, claim: queries.Row) -> ClaimOut:
    await people.get(uow, claim.person_id)
    return ClaimOut.of(claim)
