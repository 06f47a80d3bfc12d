"""Use cases of contacts: record one, say that it no longer works or is not wanted."""

from dataclasses import dataclass, field
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Invalid
from kit.ids import new_id

from registry import restricted
from registry.contacts import addresses, store
from registry.contacts.tables import Contact
from registry.persons import commands as persons
from registry.persons import queries as people


@dataclass(frozen=True, slots=True)
class NewContact:
    """A phone number or mail address as it was given."""

    person_id: UUID
    kind: str
    value: str
    owner: str = "self"
    language: str = "id"
    consent: dict[str, bool] = field(default_factory=dict)
    id: UUID | None = None
    client_ref: str | None = None


async def record(uow: UnitOfWork, new: NewContact) -> Contact:
    """Keep a contact, sealed. Raises Invalid when it is no phone number or mail address (without repeating it)."""
    await persons.hold(uow, new.person_id)
    value = addresses.normalise(new.kind, new.value)
    if value is None:
        raise Invalid.field("/value", "kontak_tidak_sah")
    id = new.id or new_id()
    scheme = restricted.EMAIL if new.kind == "email" else restricted.PHONE
    contact = Contact(
        id=id,
        client_ref=new.client_ref,
        person_id=new.person_id,
        kind=new.kind,
        value_enc=restricted.seal(uow.runtime.fields, restricted.CONTACT_VALUE, id, value),
        value_bidx=uow.runtime.index.of(scheme, value),
        bidx_key_id=uow.runtime.index.key_id,
        owner=new.owner,
        language=new.language,
        consent=dict(new.consent),
    )
    await uow.save(contact)
    await uow.audit(
        "record", "contact", contact, after={"person_id": new.person_id, "kind": new.kind, "owner": new.owner}
    )
    return contact


async def mark(uow: UnitOfWork, id: UUID, state: str, expected: int | None) -> Contact:
    """Say that a contact is `stale` (does not work), `refused` (not wanted) or `live` again."""
    contact = await store.lock(uow, id, expected)
    await people.brief(uow, contact.person_id)
    before, contact.state = contact.state, state
    await uow.save(contact)
    await uow.audit("mark", "contact", contact, before={"state": before}, after={"state": state})
    return contact


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the contacts of a person whose data are erased; how many."""
    return await store.forget(uow, person_id)
