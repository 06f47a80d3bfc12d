"""Reads of regions: the children of one, one by its code, as they were on a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from kit.db.uow import UnitOfWork
from kit.errors import Invalid
from sqlalchemy import text

BELOW = text("""
    SELECT code, kind, name, parent_code, nullif(valid_from, '-infinity') AS valid_from, valid_to, decree FROM region
    WHERE authority = 'kemendagri' AND (code = :code OR starts_with(code, :code || '.') OR :code = '')
        AND length(code) <= :longest AND code > :after
        AND valid_from <= :as_of AND (valid_to IS NULL OR valid_to > :as_of)
    ORDER BY code LIMIT :limit
""")
VERSION = text("SELECT count(*) || '-' || coalesce(max(decree), '') FROM region WHERE authority = 'kemendagri'")

KNOWN = text("""
    SELECT EXISTS (SELECT FROM region WHERE authority = 'kemendagri' AND code = :code
        AND valid_from <= :on AND (valid_to IS NULL OR valid_to > :on))
""")

LONGEST = {"prov": 2, "kab": 5, "kec": 8, "village": 13}
"""Length of the codes down to a level."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the list: in and below `code` (all when empty), down to `level`, on a day, behind the code `after`."""

    code: str
    level: str
    as_of: date
    after: str
    limit: int


async def below(uow: UnitOfWork, part: Part) -> list[Any]:
    """Regions in the order of codes. A list that names no start dates answers for every day of the past."""
    given = {
        "code": part.code,
        "longest": LONGEST[part.level],
        "as_of": part.as_of,
        "after": part.after,
        "limit": part.limit,
    }
    return list(await uow.execute(BELOW, given))


async def demand(uow: UnitOfWork, code: str, on: date, pointer: str = "/region_code") -> None:
    """Raise Invalid unless there is such a region on that day; what is merely shaped like a code is no place."""
    if not (await uow.execute(KNOWN, {"code": code, "on": on})).scalar_one():
        raise Invalid.field(pointer, "wilayah_tidak_dikenal")


async def version(uow: UnitOfWork) -> str:
    """Changes whenever the list does."""
    return str((await uow.execute(VERSION)).scalar_one())
