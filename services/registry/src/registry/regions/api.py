"""The region list (wilayah): public knowledge, versioned, cached for a day by its ETag."""

import hashlib
from datetime import date
from typing import Annotated, Literal

from fastapi import Header, Query, Response
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.conditional import not_modified
from kit.http.deps import Reads
from kit.http.models import Out
from kit.http.problems import problems

from registry.creation import RegionCode
from registry.regions import queries

router = Api(prefix="/v1", tags=["regions"])

MAX_ROWS = 10_000
CACHE = "private, max-age=86400"


class RegionOut(Out):
    code: str
    kind: str
    name: str
    parent_code: str | None
    valid_from: date | None
    valid_to: date | None
    decree: str


class Regions(Out):
    """`next` is the code to ask on from (`after`), null at the end."""

    version: str
    as_of: date
    items: list[RegionOut]
    next: str | None


@router.get("/regions", responses=problems(422), response_model=Regions)
async def list_regions(
    *,
    uow: Reads,
    response: Response,
    _: Annotated[
        Actor, requires("registry.regions:read", region=Region.none("the list of regions is public knowledge"))
    ],
    within: Annotated[
        RegionCode | None, Query(description="Code of the region around; default: all of Indonesia.")
    ] = None,
    level: Annotated[Literal["prov", "kab", "kec", "village"], Query(description="Down to which level.")] = "kec",
    as_of: Annotated[date | None, Query(description="As the list stood on this day.")] = None,
    after: Annotated[RegionCode | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = MAX_ROWS,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Regions | Response:
    """Kemendagri codes with their names and validity; ETag, to be kept for 24 hours."""
    day = as_of or uow.today
    version = await queries.version(uow)
    tag = '"' + hashlib.sha256(f"{version}|{within}|{level}|{day}|{after}|{limit}".encode()).hexdigest()[:16] + '"'
    if not_modified(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": CACHE})
    response.headers["ETag"], response.headers["Cache-Control"] = tag, CACHE
    rows = await queries.below(uow, queries.Part(within or "", level, day, after or "", limit + 1))
    items = [RegionOut.model_validate(row) for row in rows[:limit]]
    return Regions(version=version, as_of=day, items=items, next=items[-1].code if len(rows) > limit else None)
