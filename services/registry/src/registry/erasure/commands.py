"""Use case of erasure: all that says who somebody was is destroyed in one transaction; ids, dates and money stay.

What other services hold of a person is an id; they are told by `person.erased` (ADR 0018).
"""

from typing import Final
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing

from registry.contacts import commands as contacts
from registry.deaths import commands as deaths
from registry.events import PersonErased
from registry.facts import commands as facts
from registry.facts import queries as known
from registry.families import commands as families
from registry.identities import commands as identities
from registry.payees import commands as payees
from registry.persons import commands as persons
from registry.persons import queries as people
from registry.persons.domain import Erase
from registry.residences import commands as residences

KEPT: Final = ("decisions", "payments", "ledger", "sent_bank_files", "audit", "read_log")
"""What stays, under the person's id alone: public money is accounted for (sent bank files are encrypted as a whole)."""


async def erase(uow: UnitOfWork, id: UUID, expected: int) -> people.Row:
    """Destroy the personal data of a person for whom it was ordered. Raises Missing, Stale, OutOfRegion, Refused."""
    person = await persons.hold(uow, id, expected)
    row = next(iter(await known.batch(uow, [id])), None)
    if row is None:
        raise Missing("person_facts")
    destroyed = {"names": await persons.erase(uow, person, Erase(row.life, row.died_on))}
    destroyed["numbers"] = await identities.forget(uow, id)
    destroyed["contacts"] = await contacts.forget(uow, id)
    destroyed["accounts"] = await payees.forget(uow, id)
    destroyed["addresses"] = await residences.forget(uow, id)
    destroyed["deaths"] = await deaths.forget(uow, id)
    destroyed["family_cards"] = await families.forget(uow, id)
    person.erasure = {**(person.erasure or {}), "erased_at": uow.now.isoformat(), "destroyed": destroyed}
    await uow.save(person)
    await uow.audit("erase", "person", person, after={"state": person.state, "destroyed": destroyed})
    changes = await facts.refresh(uow, [id], told=[id])
    payload = PersonErased(
        person_id=id, facts_version=await facts.version_of(uow, id, changes), basis=person.erasure["basis"]
    )
    await uow.announce(person, "person.erased", payload)
    return person
