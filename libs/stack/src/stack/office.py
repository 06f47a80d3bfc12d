"""A hand on the running system: tokens of the demonstration's people, calls in their name, the business clock, mails.

The story, the end-to-end tests and the `santun` command come in here. It speaks only HTTP and files; it sees no table.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
from kit import clock as office_clock
from kit.clock import Clock
from kit.ids import new_id

from stack.identities import directory
from stack.trouble import Trouble

_TRIES = 10


class Place(Protocol):
    """A running system as its people reach it: the one of this machine (`System`), or the one in containers."""

    @property
    def token_url(self) -> str:
        """Where people and machines sign in."""

    @property
    def clock(self) -> Path:
        """The file that all services read their business time from."""

    def url(self, name: str) -> str:
        """The address of a service's API."""

    def client_secret(self, client: str) -> str:
        """What a machine signs in with."""


def fetch_token(place: Place, name: str, scope: str = "") -> str:
    """An access token of a person (password grant) or a machine (client credentials). Raises Trouble for nobody's name."""
    people = directory()
    if name in people.persons:
        form = {"grant_type": "password", "client_id": people.console, "username": name, "password": people.password}
    elif name in people.clients:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": place.client_secret(name)}
    else:
        raise Trouble(
            f"Nobody in the demonstration is called {name!r}.", "See who there is: .venv/bin/santun token --list"
        )
    answer = httpx.post(place.token_url, data=form | ({"scope": scope} if scope else {}), timeout=10)
    if answer.status_code != httpx.codes.OK:
        raise Trouble(f"The identity provider refused a token for {name}: {answer.text}")
    return str(answer.json()["access_token"])


def business_now(place: Place) -> datetime:
    """The business instant that the services see."""
    return Clock(file=place.clock).now()


def move_clock(place: Place, to: datetime) -> None:
    """Move the business clock of all services to an aware instant, from their next look at it on."""
    office_clock.move(place.clock, to)


class Office:
    """Calls the running services as people of the demonstration; keeps their tokens and connections."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._clients: dict[tuple[str, str], httpx.AsyncClient] = {}

    def desk(self, person: str, service: str) -> httpx.AsyncClient:
        """An HTTP client of `service` signed in as `person`. A POST gets a new Idempotency-Key unless it brings one."""
        known = self._clients.get((person, service))
        if known is None:
            known = httpx.AsyncClient(
                base_url=self.place.url(service),
                auth=_Bearer(self.place, person),
                timeout=30,
                event_hooks={"request": [_with_key]},
            )
            self._clients[person, service] = known
        return known

    async def call(
        self,
        person: str,
        service: str,
        method: str,
        path: str,
        *,
        version: int | None = None,
        json: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Any:
        """One call that must succeed; its answer (an object or a list). `version` becomes If-Match, `key` the Idempotency-Key.

        A service that cannot answer just now (503) is asked again, under the same key, as it says, a few times. Raises
        Trouble with the problem's own words (they hold no personal data).
        """
        headers = {"If-Match": f'"{version}"'} if version is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        desk = self.desk(person, service)
        request = desk.build_request(method, path, json=json, headers=headers)
        answer = await desk.send(request)
        for _ in range(_TRIES):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            answer = await desk.send(request)
        if answer.is_error:
            raise Trouble(f"{person}: {method} {path} was answered {answer.status_code}: {answer.text[:800]}")
        return answer.json() if answer.content else {}

    def move_clock(self, to: datetime) -> None:
        """Move business time; see `move_clock`."""
        move_clock(self.place, to)

    def now(self) -> datetime:
        """The business instant."""
        return business_now(self.place)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()


class _Bearer(httpx.Auth):
    """Signs every request; a refused token (401) is fetched anew once."""

    def __init__(self, place: Place, person: str) -> None:
        self._place = place
        self._person = person
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Any:
        self._token = self._token or fetch_token(self._place, self._person)
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = fetch_token(self._place, self._person)
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


async def _with_key(request: httpx.Request) -> None:
    if request.method == "POST":
        request.headers.setdefault("Idempotency-Key", str(new_id()))
