"""Reads of the directory: masked, never the address itself."""

from collections.abc import Sequence

from kit.db.uow import UnitOfWork
from kit.http.paging import Paging
from sqlmodel import col, select

from notifications.directory.tables import DirectoryRow
from notifications.scope import IN_REGIONS


async def entries(uow: UnitOfWork, page: Paging, *, role: str | None, client_ref: str | None) -> Sequence[DirectoryRow]:
    """Entries of the actor's regions, oldest first."""
    query = select(DirectoryRow).where(IN_REGIONS).order_by(col(DirectoryRow.id)).limit(page.take)
    if role is not None:
        query = query.where(col(DirectoryRow.role) == role)
    if client_ref is not None:
        query = query.where(col(DirectoryRow.client) == uow.actor.client, col(DirectoryRow.client_ref) == client_ref)
    if page.after is not None:
        query = query.where(col(DirectoryRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())
