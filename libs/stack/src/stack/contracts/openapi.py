"""Snapshots of the HTTP interfaces: what each service's application says of itself, written down to be reviewed."""

import json
from importlib.util import find_spec
from pathlib import Path

from kit.http.docs import document
from kit.settings import load

from stack.members import member
from stack.places import CONTRACTS, SERVICES

_NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def snapshot(service: str) -> str:
    """The OpenAPI document of the running code as text. Starts nothing and connects to nothing.

    Raises Trouble when the service offers no Service object.
    """
    found = member(service)
    settings = load(found.settings, profile="test", contracts_dir=CONTRACTS, database_url=_NOWHERE, public_url="")
    runtime = found.runtime(settings)
    made = document(found.app(runtime), found)
    made["info"]["version"] = "1"
    made["components"]["securitySchemes"]["oidc"]["openIdConnectUrl"] = "/.well-known/openid-configuration"
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def path(service: str) -> Path:
    """Where the snapshot stands."""
    return CONTRACTS / service / "openapi.json"


def present() -> list[str]:
    """The services that have an application."""
    return [service for service in SERVICES if find_spec(f"{service}.app")]
