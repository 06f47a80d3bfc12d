"""Routes of registrations: every step of the machine is one route."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from grants.bodies import ClientRef, Code, PaperBody
from grants.documents.commands import NewPaper
from grants.history import queries as history
from grants.registration import commands, queries
from grants.registration import file as f
from grants.registration.queries import Row as RegistrationRow
from grants.registration.queries import Wanted
from grants.registration.states import Ground, Section, State

router = Api(prefix="/v1/registrations", tags=["registrations"])

PREFIX = "TD"
Writer = Annotated[Actor, requires("grants.lks:write", region=Region.OBJECT)]
Reader = Annotated[Actor, requires("grants.lks:read", region=Region.OBJECT)]
REFUSALS = problems(403, 404, 409, 412, 428)


class StartBody(Body):
    """Begin an application of an institution."""

    institution_id: UUID
    id: UUID | None = None
    client_ref: ClientRef | None = None


class EditBody(Body):
    """Sections to write; persons by their id in registry, never by name."""

    sections: Annotated[dict[Section, dict[str, Any]], Field(min_length=1, max_length=5)]


class TakeBody(Body):
    """The verifier's word on a conflict of interest (benturan kepentingan)."""

    conflict_of_interest: bool | None = None


class CorrectionBody(Body):
    """What must be corrected, and why."""

    sections: Annotated[list[Section], Field(max_length=5)]
    reasons: Annotated[list[Code], Field(max_length=20)]


class VisitBody(Body):
    """A visit and its minutes (berita acara)."""

    visited_on: date
    minutes: PaperBody | None = None


class RecommendBody(Body):
    """The checklist with its answers."""

    checklist: Annotated[dict[Code, bool], Field(max_length=60)]


class CertificateBody(Body):
    """The certificate (tanda daftar) and its last day."""

    certificate: PaperBody | None = None
    valid_until: date | None = None


class RefuseBody(Body):
    """The ground, one of three."""

    ground: Ground


class RevokeBody(Body):
    """The decree, its reasons, and until when one may object."""

    decree: PaperBody | None = None
    appeal_until: date | None = None
    reasons: Annotated[list[Code], Field(max_length=20)]


class DissolveBody(Body):
    """The deed of dissolution."""

    deed: PaperBody | None = None


class RegistrationOut(Versioned):
    """A file or certificate."""

    id: UUID
    receipt: str
    institution_id: UUID
    region_code: str
    kind: str
    renews: UUID | None
    state: str
    form: dict[str, Any]
    unlocked: list[str]
    rounds: int
    due_on: date | None
    submitted_on: date | None
    visits: int
    sla_breached: bool
    certificate_id: UUID | None
    valid_from: date | None
    valid_until: date | None
    appeal_until: date | None
    reasons: list[str]
    client_ref: str | None

    @classmethod
    def of(cls, row: RegistrationRow) -> "RegistrationOut":
        """The row as others see it."""
        return cls.model_validate({**row.model_dump(), "receipt": receipt(PREFIX, row.id)})


class StepOut(Out):
    """One step of a file."""

    no: int
    command: str
    from_state: str | None
    to_state: str
    on_date: date
    at: datetime
    actor: str
    document_id: UUID | None
    reasons: list[str]


async def _do(
    uow: UnitOfWork,
    registration_id: UUID,
    version: int,
    make: Callable[[f.Facts, f.Paper | None], f.Command],
    paper: NewPaper | None = None,
) -> RegistrationOut:
    return RegistrationOut.of(await commands.act(uow, registration_id, make, version, paper=paper))


@router.post("", status_code=201, responses=problems(403, 404, 409))
async def start_registration(body: StartBody, uow: Uow, _: Writer) -> RegistrationOut:
    """Begin an application."""
    row = await commands.start(uow, body.institution_id, id=body.id, client_ref=body.client_ref)
    return RegistrationOut.of(row)


