"""Every SQL statement of suppressions."""

from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

LIVE = text("SELECT reason FROM suppression WHERE channel = :channel AND address_index = :index AND lifted_at IS NULL")
ADD = text(
    "INSERT INTO suppression (channel, address_index, address_masked, reason, source, created_by, created_at)"
    " VALUES (:channel, :index, :masked, :reason, :source, :by, :at)"
    " ON CONFLICT (channel, address_index) WHERE lifted_at IS NULL DO NOTHING RETURNING id"
)


async def reason(uow: UnitOfWork, channel: str, index: bytes) -> str | None:
    """Why the address is not written to, or None when it may be."""
    return (await uow.execute(LIVE, {"channel": channel, "index": index})).scalar_one_or_none()


async def add(uow: UnitOfWork, *, channel: str, index: bytes, masked: str, reason: str, source: str) -> UUID | None:
    """Suppress an address; None when it is suppressed already."""
    params = {"channel": channel, "index": index, "masked": masked, "reason": reason, "source": source}
    row = await uow.execute(ADD, {**params, "by": uow.actor.sub, "at": uow.now})
    return row.scalar_one_or_none()
