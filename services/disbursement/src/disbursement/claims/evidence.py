"""What a command of a claim must know from the registry, asked before its transaction begins.

Each function reads the file in a short transaction of its own, asks, and returns evidence. A claim that changed in
between is found by the version in `If-Match`; facts that changed since are found by their `facts_version`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.runtime import Runtime

from disbursement.citizens import only_own
from disbursement.claims.tables import ClaimRow
from disbursement.programmes import queries as programmes
from disbursement.registry_client import Death, FactSheet, Registry, Relative
from disbursement.rules import ast

PURPOSE = "claim"
LIFE = ("life", "died_on", "payee_state", "domicile", "family_id")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The registry's answers for one claim. `deceased` and `claimant` are None when the registry knows no such person."""

    death: Death | None
    claimant: FactSheet | None = None
    deceased: FactSheet | None = None
    relatives: tuple[Relative, ...] = ()
    same_person: bool = False
    conflict: bool = False
    keys: tuple[str, ...] = ()

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts of the deceased that the rule declares."""
        return self.deceased.values if self.deceased is not None else {}

    @property
    def facts_version(self) -> int | None:
        """The version of the deceased's facts."""
        return None if self.deceased is None else self.deceased.version


@dataclass(frozen=True, slots=True)
class Asked:
    """What the short transaction read: whom and what to ask about."""

    row: ClaimRow
    fact_names: tuple[str, ...] = field(default=())
    version_id: UUID | None = None


async def for_start(registry: Registry, death_record_id: UUID) -> Evidence:
    """The death a new file is about."""
    return Evidence(await registry.death(death_record_id))


async def for_filing(runtime: Runtime, registry: Registry, actor: Actor, claim_id: UUID) -> Evidence:
    """The death, both persons, and the keys under which the deceased can be claimed for only once."""
    asked = await _read(runtime, actor, claim_id)
    return await _people(registry, asked)


async def for_check(runtime: Runtime, registry: Registry, actor: Actor, claim_id: UUID) -> Evidence:
    """The relatives who might stand before the claimant."""
    asked = await _read(runtime, actor, claim_id)
    person = asked.row.deceased_person_id
    relatives = await registry.heirs(person) if person is not None else []
    return Evidence(await registry.death(asked.row.death_record_id), relatives=tuple(relatives))


async def for_decision(runtime: Runtime, registry: Registry, actor: Actor, claim_id: UUID) -> Evidence:
    """Death, persons, relatives of the officer: everything that verifying and deciding look at."""
    asked = await _read(runtime, actor, claim_id)
    people = await _people(registry, asked)
    conflict = await registry.conflicts({actor.sub: actor.person_id}, [asked.row.claimant_person_id])
    return Evidence(
        people.death, people.claimant, people.deceased, same_person=people.same_person, conflict=conflict,
        keys=people.keys,
    )  # fmt: skip


async def _read(runtime: Runtime, actor: Actor, claim_id: UUID) -> Asked:
    async with runtime.begin(actor, origin="evidence") as uow:
        row = await uow.session.get(ClaimRow, claim_id)
        if row is None:
            raise Missing("claim")
        uow.within(row.region_code)
        only_own(actor, row.claimant_person_id)
        version = await rule_of(uow, row)
        names = () if version is None else tuple(ast.parse(version.ast).facts)
        return Asked(row, names, None if version is None else version.id)


async def rule_of(uow: UnitOfWork, row: ClaimRow) -> Any:
    """The rule version that holds for this claim: its own once filed, else the one of its dates today."""
    if row.rule_version_id is not None:
        return await programmes.version(uow, row.rule_version_id)
    return await programmes.version_for(uow, row.programme_id, event_on=row.died_on, filed_on=uow.today)


async def _people(registry: Registry, asked: Asked) -> Evidence:
    row = asked.row
    death = await registry.death(row.death_record_id)
    claimants = await registry.facts([row.claimant_person_id], LIFE, purpose=PURPOSE)
    deceased_id = death.person_id if death is not None else row.deceased_person_id
    deceased = None
    if deceased_id is not None and asked.fact_names:
        sheets = await registry.facts(
            [deceased_id], asked.fact_names, purpose=PURPOSE, rule_version_id=asked.version_id
        )
        deceased = sheets.get(deceased_id)
    people = [p for p in (row.claimant_person_id, deceased_id) if p is not None]
    canonical = await registry.canonical(people)
    same = deceased_id is not None and canonical.get(row.claimant_person_id) == canonical.get(deceased_id, deceased_id)
    return Evidence(
        death,
        claimants.get(row.claimant_person_id),
        deceased,
        same_person=same,
        keys=_keys(row, death, None if deceased_id is None else canonical.get(deceased_id, deceased_id)),
    )


def _keys(row: ClaimRow, death: Death | None, deceased: UUID | None) -> tuple[str, ...]:
    """Record, certificate and person: whichever of them is known, each is claimed for once over all years."""
    token = death.akta_token if death is not None else row.akta_token
    keys = [f"rec:{row.death_record_id}"]
    if token:
        keys.append(f"akta:{token}")
    if deceased is not None:
        keys.append(f"person:{deceased}")
    return tuple(keys)
