"""Incoming events become planned messages; programme events also teach what a programme is called."""

from collections.abc import Mapping, Sequence

from kit.db.uow import UnitOfWork
from kit.events.consumer import Handler
from kit.events.envelope import Event

from notifications.events import ProgrammeSeen
from notifications.messages import planning, store
from notifications.rules.book import Book, Rule

_PROGRAMMES = tuple(
    f"org.santun.disbursement.programme.{name}.v1"
    for name in ("drafted", "planned", "activated", "resumed", "closing_announced", "closing_revised")
)


def _planner(rules: Sequence[Rule]) -> Handler:
    async def plan(uow: UnitOfWork, event: Event) -> None:
        """Plan what the rules of this event want."""
        await planning.plan_for(uow, event, rules, uow.runtime.wiring)

    return plan


async def learn_programme(uow: UnitOfWork, event: Event) -> None:
    """Remember the code of a programme for later texts."""
    seen = event.read(ProgrammeSeen)
    await store.keep_programme(uow, seen.programme_id, seen.code, event.sequence)


def _both(first: Handler, second: Handler) -> Handler:
    async def handle(uow: UnitOfWork, event: Event) -> None:
        await first(uow, event)
        await second(uow, event)

    return handle


def _handlers() -> Mapping[str, Handler]:
    found: dict[str, Handler] = {wire_type: _planner(rules) for wire_type, rules in Book.load().by_type().items()}
    for wire_type in _PROGRAMMES:
        found[wire_type] = _both(learn_programme, found[wire_type]) if wire_type in found else learn_programme
    return found


HANDLERS = _handlers()