async def _wanted(
    institution_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Wanted:
    return Wanted(institution_id, state, client_ref)


@router.get("")
async def list_registrations(
    reads: Reads, page: PageArgs, _: Reader, wanted: Annotated[Wanted, Depends(_wanted)]
) -> Page[RegistrationOut]:
    """List files and certificates."""
    return page.page(await queries.registrations(reads, page, wanted), lambda row: ("", row.id), RegistrationOut.of)


@router.get("/{registration_id}", responses=problems(404))
async def get_registration(registration_id: UUID, reads: Reads, _: Reader) -> RegistrationOut:
    """Read one file."""
    return RegistrationOut.of(await queries.registration(reads, registration_id))


@router.get("/{registration_id}/history", responses=problems(404))
async def get_history(registration_id: UUID, reads: Reads, _: Reader) -> list[StepOut]:
    """Read what happened to a file, who did it, and on which paper."""
    await queries.registration(reads, registration_id)
    return [StepOut.model_validate(step) for step in await history.steps(reads, registration_id)]


@router.post("/{registration_id}:edit", responses=REFUSALS)
async def edit_form(registration_id: UUID, body: EditBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Write sections of the form."""
    sections = {section.value: value for section, value in body.sections.items()}
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Edit(facts, sections))


@router.post("/{registration_id}:submit", responses=REFUSALS)
async def submit(registration_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Certify the form and send it."""
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Submit(facts))


@router.post("/{registration_id}:take", responses=REFUSALS)
async def take(registration_id: UUID, body: TakeBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Take a file to verify it."""
    conflict = body.conflict_of_interest
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Take(facts, conflict))


@router.post("/{registration_id}:request-correction", responses=REFUSALS)
async def request_correction(
    registration_id: UUID, body: CorrectionBody, uow: Uow, version: IfMatch, _: Writer
) -> RegistrationOut:
    """Send the file back for named sections."""
    sections, reasons = frozenset(s.value for s in body.sections), tuple(body.reasons)
    return await _do(uow, registration_id, version, lambda facts, _p: f.RequestCorrection(facts, sections, reasons))


@router.post("/{registration_id}:resubmit", responses=REFUSALS)
async def resubmit(registration_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Certify the corrections and send them."""
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Resubmit(facts))


@router.post("/{registration_id}:record-visit", responses=REFUSALS)
async def record_visit(
    registration_id: UUID, body: VisitBody, uow: Uow, version: IfMatch, _: Writer
) -> RegistrationOut:
    """Record a visit with its minutes."""
    paper = body.minutes.paper("berita_acara") if body.minutes else None
    return await _do(uow, registration_id, version, lambda facts, p: f.RecordVisit(facts, p, body.visited_on), paper)


@router.post("/{registration_id}:recommend", responses=REFUSALS)
async def recommend(
    registration_id: UUID, body: RecommendBody, uow: Uow, version: IfMatch, _: Writer
) -> RegistrationOut:
    """Stand for the file before the head."""
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Recommend(facts, body.checklist))


@router.post("/{registration_id}:issue", responses=REFUSALS)
async def issue(registration_id: UUID, body: CertificateBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Issue the certificate."""
    paper = body.certificate.paper("tanda_daftar") if body.certificate else None
    return await _do(uow, registration_id, version, lambda facts, p: f.Issue(facts, p, body.valid_until), paper)


@router.post("/{registration_id}:adopt", responses=REFUSALS)
async def adopt(registration_id: UUID, body: CertificateBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Record a certificate issued before this system or by the permit office."""
    paper = body.certificate.paper("tanda_daftar") if body.certificate else None
    return await _do(uow, registration_id, version, lambda facts, p: f.Adopt(facts, p, body.valid_until), paper)


@router.post("/{registration_id}:refuse", responses=REFUSALS)
async def refuse(registration_id: UUID, body: RefuseBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Refuse the application on one of the three grounds."""
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Refuse(facts, body.ground))


@router.post("/{registration_id}:start-renewal", status_code=201, responses=REFUSALS)
async def start_renewal(registration_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Begin the renewal; the answer is the new draft."""
    return RegistrationOut.of(await commands.start_renewal(uow, registration_id, version))


@router.post("/{registration_id}:revoke", responses=REFUSALS)
async def revoke(registration_id: UUID, body: RevokeBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Revoke the certificate by decree."""
    paper, reasons = body.decree.paper("sk_pencabutan") if body.decree else None, tuple(body.reasons)
    return await _do(
        uow, registration_id, version, lambda facts, p: f.Revoke(facts, p, body.appeal_until, reasons), paper
    )


@router.post("/{registration_id}:dissolve", responses=REFUSALS)
async def dissolve(registration_id: UUID, body: DissolveBody, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Record that the institution has ended by deed."""
    paper = body.deed.paper("akta_pembubaran") if body.deed else None
    return await _do(uow, registration_id, version, f.Dissolve, paper)


@router.post("/{registration_id}:withdraw", responses=REFUSALS)
async def withdraw(registration_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> RegistrationOut:
    """Take the application back."""
    return await _do(uow, registration_id, version, lambda facts, _paper: f.Withdraw(facts))
