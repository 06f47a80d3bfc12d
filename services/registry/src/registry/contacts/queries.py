"""Reads of contacts, opened for those who send messages; the caller logs the read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork

from registry import restricted
from registry.contacts import store
from registry.contacts.tables import Contact

Row: TypeAlias = Contact
"""What these reads answer; routes turn it into an answer and never let it out."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message may go, in which language, by whose consent."""

    person_id: UUID
    kind: str
    value: str
    owner: str
    language: str
    consent: dict[str, Any]


async def live_of(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Address]:
    """The live addresses of these persons, each person's own first."""
    fields = uow.runtime.fields
    return [
        Address(
            row.person_id, row.kind, restricted.unseal(fields, restricted.CONTACT_VALUE, row.id, bytes(row.value_enc)),
            row.owner, row.language, row.consent,
        )
        for row in await store.live_of(uow, ids)
    ]  # fmt: skip


async def of_person(uow: UnitOfWork, person_id: UUID) -> Sequence[Contact]:
    """All contacts of a person, sealed."""
    return await store.of_person(uow, person_id)


def shown(uow: UnitOfWork, contact: Contact) -> str:
    """A contact as officers see it: the last three characters before the at sign or the end."""
    value = restricted.unseal(uow.runtime.fields, restricted.CONTACT_VALUE, contact.id, contact.value_enc)
    head, at, host = value.partition("@")
    return "*" * max(len(head) - 3, 3) + head[-3:] + at + host
