"""Who may receive a death benefit: the order of heirs (urutan ahli waris) as data of the place. Pure.

A nearer living heir goes first; one further down needs the statement of every living heir before them. Where a place
says so, somebody who is no heir (an RT or RW officer, who arranged the funeral) is last, when no heir lives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kit.machine import Reason

from disbursement.rules.ast import MAX_LIST, RuleError

STATEMENT = "pernyataan_ahli_waris"
WITNESS = "saksi_rw"


@dataclass(frozen=True, slots=True)
class HeirOrder:
    """Relationships from the nearest on; `last_resort` are people who are no heirs. Empty order: any heir."""

    order: tuple[str, ...] = ()
    last_resort: tuple[str, ...] = ()
    statement: str = STATEMENT
    witness: str = WITNESS

    def rank(self, relationship: str) -> int | None:
        """1 for the nearest; None for a relationship that the place does not name."""
        line = (*self.order, *self.last_resort)
        return line.index(relationship) + 1 if relationship in line else None


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative of the deceased, as the registry answered."""

    person_id: UUID
    relationship: str
    alive: bool


def parse(raw: Mapping[str, Any]) -> HeirOrder:
    """Read the heir order of a rule version; raises RuleError."""
    order, last = raw.get("order", []), raw.get("last_resort", [])
    if not isinstance(order, list) or not isinstance(last, list) or len(order) + len(last) > MAX_LIST:
        raise RuleError("/claim/heirs", "bentuk_aturan")
    return HeirOrder(
        tuple(str(o) for o in order),
        tuple(str(o) for o in last),
        str(raw.get("statement", STATEMENT)),
        str(raw.get("witness", WITNESS)),
    )


def check(
    rule: HeirOrder,
    relationship: str,
    claimant: UUID,
    *,
    relatives: Sequence[Relative],
    statements: frozenset[UUID],
    kinds: frozenset[str],
) -> tuple[Reason, ...]:
    """What stands between this claimant and the benefit, or nothing.

    `statements` are the persons who signed that they leave it to the claimant; `kinds` are the papers in the file.
    """
    if not rule.order:
        return ()
    rank = rule.rank(relationship)
    if rank is None:
        return (Reason("bukan_ahli_waris"),)
    nearer = [
        r
        for r in relatives
        if r.alive and r.person_id != claimant and (of := rule.rank(r.relationship)) is not None and of < rank
    ]
    reasons = []
    if relationship in rule.last_resort:
        if nearer:
            reasons.append(Reason.of("ahli_waris_utama_ada", count=len(nearer)))
        if rule.witness not in kinds:
            reasons.append(Reason.of("dokumen_kurang", list=rule.witness))
    else:
        silent = [r for r in nearer if r.person_id not in statements]
        if silent:
            reasons.append(Reason.of("ahli_waris_utama_ada", count=len(silent)))
    return tuple(reasons)
