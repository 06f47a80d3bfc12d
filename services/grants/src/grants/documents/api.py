"""Routes of documents: keep one, find them, record the scan."""

from datetime import date
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
from kit.ids import receipt
from pydantic import Field

from grants.bodies import ClientRef, Code, Sha256
from grants.documents import commands, queries
from grants.documents.commands import NewPaper
from grants.documents.queries import Row as DocumentRow
from grants.institutions import queries as institutions

router = Api(prefix="/v1/documents", tags=["documents"])

PREFIX = "BK"
Writer = Annotated[Actor, requires("grants.documents:write", region=Region.OBJECT)]
Reader = Annotated[Actor, requires("grants.documents:read", region=Region.OBJECT)]


class DocumentBody(Body):
    """A paper of an institution; the file itself is known by its digest."""

    institution_id: UUID
    kind: Code
    number: Annotated[str, Field(min_length=1, max_length=80)]
    dated: date
    issuer: Annotated[str, Field(min_length=1, max_length=120)]
    sha256: Sha256
    supersedes: UUID | None = None
    id: UUID | None = None
    client_ref: ClientRef | None = None


class ScanBody(Body):
    """What the scan of the file found."""

    result: Literal["clean", "infected"]


class DocumentOut(Versioned):
    """A document."""

    id: UUID
    receipt: str
    institution_id: UUID
    kind: str
    number: str
    dated: date
    issuer: str
    sha256: str
    scan: str
    supersedes: UUID | None
    superseded_by: UUID | None
    client_ref: str | None

    @classmethod
    def of(cls, row: DocumentRow) -> "DocumentOut":
        """The row as others see it."""
        shown = row.model_dump(exclude={"sha256"})
        return cls.model_validate({**shown, "sha256": row.sha256.hex(), "receipt": receipt(PREFIX, row.id)})


@router.post("", status_code=201, responses=problems(404, 409, 422))
async def keep_document(body: DocumentBody, uow: Uow, _: Writer) -> DocumentOut:
    """Keep a paper, or supersede one."""
    institution = await institutions.institution(uow, body.institution_id)
    paper = NewPaper(**body.model_dump(exclude={"institution_id"}))
    return DocumentOut.of(await commands.keep(uow, institution.id, institution.region_code, paper))


@router.get("")
async def list_documents(
    reads: Reads,
    page: PageArgs,
    _: Reader,
    institution_id: Annotated[UUID | None, Query()] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[DocumentOut]:
    """List documents."""
    rows = await queries.documents(reads, page, institution_id=institution_id, client_ref=client_ref)
    return page.page(rows, lambda row: ("", row.id), DocumentOut.of)


@router.post("/{document_id}:record-scan", responses=problems(403, 404, 409, 412, 428))
async def record_scan(document_id: UUID, body: ScanBody, uow: Uow, version: IfMatch, _: Writer) -> DocumentOut:
    """Record what the scan of the file found."""
    return DocumentOut.of(await commands.record_scan(uow, document_id, body.result, version))
