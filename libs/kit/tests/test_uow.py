"""The unit of work and the audit trail on a real database."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from kit import invariants
from kit.auth.actor import Actor
from kit.db import audit, bulk
from kit.db import engine as engines
from kit.db.audit_verify import entry_bytes, verify
from kit.db.uow import Line, UnitOfWork, lock
from kit.errors import Missing, OutOfRegion, Stale
from kit.events.schemas import ContractBroken
from kit.ids import new_id
from kit.runtime import Runtime
from kit.testing import eventually
from sample_service import SAMPLE, Thing, tell
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

SYSTEM = Actor.system("test")
_CLOSE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def officer(*regions: str) -> Actor:
    return Actor(sub="officer", client="desk", roles=frozenset({"op_desa"}), scopes=frozenset(), regions=regions)


async def test_a_failing_command_leaves_no_row_no_event_and_no_audit(sample: Runtime) -> None:
    with pytest.raises(ZeroDivisionError):
        async with sample.begin(SYSTEM) as uow:
            row = Thing()
            await uow.save(row)
            await uow.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": 1})
            await uow.audit("change", "thing", row)
            raise ZeroDivisionError
    async with sample.begin(SYSTEM) as uow:
        counts = await uow.execute(
            text("SELECT (SELECT count(*) FROM thing), (SELECT count(*) FROM outbox), (SELECT count(*) FROM audit)")
        )
        assert tuple(counts.one()) == (0, 0, 0)


async def test_a_stale_version_is_refused_and_a_change_raises_it_once(sample: Runtime) -> None:
    thing = await tell(sample)
    changed = await tell(sample, thing, amount=5)
    assert (changed.version, changed.seq) == (2, 2)
    with pytest.raises(Stale):
        async with sample.begin(SYSTEM) as uow:
            await lock(uow, Thing, thing.id, 1)


async def test_another_region_does_not_see_the_row_even_without_the_application_check(sample: Runtime) -> None:
    thing = await tell(sample)
    async with sample.begin(officer("32.76.03")) as uow:
        assert (await lock(uow, Thing, thing.id, None)).id == thing.id
        uow.within("32.76.03.1001")
    for regions in ((), ("32.76.04",), ("32.76.0",)):
        with pytest.raises(Missing):
            async with sample.begin(officer(*regions)) as uow:
                await lock(uow, Thing, thing.id, None)
        with pytest.raises(OutOfRegion):
            async with sample.begin(officer(*regions)) as uow:
                uow.within("32.76.03.1001")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM outbox", "CREATE TABLE x (i int)", "TRUNCATE audit"]
)
async def test_the_application_role_cannot_change_history_or_shape(sample: Runtime, statement: str) -> None:
    await tell(sample)
    with pytest.raises(ProgrammingError):
        async with sample.begin(SYSTEM) as uow:
            await uow.execute(text(statement))


async def test_connections_that_the_server_has_closed_are_not_given_out(sample: Runtime) -> None:
    async with sample.begin(SYSTEM) as one, sample.begin(SYSTEM) as two, sample.begin(SYSTEM) as three:
        drivers = [await uow.driver() for uow in (one, two, three)]
    async with sample.begin(SYSTEM) as uow:
        mine = await uow.driver()
        await uow.execute(text(_CLOSE_OTHERS))
        await eventually(lambda: _closed([driver for driver in drivers if driver is not mine]), within=10)
    await asyncio.gather(*(tell(sample) for _ in drivers))


async def _closed(drivers: list[Any]) -> bool:
    return all(driver.is_closed() for driver in drivers)


async def test_the_sealed_trail_verifies_and_shows_every_tampering(sample: Runtime) -> None:
    thing = await tell(sample)
    assert await audit.seal(sample) == 1
    for amount in range(4):
        await tell(sample, thing, amount=amount)
    assert await audit.seal(sample) == 4
    assert await audit.seal(sample) == 0
    lines = await audit.export(sample)
    assert verify(lines) == []
    assert verify(lines[2:]) == ["block 1 is missing", "block 2 does not follow the one before it"]
    assert verify(_changed(lines)) == ["block 2 was changed"]
    assert verify(_removed(lines)) == ["block 2: 1 entries are missing"]
    assert verify([*lines[:4], lines[5], lines[4], *lines[6:]]) == ["block 2 was changed"]


def _changed(lines: list[str]) -> list[str]:
    entry = json.loads(lines[5])
    entry["actor"] = "somebody else"
    return [*lines[:5], entry_bytes(entry).decode(), *lines[6:]]


def _removed(lines: list[str]) -> list[str]:
    return [*lines[:4], *lines[5:]]


async def test_a_bulk_transaction_may_take_longer_than_a_request_and_only_it(
    sample: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "SILENCE_SECONDS", 0.3)
    slow = text("SELECT 1 FROM pg_sleep(0.8)")
    url = sample.settings.database_url.get_secret_value()
    monkeypatch.setattr(sample, "engine", engines.create_engine(url, pool_size=1, name="slow"))
    async with sample.begin(Actor.system("test")) as uow:
        await bulk.long_statements(uow, 5)
        assert (await uow.execute(slow)).scalar_one() == 1
    with pytest.raises(DBAPIError):
        async with sample.begin(Actor.system("test")) as uow:
            await uow.execute(slow)
    await sample.engine.dispose()


async def test_a_chunk_of_events_is_stored_as_it_was_told_whatever_signs_it_holds(sample: Runtime) -> None:
    names = ["a\\b", 'say "x"', "tab\tline\nend\r", "\\N", "\\.", "Añjali ✓ 😀", "\u2028"]
    told = [{"thing_id": str(new_id()), "amount_idr": no, "note": name} for no, name in enumerate(names * 100)]
    async with sample.begin(SYSTEM) as uow:
        await uow.announce_many("thing.changed", [Line(UUID(one["thing_id"]), 7, one) for one in told])
    async with sample.begin(SYSTEM) as uow:
        found = (await uow.execute(text("SELECT key, type, sequence, headers, payload FROM outbox ORDER BY pos"))).all()
    assert [row.payload for row in found] == told
    assert [str(row.key) for row in found] == [one["thing_id"] for one in told]
    assert {(row.type, row.sequence) for row in found} == {("org.santun.sample.thing.changed.v1", 7)}
    assert all(row.headers["time"] for row in found)


async def test_one_broken_payload_of_a_chunk_stops_the_whole_of_it_and_names_the_place(sample: Runtime) -> None:
    told: list[dict[str, Any]] = [{"thing_id": str(new_id()), "amount_idr": 1} for _ in range(300)]
    told[299]["amount_idr"] = "one"
    with pytest.raises(ContractBroken, match="/amount_idr") as broken:
        async with sample.begin(SYSTEM) as uow:
            await uow.announce_many("thing.changed", [Line(UUID(one["thing_id"]), 1, one) for one in told])
    assert "one" not in str(broken.value).split(":", 1)[1].replace("/amount_idr", "")
    async with sample.begin(SYSTEM) as uow:
        assert (await uow.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 0


CODES = ("32", "32.7", "32.76", "32.761", "32.76.0", "32.76.03", "32.76.03.1001", "33.01", "", ".", "*", ",")
SEEN_BY = (
    "*",
    "",
    ",",
    ".",
    "32",
    "32.76",
    "32.76.",
    "32.76,33.01",
    ",32.76",
    "32.76,",
    "3",
    "32.76.03.1001",
    "%",
    "32_76",
)


async def test_the_rule_of_rows_says_of_every_code_what_the_rule_says_that_asks_once_a_row(sample: Runtime) -> None:
    async with sample.begin(SYSTEM) as uow:
        for code in CODES:
            await uow.save(Thing(region_code=code))
    for regions in SEEN_BY:
        async with sample.begin(SYSTEM) as uow:
            await uow.execute(text("SELECT set_config('santun.regions', :regions, true)"), {"regions": regions})
            seen = set((await uow.execute(text("SELECT region_code FROM thing"))).scalars())
            asked = text("SELECT code FROM unnest(CAST(:codes AS text[])) AS c(code) WHERE santun_region_allowed(code)")
            allowed = set((await uow.execute(asked, {"codes": list(CODES)})).scalars())
        assert seen == (set(CODES) if regions == "*" else allowed), regions


async def test_an_invariant_joins_no_tables_row_by_row_and_has_its_time(sample: Runtime) -> None:
    seen: list[str] = []

    async def looks(uow: UnitOfWork) -> list[str]:
        asked = text("SELECT current_setting('enable_nestloop'), current_setting('statement_timeout')")
        seen.extend((await uow.execute(asked)).one())
        return []

    found = await invariants.check(replace(SAMPLE, invariants={"looks": looks}), sample)
    assert found["looks"] == []
    assert seen == ["off", f"{engines.BULK_SECONDS // 60}min"]
