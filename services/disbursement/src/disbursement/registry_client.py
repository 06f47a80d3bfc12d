"""The questions this service asks the registry, behind one small port.

Never inside a transaction that writes: routes ask first (as a dependency before the transaction), jobs ask between
transactions. What comes back is held with its facts_version, which a decision stores. Fails closed: Unavailable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from kit.errors import Missing
from kit.http.client import ServiceClient

from disbursement.rules.ast import FACTS, FactType

MOST_FACTS = 1_000
"""Persons of one `facts:batch-get` (registry design 1.8)."""


@dataclass(frozen=True, slots=True)
class Death:
    """A death record as the registry answers it; never a name or a number."""

    record_id: UUID
    state: str
    died_on: date
    person_id: UUID | None
    akta_token: str | None
    region_code: str
    life_signs: bool = False
    twins: bool = False
    buried: bool = False


@dataclass(frozen=True, slots=True)
class FactSheet:
    """Facts of one person as of the answer; `version` rises with every change."""

    person_id: UUID
    version: int
    values: Mapping[str, Any] = field(default_factory=dict)
    family_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative of the deceased: the relationship as a code, and whether they live."""

    person_id: UUID
    relationship: str
    alive: bool


class Registry(Protocol):
    """What this service may know of people."""

    async def death(self, record_id: UUID) -> Death | None:
        """A death record, or None when the registry has none."""

    async def facts(
        self, person_ids: Sequence[UUID], names: Sequence[str], *, purpose: str, rule_version_id: UUID | None = None
    ) -> dict[UUID, FactSheet]:
        """Facts by person; who is not known is not in the answer."""

    async def heirs(self, person_id: UUID) -> list[Relative]:
        """The relatives of a person who may inherit, nearest first."""

    async def canonical(self, person_ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """The record that stands for each person after merges."""

    async def conflicts(self, officers: Mapping[str, UUID | None], person_ids: Sequence[UUID]) -> bool:
        """Whether one of these officers (account, and person where known) is, or is family of, one of these persons (rule K17)."""

    async def close(self) -> None:
        """Give the connections back."""


class HttpRegistry:
    """The registry over HTTP."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def death(self, record_id: UUID) -> Death | None:
        """A death record by its id."""
        try:
            raw = await self._client.get(f"/v1/deaths/{record_id}")
        except Missing:
            return None
        return _death(raw)

    async def facts(
        self, person_ids: Sequence[UUID], names: Sequence[str], *, purpose: str, rule_version_id: UUID | None = None
    ) -> dict[UUID, FactSheet]:
        """Facts in chunks of 1,000 persons."""
        found: dict[UUID, FactSheet] = {}
        wanted = sorted(set(person_ids))
        for start in range(0, len(wanted), MOST_FACTS):
            body: dict[str, Any] = {
                "person_ids": [str(p) for p in wanted[start : start + MOST_FACTS]],
                "facts": sorted(set(names)),
                "purpose": purpose,
            }
            if rule_version_id is not None:
                body["rule_version_id"] = str(rule_version_id)
            raw = await self._client.ask("/v1/facts:batch-get", body)
            found.update((sheet.person_id, sheet) for sheet in map(_sheet, raw["items"]))
        return found

    async def heirs(self, person_id: UUID) -> list[Relative]:
        """Relatives with relationship and life, in the registry's order."""
        raw = await self._client.get(f"/v1/persons/{person_id}/relatives", {"kind": "heirs"})
        return [
            Relative(UUID(item["person_id"]), str(item["relationship"]), item["life"] == "alive")
            for item in raw["items"]
        ]

    async def canonical(self, person_ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """The canonical id of each."""
        raw = await self._client.ask("/v1/persons:resolve", {"person_ids": [str(p) for p in person_ids]})
        return {UUID(item["person_id"]): UUID(item["canonical_id"]) for item in raw["items"]}

    async def conflicts(self, officers: Mapping[str, UUID | None], person_ids: Sequence[UUID]) -> bool:
        """Whether any pair conflicts."""
        asked = [
            {"subject": sub, "person_id": None if person is None else str(person)} for sub, person in officers.items()
        ]
        body = {"officers": asked, "person_ids": [str(p) for p in person_ids]}
        raw = await self._client.ask("/v1/officers:conflicts", body)
        return bool(raw["pairs"])

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of an answer in the types that rules compare: dates and sets; unknown names and nulls are left out."""
    return {name: _typed(FACTS[name], value) for name, value in values.items() if name in FACTS and value is not None}


def _typed(kind: FactType, value: Any) -> Any:
    match kind:
        case FactType.DATE:
            return value if isinstance(value, date) else date.fromisoformat(value)
        case FactType.SET:
            return frozenset(value)
        case _:
            return value


def _sheet(raw: Mapping[str, Any]) -> FactSheet:
    family = raw["facts"].get("family_id")
    return FactSheet(
        UUID(raw["person_id"]), int(raw["facts_version"]), typed(raw["facts"]), None if family is None else UUID(family)
    )


def _death(raw: Mapping[str, Any]) -> Death:
    person, reports = raw.get("person_id"), raw.get("reports", [])
    return Death(
        record_id=UUID(raw["id"]),
        state=str(raw["state"]),
        died_on=date.fromisoformat(raw["died_on"]),
        person_id=None if person is None else UUID(person),
        akta_token=raw.get("akta_token"),
        region_code=str(raw["region_code"]),
        life_signs=any(r["kind"] == "life_sign" for r in reports),
        buried=any(r["source"] == "buku_makam" and r["kind"] == "death" for r in reports),
    )
