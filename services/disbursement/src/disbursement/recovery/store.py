"""Every SQL statement of recoveries, and what they need to know of the payment."""

from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text
from sqlmodel import col, select

from disbursement.recovery.domain import Recovery, State
from disbursement.recovery.tables import RecoveryRow

PAID_RIGHT = text(
    """
    SELECT id, programme_id, claim_id, payee_person_id, value_idr, region_code, budget_line_id, period_year, mode
    FROM entitlement WHERE id = :id AND state IN ('paid', 'collected') FOR UPDATE
    """
)
LINE_OF_RIGHT = text("SELECT budget_line_id, period_year FROM entitlement WHERE id = :id")
RIGHT_OF_CLAIM = text("SELECT id FROM entitlement WHERE claim_id = :id")
PAID_AFTER = text(
    """
    SELECT id FROM entitlement WHERE beneficiary_person_id = :person_id AND qualifying_on > :died_on
      AND state IN ('paid', 'collected') AND claim_id IS NULL ORDER BY id
    """
)


async def of_right(uow: UnitOfWork, entitlement_id: UUID, cause: str) -> RecoveryRow | None:
    """The recovery that was found for this right and cause."""
    statement = select(RecoveryRow).where(RecoveryRow.entitlement_id == entitlement_id, RecoveryRow.cause == cause)
    return (await uow.session.execute(statement)).scalar_one_or_none()


async def open_of_person(uow: UnitOfWork, person_id: UUID, cause: str) -> list[RecoveryRow]:
    """What is still asked of a person for one cause."""
    statement = (
        select(RecoveryRow)
        .where(
            RecoveryRow.subject_person_id == person_id,
            RecoveryRow.cause == cause,
            col(RecoveryRow.state).in_((State.FOUND.value, State.NOTIFIED.value)),
        )
        .order_by(col(RecoveryRow.id))
        .with_for_update()
    )
    return list((await uow.session.execute(statement)).scalars())


def seen(row: RecoveryRow) -> Recovery:
    """The row as the domain sees it."""
    return Recovery(State(row.state), row.amount_idr, row.found_by, row.objection_until)
