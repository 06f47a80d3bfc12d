"""Routes of eligibility: ask for any day; ask and keep the answer."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads, Uow
from kit.http.models import Body, Out
from kit.http.problems import problems
from kit.ids import receipt

from grants.eligibility import commands, queries
from grants.eligibility.domain import Answer, Call
from grants.institutions import queries as institutions

router = Api(prefix="/v1/institutions", tags=["eligibility"])

PREFIX = "KL"
Reader = Annotated[Actor, requires("grants.lks:read", region=Region.OBJECT)]
Grade = Literal["a", "b", "c"]


class EvaluateBody(Body):
    """What the call asks, and the day; without a day: today."""

    minimum_grade: Grade | None = None
    needs_account: bool = True
    as_of: date | None = None


class EligibilityOut(Out):
    """The answer: empty `reasons` mean eligible as far as evaluated; `not_evaluated` names what nobody can know yet."""

    as_of: date
    eligible: bool
    reasons: list[dict[str, Any]]
    not_evaluated: list[str]
    id: UUID | None = None
    receipt: str | None = None


class StoredOut(Out):
    """An answer that was kept."""

    id: UUID
    as_of: date
    call: dict[str, Any]
    eligible: bool
    reasons: list[dict[str, Any]]
    not_evaluated: list[str]
    asked_by: str
    asked_at: datetime


def _shown(request: Request, answer: Answer, as_of: date, id: UUID | None = None) -> EligibilityOut:
    texts = request.app.state.texts
    return EligibilityOut(
        as_of=as_of, eligible=answer.eligible, reasons=[texts.reason(r.code, r.params) for r in answer.reasons],
        not_evaluated=list(answer.not_evaluated), id=id, receipt=receipt(PREFIX, id) if id else None,
    )  # fmt: skip


@router.get("/{institution_id}/eligibility", responses=problems(404))
async def get_eligibility(
    institution_id: UUID,
    request: Request,
    reads: Reads,
    _: Reader,
    as_of: Annotated[date | None, Query(description="The day; without it: today.")] = None,
    minimum_grade: Annotated[Grade | None, Query()] = None,
) -> EligibilityOut:
    """Judge an institution on a day, with words for every reason."""
    day = as_of or reads.today
    answer, _standing = await commands.evaluate(reads, institution_id, Call(minimum_grade), day)
    return _shown(request, answer, day)


@router.post("/{institution_id}:evaluate-eligibility", status_code=201, responses=problems(404))
async def keep_eligibility(
    institution_id: UUID,
    body: EvaluateBody,
    request: Request,
    uow: Uow,
    _: Annotated[Actor, requires("grants.lks:write", region=Region.OBJECT)],
) -> EligibilityOut:
    """Judge an institution and keep the answer with its inputs."""
    day = body.as_of or uow.today
    call = Call(body.minimum_grade, body.needs_account)
    id, answer = await commands.evaluate_and_keep(uow, institution_id, call, day)
    return _shown(request, answer, day, id)


@router.get("/{institution_id}/eligibility-answers", responses=problems(404))
async def list_eligibility_answers(institution_id: UUID, reads: Reads, _: Reader) -> list[StoredOut]:
    """Read the answers that were kept, newest first, at most 200."""
    await institutions.institution(reads, institution_id)
    return [StoredOut.model_validate(row) for row in await queries.answers(reads, institution_id)]
