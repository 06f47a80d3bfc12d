"""Reads of death records: one, lists by region and state, and the look-up of the intake screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.paging import Paging
from sqlalchemy import false, or_
from sqlmodel import col, select

from registry import restricted
from registry.deaths import store
from registry.deaths.record import normalise_akta
from registry.deaths.tables import DeathRecord
from registry.identities import nik
from registry.identities import queries as identities
from registry.persons import queries as people
from registry.persons.names import normalise as normalise_name

Row: TypeAlias = DeathRecord
"""What these reads answer; routes turn it into an answer and never let it out."""


@dataclass(frozen=True, slots=True)
class Clue:
    """What an intake screen knows of a death: the akta, the NIK, a name and a day. At least akta or NIK."""

    akta_no: str | None = None
    issuer_code: str | None = None
    nik: str | None = None
    name: str | None = None
    died_on: date | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The record that the clue leads to. `doubts` are codes of what did not fit; no number is repeated."""

    record: DeathRecord | None
    person_id: UUID | None
    akta_token: bytes | None
    life_signs: int
    doubts: tuple[str, ...]


async def get(uow: UnitOfWork, id: UUID) -> DeathRecord:
    """The record, when it is there and within the actor's regions."""
    record = await uow.session.get(DeathRecord, id)
    if record is None:
        raise Missing("death_record")
    uow.within(record.region_code)
    return record


async def by_client_ref(uow: UnitOfWork, client_ref: str) -> DeathRecord | None:
    """The record that the calling client reported under its own reference."""
    statement = select(DeathRecord).where(DeathRecord.client == uow.actor.client, DeathRecord.client_ref == client_ref)
    record: DeathRecord | None = (await uow.session.execute(statement)).scalar_one_or_none()
    return record


async def reports(uow: UnitOfWork, id: UUID) -> list[Any]:
    """All reports and signs of life of a record."""
    return await store.reports(uow, id)


async def listed(uow: UnitOfWork, region: str | None, state: str | None, page: Paging) -> Sequence[DeathRecord]:
    """Records of a region, or of all regions of the actor, newest first, one page. Raises OutOfRegion."""
    if region is not None:
        uow.within(region)
    place, regions = col(DeathRecord.region_code), [region] if region else list(uow.actor.regions)
    inside = [or_(place == one, place.startswith(one + ".")) for one in regions]
    statement = select(DeathRecord).where(or_(false(), *inside))
    if state is not None:
        statement = statement.where(DeathRecord.state == state)
    if page.after is not None:
        statement = statement.where(col(DeathRecord.id) < page.after[1])
    statement = statement.order_by(col(DeathRecord.id).desc()).limit(page.take)
    return list((await uow.session.execute(statement)).scalars())


async def resolve(uow: UnitOfWork, clue: Clue) -> Resolved:
    """Find the death that a claim is about, by akta first, then by NIK; name and day only raise doubts.

    Answers without a record where there is none: the NIK may still name a person who is thought alive.
    """
    akta = normalise_akta(clue.akta_no) if clue.akta_no else None
    token = restricted.akta_token(uow.runtime.index, clue.issuer_code, akta) if akta and clue.issuer_code else None
    persons = (
        [found.person_id for found in await identities.search(uow, clue.nik)]
        if clue.nik and nik.normalise(clue.nik)
        else []
    )
    record = await _record(uow, clue, akta, persons)
    doubts = [] if record is None else await _doubts(uow, clue, record, akta, persons)
    person_id = record.person_id if record else persons[0] if len(persons) == 1 else None
    signs = 0 if record is None else await store.life_signs(uow, record.id)
    return Resolved(record, person_id, (record.akta_token if record else None) or token, signs, tuple(doubts))


async def _record(uow: UnitOfWork, clue: Clue, akta: str | None, persons: Sequence[UUID]) -> DeathRecord | None:
    rows: list[Any] = []
    if akta and clue.issuer_code:
        rows = list(await uow.execute(store.RESOLVE_AKTA, {"issuer": clue.issuer_code, "akta": akta}))
    if not rows and persons:
        rows = list(await uow.execute(store.RESOLVE_PERSON, {"ids": list(persons)}))
    if not rows and clue.nik and (number := nik.normalise(clue.nik)):
        digests = restricted.digests(uow.runtime.index, restricted.NIK, number)
        rows = list(await uow.execute(store.RESOLVE_UNMATCHED, {"digests": digests}))
    seen = [row for row in rows if uow.actor.sees(row.region_code)]
    return await uow.session.get(DeathRecord, seen[0].id) if seen else None


async def _doubts(
    uow: UnitOfWork, clue: Clue, record: DeathRecord, akta: str | None, persons: Sequence[UUID]
) -> list[str]:
    doubts = []
    if akta and record.akta_no_norm and record.akta_no_norm != akta:
        doubts.append("akta_berbeda")
    if clue.died_on and clue.died_on != record.died_on:
        doubts.append("tanggal_wafat_berbeda")
    if persons and record.person_id is not None and record.person_id not in persons:
        doubts.append("nik_orang_lain")
    if clue.name and record.person_id is not None:
        name = (await people.names(uow, [record.person_id])).get(record.person_id, "")
        if normalise_name(name).norm != normalise_name(clue.name).norm:
            doubts.append("nama_berbeda")
    return doubts
