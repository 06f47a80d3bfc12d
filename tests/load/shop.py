"""The smallest service on the kit, with one command and one bare route: what is measured of it is the mechanism alone.

It is the sample service of the kit's tests with a door to the street. `rig.py` runs it as a process.
"""

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.cli import main
from kit.db.types import Aggregate
from kit.http.api import Api
from kit.http.deps import Uow
from kit.http.models import Body, Versioned
from kit.money import IdrAmount
from kit.service import Service

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "libs/kit/tests"))

import sample_service
from sample_service import SAMPLE, Thing

SCOPE = "sample.things:write"
things = Api(prefix="/v1", tags=["things"])


class NewThing(Body):
    amount_idr: IdrAmount
    region_code: str


class ThingOut(Versioned):
    id: UUID
    amount_idr: int

    @classmethod
    def of(cls, row: Aggregate) -> "ThingOut":
        """The answer about a thing."""
        return cls.model_validate(row)


@things.post("/things", status_code=201)
async def create_thing(body: NewThing, uow: Uow, _: Annotated[Actor, requires(SCOPE, region=Region.BODY)]) -> ThingOut:
    """Make a thing: row, event, audit entry."""
    uow.within(body.region_code)
    row = Thing(amount_idr=body.amount_idr, region_code=body.region_code)
    await uow.save(row)
    await uow.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": row.amount_idr})
    await uow.audit("create", "thing", row, after={"amount_idr": row.amount_idr})
    return ThingOut.of(row)


SHOP = Service(
    name="sample", title="Shop", settings=sample_service.Settings, migrations=SAMPLE.migrations, routers=[things],
    handlers=SAMPLE.handlers,
)  # fmt: skip

if __name__ == "__main__":
    main(SHOP)
