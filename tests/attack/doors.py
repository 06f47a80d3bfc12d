"""Every operation of a service as its OpenAPI document tells it: the doors that an attacker sees."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.http import docs
from stack.running import Running

SERVICES = ("registry", "disbursement", "grants", "notifications")
NOBODY = "01a202c6-8cbc-7675-8418-2a1c7c53717a"
"""An id that no row has."""

_BLANK = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Door:
    """One operation. `scope` is None where no token is asked; `region` is the rule of the route."""

    method: str
    path: str
    scope: str | None
    region: str
    operation: Mapping[str, Any] = field(repr=False, compare=False)
    components: Mapping[str, Any] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def blanks(self) -> list[str]:
        """The names in the path."""
        return _BLANK.findall(self.path)

    @property
    def versioned(self) -> bool:
        """Whether it asks for If-Match."""
        return any(p["name"] == "If-Match" for p in self.operation.get("parameters", ()))

    @property
    def queries(self) -> list[Mapping[str, Any]]:
        """The parameters of the query."""
        return [p for p in self.operation.get("parameters", ()) if p["in"] == "query"]

    @property
    def media(self) -> str | None:
        """The content type of the body, None without one."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return next(iter(content), None)

    @property
    def form(self) -> Mapping[str, Any] | None:
        """The schema of the body, None without one."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return next((part["schema"] for part in content.values()), None)

    def at(self, **ids: str) -> str:
        """The address with its blanks filled, `NOBODY` where nothing else is given."""
        return _BLANK.sub(lambda blank: ids.get(blank[1], NOBODY), self.path)


def doors(running: Running) -> list[Door]:
    """All operations of the service that its document names, in its order."""
    return list(_doors(docs.document(running.app, running.service)))


def _doors(document: Mapping[str, Any]) -> Iterator[Door]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            asked = operation["security"]
            scope = asked[0]["oidc"][0] if asked else None
            yield Door(
                method.upper(), path, scope, operation.get("x-region", "public"), operation, document["components"]
            )
