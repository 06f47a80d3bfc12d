"""A desk of the sample service: one route of every kind, on real tables. The subject of the tests of HTTP."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import sample_service
from fastapi import FastAPI, UploadFile
from kit.auth.actor import Actor
from kit.auth.scopes import Region, public, requires
from kit.db.uow import lock
from kit.errors import Refused
from kit.http.api import Api
from kit.http.app import create_app
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.limits import MIB
from kit.http.models import Body, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import new_id
from kit.machine import Refusal
from kit.money import IdrAmount
from kit.runtime import Runtime
from kit.service import Service
from kit.settings import load
from kit.testing.issuer import Issuer
from pydantic import field_validator
from sample_service import Thing
from sqlalchemy import text
from sqlmodel import col, select

SCOPE = "sample.things:write"
Clerk = Annotated[Actor, requires(SCOPE, region=Region.OBJECT)]
LATE = (
    "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'late'; END $$",
    "CREATE TEMP TABLE late (id int) ON COMMIT PRESERVE ROWS",
    "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()",
    "INSERT INTO late VALUES (1)",
)
things = Api(prefix="/v1", tags=["things"])


class NewThing(Body):
    amount_idr: IdrAmount
    day: date | None = None
    tags: tuple[str, ...] = ()
    note: str = ""

    @field_validator("note")
    @classmethod
    def _no_shouting(cls, note: str) -> str:
        if note.isupper():
            raise ValueError("format_salah" if note == "KNOWN" else note)
        return note


class ThingOut(Versioned):
    id: UUID
    amount_idr: int


@things.post("/things", status_code=201, responses=problems(409))
async def create_thing(body: NewThing, uow: Uow, _: Clerk) -> ThingOut:
    """Make a thing."""
    row = Thing(amount_idr=body.amount_idr)
    await uow.save(row)
    await uow.execute(text("INSERT INTO effect VALUES (:id, :key, 1)"), {"id": new_id(), "key": row.id})
    return ThingOut.model_validate(row)


@things.post("/things/{id}:change", responses=problems(404, 412, 428))
async def change_thing(id: UUID, body: NewThing, uow: Uow, version: IfMatch, _: Clerk) -> ThingOut:
    """Change a thing."""
    row = await lock(uow, Thing, id, version)
    row.amount_idr = body.amount_idr
    await uow.save(row)
    return ThingOut.model_validate(row)


@things.post("/things/{id}:refuse")
async def refuse_thing(id: UUID, uow: Uow, _: Clerk) -> None:
    """Write something, then be refused."""
    await uow.execute(text("INSERT INTO effect VALUES (:id, :id, 1)"), {"id": id})
    raise Refused(Refusal.because("hidup", "not_in_the_catalogue"))


@things.post("/things:late")
async def fail_at_commit(uow: Uow, _: Clerk) -> dict[str, str]:
    """Answer well, with work that the database refuses only at commit."""
    for statement in LATE:
        await uow.execute(text(statement))
    await uow.execute(text("INSERT INTO effect VALUES (uuidv7(), uuidv7(), 1)"))
    return {"status": "fine"}


@things.post("/things:lost")
async def lose_the_connection(uow: Uow, _: Clerk) -> dict[str, str]:
    """Answer well on a connection that is gone at commit."""
    await uow.execute(text("INSERT INTO effect VALUES (uuidv7(), uuidv7(), 1)"))
    pid = (await uow.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with uow.runtime.begin(Actor.system("test")) as other:
        await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return {"status": "fine"}


@things.get("/things/{id}")
async def read_thing(id: UUID, uow: Reads, _: Clerk) -> ThingOut:
    """Read a thing."""
    return ThingOut.model_validate(await lock(uow, Thing, id, None))


@things.get("/things")
async def list_things(page: PageArgs, uow: Reads, _: Clerk, amount: int | None = None) -> Page[ThingOut]:
    """Things in the order of their ids."""
    query = select(Thing).order_by(col(Thing.id)).limit(page.take)
    if page.after is not None:
        query = query.where(col(Thing.id) > page.after[1])
    if amount is not None:
        query = query.where(Thing.amount_idr == amount)
    rows = (await uow.execute(query)).scalars().all()
    return page.page(rows, lambda row: ("", row.id), ThingOut.model_validate)


@things.post("/things:upload", max_body_size=3 * MIB)
async def upload(file: UploadFile, _: Clerk) -> dict[str, int | None]:
    """Take a larger file."""
    return {"bytes": file.size}


@things.post("/echo")
async def echo(body: dict[str, Any], _: Clerk) -> dict[str, Any]:
    """Answer the body."""
    return body


@things.get("/broken")
async def broken(_: Annotated[None, public("shows what nobody foresaw")]) -> None:
    """Fail in a way that nobody foresaw."""
    raise ValueError("Budi 3276031502900003")


DESK = Service(
    name="sample", title="Desk", settings=sample_service.Settings, migrations=Path(), routers=[things],
    description="A desk.",
)  # fmt: skip


class Desk:
    """The application on a runtime, with an issuer of its own."""

    def __init__(self, runtime: Runtime, issuer: Issuer) -> None:
        self.issuer = issuer
        self.runtime = runtime
        self.app: FastAPI = create_app(DESK, runtime)

    def client(self, *, scope: str = SCOPE, token: str | None = None, **claims: Any) -> httpx.AsyncClient:
        """A client with a good token (regions of the sample's rows), or with the given one."""
        token = token if token is not None else self.issuer.token(scope=scope, **{"regions": ["32.76"], **claims})
        headers = {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://desk.test", headers=headers)


def unconnected(folder: Path, **given: Any) -> Desk:
    """A desk whose database is not there: for everything that is decided before."""
    issuer = Issuer(folder)
    settings = load(
        sample_service.Settings,
        **{
            "profile": "test", "database_url": "postgresql://nobody@127.0.0.1:1/none", "issuer": issuer.issuer,
            "jwks_url": issuer.jwks_url, **given,
        },
    )  # fmt: skip
    return Desk(Runtime("sample", settings), issuer)
