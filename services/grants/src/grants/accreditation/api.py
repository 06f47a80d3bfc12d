"""Routes of accreditations: every step of the machine is one route."""

from collections.abc import Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from grants.accreditation import commands, queries
from grants.accreditation import cycle as c
from grants.accreditation.queries import Row as AccreditationRow
from grants.accreditation.queries import Wanted
from grants.bodies import ClientRef, Code, PaperBody, Sha256
from grants.documents.commands import NewPaper
from grants.history import queries as history
from grants.registration.api import StepOut

router = Api(prefix="/v1/accreditations", tags=["accreditations"])

PREFIX = "AK"
Writer = Annotated[Actor, requires("grants.accreditations:write", region=Region.OBJECT)]
Reader = Annotated[Actor, requires("grants.accreditations:read", region=Region.OBJECT)]
REFUSALS = problems(403, 404, 409, 412, 428)


class StartBody(Body):
    """Begin a cycle of an institution."""

    institution_id: UUID
    id: UUID | None = None
    client_ref: ClientRef | None = None


class AnswerBody(Body):
    """One standard: the own score and the digest of the evidence."""

    score: Annotated[int, Field(ge=0, le=100)]
    evidence_sha256: Sha256 | None = None


class AnswersBody(Body):
    """Answers to standards; what is not named stays."""

    answers: Annotated[dict[c.Standard, AnswerBody], Field(min_length=1, max_length=6)]


class ReturnBody(Body):
    """Which standards are not answered well, and why."""

    standards: Annotated[list[c.Standard], Field(max_length=6)]
    reasons: Annotated[list[Code], Field(max_length=20)]


class PaperOnlyBody(Body):
    """The paper of the step: visit record, letter of recommendation, or proof of sending."""

    document: PaperBody | None = None


class DayBody(Body):
    """A day."""

    on: date


class ResultBody(Body):
    """What BALKS decided. Without a grade: not accredited. `override`: why the end differs from the rule."""

    grade: c.Grade | None = None
    certificate: PaperBody
    issued_on: date
    valid_until: date | None = None
    override: Code | None = None

    def verdict(self) -> c.Verdict:
        """As the domain sees it."""
        paper = c.Paper(
            "sertifikat_akreditasi", self.certificate.number, self.certificate.dated, self.certificate.issuer
        )
        return c.Verdict(self.grade, paper, self.issued_on, self.valid_until, self.override)


class AdoptBody(ResultBody):
    """A certificate issued before this system."""

    institution_id: UUID
    client_ref: ClientRef | None = None


class RevocationBody(Body):
    """The letter by which BALKS revoked the accreditation."""

    letter: PaperBody
    reasons: Annotated[list[Code], Field(max_length=20)]


class AccreditationOut(Versioned):
    """A cycle."""

    id: UUID
    receipt: str
    institution_id: UUID
    region_code: str
    state: str
    answers: dict[str, dict[str, int | str | None]]
    visit_on: date | None
    result_entered: bool
    grade: str | None
    certificate_id: UUID | None
    issued_on: date | None
    valid_until: date | None
    reasons: list[str]
    client_ref: str | None

    @classmethod
    def of(cls, row: AccreditationRow) -> "AccreditationOut":
        """The row as others see it."""
        more = {"receipt": receipt(PREFIX, row.id), "result_entered": row.entered is not None}
        return cls.model_validate({**row.model_dump(), **more})


async def _do(
    uow: UnitOfWork,
    accreditation_id: UUID,
    version: int,
    make: Callable[[c.Facts, c.Paper | None], c.Command],
    paper: NewPaper | None = None,
) -> AccreditationOut:
    return AccreditationOut.of(await commands.act(uow, accreditation_id, make, version, paper=paper))


@router.post("", status_code=201, responses=problems(403, 404, 409))
async def start_cycle(body: StartBody, uow: Uow, _: Writer) -> AccreditationOut:
    """Begin a cycle."""
    row = await commands.start(uow, body.institution_id, id=body.id, client_ref=body.client_ref)
    return AccreditationOut.of(row)


adoption = Api(prefix="/v1/adopted-accreditations", tags=["accreditations"])


@adoption.post("", status_code=201, responses=problems(403, 404, 409))
async def adopt_accreditation(body: AdoptBody, uow: Uow, _: Writer) -> AccreditationOut:
    """Record a certificate that BALKS issued before this system."""
    paper = body.certificate.paper("sertifikat_akreditasi")
    row = await commands.adopt(uow, body.institution_id, body.verdict(), paper, client_ref=body.client_ref)
    return AccreditationOut.of(row)


