"""A service as small as one can be, on the kit alone: the subject of the kit's own tests."""

from collections.abc import Callable
from pathlib import Path

from kit.db.types import Aggregate
from kit.db.uow import UnitOfWork
from kit.events.envelope import Event
from kit.runtime import Runtime
from kit.service import Service
from kit.settings import Base, load
from sqlalchemy import text
from sqlmodel import Field

HERE = Path(__file__).parent / "sample"


class Thing(Aggregate, table=True):
    region_code: str = "32.76.03"
    amount_idr: int = Field(default=0)


class Settings(Base):
    model_config = {"env_prefix": "SAMPLE_"}  # noqa: RUF012 - pydantic reads it so


class BrokenHandler(Exception):
    """Told to fail."""


async def on_changed(uow: UnitOfWork, event: Event) -> None:
    if event.data.get("amount_idr") == 13:
        raise BrokenHandler
    await uow.execute(
        text("INSERT INTO effect VALUES (:id, :key, :sequence)"),
        {"id": event.id, "key": event.key, "sequence": event.sequence},
    )


SAMPLE = Service(
    name="sample",
    title="Sample",
    settings=Settings,
    migrations=HERE / "migrations",
    handlers={"org.santun.sample.thing.changed.v1": on_changed},
)


def settings(**given: object) -> Settings:
    return load(Settings, profile="test", contracts_dir=HERE / "contracts", **given)


async def tell(
    runtime: Runtime, thing: Thing | None = None, *, amount: int = 0, begin: Callable[..., object] | None = None
) -> Thing:
    """Change a thing and announce it, as a command does."""
    from kit.auth.actor import Actor
    from kit.db.uow import lock

    async with runtime.begin(Actor.system("test"), origin="api") as uow:
        row = Thing() if thing is None else await lock(uow, Thing, thing.id, None)
        row.amount_idr = amount
        await uow.save(row)
        await uow.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": amount})
        await uow.audit("change", "thing", row, after={"amount_idr": amount})
        return row


if __name__ == "__main__":
    from kit.cli import main

    main(SAMPLE)
