"""Storing a decision beside the move that it is, in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.machine import Reason

from disbursement.explanations.tables import DecisionRow
from disbursement.rules.ast import RESTRICTED
from disbursement.rules.evaluation import Verdict


@dataclass(frozen=True, slots=True)
class About:
    """What a decision is about: the file, its programme, the person concerned, and where."""

    aggregate: Literal["claim", "enrolment", "entitlement", "recovery"]
    aggregate_id: UUID
    programme_id: UUID
    person_id: UUID | None
    region_code: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a decision rests on. `facts` are those the rule declares; values of restricted ones are not kept."""

    rule_version_id: UUID | None = None
    as_of: date | None = None
    facts: Mapping[str, Any] | None = None
    facts_version: int | None = None
    verdict: Verdict | None = None
    inputs: Mapping[str, Any] | None = None


async def record(
    uow: UnitOfWork,
    about: About,
    step: str,
    outcome: str,
    *,
    grounds: Grounds,
    reasons: Sequence[Reason | str] = (),
    appeal_until: datetime | None = None,
) -> None:
    """Append one decision. The caller saves, announces and audits the move itself."""
    verdict = grounds.verdict
    uow.session.add(
        DecisionRow(
            at=uow.now,
            step=step,
            outcome=outcome,
            aggregate=about.aggregate,
            aggregate_id=about.aggregate_id,
            programme_id=about.programme_id,
            subject_person_id=about.person_id,
            region_code=about.region_code,
            rule_version_id=grounds.rule_version_id,
            facts_version=grounds.facts_version,
            as_of=grounds.as_of or uow.today,
            fail_mask=verdict.fail if verdict else 0,
            unknown_mask=verdict.unknown if verdict else 0,
            facts={name: _kept(name, value) for name, value in (grounds.facts or {}).items()},
            inputs={name: _json(value) for name, value in (grounds.inputs or {}).items()},
            findings=_findings(verdict),
            reasons=[_reason(r) for r in reasons],
            decided_by=uow.actor.sub,
            unit=uow.actor.unit,
            appeal_until=appeal_until,
        )
    )
    await uow.session.flush()


def _findings(verdict: Verdict | None) -> list[dict[str, Any]]:
    if verdict is None:
        return []
    return [
        {
            "criterion": f.criterion,
            "result": "unknown" if f.result is None else "met" if f.result else "not_met",
            "counts": bool((verdict.fail | verdict.unknown) >> bit & 1),
            "reason": f.reason,
            "facts": list(f.facts),
        }
        for bit, f in enumerate(verdict.findings)
    ]


def _kept(name: str, value: Any) -> Any:
    return "restricted" if name in RESTRICTED and value is not None else _json(value)


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, frozenset | set | tuple):
        return sorted(str(v) for v in value) if isinstance(value, frozenset | set) else [_json(v) for v in value]
    return value


def _reason(reason: Reason | str) -> dict[str, Any]:
    if isinstance(reason, str):
        return {"code": reason}
    return {"code": reason.code, "params": dict(reason.params)} if reason.params else {"code": reason.code}
