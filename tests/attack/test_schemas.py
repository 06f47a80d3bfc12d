"""Schemathesis: whatever each OpenAPI document allows or forbids, the service answers as the document says.

Cases are drawn from the documents, good and bad ones; every answer must have a status, a content type and a shape that
the document names, and never be a failure of ours. Real ids stand in the addresses, so that the calls get past 404.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from attack.strangers import owner
from attack.wire import ask
from attack.worlds import World
from fuzz.effort import EXAMPLES, share
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from kit.http import docs
from kit.ids import new_id
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(3_600 if EXAMPLES else 600)]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PER_ROUTE = EXAMPLES // 20 or 1


def cases(world: World) -> Iterator[Case]:
    """Some good and some bad cases of every route; the same ones every time unless `make fuzz` asks for more."""
    schema = schemathesis.openapi.from_dict(docs.document(world.running.app, world.running.service))
    operations = list(schema.get_all_operations())
    for turn, mode in enumerate((GenerationMode.POSITIVE, GenerationMode.NEGATIVE)):
        for found in share(operations, turn, 4):
            try:
                yield from drawn(found.ok().as_strategy(generation_mode=mode))
            except Unsatisfiable:
                continue  # nothing can be wrong about a route without parameters


def drawn(strategy: SearchStrategy[Case]) -> list[Case]:
    """So many values of a strategy, drawn before they are sent: sending is asynchronous."""
    found: list[Case] = []

    @given(strategy)
    @settings(
        max_examples=PER_ROUTE, database=None, derandomize=not EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def draw(case: Case) -> None:
        found.append(case)

    draw()
    return found


async def answered(world: World, case: Case, token: bytes) -> Response:
    first = case.path.split("/")[2].partition(":")[0]
    if first in world.ids and case.path_parameters:
        case.path_parameters = {name: world.ids[first] if len(value) == 36 else value for name, value in case.path_parameters.items()}  # fmt: skip
    given = case.as_transport_kwargs(base_url="http://service.test")
    request = requests.Request(**given).prepare()
    headers = [(name.lower().encode("latin-1"), _raw(value)) for name, value in request.headers.items()]
    headers = [(name, value) for name, value in headers if name not in {b"authorization", b"idempotency-key"}]
    headers += [(b"authorization", token), (b"idempotency-key", str(new_id()).encode())]
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    target = urlsplit(str(request.url))
    answer = await ask(world.running, str(request.method), target.path, headers, [bytes(body)], target.query)
    told = {name.decode(): [value.decode()] for name, value in answer.headers.items()}
    return Response(answer.status, told, answer.body, request, 0.0, verify=True)


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


async def test_every_answer_is_one_that_the_document_names(world: World, record_property) -> None:
    token, tries, faults = owner(world), 0, {}
    for case in cases(world):
        response, tries = await answered(world, case, token), tries + 1
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                where = f"{case.operation.label} {response.status_code} {type(failure).__name__}"
                faults.setdefault(where, f"{failure} {response.content[:300]!r} {str(case.body)[:300]} {case.query}")
    record_property(
        "attack", f"{world.running.service.name}: {tries} cases of Schemathesis, {len(faults)} kinds of faults"
    )
    assert not faults, "\n".join(f"{where}: {' '.join(told.split())[:700]}" for where, told in sorted(faults.items()))
