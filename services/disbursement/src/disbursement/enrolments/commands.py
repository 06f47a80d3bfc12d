"""Enrolments: nominate and evaluate, review, decree, activate, suspend, end, change the payee.

A decision of a rule and of a person is stored alike, with rule version, facts and reasons.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Missing, Refused
from kit.ids import new_id
from kit.machine import SYSTEM, Context, Refusal

from disbursement.budget import commands as budget
from disbursement.citizens import only_own
from disbursement.claims.claim import end_of_day
from disbursement.enrolments import store
from disbursement.enrolments.domain import (
    Activate,
    AskPayee,
    Decree,
    End,
    Enrolment,
    Evaluate,
    Nominate,
    ReplacePayee,
    Resume,
    Review,
    State,
    Suspend,
    TakePlace,
    Withdraw,
    decide,
)
from disbursement.enrolments.tables import DecreeRow, EnrolmentRow
from disbursement.enrolments.telling import Grounded, change
from disbursement.explanations.commands import Grounds
from disbursement.programmes import queries as programmes
from disbursement.registry_client import FactSheet
from disbursement.rights import commands as rights
from disbursement.rights.domain import funded, period
from disbursement.rules import ast, benefit
from disbursement.rules import commands as facts
from disbursement.rules.evaluation import Subject, Verdict, evaluate

OBJECTION_DAYS = 14
MOST_NAMES = 5_000
"""Names of one decree."""


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """A candidate as nominated."""

    programme_id: UUID
    subject_id: UUID
    payee_person_id: UUID | None = None
    id: UUID | None = None
    client_ref: str | None = None


@dataclass(frozen=True, slots=True)
class NewDecree:
    """A decree (SK) with the fingerprint of its annex."""

    programme_id: UUID
    number: str
    issued_on: date
    document_sha256: str
    list_sha256: str
    starts_on: date
    enrolment_ids: tuple[UUID, ...]
    id: UUID | None = None
    client_ref: str | None = None


def by_rule(uow: UnitOfWork) -> Context:
    """A rule evaluates, not the officer who nominated."""
    return replace(uow.context, roles=frozenset({SYSTEM}), person_id=None)


async def nominate(uow: UnitOfWork, new: NewEnrolment, sheet: FactSheet | None) -> EnrolmentRow:
    """Nominate a person and hold them against the rule at once: eligible, waiting, refused, or for a person to look at.

    Raises Missing for a person the registry does not know, Refused `sudah_terdaftar`, `program_belum_dibuka`.
    """
    if sheet is None:
        raise Missing("person")
    programme = await programmes.programme(uow, new.programme_id)
    region = str(sheet.values.get("domicile") or sheet.values.get("ktp_region") or "")
    uow.within(region)
    only_own(uow.actor, new.subject_id)
    command = Nominate(
        programme_open=programme.state == "active",
        already_live=await store.already(uow, programme.id, new.subject_id),
    )
    start = Enrolment(
        State.CANDIDATE, new.subject_id, new.subject_id, new.payee_person_id or new.subject_id, uow.actor.sub
    )
    enrolment, _ = uow.settle(decide(start, command, uow.context))
    row = EnrolmentRow(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        mode=programme.mode,
        programme_id=programme.id,
        subject_id=new.subject_id,
        family_id=sheet.family_id,
        holder_person_id=new.subject_id,
        payee_person_id=enrolment.payee_id,
        region_code=region,
        state=enrolment.state.value,
        nominated_by=uow.actor.sub,
    )
    await uow.save(row)
    await uow.audit("enrolment:nominate", "enrolment", row, after={"state": row.state})
    await facts.keep(uow, [sheet])
    await _evaluate(uow, row, sheet)
    return row


async def review(
    uow: UnitOfWork, enrolment_id: UUID, command: Review, expected: int, sheet: FactSheet | None
) -> EnrolmentRow:
    """A verifier settles what the rule could not know. What has failed meanwhile still fails."""
    row = await _locked(uow, enrolment_id, expected)
    grounds, verdict = await _judged(uow, row, sheet)
    failed = tuple(f.reason for f in verdict.failed) if verdict else ()
    await change(uow, row, replace(command, failed=failed), Grounded("review", grounds, appeal_until=_objection(uow)))
    if row.state == State.ELIGIBLE:
        await _take_place(uow, row)
    return row


async def decree(uow: UnitOfWork, new: NewDecree) -> DecreeRow:
    """Name eligible people in a decree (kadis): all or none. The sum of the year is reserved (P03).

    Raises Refused `kuota_penuh`, `lampiran_sk_berbeda`, `bantuan_daerah_lain`, `pagu_tidak_cukup`, ...
    """
    programme = await programmes.programme(uow, new.programme_id)
    version = await _version(uow, programme.id, new.starts_on)
    free = await store.free_places(uow, programme.id, version.quota)
    rows = await store.locked(uow, new.enrolment_ids)
    if len(rows) != len(set(new.enrolment_ids)) or any(r.programme_id != programme.id for r in rows):
        raise Missing("enrolment")
    each, line_id = _year(version, new.starts_on), version.funding_line_id or programme.funding_line_id
    if line_id is None:
        raise Refused(Refusal.because("pagu_belum_ada"))
    row = DecreeRow(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        mode=programme.mode,
        programme_id=programme.id,
        number=new.number,
        issued_on=new.issued_on,
        document_sha256=new.document_sha256,
        list_sha256=new.list_sha256,
        names=len(rows),
        reserved_idr=each * len(rows),
    )
    await uow.save(row)
    matches = annex(new.enrolment_ids) == new.list_sha256
    for given, enrolment in enumerate(rows):
        uow.within(enrolment.region_code)
        other = await store.other_of_group(uow, enrolment)
        command = Decree(None if free is None else free - given, matches, other)
        enrolment.decree_id, enrolment.rule_version_id = row.id, version.id
        enrolment.reserved_idr, enrolment.reserved_line_id = each, line_id
        enrolment.starts_on = new.starts_on
        await change(uow, enrolment, command, Grounded("decree", Grounds(version.id, inputs={"decree_id": row.id})))
    if free is not None:
        await store.take_places(uow, programme.id, len(rows))
    if row.reserved_idr:
        await budget.reserve(uow, line_id, row.reserved_idr, source_type="decree", source_id=row.id, step="decree")
    await uow.audit("decree:issue", "decree", row, after={"names": row.names, "reserved_idr": row.reserved_idr})
    return row


def annex(ids: Sequence[UUID]) -> str:
    """The fingerprint of a decree's annex: SHA-256 over the sorted enrolment ids, one a line."""
    return hashlib.sha256("".join(f"{id}\n" for id in sorted(set(ids))).encode()).hexdigest()


