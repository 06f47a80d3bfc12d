"""Events of other services become commands of this one. Called by the kit's consumer, in its transaction.

Money that comes back tells the registry something about people: an account is closed, or its owner has died.
"""

from datetime import date

from kit.db.uow import UnitOfWork
from kit.errors import Conflict, Missing, Refused
from kit.events.consumer import Handler
from kit.events.envelope import Event

from registry.deaths import commands as deaths
from registry.deaths.record import Source
from registry.events import PaymentFailed
from registry.payees import commands as payees
from registry.payees.domain import State
from registry.persons import queries as people


class Collided(Exception):
    """Somebody else wrote about the same person at the same moment: the kit tries the event again."""


DIED = "wafat_dilaporkan"
"""The reason code in which disbursement speaks of MD07, customer deceased."""
ACCOUNT_REASONS = {
    "rekening_ditutup": State.CLOSED,
    "nomor_rekening_salah": State.REJECTED,
    "nama_tidak_cocok": State.REJECTED,
    "rekening_diblokir": State.BLOCKED,
}
"""What a reason of the bank says of the account (ISO AC04, AC01, BE01, AC06)."""


async def on_payment_failed(uow: UnitOfWork, event: Event) -> None:
    """A payment was rejected or returned: a death is reported, or the payee's account is marked."""
    failed = event.read(PaymentFailed)
    if failed.payee_kind != "person" or failed.person_id is None:
        return
    if failed.reason == DIED:
        await _report(uow, failed, event)
    elif failed.reason in ACCOUNT_REASONS and failed.rail == "bank":
        await _mark(uow, failed)


async def _report(uow: UnitOfWork, failed: PaymentFailed, event: Event) -> None:
    """The bank says that the account's owner has died (MD07). A person who has a record, or is not here, is left alone."""
    assert failed.person_id is not None  # noqa: S101 - asked above
    try:
        person = await people.brief(uow, failed.person_id)
        died_on: date = failed.value_date or event.time.date()
        await deaths.report(
            uow,
            deaths.Reported(
                source=Source.BANK, died_on=min(died_on, uow.today), captured_at=min(event.time, uow.now),
                region_code=person.region_code, person_id=person.id,
            ),
        )  # fmt: skip
    except Conflict as race:
        raise Collided from race
    except (Missing, Refused):
        return


async def _mark(uow: UnitOfWork, failed: PaymentFailed) -> None:
    assert failed.person_id is not None  # noqa: S101 - asked above
    try:
        await payees.failed(uow, failed.person_id, ACCOUNT_REASONS[failed.reason], failed.reason)
    except (Missing, Refused):
        return


HANDLERS: dict[str, Handler] = {
    "org.santun.disbursement.payment.returned.v1": on_payment_failed,
    "org.santun.disbursement.payment.rejected.v1": on_payment_failed,
}
