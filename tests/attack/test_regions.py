"""Role x region x object x route: who comes from next door finds nothing, changes nothing, and is told nothing.

The same is asked of citizens and of institutions of the same village: what is not their own does not exist for them.
"""

from collections import Counter
from collections.abc import Callable

import pytest
from attack.doors import Door, doors
from attack.strangers import BOOKS, MIGHTY, OF_THE_OFFICE, Call, owner, strangers
from attack.worlds import World
from kit.auth.actor import Actor

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

COUNTS = {"GET /v1/messages/counts", "GET /v1/funnel"}
"""They tell how many, never which."""
TRAILS = ["region", "audit", "audit_seal", "read_log", "idempotency"]
_TABLES = """
SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> ALL($1)
"""


def _steers_the_office(door: Door) -> bool:
    """Steps with things of the whole office have effect wherever the officer sits; the routes say so (x-region)."""
    return door.method == "POST" and door.region == "none"


async def rows(world: World) -> dict[str, Counter[str]]:
    """Every stored row as text, by table; without the trails of who asked."""
    names = [row["name"] for row in await world.running.sql(_TABLES, TRAILS)]
    return {n: Counter(str(row["t"]) for row in await world.running.sql(f"SELECT t::text FROM {n} t")) for n in names}


def changed(before: dict[str, Counter[str]], after: dict[str, Counter[str]], secrets: set[str]) -> list[str]:
    """What a stranger has changed: rows that are gone or other, and new rows about what is not theirs."""
    found = []
    for table, had in before.items():
        found += [f"{table}: {row[:200]}" for row in had - after[table]]
        found += [f"{table} new: {row[:200]}" for row in after[table] - had if any(s in row for s in secrets)]
    return found


async def test_strangers_find_change_and_learn_nothing(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """Where a role lacks the route's scope no call is made: test_tokens shows 403 for that on every route."""
    before, calls, stopped, passes = await rows(world), 0, 0, []
    closed = [door for door in doors(world.running) if door.scope is not None and not _steers_the_office(door)]
    known = [(Call(world, d), Call(world, d, nobody=True), Call(world, d, region=world.elsewhere[0])) for d in closed]
    for stranger in strangers(world):
        for call, nothing, at_home in known:
            if call.door.scope not in stranger.scopes:
                stopped += 1
                continue
            calls, answer = calls + 1, await call.by(world.running, stranger.token)
            compared = stranger.who in MIGHTY and bool(call.door.blanks) and call.first not in OF_THE_OFFICE
            absent = await nothing.by(world.running, stranger.token) if compared else None
            if wrong := call.fault(answer, absent, world):
                passes.append(f"{stranger.who}: {call.door} {wrong}")
            if call.creates:
                calls, answer = calls + 1, await at_home.by(world.running, stranger.token)
                if wrong := at_home.fault(answer, None, world):
                    passes.append(f"{stranger.who} in the own region: {call.door} {wrong}")
    told = f"{world.running.service.name}: {calls} calls of strangers, {stopped} stopped by scope, {len(passes)} passed"
    record_property("attack", told)
    assert not passes, "\n".join(passes)
    assert changed(before, await rows(world), world.secrets) == []


async def test_row_security_alone_holds_when_the_application_forgets(
    world: World, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second net: the service's own region check says yes to all, the database still shows and changes nothing."""
    monkeypatch.setattr(Actor, "sees", lambda _actor, _code: True)
    before, calls, passes = await rows(world), 0, []
    token = next(stranger.token for stranger in strangers(world) if stranger.who == "everybody at once")
    closed = [door for door in doors(world.running) if door.scope is not None and not _steers_the_office(door)]
    for call in [Call(world, door) for door in closed]:
        calls, answer = calls + 1, await call.by(world.running, token)
        if call.first not in BOOKS and (told := call.told(answer, world.secrets)):
            passes.append(f"{call.door} tells {sorted(told)[:3]}")
        if call.names_an_object and answer.status not in {403, 404}:
            passes.append(f"{call.door} answers {answer.status} {answer.text[:200]}")
    record_property(
        "attack", f"{world.running.service.name}: {calls} calls with row security alone, {len(passes)} passed"
    )
    assert not passes, "\n".join(passes)
    assert changed(before, await rows(world), world.secrets) == []


async def test_the_same_calls_by_the_village_itself_reach_the_objects(world: World) -> None:
    """Without this the matrix could be green because the calls are nonsense. Another version is named: nothing moves."""
    token, missed = owner(world), []
    for call in [Call(world, door) for door in doors(world.running) if door.scope is not None]:
        if call.first in OF_THE_OFFICE:
            continue
        door, answer = call.door, await call.by(world.running, token)
        if door.blanks and (answer.status == 404 or (door.versioned and answer.status != 412)):
            missed.append(f"{door} {answer.status} {answer.text[:300]}")
        if door.method == "GET" and answer.status != 200:
            missed.append(f"{door} {answer.status} {answer.text[:300]}")
        shows = call.told(answer, world.secrets)
        if door.method == "GET" and not door.blanks and str(door) not in COUNTS and not shows:
            missed.append(f"{door} shows nothing of the village: {answer.text[:200]}")
    assert not missed, "\n".join(missed)
