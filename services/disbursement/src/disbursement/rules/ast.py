"""The grammar of rules: parsing with limits. `rules.evaluation` gives a rule its meaning.

A rule is data that a decree (peraturan) can be held against: facts, comparisons, all/any/not. It has no arithmetic on
facts, no text from users and no regular expressions. Everyone may import this module; it does no IO.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal

MAX_DEPTH = 5
MAX_CRITERIA = 60
"""Masks are one bit per criterion in a BIGINT."""
MAX_LIST = 200
MAX_YEARS = 150
STAGES = frozenset("EFP")
"""E: enrolment. F: freeze of a batch. P: the last gate before the money leaves."""


class FactType(StrEnum):
    """What a fact can be compared with."""

    CODE = "code"
    REGION = "region"
    DATE = "date"
    INT = "int"
    BOOL = "bool"
    SET = "set"


FACTS: Mapping[str, FactType] = {
    "life": FactType.CODE,
    "died_on": FactType.DATE,
    "birth_date": FactType.DATE,
    "sex": FactType.CODE,
    "nik_state": FactType.CODE,
    "kk_state": FactType.CODE,
    "ktp_region": FactType.REGION,
    "domicile": FactType.REGION,
    "resident_since": FactType.DATE,
    "residence_state": FactType.CODE,
    "family_size": FactType.INT,
    "is_head": FactType.BOOL,
    "shdk": FactType.INT,
    "registered": FactType.BOOL,
    "desil": FactType.INT,
    "desil_state": FactType.CODE,
    "desil_as_of": FactType.DATE,
    "employment": FactType.SET,
    "family_employment": FactType.SET,
    "central_aid": FactType.SET,
    "central_aid_as_of": FactType.DATE,
    "sktm_until": FactType.DATE,
    "disability_degree": FactType.INT,
    "ppks": FactType.SET,
    "exclusions": FactType.SET,
    "open_objection": FactType.BOOL,
    "verified_on": FactType.DATE,
    "in_lks": FactType.BOOL,
    "payee_state": FactType.CODE,
}
"""The facts of the registry (registry design 1.6) that a rule may read, and only these."""

CLAIM_FACTS: Mapping[str, FactType] = {
    "event": FactType.CODE,
    "delay_days": FactType.INT,
    "age_days": FactType.INT,
    "relationship": FactType.CODE,
    "poverty_criteria": FactType.INT,
}
"""What a claim file itself says; a rule of a claim programme may read these beside the facts of the deceased."""

RESTRICTED = frozenset({"disability_degree", "ppks", "in_lks"})
"""Facts whose values are never stored with a decision, only whether the criterion was met."""

COMPARISONS: Mapping[str, frozenset[FactType]] = {
    "eq": frozenset({FactType.CODE, FactType.REGION, FactType.INT, FactType.BOOL, FactType.DATE}),
    "ne": frozenset({FactType.CODE, FactType.REGION, FactType.INT, FactType.BOOL, FactType.DATE}),
    "lt": frozenset({FactType.INT, FactType.DATE}),
    "le": frozenset({FactType.INT, FactType.DATE}),
    "gt": frozenset({FactType.INT, FactType.DATE}),
    "ge": frozenset({FactType.INT, FactType.DATE}),
    "between": frozenset({FactType.INT, FactType.DATE}),
    "in": frozenset({FactType.CODE, FactType.INT}),
    "overlaps": frozenset({FactType.SET}),
    "region_in": frozenset({FactType.REGION}),
    "age_ge": frozenset({FactType.DATE}),
    "age_lt": frozenset({FactType.DATE}),
    "within_days": frozenset({FactType.DATE}),
}


class RuleError(ValueError):
    """The rule cannot be read. `pointer` is the JSON pointer of the fault, `code` a reason code."""

    def __init__(self, pointer: str, code: str) -> None:
        super().__init__(f"{pointer or '/'}: {code}")
        self.pointer, self.code = pointer or "/", code


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expr"


@dataclass(frozen=True, slots=True)
class Known:
    fact: str


@dataclass(frozen=True, slots=True)
class Compare:
    op: str
    fact: str
    value: Any


@dataclass(frozen=True, slots=True)
class FamilyAny:
    part: "Expr"


@dataclass(frozen=True, slots=True)
class FamilyCount:
    part: "Expr"
    op: str
    n: int


@dataclass(frozen=True, slots=True)
class HasLive:
    programmes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReceivedWithin:
    programme: str
    months: int


@dataclass(frozen=True, slots=True)
class PaidFor:
    kind: str
    key: str


Expr = All | AnyOf | Not | Known | Compare | FamilyAny | FamilyCount | HasLive | ReceivedWithin | PaidFor


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition: `code` is its reason code; `unknown` says what a missing fact means."""

    code: str
    expr: Expr
    at: frozenset[str]
    unknown: Literal["fail", "pass", "review"] = "review"
    hard: bool = False
    overridable: bool = False
    why: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed rule: whom it is about, by which date it is chosen, and its criteria in mask order."""

    unit: Literal["person", "family", "deceased", "student"]
    basis: Literal["event_date", "filed_at", "period_start"]
    criteria: tuple[Criterion, ...]

    @property
    def facts(self) -> frozenset[str]:
        """The registry facts this rule declares; the only ones that may be asked for under it."""
        return frozenset(f for c in self.criteria for f in facts_of(c.expr) if f in FACTS)


def parse(document: Mapping[str, Any]) -> Rule:
    """Read a rule.

    Raises RuleError with the place of the first fault.
    """
    if document.get("v") != 1:
        raise RuleError("/v", "versi_tata_aturan")
    unit = _choice(document.get("unit"), ("person", "family", "deceased", "student"), "/unit")
    basis = _choice(document.get("basis"), ("event_date", "filed_at", "period_start"), "/basis")
    raw = document.get("criteria", [])
    if not isinstance(raw, list) or len(raw) > MAX_CRITERIA:
        raise RuleError("/criteria", "kriteria_terlalu_banyak")
    criteria = tuple(_criterion(item, f"/criteria/{i}") for i, item in enumerate(raw))
    if len({c.code for c in criteria}) != len(criteria):
        raise RuleError("/criteria", "kriteria_ganda")
    return Rule(unit, basis, criteria)  # type: ignore[arg-type]


def parse_expr(raw: object, pointer: str = "", depth: int = 1) -> Expr:
    """Read one expression of the grammar; raises RuleError."""
    if depth > MAX_DEPTH:
        raise RuleError(pointer, "aturan_terlalu_dalam")
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise RuleError(pointer, "bentuk_aturan")
    ((op, body),) = raw.items()
    here = f"{pointer}/{op}"
    match op:
        case "all" | "any":
            parts = tuple(parse_expr(p, f"{here}/{i}", depth + 1) for i, p in enumerate(_list(body, here)))
            return All(parts) if op == "all" else AnyOf(parts)
        case "not":
            return Not(parse_expr(body, here, depth + 1))
        case "known":
            return Known(_fact(body, here)[0])
        case "family_any":
            return FamilyAny(parse_expr(body, here, depth + 1))
        case "family_count":
            part, compare, n = _tuple(body, 3, here)
            _choice(compare, ("eq", "lt", "le", "gt", "ge"), f"{here}/1")
            return FamilyCount(parse_expr(part, f"{here}/0", depth + 1), compare, _whole(n, f"{here}/2"))
        case "has_live":
            return HasLive(frozenset(_code(v, here) for v in _list(body, here)))
        case "received_within":
            programme, months = _tuple(body, 2, here)
            return ReceivedWithin(_code(programme, here), _whole(months, f"{here}/1"))
        case "paid_for":
            kind, key = _tuple(body, 2, here)
            return PaidFor(_code(kind, here), _code(key, here))
        case _ if op in COMPARISONS:
            return _compare(op, body, here)
        case _:
            raise RuleError(pointer, "operator_tidak_dikenal")


def facts_of(expr: Expr) -> tuple[str, ...]:
    """The fact names an expression reads, in reading order."""
    match expr:
        case All(parts) | AnyOf(parts):
            return tuple(f for p in parts for f in facts_of(p))
        case Not(part) | FamilyAny(part) | FamilyCount(part, _, _):
            return facts_of(part)
        case Known(fact) | Compare(_, fact, _):
            return (fact,)
        case _:
            return ()


def _criterion(raw: object, pointer: str) -> Criterion:
    if not isinstance(raw, Mapping):
        raise RuleError(pointer, "bentuk_aturan")
    extra = set(raw) - {"c", "e", "at", "unknown", "hard", "ov", "why"}
    if extra:
        raise RuleError(f"{pointer}/{min(extra)}", "isian_tidak_dikenal")
    at = frozenset(str(raw.get("at", "E")))
    if not at or not at <= STAGES:
        raise RuleError(f"{pointer}/at", "tahap_tidak_dikenal")
    why = raw.get("why", {})
    if not isinstance(why, Mapping):
        raise RuleError(f"{pointer}/why", "bentuk_aturan")
    return Criterion(
        code=_code(raw.get("c"), f"{pointer}/c"),
        expr=parse_expr(raw.get("e"), f"{pointer}/e"),
        at=at,
        unknown=_choice(raw.get("unknown", "review"), ("fail", "pass", "review"), f"{pointer}/unknown"),  # type: ignore[arg-type]
        hard=_flag(raw.get("hard", False), f"{pointer}/hard"),
        overridable=_flag(raw.get("ov", False), f"{pointer}/ov"),
        why=tuple(sorted((str(k), _code(v, f"{pointer}/why")) for k, v in why.items())),
    )


def _compare(op: str, body: object, pointer: str) -> Compare:
    name, value = _tuple(body, 2, pointer)
    fact, kind = _fact(name, f"{pointer}/0")
    if kind not in COMPARISONS[op]:
        raise RuleError(pointer, "operator_tidak_cocok")
    at = f"{pointer}/1"
    match op:
        case "age_ge" | "age_lt":
            years = _whole(value, at)
            if years > MAX_YEARS:
                raise RuleError(at, "bilangan_tidak_wajar")
            return Compare(op, fact, years)
        case "within_days":
            return Compare(op, fact, _whole(value, at))
        case "between":
            low, high = (_value(v, kind, at) for v in _tuple(value, 2, at))
            return Compare(op, fact, (low, high))
        case "in":
            return Compare(op, fact, frozenset(_value(v, kind, at) for v in _list(value, at)))
        case "overlaps" | "region_in":
            return Compare(op, fact, frozenset(_code(v, at) for v in _list(value, at)))
        case _:
            return Compare(op, fact, _value(value, kind, at))


def _fact(name: object, pointer: str) -> tuple[str, FactType]:
    kind = FACTS.get(str(name)) or CLAIM_FACTS.get(str(name))
    if kind is None:
        raise RuleError(pointer, "fakta_tidak_dikenal")
    return str(name), kind


def _value(raw: object, kind: FactType, pointer: str) -> object:
    match kind:
        case FactType.INT:
            if isinstance(raw, int) and not isinstance(raw, bool):
                return raw
        case FactType.BOOL:
            if isinstance(raw, bool):
                return raw
        case FactType.DATE:
            if isinstance(raw, str):
                try:
                    return date.fromisoformat(raw)
                except ValueError as fault:
                    raise RuleError(pointer, "tanggal_tidak_sah") from fault
        case _:
            return _code(raw, pointer)
    raise RuleError(pointer, "nilai_tidak_cocok")


def _code(raw: object, pointer: str) -> str:
    """A code of the field: short, no blanks, so that no sentence can hide in a rule."""
    if isinstance(raw, str) and 0 < len(raw) <= 40 and all(c.isalnum() or c in "._-" for c in raw):  # noqa: PLR2004 - the length of type C in the event tables
        return raw
    raise RuleError(pointer, "kode_tidak_sah")


def _whole(raw: object, pointer: str) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 100_000:  # noqa: PLR2004 - days or years or people, generously
        return raw
    raise RuleError(pointer, "bilangan_tidak_wajar")


def _flag(raw: object, pointer: str) -> bool:
    if isinstance(raw, bool):
        return raw
    raise RuleError(pointer, "nilai_tidak_cocok")


def _choice(raw: object, allowed: Sequence[str], pointer: str) -> str:
    if isinstance(raw, str) and raw in allowed:
        return raw
    raise RuleError(pointer, "pilihan_tidak_dikenal")


def _list(raw: object, pointer: str) -> list[Any]:
    if isinstance(raw, list) and 0 < len(raw) <= MAX_LIST:
        return raw
    raise RuleError(pointer, "daftar_tidak_wajar")


def _tuple(raw: object, size: int, pointer: str) -> list[Any]:
    if isinstance(raw, list) and len(raw) == size:
        return raw
    raise RuleError(pointer, "bentuk_aturan")
