"""What must always be true of messages; `notifications verify` asks it of the real rows."""

from collections.abc import Awaitable, Callable

from kit.db.uow import UnitOfWork
from sqlalchemy import text

TWICE = text(
    "SELECT m.id, count(*) AS n FROM message m JOIN attempt a ON a.message_id = m.id"
    " WHERE m.channel <> 'email' AND a.outcome = 'accepted'"
    " GROUP BY m.id HAVING count(*) > 1 + max(m.resends_unknown)"
    " + (SELECT count(*) FROM provider_report r WHERE r.message_id = m.id AND r.state = 'applied'"
    " AND r.status = 'refused_for_now')"
    " + (SELECT count(*) FROM decision d WHERE d.message_id = m.id AND d.step = 'redrive') LIMIT 20"
)
UNTOLD = text(
    "SELECT id FROM message m WHERE attempts <> (SELECT count(*) FROM attempt a WHERE a.message_id = m.id) LIMIT 20"
)
STUCK = text(
    "SELECT id, state FROM message WHERE state IN ('sending', 'unknown', 'retry_wait', 'deferred', 'accepted')"
    " AND next_at IS NULL LIMIT 20"
)


async def nobody_is_told_twice(uow: UnitOfWork) -> list[str]:
    """At most one accepted SMS or WhatsApp call per message, unless class, provider or officer allowed another."""
    return [f"message {r.id}: {r.n} accepted calls" for r in await uow.execute(TWICE)]


async def every_attempt_is_counted(uow: UnitOfWork) -> list[str]:
    """A message knows how many calls were made for it."""
    return [f"message {r.id}: attempts and its counter differ" for r in await uow.execute(UNTOLD)]


async def nothing_waits_without_a_moment(uow: UnitOfWork) -> list[str]:
    """Whatever the clock must move has a moment at which it does."""
    return [f"message {r.id}: {r.state} without a next moment" for r in await uow.execute(STUCK)]


INVARIANTS: dict[str, Callable[[UnitOfWork], Awaitable[list[str]]]] = {
    "nobody_is_told_twice": nobody_is_told_twice,
    "every_attempt_is_counted": every_attempt_is_counted,
    "nothing_waits_without_a_moment": nothing_waits_without_a_moment,
}
