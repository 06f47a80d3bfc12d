"""Claims over HTTP: the counter's routes. `api_office` holds those of checkers and deciders.

What a route must know from the registry is a dependency that stands before the transaction: it is asked first.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request
from kit.auth.actor import Actor
from kit.auth.scopes import Region, authenticated, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from disbursement.claims import commands, evidence, queries
from disbursement.claims.commands import NewClaim, NewPaper
from disbursement.claims.evidence import Evidence
from disbursement.rules.papers import Paper

router = Api(prefix="/v1", tags=["claims"])
Reader = Annotated[Actor, requires("disbursement.claims:read", region=Region.OBJECT)]
Lister = Annotated[Actor, requires("disbursement.claims:read", region=Region.QUERY)]
Writer = Annotated[Actor, requires("disbursement.claims:write", region=Region.OBJECT)]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]


class PaperIn(Body):
    """A paper of the file: kind and fingerprint, and what its rules look at. The picture stays with the registry."""

    kind: Kind
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    document_id: UUID | None = None
    number: Annotated[str | None, Field(max_length=80)] = None
    issued_on: date | None = None
    valid_until: date | None = None
    signer_person_id: UUID | None = None

    def paper(self) -> NewPaper:
        """As the command takes it."""
        return NewPaper(**self.model_dump())


class ClaimFacts(Body):
    """What the file says of the case, as codes and numbers that rules may read."""

    event: Literal["death", "newborn", "stillbirth"] = "death"
    age_days: Annotated[int | None, Field(ge=0, le=50_000)] = None
    poverty_criteria: Annotated[int | None, Field(ge=0, le=50)] = None


class StartClaim(Body):
    """Open a file (buka berkas klaim)."""

    programme_id: UUID
    death_record_id: UUID
    claimant_person_id: UUID
    relationship: Kind
    documents: Annotated[tuple[PaperIn, ...], Field(max_length=40)] = ()
    facts: ClaimFacts = ClaimFacts()
    id: UUID | None = None
    client_ref: Annotated[str | None, Field(max_length=64)] = None

    def new(self) -> NewClaim:
        """As the command takes it."""
        return NewClaim(
            self.programme_id,
            self.death_record_id,
            self.claimant_person_id,
            self.relationship,
            tuple(p.paper() for p in self.documents),
            self.facts.model_dump(exclude_none=True),
            self.id,
            self.client_ref,
        )


class CompleteClaim(Body):
    """Papers that were missing."""

    documents: Annotated[tuple[PaperIn, ...], Field(min_length=1, max_length=40)]


class WaitOut(Out):
    doc: str
    until: datetime
    by_grace: bool


class PaperOut(Out):
    kind: str
    sha256: str
    issued_on: date | None
    valid_until: date | None


class ClaimOut(Versioned):
    id: UUID
    receipt: str
    programme_id: UUID
    rule_version_id: UUID | None
    death_record_id: UUID
    deceased_person_id: UUID | None
    died_on: date
    claimant_person_id: UUID
    relationship: str
    heir_rank: int | None
    region_code: str
    state: str
    reasons: list[str]
    flagged: bool
    filed_at: datetime | None
    cure_due: datetime | None
    waits: list[WaitOut]
    appeal_until: datetime | None
    amount_idr: int | None
    decree_no: str | None
    paid_at: datetime | None
    mode: str
    client_ref: str | None
    documents: list[PaperOut] | None = None

    @classmethod
    def of(cls, row: queries.Row, papers: tuple[Paper, ...] | None = None) -> "ClaimOut":
        """The answer for a file; `documents` only where one file is asked for."""
        values: dict[str, Any] = {**row.model_dump(), "receipt": receipt("SK", row.id)}
        if papers is not None:
            values["documents"] = [PaperOut.model_validate(p) for p in papers]
        return cls.model_validate(values)


class StateCount(Out):
    state: str
    count: int
    total_idr: int


async def asked_to_start(body: StartClaim, request: Request) -> Evidence:
    """The death that a new file names."""
    return await evidence.for_start(request.app.state.runtime.wiring.registry, body.death_record_id)


async def asked_to_file(claim_id: UUID, request: Request, actor: Annotated[Actor, Depends(authenticated)]) -> Evidence:
    """Death, claimant and deceased as the registry knows them now."""
    runtime = request.app.state.runtime
    return await evidence.for_filing(runtime, runtime.wiring.registry, actor, claim_id)


@router.post("/claims", status_code=201, responses=problems(403, 404, 409, 422, 503))
async def start_claim(
    body: StartClaim, asked: Annotated[Evidence, Depends(asked_to_start)], uow: Uow, _: Writer
) -> ClaimOut:
    """Open a file for a death that the registry knows. It binds nobody before it is handed in."""
    return ClaimOut.of(await commands.start(uow, body.new(), asked))


@router.get("/claims")
async def list_claims(
    uow: Reads,
    page: PageArgs,
    _: Lister,
    by: Annotated[queries.Filter, Depends()],
) -> Page[ClaimOut]:
    """Claims within the caller's regions, in the order of their opening."""
    rows = await queries.listed(uow, by, page.after[1] if page.after else None, page.take)
    return page.page(rows, lambda row: ("", row.id), ClaimOut.of)


@router.get("/claims/{claim_id}", responses=problems(404))
async def get_claim(claim_id: UUID, uow: Reads, _: Reader) -> ClaimOut:
    """One claim with its papers."""
    row, papers = await queries.claim(uow, claim_id)
    await uow.log_reads("claim", ["claim"], [row.claimant_person_id])
    return ClaimOut.of(row, papers)


@router.get("/programmes/{programme_id}/claim-counts")
async def count_claims(programme_id: UUID, uow: Reads, _: Lister) -> list[StateCount]:
    """How many claims stand in each state within the caller's regions, none hidden."""
    return [StateCount.model_validate(row) for row in await queries.funnel(uow, programme_id)]


@router.post("/claims/{claim_id}:file", responses=problems(403, 404, 409, 412, 428, 503))
async def file_claim(
    claim_id: UUID, asked: Annotated[Evidence, Depends(asked_to_file)], uow: Uow, version: IfMatch, _: Writer
) -> ClaimOut:
    """Hand the file in: filed, or incomplete with a last instant for the missing papers, or refused with every reason."""
    return ClaimOut.of(await commands.file(uow, claim_id, version, asked))


@router.post("/claims/{claim_id}:complete", responses=problems(403, 404, 409, 412, 422, 428, 503))
async def complete_claim(
    claim_id: UUID,
    body: CompleteClaim,
    asked: Annotated[Evidence, Depends(asked_to_file)],
    uow: Uow,
    version: IfMatch,
    _: Writer,
) -> ClaimOut:
    """Bring missing papers."""
    papers = [p.paper() for p in body.documents]
    return ClaimOut.of(await commands.complete(uow, claim_id, papers, version, asked))


@router.post("/claims/{claim_id}:appeal", responses=problems(403, 404, 409, 412, 428))
async def appeal_claim(claim_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Appeal against a rejection (keberatan): once, before its last day ends."""
    return ClaimOut.of(await commands.appeal(uow, claim_id, version))


@router.post("/claims/{claim_id}:withdraw", responses=problems(403, 404, 409, 412, 428))
async def withdraw_claim(claim_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ClaimOut:
    """Take a claim back."""
    return ClaimOut.of(await commands.withdraw(uow, claim_id, version))
