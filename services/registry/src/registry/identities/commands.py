"""Use cases of identity claims. The person's row is locked first, always: its events count there."""

from dataclasses import dataclass, replace
from uuid import UUID

from kit.db.types import Keyed
from kit.db.uow import UnitOfWork
from kit.errors import Conflict, Invalid
from kit.ids import new_id
from kit.machine import SYSTEM
from sqlalchemy.exc import IntegrityError

from registry import restricted
from registry.events import IdentityChanged
from registry.facts import commands as facts
from registry.identities import nik, store
from registry.identities.domain import (
    Answer,
    Capture,
    CheckStructure,
    Claim,
    Command,
    Confirm,
    Contest,
    Propose,
    Record,
    Replace,
    State,
    WithdrawMatch,
    decide,
)
from registry.identities.tables import IdentityClaim
from registry.persons import commands as persons
from registry.persons import queries as people

SHOWN = 4


@dataclass(frozen=True, slots=True)
class Number:
    """A number as somebody wrote it, and where it was read (card, list, mouth)."""

    scheme: str
    value: str
    source: str = "manual"


async def capture(uow: UnitOfWork, person_id: UUID, number: Number, *, tell: bool = True) -> IdentityClaim | None:
    """Write down a number and check its structure at once.

    None for a placeholder (blank, zeros, one digit repeated): no claim is written and the person stays provisional.
    `tell` False leaves facts and events to a caller that registers the person in the same transaction.
    """
    person = await persons.hold(uow, person_id)
    value = nik.normalise(number.value)
    if value is None:
        return None
    live = await store.live(uow, person_id, number.scheme)
    claim, _ = uow.settle(decide(None, Capture(person_id, live is not None), uow.context))
    checked = await _check(uow, number.scheme, value, person_id)
    system = replace(uow.context, roles=frozenset({SYSTEM}))
    claim, event = uow.settle(decide(claim, CheckStructure(checked), system))
    row = _row(uow, person_id, number, value, checked)
    row.state = claim.state.value
    await uow.save(row)
    await uow.audit("capture", "identity_claim", row, after={"state": row.state, "structure": row.structure})
    if claim.state is State.WELL_FORMED:
        await persons.identified(uow, person)
    if tell:
        await _tell(uow, person, row, event)
    return row


async def propose(uow: UnitOfWork, claim_id: UUID, answer: Answer, authority_ref: str, expected: int) -> IdentityClaim:
    """Type in what Dukcapil answered; another person confirms it."""
    return await _move(uow, claim_id, Propose(answer), expected, authority_ref)


async def confirm(uow: UnitOfWork, claim_id: UUID, expected: int) -> IdentityClaim:
    """Confirm a typed answer. A number that another person here has matched puts both claims in conflict."""
    holder = await _holder(uow, claim_id)
    return await _move(uow, claim_id, Confirm(holder), expected)


async def record(uow: UnitOfWork, claim_id: UUID, answer: Answer, authority_ref: str) -> IdentityClaim:
    """Take the answer of the authority itself (system only)."""
    holder = await _holder(uow, claim_id)
    return await _move(uow, claim_id, Record(answer, holder), None, authority_ref)


async def withdraw_match(uow: UnitOfWork, claim_id: UUID) -> IdentityClaim:
    """The authority takes its match back (system only)."""
    return await _move(uow, claim_id, WithdrawMatch(), None)


