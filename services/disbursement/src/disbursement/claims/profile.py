"""What a place says about claims in its rule version (`ast.claim`): days, deadline, heirs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from disbursement.claims import deadline, heirs
from disbursement.claims.claim import Terms
from disbursement.rules.ast import RuleError

MAX_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class Profile:
    terms: Terms
    deadline: deadline.Deadline
    heirs: heirs.HeirOrder


def read(rule: Mapping[str, Any]) -> Profile:
    """Read the claim part of a rule version; raises RuleError."""
    raw = rule.get("claim", {})
    if not isinstance(raw, Mapping):
        raise RuleError("/claim", "bentuk_aturan")
    extra = set(raw) - {
        "cure_days", "appeal_days", "close_days", "skip_kec", "burial_rule", "cash_place", "deadline", "heirs",
    }  # fmt: skip
    if extra:
        raise RuleError(f"/claim/{min(extra)}", "isian_tidak_dikenal")
    default = Terms()
    return Profile(
        Terms(
            cure_days=_days(raw, "cure_days", default.cure_days),
            appeal_days=_days(raw, "appeal_days", default.appeal_days),
            close_days=_days(raw, "close_days", default.close_days),
            skip_kec=raw.get("skip_kec", default.skip_kec) is True,
            burial_rule=raw.get("burial_rule", False) is True,
            cash_place=raw.get("cash_place", False) is True,
        ),
        deadline.parse(raw.get("deadline", {})),
        heirs.parse(raw.get("heirs", {})),
    )


def _days(raw: Mapping[str, Any], name: str, default: int) -> int:
    value = raw.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_DAYS:
        return value
    raise RuleError(f"/claim/{name}", "bilangan_tidak_wajar")
