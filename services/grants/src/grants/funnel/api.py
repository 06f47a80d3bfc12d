"""The route of the funnel."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads
from kit.http.models import Out

from grants.bodies import RegionCode
from grants.funnel import queries

router = Api(prefix="/v1/funnel", tags=["reports"])


class FunnelOut(Out):
    """Counts on a day. `anomalies`: accredited and not registered, at most 200 ids."""

    as_of: date
    known: int
    registered: int
    in_process: int
    listed: int
    ended: int
    accredited: int
    accredited_not_registered: int
    anomalies: list[UUID]


@router.get("")
async def get_funnel(
    reads: Reads,
    _: Annotated[Actor, requires("grants.reports:read", region=Region.QUERY)],
    as_of: Annotated[date | None, Query(description="The day; without it: today.")] = None,
    region: Annotated[RegionCode | None, Query()] = None,
) -> FunnelOut:
    """Count institutions by how far they came, as of a day."""
    return FunnelOut.model_validate(await queries.funnel(reads, as_of or reads.today, region))
