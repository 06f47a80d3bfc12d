"""Asking the registry before a command of a batch: a route dependency that stands before the writing transaction.

Read what to ask about in a transaction of its own, close it, ask, hand the answers to the endpoint. A silent registry
is Unavailable (503) and nothing has happened.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from kit.auth.actor import Actor
from kit.auth.scopes import authenticated

from disbursement.batches import gates, queries
from disbursement.batches.gates import Asked
from disbursement.payments.domain import State as LineState


async def ask(
    request: Request, actor: Actor, batch_id: UUID, state: LineState, *, only: frozenset[UUID] | None = None
) -> Asked:
    """The registry's answers about the lines of a batch in this state."""
    runtime = request.app.state.runtime
    async with runtime.begin(actor, origin="api") as uow:
        lines, officers = await queries.to_ask(uow, batch_id, state, only)
        now = uow.now
    in_clear = state is not LineState.FROZEN
    return await gates.ask(runtime.wiring.desk, batch_id, lines, officers, accounts=in_clear, now=now)


async def _gate_f(request: Request, batch_id: UUID, actor: Annotated[Actor, Depends(authenticated)]) -> Asked:
    return await ask(request, actor, batch_id, LineState.FROZEN)


async def _gate_p(request: Request, batch_id: UUID, actor: Annotated[Actor, Depends(authenticated)]) -> Asked:
    return await ask(request, actor, batch_id, LineState.READY)


GateF = Annotated[Asked, Depends(_gate_f)]
GateP = Annotated[Asked, Depends(_gate_p)]
