"""`python -m stack.docs` (`make docs`): every page that is generated, made again.

Pages of the contracts come from `stack.contracts`; here is the page of the state machines, read from the same transition
tables that decide in the services.
"""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from kit.machine import Move, diagram

from stack.contracts.__main__ import render, snapshots
from stack.places import ROOT, SERVICES

MACHINES = "docs/machines.md"
_HEAD = """<!-- Rendered from the transition tables by `make docs`; do not edit. -->
# What may happen to a thing, and who may make it happen

Each table below is the one that decides: a step that is not in it is refused with 409, a role that is not in it with 403, and
every guard that objects is named in the answer with its reason. `system` is a rule of the services, not a person. Where a state and
a command have several rows, the first one whose role fits and whose guards are silent is taken.
"""


def machines_page() -> str:
    """The whole page, in the order of services and slices."""
    lines = [_HEAD]
    for name, moves in tables():
        service, _, rest = name.partition(".")
        words = (import_module(name.rpartition(".")[0]).__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        title = rest.removesuffix(".MOVES").replace(".domain", "").replace("_", " ").replace(".", ": ").lower()
        lines += [f"\n## {service}: {title}\n", f"{words}\n", f"```mermaid\n{diagram(moves)}```\n"]
        lines += [
            "| from | command | to | who | guards | event |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [_row(move) for move in moves]
    return "\n".join(lines) + "\n"


def tables() -> Iterator[tuple[str, tuple[Move[Any], ...]]]:
    """Every transition table of the services' domain modules, by its full name."""
    for service in SERVICES:
        package = import_module(service)
        for module in sorted(found.name for found in pkgutil.walk_packages(package.__path__, f"{service}.")):
            if re.search(r"\.(domain|versions)$", module):
                for name, value in vars(import_module(module)).items():
                    if isinstance(value, tuple) and value and isinstance(value[0], Move):
                        yield f"{module}.{name}", value


def _row(move: Move[Any]) -> str:
    source = f"`{move.source.value}`" if move.source is not None else "-"
    guards = ", ".join(guard.__name__.replace("_", " ") for guard in move.guards) or "-"
    event = f"`{move.event}`" if move.event else "-"
    who = ", ".join(sorted(move.roles))
    return f"| {source} | {_spaced(move.command.__name__)} | `{move.target.value}` | {who} | {guards} | {event} |"


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


if __name__ == "__main__":
    render()
    snapshots()
    (ROOT / MACHINES).write_text(machines_page(), "utf-8")
