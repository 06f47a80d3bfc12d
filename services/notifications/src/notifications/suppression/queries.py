"""Reads of suppressions: masked addresses only."""

from collections.abc import Sequence

from kit.db.uow import UnitOfWork
from kit.http.paging import Paging
from sqlmodel import col, select

from notifications.messages.states import Channel
from notifications.suppression.tables import SuppressionRow


async def suppressions(uow: UnitOfWork, page: Paging, channel: Channel | None) -> Sequence[SuppressionRow]:
    """Suppressions, lifted ones too, oldest first."""
    query = select(SuppressionRow).order_by(col(SuppressionRow.id)).limit(page.take)
    if channel is not None:
        query = query.where(col(SuppressionRow.channel) == channel.value)
    if page.after is not None:
        query = query.where(col(SuppressionRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())
