"""Enrolments and decrees over HTTP. Facts are asked of the registry before the transaction, under the rule's own names."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from kit.auth.actor import Actor
from kit.auth.scopes import Region, authenticated, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from disbursement.enrolments import commands, queries
from disbursement.enrolments.domain import End, Review
from disbursement.registry_client import FactSheet

router = Api(prefix="/v1", tags=["enrolments"])
Reader = Annotated[Actor, requires("disbursement.enrolments:read", region=Region.OBJECT)]
Lister = Annotated[Actor, requires("disbursement.enrolments:read", region=Region.QUERY)]
Writer = Annotated[Actor, requires("disbursement.enrolments:write", region=Region.OBJECT)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RESIDENCE = ("domicile", "ktp_region", "family_id", "life")


class NominatePerson(Body):
    """A candidate (calon penerima)."""

    programme_id: UUID
    subject_id: UUID
    payee_person_id: UUID | None = None
    id: UUID | None = None
    client_ref: Annotated[str | None, Field(max_length=64)] = None


class ReviewCandidate(Body):
    """What a verifier found out."""

    fits: bool
    reason: Code


class IssueDecree(Body):
    """A decree with its annex; `list_sha256` is SHA-256 over the sorted enrolment ids, one a line."""

    programme_id: UUID
    number: Annotated[str, Field(min_length=1, max_length=80)]
    issued_on: date
    document_sha256: Sha256
    list_sha256: Sha256
    starts_on: date
    enrolment_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=commands.MOST_NAMES)]
    id: UUID | None = None
    client_ref: Annotated[str | None, Field(max_length=64)] = None


class WithReason(Body):
    reason: Code


class EndPlace(Body):
    """From when, why, and whether the ground is hard (moved, double) or the objection is over."""

    reason: Code
    on: date
    hard: bool = False
    objection_open: bool = False


class AskPayee(Body):
    payee_person_id: UUID


class EnrolmentOut(Versioned):
    id: UUID
    receipt: str
    programme_id: UUID
    subject_id: UUID
    family_id: UUID | None
    holder_person_id: UUID
    payee_person_id: UUID | None
    rule_version_id: UUID | None
    decree_id: UUID | None
    region_code: str
    starts_on: date | None
    ends_on: date | None
    state: str
    flagged: bool
    reasons: list[str]
    waiting_since: datetime | None
    reserved_idr: int
    mode: str
    client_ref: str | None

    @classmethod
    def of(cls, row: queries.Row) -> "EnrolmentOut":
        """The answer for a row."""
        return cls.model_validate({**row.model_dump(), "receipt": receipt("KP", row.id)})


class DecreeOut(Versioned):
    id: UUID
    programme_id: UUID
    number: str
    issued_on: date
    document_sha256: str
    list_sha256: str
    names: int
    reserved_idr: int

    @classmethod
    def of(cls, row: queries.Decree) -> "DecreeOut":
        """The answer for a row."""
        return cls.model_validate(row.model_dump())


async def _facts(request: Request, actor: Actor, programme_id: UUID, person_id: UUID) -> FactSheet | None:
    """The facts of a person that the programme's rule declares, and where they live."""
    runtime = request.app.state.runtime
    async with runtime.begin(actor, origin="evidence") as uow:
        names, version_id = await queries.declared(uow, programme_id)
    sheets: dict[UUID, FactSheet] = await runtime.wiring.registry.facts(
        [person_id], (*names, *RESIDENCE), purpose="enrolment", rule_version_id=version_id
    )
    return sheets.get(person_id)


async def asked_to_nominate(
    body: NominatePerson, request: Request, actor: Annotated[Actor, Depends(authenticated)]
) -> FactSheet | None:
    """The candidate's facts."""
    return await _facts(request, actor, body.programme_id, body.subject_id)


async def asked_to_review(
    enrolment_id: UUID, request: Request, actor: Annotated[Actor, Depends(authenticated)]
) -> FactSheet | None:
    """The candidate's facts as they are now."""
    async with request.app.state.runtime.begin(actor, origin="evidence") as uow:
        row = await queries.enrolment(uow, enrolment_id)
        programme_id, person_id = row.programme_id, row.subject_id
    return await _facts(request, actor, programme_id, person_id)


