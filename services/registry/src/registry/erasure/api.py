"""Routes of erasure: the data protection officer orders, the head of the office carries out, both read the report."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.errors import Missing
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.problems import problems
from pydantic import Field

from registry.erasure import commands
from registry.persons import commands as persons
from registry.persons import queries as people
from registry.persons.domain import Basis, OrderErasure

router = Api(prefix="/v1", tags=["erasure"])

Eraser = Annotated[Actor, requires("registry.persons:erase", region=Region.OBJECT)]


class NewOrder(Body):
    """Why a person's data are to be destroyed; a request or an order is a document."""

    basis: Basis
    document_id: UUID | None = None


class Destroyed(Out):
    """How many rows of each kind were destroyed."""

    names: int
    numbers: int
    contacts: int
    accounts: int
    addresses: int
    deaths: int
    family_cards: int


class ErasureOut(Versioned):
    """The order and, once it was carried out, the report."""

    person_id: UUID
    state: str
    basis: Basis
    document_id: UUID | None
    ordered_by: str
    ordered_at: datetime
    erased_at: datetime | None
    destroyed: Destroyed | None
    kept: list[str] = Field(description="What stays under the person's id alone.")


@router.post("/persons/{person_id}:order-erasure", responses=problems(404, 409, 412, 428))
async def order_erasure(person_id: UUID, body: NewOrder, uow: Uow, version: IfMatch, _: Eraser) -> ErasureOut:
    """Order that the personal data of somebody be destroyed."""
    return _out(await persons.order_erasure(uow, person_id, OrderErasure(body.basis, body.document_id), version))


@router.post("/persons/{person_id}:erase", responses=problems(404, 409, 412, 428))
async def erase(person_id: UUID, uow: Uow, version: IfMatch, _: Eraser) -> ErasureOut:
    """Destroy what was ordered; another person than who ordered it. There is no way back."""
    return _out(await commands.erase(uow, person_id, version))


@router.get("/persons/{person_id}/erasure", responses=problems(404))
async def get_erasure(person_id: UUID, uow: Reads, _: Eraser) -> ErasureOut:
    """The order and the report."""
    return _out(await people.get(uow, person_id))


def _out(person: people.Row) -> ErasureOut:
    if person.erasure is None:
        raise Missing("erasure")
    return ErasureOut(
        person_id=person.id, state=person.state, version=person.version, kept=list(commands.KEPT),
        **{"erased_at": None, "destroyed": None, **person.erasure},
    )  # fmt: skip
