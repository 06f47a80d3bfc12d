"""A service inside a test: its own database, real tokens, a clock that moves, an outbox to look into."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import Reads
from kit.ids import new_id
from kit.service import Service
from kit.settings import Base
from pydantic_settings import SettingsConfigDict

router = Api(prefix="/v1", tags=["sample"])
heard = []


class Settings(Base):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_", extra="ignore", validate_default=True, frozen=True)


@router.get("/me")
async def me(
    uow: Reads,
    actor: Annotated[Actor, requires("registry.deaths:read", region=Region.none("tells the caller of itself"))],
) -> dict[str, object]:
    """What the service makes of the caller's token."""
    return {"sub": actor.sub, "roles": sorted(actor.roles), "regions": list(actor.regions), "now": uow.now.isoformat()}


async def on_registered(uow, event):
    heard.append(event)


SAMPLE = Service(
    name="sample",
    title="A sample",
    settings=Settings,
    migrations=Path(__file__).with_name("sample"),
    routers=[router],
    handlers={"org.santun.registry.death.reported.v1": on_registered},
)


async def test_a_person_of_the_demonstration_is_who_the_token_says(service_factory):
    sample = await service_factory(SAMPLE)
    answer = await sample.client("verifikator").get("/v1/me")
    assert answer.status_code == 200, answer.text
    assert answer.json()["sub"] == "verifikator"
    assert answer.json()["regions"] == ["32.76"]


async def test_regions_and_subject_can_be_replaced(service_factory):
    sample = await service_factory(SAMPLE)
    answer = await sample.client("verifikator", regions=["32.76.06"], sub="somebody").get("/v1/me")
    assert answer.json() | {"now": ""} == {
        "sub": "somebody",
        "roles": ["verifikator"],
        "regions": ["32.76.06"],
        "now": "",
    }


async def test_nobody_and_the_wrong_role_are_refused(service_factory):
    sample = await service_factory(SAMPLE)
    assert (await sample.client().get("/v1/me")).status_code == 401
    assert (await sample.client("tim_evaluasi").get("/v1/me")).status_code == 403


async def test_business_time_moves_for_the_service_alone(service_factory):
    sample = await service_factory(SAMPLE)
    sample.clock.set(datetime(2025, 1, 31, 1, tzinfo=UTC))
    said = datetime.fromisoformat((await sample.client("verifikator").get("/v1/me")).json()["now"])
    assert timedelta() <= said - datetime(2025, 1, 31, 1, tzinfo=UTC) < timedelta(minutes=1)


async def test_a_delivered_event_reaches_the_handler_once(service_factory):
    sample = await service_factory(SAMPLE)
    example = _example(sample, "death.reported")
    heard.clear()
    key, chosen = new_id(), new_id()
    await sample.deliver("death.reported", example, key=key, id=chosen)
    await sample.deliver("death.reported", example, key=key, id=chosen, sequence=1)
    assert [(event.key, event.sequence) for event in heard] == [(key, 1)]
    assert await sample.sql("SELECT 1 FROM inbox")


async def test_what_the_outbox_holds_goes_through_kafka_and_comes_back(service_factory):
    sample = await service_factory(SAMPLE)
    example = _example(sample, "death.reported")
    heard.clear()
    key = new_id()
    row = type("Row", (), {"id": key, "seq": 0})()
    async with sample.runtime.begin(Actor.system("test")) as uow:
        await uow.announce(row, "death.reported", example)
    assert [event.name for event in await sample.outbox()] == ["death.reported"]
    assert await sample.relay_once() == 1
    assert await sample.consume_once() == 1
    assert await sample.consume_once() == 0
    assert [event.key for event in heard] == [key]


@pytest.mark.parametrize("round", [1, 2])
async def test_every_test_has_a_database_of_its_own(service_factory, round):
    sample = await service_factory(SAMPLE)
    assert await sample.outbox() == []


def _example(sample, name):
    return sample.runtime.contracts.event(name).schema["examples"][0]
