"""The secrets of one stack: made once, kept in `.santun/secrets.json` (readable by its owner only), never printed."""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from stack.identities import directory
from stack.places import SERVICES
from stack.processes import write_private

_VERSION = 1
_PARTS = ("clients", "field_keys", "index_keys", "cursors", "provider_token", "receipt_secret")


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the parts of a stack need to trust each other."""

    postgres: str
    databases: dict[str, tuple[str, str]]
    clients: dict[str, str]
    field_keys: dict[str, str]
    index_keys: dict[str, str]
    cursors: dict[str, str]
    provider_token: str
    receipt_secret: str


T = TypeVar("T")


def _each(names: Iterable[str], known: dict[str, T] | None, make: Callable[[], T]) -> dict[str, T]:
    """The known value of every name, a new one where there is none; names no longer used keep theirs."""
    return (known or {}) | {name: (known or {}).get(name) or make() for name in names}


def keyring(data: Path) -> Keyring:
    """Read the secrets; what is missing (a new service, a new client) is made and kept."""
    file = data / "secrets.json"
    try:
        known = json.loads(file.read_text())
    except FileNotFoundError:
        known = {}
    complete: dict[str, Any] = {
        "version": _VERSION,
        "postgres": known.get("postgres") or secrets.token_hex(20),
        "databases": _each(SERVICES, known.get("databases"), lambda: [secrets.token_hex(20), secrets.token_hex(20)]),
        "clients": _each(tuple(directory().clients), known.get("clients"), lambda: secrets.token_urlsafe(32)),
        "field_keys": _each(SERVICES, known.get("field_keys"), lambda: f"1:{secrets.token_hex(32)}"),
        "index_keys": _each(SERVICES, known.get("index_keys"), lambda: f"1:{secrets.token_hex(32)}"),
        "cursors": _each(SERVICES, known.get("cursors"), lambda: secrets.token_urlsafe(32)),
    }
    for shared in ("provider_token", "receipt_secret"):
        complete[shared] = known.get(shared) or secrets.token_urlsafe(32)
    if complete != known:
        write_private(file, json.dumps(complete, indent=1))
    return Keyring(
        postgres=complete["postgres"],
        databases={name: (pair[0], pair[1]) for name, pair in complete["databases"].items()},
        **{part: complete[part] for part in _PARTS},
    )
