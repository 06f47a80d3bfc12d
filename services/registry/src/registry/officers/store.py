"""Every statement of the officers slice."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

PERSONS_OF = text(
    "SELECT subject, person_id FROM officer WHERE subject = ANY(:subjects) AND person_id IS NOT NULL"
).bindparams(bindparam("subjects", type_=ARRAY(Text)))


async def persons_of(uow: UnitOfWork, subjects: Sequence[str]) -> dict[str, UUID]:
    """The person behind each account, where known."""
    rows = await uow.execute(PERSONS_OF, {"subjects": list(subjects)})
    return {row.subject: row.person_id for row in rows}