@router.post("/enrolments", status_code=201, responses=problems(403, 404, 409, 422, 503))
async def nominate_person(
    body: NominatePerson, asked: Annotated[FactSheet | None, Depends(asked_to_nominate)], uow: Uow, _: Writer
) -> EnrolmentOut:
    """Nominate a person; the rule in force answers at once, with all reasons."""
    return EnrolmentOut.of(await commands.nominate(uow, commands.NewEnrolment(**body.model_dump()), asked))


@router.get("/enrolments")
async def list_enrolments(
    uow: Reads, page: PageArgs, _: Lister, by: Annotated[queries.Filter, Depends()]
) -> Page[EnrolmentOut]:
    """Enrolments within the caller's regions."""
    rows = await queries.listed(uow, by, page.after[1] if page.after else None, page.take)
    return page.page(rows, lambda row: ("", row.id), EnrolmentOut.of)


@router.get("/enrolments/{enrolment_id}", responses=problems(404))
async def get_enrolment(enrolment_id: UUID, uow: Reads, _: Reader) -> EnrolmentOut:
    """One enrolment."""
    row = await queries.enrolment(uow, enrolment_id)
    await uow.log_reads("enrolment", ["enrolment"], [row.subject_id])
    return EnrolmentOut.of(row)


@router.post("/enrolments/{enrolment_id}:review", responses=problems(403, 404, 409, 412, 422, 428, 503))
async def review_candidate(
    enrolment_id: UUID,
    body: ReviewCandidate,
    asked: Annotated[FactSheet | None, Depends(asked_to_review)],
    uow: Uow,
    version: IfMatch,
    _: Writer,
) -> EnrolmentOut:
    """Settle what the rule could not know."""
    return EnrolmentOut.of(
        await commands.review(uow, enrolment_id, Review(body.fits, body.reason), version, sheet=asked)
    )


@router.post("/decrees", status_code=201, responses=problems(403, 404, 409, 422))
async def issue_decree(body: IssueDecree, uow: Uow, _: Writer) -> DecreeOut:
    """Name recipients by decree: all or none; the year's sum is reserved."""
    return DecreeOut.of(await commands.decree(uow, commands.NewDecree(**body.model_dump())))


@router.get("/decrees/{decree_id}", responses=problems(404))
async def get_decree(
    decree_id: UUID,
    uow: Reads,
    _: Annotated[
        Actor,
        requires(
            "disbursement.enrolments:read", region=Region.none("a decree is the office's; it shows no place in it")
        ),
    ],
) -> DecreeOut:
    """One decree."""
    return DecreeOut.of(await queries.decree(uow, decree_id))


@router.post("/enrolments/{enrolment_id}:suspend", responses=problems(403, 404, 409, 412, 422, 428))
async def suspend_place(enrolment_id: UUID, body: WithReason, uow: Uow, version: IfMatch, _: Writer) -> EnrolmentOut:
    """Suspend a place; its rights are held, none is lost."""
    return EnrolmentOut.of(await commands.suspend(uow, enrolment_id, body.reason, version))


@router.post("/enrolments/{enrolment_id}:resume", responses=problems(403, 404, 409, 412, 428))
async def resume_place(enrolment_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> EnrolmentOut:
    """Resume a place; what was held is due with arrears."""
    return EnrolmentOut.of(await commands.resume(uow, enrolment_id, version))


@router.post("/enrolments/{enrolment_id}:end", responses=problems(403, 404, 409, 412, 422, 428))
async def end_place(enrolment_id: UUID, body: EndPlace, uow: Uow, version: IfMatch, _: Writer) -> EnrolmentOut:
    """End a place."""
    command = End(body.reason, body.on, hard=body.hard, objection_open=body.objection_open)
    return EnrolmentOut.of(await commands.end(uow, enrolment_id, command, version))


@router.post("/enrolments/{enrolment_id}:withdraw", responses=problems(403, 404, 409, 412, 428))
async def withdraw_candidate(enrolment_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> EnrolmentOut:
    """Take a nomination back."""
    return EnrolmentOut.of(await commands.withdraw(uow, enrolment_id, version))


@router.post("/enrolments/{enrolment_id}:ask-payee", responses=problems(403, 404, 409, 412, 422, 428))
async def ask_payee(enrolment_id: UUID, body: AskPayee, uow: Uow, version: IfMatch, _: Writer) -> EnrolmentOut:
    """Ask for another payee."""
    return EnrolmentOut.of(await commands.ask_payee(uow, enrolment_id, body.payee_person_id, version))
