"""Evaluate eligibility and keep the answer with everything it was judged on."""

from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.ids import new_id
from pydantic import TypeAdapter
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from grants.eligibility import queries
from grants.eligibility.domain import Answer, Call, Standing, eligibility
from grants.institutions import queries as institutions

KEEP = text(
    "INSERT INTO eligibility_answer (id, institution_id, as_of, call, eligible, reasons, not_evaluated, inputs, asked_by,"
    " asked_at) VALUES (:id, :institution, :as_of, :call, :eligible, :reasons, :not_evaluated, :inputs, :by, :at)"
).bindparams(
    bindparam("call", type_=JSONB),
    bindparam("reasons", type_=JSONB),
    bindparam("inputs", type_=JSONB),
    bindparam("not_evaluated", type_=ARRAY(Text)),
)
_STANDING = TypeAdapter(Standing)


async def evaluate(uow: UnitOfWork, institution_id: UUID, call: Call, as_of: date) -> tuple[Answer, Standing]:
    """Judge an institution on a day; nothing is stored. Raises Missing."""
    institution = await institutions.institution(uow, institution_id)
    standing = await queries.standing(uow, institution, as_of)
    return eligibility(standing, call, as_of), standing


async def evaluate_and_keep(uow: UnitOfWork, institution_id: UUID, call: Call, as_of: date) -> tuple[UUID, Answer]:
    """Judge, and keep the answer with its inputs: what was known when it was asked stays provable."""
    answer, standing = await evaluate(uow, institution_id, call, as_of)
    id = new_id()
    reasons: list[dict[str, Any]] = [{"code": r.code, "params": dict(r.params)} for r in answer.reasons]
    await uow.execute(
        KEEP,
        {
            "id": id, "institution": institution_id, "as_of": as_of, "call": asdict(call), "eligible": answer.eligible,
            "reasons": reasons, "not_evaluated": list(answer.not_evaluated),
            "inputs": _STANDING.dump_python(standing, mode="json"), "by": uow.actor.sub, "at": uow.now,
        },
    )  # fmt: skip
    codes = [reason.code for reason in answer.reasons]
    await uow.append_audit("evaluate", "eligibility", id, 1, after={"eligible": answer.eligible}, reasons=codes)
    return id, answer
