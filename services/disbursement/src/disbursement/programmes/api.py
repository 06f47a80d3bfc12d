"""Programmes, legal bases and rule versions over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import AwareDatetime, Field

from disbursement.programmes import commands, commands_rule, queries
from disbursement.programmes.domain import Closing, Grace

router = Api(prefix="/v1", tags=["programmes"])
OFFICE = Region.none("a programme belongs to the office, not to a region")
Reader = Annotated[Actor, requires("disbursement.programmes:read", region=OFFICE)]
Writer = Annotated[Actor, requires("disbursement.programmes:write", region=OFFICE)]
RuleReader = Annotated[Actor, requires("disbursement.rules:read", region=OFFICE)]
RuleWriter = Annotated[Actor, requires("disbursement.rules:write", region=OFFICE)]
Text = Annotated[str, Field(min_length=1, max_length=120)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Doc = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d(\.\d\d(\.\d\d(\.\d{4})?)?)?$")]
Ref = Annotated[str | None, Field(max_length=64)]


class NewBasis(Body):
    """A regulation (dasar hukum)."""

    kind: Literal["perda", "perwal", "perbup", "pergub", "sk", "edaran", "permen"]
    number: Annotated[str, Field(min_length=1, max_length=80)]
    issued_on: date
    subject: Annotated[str, Field(min_length=1, max_length=300)]
    document_sha256: Sha256 | None = None
    supersedes: UUID | None = None
    id: UUID | None = None
    client_ref: Ref = None


class NewProgramme(Body):
    """A programme as proposed (usulan program)."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,19}$")]
    name_id: Text
    name_en: Text
    kind: Literal[
        "death_benefit", "recurring_cash", "food_voucher", "rice", "material", "scholarship", "event_aid", "training"
    ]
    unit: Literal["person", "family", "deceased", "student"]
    instrument: Literal["bansos", "hibah", "btt", "barang"] = "bansos"
    form: Literal["uang", "barang", "jasa"] = "uang"
    owner_unit: Annotated[str, Field(min_length=1, max_length=40)]
    owner_regions: Annotated[tuple[RegionCode, ...], Field(min_length=1, max_length=20)]
    planned: bool = True
    owner_from: date | None = None
    owner_to: date | None = None
    plan_ref: Annotated[str | None, Field(max_length=80)] = None
    legal_basis_id: UUID | None = None
    funding_line_id: UUID | None = None
    mode: Literal["live", "test"] = "live"
    id: UUID | None = None
    client_ref: Ref = None


class NewVersion(Body):
    """A rule version as written (naskah aturan)."""

    ast: dict[str, Any]
    benefit: dict[str, Any]
    docs: Annotated[list[dict[str, Any]], Field(default_factory=list, max_length=200)]
    effective_from: date
    effective_to: date | None = None
    legal_basis_id: UUID | None = None
    funding_line_id: UUID | None = None
    quota: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    retro_document: Annotated[str | None, Field(max_length=80)] = None
    id: UUID | None = None
    client_ref: Ref = None


class GraceIn(Body):
    doc: Doc
    until: AwareDatetime


class ClosingIn(Body):
    """How a programme ends: the circular, the first instant at which files are late, graces by paper."""

    document: Annotated[str, Field(min_length=1, max_length=80)]
    intake_cutoff: AwareDatetime
    grace: Annotated[tuple[GraceIn, ...], Field(max_length=20)] = ()
    rounds_left: Annotated[int, Field(ge=0, le=100)] = 0
    run_out_on: date | None = None

    def closing(self) -> Closing:
        """As the domain reads it."""
        return Closing(
            self.document,
            self.intake_cutoff,
            tuple(Grace(g.doc, g.until) for g in self.grace),
            self.rounds_left,
            self.run_out_on,
        )


class WithDocument(Body):
    document: Annotated[str, Field(min_length=1, max_length=80)]


class WithReason(Body):
    reason: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class BasisOut(Versioned):
    id: UUID
    kind: str
    number: str
    issued_on: date
    subject: str
    document_sha256: str | None
    supersedes: UUID | None
    client_ref: str | None


