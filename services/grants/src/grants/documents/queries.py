"""Reads of documents."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.http.paging import Paging
from sqlalchemy import text
from sqlmodel import col, select

from grants.documents.tables import DocumentRow
from grants.scope import IN_REGIONS, narrowing

Row = DocumentRow
"""A row as other slices may read it; it never leaves the service as it is."""

UNCLEAN = text(
    "SELECT count(*) FROM document WHERE institution_id = :id AND superseded_by IS NULL AND scan IN ('pending', 'infected')"
)


async def unclean(uow: UnitOfWork, institution_id: UUID) -> int:
    """Live papers of the institution that are not scanned or not clean."""
    return int((await uow.execute(UNCLEAN, {"id": institution_id})).scalar_one())


async def by_ids(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, DocumentRow]:
    """Documents by id."""
    found = (await uow.session.execute(select(DocumentRow).where(col(DocumentRow.id).in_(ids)))).scalars()
    return {row.id: row for row in found}


async def documents(
    uow: UnitOfWork, page: Paging, *, institution_id: UUID | None, client_ref: str | None
) -> Sequence[DocumentRow]:
    """Documents of the institutions that the actor sees, superseded ones too."""
    query = select(DocumentRow).where(IN_REGIONS, narrowing(uow.actor)).order_by(col(DocumentRow.id)).limit(page.take)
    if institution_id is not None:
        query = query.where(col(DocumentRow.institution_id) == institution_id)
    if client_ref is not None:
        query = query.where(col(DocumentRow.client) == uow.actor.client, col(DocumentRow.client_ref) == client_ref)
    if page.after is not None:
        query = query.where(col(DocumentRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())
