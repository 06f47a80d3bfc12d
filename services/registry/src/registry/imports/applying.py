"""One chunk of an approved list goes into the registry: rows, events and the mark that it is done, in one transaction.

Rows that say what they said last time are not touched: no row version, no event. A chunk that is done is a no-op.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db import bulk
from kit.db.uow import Line, UnitOfWork
from kit.errors import Refused
from kit.failpoints import failpoint
from kit.regions import kecamatan
from sqlalchemy import text

from registry.deaths import commands as deaths
from registry.deaths.commands import Reported
from registry.deaths.record import Source
from registry.facts import commands as facts
from registry.imports import store, work
from registry.imports.lines import DEAD, PARTS
from registry.imports.store import Chunk
from registry.imports.tables import ImportRun

CHUNK_SECONDS = 300
_PART = 8
_GROWING = frozenset({1, 4, 16, 64, 256})
"""Chunks of a growing registry after which the planner is told how large it has become."""
_PLAN = text("""
    SELECT set_config('random_page_cost', '1.1', true), set_config('work_mem', '64MB', true), set_config('lock_timeout', '60s', true)
""")
"""A chunk looks 5,000 rows up in tables of millions. With the cost of a disk that has to seek, the planner would rather read
such a table whole, once per chunk, and the import would grow with its square."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chunk that is new or says something else than before."""

    line: int
    person_id: UUID
    is_new: bool
    parts: int


async def apply_chunk(uow: UnitOfWork, run: ImportRun, chunk: Chunk) -> None:
    """Apply one chunk in the caller's transaction, unless it was applied before."""
    driver = await uow.driver()
    await driver.execute(work.LOCK_SOURCE, run.source)
    if not await store.claim_chunk(uow, run.id, chunk.no):
        return
    await bulk.long_statements(uow, CHUNK_SECONDS)
    await uow.execute(_PLAN)
    step = _Chunk(uow, driver, run, chunk)
    await (step.take_in() if chunk.kind == "rows" else step.let_go())
    await uow.append_audit(
        "import_chunk", "import_run", run.id, run.version, after={"chunk": chunk.no, "kind": chunk.kind}
    )


