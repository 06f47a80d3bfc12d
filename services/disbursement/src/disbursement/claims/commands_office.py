"""Claims in the office: check, verify, decide, send back, hear appeals, find fraud, and what a revoked death does.

Who entered, checked or verified a claim does not decide it (over the whole history of the file); who decided it may
approve its batch.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.machine import Refusal

from disbursement.budget import commands as budget
from disbursement.claims import heirs, store
from disbursement.claims.claim import (
    Approve,
    CheckKec,
    CheckKel,
    Claim,
    Command,
    Dismiss,
    Entitle,
    FlagAlive,
    ProposeRejection,
    Reject,
    ReportFraud,
    Return,
    State,
    Uphold,
    Verify,
    VoidClaim,
)
from disbursement.claims.commands import Rules, facts_of, filed_version, judge, release_budget, rules_of, tell
from disbursement.claims.commands_rule import by_rule
from disbursement.claims.domain import LIVE, decide
from disbursement.claims.evidence import Evidence
from disbursement.claims.store import File
from disbursement.claims.tables import ClaimRow
from disbursement.programmes import queries as programmes
from disbursement.recovery import commands as recovery
from disbursement.rights import commands as rights
from disbursement.rules import benefit

PAID = (State.PAID, State.CLOSED)


async def check_kel(uow: UnitOfWork, claim_id: UUID, expected: int, evidence: Evidence, *, visited: bool) -> ClaimRow:
    """The village office's look at heirs and papers. Raises Refused `ahli_waris_utama_ada`, `perlu_kunjungan`, ..."""
    found, rules = await _open(uow, claim_id, expected)
    row = found.row
    signers = frozenset(
        p.signer_person_id for p in found.papers if p.kind == rules.profile.heirs.statement and p.signer_person_id
    )
    heir = heirs.check(
        rules.profile.heirs,
        row.relationship,
        row.claimant_person_id,
        relatives=[heirs.Relative(r.person_id, r.relationship, r.alive) for r in evidence.relatives],
        statements=signers,
        kinds=frozenset(p.kind for p in found.papers),
    )
    signals: tuple[str, ...] = ()
    if row.relationship in rules.profile.heirs.last_resort:
        params = {
            "person": row.claimant_person_id, "id": row.id, "relationship": row.relationship, "at": row.filed_at,
        }  # fmt: skip
        repeated = (await uow.execute(store.REPEATED, params)).scalar_one()
        signals = ("pemohon_berulang",) if repeated else ()
    command = CheckKel(heir, signals, visited=visited)
    return await _make(uow, found, rules, command, "check_kel", evidence=evidence)


async def check_kec(uow: UnitOfWork, claim_id: UUID, expected: int) -> ClaimRow:
    """The district office's look."""
    found, rules = await _open(uow, claim_id, expected)
    return await _make(uow, found, rules, CheckKec(), "check_kec")


async def verify(uow: UnitOfWork, claim_id: UUID, expected: int, evidence: Evidence) -> ClaimRow:
    """The verifier's look at death, payee and criteria. Raises Refused `akta_belum_sah`, `tanda_hidup`, ..."""
    found, rules = await _open(uow, claim_id, expected)
    verdict, _ = judge(rules, found.row, evidence, uow.today)
    death, claimant = evidence.death, evidence.claimant
    command = Verify(
        death_state=death.state if death else "none",
        buried=bool(death and death.buried),
        life_signs=bool(death and death.life_signs),
        twins=bool(death and death.twins),
        payee_state=None if claimant is None else claimant.values.get("payee_state"),
        failed=tuple(f.reason for f in verdict.failed),
        unknown=tuple(f.reason for f in verdict.open),
        conflict=evidence.conflict,
    )
    return await _make(uow, found, rules, command, "verify", evidence=evidence)


async def approve(
    uow: UnitOfWork, claim_id: UUID, expected: int, evidence: Evidence, *, decree_no: str | None
) -> ClaimRow:
    """Approve a verified claim: the rule gives the amount, the budget line commits it (P04).

    Raises Refused `pagu_tidak_cukup` under the lock of the line, or every reason of the table.
    """
    found, rules = await _open(uow, claim_id, expected)
    row = found.row
    verdict, as_of = judge(rules, row, evidence, uow.today)
    kinds = frozenset(p.kind for p in found.papers)
    worth = benefit.worth(rules.book.benefit, claim=facts_of(row, evidence), documents=kinds, on=as_of)
    command = Approve(
        worth.amount_idr,
        worth.basis,
        evidence.death.state if evidence.death else "none",
        tuple(f.reason for f in verdict.failed),
        conflict=evidence.conflict,
    )
    claim, event = uow.settle(decide(found.claim, command, uow.context))
    if row.funding_line_id is None:
        uow.settle(Refusal.because("pagu_belum_ada"))
    else:
        await budget.commit(
            uow,
            row.funding_line_id,
            worth.amount_idr,
            source_type="claim",
            source_id=row.id,
            step=f"approve_{row.appeals}",
        )
    row.pct, row.decree_no, row.committed_idr = worth.pct, decree_no, worth.amount_idr
    await store.save(uow, found, claim)
    paid_for = {"amount_idr": worth.amount_idr, "basis": worth.basis, "pct": worth.pct, "remainder": worth.remainder}
    await tell(uow, found, (claim, event), "approve", rules=rules, evidence=evidence, inputs=paid_for)
    return row


