"""Reads of registrations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.paging import Paging
from sqlmodel import col, select

from grants.registration.states import State
from grants.registration.tables import RegistrationRow
from grants.scope import IN_REGIONS, check, narrowing

Row = RegistrationRow
"""A row as other slices may read it; it never leaves the service as it is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files a list shows; None does not narrow."""

    institution_id: UUID | None = None
    state: State | None = None
    client_ref: str | None = None


async def registration(uow: UnitOfWork, id: UUID) -> RegistrationRow:
    """One file. Raises Missing or OutOfRegion (both 404)."""
    row = (await uow.session.execute(select(RegistrationRow).where(col(RegistrationRow.id) == id))).scalar_one_or_none()
    if row is None:
        raise Missing("registration")
    check(uow, row.region_code, row.institution_id)
    return row


async def registrations(uow: UnitOfWork, page: Paging, wanted: Wanted) -> Sequence[RegistrationRow]:
    """Files that the actor sees, oldest first."""
    query = select(RegistrationRow).where(IN_REGIONS, narrowing(uow.actor))
    query = query.order_by(col(RegistrationRow.id)).limit(page.take)
    if wanted.institution_id is not None:
        query = query.where(col(RegistrationRow.institution_id) == wanted.institution_id)
    if wanted.state is not None:
        query = query.where(col(RegistrationRow.state) == wanted.state.value)
    if wanted.client_ref is not None:
        query = query.where(
            col(RegistrationRow.client) == uow.actor.client, col(RegistrationRow.client_ref) == wanted.client_ref
        )
    if page.after is not None:
        query = query.where(col(RegistrationRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())


async def certificates(uow: UnitOfWork, institution_id: UUID) -> list[RegistrationRow]:
    """Every row of the institution that was ever a certificate."""
    query = select(RegistrationRow).where(
        col(RegistrationRow.institution_id) == institution_id, col(RegistrationRow.valid_from).is_not(None)
    )
    return list((await uow.session.execute(query.order_by(col(RegistrationRow.id)))).scalars())


async def any_registered(uow: UnitOfWork, institution_id: UUID) -> bool:
    """Whether a certificate of the institution stands."""
    query = select(RegistrationRow.id).where(
        col(RegistrationRow.institution_id) == institution_id, col(RegistrationRow.state) == State.REGISTERED.value
    )
    return (await uow.session.execute(query)).first() is not None
