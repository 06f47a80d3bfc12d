"""Every statement of the identities slice."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from kit.errors import Missing
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import LargeBinary
from sqlmodel import select

from registry.identities.tables import IdentityClaim

DIGESTS = bindparam("digests", type_=ARRAY(LargeBinary))
LIVE = ("superseded", "rejected")

PERSON_OF = text("SELECT person_id FROM identity_claim WHERE id = :id")
NUMBER_OF = text("SELECT scheme, value_bidx FROM identity_claim WHERE id = :id")
HOLDER = text("""
    SELECT id, person_id FROM identity_claim
    WHERE scheme = :scheme AND value_bidx = ANY(:digests) AND state = 'matched' AND person_id <> :person_id
""").bindparams(DIGESTS)
BY_NUMBER = text("""
    SELECT c.person_id, c.id AS claim_id, c.state, p.region_code FROM identity_claim AS c JOIN person AS p ON p.id = c.person_id
    WHERE c.scheme = :scheme AND c.value_bidx = ANY(:digests) AND c.state NOT IN ('superseded', 'rejected') AND p.state = 'active'
    ORDER BY c.state = 'matched' DESC, c.created_at LIMIT 20
""").bindparams(DIGESTS)
DISTRICTS = text("SELECT code FROM region WHERE authority = 'kemendagri' AND length(code) <= 8")
FORGET = text("""
    DELETE FROM identity_claim WHERE person_id = :id RETURNING id
""")


async def person_of(uow: UnitOfWork, claim_id: UUID) -> UUID:
    """Whose claim this is; read before the person's row is locked, which comes first."""
    found = (await uow.execute(PERSON_OF, {"id": claim_id})).scalar_one_or_none()
    if found is None:
        raise Missing("identity_claim")
    return UUID(str(found))


async def number_of(uow: UnitOfWork, claim_id: UUID) -> tuple[str, bytes]:
    """Scheme and digest of a claim, without holding its row."""
    row = (await uow.execute(NUMBER_OF, {"id": claim_id})).one()
    return row.scheme, bytes(row.value_bidx)


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> IdentityClaim:
    """The claim's row, held."""
    return await lock_row(uow, IdentityClaim, id, expected)


async def live(uow: UnitOfWork, person_id: UUID, scheme: str) -> IdentityClaim | None:
    """The person's claim of this scheme that counts now."""
    statement = select(IdentityClaim).where(
        IdentityClaim.person_id == person_id,
        IdentityClaim.scheme == scheme,
        IdentityClaim.state.not_in(LIVE),  # type: ignore[attr-defined]
    )
    claim: IdentityClaim | None = (await uow.session.execute(statement)).scalar_one_or_none()
    return claim


async def of_person(uow: UnitOfWork, person_id: UUID) -> Sequence[IdentityClaim]:
    """All claims of a person, newest first."""
    statement = select(IdentityClaim).where(IdentityClaim.person_id == person_id).order_by(IdentityClaim.id.desc())  # type: ignore[attr-defined]
    return list((await uow.session.execute(statement)).scalars())


async def holder(uow: UnitOfWork, scheme: str, digests: Sequence[bytes], person_id: UUID) -> tuple[UUID, UUID] | None:
    """(claim, person) of somebody else who has this number matched."""
    row = (await uow.execute(HOLDER, {"scheme": scheme, "digests": list(digests), "person_id": person_id})).first()
    return None if row is None else (row.id, row.person_id)


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the numbers of a person; how many."""
    return len((await uow.execute(FORGET, {"id": person_id})).all())