async def entitle(uow: UnitOfWork, claim_id: UUID) -> bool:
    """Give an approved claim its one right, due at once; False when there is nothing to do."""
    found = await store.lock(uow, claim_id, None)
    decision = decide(found.claim, Entitle(), by_rule(uow))
    if isinstance(decision, Refusal):
        return False
    row = found.row
    claim, event = decision
    if row.funding_line_id is None or row.amount_idr is None:
        raise ValueError("an approved claim has an amount and a line")
    await store.save(uow, found, claim)
    await rights.grant_claim(
        uow,
        claim_id=row.id,
        programme_id=row.programme_id,
        death_record_id=row.death_record_id,
        claimant_id=row.claimant_person_id,
        died_on=row.died_on,
        amount_idr=row.amount_idr,
        rule_version_id=filed_version(row),
        line_id=row.funding_line_id,
        region_code=row.region_code,
        mode=row.mode,
    )
    row.committed_idr = 0
    await tell(uow, found, (claim, event), "entitle")
    return True


async def send_back(uow: UnitOfWork, claim_id: UUID, command: Return, expected: int) -> ClaimRow:
    """Send the file back for papers; it keeps its place and the instant of its filing."""
    return await _decide(uow, claim_id, expected, command, "return")


async def propose_rejection(uow: UnitOfWork, claim_id: UUID, command: ProposeRejection, expected: int) -> ClaimRow:
    """The verifier proposes to reject."""
    return await _decide(uow, claim_id, expected, command, "propose_rejection")


async def reject(uow: UnitOfWork, claim_id: UUID, command: Reject, expected: int) -> ClaimRow:
    """The head of office rejects; the heir may appeal once, within the days of the profile."""
    return await _decide(uow, claim_id, expected, command, "reject")


async def uphold(uow: UnitOfWork, claim_id: UUID, command: Uphold, expected: int) -> ClaimRow:
    """Follow the appeal: the claim is looked at again from the beginning."""
    return await _decide(uow, claim_id, expected, command, "uphold")


async def dismiss(uow: UnitOfWork, claim_id: UUID, command: Dismiss, expected: int) -> ClaimRow:
    """Do not follow the appeal: final, and the deceased may be claimed for by somebody else."""
    row = await _decide(uow, claim_id, expected, command, "dismiss")
    await store.free(uow, claim_id)
    return row


async def report_fraud(uow: UnitOfWork, claim_id: UUID, command: ReportFraud, expected: int) -> ClaimRow:
    """The inspectorate records its finding."""
    return await _decide(uow, claim_id, expected, command, "report_fraud")


async def void(uow: UnitOfWork, claim_id: UUID, command: VoidClaim, expected: int) -> ClaimRow:
    """Declare a claim void for fraud: its locks stay for ever; what is unpaid is cancelled, what was paid is recovered."""
    before = State((await store.lock(uow, claim_id, expected)).row.state)
    row = await _decide(uow, claim_id, expected, command, "void")
    await release_budget(uow, row, "void")
    await _stop_money(uow, row, before, "temuan_kecurangan")
    return row


async def flag_alive(uow: UnitOfWork, death_record_id: UUID) -> list[UUID]:
    """The death was taken back: flag its claims. Unpaid rights are cancelled, paid ones are to be recovered (M7 holds)."""
    ids: Sequence[UUID] = (await uow.execute(store.OF_DEATH, {"id": death_record_id})).scalars().all()
    flagged = []
    for claim_id in ids:
        found = await store.lock(uow, claim_id, None)
        if found.claim.flagged or found.claim.state not in LIVE:
            continue
        claim, event = uow.settle(decide(found.claim, FlagAlive(), by_rule(uow)))
        await store.save(uow, found, claim)
        await tell(uow, found, (claim, event), "flag_alive")
        await _stop_money(uow, found.row, claim.state, "kematian_dicabut")
        flagged.append(claim_id)
    return flagged


async def _stop_money(uow: UnitOfWork, row: ClaimRow, state: State, reason: str) -> None:
    """Cancel the right of a claim that must not be paid, or find what to recover.

    A line that is already on its way cannot be stopped here; when it settles, the recovery is found then.
    """
    if state in PAID:
        await recovery.find_for_claim(uow, row.id, reason)
    elif state == State.PAYABLE:
        await rights.cancel_of_claim(uow, row.id, reason)


async def _open(uow: UnitOfWork, claim_id: UUID, expected: int) -> tuple[File, Rules]:
    """The file under its lock with its rules read."""
    found = await store.lock(uow, claim_id, expected)
    if found.row.rule_version_id is None:
        uow.settle(decide(found.claim, CheckKec(), uow.context))  # a draft: refused by state, or by role before it
    rules = rules_of(await programmes.version(uow, filed_version(found.row)))
    return replace(found, claim=replace(found.claim, terms=rules.profile.terms)), rules


async def _decide(uow: UnitOfWork, claim_id: UUID, expected: int, command: Command, step: str) -> ClaimRow:
    found = await store.lock(uow, claim_id, expected)
    rules = None
    if found.row.rule_version_id is not None:
        rules = rules_of(await programmes.version(uow, found.row.rule_version_id))
        found = replace(found, claim=replace(found.claim, terms=rules.profile.terms))
    return await _make(uow, found, rules, command, step)


async def _make(
    uow: UnitOfWork,
    found: File,
    rules: Rules | None,
    command: Command,
    step: str,
    *,
    evidence: Evidence | None = None,
) -> ClaimRow:
    decided: tuple[Claim, str | None] = uow.settle(decide(found.claim, command, uow.context))
    await store.save(uow, found, decided[0])
    await tell(uow, found, decided, step, rules=rules, evidence=evidence)
    return found.row
