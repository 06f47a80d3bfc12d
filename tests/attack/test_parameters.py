"""Every parameter of every GET route x what injections look like: answered like any harmless word, or refused."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from attack.doors import Door, doors
from attack.strangers import everything
from attack.wire import Answer, ask
from fuzz.effort import share
from stack.identities import directory
from stack.running import Running

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

HARMLESS = "sesuatu"
ODD = (
    "'", "x' OR '1'='1", "x'); DROP TABLE person; --", "1; SELECT pg_sleep(5)", "$1", "\\", "%", "{{7*7}}", "x\ty\r\nz",
    "\u202e\ufeff", "x" * 400, "-1", "9" * 40, "",
)  # fmt: skip
"""A free text may be refused (422: too long, no letters in it); nothing else may come of them than of a harmless word."""


def _kind(schema: Mapping[str, Any]) -> bool:
    """Whether the parameter is a free text: no format, pattern or list of words."""
    parts = [schema, *schema.get("anyOf", ())]
    return any(
        part.get("type") == "string" and not {"format", "pattern", "enum", "const"} & set(part) for part in parts
    )


async def _get(running: Running, door: Door, token: bytes, **query: str) -> Answer:
    needed = {p["name"]: _example(p["schema"]) for p in door.queries if p.get("required")}
    text = urlencode({**needed, **query})
    return await ask(running, "GET", door.at(), [(b"authorization", token)], query=text)


def _example(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"format": "date-time"}:
            return "2026-07-01T00:00:00Z"
        case {"type": "array"}:
            return "life"
    return HARMLESS


async def test_no_parameter_can_be_made_to_speak_sql(
    running: Running, record_property: Callable[[str, object], None]
) -> None:
    roles = [role for role in directory().roles if role != "system"]
    mighty = running.client("kadis", roles=roles, scopes=everything(), regions=["32", "34"])
    token, tries, passes, parameters = mighty.headers["authorization"].encode(), 0, [], 0
    for door in doors(running):
        if door.method != "GET":
            continue
        for parameter in door.queries:
            name, free, parameters = parameter["name"], _kind(parameter["schema"]), parameters + 1
            plain = await _get(running, door, token, **{name: HARMLESS})
            for odd in share(ODD, parameters, 2):
                answer, tries = await _get(running, door, token, **{name: odd}), tries + 1
                expected = {plain.status, 422} if free and name != "cursor" else {200, 404, 422}
                if answer.status not in expected or (
                    answer.status >= 400 and answer.type != "application/problem+json"
                ):
                    passes.append(
                        f"{door} {name}={odd[:40]!r}: {answer.status}, not {plain.status} {answer.text[:200]}"
                    )
                if len(odd) > 5 and odd in answer.text:
                    passes.append(f"{door} {name}={odd[:40]!r} is repeated")
    told = f"{running.service.name}: {tries} odd values in {parameters} parameters, {len(passes)} passed"
    record_property("attack", told)
    assert not passes, "\n".join(passes)