class ProgrammeOut(Versioned):
    id: UUID
    receipt: str
    code: str
    name_id: str
    name_en: str
    kind: str
    unit: str
    instrument: str
    form: str
    planned: bool
    owner_unit: str
    owner_regions: list[str]
    owner_from: date | None
    owner_to: date | None
    plan_ref: str | None
    legal_basis_id: UUID | None
    funding_line_id: UUID | None
    closing: queries.StoredClosing | None
    state: str
    mode: str
    client_ref: str | None

    @classmethod
    def of(cls, row: queries.Row) -> "ProgrammeOut":
        """The answer for a row."""
        return cls.model_validate({**row.model_dump(), "receipt": receipt("PR", row.id)})


class VersionOut(Versioned):
    id: UUID
    programme_id: UUID
    no: int
    effective_from: date | None
    effective_to: date | None
    date_basis: str
    ast: dict[str, Any]
    benefit: dict[str, Any]
    docs: list[dict[str, Any]]
    legal_basis_id: UUID | None
    funding_line_id: UUID | None
    quota: int | None
    sha256: str
    state: str
    written_by: str
    reviewed_by: str | None
    published_at: datetime | None
    client_ref: str | None

    @classmethod
    def of(cls, row: queries.Version) -> "VersionOut":
        """The answer for a row."""
        values = row.model_dump(exclude={"effective"})
        return cls.model_validate(
            {**values, "effective_from": row.effective.lower, "effective_to": row.effective.upper}
        )


class Acknowledged(Out):
    rule_version_id: UUID


@router.post("/legal-bases", status_code=201, responses=problems(409, 422))
async def add_legal_basis(body: NewBasis, uow: Uow, _: Writer) -> BasisOut:
    """Record a regulation that programmes and rules stand on."""
    return BasisOut.model_validate(await commands.add_basis(uow, commands.NewBasis(**body.model_dump())))


@router.get("/legal-bases")
async def list_legal_bases(uow: Reads, _: Reader) -> list[BasisOut]:
    """The newest 200 regulations."""
    return [BasisOut.model_validate(row) for row in await queries.bases(uow, 200)]


@router.post("/programmes", status_code=201, responses=problems(403, 409, 422))
async def propose_programme(body: NewProgramme, uow: Uow, _: Writer) -> ProgrammeOut:
    """Propose a programme."""
    return ProgrammeOut.of(await commands.propose(uow, commands.NewProgramme(**body.model_dump())))


@router.get("/programmes")
async def list_programmes(
    uow: Reads,
    page: PageArgs,
    _: Reader,
    code: Annotated[str | None, Query(max_length=20)] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
) -> Page[ProgrammeOut]:
    """Programmes in the order of their codes."""
    rows = await queries.listed(uow, code=code, client_ref=client_ref, state=state, after=page.after, take=page.take)
    return page.page(rows, lambda row: (row.code, row.id), ProgrammeOut.of)


@router.get("/programmes/{programme_id}", responses=problems(404))
async def get_programme(programme_id: UUID, uow: Reads, _: Reader) -> ProgrammeOut:
    """One programme."""
    return ProgrammeOut.of(await queries.programme(uow, programme_id))