async def activate(uow: UnitOfWork, enrolment_id: UUID) -> EnrolmentRow:
    """Begin a decreed place on its day (by rule)."""
    row = await lock(uow, EnrolmentRow, enrolment_id, None)
    command = Activate(row.starts_on or uow.today, row.payee_person_id)
    await change(uow, row, command, Grounded("activate", Grounds(row.rule_version_id)))
    return row


async def suspend(uow: UnitOfWork, enrolment_id: UUID, reason: str, expected: int | None) -> EnrolmentRow:
    """Suspend a place (kabid): its open rights are held, none is lost."""
    row = await _locked(uow, enrolment_id, expected)
    grounded = Grounded("suspend", Grounds(row.rule_version_id), appeal_until=_objection(uow))
    await change(uow, row, Suspend(reason), grounded)
    await rights.stop_enrolment(uow, row.id, reason)
    return row


async def resume(uow: UnitOfWork, enrolment_id: UUID, expected: int | None) -> EnrolmentRow:
    """Resume a place (kabid): what was held is due with arrears."""
    row = await _locked(uow, enrolment_id, expected)
    reasons = list(row.reasons)
    await change(uow, row, Resume("alasan_selesai"), Grounded("resume", Grounds(row.rule_version_id)))
    for reason in reasons:
        await rights.release_enrolment(uow, row.id, reason)
    return row


async def end(uow: UnitOfWork, enrolment_id: UUID, command: End, expected: int | None) -> EnrolmentRow:
    """End a place: later rights are cancelled, what was reserved for it is free again (P12), the next may follow."""
    row = await _locked(uow, enrolment_id, expected)
    grounded = Grounded("end", Grounds(row.rule_version_id), appeal_until=_objection(uow))
    await change(uow, row, command, grounded)
    await rights.cancel_of_enrolment(uow, row.id, command.on, command.reason)
    await give_back(uow, row)
    return row


async def give_back(uow: UnitOfWork, row: EnrolmentRow) -> None:
    """Free the place and the money still reserved for it."""
    if row.decree_id is not None:
        await store.take_places(uow, row.programme_id, -1)
    if row.reserved_idr and row.reserved_line_id is not None:
        await budget.release(
            uow,
            row.reserved_line_id,
            row.reserved_idr,
            source_type="enrolment",
            source_id=row.id,
            step=f"end_{row.version}",
            origin=budget.Origin.RESERVED,
        )
        row.reserved_idr = 0
        await uow.session.flush()


