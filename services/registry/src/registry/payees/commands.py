"""Use cases of payee accounts. The person's row is locked first, always: its events count there."""

from dataclasses import dataclass
from uuid import UUID

from kit.db.types import Keyed
from kit.db.uow import UnitOfWork
from kit.errors import Invalid, Missing
from kit.ids import new_id

from registry import restricted
from registry.events import PayeeAccountChanged
from registry.facts import commands as facts
from registry.payees import accounts, store
from registry.payees.domain import (
    Account,
    Capture,
    Command,
    ConfirmReplacement,
    NameMatch,
    ProposeReplacement,
    RecordCheck,
    State,
    TakeOver,
    decide,
)
from registry.payees.tables import PayeeAccount
from registry.persons import commands as persons
from registry.persons import queries as people

REASONS = {
    State.REJECTED: "rekening_gagal",
    State.DORMANT: "rekening_diblokir",
    State.BLOCKED: "rekening_diblokir",
    State.CLOSED: "rekening_ditutup",
}
"""What is said of an account that cannot take money when the bank gives no reason of its own."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as it was shown: passbook, or cash at the post office (rail `pos`, no number)."""

    person_id: UUID
    rail: str
    holder_name: str
    bank_code: str | None = None
    account: str | None = None
    document_id: UUID | None = None
    id: UUID | None = None
    client_ref: str | None = None


async def capture(uow: UnitOfWork, new: NewAccount) -> PayeeAccount:
    """Write down an account; a person's first becomes the default. Raises Invalid for what is no account number."""
    person = await persons.hold(uow, new.person_id)
    number = None if new.account is None else accounts.normalise(new.account)
    if new.rail == "bank" and (number is None or not new.bank_code):
        raise Invalid.field("/account", "nomor_rekening_salah")
    digest = None
    if number is not None:
        digest = uow.runtime.index.of(restricted.ACCOUNT, accounts.index_text(new.rail, new.bank_code, number))
    first = await store.default_of(uow, new.person_id) is None
    known = await store.known(uow, new.person_id, new.rail, digest)
    decided, event = uow.settle(decide(None, Capture(has_default=not first, known=known), uow.context))
    id = new.id or new_id()
    row = PayeeAccount(
        id=id,
        client_ref=new.client_ref,
        person_id=new.person_id,
        rail=new.rail,
        bank_code=new.bank_code,
        account_enc=None
        if number is None
        else restricted.seal(uow.runtime.fields, restricted.ACCOUNT_NUMBER, id, number),
        account_bidx=digest,
        bidx_key_id=None if digest is None else uow.runtime.index.key_id,
        last4=None if number is None else number[-4:],
        holder_name=new.holder_name,
        name_match=await _match(uow, new),
        is_default=decided.is_default,
        state=decided.state.value,
        captured_by=decided.captured_by,
        document_id=new.document_id,
    )
    await uow.save(row)
    await uow.audit(
        "capture", "payee_account", row, after={"state": row.state, "rail": row.rail, "name_match": row.name_match}
    )
    await _tell(uow, person, row, event)
    return row


async def record_check(uow: UnitOfWork, id: UUID, check: RecordCheck, expected: int | None) -> PayeeAccount:
    """Take what the bank or Pos says of an account."""
    return await _move(uow, id, check, expected)


async def propose_replacement(
    uow: UnitOfWork, id: UUID, by: UUID, document_id: UUID | None, expected: int
) -> PayeeAccount:
    """Ask that account `by` of the same person takes the place of the default account `id`."""
    other = await _sibling(uow, id, by)
    row = await _move(uow, id, ProposeReplacement(by, State(other.state), document_id), expected)
    row.document_id = document_id
    await uow.session.flush()
    return row


async def confirm_replacement(uow: UnitOfWork, id: UUID, expected: int) -> PayeeAccount:
    """A second person agrees: the other account is the default from now on, and takes money after a day."""
    person = await persons.hold(uow, await store.person_of(uow, id))
    old = await store.lock(uow, id, expected)
    if old.replacement_id is None:
        uow.settle(decide(_account(old), ConfirmReplacement(State.CAPTURED), uow.context))
        raise Missing("payee_account")
    new = await store.lock(uow, old.replacement_id, None)
    decided, _ = uow.settle(decide(_account(old), ConfirmReplacement(State(new.state)), uow.context))
    await _save(uow, old, decided, "confirm_replacement")
    taken, event = uow.settle(decide(_account(new), TakeOver(), uow.context))
    await _save(uow, new, taken, "take_over")
    await _tell(uow, person, new, event)
    return new


async def failed(uow: UnitOfWork, person_id: UUID, outcome: State, reason: str) -> None:
    """Money came back for a reason that lies in the account: the default account says so (system only)."""
    await persons.hold(uow, person_id)
    row = await store.default_of(uow, person_id)
    if row is not None and row.state != outcome.value:
        await _move(uow, row.id, RecordCheck(outcome, NameMatch(row.name_match), reason), None)


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the accounts of a person whose data are erased; how many."""
    return await store.forget(uow, person_id)


async def _move(uow: UnitOfWork, id: UUID, command: Command, expected: int | None) -> PayeeAccount:
    person = await persons.hold(uow, await store.person_of(uow, id))
    row = await store.lock(uow, id, expected)
    decided, event = uow.settle(decide(_account(row), command, uow.context))
    if isinstance(command, RecordCheck):
        row.checked_at = uow.now
    await _save(uow, row, decided, type(command).__name__)
    if event is not None:
        await _tell(uow, person, row, event)
    return row


async def _save(uow: UnitOfWork, row: PayeeAccount, decided: Account, command: str) -> None:
    before = row.state
    row.state, row.name_match, row.is_default = decided.state.value, decided.name_match.value, decided.is_default
    row.reason = decided.reason or REASONS.get(decided.state)
    row.usable_from = decided.usable_from
    row.replacement_id, row.replacement_by = decided.replacement_id, decided.replacement_by
    await uow.save(row)
    await uow.audit(
        command, "payee_account", row, before={"state": before}, after={"state": row.state, "default": row.is_default}
    )


async def _tell(uow: UnitOfWork, person: Keyed, row: PayeeAccount, event: str | None) -> None:
    assert event is not None  # noqa: S101 - every move that comes here names one
    changes = await facts.refresh(uow, [row.person_id], told=[row.person_id])
    version = await facts.version_of(uow, row.person_id, changes)
    payload = PayeeAccountChanged(
        person_id=row.person_id,
        facts_version=version,
        account_id=row.id,
        rail=row.rail,
        reason=row.reason,
        state=row.state,
    )
    await uow.announce(person, event, payload)


async def _match(uow: UnitOfWork, new: NewAccount) -> str:
    """How the holder's name fits the person's, before any bank has looked."""
    name = (await people.names(uow, [new.person_id])).get(new.person_id)
    return "unknown" if name is None else accounts.compare_names(name, new.holder_name)


async def _sibling(uow: UnitOfWork, id: UUID, other: UUID) -> PayeeAccount:
    """The other account, when it is the same person's."""
    if other == id or await store.person_of(uow, other) != await store.person_of(uow, id):
        raise Invalid.field("/replacement_id", "rekening_orang_lain")
    found = await uow.session.get(PayeeAccount, other)
    if found is None:
        raise Missing("payee_account")
    return found


def _account(row: PayeeAccount) -> Account:
    return Account(
        State(row.state), row.captured_by, row.is_default, NameMatch(row.name_match), row.reason, row.usable_from,
        row.replacement_id, row.replacement_by,
    )  # fmt: skip
