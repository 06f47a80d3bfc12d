"""What happens to claims by rule, without a person: they follow their rights, lapse, close, and give their locks free."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from kit.db.uow import Line, UnitOfWork
from kit.errors import Refused
from kit.machine import SYSTEM, Context, Refusal
from kit.regions import kecamatan

from disbursement.claims import store
from disbursement.claims.claim import Close, Command, Lapse, Reopen, Settle, holds_locks
from disbursement.claims.domain import decide
from disbursement.claims.profile import read
from disbursement.claims.store import File
from disbursement.claims.telling import about, told
from disbursement.events import ClaimTold, plain
from disbursement.explanations.commands import Grounds, record
from disbursement.programmes import queries as programmes
from disbursement.recovery import commands as recovery


def by_rule(uow: UnitOfWork) -> Context:
    """The context of a rule that follows from somebody else's command: the system acts, not the person."""
    return replace(uow.context, roles=frozenset({SYSTEM}), person_id=None)


async def follow_settled(uow: UnitOfWork, claim_ids: Sequence[UUID]) -> list[UUID]:
    """Payable becomes paid for the claims whose right was paid; a flagged one is to be recovered at once."""
    moved = await _follow(uow, Settle, claim_ids, "claim.paid")
    for claim_id, flagged in moved:
        if flagged:
            await recovery.find_for_claim(uow, claim_id, "kematian_dicabut")
    return [claim_id for claim_id, _ in moved]


async def follow_reopened(uow: UnitOfWork, claim_ids: Sequence[UUID]) -> list[UUID]:
    """Paid becomes payable for the claims whose payment came back."""
    return [claim_id for claim_id, _ in await _follow(uow, Reopen, claim_ids, "claim.payable")]


async def lapse(uow: UnitOfWork, claim_id: UUID) -> bool:
    """Lapse an incomplete claim whose time is over; False when it is not. Its locks are free again."""
    file = await store.lock(uow, claim_id, None)
    moved = await _quietly(uow, file, Lapse(), "lapsed")
    if moved:
        await store.free(uow, claim_id)
    return moved


async def close(uow: UnitOfWork, claim_id: UUID) -> bool:
    """Close a paid claim that nobody sent back within the days of its profile; False when it is too early."""
    file = await store.lock(uow, claim_id, None)
    version = await programmes.version(uow, _version(file))
    file = replace(file, claim=replace(file.claim, terms=read(version.ast).terms))
    return await _quietly(uow, file, Close(), "closed")


async def free_after_appeal(uow: UnitOfWork, claim_id: UUID) -> bool:
    """Give the locks of a rejected claim free once nobody can appeal any more."""
    file = await store.lock(uow, claim_id, None)
    if holds_locks(file.claim, uow.now):
        return False
    await store.free(uow, claim_id)
    await uow.audit("claim:free_locks", "claim", file.row, after={"state": file.row.state})
    return True


async def _quietly(uow: UnitOfWork, file: File, command: Command, outcome: str) -> bool:
    """Make a system move; a refusal means that there is nothing to do yet."""
    decision = decide(file.claim, command, by_rule(uow))
    if isinstance(decision, Refusal):
        if decision.kind == "role":
            raise Refused(decision)
        return False
    claim, event = decision
    await store.save(uow, file, claim)
    if event is not None:
        await uow.announce(file.row, event, told(file.row))
    await record(
        uow,
        about(file.row),
        type(command).__name__.lower(),
        outcome,
        grounds=Grounds(rule_version_id=file.row.rule_version_id),
        reasons=claim.reasons,
    )
    await uow.audit(
        f"claim:{outcome}",
        "claim",
        file.row,
        before={"state": file.claim.state.value},
        after={"state": claim.state.value},
        reasons=claim.reasons,
    )
    return True


async def _follow(
    uow: UnitOfWork, command: type[Settle | Reopen], ids: Sequence[UUID], event: str
) -> list[tuple[UUID, bool]]:
    if not ids:
        return []
    result = await uow.execute(store.FOLLOW, {**store.follow_params(command, ids), "now": uow.now})
    rows = sorted(result.mappings(), key=lambda row: row["id"])
    lines = [
        Line(
            row["id"],
            row["seq"],
            plain(
                ClaimTold(
                    claim_id=row["id"],
                    programme_id=row["programme_id"],
                    death_record_id=row["death_record_id"],
                    claimant_person_id=row["claimant_person_id"],
                    missing=[],
                    reasons=list(row["reasons"]),
                    late_upload=row["late_upload"],
                    region=kecamatan(row["region_code"]),
                    state=row["state"],
                    amount_idr=row["amount_idr"],
                )
            ),
        )
        for row in rows
    ]
    await uow.announce_many(event, lines)
    return [(row["id"], row["flagged"]) for row in rows]


def _version(file: File) -> UUID:
    if file.row.rule_version_id is None:
        raise ValueError("a paid claim has a rule version")
    return file.row.rule_version_id
