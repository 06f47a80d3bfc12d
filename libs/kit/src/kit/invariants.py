"""What must hold of the kit's own tables at rest, in every service: order, audit, answers, healing (performance.md D2).

A service adds its own (`Service.invariants`); `<service> verify` and `santun verify` run them all.
"""

from typing import TYPE_CHECKING

from sqlalchemy import text

from kit.auth.actor import Actor
from kit.db import audit
from kit.db.audit_verify import verify
from kit.db.bulk import long_statements, plan_guard
from kit.db.engine import BULK_SECONDS
from kit.db.uow import UnitOfWork

if TYPE_CHECKING:
    from kit.runtime import Runtime
    from kit.service import Service

SHOWN = 20
"""Violations named per invariant."""

_GAPS = text(
    "SELECT topic, key, count(*) AS told, min(sequence) AS first, max(sequence) AS last FROM outbox GROUP BY topic, key"
    " HAVING count(*) <> max(sequence) - min(sequence) + 1 OR count(DISTINCT sequence) <> count(*) LIMIT 20"
)
_DISORDER = text(
    "SELECT topic, key, sequence FROM (SELECT topic, key, sequence, lag(sequence) OVER (PARTITION BY topic, key ORDER BY pos)"
    " AS before FROM outbox) AS line WHERE before IS NOT NULL AND sequence <= before LIMIT 20"
)
_STREAM_GAPS = text("SELECT topic, key, gaps FROM stream_position WHERE gaps > 0 LIMIT 20")
_UNSEALED = text(
    "SELECT count(*) FROM audit WHERE at < now() - interval '5 minutes'"
    " AND pos NOT IN (SELECT unnest(positions) FROM audit_seal)"
)
_UNANSWERED = text("SELECT principal, route FROM idempotency WHERE status IS NULL LIMIT 20")
_PARKED = text("SELECT topic, key, reason FROM parked WHERE state = 'parked' ORDER BY parked_at LIMIT 20")
_STRAY = text("SELECT (SELECT count(*) FROM outbox_default) AS outbox, (SELECT count(*) FROM audit_default) AS audit")


async def check(service: "Service", runtime: "Runtime") -> dict[str, list[str]]:
    """Run every invariant of the service; each name with what violates it (empty: it holds).

    Each looks at every row. Without statistics (after a restore, on a first payday) the planner takes the tables for empty and
    would join them row by row: fifty thousand payments did not end in half a minute.
    """
    found: dict[str, list[str]] = {}
    for name, invariant in {**KIT, **service.invariants}.items():
        async with runtime.begin(Actor.system("verify")) as uow:
            await plan_guard(uow)
            await long_statements(uow, BULK_SECONDS)
            found[name] = (await invariant(uow))[:SHOWN]
    found["I6 audit chain"] += verify(await audit.export(runtime))
    return found


async def order_of_keys(uow: UnitOfWork) -> list[str]:
    """I5: per key the sequence has no gap, no repetition and no step back, here and as consumed."""
    faults = [f"{r.topic} {r.key}: {r.told} events between {r.first} and {r.last}" for r in await uow.execute(_GAPS)]
    faults += [f"{r.topic} {r.key}: {r.sequence} after a later one" for r in await uow.execute(_DISORDER)]
    faults += [f"{r.topic} {r.key}: {r.gaps} gaps consumed" for r in await uow.execute(_STREAM_GAPS)]
    return faults


async def audit_sealed(uow: UnitOfWork) -> list[str]:
    """I6: nothing waits for the sealer longer than five minutes (the chain itself is verified beside this)."""
    waiting = (await uow.execute(_UNSEALED)).scalar_one()
    return [f"{waiting} entries are unsealed for more than five minutes"] if waiting else []


async def answers_kept(uow: UnitOfWork) -> list[str]:
    """I8: every committed idempotency key has its answer."""
    return [f"{r.route}: a key without its answer" for r in await uow.execute(_UNANSWERED)]


async def nothing_parked(uow: UnitOfWork) -> list[str]:
    """I10: no message waits for an operator, and no row fell outside the partitions made ahead."""
    faults = [f"{r.topic} {r.key}: {r.reason}" for r in await uow.execute(_PARKED)]
    stray = (await uow.execute(_STRAY)).one()
    return faults + [f"{n} rows in the default partition of {t}" for t, n in stray._mapping.items() if n]  # noqa: SLF001


KIT = {
    "I5 order of events per key": order_of_keys,
    "I6 audit chain": audit_sealed,
    "I8 answers kept with their effects": answers_kept,
    "I10 nothing parked": nothing_parked,
}
"""The invariants that every service has."""
