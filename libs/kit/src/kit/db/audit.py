"""The sealer: chains audit entries after the fact and publishes the head of the chain.

Entries are appended unchained in their own transactions (chaining there cost 62 %). The sealer takes what was committed
since its last snapshot, in `pos` order, hashes it onto the previous head, stores the block, and announces the head to
the world: whoever later changes or removes an entry must also change what others have read.
`audit_verify.py` beside this file checks the chain with the standard library alone.
"""

import json
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import bindparam, text
from sqlalchemy.types import ARRAY, BigInteger

from kit.auth.actor import Actor
from kit.db.audit_verify import GENESIS, GONE, chain, entry_bytes
from kit.events.relay import BEGINNING, Snapshot
from kit.failpoints import failpoint
from kit.runtime import Runtime

LIMIT = 20_000
"""Entries per block."""
_LOCK = 4_721_003

_COLUMNS = "pos, at, business_at, actor, client, command, outcome, aggregate, aggregate_id, version, before, after, reasons, trace_id"
_NEW = text(
    """
WITH b AS MATERIALIZED (
    SELECT COLUMNS FROM audit
     WHERE xid >= CAST(CAST(:xmax AS text) AS xid8) AND xid < CAST(CAST(:now_xmax AS text) AS xid8) AND pg_visible_in_snapshot(xid, CAST(CAST(:now AS text) AS pg_snapshot))
    UNION ALL
    SELECT COLUMNS FROM audit
     WHERE xid = ANY(CAST(CAST(:running AS text[]) AS xid8[])) AND pg_visible_in_snapshot(xid, CAST(CAST(:now AS text) AS pg_snapshot)))
SELECT * FROM b ORDER BY pos""".replace("COLUMNS", _COLUMNS)
)
_LAST = text("SELECT block, head, snapshot FROM audit_seal ORDER BY block DESC LIMIT 1")
_SEAL = text(
    "INSERT INTO audit_seal (block, positions, previous, head, snapshot) VALUES (:block, :positions, :previous, :head, :snapshot)"
).bindparams(bindparam("positions", type_=ARRAY(BigInteger)))
_CHAIN = text("INSERT INTO audit_chain (id, seq) VALUES (:id, :seq) ON CONFLICT (id) DO UPDATE SET seq = :seq")
_EXPORT_SEALS = text("SELECT block, positions, previous, head FROM audit_seal ORDER BY block")
_EXPORT_ENTRIES = text("SELECT COLUMNS FROM audit WHERE pos = ANY(:positions)".replace("COLUMNS", _COLUMNS)).bindparams(
    bindparam("positions", type_=ARRAY(BigInteger))
)


SEALED = "audit.sealed"
"""The event of the head; every service has its own, so it is named with its owner."""


class _Chain:
    """The key row of the head's topic: one chain per service."""

    def __init__(self, service: str, seq: int) -> None:
        self.id: UUID = uuid5(NAMESPACE_URL, f"urn:santun:{service}:audit")
        self.seq = seq


async def seal(runtime: Runtime) -> int:
    """Seal what was committed since the last block; returns how many entries. One sealer at a time per database."""
    async with runtime.begin(Actor.system("sealer"), origin="sealer") as uow:
        if not (await uow.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})).scalar_one():
            return 0
        last = (await uow.execute(_LAST)).one_or_none()
        block, previous, before = (
            (last.block, last.head, Snapshot.parse(last.snapshot)) if last else (0, GENESIS, Snapshot.parse(BEGINNING))
        )
        now = Snapshot.parse((await uow.execute(text("SELECT pg_current_snapshot()::text"))).scalar_one())
        entries = (
            await uow.execute(
                _NEW, {"xmax": before.xmax, "now_xmax": now.xmax, "now": now.text, "running": list(before.running)}
            )
        ).mappings().all()  # fmt: skip
        failpoint("sealer.after_read")
        if not entries:
            return 0
        head, key = previous, _Chain(runtime.name, block)
        parts = [entries[i : i + LIMIT] for i in range(0, len(entries), LIMIT)]
        for number, part in enumerate(parts, block + 1):
            previous, head = head, chain(head, [_bytes(entry) for entry in part])
            await uow.execute(
                _SEAL,
                {
                    "block": number,
                    "positions": [e["pos"] for e in part],
                    "previous": previous,
                    "head": head,
                    "snapshot": now.text,
                },
            )
            await uow.announce(
                key,
                f"{runtime.name}.{SEALED}",
                {"block": number, "head": head.hex(), "entries": len(part), "service": runtime.name},
            )
        failpoint("sealer.after_row")
        await uow.execute(_CHAIN, {"id": key.id, "seq": key.seq})
        return len(entries)


async def export(runtime: Runtime) -> list[str]:
    """The sealed trail as JSON lines, block after block, each before its entries, for `audit_verify.py` and for auditors."""
    lines: list[str] = []
    async with runtime.begin(Actor.system("audit-export")) as uow:
        for sealed in (await uow.execute(_EXPORT_SEALS)).all():
            entries = {
                e["pos"]: e for e in (await uow.execute(_EXPORT_ENTRIES, {"positions": sealed.positions})).mappings()
            }
            head = {"block": sealed.block, "previous": sealed.previous.hex(), "head": sealed.head.hex()}
            lines.append(json.dumps({**head, "entries": len(sealed.positions)}))
            lines += [_bytes(entries[pos]).decode() if pos in entries else GONE for pos in sealed.positions]
    return lines


def _fields(entry: Any) -> dict[str, Any]:
    """The entry in the form that is hashed: text for times and ids, at the precision the database keeps."""
    plain = dict(entry)
    for name in ("at", "business_at"):
        plain[name] = plain[name].isoformat()
    plain["aggregate_id"] = None if plain["aggregate_id"] is None else str(plain["aggregate_id"])
    return plain


def _bytes(entry: Any) -> bytes:
    return entry_bytes(_fields(entry))
