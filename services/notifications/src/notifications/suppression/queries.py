"""Reads of suppressions: masked addresses only."""

from collections.abc import Sequence

from kit.db.uow import UnitOfWork
from kit.http.paging import Paging
from sqlalchemy import text
from sqlmodel import col, select

from notifications.messages.states import Channel
from notifications.suppression.tables import SuppressionRow

LIVE = text("SELECT reason FROM suppression WHERE channel = :channel AND address_index = :index AND lifted_at IS NULL")

Row = SuppressionRow
"""A row as other slices may read it; it never leaves the service as it is."""


async def suppressions(uow: UnitOfWork, page: Paging, channel: Channel | None) -> Sequence[SuppressionRow]:
    """Suppressions, lifted ones too, oldest first."""
    query = select(SuppressionRow).order_by(col(SuppressionRow.id)).limit(page.take)
    if channel is not None:
        query = query.where(col(SuppressionRow.channel) == channel.value)
    if page.after is not None:
        query = query.where(col(SuppressionRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())


async def reason(uow: UnitOfWork, channel: str, index: bytes) -> str | None:
    """Why the address is not written to, or None when it may be."""
    return (await uow.execute(LIVE, {"channel": channel, "index": index})).scalar_one_or_none()
