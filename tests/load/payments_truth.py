"""Whether a run of payments counts: rows, events, messages and money agree, and every invariant of the service holds."""

from collections.abc import Mapping
from typing import Any

import payments_people
from kit import invariants
from kit.db import audit
from measure import demand
from stack.running import Running

_EVENTS = "SELECT type, count(*) AS n FROM outbox GROUP BY type"
_LINES = "SELECT state, count(*) AS n, sum(amount_idr)::bigint AS idr FROM line GROUP BY state"
_RIGHTS = "SELECT state, count(*) AS n FROM entitlement GROUP BY state"
_STEPS = ("drafted", "frozen", "checked", "submitted", "verified", "approved", "ordered", "funded", "exported", "sent",
          "settling", "reconciled")  # fmt: skip


async def events_of(disbursement: Running) -> dict[str, int]:
    """How many events of each short name stand in the outbox."""
    return {_short(row["type"]): row["n"] for row in await disbursement.sql(_EVENTS)}


async def told_and_true(
    office: Any,
    notifications: Running,
    world: payments_people.World,
    events: Mapping[str, int],
    published: int,
    *,
    back: int,
    whole: bool,
) -> None:
    """Raise Untrue unless every payment ended once, was told once, was planned for once, and the books agree."""
    people = world.people
    lines = {row["state"]: (row["n"], row["idr"]) for row in await office.sql(_LINES)}
    settled, rejected = lines["settled"][0], lines.get("repair", (0, 0))[0]
    demand((settled, rejected) == (people - back, back), "every line has its answer", lines)
    rights = {row["state"]: row["n"] for row in await office.sql(_RIGHTS)}
    demand(
        rights == {"paid": settled} | ({"reserved": rejected} if rejected else {}), "rights follow their lines", rights
    )
    for table in ("line_item", "live_item", "attempt", "result_row"):
        count = (await office.sql(f"SELECT count(*) AS n FROM {table}"))[0]["n"]
        demand(count == people, f"{table} has a row for each payment", count)
    told = {
        "payment.sent": people, "payment.settled": settled, "payment.rejected": rejected, "entitlement.fulfilled": settled,
        **{f"batch.{step}": len(world.places) for step in _STEPS},
    }  # fmt: skip
    seen = {name: n for name, n in events.items() if not name.startswith("budget_line.")}
    demand(seen == {name: n for name, n in told.items() if n}, "one event for each effect", seen, told)
    demand(published == sum(events.values()), "every event was published", published)
    await _planned(notifications, people if whole else None)
    balances = {name: idr for name, idr in (await office.balances()).items() if idr}
    paid, unpaid = lines["settled"][1], lines.get("repair", (0, 0))[1]
    expected = {
        "B100": world.total_idr, "B600": -world.total_idr, "C100": -world.total_idr, "C110": unpaid, "C200": -unpaid,
        "C400": world.total_idr,
    }  # fmt: skip
    demand(
        balances == {n: idr for n, idr in expected.items() if idr} and paid + unpaid == world.total_idr,
        "the money is exact",
        balances,
        expected,
    )
    disbursement = office.running
    while await audit.seal(disbursement.runtime) >= audit.LIMIT:  # the work of a process that does not run here
        pass
    violated = {
        name: found
        for name, found in (await invariants.check(disbursement.service, disbursement.runtime)).items()
        if found
    }
    demand(not violated, "every invariant holds", violated)


async def _planned(notifications: Running, people: int | None) -> None:
    """A message for each payment (None: for each event taken in), none twice, nothing parked."""
    connection = await payments_people.connect(notifications)
    try:
        told, taken = await connection.fetchrow(
            "SELECT count(DISTINCT event_id), (SELECT count(*) FROM inbox WHERE type LIKE $1) FROM message WHERE event_type LIKE $1",
            "org.santun.disbursement.payment.%",
        )
        doubled = await connection.fetchval(
            "SELECT count(*) FROM (SELECT FROM message GROUP BY event_id, recipient, template HAVING count(*) > 1) AS twice"
        )
        parked = await connection.fetchval("SELECT count(*) FROM parked")
    finally:
        await connection.close()
    demand((told, doubled, parked) == (people or taken, 0, 0), "a message for each answer, once", told, doubled, parked)


def _short(wire_type: str) -> str:
    return wire_type.split(".", 3)[3].rpartition(".")[0]