class _Chunk:
    """The steps of one chunk, in the order of the locks: families, persons, what hangs on them, events."""

    def __init__(self, uow: UnitOfWork, driver: Any, run: ImportRun, chunk: Chunk) -> None:
        self._uow, self._driver, self._run = uow, driver, run
        self._number = chunk.no
        self._bounds = (run.id, chunk.lo, chunk.hi)
        self._source, self._as_of, self._by = run.source, run.as_of, run.created_by
        self._national = run.source.startswith("dtsen")
        self._key = uow.runtime.index.key_id

    async def take_in(self) -> None:
        """Bring in the rows that are new or changed."""
        found = await self._driver.fetch(work.LOAD, *self._bounds, self._source)
        rows = [_row(record) for record in found]
        if not rows:
            return
        await self._fill(rows)
        await self._driver.fetch(work.LOCK_FAMILIES, self._source)
        await self._driver.fetch(work.LOCK_PERSONS)
        added = await self._persons()
        failpoint("import.mid_insert")
        formed = await self._families()
        conflicts = await self._identities()
        touched = await self._homes()
        await self._reach()
        await self._driver.execute(work.KEEP_SUBJECTS, self._source)
        await self._announce_new(added, formed)
        if added and self._number in _GROWING:
            await self._driver.execute(work.ANALYSE_REGISTRY)
        members = await self._driver.fetch(work.MEMBERS, sorted(touched))
        ids = {row.person_id for row in rows} | set(conflicts) | {m["person_id"] for m in members}
        await facts.refresh(self._uow, sorted(ids), run_id=self._run.id)
        await self._deaths(
            [
                (row, record["died_on"], record["region_code"])
                for row, record in zip(rows, found, strict=True)
                if record["status"] == DEAD and row.parts & work.BITS["life"]
            ]
        )

    async def let_go(self) -> None:
        """Mark rows that the list no longer has. Nobody is deleted and no aid is stopped by this alone."""
        gone = await self._driver.fetch(work.GONE, *self._bounds, self._as_of, self._source, self._run.region_code)
        ids = sorted(record["person_id"] for record in gone)
        await self._driver.execute(work.UNREGISTER, ids, self._uow.now)
        await facts.refresh(self._uow, ids, run_id=self._run.id)

    async def _fill(self, rows: Sequence[Row]) -> None:
        """The chunk's rows in a temporary table with fresh statistics, so that every later plan is a good one."""
        await self._driver.execute(work.MAKE)
        for index in work.INDEX:
            await self._driver.execute(index)
        await self._driver.execute("SET LOCAL enable_nestloop = off")
        columns = (
            [r.line for r in rows],
            [r.person_id for r in rows],
            [r.is_new for r in rows],
            [r.parts for r in rows],
        )
        await self._driver.execute(work.FILL, *self._bounds, *columns)
        await self._driver.execute("SET LOCAL enable_nestloop = on")
        await self._driver.execute(work.ANALYSE)

    async def _persons(self) -> list[Any]:
        now = self._uow.now
        added = await self._driver.fetch(work.ADD_PERSONS, self._source, self._as_of, self._by, self._national, now)
        await self._driver.execute(work.CHANGE_PERSONS, self._as_of, self._national, now)
        kind = "dtsen" if self._national else "ktp"
        await self._driver.execute(work.END_NAMES, kind, self._as_of)
        await self._driver.execute(work.ADD_NAMES, kind, self._as_of, self._source)
        return list(added)

    async def _families(self) -> list[Any]:
        formed = await self._driver.fetch(work.ADD_FAMILIES, self._source, self._by, self._uow.now)
        await self._driver.execute(work.NAME_FAMILIES, self._source, [record["id"] for record in formed])
        return list(formed)

    async def _identities(self) -> list[UUID]:
        """NIK claims; persons whose claim is now in conflict, others than those of the list among them."""
        await self._driver.execute(work.END_CLAIMS, self._uow.now)
        await self._driver.execute(work.ADD_CLAIMS, self._source, self._key, self._by, self._uow.now)
        doubled = [record["value_bidx"] for record in await self._driver.fetch(work.DOUBLED_CLAIMS)]
        if not doubled:
            return []
        return [record["person_id"] for record in await self._driver.fetch(work.SET_CONFLICTS, doubled, self._uow.now)]

    async def _homes(self) -> set[UUID]:
        """Cards, members, residences, ranks; the families that were there before and are now other ones."""
        touched = {record["family_id"] for record in await self._driver.fetch(work.END_CARDS, self._as_of)}
        await self._driver.execute(work.ADD_CARDS, self._as_of, self._key)
        left = await self._driver.fetch(work.END_MEMBERS, self._as_of)
        joined = await self._driver.fetch(work.ADD_MEMBERS, self._source, self._as_of)
        await self._driver.execute(work.END_RESIDENCES, self._as_of)
        await self._driver.execute(work.ADD_RESIDENCES, self._source, self._as_of)
        ranked = await self._driver.fetch(work.ADD_DESIL, self._source, self._as_of, self._run.id)
        touched |= {record["family_id"] for record in ranked}
        moved = await self._moves(left, joined)
        return touched | moved

    async def _moves(self, left: Sequence[Any], joined: Sequence[Any]) -> set[UUID]:
        """Tell of joining and leaving families that were there before; who only changed role did neither."""
        new = {
            r["family_id"]
            for r in await self._driver.fetch("SELECT DISTINCT family_id FROM import_work WHERE new_family")
        }
        stayed = {(r["family_id"], r["person_id"]) for r in left if r["family_id"] == r["joined"]}
        leavers, joiners = defaultdict(list), defaultdict(list)
        for record in left:
            if (record["family_id"], record["person_id"]) not in stayed:
                leavers[record["family_id"]].append(record["person_id"])
        for record in joined:
            pair = (record["family_id"], record["person_id"])
            if record["family_id"] not in new and pair not in stayed:
                joiners[record["family_id"]].append(record["person_id"])
        families = sorted(set(leavers) | set(joiners) | {family for family, _ in stayed})
        if not families:
            return set()
        await self._driver.execute(work.SET_HEADS, families, self._uow.now)
        await self._tell_moves(families, leavers, joiners)
        return set(families)

    async def _tell_moves(self, families: list[UUID], leavers: dict[UUID, Any], joiners: dict[UUID, Any]) -> None:
        families = [family for family in families if family in leavers or family in joiners]
        counts = [(family in leavers) + (family in joiners) for family in families]
        raised = await self._driver.fetch(work.RAISE_FAMILIES, families, counts, self._uow.now)
        row = {record["id"]: record for record in raised}
        for event, persons, behind in (("family.member_left", leavers, joiners), ("family.member_joined", joiners, {})):
            lines = [
                Line(
                    family,
                    row[family]["seq"] - (family in behind),
                    _family(family, persons[family], row[family]["head_person_id"]),
                )
                for family in families
                if family in persons
            ]
            await self._uow.announce_many(event, lines)

    async def _reach(self) -> None:
        """Contacts and accounts."""
        await self._driver.execute(work.END_CONTACTS, self._source, self._uow.now)
        given = (self._source, self._key, self._by, self._uow.now)
        await self._driver.execute(work.ADD_CONTACTS, *given)
        await self._driver.execute(work.ADD_ACCOUNTS, *given)

    async def _deaths(self, dead: Sequence[tuple[Row, date | None, str]]) -> None:
        """Report who the list says is dead, so that their payments are held; the rules of deaths decide, one by one.

        A day that the list does not know is the list's own day: the report holds money, it certifies nothing.
        """
        for row, died_on, region in dead:
            report = Reported(Source.DTSEN, died_on or self._as_of, self._uow.now, region, person_id=row.person_id)
            try:
                await deaths.report(self._uow, report)
            except Refused as refused:
                code = refused.refusal.reasons[0].code
                await store.note(self._uow, self._run.id, row.line, "tanggal_meninggal", code)

    async def _announce_new(self, added: Sequence[Any], formed: Sequence[Any]) -> None:
        persons = [
            Line(
                record["id"],
                1,
                {
                    "person_id": str(record["id"]),
                    "provisional": record["provisional"],
                    "region": kecamatan(record["region_code"]),
                    "state": "active",
                },
            )
            for record in added
        ]
        await self._uow.announce_many("person.registered", persons)
        members = {r["family_id"]: r["persons"] for r in await self._driver.fetch(work.MEMBERS_OF_NEW)}
        families = [
            Line(record["id"], 1, _family(record["id"], members[record["id"]], record["head_person_id"]))
            for record in formed
        ]
        await self._uow.announce_many("family.formed", families)


def _family(family_id: UUID, persons: Sequence[UUID], head: UUID | None) -> dict[str, Any]:
    payload: dict[str, Any] = {"family_id": str(family_id), "persons": [str(p) for p in persons], "state": "active"}
    if head is not None:
        payload["head_person_id"] = str(head)
    return payload


def _row(record: Any) -> Row:
    """What is new or other about a staged row, by comparing the digests of its parts."""
    if record["known"] is None:
        return Row(record["line"], record["fresh"], is_new=True, parts=work.ALL_PARTS)
    old, fresh = record["old"], record["digest"]
    parts = work.BITS["residence"] if record["returned"] else 0
    for place, part in enumerate(PARTS):
        edge = place * _PART
        if old[edge : edge + _PART] != fresh[edge : edge + _PART]:
            parts |= work.BITS[part]
    return Row(record["line"], record["known"], is_new=False, parts=parts)
