"""Routes of contacts: recorded by officers, fetched at sending time by those who send."""

from typing import Annotated, Any, Literal
from uuid import UUID

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.db.uow import UnitOfWork
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field

from registry.contacts import commands, queries
from registry.creation import Creation, Purpose
from registry.persons import queries as people

router = Api(prefix="/v1", tags=["contacts"])

MAX_CONTACTS = 500
Writer = Annotated[Actor, requires("registry.contacts:write", region=Region.OBJECT)]
MessageClass = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{2,39}$", description="Class of message the addresses are for.")
]


class NewContact(Creation):
    """A phone number (any common spelling; kept in E.164) or mail address, whose it is, and what was agreed."""

    person_id: UUID
    kind: Literal["phone", "wa", "email"]
    value: Annotated[str, Field(min_length=3, max_length=254)]
    owner: Literal["self", "family", "operator", "rt"] = "self"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "id"
    consent: Annotated[dict[str, bool], Field(max_length=20)] = Field(default_factory=dict)


class Mark(Body):
    state: Literal["live", "stale", "refused"]


class ContactOut(Versioned):
    id: UUID
    receipt: str
    person_id: UUID
    kind: str
    masked: str
    owner: str
    language: str
    state: str
    consent: dict[str, Any]
    client_ref: str | None


class Contacts(Out):
    items: list[ContactOut]


class ContactsQuestion(Body):
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_CONTACTS)]
    message_class: MessageClass = "decision"
    purpose: Purpose = "notification"


class AddressOut(Out):
    kind: str
    value: str
    owner: str
    language: str
    consent: dict[str, Any]


class ReachOut(Out):
    """How to reach one person, the own contact first; `language` is that contact's."""

    person_id: UUID
    language: str
    contacts: list[AddressOut]


class ContactsAnswer(Out):
    """`missing` have no live contact: they go to the printed list of their RT."""

    items: list[ReachOut]
    missing: list[UUID]


@router.post("/contacts", status_code=201, responses=problems(404, 409, 422))
async def record_contact(body: NewContact, uow: Uow, _: Writer) -> ContactOut:
    """Keep a contact (kontak), sealed."""
    return _out(uow, await commands.record(uow, commands.NewContact(**body.model_dump())))


@router.get("/persons/{person_id}/contacts", responses=problems(404))
async def list_contacts(
    person_id: UUID, uow: Reads, _: Annotated[Actor, requires("registry.persons:read", region=Region.OBJECT)]
) -> Contacts:
    """The contacts of a person, masked."""
    await people.get(uow, person_id)
    return Contacts(items=[_out(uow, contact) for contact in await queries.of_person(uow, person_id)])


@router.post("/contacts/{contact_id}:mark", responses=problems(404, 412, 428))
async def mark_contact(contact_id: UUID, body: Mark, uow: Uow, version: IfMatch, _: Writer) -> ContactOut:
    """Say that a contact does not work (stale), is not wanted (refused), or works again (live)."""
    return _out(uow, await commands.mark(uow, contact_id, body.state, version))


@router.post("/contacts:batch-get", responses=problems(422))
async def batch_get(
    body: ContactsQuestion, uow: Reads, _: Annotated[Actor, requires("registry.contacts:read", region=Region.OBJECT)]
) -> ContactsAnswer:
    """Live addresses of up to 500 persons whose owners did not refuse this class; logged; at most 15 minutes in memory."""
    found: dict[UUID, list[AddressOut]] = {}
    for address in await queries.live_of(uow, body.person_ids):
        if address.consent.get(body.message_class) is False:
            continue
        found.setdefault(address.person_id, []).append(AddressOut.model_validate(address))
    await uow.log_reads(f"{body.purpose}:{body.message_class}", ["contact"], sorted(found))
    return ContactsAnswer(
        items=[
            ReachOut(person_id=id, language=contacts[0].language, contacts=contacts) for id, contacts in found.items()
        ],
        missing=[id for id in dict.fromkeys(body.person_ids) if id not in found],
    )


def _out(uow: UnitOfWork, contact: queries.Row) -> ContactOut:
    given = {name: getattr(contact, name) for name in ContactOut.model_fields if name not in {"receipt", "masked"}}
    return ContactOut(**given, receipt=receipt("KT", contact.id), masked=queries.shown(uow, contact))
