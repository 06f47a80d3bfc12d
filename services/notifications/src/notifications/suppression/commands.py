"""What is done with suppressions: an officer or a provider's word adds one, an officer lifts it with the reason audited."""

from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Invalid, Missing

from notifications.channels import addresses
from notifications.messages.states import Channel
from notifications.suppression import store
from notifications.suppression.tables import SuppressionRow


async def suppress(uow: UnitOfWork, channel: Channel, address: str, reason: str) -> SuppressionRow:
    """Stop writing to an address, which is hashed and forgotten. Raises Invalid, Conflict when it is suppressed."""
    plain = addresses.normal(channel, address)
    if plain is None:
        raise Invalid.field("/address", "alamat_tidak_sah")
    index = addresses.index(uow.runtime.index, channel, plain)
    masked = addresses.masked(channel, plain)
    made = await store.add(uow, channel=channel.value, index=index, masked=masked, reason=reason, source="officer")
    if made is None:
        raise Conflict("alamat_sudah_dicabut")
    row = await uow.session.get(SuppressionRow, made)
    if row is None:
        raise Missing("suppression")
    await uow.audit("suppress", "suppression", row, after={"channel": row.channel}, reasons=[reason])
    return row


async def suppress_dead(uow: UnitOfWork, channel: Channel, index: bytes, masked: str, reason: str) -> None:
    """A provider says that the address is dead: it is not written to again until an officer lifts that."""
    made = await store.add(uow, channel=channel.value, index=index, masked=masked, reason=reason, source="provider")
    if made is not None:
        await uow.append_audit("suppress", "suppression", made, 1, after={"channel": channel.value}, reasons=[reason])


async def lift(uow: UnitOfWork, id: UUID, reason: str, expected: int) -> SuppressionRow:
    """Write to the address again. Raises Missing, Stale, Conflict when it was lifted before."""
    row = await lock(uow, SuppressionRow, id, expected)
    if row.lifted_at is not None:
        raise Conflict("sudah_dicabut")
    row.lifted_at, row.lifted_by = uow.now, uow.actor.sub
    await uow.save(row)
    await uow.audit("lift", "suppression", row, after={"channel": row.channel}, reasons=[reason])
    return row
