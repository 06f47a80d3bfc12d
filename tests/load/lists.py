"""P14: a page of a list and an exact search among ten thousand and a million people, beside a read by primary key."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import callers
from kit.crypto.fields import BlindIndex
from kit.settings import Base
from measure import Benchmark, Figure, Goal, Pair, demand, percentile
from rig import Rig

KNOWN = 300
ASKED = 150
"""Requests of each kind in a round."""
REGION = "32.76.03"

_CODES = """
SELECT array_agg(DISTINCT code) FROM region WHERE authority = 'kemendagri' AND code LIKE '32.76.%' AND length(code) = 13
"""
_EVERYONE = """
INSERT INTO everyone SELECT uuidv7(), g, ($2::text[])[1 + g % cardinality($2)] FROM generate_series(1, $1) AS g
"""
_PERSON = """
INSERT INTO person (id, birth_date, birth_precision, sex, region_code, registered)
SELECT id, date '1940-01-01' + g % 25000, 1, CASE WHEN g % 2 = 0 THEN 'L' ELSE 'P' END, code, true FROM everyone
"""
_FACTS = """
INSERT INTO person_facts (person_id, region_code, life, nik_state, kk_state, registered, desil_state, payee_state)
SELECT id, code, 'alive', 'matched', 'matched', true, 'unknown', 'unknown' FROM everyone
"""
_NAMES = """
INSERT INTO person_name (person_id, kind, name, name_norm, source)
SELECT id, 'ktp', 'Warga Contoh ' || g % 1000, 'warga contoh ' || g % 1000, 'manual' FROM everyone
"""
_CLAIMS = """
INSERT INTO identity_claim (person_id, scheme, value_enc, value_bidx, bidx_key_id, last4, state)
SELECT id, 'nik', '\\x00', substr(sha256(g::text::bytea), 1, 16), 1, '0000', 'matched' FROM everyone
"""
_DEATHS = """
INSERT INTO death_record (person_id, state, died_on, region_code, reported_at)
SELECT id, CASE WHEN g % 3 = 0 THEN 'reported' ELSE 'certified' END, '2026-01-05', code, now() FROM everyone WHERE g % 10 = 0
"""
_KNOWN = "UPDATE identity_claim SET value_bidx = $2 WHERE person_id = (SELECT id FROM everyone WHERE g = $1)"


def _nik(number: int) -> str:
    """A synthetic NIK."""
    return f"327603{10 + number % 18:02}0150{number:04}"


async def fill(connection: asyncpg.Connection, people: int) -> Sequence[Any]:
    """So many people with name, number and facts, a tenth of them dead; the ids of death records."""
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("CREATE TEMP TABLE everyone (id uuid, g int PRIMARY KEY, code text)")
    await connection.execute(_EVERYONE, people, await connection.fetchval(_CODES))
    for statement in (_PERSON, _FACTS, _NAMES, _CLAIMS, _DEATHS):
        await connection.execute(statement)
    index = BlindIndex.parse(Base.model_fields["index_keys"].default.get_secret_value())
    await connection.executemany(_KNOWN, [(n, index.of("nik", _nik(n))) for n in range(1, KNOWN + 1)])
    await connection.execute("VACUUM ANALYZE")
    found: Sequence[Any] = await connection.fetch("SELECT id FROM death_record ORDER BY id LIMIT 500")
    return found


class Town:
    """A registry of some size, as a process, and the three questions that are put to it."""

    def __init__(self, port: int, token: str, deaths: Sequence[Any]) -> None:
        self.port = port
        self.token = token
        self.deaths = deaths
        self.asked = 0

    def read(self) -> bytes:
        """One record by its id."""
        return callers.get(f"/v1/deaths/{self.deaths[self._next(len(self.deaths))]['id']}", self.token)

    def page(self) -> bytes:
        """The newest 25 records of a kecamatan."""
        return callers.get(f"/v1/deaths?region={REGION}&limit=25", self.token)

    def search(self) -> bytes:
        """The person with exactly this number."""
        body = json.dumps({"nik": _nik(1 + self._next(KNOWN))}).encode()
        return callers.post("/v1/persons:search", self.token, body)

    def _next(self, below: int) -> int:
        self.asked += 1
        return self.asked % below

    async def p95(self, request: Callable[[], bytes]) -> float:
        """Milliseconds below which 95 of 100 answers came; one caller."""
        left = iter(range(ASKED))
        load = await callers.closed(
            self.port, lambda: request() if next(left, None) is not None else None, connections=1, seconds=60
        )
        demand(set(load.statuses) == {200}, "questions are answered", load.statuses)
        return percentile(load.latencies, 0.95) * 1e3


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """Every size in turn, round after round; the largest against the read by key, and against the smallest."""
    async with AsyncExitStack() as open_:
        towns = []
        for people in rig.size.people:
            address = await open_.enter_async_context(rig.service("registry", "api"))
            connection = await rig.connect(address.database)
            deaths = await fill(connection, people)
            await connection.close()
            towns.append(Town(address.port, rig.token("op_kab", regions=["32.76"]), deaths))
        for town in towns:
            for request in (town.read, town.page, town.search):
                await town.p95(request)
        for _ in range(rig.size.rounds):
            seen = [
                (await town.p95(town.read), await town.p95(town.page), await town.p95(town.search)) for town in towns
            ]
            yield Pair("P14 page", seen[-1][1], seen[-1][0])
            yield Pair("P14 search", seen[-1][2], seen[-1][0])
            yield Pair("P14 growth", max(seen[-1][1:]), max(seen[0][1:]))


BENCHMARK = Benchmark(
    (
        Figure("P14 page", "25 death records of a kecamatan, largest registry, 95 of 100 answers", "ms", "one record by its id, same process", Goal(at_most=3.0)),
        Figure("P14 search", "the person with exactly this NIK, largest registry, 95 of 100 answers", "ms", "one record by its id, same process", Goal(at_most=3.0)),
        Figure("P14 growth", "the slower of both, largest registry", "ms", "the same with 10,000 people", Goal(at_most=1.3)),
    ),
    run,
)  # fmt: skip
