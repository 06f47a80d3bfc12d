"""The papers (berkas) a rule version asks for, and which of them are missing from a file. Pure.

A requirement is met by any of its kinds (Barito Kuala: SKTM), or needs no paper when a fact already says so (listed in
DTSEN). A paper may have an age limit at filing (Musi Rawas: akta not older than three months) and may be allowed to
follow later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from disbursement.rules.ast import MAX_LIST, Expr, RuleError, parse_expr
from disbursement.rules.evaluation import Subject, holds, months_before


@dataclass(frozen=True, slots=True)
class Requirement:
    """One paper asked for. `code` names it in reasons; `follows_days` None means it must be there at filing."""

    code: str
    any_of: frozenset[str]
    when: Expr | None = None
    unless: Expr | None = None
    max_age_months: int | None = None
    follows_days: int | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper in a file: its kind and fingerprint, never its picture."""

    kind: str
    sha256: str
    issued_on: date | None = None
    valid_until: date | None = None
    signer_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A requirement that no paper meets, and why: it is not there, or it is there and too old."""

    requirement: Requirement
    reason: Literal["dokumen_kurang", "akta_kedaluwarsa"]


def parse(raw: Sequence[Mapping[str, Any]]) -> tuple[Requirement, ...]:
    """Read the list of requirements of a rule version; raises RuleError."""
    if len(raw) > MAX_LIST:
        raise RuleError("/docs", "daftar_tidak_wajar")
    return tuple(_requirement(item, f"/docs/{i}") for i, item in enumerate(raw))


def gaps(
    requirements: Iterable[Requirement], papers: Sequence[Paper], facts: Mapping[str, Any], on: date
) -> tuple[Gap, ...]:
    """The requirements not met by these papers on a day. `facts` are the deceased's and the file's own."""
    subject = Subject(facts)
    found = []
    for need in requirements:
        if need.when is not None and holds(need.when, subject, on) is not True:
            continue
        if need.unless is not None and holds(need.unless, subject, on) is True:
            continue
        offered = [p for p in papers if p.kind in need.any_of]
        if any(_good(p, need, on) for p in offered):
            continue
        found.append(Gap(need, "akta_kedaluwarsa" if offered else "dokumen_kurang"))
    return tuple(found)


def used_once(requirements: Iterable[Requirement], papers: Sequence[Paper]) -> tuple[Paper, ...]:
    """The papers that may serve one file only, ever (a death certificate, a statement)."""
    kinds = frozenset(k for need in requirements if need.once for k in need.any_of)
    return tuple(p for p in papers if p.kind in kinds)


def _good(paper: Paper, need: Requirement, on: date) -> bool:
    if paper.valid_until is not None and paper.valid_until < on:
        return False
    if need.max_age_months is None:
        return True
    return paper.issued_on is not None and paper.issued_on >= months_before(on, need.max_age_months)


def _requirement(raw: Mapping[str, Any], pointer: str) -> Requirement:
    code = raw.get("code")
    kinds = raw.get("any_of", [code])
    if not isinstance(code, str) or not code or not isinstance(kinds, list) or not kinds:
        raise RuleError(pointer, "bentuk_aturan")
    when, unless = raw.get("when"), raw.get("unless")
    return Requirement(
        code=code,
        any_of=frozenset(str(k) for k in kinds),
        when=None if when is None else parse_expr(when, f"{pointer}/when"),
        unless=None if unless is None else parse_expr(unless, f"{pointer}/unless"),
        max_age_months=raw.get("max_age_months"),
        follows_days=raw.get("follows_days"),
        once=bool(raw.get("once", False)),
    )
