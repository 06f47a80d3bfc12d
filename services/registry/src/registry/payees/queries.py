"""Reads of payee accounts: opened only for the writing of a payment file; a fingerprint for everybody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing

from registry import restricted
from registry.payees import store
from registry.payees.tables import PayeeAccount

Row: TypeAlias = PayeeAccount
"""What these reads answer; routes turn it into an answer and never let it out."""


@dataclass(frozen=True, slots=True)
class Payee:
    """An account in clear: memory only, within one export run."""

    person_id: UUID
    account_id: UUID
    rail: str
    bank_code: str | None
    account: str | None
    holder_name: str
    state: str
    token: bytes | None
    usable_from: datetime | None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What may be stored elsewhere: the state and a token that changes when the account does."""

    person_id: UUID
    rail: str
    bank_code: str | None
    state: str
    name_match: str
    token: bytes | None
    usable_from: datetime | None


async def open_defaults(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Payee]:
    """The default accounts of these persons in clear; the caller logs the read."""
    return [
        Payee(
            row.person_id, row.id, row.rail, row.bank_code, _opened(uow, row), row.holder_name, row.state, row.account_bidx,
            row.usable_from,
        )
        for row in await store.defaults(uow, ids)
    ]  # fmt: skip


async def fingerprints(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Fingerprint]:
    """States and tokens of the default accounts of these persons."""
    return [
        Fingerprint(
            row.person_id, row.rail, row.bank_code, row.state, row.name_match, row.account_bidx, row.usable_from
        )
        for row in await store.defaults(uow, ids)
    ]


async def of_person(uow: UnitOfWork, person_id: UUID) -> Sequence[PayeeAccount]:
    """All accounts of a person, sealed, newest first."""
    return await store.of_person(uow, person_id)


async def get(uow: UnitOfWork, id: UUID) -> PayeeAccount:
    """One account, sealed."""
    account = await uow.session.get(PayeeAccount, id)
    if account is None:
        raise Missing("payee_account")
    return account


def _opened(uow: UnitOfWork, row: Any) -> str | None:
    if row.account_enc is None:
        return None
    return restricted.unseal(uow.runtime.fields, restricted.ACCOUNT_NUMBER, row.id, bytes(row.account_enc))