async def withdraw(uow: UnitOfWork, enrolment_id: UUID, expected: int) -> EnrolmentRow:
    """The subject takes the nomination back."""
    row = await _locked(uow, enrolment_id, expected)
    await change(uow, row, Withdraw(), Grounded("withdraw", Grounds(row.rule_version_id)))
    return row


async def ask_payee(uow: UnitOfWork, enrolment_id: UUID, payee_id: UUID, expected: int) -> EnrolmentRow:
    """Ask for another payee; a second person agrees."""
    row = await _locked(uow, enrolment_id, expected)
    await change(uow, row, AskPayee(payee_id), Grounded("ask_payee", Grounds(row.rule_version_id)))
    return row


async def replace_payee(uow: UnitOfWork, enrolment_id: UUID, expected: int, *, link_active: bool) -> EnrolmentRow:
    """Agree to the payee that somebody else asked for."""
    row = await _locked(uow, enrolment_id, expected)
    await change(uow, row, ReplacePayee(link_active), Grounded("replace_payee", Grounds(row.rule_version_id)))
    return row


async def _evaluate(uow: UnitOfWork, row: EnrolmentRow, sheet: FactSheet) -> None:
    """Hold a candidate against the rule in force, then give a place or a place in the waiting list."""
    grounds, verdict = await _judged(uow, row, sheet)
    if verdict is None:
        raise Refused(Refusal.because("aturan_belum_terbit"))
    row.rule_version_id = grounds.rule_version_id
    command = Evaluate(tuple(f.reason for f in verdict.failed), tuple(f.reason for f in verdict.open))
    await change(uow, row, command, Grounded("evaluate", grounds, by_rule(uow), _objection(uow)))
    if row.state == State.ELIGIBLE:
        await _take_place(uow, row)


async def _take_place(uow: UnitOfWork, row: EnrolmentRow) -> None:
    version = await programmes.version(uow, row.rule_version_id) if row.rule_version_id else None
    free = await store.free_places(uow, row.programme_id, version.quota if version else None)
    if free is not None:
        free -= await store.promised(uow, row.programme_id, row.id)
    if free is not None and free <= 0:
        row.waiting_since = uow.now
        await change(uow, row, TakePlace(free), Grounded("take_place", Grounds(row.rule_version_id), by_rule(uow)))


async def _judged(uow: UnitOfWork, row: EnrolmentRow, sheet: FactSheet | None) -> tuple[Grounds, Verdict | None]:
    """The verdict of the rule in force today over the facts as asked, and the grounds to store with it."""
    version = await programmes.version_for(uow, row.programme_id, period_start=uow.today, filed_on=uow.today)
    if version is None or sheet is None:
        return Grounds(None if version is None else version.id), None
    rule = ast.parse(version.ast)
    live = frozenset((await uow.execute(store.LIVE_PROGRAMMES, {"subject_id": row.subject_id})).scalars())
    values: Mapping[str, Any] = {n: v for n, v in sheet.values.items() if n in rule.facts}
    verdict = evaluate(rule, Subject(values, live_programmes=live), uow.today, stage="E")
    return Grounds(version.id, uow.today, values, sheet.version, verdict), verdict


async def _version(uow: UnitOfWork, programme_id: UUID, day: date) -> programmes.Version:
    version = await programmes.version_for(uow, programme_id, period_start=day)
    if version is None:
        raise Refused(Refusal.because("aturan_belum_terbit"))
    return version


def _year(version: programmes.Version, starts_on: date) -> int:
    """What one place costs from its start to the end of the year, in the months that the budget pays."""
    worth = benefit.parse(version.benefit)
    year = starts_on.year
    codes = (
        [f"{year}-{m:02d}" for m in range(1, 13)] if worth.period == "month" else [f"{year}-Q{q}" for q in range(1, 5)]
    )
    spans = [period(code) for code in codes]
    paid = [s for s in spans if s.starts_on >= starts_on.replace(day=1) and funded(s, worth.funded)]
    return worth.amount_idr * len(paid)


async def _locked(uow: UnitOfWork, enrolment_id: UUID, expected: int | None) -> EnrolmentRow:
    return await lock(
        uow, EnrolmentRow, enrolment_id, expected,
        may=lambda row: only_own(uow.actor, row.subject_id, row.holder_person_id),
    )  # fmt: skip


def _objection(uow: UnitOfWork) -> datetime:
    return end_of_day(uow.today, OBJECTION_DAYS)
