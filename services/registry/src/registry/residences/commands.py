"""Use case of residences: settle somewhere. The former residence of the kind ends on the day the new one begins."""

from dataclasses import dataclass
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.ids import new_id

from registry import restricted
from registry.facts import commands as facts
from registry.persons import commands as persons
from registry.regions import queries as regions
from registry.residences import store
from registry.residences.domain import Kind, Settle, decide


@dataclass(frozen=True, slots=True)
class Address:
    """Below the village: RT, RW and street."""

    rt: int | None = None
    rw: int | None = None
    street: str | None = None
    source: str = "manual"


async def settle(
    uow: UnitOfWork,
    person_id: UUID,
    command: Settle,
    address: Address,
    *,
    expected: int | None = None,
    tell: bool = True,
) -> UUID:
    """Record where a person lives or is registered from a day on; returns the residence's id.

    Raises Refused for a day in the future or before the present residence began. The domicile (else the KTP address)
    decides whose officers see the person. `tell` False leaves facts and events to the caller.
    """
    await regions.demand(uow, command.region_code, command.since or uow.today)
    person = await persons.hold(uow, person_id, expected)
    present = await store.current(uow, person_id, command.kind)
    ends = uow.settle(decide(present.valid_from if present else None, present is not None, command, uow.context))
    if present is not None and ends is not None:
        await store.close(uow, present.id, ends)
    id = new_id()
    sealed = (
        None if address.street is None else restricted.seal(uow.runtime.fields, restricted.STREET, id, address.street)
    )
    await store.add(
        uow,
        store.Row(
            id,
            person_id,
            command.kind,
            command.region_code,
            address.rt,
            address.rw,
            sealed,
            command.since,
            address.source,
        ),
    )
    home = await store.current(uow, person_id, Kind.DOMICILE)
    if command.kind is Kind.DOMICILE or home is None:
        await persons.settle_in(uow, person, command.region_code)
    if expected is not None:
        await uow.save(person)
    await uow.audit("settle", "person", person, after={"kind": command.kind.value, "residence_id": id})
    if tell:
        await facts.tell(uow, person, await facts.refresh(uow, [person_id], told=[person_id]))
    return id


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy what is finer than the village in the addresses of a person whose data are erased; of how many."""
    return await store.forget(uow, person_id)
