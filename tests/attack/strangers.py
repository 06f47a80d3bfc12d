"""Who comes from next door, and what each of them asks for: the two sides of the matrix of regions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from attack.doors import NOBODY, Door
from attack.forms import filled
from attack.wire import Answer, ask
from attack.worlds import World
from kit.ids import new_id
from stack.identities import directory
from stack.running import Running

OF_THE_OFFICE = {"budget-lines", "programmes", "cycles", "decrees", "rule-versions", "legal-bases", "recon-items",
    "result-files", "treasury-docs", "templates", "suppressions", "regions", "receipts"}  # fmt: skip
"""Things of the whole office or of nobody: their routes say why no region counts."""
BOOKS = {"budget-lines", "recon-items", "result-files", "treasury-docs"}
"""The office's books name what was paid, by id, to those who keep them."""
ANOTHER_VERSION = b'"999999999"'
MIGHTY = {"everybody at once", "a neighbour", "another lks_pengurus"}
"""Those whose answers are compared with the answers about what does not exist."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who, the Authorization header, and the scopes in it."""

    who: str
    token: bytes
    scopes: frozenset[str]


class Call:
    """One request to one door, with the ids of the world wherever the door asks for an id."""

    def __init__(self, world: World, door: Door, *, nobody: bool = False, region: str = "") -> None:
        self.door, self.first = door, door.path.split("/")[2].partition(":")[0]
        target = NOBODY if nobody else world.ids.get(self.first, NOBODY)
        self.path = door.at(**dict.fromkeys(door.blanks, target))
        named = {name: value for name, value in world.named.items() if value is not None}
        query = {p["name"]: named[p["name"]] for p in door.queries if p["name"] in named}
        query |= {p["name"]: "nothing" for p in door.queries if p.get("required") and p["name"] not in query}
        self.query = world.asked.get(str(door), query)
        self.body = filled(door, named, region=region or world.village)
        if door.media == "multipart/form-data":
            form = {name: value for name, value in self.body.items() if name != "file"}
            whole = httpx.Request("POST", "http://x", files={"file": ("daftar.csv", b"nik\n1\n")}, data=form)
        else:
            whole = httpx.Request(door.method, "http://x", json=self.body)
        self.chunks = [whole.read()]
        self.headers = [(name.lower(), value) for name, value in whole.headers.raw]

    @property
    def names_an_object(self) -> bool:
        """Whether the address names something that belongs to a region (explanations are a list about a person)."""
        return bool(self.door.blanks) and self.first not in OF_THE_OFFICE | {"subjects"}

    @property
    def creates(self) -> bool:
        """Whether the body alone says what it is about."""
        return self.door.form is not None and not self.door.blanks

    async def by(self, running: Running, token: bytes) -> Answer:
        """Send it. Nobody has read this version: whoever hears so (412) has been let through to the object."""
        own = [(b"authorization", token), (b"idempotency-key", str(new_id()).encode()), (b"if-match", ANOTHER_VERSION)]
        query = urlencode(self.query, doseq=True)
        return await ask(running, self.door.method, self.path, [*self.headers, *own], self.chunks, query)

    def told(self, answer: Answer, secrets: set[str]) -> set[str]:
        """The secrets in an answer that were not in the question."""
        asked = f"{self.path} {json.dumps(self.query)} {json.dumps(self.body)}"
        return {secret for secret in secrets if secret in answer.text and secret not in asked}

    def fault(self, answer: Answer, absent: Answer | None, world: World) -> str | None:
        """What is wrong with an answer to a stranger; None when nothing is. `absent`: the answer about nothing at all."""
        if self.first not in BOOKS and (told := self.told(answer, world.secrets)):
            return f"tells {sorted(told)[:3]}"
        if answer.status >= 500:
            return f"fails {answer.status}"
        if self.names_an_object and answer.status not in {403, 404}:
            return f"answers {answer.status} {answer.text[:200]}"
        if absent is not None and _plain(answer) != _plain(absent):
            return f"is told apart from nothing: {answer.text[:200]} {absent.text[:200]}"
        return None


def strangers(world: World) -> Iterator[Stranger]:
    """Every role from next door; the mightiest token there could be; a citizen and an institution of the same place."""
    people, service = directory(), world.running.service.name
    for role in people.roles:
        if role not in {"system", "public"}:
            yield _stranger(world, role, role, regions=world.elsewhere, sub=f"{role}-9", person_id=str(new_id()))
    every = {"scopes": everything(), "unit": str(new_id())}
    roles = [role for role in people.roles if role != "system"]
    yield _stranger(world, "everybody at once", "kadis", regions=world.elsewhere, roles=roles, **every)
    yield _stranger(world, "nobody's region", "kadis", regions=[], **every)
    if service == "disbursement":
        yield _stranger(world, "a neighbour", "warga", regions=[world.village], person_id=str(new_id()))
    if service == "grants":
        for role in ("lks_pengurus", "lks_pimpinan"):
            yield _stranger(world, f"another {role}", role, regions=[world.village], **every)


def owner(world: World) -> bytes:
    """Everybody at once, at home."""
    roles = [role for role in directory().roles if role not in {"system", "lks_pengurus", "lks_pimpinan"}]
    return _stranger(world, "home", "kadis", regions=world.home, roles=roles, scopes=everything()).token


def everything() -> list[str]:
    """All scopes of all roles and machines."""
    people = directory()
    of_machines = {scope for identity in people.clients.values() for scope in identity.scopes}
    return sorted(of_machines | {scope for scopes in people.roles.values() for scope in scopes})


def _stranger(world: World, who: str, role: str, **claims: Any) -> Stranger:
    scopes = frozenset(claims.get("scopes") or directory().roles[role])
    return Stranger(who, world.running.client(role, **claims).headers["authorization"].encode(), scopes)


def _plain(answer: Answer) -> tuple[int, Any]:
    body = answer.json()
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in {"instance", "trace_id"}}
    return answer.status, body
