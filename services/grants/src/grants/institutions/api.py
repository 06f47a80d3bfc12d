"""Routes of institutions: list one, find it, record its officers, declare its account."""

from datetime import date
from typing import Annotated, Literal
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
from pydantic import Field

from grants.bodies import ClientRef, RegionCode
from grants.institutions import commands, queries
from grants.institutions.queries import Row as InstitutionRow
from grants.registration import commands as registration

router = Api(prefix="/v1/institutions", tags=["institutions"])

PREFIX = "LK"
Reader = Annotated[Actor, requires("grants.lks:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("grants.lks:write", region=Region.OBJECT)]


class EnlistBody(Body):
    """An institution that the office learned of. `different_from`: similar ones that were looked at and are others."""

    name: Annotated[str, Field(min_length=2, max_length=160)]
    kind: Literal["lksa", "lkslu", "lksd", "lks_lain"]
    legal_form: Literal["yayasan", "perkumpulan", "bukan_badan_hukum"]
    region_code: RegionCode
    different_from: Annotated[tuple[UUID, ...], Field(max_length=20)] = ()
    id: UUID | None = None
    client_ref: ClientRef | None = None


class OfficerBody(Body):
    """Somebody who runs the institution, by their id in registry."""

    position: Literal["ketua", "sekretaris", "bendahara", "pengurus"]
    person_id: UUID
    proved: bool = False
    term_until: date | None = None


class AccountBody(Body):
    """An account in the institution's own name, or the word that there is none (null)."""

    account: "Account | None"


class Account(Body):
    """Bank code and number."""

    bank: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,11}$")]
    number: Annotated[str, Field(min_length=5, max_length=40)]


class InstitutionOut(Versioned):
    """An institution; its account only as known or not."""

    id: UUID
    receipt: str
    name: str
    kind: str
    legal_form: str
    region_code: str
    account_state: str
    dissolved_on: date | None
    client_ref: str | None
    registration_id: UUID | None = None

    @classmethod
    def of(cls, row: InstitutionRow, registration_id: UUID | None = None) -> "InstitutionOut":
        """The row as others see it."""
        shown = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**{**shown, "receipt": receipt(PREFIX, row.id), "registration_id": registration_id})


class OfficerOut(Out):
    """Somebody who runs the institution."""

    id: UUID
    position: str
    person_id: UUID
    proved_on: date | None
    term_until: date | None
    alive: bool
    ended_on: date | None


@router.post("", status_code=201, responses=problems(403, 404, 409))
async def enlist_institution(
    body: EnlistBody, uow: Uow, _: Annotated[Actor, requires("grants.lks:write", region=Region.BODY)]
) -> InstitutionOut:
    """List an institution; `registration_id` is the row by which it is known."""
    institution, row = await registration.enlist(uow, commands.Profile(**body.model_dump()))
    return InstitutionOut.of(institution, row.id)


@router.get("")
async def list_institutions(
    reads: Reads,
    page: PageArgs,
    _: Reader,
    name: Annotated[str | None, Query(min_length=2, max_length=160)] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[InstitutionOut]:
    """List institutions, or find one by name."""
    rows = await queries.institutions(reads, page, name=name, client_ref=client_ref)
    return page.page(rows, lambda row: ("", row.id), InstitutionOut.of)


@router.get("/{institution_id}", responses=problems(404))
async def get_institution(institution_id: UUID, reads: Reads, _: Reader) -> InstitutionOut:
    """Read one institution."""
    return InstitutionOut.of(await queries.institution(reads, institution_id))


@router.get("/{institution_id}/officers", responses=problems(404))
async def list_officers(institution_id: UUID, reads: Reads, _: Reader) -> list[OfficerOut]:
    """List who runs an institution; the read is logged."""
    await queries.institution(reads, institution_id)
    officers = await queries.officers(reads, institution_id)
    await reads.log_reads("institution-officers", ["position"], [officer.person_id for officer in officers])
    return [OfficerOut.model_validate(officer) for officer in officers]


@router.post("/{institution_id}:record-officer", responses=problems(403, 404, 412, 428))
async def record_officer(
    institution_id: UUID, body: OfficerBody, uow: Uow, version: IfMatch, _: Writer
) -> InstitutionOut:
    """Record an officer of the institution, or that their identity was proved."""
    officer = commands.Officer(body.position, body.person_id, body.proved, body.term_until)
    return InstitutionOut.of(await commands.record_officer(uow, institution_id, officer, version))


@router.post("/{institution_id}:declare-account", responses=problems(403, 404, 409, 412, 428))
async def declare_account(
    institution_id: UUID, body: AccountBody, uow: Uow, version: IfMatch, _: Writer
) -> InstitutionOut:
    """Declare the institution's own account, or that there is none."""
    account = commands.Account(body.account.bank, body.account.number) if body.account else None
    return InstitutionOut.of(await commands.declare_account(uow, institution_id, account, version))
