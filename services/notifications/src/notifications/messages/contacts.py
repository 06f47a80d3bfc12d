"""Where people can be reached: asked of registry at the moment of sending, kept in memory for minutes, stored nowhere.

The worker alone comes in, outside of any transaction. Offices and institutions come from our own directory.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

from notifications.channels import addresses
from notifications.messages.states import Channel, Class

BATCH = 500
KEPT_SECONDS = 15 * 60
MOST_KEPT = 20_000


class Registry(Protocol):
    """The one call to registry that this needs (`kit.http.client.ServiceClient` has it)."""

    async def ask(self, path: str, body: Any) -> Any:
        """The JSON answer of a bulk question."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """How one recipient is reached and what they do not want. Shows no address."""

    locale: str = "id"
    addresses: Mapping[Channel, str] = field(default_factory=dict, repr=False)
    channels_off: frozenset[str] = frozenset()
    classes_off: frozenset[str] = frozenset()


NOBODY = Contact()


class Contacts:
    """Contacts of persons, at most fifteen minutes old."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: dict[tuple[UUID, Class], tuple[float, Contact]] = {}

    async def of(self, people: Iterable[UUID], klass: Class) -> dict[UUID, Contact]:
        """The contacts of these persons for a class of message; who has none gets NOBODY. Raises Unavailable."""
        now = monotonic()
        wanted = list(dict.fromkeys(people))
        found = {p: kept[1] for p in wanted if (kept := self._kept.get((p, klass))) and kept[0] > now}
        missing = [p for p in wanted if p not in found]
        for start in range(0, len(missing), BATCH):
            found |= await self._fetch(missing[start : start + BATCH], klass, now)
        return found

    def forget(self, person: UUID) -> None:
        """Ask again next time: what is kept was just shown to be wrong."""
        for klass in Class:
            self._kept.pop((person, klass), None)

    async def _fetch(self, people: Sequence[UUID], klass: Class, now: float) -> dict[UUID, Contact]:
        body = {"person_ids": [str(p) for p in people], "message_class": klass.value}
        answer = await self._registry.ask("/v1/contacts:batch-get", body)
        told = {UUID(str(item["person_id"])): _contact(item) for item in answer["items"]}
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        found = {person: told.get(person, NOBODY) for person in people}
        for person, contact in found.items():
            self._kept[person, klass] = (now + KEPT_SECONDS, contact)
        return found


_KINDS = {"email": (Channel.EMAIL,), "phone": (Channel.SMS,), "sms": (Channel.SMS,), "wa": (Channel.WHATSAPP,), "whatsapp": (Channel.WHATSAPP,)}  # fmt: skip


def _contact(item: Mapping[str, Any]) -> Contact:
    """One answer of registry; addresses that are no addresses count as absent."""
    found: dict[Channel, str] = {}
    for entry in item.get("contacts") or item.get("addresses") or ():
        for channel in _KINDS.get(str(entry.get("kind") or entry.get("channel")), ()):
            plain = addresses.normal(channel, str(entry.get("value") or entry.get("address") or ""))
            if plain is not None:
                found.setdefault(channel, plain)
    wishes = item.get("preferences") or {}
    language = item.get("language") or item.get("locale")
    return Contact(
        locale=language if language in {"id", "en"} else "id",
        addresses=found,
        channels_off=frozenset(wishes.get("channels_off") or ()),
        classes_off=frozenset(wishes.get("classes_off") or ()),
    )
