"""Routes of death records. One line of work each; the rules stand in `domain`."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import AwareDatetime, Field

from registry.creation import Creation, Purpose, RegionCode
from registry.deaths import commands, queries
from registry.deaths.record import (
    Certify,
    CertifyByBurialBook,
    Contradict,
    ExpireHold,
    ProposeOutcome,
    Revoke,
    Source,
    State,
    Void,
)

router = Api(prefix="/v1", tags=["deaths"])

Reader = Annotated[Actor, requires("registry.deaths:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("registry.deaths:write", region=Region.OBJECT)]
AktaNumber = Annotated[str, Field(min_length=3, max_length=60, description="Number of the akta kematian as printed.")]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{2,40}$")]


class NewDeath(Creation):
    """A report. Name the person by id, or by name, village and date when not found in the registry."""

    person_id: UUID | None = None
    source: Source
    died_on: date
    captured_at: AwareDatetime | None = Field(None, description="When the report was taken; default: now.")
    region_code: RegionCode = Field(
        description="Village (or kecamatan) of the deceased; the known person's own counts first."
    )
    place_code: RegionCode | None = None
    subject_name: Annotated[str, Field(min_length=2, max_length=120)] | None = None
    subject_nik: Annotated[str, Field(max_length=32)] | None = None
    subject_birth_date: date | None = None
    document_id: UUID | None = None

    def reported(self, now: datetime) -> commands.Reported:
        """The report as the use case takes it; `now` stands for a capture time that was not told."""
        values = self.model_dump(exclude={"captured_at"})
        return commands.Reported(captured_at=self.captured_at or now, **values)


class MoreEvidence(Body):
    source: Source
    captured_at: AwareDatetime | None = None
    document_id: UUID | None = None


class CertifyDeath(Body):
    """By akta (number, issuer, date), or by burial book (letter, date) where the office's profile allows it."""

    akta_no: AktaNumber | None = None
    issuer_code: RegionCode | None = Field(
        None, description="Dukcapil that issued the akta: code of the kabupaten or kota."
    )
    issued_on: date
    burial_book_document_id: UUID | None = None

    def command(self) -> Certify | CertifyByBurialBook:
        """The command; an akta with no number at all is refused by its guard."""
        if self.burial_book_document_id is not None and self.akta_no is None:
            return CertifyByBurialBook(self.burial_book_document_id, self.issued_on)
        return Certify(self.akta_no or "", self.issuer_code or "", self.issued_on)


class SeenAlive(Body):
    seen_on: date
    photo_document_id: UUID | None = None


class EndHold(Body):
    visit_found_nothing: bool = Field(description="Whether the check visit was made and found nothing.")


class Outcome(Body):
    outcome: Literal["certify", "revoke"]


class RevokeDeath(Body):
    basis: Literal["life_sign", "court", "dukcapil"]
    document_id: UUID | None = None
    dpo_informed: bool = False


class VoidDeath(Body):
    reason: Code


class LinkDeath(Body):
    person_id: UUID


class ReportOut(Out):
    kind: str
    source: str
    captured_at: datetime
    received_at: datetime
    document_id: UUID | None


class DeathOut(Versioned):
    """A death record. Names and numbers of the deceased are not part of it."""

    id: UUID
    receipt: str
    state: State
    person_id: UUID | None
    died_on: date
    region_code: str
    place_code: str | None
    akta_issuer_code: str | None
    akta_issued_on: date | None
    akta_token: str | None
    certified_basis: str | None
    certified_at: datetime | None
    hold_expired_at: datetime | None
    proposed_outcome: str | None
    reported_at: datetime
    client_ref: str | None
    reports: list[ReportOut] = Field(default_factory=list)

    @classmethod
    def of(cls, record: queries.Row, reports: list[ReportOut] | None = None) -> "DeathOut":
        """The answer about a record."""
        given = {
            name: getattr(record, name) for name in cls.model_fields if name not in {"receipt", "akta_token", "reports"}
        }
        token = record.akta_token.hex() if record.akta_token else None
        return cls(**given, receipt=receipt("KM", record.id), akta_token=token, reports=reports or [])


class Clue(Body):
    """What the intake screen knows. The NIK is looked up and never answered."""

    akta_no: AktaNumber | None = None
    issuer_code: RegionCode | None = None
    nik: Annotated[str, Field(max_length=32)] | None = None
    name: Annotated[str, Field(max_length=120)] | None = None
    died_on: date | None = None
    purpose: Purpose = "claim_intake"


class ResolvedOut(Out):
    """`found` False with a person_id: the person is here and has no death record."""

    found: bool
    death_record_id: UUID | None
    state: State | None
    person_id: UUID | None
    died_on: date | None
    region_code: str | None
    akta_token: str | None
    life_signs: int
    doubts: list[str]


@router.post("/deaths", status_code=201, responses=problems(404, 409, 422))
async def report_death(
    body: NewDeath, uow: Uow, _: Annotated[Actor, requires("registry.deaths:write", region=Region.BODY)]
) -> DeathOut:
    """Report a death (laporan kematian). Aid of a known person is held at once."""
    return await _out(uow, await commands.report(uow, body.reported(uow.now)))