async def _wanted(
    institution_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[c.State | None, Query()] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Wanted:
    return Wanted(institution_id, state, client_ref)


@router.get("")
async def list_accreditations(
    reads: Reads, page: PageArgs, _: Reader, wanted: Annotated[Wanted, Depends(_wanted)]
) -> Page[AccreditationOut]:
    """List cycles."""
    return page.page(await queries.accreditations(reads, page, wanted), lambda row: ("", row.id), AccreditationOut.of)


@router.get("/{accreditation_id}", responses=problems(404))
async def get_accreditation(accreditation_id: UUID, reads: Reads, _: Reader) -> AccreditationOut:
    """Read one cycle."""
    return AccreditationOut.of(await queries.accreditation(reads, accreditation_id))


@router.get("/{accreditation_id}/history", responses=problems(404))
async def get_cycle_history(accreditation_id: UUID, reads: Reads, _: Reader) -> list[StepOut]:
    """Read what happened to a cycle, who did it, and on which paper."""
    await queries.accreditation(reads, accreditation_id)
    return [StepOut.model_validate(step) for step in await history.steps(reads, accreditation_id)]


@router.post("/{accreditation_id}:answer", responses=REFUSALS)
async def answer(accreditation_id: UUID, body: AnswersBody, uow: Uow, version: IfMatch, _: Writer) -> AccreditationOut:
    """Answer standards (form A) with their evidence (form B)."""
    answers = {name.value: c.Answer(given.score, given.evidence_sha256) for name, given in body.answers.items()}
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.AnswerStandards(facts, answers))


@router.post("/{accreditation_id}:request", responses=REFUSALS)
async def request(accreditation_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> AccreditationOut:
    """Hand in the self-assessment."""
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.Request(facts))


@router.post("/{accreditation_id}:return", responses=REFUSALS)
async def return_(accreditation_id: UUID, body: ReturnBody, uow: Uow, version: IfMatch, _: Writer) -> AccreditationOut:
    """Send the self-assessment back for named standards."""
    standards, reasons = frozenset(s.value for s in body.standards), tuple(body.reasons)
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.Return(facts, standards, reasons))


@router.post("/{accreditation_id}:verify", responses=REFUSALS)
async def verify(
    accreditation_id: UUID, body: PaperOnlyBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Record the visit of the office."""
    paper = body.document.paper("berita_acara") if body.document else None
    return await _do(uow, accreditation_id, version, c.Verify, paper)


@router.post("/{accreditation_id}:recommend", responses=REFUSALS)
async def recommend(
    accreditation_id: UUID, body: PaperOnlyBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Recommend to BALKS by letter."""
    paper = body.document.paper("surat_rekomendasi") if body.document else None
    return await _do(uow, accreditation_id, version, c.Recommend, paper)


@router.post("/{accreditation_id}:forward", responses=REFUSALS)
async def forward(
    accreditation_id: UUID, body: PaperOnlyBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Send the papers to BALKS."""
    paper = body.document.paper("bukti_kirim") if body.document else None
    return await _do(uow, accreditation_id, version, c.Forward, paper)


@router.post("/{accreditation_id}:schedule-visit", responses=REFUSALS)
async def schedule_visit(
    accreditation_id: UUID, body: DayBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Record when BALKS will come."""
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.ScheduleVisit(facts, body.on))


@router.post("/{accreditation_id}:record-visit", responses=REFUSALS)
async def record_visit(
    accreditation_id: UUID, body: DayBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Record that BALKS was there."""
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.RecordVisit(facts, body.on))


@router.post("/{accreditation_id}:enter-result", responses=REFUSALS)
async def enter_result(
    accreditation_id: UUID, body: ResultBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Enter what BALKS decided; it counts when the head confirms it."""
    paper = body.certificate.paper("sertifikat_akreditasi")
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.EnterResult(facts, body.verdict()), paper)


@router.post("/{accreditation_id}:confirm-result", responses=REFUSALS)
async def confirm_result(accreditation_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> AccreditationOut:
    """Confirm the entered result against the certificate."""
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.ConfirmResult(facts))


@router.post("/{accreditation_id}:enter-revocation", responses=REFUSALS)
async def enter_revocation(
    accreditation_id: UUID, body: RevocationBody, uow: Uow, version: IfMatch, _: Writer
) -> AccreditationOut:
    """Enter the letter by which BALKS revoked the accreditation."""
    paper = body.letter.paper("surat_pencabutan")
    shown = c.Paper(paper.kind, paper.number, paper.dated, paper.issuer)
    reasons = tuple(body.reasons)
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.EnterRevocation(facts, shown, reasons), paper)


@router.post("/{accreditation_id}:confirm-revocation", responses=REFUSALS)
async def confirm_revocation(accreditation_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> AccreditationOut:
    """Confirm the revocation."""
    return await _do(uow, accreditation_id, version, lambda facts, _p: c.ConfirmRevocation(facts))
