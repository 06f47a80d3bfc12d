"""Routes of suppressed addresses. An address comes in to be hashed and never goes out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from pydantic import Field

from notifications.messages.states import Channel
from notifications.suppression import commands, queries

router = Api(prefix="/v1/suppressions", tags=["suppressions"])
NO_REGION = Region.none("an address belongs to no region; only its keyed hash is kept")

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Suppress(Body):
    """An address that must not be written to, and why."""

    channel: Channel
    address: Annotated[str, Field(min_length=3, max_length=254)]
    reason: Code


class Lift(Body):
    """Why it may be written to again."""

    reason: Code


class SuppressionOut(Versioned):
    """A suppression; the address only masked."""

    id: UUID
    channel: str
    address_masked: str
    reason: str
    source: str
    created_at: datetime
    lifted_at: datetime | None


@router.post("", status_code=201, responses=problems(409, 422))
async def suppress_address(
    body: Suppress, uow: Uow, _: Annotated[Actor, requires("notifications.suppressions:write", region=NO_REGION)]
) -> SuppressionOut:
    """Stop writing to an address."""
    return SuppressionOut.model_validate(await commands.suppress(uow, body.channel, body.address, body.reason))


@router.get("")
async def list_suppressions(
    reads: Reads,
    page: PageArgs,
    _: Annotated[Actor, requires("notifications.suppressions:read", region=NO_REGION)],
    channel: Annotated[Channel | None, Query()] = None,
) -> Page[SuppressionOut]:
    """List suppressed addresses, masked, oldest first."""
    rows = await queries.suppressions(reads, page, channel)
    return page.page(rows, lambda row: ("", row.id), SuppressionOut.model_validate)


@router.post("/{suppression_id}:lift", responses=problems(404, 409, 412, 428))
async def lift_suppression(
    suppression_id: UUID,
    body: Lift,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("notifications.suppressions:write", region=NO_REGION)],
) -> SuppressionOut:
    """Write to an address again."""
    return SuppressionOut.model_validate(await commands.lift(uow, suppression_id, body.reason, version))
