"""The questions of the gates: what changed, which account, who is related. Asked of the registry, never in a transaction.

Accounts in clear live in memory for one export and in the sealed file, nowhere else. A registry that does not answer
closes the gate (Unavailable).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from kit.db.bulk import chunks
from kit.http.client import ServiceClient

MOST_STALE = 10_000
MOST_PAYEES = 1_000
MOST_OFFICERS = 200
MOST_CONFLICTS = 5_000


@dataclass(frozen=True, slots=True)
class Changed:
    """A person whose facts are not those that the list was made with, and in which groups."""

    person_id: UUID
    facts_version: int
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What may be stored about a default account: its state and a token that changes when the account does."""

    person_id: UUID
    state: str
    name_match: str
    bank_code: str | None
    token: bytes | None
    usable_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    """Who had a duty in a batch: the account, and the registry person where the token told it."""

    subject: str
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account in clear. `repr` shows nothing of it."""

    person_id: UUID
    bank_code: str = field(repr=False)
    number: str = field(repr=False)
    holder_name: str = field(repr=False)


class PayeeDesk(Protocol):
    """What the gates may ask."""

    async def stale(self, known: Mapping[UUID, int]) -> dict[UUID, Changed]:
        """Of the persons with the versions of their facts that we hold, those that differ."""

    async def fingerprints(self, person_ids: Sequence[UUID]) -> dict[UUID, Fingerprint]:
        """States and tokens of default accounts; who has none is not in the answer."""

    async def accounts(self, person_ids: Sequence[UUID], batch_id: UUID) -> dict[UUID, Account]:
        """Default accounts in clear, for one export."""

    async def conflicts(self, officers: Sequence[Officer], person_ids: Sequence[UUID]) -> frozenset[UUID]:
        """The persons who are, or are family of, one of the officers (rule K17)."""


class HttpPayeeDesk:
    """The registry over HTTP, in the chunks it allows."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def stale(self, known: Mapping[UUID, int]) -> dict[UUID, Changed]:
        """`facts:stale-check`."""
        found: dict[UUID, Changed] = {}
        for part in _parts(sorted(known), MOST_STALE):
            body = {"items": [{"person_id": str(id), "facts_version": known[id]} for id in part]}
            for item in (await self._client.ask("/v1/facts:stale-check", body))["stale"]:
                changed = Changed(
                    UUID(item["person_id"]), int(item.get("facts_version") or 0), frozenset(item.get("groups") or ())
                )
                found[changed.person_id] = changed
        return found

    async def fingerprints(self, person_ids: Sequence[UUID]) -> dict[UUID, Fingerprint]:
        """`payees:fingerprint`."""
        found: dict[UUID, Fingerprint] = {}
        for part in _parts(sorted(set(person_ids)), MOST_PAYEES):
            answer = await self._client.ask("/v1/payees:fingerprint", {"person_ids": [str(id) for id in part]})
            for item in answer["items"]:
                mark = Fingerprint(
                    UUID(item["person_id"]),
                    str(item["state"]),
                    str(item.get("name_match") or ""),
                    item.get("bank_code"),
                    bytes.fromhex(item["payee_token"]) if item.get("payee_token") else None,
                    datetime.fromisoformat(item["usable_from"]) if item.get("usable_from") else None,
                )
                found[mark.person_id] = mark
        return found

    async def accounts(self, person_ids: Sequence[UUID], batch_id: UUID) -> dict[UUID, Account]:
        """`payees:batch-get`."""
        found: dict[UUID, Account] = {}
        for part in _parts(sorted(set(person_ids)), MOST_PAYEES):
            body: dict[str, Any] = {
                "person_ids": [str(id) for id in part],
                "purpose": "export",
                "batch_id": str(batch_id),
            }
            for item in (await self._client.ask("/v1/payees:batch-get", body))["items"]:
                if item.get("account") and item.get("bank_code"):
                    id = UUID(item["person_id"])
                    found[id] = Account(id, str(item["bank_code"]), str(item["account"]), str(item["holder_name"]))
        return found

    async def conflicts(self, officers: Sequence[Officer], person_ids: Sequence[UUID]) -> frozenset[UUID]:
        """`officers:conflicts`."""
        found: set[UUID] = set()
        asked = [{"subject": o.subject, "person_id": str(o.person_id) if o.person_id else None} for o in officers]
        for some in chunks(asked, MOST_OFFICERS):
            for part in _parts(sorted(set(person_ids)), MOST_CONFLICTS):
                body = {"officers": list(some), "person_ids": [str(id) for id in part]}
                answer = await self._client.ask("/v1/officers:conflicts", body)
                found.update(UUID(pair["person_id"]) for pair in answer["pairs"])
        return frozenset(found)


def _parts(items: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
