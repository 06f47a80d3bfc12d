"""The question "why" over HTTP, in Indonesian and English. Facts are named with their day, never with other people's data."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads, Wired
from kit.http.models import Out
from kit.http.problems import Texts, problems
from pydantic import Field

from disbursement.explanations import queries
from disbursement.explanations.queries import Explained
from disbursement.programmes.queries import cite

router = Api(prefix="/v1", tags=["explanations"])
Reader = Annotated[Actor, requires("disbursement.explanations:read", region=Region.OBJECT)]


class ReasonOut(Out):
    """A reason in both languages, and what to do now."""

    code: str
    text_id: str
    text_en: str
    next_id: str | None = None
    next_en: str | None = None


class FindingOut(Out):
    """One criterion: its result, the names of the facts it read, and its words when it speaks against the person."""

    criterion: str
    result: str
    counts: bool
    facts: list[str]
    reason: ReasonOut | None = None


class RuleOut(Out):
    """The rule version that decided, with its fingerprint and legal basis."""

    rule_version_id: UUID
    no: int
    sha256: str
    legal_basis: str | None
    legal_basis_subject: str | None


class WhyOut(Out):
    """One decision as it was taken."""

    decision_id: UUID
    decided_at: datetime
    aggregate: str
    aggregate_id: UUID
    programme_id: UUID
    step: str
    outcome: str
    reasons: list[ReasonOut]
    findings: list[FindingOut]
    as_of: date
    facts_version: int | None
    fail_mask: int
    unknown_mask: int
    inputs: dict[str, object] = Field(description="Codes, dates and amounts the decision looked at; no personal data.")
    rule: RuleOut | None
    legal_basis: str | None
    decided_by_unit: str | None
    objection_until: datetime | None


@router.get("/claims/{claim_id}:why", responses=problems(404))
async def why_claim(claim_id: UUID, uow: Reads, wired: Wired, _: Reader) -> list[WhyOut]:
    """Why a claim stands where it stands: every decision on it, newest first."""
    return await _answer(uow, wired.texts, await queries.of_file(uow, "claim", claim_id))


@router.get("/enrolments/{enrolment_id}:why", responses=problems(404))
async def why_enrolment(enrolment_id: UUID, uow: Reads, wired: Wired, _: Reader) -> list[WhyOut]:
    """Why somebody receives or does not: every decision on the enrolment, newest first."""
    return await _answer(uow, wired.texts, await queries.of_file(uow, "enrolment", enrolment_id))


@router.get("/recoveries/{recovery_id}:why", responses=problems(404))
async def why_recovery(recovery_id: UUID, uow: Reads, wired: Wired, _: Reader) -> list[WhyOut]:
    """Why money is asked back."""
    return await _answer(uow, wired.texts, await queries.of_file(uow, "recovery", recovery_id))


@router.get("/subjects/{person_id}/explanation")
async def explain_subject(
    person_id: UUID, uow: Reads, wired: Wired, _: Reader, programme: Annotated[UUID | None, Query()] = None
) -> list[WhyOut]:
    """Every decision about one person, of one programme or of all, newest first."""
    return await _answer(uow, wired.texts, await queries.of_subject(uow, person_id, programme))


async def _answer(uow: Reads, texts: Texts, explained: list[Explained]) -> list[WhyOut]:
    people = {e.decision.subject_person_id for e in explained} - {None}
    await uow.log_reads("explanation", ["decision"], [p for p in people if p is not None])
    return [_why(texts, e) for e in explained]


def _why(texts: Texts, explained: Explained) -> WhyOut:
    row, version, basis = explained.decision, explained.version, explained.basis
    return WhyOut(
        decision_id=row.id,
        decided_at=row.at,
        aggregate=row.aggregate,
        aggregate_id=row.aggregate_id,
        programme_id=row.programme_id,
        step=row.step,
        outcome=row.outcome,
        reasons=[_reason(texts, r["code"], r.get("params", {})) for r in row.reasons],
        findings=[
            FindingOut(
                criterion=f["criterion"],
                result=f["result"],
                counts=f["counts"],
                facts=f["facts"],
                reason=_reason(texts, f["reason"], {}) if f["counts"] else None,
            )
            for f in row.findings
        ],
        as_of=row.as_of,
        facts_version=row.facts_version,
        fail_mask=row.fail_mask,
        unknown_mask=row.unknown_mask,
        inputs=row.inputs,
        rule=None
        if version is None
        else RuleOut(
            rule_version_id=version.id,
            no=version.no,
            sha256=version.sha256,
            legal_basis=cite(basis),
            legal_basis_subject=None if basis is None else basis.subject,
        ),
        legal_basis=cite(basis),
        decided_by_unit=row.unit,
        objection_until=row.appeal_until,
    )


def _reason(texts: Texts, code: str, params: dict[str, str | int]) -> ReasonOut:
    return ReasonOut.model_validate(texts.reason(code, params.items()))
