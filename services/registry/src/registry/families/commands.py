"""Use cases of families. The family's row is locked first, then its members' rows in the order of their ids (by facts)."""

from dataclasses import dataclass
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Invalid
from kit.ids import new_id

from registry import restricted
from registry.events import FamilyChanged
from registry.facts import commands as facts
from registry.families import store
from registry.families.domain import (
    HEAD,
    ChangeHead,
    Form,
    Join,
    Leave,
    Member,
    State,
    decide,
)
from registry.families.domain import (
    Family as Aggregate,
)
from registry.families.tables import Family
from registry.identities import nik
from registry.persons import queries as people
from registry.regions import queries as regions


@dataclass(frozen=True, slots=True)
class NewFamily:
    """A family to form: where, who, under which card."""

    region_code: str
    members: tuple[Member, ...]
    kk: str | None = None
    id: UUID | None = None
    client_ref: str | None = None


async def form(uow: UnitOfWork, new: NewFamily) -> Family:
    """Form a family of persons who are in none. Raises Refused with every reason, Invalid for an impossible card number."""
    uow.within(new.region_code)
    await regions.demand(uow, new.region_code, uow.today)
    ids = [m.person_id for m in new.members]
    for id in ids:
        await people.brief(uow, id)
    elsewhere = await store.elsewhere(uow, ids, min((m.since for m in new.members if m.since), default=None))
    decided, event = uow.settle(decide(None, Form(new.members, elsewhere), uow.context))
    family = Family(
        id=new.id or new_id(), client_ref=new.client_ref, region_code=new.region_code, head_person_id=decided.head
    )
    await uow.save(family)
    for member in new.members:
        await store.add_member(uow, family.id, member.person_id, member.shdk, member.since)
    if new.kk is not None:
        await _add_card(uow, family.id, new.kk)
    await uow.audit("form", "family", family, after={"state": family.state, "members": len(ids)})
    await _tell(uow, family, event, ids, ids)
    return family


async def join(uow: UnitOfWork, id: UUID, member: Member, expected: int) -> Family:
    """Add a member."""
    family = await store.lock(uow, id, expected)
    await people.brief(uow, member.person_id)
    elsewhere = await store.elsewhere(uow, [member.person_id], member.since)
    before = await _aggregate(uow, family)
    decided, event = uow.settle(decide(before, Join(member, elsewhere), uow.context))
    await store.add_member(uow, id, member.person_id, member.shdk, member.since)
    await _save(uow, family, decided, "join", [member.person_id])
    await _tell(uow, family, event, [member.person_id], [m.person_id for m in decided.members])
    return family


async def leave(uow: UnitOfWork, id: UUID, command: Leave, expected: int) -> Family:
    """End a membership; the last one to leave dissolves the family."""
    family = await store.lock(uow, id, expected)
    before = await _aggregate(uow, family)
    decided, event = uow.settle(decide(before, command, uow.context))
    await store.close_member(uow, id, command.person_id, command.on, command.reason)
    await _save(uow, family, decided, "leave", [command.person_id])
    await _tell(uow, family, event, [command.person_id], [m.person_id for m in before.members])
    return family


async def change_head(uow: UnitOfWork, id: UUID, command: ChangeHead, expected: int) -> Family:
    """Make a member the head (kepala keluarga); the former head's relation to the new one is named."""
    family = await store.lock(uow, id, expected)
    before = await _aggregate(uow, family)
    decided, event = uow.settle(decide(before, command, uow.context))
    touched = [m for m in decided.members if before.member(m.person_id) != m]
    # The former head steps back before the new one stands: two heads on one day are impossible in the table.
    for member in sorted(touched, key=lambda m: m.shdk == HEAD):
        await store.close_member(uow, id, member.person_id, command.on, "change_head")
        await store.add_member(uow, id, member.person_id, member.shdk, command.on)
    ids = [m.person_id for m in touched]
    await _save(uow, family, decided, "change_head", ids)
    await _tell(uow, family, event, ids, [m.person_id for m in decided.members])
    return family


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the card numbers of families of whom nobody is known any more; how many."""
    return await store.forget(uow, person_id)


async def _aggregate(uow: UnitOfWork, family: Family) -> Aggregate:
    rows = await store.members(uow, family.id)
    return Aggregate(State(family.state), tuple(Member(r.person_id, r.shdk, r.valid_from) for r in rows))


async def _save(uow: UnitOfWork, family: Family, decided: Aggregate, command: str, persons: list[UUID]) -> None:
    before = family.state
    family.state, family.head_person_id = decided.state.value, decided.head
    await uow.save(family)
    await uow.audit(
        command, "family", family, before={"state": before}, after={"state": family.state, "persons": persons}
    )


async def _tell(uow: UnitOfWork, family: Family, event: str | None, about: list[UUID], touched: list[UUID]) -> None:
    """The family's own event, and `person.facts_changed` for every member whose facts are now others."""
    assert event is not None  # noqa: S101 - every row of the table names one
    payload = FamilyChanged(
        family_id=family.id, persons=about, head_person_id=family.head_person_id, state=family.state
    )
    await uow.announce(family, event, payload)
    await facts.refresh(uow, touched)


async def _add_card(uow: UnitOfWork, family_id: UUID, kk: str) -> None:
    value = nik.normalise(kk)
    checked = nik.check_kk(value) if value else None
    if value is None or checked is None or checked.structure is nik.Structure.BAD:
        raise Invalid.field("/kk", "kk_bukan_16_angka")
    id = new_id()
    await uow.execute(
        store.ADD_CARD,
        {
            "id": id, "family_id": family_id, "kk_enc": restricted.seal(uow.runtime.fields, restricted.CARD_NUMBER, id, value),
            "kk_bidx": uow.runtime.index.of(restricted.KK, value), "key_id": uow.runtime.index.key_id, "last4": value[-4:],
            "since": uow.today, "warnings": list(checked.warnings),
        },
    )  # fmt: skip
