"""The gates of a batch: what is asked before money leaves, and which lines fail. Gate F at the check, gate P at export.

`ask` runs before any writing transaction; `failing` is pure. Nothing of an answer is kept but tokens and counts.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from disbursement.payee_client import Account, Changed, Fingerprint, Officer, PayeeDesk

MOST_PER_CARER = 3
LIFE = "perlu_diperiksa"
CHANGED = "fakta_berubah"
ACCOUNT = "rekening_belum_aktif"
NAME = "nama_tidak_cocok"
RESTING = "masa_tunggu_rekening"
SHARED = "rekening_ganda"
CONFLICT = "konflik_petugas"
ACCOUNT_CHANGED = "rekening_berubah"
_LIFE_GROUPS = frozenset({"life", "death"})
_PAYEE_GROUP = frozenset({"payee"})
_NAMES_MATCH = frozenset({"exact", "close"})


@dataclass(frozen=True, slots=True)
class GateLine:
    """A line as the gates see it."""

    line_id: UUID
    beneficiary: UUID
    payee: UUID
    facts_version: int
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The answers of the registry for one batch, and the lines they were asked for."""

    lines: tuple[GateLine, ...]
    stale: Mapping[UUID, Changed]
    marks: Mapping[UUID, Fingerprint]
    conflicts: frozenset[UUID]
    accounts: Mapping[UUID, Account]
    at: datetime


async def ask(
    desk: PayeeDesk,
    batch_id: UUID,
    lines: Sequence[GateLine],
    officers: Sequence[Officer],
    *,
    accounts: bool,
    now: datetime,
) -> Asked:
    """Ask everything that a gate needs. Raises Unavailable: a registry that is silent lets nothing pass."""
    payees = [line.payee for line in lines]
    people = sorted({person for line in lines for person in (line.beneficiary, line.payee)})
    return Asked(
        lines=tuple(lines),
        stale=await desk.stale({line.beneficiary: line.facts_version for line in lines}),
        marks=await desk.fingerprints(payees),
        conflicts=await desk.conflicts(officers, people),
        accounts=await desk.accounts(payees, batch_id) if accounts else {},
        at=now,
    )


def failing(asked: Asked, *, at_export: bool) -> dict[UUID, str]:
    """The lines that may not go on, each with the reason that weighs most.

    At export an account must also be the very one that was approved (its token), and known in clear.
    """
    shared = _shared(asked)
    found: dict[UUID, str] = {}
    for line in asked.lines:
        reason = _conflict(line, asked) or _stale(line, asked) or _account(line, asked, at_export=at_export)
        if reason is None and line.line_id in shared:
            reason = SHARED
        if reason is not None:
            found[line.line_id] = reason
    return found


def counted(found: Mapping[UUID, str]) -> dict[str, int]:
    """How many lines failed for which reason."""
    return dict(sorted(Counter(found.values()).items()))


def _conflict(line: GateLine, asked: Asked) -> str | None:
    return CONFLICT if asked.conflicts & {line.beneficiary, line.payee} else None


def _stale(line: GateLine, asked: Asked) -> str | None:
    """Facts that moved since the list was made. A changed account alone is judged by its fingerprint."""
    changed = asked.stale.get(line.beneficiary)
    if changed is None:
        return None
    if changed.groups & _LIFE_GROUPS:
        return LIFE  # a death, or a death taken back: the event that tells which one holds or releases the right
    return None if changed.groups and changed.groups <= _PAYEE_GROUP else CHANGED


def _account(line: GateLine, asked: Asked, *, at_export: bool) -> str | None:
    mark = asked.marks.get(line.payee)
    if mark is None or mark.token is None or mark.state != "active":
        return ACCOUNT
    if mark.name_match not in _NAMES_MATCH:
        return NAME
    if mark.usable_from is not None and mark.usable_from > asked.at:
        return RESTING
    if at_export and mark.token != line.token:
        return ACCOUNT_CHANGED
    if at_export and line.payee not in asked.accounts:
        return ACCOUNT
    return None


def _shared(asked: Asked) -> set[UUID]:
    """Lines whose account stands behind several payees, or whose carer receives for more people than one carer may."""
    payees: dict[bytes, set[UUID]] = defaultdict(set)
    people: dict[UUID, set[UUID]] = defaultdict(set)
    for line in asked.lines:
        mark = asked.marks.get(line.payee)
        if mark is not None and mark.token is not None:
            payees[mark.token].add(line.payee)
        people[line.payee].add(line.beneficiary)
    crowded = {payee for group in payees.values() if len(group) > 1 for payee in group}
    crowded |= {payee for payee, cared in people.items() if len(cared) > MOST_PER_CARER}
    return {line.line_id for line in asked.lines if line.payee in crowded}
