"""Every SQL statement of claims: the file with its steps and papers, and the locks that make it the only one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from kit.db import uow as unit
from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import Text

from disbursement.citizens import only_own
from disbursement.claims import domain
from disbursement.claims.claim import Claim, Did, Reopen, Settle, State, Step, Terms
from disbursement.claims.tables import ClaimRow
from disbursement.programmes.domain import Wait
from disbursement.rules.papers import Paper

IDS = bindparam("ids", type_=ARRAY(PG_UUID))

STEPS = text("SELECT did, actor, person_id FROM claim_step WHERE claim_id = :id ORDER BY no")
ADD_STEP = text(
    "INSERT INTO claim_step (claim_id, no, did, actor, person_id, at) VALUES (:id, :no, :did, :actor, :person, :at)"
)
PAPERS = text(
    "SELECT kind, sha256, issued_on, valid_until, signer_person_id FROM claim_document WHERE claim_id = :id ORDER BY id"
)
ADD_PAPER = text(
    """
    INSERT INTO claim_document (claim_id, kind, document_id, sha256, number, issued_on, valid_until, signer_person_id,
        recorded_at)
    VALUES (:claim_id, :kind, :document_id, :sha256, :number, :issued_on, :valid_until, :signer_person_id, :now)
    ON CONFLICT DO NOTHING
    """
)
# Sorted keys: two files for one deceased wait for each other in the same order, and the second finds the first.
TAKE_DECEASED = text(
    """
    INSERT INTO death_lock (key, claim_id) SELECT key, :id FROM unnest(CAST(:keys AS text[])) AS k(key) ORDER BY key
    ON CONFLICT DO NOTHING
    """
)
OTHERS = text(
    """
    SELECT c.state FROM death_lock l JOIN claim c ON c.id = l.claim_id
    WHERE l.key = ANY(:keys) AND l.claim_id <> :id
    """
).bindparams(bindparam("keys", type_=ARRAY(Text)))
HOLDERS = text("SELECT count(*) FROM death_lock WHERE key = ANY(:keys) AND claim_id <> :id").bindparams(
    bindparam("keys", type_=ARRAY(Text))
)
TAKE_PAPERS = text(
    """
    INSERT INTO doc_use (sha256, purpose, claim_id)
    SELECT sha, 'claim', :id FROM unnest(CAST(:shas AS text[])) AS s(sha) ORDER BY sha
    ON CONFLICT DO NOTHING
    """
)
PAPERS_TAKEN = text(
    "SELECT count(*) FROM doc_use WHERE purpose = 'claim' AND sha256 = ANY(:shas) AND claim_id <> :id"
).bindparams(bindparam("shas", type_=ARRAY(Text)))
FREE_DECEASED = text("DELETE FROM death_lock WHERE claim_id = :id")
FREE_PAPERS = text("DELETE FROM doc_use WHERE claim_id = :id")

FOLLOW = text(
    """
    WITH mine AS (SELECT id FROM claim WHERE id = ANY(:ids) AND state = ANY(:sources) ORDER BY id FOR UPDATE)
    UPDATE claim c SET state = :target, paid_at = CASE WHEN :target = 'paid' THEN CAST(:now AS timestamptz) END,
        version = c.version + 1, seq = c.seq + 1, updated_at = :now
    FROM mine WHERE c.id = mine.id
    RETURNING c.id, c.seq, c.programme_id, c.death_record_id, c.claimant_person_id, c.amount_idr, c.region_code,
        c.reasons, c.late_upload, c.flagged, c.state
    """
).bindparams(IDS, bindparam("sources", type_=ARRAY(Text)), bindparam("target", type_=Text))

CURE_DUE = text("SELECT id FROM claim WHERE state = 'incomplete' AND cure_due <= :now ORDER BY cure_due, id LIMIT 500")
TO_ENTITLE = text("SELECT id FROM claim WHERE state = 'approved' AND NOT flagged ORDER BY id LIMIT 500")
TO_CLOSE = text(
    """
    SELECT c.id FROM claim c JOIN rule_version v ON v.id = c.rule_version_id
    WHERE c.state = 'paid'
      AND c.paid_at + make_interval(days => coalesce((v.ast #>> '{claim,close_days}')::int, 90)) <= :now
    ORDER BY c.id LIMIT 500
    """
)
TO_FREE = text(
    """
    SELECT c.id FROM claim c WHERE c.state = 'rejected' AND (c.appeals > 0 OR c.appeal_until <= :now)
      AND EXISTS (SELECT FROM death_lock l WHERE l.claim_id = c.id) ORDER BY c.id LIMIT 500
    """
)
OF_DEATH = text("SELECT id FROM claim WHERE death_record_id = :id ORDER BY id")
# Who is no heir and files more than one claim in a month stands out (S18).
REPEATED = text(
    """
    SELECT count(*) FROM claim WHERE claimant_person_id = :person AND id <> :id AND relationship = :relationship
      AND filed_at > CAST(:at AS timestamptz) - interval '1 month' AND state <> 'draft'
    """
)


@dataclass(frozen=True, slots=True)
class File:
    """A claim file under its lock: the row, what the domain sees of it, and its papers."""

    row: ClaimRow
    claim: Claim
    papers: tuple[Paper, ...]


async def lock(uow: UnitOfWork, claim_id: UUID, expected: int | None, terms: Terms | None = None) -> File:
    """Load a file and hold it; a citizen only their own. Raises Missing, OutOfRegion or Stale."""
    row = await unit.lock(
        uow, ClaimRow, claim_id, expected, may=lambda row: only_own(uow.actor, row.claimant_person_id)
    )
    steps = tuple(Step(Did(s.did), s.actor, s.person_id) for s in await uow.execute(STEPS, {"id": claim_id}))
    return File(row, seen(row, steps, terms or Terms()), await papers(uow, claim_id))


async def papers(uow: UnitOfWork, claim_id: UUID) -> tuple[Paper, ...]:
    """The papers of a file in the order of their arrival."""
    return tuple(Paper(**p) for p in (await uow.execute(PAPERS, {"id": claim_id})).mappings())


def seen(row: ClaimRow, steps: tuple[Step, ...], terms: Terms) -> Claim:
    """The row as the domain sees it."""
    return Claim(
        state=State(row.state),
        claimant=row.claimant_person_id,
        terms=terms,
        steps=steps,
        waits=tuple(Wait(w["doc"], datetime.fromisoformat(w["until"]), w["by_grace"]) for w in row.waits),
        filed_at=row.filed_at,
        appeal_until=row.appeal_until,
        appeals=row.appeals,
        paid_at=row.paid_at,
        flagged=row.flagged,
        amount_idr=row.amount_idr,
        reasons=tuple(row.reasons),
    )


async def save(uow: UnitOfWork, file: File, claim: Claim) -> None:
    """Write what the domain changed, and the new steps."""
    row = file.row
    row.state = claim.state.value
    row.waits = [
        {"doc": w.doc, "until": w.until.astimezone(UTC).isoformat(), "by_grace": w.by_grace} for w in claim.waits
    ]
    row.cure_due = None if claim.cure_due is None else claim.cure_due.astimezone(UTC)
    row.filed_at = claim.filed_at
    row.appeal_until, row.appeals = claim.appeal_until, claim.appeals
    row.paid_at, row.flagged = claim.paid_at, claim.flagged
    row.amount_idr, row.reasons = claim.amount_idr, list(claim.reasons)
    await uow.save(row)
    for no in range(len(file.claim.steps), len(claim.steps)):
        step = claim.steps[no]
        await uow.execute(
            ADD_STEP,
            {
                "id": row.id,
                "no": no + 1,
                "did": step.did.value,
                "actor": step.actor,
                "person": step.person_id,
                "at": uow.now,
            },
        )


async def take(
    uow: UnitOfWork, claim_id: UUID, keys: Sequence[str]
) -> Literal["klaim_ganda", "santunan_sudah_dibayar"] | None:
    """Take the deceased for this claim; the reason code when another claim has them. Waits for a filing in flight."""
    await uow.execute(TAKE_DECEASED, {"id": claim_id, "keys": sorted(keys)})
    params = {"id": claim_id, "keys": list(keys)}
    if not (await uow.execute(HOLDERS, params)).scalar_one():
        return None
    # The other file may lie in a region that this officer does not see: then only that it exists is told.
    states = set((await uow.execute(OTHERS, params)).scalars())
    return "santunan_sudah_dibayar" if states & {"payable", "paid", "closed"} else "klaim_ganda"


async def take_papers(uow: UnitOfWork, claim_id: UUID, papers: Iterable[Paper]) -> bool:
    """Take the papers that serve once; True when one of them has served another claim."""
    shas = sorted({p.sha256 for p in papers})
    if not shas:
        return False
    await uow.execute(TAKE_PAPERS, {"id": claim_id, "shas": shas})
    return bool((await uow.execute(PAPERS_TAKEN, {"id": claim_id, "shas": shas})).scalar_one())


async def free(uow: UnitOfWork, claim_id: UUID) -> None:
    """Give the deceased and the papers free: the claim ended unpaid."""
    await uow.execute(FREE_DECEASED, {"id": claim_id})
    await uow.execute(FREE_PAPERS, {"id": claim_id})


def follow_params(command: type[Settle | Reopen], ids: Sequence[UUID]) -> dict[str, object]:
    """Source and target states of a set-based move of claims, from the table of moves."""
    (move,) = [m for m in domain.MOVES if m.command is command]
    source = "" if move.source is None else move.source.value
    return {"ids": sorted(set(ids)), "sources": [source], "target": move.target.value}