@router.get("/deaths", responses=problems(404, 422))
async def list_deaths(
    uow: Reads,
    page: PageArgs,
    _: Annotated[Actor, requires("registry.deaths:read", region=Region.QUERY)],
    region: Annotated[
        RegionCode | None, Query(description="Region prefix within the caller's own; default: all of them.")
    ] = None,
    state: State | None = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[DeathOut]:
    """Records of a region, newest first; or the one that this client reported under `client_ref`."""
    if client_ref is not None:
        found = await queries.by_client_ref(uow, client_ref)
        return Page(
            items=[DeathOut.of(found)] if found is not None and uow.actor.sees(found.region_code) else [], next=None
        )
    rows = await queries.listed(uow, region, state, page)
    return page.page(rows, lambda r: ("", r.id), DeathOut.of)


@router.get("/deaths/{death_id}", responses=problems(404))
async def get_death(death_id: UUID, uow: Reads, _: Reader) -> DeathOut:
    """One death record with its reports."""
    return await _out(uow, await queries.get(uow, death_id))


@router.post("/deaths/{death_id}:corroborate", responses=problems(404, 409, 412, 428))
async def corroborate_death(death_id: UUID, body: MoreEvidence, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """A second, independent source says the same."""
    heard = commands.Heard(body.source, body.captured_at or uow.now, body.document_id)
    return await _out(uow, await commands.corroborate(uow, death_id, heard, version))


@router.post("/deaths/{death_id}:certify", responses=problems(404, 409, 412, 428))
async def certify_death(death_id: UUID, body: CertifyDeath, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """Certify with the akta kematian: aid ends. Who reported never certifies."""
    command = body.command()
    if isinstance(command, Certify):
        return await _out(uow, await commands.certify(uow, death_id, command, version))
    return await _out(uow, await commands.certify_by_burial_book(uow, death_id, command, version))


@router.post("/deaths/{death_id}:contradict", responses=problems(404, 409, 412, 428))
async def contradict_death(death_id: UUID, body: SeenAlive, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """An officer met the person alive (tanda hidup)."""
    command = Contradict(body.seen_on, body.photo_document_id)
    return await _out(uow, await commands.contradict(uow, death_id, command, version))


@router.post("/deaths/{death_id}:expire-hold", responses=problems(404, 409, 412, 428))
async def expire_hold(death_id: UUID, body: EndHold, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """End the hold of a report that nobody confirmed, after the check visit."""
    command = ExpireHold(body.visit_found_nothing)
    return await _out(uow, await commands.expire_hold(uow, death_id, command, version))


@router.post("/deaths/{death_id}:propose-outcome", responses=problems(404, 409, 412, 428))
async def propose_outcome(death_id: UUID, body: Outcome, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """Propose how a dispute ends; another person decides."""
    return await _out(uow, await commands.propose_outcome(uow, death_id, ProposeOutcome(body.outcome), version))


@router.post("/deaths/{death_id}:revoke", responses=problems(404, 409, 412, 428))
async def revoke_death(death_id: UUID, body: RevokeDeath, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """The person is alive: aid resumes with arrears."""
    command = Revoke(body.basis, body.document_id, body.dpo_informed)
    return await _out(uow, await commands.revoke(uow, death_id, command, version))


@router.post("/deaths/{death_id}:void", responses=problems(404, 409, 412, 428))
async def void_death(death_id: UUID, body: VoidDeath, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """Take back a report entered by mistake."""
    return await _out(uow, await commands.void(uow, death_id, Void(body.reason), version))


@router.post("/deaths/{death_id}:link-person", responses=problems(404, 409, 412, 428))
async def link_person(death_id: UUID, body: LinkDeath, uow: Uow, version: IfMatch, _: Writer) -> DeathOut:
    """Say whose death this is, once the person is found."""
    return await _out(uow, await commands.link_person(uow, death_id, body.person_id, version))


@router.post("/deaths:resolve", responses=problems(422))
async def resolve_death(
    body: Clue, uow: Reads, _: Annotated[Actor, requires("registry.deaths:resolve", region=Region.OBJECT)]
) -> ResolvedOut:
    """Find the death that a claim is about, by akta or NIK. Never answers a NIK; logged."""
    clue = queries.Clue(body.akta_no, body.issuer_code, body.nik, body.name, body.died_on)
    found = await queries.resolve(uow, clue)
    if found.person_id is not None:
        await uow.log_reads(body.purpose, ["life", "died_on"], [found.person_id])
    record = found.record
    return ResolvedOut(
        found=record is not None,
        death_record_id=record.id if record else None,
        state=State(record.state) if record else None,
        person_id=found.person_id,
        died_on=record.died_on if record else None,
        region_code=record.region_code if record else None,
        akta_token=found.akta_token.hex() if found.akta_token else None,
        life_signs=found.life_signs,
        doubts=list(found.doubts),
    )


async def _out(uow: UnitOfWork, record: queries.Row) -> DeathOut:
    return DeathOut.of(record, [ReportOut.model_validate(row) for row in await queries.reports(uow, record.id)])
