"""What every creation by HTTP may bring along: its own id, and the caller's reference to find it again."""

from typing import Annotated
from uuid import UUID

from kit.http.models import Body
from pydantic import AfterValidator, Field

_VERSION = 7


def _version_seven(value: UUID) -> UUID:
    """Ids sort by time; a random one would scatter the index."""
    if value.version != _VERSION:
        raise ValueError("id_bukan_versi_7")
    return value


Id = Annotated[UUID, AfterValidator(_version_seven)]
RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d(\.\d\d(\.\d\d(\.\d{4})?)?)?$", max_length=13)]
Purpose = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{2,39}$", description="Purpose code, kept in the log of reads.")
]


class Creation(Body):
    """`id` (UUIDv7) may be made by the client; `client_ref` is its own reference, unique per client."""

    id: Id | None = None
    client_ref: Annotated[str, Field(min_length=1, max_length=64)] | None = None
