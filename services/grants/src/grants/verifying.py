"""What must always be true of files; `grants verify` asks it of the real rows."""

from collections.abc import Awaitable, Callable

from kit.db.uow import UnitOfWork
from sqlalchemy import text

FOLDED = text(
    "SELECT f.id, f.state, l.to_state FROM (SELECT id, state FROM registration UNION ALL SELECT id, state FROM accreditation)"
    " AS f JOIN LATERAL (SELECT to_state FROM step WHERE file_id = f.id ORDER BY no DESC LIMIT 1) AS l ON true"
    " WHERE l.to_state <> f.state LIMIT 20"
)
TWO_HOLD = text(
    "SELECT institution_id, count(*) AS n FROM accreditation WHERE state = 'accredited' GROUP BY institution_id"
    " HAVING count(*) > 1 LIMIT 20"
)
SAME_HANDS = text(
    "SELECT a.file_id FROM step a JOIN step b ON b.file_id = a.file_id AND ((a.duty = 'prepare' AND b.duty = 'certify')"
    " OR (a.duty = 'verify' AND b.duty = 'decide') OR (a.duty = 'enter' AND b.duty = 'decide'))"
    " AND (a.actor = b.actor OR a.person_id = b.person_id) WHERE b.no > a.no GROUP BY a.file_id LIMIT 20"
)


async def states_are_the_last_step(uow: UnitOfWork) -> list[str]:
    """A state is what the history says it is."""
    return [f"file {r.id}: state {r.state}, last step {r.to_state}" for r in await uow.execute(FOLDED)]


async def one_accreditation_holds(uow: UnitOfWork) -> list[str]:
    """An institution holds one accreditation."""
    return [f"institution {r.institution_id}: {r.n} accreditations hold" for r in await uow.execute(TWO_HOLD)]


async def duties_are_separate(uow: UnitOfWork) -> list[str]:
    """Nobody prepared and certified, verified and decided, or entered and confirmed the same file."""
    return [f"file {r.file_id}: one person did two duties" for r in await uow.execute(SAME_HANDS)]


INVARIANTS: dict[str, Callable[[UnitOfWork], Awaitable[list[str]]]] = {
    "states_are_the_last_step": states_are_the_last_step,
    "one_accreditation_holds": one_accreditation_holds,
    "duties_are_separate": duties_are_separate,
}
