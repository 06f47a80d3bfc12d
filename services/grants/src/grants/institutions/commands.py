"""What is done with institutions: admit, hold for a step, record officers, declare the account."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Invalid, Refused
from kit.ids import new_id
from kit.machine import Reason, Refusal

from grants.institutions import names, store
from grants.institutions.tables import InstitutionRow, OfficerRow
from grants.scope import check

PROVERS = frozenset({"dinsos_operator", "verifikator"})
"""Who looks at an identity card and may say that it was proved."""
WRITERS = frozenset({"lks_pengurus", "lks_pimpinan", "dinsos_operator", "lkks_pendamping"})
CLERKS = WRITERS | PROVERS


@dataclass(frozen=True, slots=True)
class Profile:
    """An institution as it becomes known."""

    name: str
    kind: str
    legal_form: str
    region_code: str
    different_from: Sequence[UUID] = ()
    id: UUID | None = None
    client_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who runs the institution; `proved` says that their identity was seen."""

    position: str
    person_id: UUID
    proved: bool
    term_until: date | None


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account in the institution's own name."""

    bank: str
    number: str = field(repr=False)


async def twins_of(uow: UnitOfWork, profile: Profile) -> list[UUID]:
    """Institutions that might be this very one."""
    return await store.twins(uow, names.key(profile.name), profile.region_code, profile.different_from)


async def admit(uow: UnitOfWork, profile: Profile) -> InstitutionRow:
    """Write a new institution; the registration slice has settled whether it may be listed."""
    row = InstitutionRow(
        id=profile.id or new_id(), client_ref=profile.client_ref, name=profile.name, name_key=names.key(profile.name),
        kind=profile.kind, legal_form=profile.legal_form, region_code=profile.region_code,
    )  # fmt: skip
    await uow.save(row)
    await store.declare_different(uow, row.id, profile.different_from)
    return row


async def hold(uow: UnitOfWork, institution_id: UUID, expected: int | None = None) -> InstitutionRow:
    """Lock an institution before any of its files: the events of all of them count on its row.

    Raises Missing, Stale, OutOfRegion (also for institution users before another institution).
    """
    return await lock(
        uow, InstitutionRow, institution_id, expected, may=lambda row: check(uow, row.region_code, row.id)
    )


async def record_officer(uow: UnitOfWork, institution_id: UUID, officer: Officer, expected: int) -> InstitutionRow:
    """Record somebody who runs the institution, or renew what is known of them. Raises Refused for another role."""
    row = await hold(uow, institution_id, expected)
    _allowed(uow, PROVERS if officer.proved else CLERKS)
    known = {o.person_id: o for o in await store.officers(uow, row.id) if o.ended_on is None}
    record = known.get(officer.person_id)
    if record is None:
        record = OfficerRow(
            id=new_id(),
            institution_id=row.id,
            position=officer.position,
            person_id=officer.person_id,
            recorded_at=uow.now,
        )
        uow.session.add(record)
    record.position, record.term_until = officer.position, officer.term_until
    if officer.proved:
        record.proved_on, record.proved_by = uow.today, uow.actor.sub
    await uow.save(row)
    after = {"officer": record.id, "position": record.position, "proved": record.proved_on is not None}
    await uow.audit("record_officer", "institution", row, after=after)
    return row


async def declare_account(
    uow: UnitOfWork, institution_id: UUID, account: Account | None, expected: int
) -> InstitutionRow:
    """Declare the account in the institution's own name, or that there is none. The number is sealed at once.

    Raises Conflict when another institution has it, Invalid when it is no account number.
    """
    row = await hold(uow, institution_id, expected)
    _allowed(uow, WRITERS)
    if account is None:
        row.account_state, row.account_enc, row.account_index = "none", None, None
    else:
        number = account.number.replace(" ", "").replace("-", "")
        if not number.isdigit():
            raise Invalid.field("/account/number", "format_salah")
        index = uow.runtime.index.of("lks_account", f"{account.bank}:{number}")
        if await store.account_taken(uow, index, row.id):
            raise Conflict("rekening_milik_lks_lain")
        place = f"institution:account_enc:{row.id}"
        row.account_enc = uow.runtime.fields.seal(f"{account.bank}:{number}", at=place)
        row.account_state, row.account_index = "own", index
    await uow.save(row)
    await uow.audit("declare_account", "institution", row, after={"account": row.account_state})
    return row


def _allowed(uow: UnitOfWork, roles: frozenset[str]) -> None:
    if not uow.actor.roles & roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))


async def officer_life(uow: UnitOfWork, person_id: UUID, *, alive: bool) -> None:
    """Registry says whether an officer lives; eligibility looks at it."""
    await store.set_alive(uow, person_id, alive=alive)
