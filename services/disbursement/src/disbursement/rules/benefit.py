"""What a benefit (manfaat) is worth under a rule version: fixed, by a table, or a percentage. Whole rupiah, rounded down.

Forms (design 2.3): `fixed` (Depok 2,000,000), `table` by delay of registration (Badung 0-7 days 10,000,000, 8-31 days
5,000,000, later nothing), `pct` of a base by papers (Blitar 100 or 60 per cent of 300,000). Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from disbursement.rules.ast import Expr, RuleError, parse_expr
from disbursement.rules.evaluation import Subject, holds

MAX_ROWS = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: from `low` to `high` days, both included; `high` None is open."""

    low: int
    high: int | None
    amount_idr: int


@dataclass(frozen=True, slots=True)
class Share:
    """One share of the base: given when one of the papers is there, or when the expression holds."""

    any_doc: frozenset[str]
    when: Expr | None
    pct: int


@dataclass(frozen=True, slots=True)
class Benefit:
    """A benefit of one right. `period` is once, month or quarter; `alive_on` decides the month of death."""

    component: str
    form: Literal["fixed", "table", "pct"]
    amount_idr: int
    period: Literal["once", "month", "quarter"] = "once"
    rows: tuple[Row, ...] = ()
    shares: tuple[Share, ...] = ()
    else_pct: int = 0
    funded: tuple[int, int] = (1, 12)
    alive_on: Literal["period_start", "period_end", "pay_date"] = "period_start"


@dataclass(frozen=True, slots=True)
class Worth:
    """The amount of one right and how it came about, as codes."""

    amount_idr: int
    basis: str
    pct: int = 100
    remainder: int = 0


def parse(raw: Mapping[str, Any]) -> Benefit:
    """Read a benefit; raises RuleError."""
    form = raw.get("form", "fixed")
    period = raw.get("per", "once")
    alive_on = raw.get("due_if_alive_on", "period_start")
    if form not in ("fixed", "table", "pct"):
        raise RuleError("/benefit/form", "pilihan_tidak_dikenal")
    if period not in ("once", "month", "quarter"):
        raise RuleError("/benefit/per", "pilihan_tidak_dikenal")
    if alive_on not in ("period_start", "period_end", "pay_date"):
        raise RuleError("/benefit/due_if_alive_on", "pilihan_tidak_dikenal")
    first, last = raw.get("funded", ["01", "12"])
    rows, shares = raw.get("rows", []), raw.get("shares", [])
    if len(rows) > MAX_ROWS or len(shares) > MAX_ROWS:
        raise RuleError("/benefit", "daftar_tidak_wajar")
    return Benefit(
        component=str(raw.get("component", "uang")),
        form=form,
        amount_idr=_money(raw.get("amount_idr", 0), "/benefit/amount_idr"),
        period=period,
        rows=tuple(_row(r, f"/benefit/rows/{i}") for i, r in enumerate(rows)),
        shares=tuple(_share(s, f"/benefit/shares/{i}") for i, s in enumerate(shares)),
        else_pct=_pct(raw.get("else_pct", 0), "/benefit/else_pct"),
        funded=(int(first), int(last)),
        alive_on=alive_on,
    )


def worth(
    benefit: Benefit, *, claim: Mapping[str, Any] | None = None, documents: frozenset[str] = frozenset(), on: date
) -> Worth:
    """What one right is worth. `claim` are the facts of the claim file, `documents` the valid kinds in it."""
    match benefit.form:
        case "fixed":
            return Worth(benefit.amount_idr, "tetap")
        case "table":
            delay = (claim or {}).get("delay_days")
            for row in benefit.rows:
                if delay is not None and row.low <= delay and (row.high is None or delay <= row.high):
                    return Worth(row.amount_idr, "tabel_keterlambatan")
            return Worth(0, "pendaftaran_terlambat")
        case "pct":
            pct = _best_share(benefit, claim or {}, documents, on)
            amount, remainder = divmod(benefit.amount_idr * pct, 100)
            return Worth(amount, "persentase_dokumen", pct, remainder)


def _best_share(benefit: Benefit, claim: Mapping[str, Any], documents: frozenset[str], on: date) -> int:
    for share in benefit.shares:
        if share.any_doc & documents:
            return share.pct
        if share.when is not None and holds(share.when, Subject(claim), on):
            return share.pct
    return benefit.else_pct


def _row(raw: Mapping[str, Any], pointer: str) -> Row:
    low, high = raw.get("from"), raw.get("to")
    if not isinstance(low, int) or not (high is None or (isinstance(high, int) and high >= low)):
        raise RuleError(pointer, "rentang_tidak_sah")
    return Row(low, high, _money(raw.get("amount_idr"), f"{pointer}/amount_idr"))


def _share(raw: Mapping[str, Any], pointer: str) -> Share:
    when = raw.get("when")
    return Share(
        frozenset(str(d) for d in raw.get("any_doc", [])),
        None if when is None else parse_expr(when, f"{pointer}/when"),
        _pct(raw.get("pct"), f"{pointer}/pct"),
    )


def _money(raw: object, pointer: str) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 2**53 - 1:
        return raw
    raise RuleError(pointer, "jumlah_tidak_sah")


def _pct(raw: object, pointer: str) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 100:  # noqa: PLR2004 - per cent
        return raw
    raise RuleError(pointer, "persen_tidak_sah")
