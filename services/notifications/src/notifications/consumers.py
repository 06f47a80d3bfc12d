"""Incoming events become planned messages; programme events also teach what a programme is called."""

from collections.abc import Sequence

from kit.db.uow import UnitOfWork
from kit.events.consumer import Handlers, Together
from kit.events.envelope import Event

from notifications.events import ProgrammeSeen
from notifications.messages import planning, store
from notifications.rules.book import Book

_RULES = Book.load().by_type()
_PROGRAMMES = tuple(
    f"org.santun.disbursement.programme.{name}.v1"
    for name in ("drafted", "planned", "activated", "resumed", "closing_announced", "closing_revised")
)


async def plan(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Plan what the rules of these events want."""
    await planning.plan_for(uow, events, _RULES, uow.runtime.wiring)


async def learn_programme(uow: UnitOfWork, event: Event) -> None:
    """Remember the code of a programme for later texts."""
    seen = event.read(ProgrammeSeen)
    await store.keep_programme(uow, seen.programme_id, seen.code, event.sequence)


async def learn_and_plan(uow: UnitOfWork, event: Event) -> None:
    """Both, for a programme of which a rule speaks too."""
    await learn_programme(uow, event)
    await plan(uow, [event])


def _handlers() -> Handlers:
    """One planner for all types: what comes mixed in a chunk is planned together."""
    planner = Together(plan)
    learners = {wire_type: learn_and_plan if wire_type in _RULES else learn_programme for wire_type in _PROGRAMMES}
    return {**dict.fromkeys(_RULES, planner), **learners}


HANDLERS = _handlers()
