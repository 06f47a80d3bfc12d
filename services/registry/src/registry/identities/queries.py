"""Reads of identity claims: masked for the screen, opened only for a stated purpose, found only by the exact number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Invalid, Missing

from registry import restricted
from registry.identities import nik, store
from registry.identities.tables import IdentityClaim

Row: TypeAlias = IdentityClaim
"""What these reads answer; routes turn it into an answer and never let it out."""


@dataclass(frozen=True, slots=True)
class Found:
    """A person who claims the number, and how well the claim stands."""

    person_id: UUID
    claim_id: UUID
    state: str


async def of_person(uow: UnitOfWork, person_id: UUID) -> Sequence[IdentityClaim]:
    """All claims of a person, newest first."""
    return await store.of_person(uow, person_id)


async def get(uow: UnitOfWork, claim_id: UUID) -> IdentityClaim:
    """One claim; Missing when it is not there."""
    claim = await uow.session.get(IdentityClaim, claim_id)
    if claim is None:
        raise Missing("identity_claim")
    return claim


async def search(uow: UnitOfWork, raw: str, scheme: str = "nik") -> list[Found]:
    """Persons who claim exactly this number, within the actor's regions. Raises Invalid for what is no number."""
    value = nik.normalise(raw)
    if value is None:
        raise Invalid.field("/nik", "nik_kosong")
    rows = await uow.execute(
        store.BY_NUMBER, {"scheme": scheme, "digests": restricted.digests(uow.runtime.index, scheme, value)}
    )
    return [Found(row.person_id, row.claim_id, row.state) for row in rows if uow.actor.sees(row.region_code)]


async def reveal(uow: UnitOfWork, person_id: UUID, scheme: str) -> str:
    """The full number of a person's live claim; the caller logs the read with its purpose."""
    claim = await store.live(uow, person_id, scheme)
    if claim is None:
        raise Missing("identity_claim")
    return restricted.unseal(uow.runtime.fields, restricted.CLAIM_VALUE, claim.id, claim.value_enc)


def masked(claim: Any) -> str:
    """The number as it may be shown: stars and the last four digits."""
    return nik.mask(claim.last4)


async def districts(uow: UnitOfWork) -> frozenset[str]:
    """All Kemendagri codes down to the kecamatan, for the structure check."""
    return frozenset((await uow.execute(store.DISTRICTS)).scalars())
