"""Claims at the counter: open a file, hand it in, bring what was missing, appeal, withdraw.

Each takes the registry's answers as evidence, asked before the transaction (see `evidence`). No rule lives here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.ids import new_id

from disbursement.budget import commands as budget
from disbursement.citizens import only_own
from disbursement.claims import deadline, store
from disbursement.claims.claim import (
    WIB,
    Appeal,
    Claim,
    Command,
    Complete,
    Missing,
    Start,
    State,
    Withdraw,
)
from disbursement.claims.claim import File as Filing
from disbursement.claims.domain import decide
from disbursement.claims.evidence import Evidence, rule_of
from disbursement.claims.profile import Profile, read
from disbursement.claims.store import File
from disbursement.claims.tables import ClaimRow
from disbursement.claims.telling import about, told
from disbursement.explanations.commands import Grounds, record
from disbursement.programmes import queries as programmes
from disbursement.programmes.domain import State as ProgrammeState
from disbursement.programmes.domain import intake
from disbursement.rules import book, papers
from disbursement.rules import commands as facts
from disbursement.rules.evaluation import Subject, Verdict, evaluate
from disbursement.rules.papers import Gap, Paper


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A paper brought to the counter: its kind and fingerprint; the picture is with the registry."""

    kind: str
    sha256: str
    document_id: UUID | None = None
    number: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    signer_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A file as it is opened."""

    programme_id: UUID
    death_record_id: UUID
    claimant_person_id: UUID
    relationship: str
    papers: tuple[NewPaper, ...] = ()
    inputs: Mapping[str, Any] | None = None
    id: UUID | None = None
    client_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule version of a claim, read."""

    version: programmes.Version
    book: book.Book
    profile: Profile


async def start(uow: UnitOfWork, new: NewClaim, evidence: Evidence) -> ClaimRow:
    """Open a file for a death that the registry knows. Raises Refused `kematian_tidak_ditemukan`, or OutOfRegion."""
    programme = await programmes.programme(uow, new.programme_id)
    opened = Claim(State.DRAFT, new.claimant_person_id)
    claim, _ = uow.settle(decide(opened, Start(death_known=evidence.death is not None), uow.context))
    death = evidence.death
    if death is None:
        raise ValueError("a file without a death was let through")
    uow.within(death.region_code)
    only_own(uow.actor, new.claimant_person_id)
    row = ClaimRow(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        mode=programme.mode,
        programme_id=programme.id,
        death_record_id=death.record_id,
        deceased_person_id=death.person_id,
        akta_token=death.akta_token,
        died_on=death.died_on,
        claimant_person_id=new.claimant_person_id,
        relationship=new.relationship,
        region_code=death.region_code,
        state=claim.state.value,
        inputs=dict(new.inputs or {}),
    )
    await store.save(uow, File(row, replace(claim, steps=()), ()), claim)
    await add_papers(uow, row.id, new.papers)
    await uow.audit("claim:start", "claim", row, after={"state": row.state})
    return row


async def file(uow: UnitOfWork, claim_id: UUID, expected: int, evidence: Evidence) -> ClaimRow:
    """Hand a file in. It is filed, or waits as incomplete for papers that may follow.

    Raises Stale, or Refused with all reasons: intake closed, deadline, claimed before, paper used before, missing papers.
    """
    found = await store.lock(uow, claim_id, expected)
    row = _mine(uow, found)
    programme = await programmes.programme(uow, row.programme_id)
    version = await rule_of(uow, row)
    rules = None if version is None else rules_of(version)
    _note_death(row, evidence)
    command = await _filing(uow, found, rules, programme, evidence)
    terms = rules.profile.terms if rules else found.claim.terms
    claim, event = uow.settle(decide(replace(found.claim, terms=terms), command, uow.context))
    if rules is not None:
        row.rule_version_id = rules.version.id
        row.funding_line_id = rules.version.funding_line_id or programme.funding_line_id
        row.heir_rank = rules.profile.heirs.rank(row.relationship)
        row.inputs = {**row.inputs, **_measured(found.papers, row.died_on)}
    await store.save(uow, found, claim)
    await tell(uow, found, (claim, event), "file", rules=rules, evidence=evidence)
    return row


