"""Every SQL statement of suppressions."""

from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

ADD = text(
    "INSERT INTO suppression (channel, address_index, address_masked, reason, source, created_by, created_at)"
    " VALUES (:channel, :index, :masked, :reason, :source, :by, :at)"
    " ON CONFLICT (channel, address_index) WHERE lifted_at IS NULL DO NOTHING RETURNING id"
)


async def add(uow: UnitOfWork, *, channel: str, index: bytes, masked: str, reason: str, source: str) -> UUID | None:
    """Suppress an address; None when it is suppressed already."""
    params = {"channel": channel, "index": index, "masked": masked, "reason": reason, "source": source}
    row = await uow.execute(ADD, {**params, "by": uow.actor.sub, "at": uow.now})
    return row.scalar_one_or_none()
