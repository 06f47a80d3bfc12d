"""Use cases of persons: register, correct by two, destroy by two."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Invalid, Refused
from kit.ids import new_id
from kit.machine import Refusal
from kit.regions import kecamatan

from registry import restricted
from registry.events import PersonRegistered
from registry.facts import commands as facts
from registry.persons import names, store
from registry.persons.domain import Basis, Correct, Erase, OrderErasure, ProposeCorrection, Register, State, decide
from registry.persons.domain import Person as Aggregate
from registry.persons.tables import Person
from registry.regions import queries as regions

UNKNOWN = 9


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is known of a person to register."""

    name: str
    name_kind: str
    region_code: str
    birth_date: date | None = None
    birth_precision: int = UNKNOWN
    sex: str | None = None
    reason: str | None = None
    id: UUID | None = None
    client_ref: str | None = None
    source: str = "manual"
    source_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction changes; None leaves as it is."""

    document_id: UUID | None
    name: str | None = None
    birth_date: date | None = None
    sex: str | None = None


async def register(uow: UnitOfWork, new: NewPerson) -> Person:
    """Register a person without a NIK claim (that is captured next). Announces nothing yet: see `registered`.

    Raises Refused with `calon_ganda` when somebody alike is here and no reason is given.
    """
    uow.within(new.region_code)
    await regions.demand(uow, new.region_code, uow.today)
    norm = names.normalise(new.name)
    if not norm.norm:
        raise Invalid.field("/name", "nama_tanpa_huruf")
    if new.birth_date is not None and new.birth_date > uow.today:
        raise Invalid.field("/birth_date", "tanggal_di_masa_depan")
    alike = await store.alike(uow, norm, new.birth_date, new.sex, new.region_code)
    uow.settle(decide(None, Register(alike, new.reason), uow.context))
    person = Person(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        birth_date=new.birth_date,
        birth_precision=new.birth_precision if new.birth_date else UNKNOWN,
        sex=new.sex,
        region_code=new.region_code,
        source=new.source,
        source_ref=new.source_ref,
    )
    await uow.save(person)
    await store.add_name(uow, person.id, new.name, kind=new.name_kind, source=new.source)
    await uow.audit(
        "register", "person", person, after={"state": person.state}, reasons=["with_reason"] if new.reason else []
    )
    return person


async def registered(uow: UnitOfWork, person: Person) -> None:
    """Build the first facts of a new person and tell of the registration; after claims and addresses are in."""
    await facts.refresh(uow, [person.id])
    payload = PersonRegistered(
        person_id=person.id, provisional=person.provisional, region=kecamatan(person.region_code)
    )
    await uow.announce(person, "person.registered", payload)


async def propose_correction(uow: UnitOfWork, id: UUID, correction: Correction, expected: int) -> Person:
    """Write down another name, birth date or sex; it counts when a verifikator applies it."""
    if correction.birth_date is not None and correction.birth_date > uow.today:
        raise Invalid.field("/birth_date", "tanggal_di_masa_depan")
    person = await store.lock(uow, id, expected)
    decided, _ = uow.settle(decide(_aggregate(person), ProposeCorrection(correction.document_id), uow.context))
    person.correction_by = decided.correction_by
    person.correction_enc = restricted.seal(
        uow.runtime.fields, restricted.CORRECTION, id, json.dumps(_plain(correction))
    )
    await uow.save(person)
    await uow.audit("propose_correction", "person", person, after={"fields": sorted(_changed(correction))})
    return person


async def correct(uow: UnitOfWork, id: UUID, expected: int) -> Person:
    """Apply the proposed correction; the old name stays as a dated row."""
    person = await store.lock(uow, id, expected)
    uow.settle(decide(_aggregate(person), Correct(), uow.context))
    assert person.correction_enc is not None  # noqa: S101 - the guard asked for a proposal
    change = json.loads(restricted.unseal(uow.runtime.fields, restricted.CORRECTION, id, person.correction_enc))
    if change.get("name"):
        await store.close_name(uow, id, "ktp", uow.today)
        await store.add_name(uow, id, change["name"], since=uow.today)
    if change.get("birth_date"):
        person.birth_date, person.birth_precision = date.fromisoformat(change["birth_date"]), 1
    person.sex = change.get("sex") or person.sex
    person.correction_enc = person.correction_by = None
    await uow.save(person)
    await uow.audit("correct", "person", person, after={"fields": sorted(change), "document_id": change["document_id"]})
    await facts.tell(uow, person, await facts.refresh(uow, [id], told=[id]))
    return person


async def settle_in(uow: UnitOfWork, person: Person, region_code: str) -> None:
    """Let the officers of another region see the person from now on (called when the residence changes)."""
    await store.move_region(uow, person, region_code)


async def hold(uow: UnitOfWork, id: UUID, expected: int | None = None) -> Person:
    """Lock a person for a change of what hangs on it. Raises Missing, Stale, OutOfRegion, Refused for an erased one."""
    person = await store.lock(uow, id, expected)
    if person.state == State.ERASED:
        raise Refused(Refusal.because("data_sudah_dihapus"))
    return person


async def order_erasure(uow: UnitOfWork, id: UUID, order: OrderErasure, expected: int) -> Person:
    """Write down that the person's data are to be destroyed, and why; another person does it."""
    person = await store.lock(uow, id, expected)
    decided, _ = uow.settle(decide(_aggregate(person), order, uow.context))
    person.erasure = {
        "basis": order.basis.value, "document_id": str(order.document_id) if order.document_id else None,
        "ordered_by": decided.erasure_by, "ordered_at": uow.now.isoformat(),
    }  # fmt: skip
    await uow.save(person)
    await uow.audit("order_erasure", "person", person, after={"basis": order.basis.value})
    return person


async def erase(uow: UnitOfWork, person: Person, known: Erase) -> int:
    """Take from a held person's row all that says who it was; how many names were destroyed. Announces nothing."""
    decided, _ = uow.settle(decide(_aggregate(person), known, uow.context))
    person.state = decided.state
    person.birth_date, person.birth_precision, person.sex = None, UNKNOWN, None
    person.source_ref = person.client_ref = person.correction_enc = person.correction_by = None
    await uow.session.flush()  # the database lets names go only of somebody who is erased
    return await store.forget_names(uow, person.id)


async def identified(uow: UnitOfWork, person: Person) -> None:
    """A usable NIK was captured: the person is no longer provisional."""
    if person.provisional:
        person.provisional = False
        await uow.session.flush()


def _aggregate(person: Person) -> Aggregate:
    order = person.erasure or {}
    basis = Basis(order["basis"]) if order else None
    return Aggregate(State(person.state), person.correction_by, basis, order.get("ordered_by"))


def _changed(correction: Correction) -> list[str]:
    return [name for name in ("name", "birth_date", "sex") if getattr(correction, name) is not None]


def _plain(correction: Correction) -> dict[str, Any]:
    values = {name: getattr(correction, name) for name in _changed(correction)}
    return {
        **{k: v.isoformat() if isinstance(v, date) else v for k, v in values.items()},
        "document_id": str(correction.document_id),
    }