@router.post("/programmes/{programme_id}:plan", responses=problems(403, 404, 409, 412, 428))
async def plan_programme(programme_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ProgrammeOut:
    """Take the programme into the plan."""
    return ProgrammeOut.of(await commands.plan(uow, programme_id, version))


@router.post("/programmes/{programme_id}:activate", responses=problems(403, 404, 409, 412, 428))
async def activate_programme(programme_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ProgrammeOut:
    """Put the programme into force."""
    return ProgrammeOut.of(await commands.activate(uow, programme_id, version))


@router.post("/programmes/{programme_id}:suspend", responses=problems(403, 404, 409, 412, 428))
async def suspend_programme(
    programme_id: UUID, body: WithDocument, uow: Uow, version: IfMatch, _: Writer
) -> ProgrammeOut:
    """Take no new files for a while."""
    return ProgrammeOut.of(await commands.suspend(uow, programme_id, body.document, version))


@router.post("/programmes/{programme_id}:resume", responses=problems(403, 404, 409, 412, 428))
async def resume_programme(
    programme_id: UUID, body: WithDocument, uow: Uow, version: IfMatch, _: Writer
) -> ProgrammeOut:
    """Take files again."""
    return ProgrammeOut.of(await commands.resume(uow, programme_id, body.document, version))


@router.post("/programmes/{programme_id}:announce-closing", responses=problems(403, 404, 409, 412, 428))
async def announce_closing(programme_id: UUID, body: ClosingIn, uow: Uow, version: IfMatch, _: Writer) -> ProgrammeOut:
    """Announce that intake ends at a cut-off, with graces for papers that may follow."""
    return ProgrammeOut.of(await commands.announce_closing(uow, programme_id, body.closing(), version))


@router.post("/programmes/{programme_id}:revise-closing", responses=problems(403, 404, 409, 412, 428))
async def revise_closing(programme_id: UUID, body: ClosingIn, uow: Uow, version: IfMatch, _: Writer) -> ProgrammeOut:
    """Put the end off."""
    return ProgrammeOut.of(await commands.revise_closing(uow, programme_id, body.closing(), version))


@router.post("/programmes/{programme_id}:close", responses=problems(403, 404, 409, 412, 428))
async def close_programme(programme_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ProgrammeOut:
    """End a programme in which nothing is left open."""
    return ProgrammeOut.of(await commands.close(uow, programme_id, version))


@router.post("/programmes/{programme_id}:cancel", responses=problems(403, 404, 409, 412, 428))
async def cancel_programme(programme_id: UUID, body: WithReason, uow: Uow, version: IfMatch, _: Writer) -> ProgrammeOut:
    """Give up a programme before it starts."""
    return ProgrammeOut.of(await commands.cancel(uow, programme_id, body.reason, version))


@router.post("/programmes/{programme_id}/rule-versions", status_code=201, responses=problems(403, 404, 422))
async def write_rule_version(programme_id: UUID, body: NewVersion, uow: Uow, _: RuleWriter) -> VersionOut:
    """Write a rule version; it binds nobody before it is reviewed and published."""
    new = commands_rule.NewVersion(**body.model_dump())
    return VersionOut.of(await commands_rule.write(uow, programme_id, new))


@router.get("/programmes/{programme_id}/rule-versions", responses=problems(404))
async def list_rule_versions(programme_id: UUID, uow: Reads, _: RuleReader) -> list[VersionOut]:
    """All versions of a programme's rules, newest first."""
    return [VersionOut.of(row) for row in await queries.versions(uow, programme_id)]


@router.get("/rule-versions/{version_id}", responses=problems(404))
async def get_rule_version(version_id: UUID, uow: Reads, _: RuleReader) -> VersionOut:
    """One rule version, as it was published."""
    return VersionOut.of(await queries.version(uow, version_id))


@router.post("/rule-versions/{version_id}:review", responses=problems(403, 404, 409, 412, 428))
async def review_rule_version(version_id: UUID, uow: Uow, version: IfMatch, _: RuleWriter) -> VersionOut:
    """Find right what somebody else wrote."""
    return VersionOut.of(await commands_rule.review(uow, version_id, version))


@router.post("/rule-versions/{version_id}:publish", responses=problems(403, 404, 409, 412, 428))
async def publish_rule_version(version_id: UUID, uow: Uow, version: IfMatch, _: RuleWriter) -> VersionOut:
    """Put a rule version into force; older ones end where it begins."""
    return VersionOut.of(await commands_rule.publish(uow, version_id, version))


@router.post("/rule-versions/{version_id}:withdraw", responses=problems(403, 404, 409, 412, 428))
async def withdraw_rule_version(
    version_id: UUID, body: WithReason, uow: Uow, version: IfMatch, _: RuleWriter
) -> VersionOut:
    """Take a version back before it takes effect."""
    return VersionOut.of(await commands_rule.withdraw(uow, version_id, body.reason, version))


@router.post("/rule-versions/{version_id}:acknowledge", responses=problems(404))
async def acknowledge_rule_version(version_id: UUID, uow: Uow, _: RuleReader) -> Acknowledged:
    """Say that one has read a rule version."""
    await commands_rule.acknowledge(uow, version_id)
    return Acknowledged(rule_version_id=version_id)
