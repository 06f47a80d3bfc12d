"""Commands of people who do not give up: repeated under the same key until they get a good answer, every answer counted."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
from kit.ids import new_id
from kit.testing import eventually
from stack.office import Office

PATIENCE = 120.0
NOBODY_THERE = 0
"""Counted under this number: the connection was refused, cut, or fell silent."""
_AGAIN = {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS}


class Refused(Exception):
    """A command was refused for good; `status` and the problem's own words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status} {words[:400]}")
        self.status = status


class Calls:
    """The people of an office at the public APIs. `answers` counts every answer by its status."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.answers: Counter[int] = Counter()
        self.strange: list[str] = []
        """Answers that nobody may ever get, whatever is broken: 500 and the like."""

    async def do(
        self,
        person: str,
        service: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        content: bytes | None = None,
        key: str = "",
        within: float = PATIENCE,
    ) -> dict[str, Any]:
        """One command until its good answer. Raises Refused for an answer that a repetition cannot change."""
        headers = {"Idempotency-Key": key or str(new_id())}
        headers |= {} if version is None else {"If-Match": f'"{version}"'}
        sent: dict[str, Any] = {"json": dict(body or {})}
        if content is not None:
            sent, headers["Content-Type"] = {"content": content}, "application/octet-stream"

        async def good() -> httpx.Response | None:
            return await self._once(person, service, "POST", path, headers=headers, **sent)

        return dict((await eventually(good, within=within, every=0.1)).json())

    async def upload(
        self,
        person: str,
        service: str,
        path: str,
        content: bytes,
        form: Mapping[str, str],
        *,
        key: str = "",
        within: float = PATIENCE,
    ) -> dict[str, Any]:
        """A file with its form, until it is taken."""
        headers = {"Idempotency-Key": key or str(new_id())}
        files = {"file": ("daftar.csv", content, "text/csv")}

        async def good() -> httpx.Response | None:
            return await self._once(person, service, "POST", path, headers=headers, files=files, data=dict(form))

        return dict((await eventually(good, within=within, every=0.1)).json())

    async def ask(self, person: str, service: str, path: str, *, within: float = PATIENCE) -> Any:
        """One question until it is answered."""
        return (await self._asked(person, service, path, within)).json()

    async def download(self, person: str, service: str, path: str) -> bytes:
        """The bytes behind an address."""
        return (await self._asked(person, service, path, PATIENCE)).content

    async def _asked(self, person: str, service: str, path: str, within: float) -> httpx.Response:
        async def good() -> httpx.Response | None:
            return await self._once(person, service, "GET", path)

        found: httpx.Response = await eventually(good, within=within, every=0.1)
        return found

    async def _once(self, person: str, service: str, method: str, path: str, **sent: Any) -> httpx.Response | None:
        try:
            answer = await self.office.desk(person, service).request(method, path, **sent)
        except httpx.TransportError:
            self.answers[NOBODY_THERE] += 1
            return None
        self.answers[answer.status_code] += 1
        if answer.is_success:
            return answer
        if answer.status_code in _AGAIN and "retry-after" in answer.headers:
            return None
        if answer.is_server_error:
            self.strange.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        raise Refused(answer.status_code, f"{method} {path}: {answer.text}")