async def complete(
    uow: UnitOfWork, claim_id: UUID, brought: Sequence[NewPaper], expected: int, evidence: Evidence
) -> ClaimRow:
    """Bring the papers that were missing. The file keeps the instant of its first receipt."""
    found = await store.lock(uow, claim_id, expected)
    row = _mine(uow, found)
    await add_papers(uow, row.id, brought)
    rules = rules_of(await programmes.version(uow, filed_version(row)))
    all_papers = await store.papers(uow, row.id)
    gaps = _gaps(rules, row, all_papers, evidence, _day(row.filed_at, uow.today))
    kinds = {p.kind for p in brought}
    missing = {m.doc: m for m in _missing(gaps)}
    for wait in found.claim.waits:
        need = next((r.any_of for r in rules.book.papers if r.code == wait.doc), frozenset({wait.doc}))
        if not need & kinds and wait.doc not in missing:
            missing[wait.doc] = Missing(wait.doc)
    taken = await store.take_papers(uow, row.id, papers.used_once(rules.book.papers, all_papers))
    command = Complete(tuple(missing.values()), paper_taken=taken)
    claim, event = uow.settle(decide(replace(found.claim, terms=rules.profile.terms), command, uow.context))
    row.inputs = {**row.inputs, **_measured(all_papers, row.died_on)}
    await store.save(uow, found, claim)
    await tell(uow, found, (claim, event), "complete", rules=rules, evidence=evidence)
    return row


async def appeal(uow: UnitOfWork, claim_id: UUID, expected: int) -> ClaimRow:
    """Appeal against a rejection: once, before its last day ends."""
    return await _simple(uow, claim_id, expected, Appeal())


async def withdraw(uow: UnitOfWork, claim_id: UUID, expected: int) -> ClaimRow:
    """Take a claim back. The deceased may be claimed for again, the budget is free again (P12)."""
    row = await _simple(uow, claim_id, expected, Withdraw())
    await store.free(uow, claim_id)
    await release_budget(uow, row, "withdraw")
    return row


async def release_budget(uow: UnitOfWork, row: ClaimRow, step: str) -> None:
    """Give back what an approval committed, as long as no right was made of it."""
    if row.committed_idr and row.funding_line_id is not None:
        await budget.release(
            uow, row.funding_line_id, row.committed_idr, source_type="claim", source_id=row.id, step=step
        )
        row.committed_idr = 0
        await uow.session.flush()


async def add_papers(uow: UnitOfWork, claim_id: UUID, brought: Sequence[NewPaper]) -> None:
    """Put papers into a file; the same paper twice is one."""
    for paper in brought:
        await uow.execute(
            store.ADD_PAPER,
            {
                "claim_id": claim_id, "kind": paper.kind, "document_id": paper.document_id, "sha256": paper.sha256,
                "number": paper.number, "issued_on": paper.issued_on, "valid_until": paper.valid_until,
                "signer_person_id": paper.signer_person_id, "now": uow.now,
            },
        )  # fmt: skip


def rules_of(version: programmes.Version) -> Rules:
    """A stored rule version, read."""
    return Rules(version, book.read(version.ast, version.benefit, version.docs), read(version.ast))


def filed_version(row: ClaimRow) -> UUID:
    """The rule version of a filed claim."""
    if row.rule_version_id is None:
        raise ValueError("a filed claim has a rule version")
    return row.rule_version_id


def facts_of(row: ClaimRow, evidence: Evidence) -> dict[str, Any]:
    """The facts of the deceased and of the file, as rules read them."""
    return {**evidence.facts, "relationship": row.relationship, **row.inputs}


def judge(rules: Rules, row: ClaimRow, evidence: Evidence, today: date) -> tuple[Verdict, date]:
    """The criteria of the rule held against the deceased, as of the day that counts."""
    as_of = row.died_on if rules.book.rule.basis == "event_date" else _day(row.filed_at, today)
    return evaluate(rules.book.rule, Subject(facts_of(row, evidence)), as_of), as_of


