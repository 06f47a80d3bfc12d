"""Routes of the directory of offices and institutions. Addresses come in and never go out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from pydantic import Field

from notifications.directory import commands, queries
from notifications.directory.commands import Enter

router = Api(prefix="/v1/directory-entries", tags=["directory"])

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d(\.\d\d(\.\d\d(\.\d{4})?)?)?$")]


class OfficeEntry(Body):
    """The mail address of an office: a role in a region."""

    id: UUID | None = None
    client_ref: Annotated[str, Field(max_length=64)] | None = None
    role: Code
    region_code: RegionCode
    locale: Literal["id", "en"] = "id"
    mail: Annotated[str, Field(max_length=254)]

    def command(self) -> Enter:
        """As the command sees it."""
        return Enter(self.role, None, self.region_code, self.locale, self.mail, self.id, self.client_ref)


class InstitutionEntry(Body):
    """The mail address of an institution (LKS)."""

    id: UUID | None = None
    client_ref: Annotated[str, Field(max_length=64)] | None = None
    institution_id: UUID
    region_code: RegionCode
    locale: Literal["id", "en"] = "id"
    mail: Annotated[str, Field(max_length=254)]

    def command(self) -> Enter:
        """As the command sees it."""
        return Enter(None, self.institution_id, self.region_code, self.locale, self.mail, self.id, self.client_ref)


class EntryOut(Versioned):
    """One entry; the address only masked."""

    id: UUID
    kind: str
    role: str | None
    institution_id: UUID | None
    region_code: str
    locale: str
    address_masked: str
    retired_at: datetime | None
    client_ref: str | None


@router.post("", status_code=201, responses=problems(404, 409, 422))
async def enter_address(
    body: OfficeEntry | InstitutionEntry,
    uow: Uow,
    _: Annotated[Actor, requires("notifications.directory:write", region=Region.BODY)],
) -> EntryOut:
    """Enter where an office or an institution gets its mail."""
    return EntryOut.model_validate(await commands.enter(uow, body.command()))


@router.get("")
async def list_addresses(
    reads: Reads,
    page: PageArgs,
    _: Annotated[Actor, requires("notifications.directory:read", region=Region.OBJECT)],
    role: Annotated[Code | None, Query()] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[EntryOut]:
    """List the entries of one's regions."""
    rows = await queries.entries(reads, page, role=role, client_ref=client_ref)
    return page.page(rows, lambda row: ("", row.id), EntryOut.model_validate)


@router.post("/{entry_id}:retire", responses=problems(404, 409, 412, 428))
async def retire_address(
    entry_id: UUID,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("notifications.directory:write", region=Region.OBJECT)],
) -> EntryOut:
    """Stop writing to an address."""
    return EntryOut.model_validate(await commands.retire(uow, entry_id, version))
