"""Every statement of the payees slice."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from kit.errors import Missing
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import select

from registry.payees.tables import PayeeAccount

PERSON_OF = text("SELECT person_id FROM payee_account WHERE id = :id")
KNOWN = text("""
    SELECT count(*) FROM payee_account
    WHERE person_id = :person_id AND rail = :rail AND state <> 'superseded'
        AND account_bidx IS NOT DISTINCT FROM CAST(:digest AS bytea)
""")
DEFAULTS = text("""
    SELECT id, person_id, rail, bank_code, account_enc, account_bidx, holder_name, name_match, state, usable_from
    FROM payee_account WHERE person_id = ANY(:ids) AND is_default AND state <> 'superseded'
""").bindparams(bindparam("ids", type_=ARRAY(PG_UUID)))
FORGET = text("""
    DELETE FROM payee_account WHERE person_id = :id RETURNING id
""")


async def person_of(uow: UnitOfWork, id: UUID) -> UUID:
    """Whose account this is; read before the person's row is locked, which comes first."""
    found = (await uow.execute(PERSON_OF, {"id": id})).scalar_one_or_none()
    if found is None:
        raise Missing("payee_account")
    return UUID(str(found))


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> PayeeAccount:
    """The account's row, held."""
    return await lock_row(uow, PayeeAccount, id, expected)


async def default_of(uow: UnitOfWork, person_id: UUID) -> PayeeAccount | None:
    """The account that the person's money goes to now."""
    statement = select(PayeeAccount).where(
        PayeeAccount.person_id == person_id, PayeeAccount.is_default, PayeeAccount.state != "superseded"
    )
    account: PayeeAccount | None = (await uow.session.execute(statement)).scalar_one_or_none()
    return account


async def of_person(uow: UnitOfWork, person_id: UUID) -> Sequence[PayeeAccount]:
    """All accounts of a person, newest first."""
    statement = select(PayeeAccount).where(PayeeAccount.person_id == person_id).order_by(PayeeAccount.id.desc())  # type: ignore[attr-defined]
    return list((await uow.session.execute(statement)).scalars())


async def known(uow: UnitOfWork, person_id: UUID, rail: str, digest: bytes | None) -> bool:
    """Whether the person has this very account already."""
    given = {"person_id": person_id, "rail": rail, "digest": digest}
    return bool((await uow.execute(KNOWN, given)).scalar_one())


async def defaults(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Any]:
    """The default accounts of these persons, sealed."""
    return list(await uow.execute(DEFAULTS, {"ids": list(ids)}))


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the accounts of a person; how many."""
    return len((await uow.execute(FORGET, {"id": person_id})).all())