async def tell(
    uow: UnitOfWork,
    found: File,
    decided: tuple[Claim, str | None],
    step: str,
    *,
    rules: Rules | None = None,
    evidence: Evidence | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> None:
    """Announce, store the decision with its grounds, audit. The row is saved already."""
    row, (claim, event) = found.row, decided
    if evidence is not None and evidence.claimant is not None:
        await facts.keep(uow, [evidence.claimant])
    if event is not None:
        await uow.announce(row, event, told(row))
    verdict, as_of = (None, uow.today)
    if rules is not None and evidence is not None:
        verdict, as_of = judge(rules, row, evidence, uow.today)
    await record(
        uow,
        about(row),
        step,
        row.state,
        grounds=Grounds(
            rule_version_id=row.rule_version_id,
            as_of=as_of,
            facts=evidence.facts if evidence else None,
            facts_version=evidence.facts_version if evidence else None,
            verdict=verdict,
            inputs={**row.inputs, "relationship": row.relationship, "died_on": row.died_on, **(inputs or {})},
        ),
        reasons=claim.reasons,
        appeal_until=claim.appeal_until if row.state == "rejected" and claim.appeals == 0 else None,
    )
    await uow.audit(
        f"claim:{step}",
        "claim",
        row,
        before={"state": found.claim.state.value},
        after={"state": row.state, "amount_idr": row.amount_idr},
        reasons=claim.reasons,
    )


async def _simple(uow: UnitOfWork, claim_id: UUID, expected: int, command: Command) -> ClaimRow:
    found = await store.lock(uow, claim_id, expected)
    _mine(uow, found)
    claim, event = uow.settle(decide(found.claim, command, uow.context))
    await store.save(uow, found, claim)
    await tell(uow, found, (claim, event), type(command).__name__.lower())
    return found.row


async def _filing(
    uow: UnitOfWork, found: File, rules: Rules | None, programme: programmes.Row, evidence: Evidence
) -> Filing:
    """Everything that filing looks at: intake, deadline, papers, and whether the deceased and the papers are free."""
    row = found.row
    gaps = () if rules is None else _gaps(rules, row, found.papers, evidence, uow.today)
    follow = {g.requirement.code: g.requirement.follows_days for g in gaps}
    once = () if rules is None else papers.used_once(rules.book.papers, found.papers)
    until = None
    if rules is not None:
        until = deadline.ends_at(rules.profile.deadline, row.died_on, uow.runtime.wiring.calendar)
    return Filing(
        received_at=uow.now,
        intake=intake(ProgrammeState(programme.state), programmes.closing_of(programme), uow.now, follow),
        deadline=until,
        rule_in_force=rules is not None,
        claimant_life=None if evidence.claimant is None else evidence.claimant.values.get("life"),
        claimant_is_deceased=evidence.same_person,
        missing=_missing(gaps),
        deceased_taken=await store.take(uow, row.id, evidence.keys),
        paper_taken=await store.take_papers(uow, row.id, once),
    )


def _gaps(rules: Rules, row: ClaimRow, found: Sequence[Paper], evidence: Evidence, on: date) -> tuple[Gap, ...]:
    return papers.gaps(rules.book.papers, found, facts_of(row, evidence), on)


def _missing(gaps: Sequence[Gap]) -> tuple[Missing, ...]:
    return tuple(
        Missing(g.requirement.code, g.requirement.max_age_months if g.reason == "akta_kedaluwarsa" else None)
        for g in gaps
    )


def _measured(found: Sequence[Paper], died_on: date) -> dict[str, int]:
    """How many days after the death it was registered, from the certificate in the file."""
    issued = [p.issued_on for p in found if p.kind == "akta_kematian" and p.issued_on is not None]
    return {"delay_days": max(0, (min(issued) - died_on).days)} if issued else {}


def _note_death(row: ClaimRow, evidence: Evidence) -> None:
    """The registry may have learnt more of the death since the file was opened."""
    death = evidence.death
    if death is not None:
        row.deceased_person_id = death.person_id or row.deceased_person_id
        row.akta_token = death.akta_token or row.akta_token


def _mine(uow: UnitOfWork, found: File) -> ClaimRow:
    """The row of a file that the actor may touch: within their regions, and a citizen only their own."""
    uow.within(found.row.region_code)
    only_own(uow.actor, found.row.claimant_person_id)
    return found.row


def _day(at: datetime | None, today: date) -> date:
    return today if at is None else at.astimezone(WIB).date()