async def replace_claim(uow: UnitOfWork, claim_id: UUID, value: str, reason: str, expected: int) -> IdentityClaim:
    """Set a claim aside and capture the right number. Raises Invalid for a placeholder."""
    old = await _move(uow, claim_id, Replace(reason), expected)
    new = await capture(uow, old.person_id, Number(old.scheme, value, old.source))
    if new is None:
        raise Invalid.field("/value", "nik_kosong")
    return new


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the numbers of a person whose data are erased; how many."""
    return await store.forget(uow, person_id)


async def _move(
    uow: UnitOfWork, claim_id: UUID, command: Command, expected: int | None, authority_ref: str | None = None
) -> IdentityClaim:
    person_id = await store.person_of(uow, claim_id)
    others = [command.holder] if isinstance(command, Record | Confirm) and command.holder else []
    held = {id: await persons.hold(uow, id) for id in sorted({person_id, *others})}
    row = await store.lock(uow, claim_id, expected)
    before = row.state
    claim, event = uow.settle(decide(_claim(row), command, uow.context))
    row.state, row.proposed_answer, row.proposed_by = claim.state.value, claim.proposed_answer, claim.proposed_by
    row.authority_ref = authority_ref or row.authority_ref
    row.checked_at = uow.now
    try:
        await uow.save(row)
    except IntegrityError as taken:  # held by a person of another region, whom this actor does not see
        raise Conflict("nik_dipegang_orang_lain") from taken
    await uow.audit(
        type(command).__name__.lower(), "identity_claim", row, before={"state": before}, after={"state": row.state}
    )
    if claim.state is State.CONFLICT and others and others[0] is not None:
        await _contest(uow, held[others[0]], row)
    await _tell(uow, held[person_id], row, event)
    return row


async def _contest(uow: UnitOfWork, other: Keyed, row: IdentityClaim) -> None:
    """The other holder's claim goes into conflict as well."""
    found = await store.holder(uow, row.scheme, [row.value_bidx], row.person_id)
    if found is None:
        return
    claim = await store.lock(uow, found[0], None)
    system = replace(uow.context, roles=frozenset({SYSTEM}))
    decided, event = uow.settle(decide(_claim(claim), Contest(), system))
    claim.state = decided.state.value
    await uow.save(claim)
    await uow.audit("contest", "identity_claim", claim, after={"state": claim.state})
    await _tell(uow, other, claim, event)


async def _tell(uow: UnitOfWork, person: Keyed, row: IdentityClaim, event: str | None) -> None:
    """Rebuild the facts; announce the claim's own event, or that facts changed where it has none."""
    changes = await facts.refresh(uow, [row.person_id], told=[row.person_id])
    if event is None:
        await facts.tell(uow, person, changes)
        return
    version = await facts.version_of(uow, row.person_id, changes)
    payload = IdentityChanged(
        person_id=row.person_id, facts_version=version, claim_id=row.id, scheme=row.scheme, state=row.state
    )
    await uow.announce(person, event, payload)


async def _check(uow: UnitOfWork, scheme: str, value: str, person_id: UUID) -> nik.Checked:
    """NIK are judged by their structure; other numbers have no structure that we know."""
    if scheme != "nik":
        return nik.Checked(nik.Structure.OK)
    known = await people.brief(uow, person_id)
    districts = await uow.runtime.wiring.districts(uow)
    return nik.check_nik(value, nik.Known(known.birth_date, known.sex, districts))


async def _holder(uow: UnitOfWork, claim_id: UUID) -> UUID | None:
    person_id = await store.person_of(uow, claim_id)
    scheme, digest = await store.number_of(uow, claim_id)
    found = await store.holder(uow, scheme, [digest], person_id)
    return None if found is None else found[1]


def _row(uow: UnitOfWork, person_id: UUID, number: Number, value: str, checked: nik.Checked) -> IdentityClaim:
    id = new_id()
    return IdentityClaim(
        id=id,
        person_id=person_id,
        scheme=number.scheme,
        value_enc=restricted.seal(uow.runtime.fields, restricted.CLAIM_VALUE, id, value),
        value_bidx=uow.runtime.index.of(number.scheme, value),
        bidx_key_id=uow.runtime.index.key_id,
        last4=value[-SHOWN:],
        structure=checked.structure.value,
        warnings=list(checked.warnings),
        state=State.CAPTURED.value,
        source=number.source,
        captured_by=uow.actor.sub,
    )


def _claim(row: IdentityClaim) -> Claim:
    return Claim(
        State(row.state),
        row.person_id,
        row.captured_by,
        nik.Structure(row.structure),
        row.proposed_answer,
        row.proposed_by,
    )
